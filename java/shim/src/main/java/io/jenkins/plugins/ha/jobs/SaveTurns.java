package io.jenkins.plugins.ha.jobs;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Turn;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * One controller at a time looks at the file of an item and writes it: else two could both find
 * what they know, and the second would undo what the first writes. Thread-safe.
 */
final class SaveTurns {
    private static final Logger LOGGER = Logger.getLogger(SaveTurns.class.getName());

    /** So long another controller's save is waited for; then its file is what is looked at. */
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long PAUSE_MILLIS = 3;

    /** A save that fails does not say so; its turn ends by itself. */
    private static final long REMEMBERED_MILLIS = 2000;

    private static final long REMEMBERED_NANOS = TimeUnit.MILLISECONDS.toNanos(REMEMBERED_MILLIS);

    /** What this controller is writing, by full name; since when, ns. */
    private final Map<String, Long> here = new ConcurrentHashMap<>();

    /**
     * To be called before the file is looked at. Waits for another controller that writes it, a
     * second at the most; without Redis for nobody.
     */
    void begin(String item) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.link().joined()) {
            return;
        }
        long begun = System.nanoTime();
        try {
            while (!isOurs(membership, item) && System.nanoTime() - begun < LONGEST_NANOS) {
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (HaException e) { // the file is looked at all the same
            LOGGER.log(Level.FINE, "{0} is saved without a turn: {1}", new Object[] {item, e});
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isOurs(Membership membership, String item) {
        Long since = here.get(item);
        if (since != null && System.nanoTime() - since < REMEMBERED_NANOS) {
            return true; // an item may save itself while it is saved
        }
        Turn turn = membership.cluster().begin(what(item), REMEMBERED_MILLIS);
        if (turn.mine()) {
            here.put(item, System.nanoTime());
        }
        return turn.mine();
    }

    /** The file is written, or will not be. */
    void end(String item) {
        Membership membership = Membership.active().orElse(null);
        if (here.remove(item) != null && membership != null) {
            try {
                membership.cluster().notDone(what(item));
            } catch (HaException e) { // it ends by itself
                LOGGER.log(
                        Level.FINE, "The turn to save {0} ends late: {1}", new Object[] {item, e});
            }
        }
    }

    /** A name of any length. */
    private static String what(String item) {
        return "save:" + KnownForms.hash(item.getBytes(StandardCharsets.UTF_8));
    }
}
