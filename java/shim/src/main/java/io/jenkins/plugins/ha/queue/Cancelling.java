package io.jenkins.plugins.ha.queue;

import hudson.model.Queue;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.CancelOutcome;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
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

    static boolean cancel(Membership membership, long id) {
        String who = Jenkins.getAuthentication2().getName();
        try {
            CancelOutcome outcome = membership.cluster().cancel(id, who);
            if (outcome == CancelOutcome.CANCELLED) {
                Optional<Item> now = membership.cluster().item(id);
                now.ifPresent(membership.view()::changed);
                return true;
            }
            return outcome == CancelOutcome.HELD && asked(membership, id);
        } catch (HaException e) {
            LOGGER.warning(() -> "Queue item " + id + " could not be cancelled: " + e.getMessage());
            return false;
        }
    }

    /** The other side: this controller holds it. */
    public static boolean cancelHere(long id) {
        Queue queue = Queue.getInstance();
        for (Queue.Item item : ((HaQueue) queue).local()) {
            if (item.getId() == id) {
                return queue.cancel(item);
            }
        }
        return false;
    }

    private static boolean asked(Membership membership, long id) {
        Optional<Item> held = membership.cluster().item(id);
        if (held.isEmpty() || held.get().owner().isEmpty()) {
            return false;
        }
        byte[] answer =
                membership
                        .cluster()
                        .ask(
                                held.get().owner(),
                                TOPIC,
                                Long.toString(id).getBytes(StandardCharsets.UTF_8),
                                UUID.randomUUID().toString(),
                                ANSWER_MILLIS);
        return new String(answer, StandardCharsets.UTF_8).equals("ok");
    }
}
