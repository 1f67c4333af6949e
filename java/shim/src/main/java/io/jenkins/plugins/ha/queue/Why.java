package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Cause;
import hudson.model.CauseAction;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Why something was triggered, in words, for its trace. */
final class Why {
    private static final Logger LOGGER = Logger.getLogger(Why.class.getName());
    private static final int LONGEST = 300;

    private Why() {}

    /**
     * The causes among the actions, as their builds would show them, cut to a few hundred
     * characters.
     */
    static String of(List<Action> actions) {
        StringBuilder text = new StringBuilder();
        for (Action action : actions) {
            if (action instanceof CauseAction causes) {
                for (Cause cause : causes.getCauses()) {
                    if (text.length() < LONGEST) {
                        text.append(text.isEmpty() ? "" : "; ").append(of(cause));
                    }
                }
            }
        }
        return text.length() <= LONGEST ? text.toString() : text.substring(0, LONGEST) + "...";
    }

    private static String of(Cause cause) {
        try {
            return cause.getShortDescription();
        } catch (RuntimeException | LinkageError e) { // some plugin's own
            LOGGER.log(Level.FINE, "A cause does not say what it is", e);
            return cause.getClass().getSimpleName();
        }
    }
}
