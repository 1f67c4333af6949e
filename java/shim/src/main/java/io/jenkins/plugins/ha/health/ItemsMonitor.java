package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.Membership;

/** Tells the admin which jobs this controller cannot read as another one has written them. */
@Extension
public final class ItemsMonitor extends AdministrativeMonitor {
    public ItemsMonitor() {
        super("io.jenkins.plugins.ha.health.ItemsMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA jobs";
    }

    @Override
    public boolean isActivated() {
        return !getProblem().isEmpty();
    }

    /** One sentence, or "" when all is well. From memory. */
    public String getProblem() {
        return Membership.active().map(membership -> membership.items().problem()).orElse("");
    }
}
