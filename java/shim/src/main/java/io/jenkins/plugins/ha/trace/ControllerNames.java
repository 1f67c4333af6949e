package io.jenkins.plugins.ha.trace;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.KnownController;
import java.util.HashMap;
import java.util.Map;

/** What people call the controllers, those that are gone included. */
public final class ControllerNames {
    private static final int SHORT = 8;

    private final Map<String, String> names = new HashMap<>();

    /** As this controller knows them; from memory. */
    public ControllerNames(Membership membership) {
        for (KnownController one : membership.topology().known()) {
            names.put(one.controllerId(), one.name());
        }
        names.put(membership.identity().id(), membership.identity().name());
    }

    /** Its name; the beginning of its id where it is forgotten; "" for none. */
    public String of(String controllerId) {
        return names.getOrDefault(
                controllerId, controllerId.substring(0, Math.min(SHORT, controllerId.length())));
    }
}
