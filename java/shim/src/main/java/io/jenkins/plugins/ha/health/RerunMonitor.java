package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.builds.Reruns;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.interceptor.RequirePOST;

/** Tells the admin of builds with which one controller after the other died. */
@Extension
public final class RerunMonitor extends AdministrativeMonitor {
    public RerunMonitor() {
        super("io.jenkins.plugins.ha.health.RerunMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA builds that are not run again";
    }

    @Override
    public boolean isActivated() {
        return !getBuilds().isEmpty();
    }

    /** The last of them. From memory. */
    public List<Reruns.GivenUp> getBuilds() {
        return Reruns.givenUp();
    }

    /** The admin has seen them. */
    @RequirePOST
    public HttpResponse doForget() {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        Reruns.forget();
        return HttpResponses.redirectViaContextPath("manage");
    }
}
