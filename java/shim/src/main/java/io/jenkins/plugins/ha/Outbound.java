package io.jenkins.plugins.ha;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
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

    private final Cluster cluster;
    private final LinkedBlockingDeque<Message> waiting = new LinkedBlockingDeque<>();
    private final Thread thread = new Thread(this::run, "ha-jenkins-outbound");
    private volatile boolean stopping;

    Outbound(Cluster cluster) {
        this.cluster = cluster;
        thread.setDaemon(true);
    }

    /** One thing to tell; repeated until it is taken or refused, so it must be idempotent. */
    @FunctionalInterface
    public interface Telling {
        void tell(Cluster cluster);
    }

    private record Message(String what, Telling telling) {}

    /** Tells it as soon as it is its turn. Never blocks. {@code what} names it in the log. */
    public void tell(String what, Telling telling) {
        waiting.addLast(new Message(what, telling));
    }

    void start() {
        thread.start();
    }

    void drainAndStop() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
        stopping = true;
        tell("end", c -> {});
        try {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!waiting.isEmpty()) {
            LOGGER.warning(
                    () ->
                            "Left with "
                                    + waiting.size()
                                    + " messages that Redis could not take: the other controllers"
                                    + " find out when this one's lease has ended");
        }
    }

    private void run() {
        try {
            while (!(stopping && waiting.isEmpty())) {
                tellOne(waiting.takeFirst());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitJoined() {
        try {
            cluster.awaitJoined(REJOIN_MILLIS);
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Closed", e);
        }
    }

    private void tellOne(Message message) throws InterruptedException {
        while (true) {
            try {
                message.telling.tell(cluster);
                return;
            } catch (HaException.Unavailable | HaException.Refused e) { // an admin can mend both
                LOGGER.log(
                        Level.FINE,
                        "{0} waits for Redis: {1}",
                        new Object[] {message.what, e.getMessage()});
                Thread.sleep(RETRY_MILLIS);
                awaitJoined();
            } catch (HaException.Closed e) {
                return;
            } catch (HaException e) {
                LOGGER.warning(
                        () -> "The cluster did not take '" + message.what + "': " + e.getMessage());
                return;
            } catch (RuntimeException e) {
                LOGGER.log(Level.SEVERE, "Could not tell the cluster: " + message.what, e);
                return;
            }
        }
    }
}
