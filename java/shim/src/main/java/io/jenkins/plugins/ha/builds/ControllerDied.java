package io.jenkins.plugins.ha.builds;

import jenkins.model.CauseOfInterruption;

/** Why a build was ended: its controller was held dead, or shut down. */
public final class ControllerDied extends CauseOfInterruption {
    private static final long serialVersionUID = 1L;

    private final String controller;
    private final boolean stopped;

    ControllerDied(String controller, boolean stopped) {
        this.controller = controller;
        this.stopped = stopped;
    }

    /** Whether it was shut down, as by an admin. */
    boolean isStopped() {
        return stopped;
    }

    @Override
    public String getShortDescription() {
        return "Its controller "
                + controller
                + (stopped ? " was shut down" : " stopped answering")
                + " while it ran this build";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ControllerDied cause
                && cause.controller.equals(controller)
                && cause.stopped == stopped;
    }

    @Override
    public int hashCode() {
        return 31 * controller.hashCode() + Boolean.hashCode(stopped);
    }
}
