package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.PageDecorator;
import io.jenkins.plugins.ha.Membership;

/**
 * Tells everybody, on every page, that builds are kept but not started while this controller is out
 * of the cluster. Why that is so is for admins ({@link ClusterMonitor}).
 */
@Extension
public final class OutageBanner extends PageDecorator {
    @Override
    public String getDisplayName() {
        return "HA outage banner";
    }

    /** From memory. */
    public boolean isShown() {
        return Membership.active().map(membership -> !membership.link().joined()).orElse(false);
    }
}
