package io.jenkins.plugins.ha.queue;

import hudson.model.Queue;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.CancelOutcome;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** Cancels an item that this controller does not hold. The caller's permission has been checked. */
public final class Cancelling {
    /** Asks the controller that holds an item to cancel it. */
    public static final String TOPIC = "cancel";

    private static final Logger LOGGER = Logger.getLogger(Cancelling.class.getName());
    private static final long ANSWER_MILLIS = 2000;

    private Cancelling() {}

    /** True when it will never run. */
    static boolean cancel(Membership membership, long id) {
        String who = Jenkins.getAuthentication2().getName();
        try {
            CancelOutcome outcome = membership.cluster().cancel(id, who);
            if (outcome == CancelOutcome.HELD) {
                askHolder(membership, id);
            }
            if (outcome == CancelOutcome.TOO_LATE) {
                return false;
            }
            membership.cluster().item(id).ifPresent(membership.view()::changed);
            return outcome == CancelOutcome.CANCELLED || outcome == CancelOutcome.HELD;
        } catch (HaException e) {
            LOGGER.warning(() -> "Queue item " + id + " could not be cancelled: " + e.getMessage());
            return false;
        }
    }

    /**
     * The other side: this controller holds it. Wherever the item is on its way here, it does not
     * start any more, since the cluster gives it no build number.
     */
    public static boolean cancelHere(Membership membership, long id) {
        Queue queue = Queue.getInstance();
        for (Queue.Item item : ((HaQueue) queue).local()) {
            if (item.getId() == id) {
                queue.cancel(item);
            }
        }
        try {
            membership.cluster().cancelled(id, "cancelled"); // before the one who asked hears of it
            return true;
        } catch (HaException.Conflict | HaException.Fenced | HaException.NotFound e) {
            return false;
        }
    }

    private static void askHolder(Membership membership, long id) {
        Item held = membership.cluster().item(id).orElse(null);
        if (held == null || held.state() != ItemState.CLAIMED) {
            return;
        }
        membership
                .cluster()
                .ask(
                        held.owner(),
                        TOPIC,
                        Long.toString(id).getBytes(StandardCharsets.UTF_8),
                        UUID.randomUUID().toString(),
                        ANSWER_MILLIS);
    }
}
