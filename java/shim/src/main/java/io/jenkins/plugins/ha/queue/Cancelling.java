package io.jenkins.plugins.ha.queue;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.CancelOutcome;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** Cancels an item that this controller does not hold. The caller's permission has been checked. */
public final class Cancelling {
    /** Asks the controller that holds an item to cancel it; the body is {@code id user}. */
    public static final String TOPIC = "cancel";

    private static final Logger LOGGER = Logger.getLogger(Cancelling.class.getName());
    private static final long ANSWER_MILLIS = 2000;

    private Cancelling() {}

    /**
     * True when it will never run. Who holds it is asked first: what is on its way to an executor
     * there is let run, as in core, where to stop it would kill the executor.
     */
    static boolean cancel(Membership membership, long id) {
        String who = Jenkins.getAuthentication2().getName();
        try {
            Item now = membership.cluster().item(id).orElse(null);
            boolean gone;
            if (now != null && now.state() == ItemState.CLAIMED) {
                gone = holderCancels(membership, now, who);
            } else {
                CancelOutcome outcome = membership.cluster().cancel(id, who);
                gone = outcome == CancelOutcome.CANCELLED;
                if (outcome == CancelOutcome.HELD) { // claimed just now; it cannot start any more
                    membership.cluster().item(id).ifPresent(i -> ask(membership, i, who));
                    gone = true;
                }
            }
            membership.cluster().item(id).ifPresent(membership.view()::changed);
            ListenersTold.cancelledFor(membership, id);
            return gone;
        } catch (HaException e) {
            LOGGER.warning(() -> "Queue item " + id + " could not be cancelled: " + e.getMessage());
            return false;
        }
    }

    /** The other side: this controller holds it, or has held it a moment ago. */
    public static boolean cancelHere(Membership membership, String body) {
        String[] words = body.split(" ", 2);
        long id = Long.parseLong(words[0]);
        boolean cancelled = false;
        try {
            if (!ClaimedItems.keepOut(id)) {
                return false; // an executor has it
            }
            CancelOutcome outcome = membership.cluster().cancel(id, words[1]);
            if (outcome == CancelOutcome.HELD) {
                membership.cluster().cancelled(id, "Cancelled by " + words[1]);
            }
            cancelled = outcome == CancelOutcome.CANCELLED || outcome == CancelOutcome.HELD;
            return cancelled;
        } finally {
            if (!cancelled) {
                ClaimedItems.letIn(id);
            }
        }
    }

    private static boolean holderCancels(Membership membership, Item held, String who) {
        try {
            return ask(membership, held, who);
        } catch (HaException.Unavailable | HaException.NotFound e) {
            // it does not answer: whatever becomes of it, it cannot start the item any more
            CancelOutcome outcome = membership.cluster().cancel(held.id(), who);
            LOGGER.warning(
                    () ->
                            "Queue item "
                                    + held.id()
                                    + " is held by a controller that does not answer; it is"
                                    + " cancelled as soon as that one is back or given up");
            return outcome == CancelOutcome.CANCELLED || outcome == CancelOutcome.HELD;
        }
    }

    private static boolean ask(Membership membership, Item held, String who) {
        if (held.state() != ItemState.CLAIMED) {
            return held.state() == ItemState.CANCELLED;
        }
        String answer = membership.ask(held.owner(), TOPIC, held.id() + " " + who, ANSWER_MILLIS);
        return answer.equals("ok");
    }
}
