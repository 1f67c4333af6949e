package io.jenkins.plugins.ha.extensions;

import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner;
import java.util.Collection;
import java.util.List;

/**
 * Says that it can make agents for the label that the switch {@code cloud} names, and makes none.
 */
public final class BarrenCloud extends Cloud {
    /** By this name in the configuration. */
    public BarrenCloud() {
        super("barren");
    }

    @Override
    public boolean canProvision(Cloud.CloudState state) {
        return state.getLabel() != null && Switches.is("cloud", state.getLabel().getName());
    }

    @Override
    public Collection<NodeProvisioner.PlannedNode> provision(
            Cloud.CloudState state, int excessWorkload) {
        return List.of();
    }
}
