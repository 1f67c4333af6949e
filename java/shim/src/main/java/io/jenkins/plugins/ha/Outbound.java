package io.jenkins.plugins.ha;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What this controller tells the cluster, in order, off the threads on which it happened
 * (executors, and whoever holds the queue's lock). While Redis is away everything waits here and is
 * told later; nothing is skipped but what the cluster refuses for good.
 */
public final class Outbound {
    private static final Logger LOGGER = Logger.getLogger(Outbound.class.getName());
    private static final long RETRY_MILLIS = 200;
    private static final long REJOIN_MILLIS = 1000;
    private static final long DRAIN_MILLIS = 3000;
    private static final long IDLE_MILLIS = 5000;

    /** What fails here, not in Redis, is tried so often, after longer and longer pauses. */
    private static final int TRIES = 4;

    private final Cluster cluster;
    private final LinkedBlockingDeque<Message> waiting = new LinkedBlockingDeque<>();

    /** What of {@link #tellOnce} waits. */
    private final Set<String> waitingOnce = ConcurrentHashMap.newKeySet();

    private final Loop loop;

    /** Taken from {@link #waiting} and not told yet; the loop's thread writes it. */
    private volatile Message inHand;

    private volatile boolean stopping;

    Outbound(Cluster cluster, Watchdog watchdog) {
        this.cluster = cluster;
        this.loop = watchdog.loop("ha-jenkins-outbound", this::round);
    }

    /** One thing to tell; repeated until it is taken or refused, so it must be idempotent. */
    @FunctionalInterface
    public interface Telling {
        void tell(Cluster cluster);
    }

    private record Message(String what, Telling telling, boolean once, long since) {
        Message(String what, Telling telling, boolean once) {
            this(what, telling, once, System.nanoTime());
        }
    }

    /** Tells it as soon as it is its turn. Never blocks. {@code what} names it in the log. */
    public void tell(String what, Telling telling) {
        waiting.addLast(new Message(what, telling, false));
    }

    /**
     * As {@link #tell}, unless the same {@code what} waits already, which then says it all: while
     * Redis is away, what is told again and again does not pile up.
     */
    public void tellOnce(String what, Telling telling) {
        if (waitingOnce.add(what)) {
            waiting.addLast(new Message(what, telling, true));
        }
    }

    /** Waits until what waits now is told, at the most so long; whether it is. */
    public boolean awaitTold(long millis) throws InterruptedException {
        CountDownLatch told = new CountDownLatch(1);
        tell("what somebody waits for", c -> told.countDown());
        return told.await(millis, TimeUnit.MILLISECONDS);
    }

    /** How much is not told yet. */
    public int untold() {
        return waiting.size() + (inHand == null ? 0 : 1);
    }

    /** For how long the oldest of it has waited; 0 when all is told. */
    public long oldestMillis() {
        Message oldest = inHand;
        if (oldest == null) {
            oldest = waiting.peekFirst();
        }
        return oldest == null
                ? 0
                : TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - oldest.since());
    }

    void start() {
        loop.start();
    }

    void drainAndStop() {
        stopping = true;
        tell("end", c -> {});
        loop.await(DRAIN_MILLIS);
        int left = untold();
        if (left > 0) {
            LOGGER.warning(
                    () ->
                            "Left with "
                                    + left
                                    + " messages that Redis could not take: the other controllers"
                                    + " find out when this one's lease has ended");
        }
    }

    private boolean round() throws InterruptedException {
        if (inHand == null) { // else the thread was ended over it
            inHand = waiting.pollFirst(IDLE_MILLIS, TimeUnit.MILLISECONDS);
        }
        if (inHand == null) {
            return true; // by this the watchdog sees that the thread is well, though nobody has
            // news
        }
        Message message = inHand;
        if (message.once()) {
            waitingOnce.remove(message.what());
        }
        try {
            tellOne(message);
            inHand = null;
        } catch (GivenUp e) {
            inHand = null;
            throw e;
        }
        return !(stopping && waiting.isEmpty());
    }

    private void awaitJoined() {
        try {
            cluster.awaitJoined(REJOIN_MILLIS);
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Closed", e);
        }
    }

    /** Told in vain, by a defect here; the next message's turn. */
    private static final class GivenUp extends RuntimeException {
        private static final long serialVersionUID = 1L;

        GivenUp(String what, Throwable cause) {
            super("Could not tell the cluster: " + what, cause);
        }
    }

    private void tellOne(Message message) throws InterruptedException {
        int failures = 0;
        while (true) {
            try {
                message.telling().tell(cluster);
                return;
            } catch (HaException.Unavailable | HaException.Refused e) { // an admin can mend both
                LOGGER.log(
                        Level.FINE,
                        "{0} waits for Redis: {1}",
                        new Object[] {message.what(), e.getMessage()});
                Thread.sleep(RETRY_MILLIS);
                awaitJoined();
            } catch (HaException.Closed e) {
                return;
            } catch (HaException.Bug e) { // of what was sent; or the library has closed itself
                LOGGER.log(Level.SEVERE, "Could not tell the cluster: " + message.what(), e);
                return;
            } catch (HaException e) {
                LOGGER.warning(
                        () ->
                                "The cluster did not take '"
                                        + message.what()
                                        + "': "
                                        + e.getMessage());
                return;
            } catch (RuntimeException | Error e) { // of a plugin, or for want of memory
                failures++;
                if (failures >= TRIES) {
                    throw new GivenUp(message.what(), e);
                }
                LOGGER.log(
                        failures == 1 ? Level.WARNING : Level.FINE,
                        "Could not tell the cluster: " + message.what() + "; trying on",
                        e);
                Thread.sleep(RETRY_MILLIS << failures);
            }
        }
    }
}
