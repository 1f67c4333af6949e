package io.jenkins.plugins.ha.builds;

import hudson.model.Cause;

/** Why a build runs again: the controller of the one before it died. */
public final class RestartedCause extends Cause {
    private final String controller;
    private final int number;

    RestartedCause(String controller, int number) {
        this.controller = controller;
        this.number = number;
    }

    /** Name of the controller that died. */
    public String getController() {
        return controller;
    }

    /** Number of the build that died with it. */
    public int getNumber() {
        return number;
    }

    @Override
    public String getShortDescription() {
        return "Restarted after controller " + controller + " died while it ran #" + number;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RestartedCause cause
                && cause.number == number
                && cause.controller.equals(controller);
    }

    @Override
    public int hashCode() {
        return 31 * controller.hashCode() + number;
    }
}
