package io.jenkins.plugins.ha.doctor;

import hudson.model.Api;
import io.jenkins.plugins.ha.Membership;
import java.util.Optional;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.Stapler;

/**
 * {@code /manage/ha/doctor/}, for those who may read the system's settings; {@code
 * /ha/doctor/api/json} says the same.
 */
public final class DoctorPage {
    /** Asks all controllers; empty on a plain Jenkins. */
    public Optional<Doctor> examine() {
        Jenkins jenkins = Jenkins.get();
        if (!jenkins.hasPermission(Jenkins.MANAGE)) {
            jenkins.checkPermission(Jenkins.SYSTEM_READ);
        }
        return Membership.active().map(Doctor::of);
    }

    /** For the page; null on a plain Jenkins. */
    public Doctor getDoctor() {
        return examine().orElse(null);
    }

    public Api getApi() {
        // the layout of every page asks, too, whether there is one to link to
        boolean asked = Stapler.getCurrentRequest2().getRequestURI().contains("/doctor/api");
        return new Api(asked ? examine().map(Object.class::cast).orElse(this) : this);
    }
}
