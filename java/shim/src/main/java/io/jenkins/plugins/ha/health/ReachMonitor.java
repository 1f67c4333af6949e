package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.Membership;
import java.util.List;

/** Tells the admin which controllers this one cannot pass requests on to, and why. */
@Extension
public final class ReachMonitor extends AdministrativeMonitor {
    public ReachMonitor() {
        super("io.jenkins.plugins.ha.health.ReachMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA requests passed on";
    }

    @Override
    public boolean isActivated() {
        return !getProblems().isEmpty();
    }

    /** A sentence each. From memory. */
    public List<String> getProblems() {
        return Membership.active()
                .map(membership -> membership.forwarding().reach().problems())
                .orElse(List.of());
    }
}
