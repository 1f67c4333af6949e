package io.jenkins.plugins.ha.queue;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.util.Timer;

/**
 * Builds that were accepted while Redis was away: in the core's journal, synced to disk before the
 * caller hears of it, and told to the cluster as soon as Redis is back, also after a restart.
 */
final class Outbox {
    private static final Logger LOGGER = Logger.getLogger(Outbox.class.getName());
    private static final long LATER_MILLIS = 1000;

    private final Membership membership;

    /** Why something is only in memory, until all of that is told; "" for none. */
    private volatile String onlyInMemory = "";

    private final AtomicInteger inMemory = new AtomicInteger();

    /** Why it was last that nothing could be told; the outbound thread's. */
    private String problem = "";

    private Outbox(Membership membership) {
        this.membership = membership;
    }

    /** Opens this controller's outbox, shows what a former run left in it, and tells it. */
    static Outbox of(Membership membership) {
        Outbox outbox = new Outbox(membership);
        try {
            membership.cluster().keptAccepted().forEach(membership.view()::changed);
        } catch (HaException e) {
            LOGGER.severe(
                    () -> "What was accepted before this start is not shown: " + e.getMessage());
        }
        outbox.tell();
        return outbox;
    }

    /** Keeps it until the cluster has it. */
    void keep(NewItem item) {
        try {
            membership.cluster().keepAccepted(item);
        } catch (HaException e) {
            LOGGER.log(
                    Level.SEVERE,
                    "Queue item "
                            + item.id()
                            + " of "
                            + item.job()
                            + " is only in memory until Redis is back: "
                            + e.getMessage());
            onlyInMemory = e.getMessage();
            inMemory.incrementAndGet();
            tellFromMemory(item);
            return;
        }
        tell();
    }

    /**
     * A sentence for an admin while accepted builds would be lost by a restart; "" when none would.
     */
    String problem() {
        int count = inMemory.get();
        return count == 0
                ? ""
                : count
                        + " accepted builds are only in the memory of this controller until Redis"
                        + " is back, and lost if it is restarted: "
                        + onlyInMemory;
    }

    private void tell() {
        membership
                .outbound()
                .tellOnce("what was accepted while Redis was away", c -> told(() -> storeAll(c)));
    }

    private void tellFromMemory(NewItem item) {
        membership
                .outbound()
                .tell(
                        "queue item " + item.id() + " of " + item.job(),
                        c ->
                                told(
                                        () -> {
                                            storeFromMemory(c, item);
                                            inMemory.decrementAndGet();
                                        }));
    }

    /**
     * Where Redis answers and cannot take it, its memory is full, say: what makes room goes first.
     */
    private void told(Runnable telling) {
        try {
            telling.run();
            problem = "";
        } catch (HaException.Unavailable e) {
            if (!membership.link().joined()) {
                throw e;
            }
            if (!problem.equals(e.getMessage())) {
                problem = e.getMessage();
                LOGGER.warning(
                        () -> "What was accepted while Redis was away waits on: " + e.getMessage());
            }
            Timer.get().schedule(() -> later(telling), LATER_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void later(Runnable telling) {
        membership.outbound().tell("what was accepted while Redis was away", c -> told(telling));
    }

    private void storeAll(Cluster cluster) {
        Optional<Item> taken = cluster.storeAccepted();
        while (taken.isPresent()) {
            Item item = taken.get();
            long id = newId(cluster, item.id(), item.job());
            cluster.renameAccepted(item.id(), id, renamed(item.payload(), item.job(), id));
            taken = cluster.storeAccepted();
        }
    }

    private void storeFromMemory(Cluster cluster, NewItem item) {
        try {
            cluster.enqueue(item, -1);
        } catch (HaException.Conflict e) {
            long id = newId(cluster, item.id(), item.job());
            keep(
                    new NewItem(
                            id,
                            item.job(),
                            item.lane(),
                            item.priority(),
                            item.quietMillis(),
                            item.concurrent(),
                            item.pinned(),
                            renamed(item.payload(), item.job(), id)));
        } catch (HaException.Invalid e) {
            LOGGER.severe(
                    () ->
                            "Queue item "
                                    + item.id()
                                    + " of "
                                    + item.job()
                                    + " was accepted while Redis was away, but the cluster does"
                                    + " not take it: trigger it again. "
                                    + e.getMessage());
        }
    }

    /** Ids were made up while Redis was away, and this one is another item's. */
    private long newId(Cluster cluster, long taken, String job) {
        long id = cluster.nextQueueId();
        LOGGER.warning(
                () ->
                        "Queue item "
                                + taken
                                + " of "
                                + job
                                + ", accepted while Redis was away, becomes "
                                + id
                                + ": its id was given to another one meanwhile");
        membership.view().withdrawn(taken);
        return id;
    }

    private byte[] renamed(byte[] payload, String job, long id) {
        try {
            return RerunItem.renamed(payload, job, id, membership.identity());
        } catch (RerunItem.Impossible e) {
            LOGGER.log(Level.FINE, "It keeps the old id in its own words", e);
            return payload;
        }
    }
}
