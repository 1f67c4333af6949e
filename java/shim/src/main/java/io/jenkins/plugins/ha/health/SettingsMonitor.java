package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.carried.Troubles.Trouble;
import java.util.List;

/** Tells the admin which settings on this controller are not the cluster's, and why. */
@Extension
public final class SettingsMonitor extends AdministrativeMonitor {
    public SettingsMonitor() {
        super("io.jenkins.plugins.ha.health.SettingsMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA settings";
    }

    @Override
    public boolean isActivated() {
        return !getTroubles().isEmpty();
    }

    /** One for each setting. From memory. */
    public List<Trouble> getTroubles() {
        return Membership.active()
                .map(membership -> membership.carrying().troubles().all())
                .orElse(List.of());
    }
}
