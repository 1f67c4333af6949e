package io.jenkins.plugins.ha.builds;

import jenkins.model.CauseOfInterruption;

/** Why a build was ended: its controller was held dead. */
public final class ControllerDied extends CauseOfInterruption {
    private static final long serialVersionUID = 1L;

    private final String controller;

    ControllerDied(String controller) {
        this.controller = controller;
    }

    @Override
    public String getShortDescription() {
        return "Its controller " + controller + " stopped answering while it ran this build";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ControllerDied cause && cause.controller.equals(controller);
    }

    @Override
    public int hashCode() {
        return controller.hashCode();
    }
}
