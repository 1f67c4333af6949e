package io.jenkins.plugins.ha.builds;

import hudson.model.Cause;

/** Why a build runs again: the controller of the one before it died, or was shut down. */
public final class RestartedCause extends Cause {
    private final String controller;
    private final int number;
    private final boolean stopped;

    RestartedCause(String controller, int number, boolean stopped) {
        this.controller = controller;
        this.number = number;
        this.stopped = stopped;
    }

    /** Name of the controller that ran it before. */
    public String getController() {
        return controller;
    }

    /** Number of the build that ended with it. */
    public int getNumber() {
        return number;
    }

    @Override
    public String getShortDescription() {
        return "Restarted after controller "
                + controller
                + (stopped ? " was shut down" : " died")
                + " while it ran #"
                + number;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RestartedCause cause
                && cause.number == number
                && cause.stopped == stopped
                && cause.controller.equals(controller);
    }

    @Override
    public int hashCode() {
        return 31 * controller.hashCode() + number;
    }
}
