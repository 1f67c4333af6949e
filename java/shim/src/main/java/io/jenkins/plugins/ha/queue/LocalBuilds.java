package io.jenkins.plugins.ha.queue;

import hudson.Extension;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.queue.QueueListener;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.CancelOutcome;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Builds that stay on this controller (of a {@code build} step, with a file parameter), of jobs
 * that forbid concurrent builds: such a build begins only when it is its turn in the job. A
 * placeholder in the cluster's queue, which only this controller can claim, takes the turn for it:
 * it waits behind the job's other items and holds the job's slot from its claim until the build has
 * ended. Nothing here waits for the network. Thread-safe.
 */
@Extension
public final class LocalBuilds extends QueueListener {
    /** By the id that core's queue has for the item. */
    private static final Map<Long, Turn> TURNS = new ConcurrentHashMap<>();

    private static final byte[] NOTHING = new byte[0];

    /** The turn of one build. */
    private static final class Turn {
        /** Id of the placeholder; 0 until it is put into the cluster's queue. */
        volatile long placeholder;

        /** The membership under which it was put there; 0 before. */
        volatile long askedIn;

        /** The membership under which the placeholder was claimed; 0 before. */
        volatile long cameIn;

        /** When it was claimed. */
        volatile long cameAt;

        volatile boolean givenUp;
    }

    /** Whether the item of the cluster is such a placeholder. */
    public static boolean isPlaceholder(Item item) {
        return item.lane().equals(Lane.LOCAL);
    }

    /** Whether this item of core's own queue needs a turn in the cluster. */
    public static boolean takesTurns(Queue.Item item) {
        return item != null
                && Travels.whole(item.task)
                && !item.task.isConcurrentBuild()
                && ClaimedItems.idOf(item) == 0;
    }

    /** Whether nothing but this controller has to be asked, or its turn has come. */
    static boolean mayBegin(Membership membership, Queue.Item item) {
        return !takesTurns(item)
                || ask(membership, item).cameIn == membership.cluster().link().epoch();
    }

    /** The placeholder whose turn the item has; 0 when it has none. */
    public static long placeholderOf(Queue.Item item) {
        Turn turn = item == null ? null : TURNS.get(item.getId());
        return turn == null || turn.cameIn == 0 ? 0 : turn.placeholder;
    }

    /**
     * The build of this item has begun: from here on it knows itself whose turn it has.
     *
     * @param item null when it came from no queue
     */
    public static ClusterItemAction begun(Queue.Item item, ControllerIdentity identity) {
        Turn turn = item == null ? null : TURNS.remove(item.getId());
        return turn == null || turn.cameIn == 0
                ? ClusterItemAction.local(identity)
                : ClusterItemAction.kept(turn.placeholder, turn.cameIn, identity);
    }

    /** It is not to begin now: others of its job may. It asks anew when it may begin again. */
    public static void giveBack(Membership membership, Queue.Item item, String why) {
        Turn turn = TURNS.remove(item.getId());
        if (turn != null) {
            turn.givenUp = true;
            membership
                    .outbound()
                    .tell(
                            "turn of " + item.task.getName(),
                            cluster -> withdraw(cluster, turn, why));
        }
    }

    /** As {@link #giveBack}, all that have not begun, except what {@code keep} are. */
    static void giveBackAll(Membership membership, boolean keepAwaited, String why) {
        for (Queue.Item item : ((HaQueue) Queue.getInstance()).local()) {
            if (TURNS.containsKey(item.getId()) && !(keepAwaited && Travels.awaited(item))) {
                giveBack(membership, item, why);
            }
        }
    }

    /** This controller has claimed a placeholder. */
    static void come(Membership membership, Item placeholder) {
        for (Turn turn : TURNS.values()) {
            if (turn.placeholder == placeholder.id() && !turn.givenUp) {
                turn.cameAt = System.nanoTime();
                turn.cameIn = placeholder.epoch();
                Queue.getInstance().scheduleMaintenance();
                return;
            }
        }
        membership
                .outbound()
                .tell(
                        "end of placeholder " + placeholder.id(),
                        cluster -> cluster.cancelled(placeholder.id(), "its build left the queue"));
    }

    /** A placeholder has ended: a build that waits for it all the same asks anew. */
    static void ended(long placeholder) {
        boolean waits =
                TURNS.values()
                        .removeIf(turn -> turn.placeholder == placeholder && turn.cameIn == 0);
        if (waits) {
            Queue.getInstance().scheduleMaintenance();
        }
    }

    /** Placeholders of an earlier membership have ended with it. */
    static void linkChanged(long epoch) {
        TURNS.values().removeIf(turn -> turn.askedIn != 0 && turn.askedIn != epoch);
    }

    /** Whether a build that has not begun waits with this placeholder. */
    static boolean isKnown(long placeholder) {
        return TURNS.values().stream().anyMatch(turn -> turn.placeholder == placeholder);
    }

    /** Gives back the turns of what has not begun with them for so long. */
    static void check(Membership membership, long holdMillis) {
        long now = System.nanoTime();
        Set<Long> here = new HashSet<>();
        for (Queue.Item item : ((HaQueue) Queue.getInstance()).local()) {
            here.add(item.getId());
            Turn turn = TURNS.get(item.getId());
            if (turn != null
                    && turn.cameIn != 0
                    && TimeUnit.NANOSECONDS.toMillis(now - turn.cameAt) > holdMillis) {
                giveBack(membership, item, "its build could not begin: " + item.getWhy());
            }
        }
        TURNS.forEach(
                (id, turn) -> { // core forgot the item without a word, when it loaded its queue
                    boolean old =
                            turn.cameIn != 0
                                    && TimeUnit.NANOSECONDS.toMillis(now - turn.cameAt)
                                            > 2 * holdMillis;
                    if (old && !here.contains(id) && TURNS.remove(id, turn)) {
                        membership
                                .outbound()
                                .tell(
                                        "turn of a build that is gone",
                                        cluster -> withdraw(cluster, turn, "its build is gone"));
                    }
                });
    }

    private static Turn ask(Membership membership, Queue.Item item) {
        Turn turn = new Turn();
        // in the map before the cluster hears of it: its placeholder may be claimed at once
        Turn before = TURNS.putIfAbsent(item.getId(), turn);
        if (before != null) {
            return before;
        }
        String job = ((Job<?, ?>) item.task).getFullName();
        String pinned = membership.identity().id();
        membership
                .outbound()
                .tell("turn of a build of " + job, cluster -> enqueue(cluster, turn, job, pinned));
        return turn;
    }

    /** Repeated until it is taken: the same id is stored once. */
    private static void enqueue(Cluster cluster, Turn turn, String job, String pinned) {
        if (turn.givenUp) {
            return;
        }
        if (turn.placeholder == 0) {
            turn.placeholder = cluster.nextQueueId();
        }
        turn.askedIn = cluster.link().epoch();
        cluster.enqueue(
                new NewItem(
                        turn.placeholder,
                        job,
                        Lane.LOCAL,
                        NewItem.DEFAULT_PRIORITY,
                        0,
                        false,
                        pinned,
                        NOTHING),
                -1,
                "It stands for a build that stays on its controller");
    }

    private static void withdraw(Cluster cluster, Turn turn, String why) {
        if (turn.placeholder == 0) {
            return;
        }
        try {
            if (cluster.cancel(turn.placeholder, why) == CancelOutcome.HELD) {
                cluster.cancelled(turn.placeholder, why);
            }
        } catch (HaException.Fenced | HaException.NotFound e) {
            return; // it has ended with the membership it belonged to
        }
    }

    private static void entered(Queue.Item item) {
        Membership membership = Membership.active().orElse(null);
        if (membership != null
                && takesTurns(item)
                && membership.link().joined()
                && StartGate.isOpen(membership, item)) {
            ask(membership, item);
        }
    }

    /** It waits behind the job's others from here on, not from when it could begin. */
    @Override
    public void onEnterBlocked(Queue.BlockedItem item) {
        entered(item);
    }

    @Override
    public void onLeft(Queue.LeftItem left) {
        if (left.isCancelled()) {
            Membership.active().ifPresent(m -> giveBack(m, left, "its build was cancelled"));
        }
    }
}
