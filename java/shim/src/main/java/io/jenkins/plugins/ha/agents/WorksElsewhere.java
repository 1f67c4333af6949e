package io.jenkins.plugins.ha.agents;

import hudson.slaves.OfflineCause;

/** Why an agent is not connected here: it works for another controller. In memory alone. */
public final class WorksElsewhere extends OfflineCause {
    private final transient String controllerId;
    private final transient String name;

    WorksElsewhere(String controllerId, String name) {
        this.controllerId = controllerId;
        this.name = name;
    }

    /** The controller's id. */
    String controllerId() {
        return controllerId;
    }

    /** What people call the controller. */
    public String getName() {
        return name;
    }

    @Override
    public String toString() {
        return "It is connected to the controller " + name;
    }
}
