package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.Membership;

/**
 * Tells the admin that builds are not recorded as they should be, though they go on; and how far
 * builds of the time before the cluster were taken over.
 */
@Extension
public final class RecordsMonitor extends AdministrativeMonitor {
    public RecordsMonitor() {
        super("io.jenkins.plugins.ha.health.RecordsMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA build records";
    }

    @Override
    public boolean isActivated() {
        return !getProblem().isEmpty() || !getProgress().isEmpty();
    }

    /** One sentence, or "" when all is well. From memory. */
    public String getProblem() {
        return Membership.active().map(membership -> membership.records().problem()).orElse("");
    }

    /** How far the builds of the time before the cluster were taken over; "" when all were. */
    public String getProgress() {
        return Membership.active().map(Membership::reconciling).orElse("");
    }
}
