package io.jenkins.plugins.ha.queue;

import hudson.Extension;
import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.queue.QueueListener;
import hudson.model.queue.WorkUnit;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jenkins.model.Jenkins;

/**
 * The cluster's items while they are in this controller's own lists: tells the cluster when one
 * leaves them without a build.
 */
@Extension
public final class ClaimedItems extends QueueListener {
    /** What the cluster itself has cancelled, while core's lists are rid of it. */
    private static final Set<Long> CANCELLED = ConcurrentHashMap.newKeySet();

    private static final Map<Long, Boolean> KEPT_OUT = Recent.map(1000);

    /** What left the queue here, as the listeners were told. */
    private static final Map<Long, Boolean> LEFT = Recent.map(1000);

    /** The item's id in the cluster, 0 when it is not the cluster's. */
    public static long idOf(Queue.Item item) {
        ClusterItemAction action = item == null ? null : item.getAction(ClusterItemAction.class);
        return action == null ? 0 : action.itemId();
    }

    /**
     * Puts an item that is not the cluster's, and that core took from its queue in vain, back into
     * this controller's own queue.
     */
    @SuppressWarnings("deprecation") // getActions, not getAllActions: transient ones are made anew
    public static void queueAgain(Queue.Item item) {
        HaQueue queue = (HaQueue) Queue.getInstance();
        queue.scheduleHere(item.task, 1, new ArrayList<>(item.getActions()));
    }

    /** Ids of the cluster's items whose builds are on an executor of this controller. */
    public static Set<Long> executing() {
        Set<Long> result = new HashSet<>();
        for (Computer computer : Jenkins.get().getComputers()) {
            for (Executor executor : computer.getAllExecutors()) {
                WorkUnit work = executor.getCurrentWorkUnit();
                if (work != null) {
                    result.add(idOf(work.context.item));
                    result.add(LocalBuilds.placeholderOf(work.context.item));
                }
                if (executor.getCurrentExecutable() instanceof Run<?, ?> run) {
                    ClusterItemAction action = run.getAction(ClusterItemAction.class);
                    result.add(action == null ? 0 : action.itemId());
                }
            }
        }
        return result;
    }

    /**
     * Takes it out of this controller's lists and gives it back to the cluster, where it keeps its
     * place.
     */
    static void handBack(Membership membership, long id, String why) {
        if (takeOut(id)) {
            membership
                    .outbound()
                    .tell("release of queue item " + id, cluster -> cluster.release(id, 0, why));
        }
    }

    /** As {@link #handBack}; this controller does not claim it again before the pause is over. */
    static void leaveToOthers(Membership membership, long id, long pauseMillis, String why) {
        if (takeOut(id)) {
            membership
                    .outbound()
                    .tell(
                            "release of queue item " + id,
                            cluster -> cluster.leaveToOthers(id, pauseMillis, why));
        }
    }

    /** Takes it out because it is no longer ours: the cluster has given it to somebody else. */
    static void drop(long id) {
        takeOut(id);
    }

    /** The cluster has cancelled what this controller holds: listeners hear so, once. */
    static void cancelled(SeenItem seen) {
        CANCELLED.add(seen.id());
        try {
            Queue.withLock(
                    () -> {
                        Queue.Item here = inLists(seen.id());
                        boolean told =
                                LEFT.containsKey(seen.id())
                                        || here != null && Queue.getInstance().cancel(here);
                        if (!told && !isHere(seen.id())) {
                            ListenersTold.cancelled(seen);
                        }
                    });
        } finally {
            CANCELLED.remove(seen.id());
        }
    }

    /** It is in core's lists here and no executor has been given it; else null. */
    static Queue.Item unstarted(long id) {
        Queue.Item here = inLists(id);
        return here instanceof Queue.BuildableItem buildable && buildable.isPending() ? null : here;
    }

    /** Whether this controller's lists or executors have it, or have had it to its end. */
    static boolean wasHere(long id) {
        return LEFT.containsKey(id) || isHere(id);
    }

    private static Queue.Item inLists(long id) {
        for (Queue.Item item : ((HaQueue) Queue.getInstance()).local()) {
            if (item.getId() == id) {
                return item;
            }
        }
        return null;
    }

    /** As {@link #drop}, unless it is here by a claim of this membership. */
    static void dropOlder(long id, long epoch) {
        for (Queue.Item item : ((HaQueue) Queue.getInstance()).local()) {
            ClusterItemAction action = item.getAction(ClusterItemAction.class);
            if (item.getId() == id && action != null && action.epoch() != epoch) {
                takeOut(id);
            }
        }
    }

    /**
     * Cancels it in this controller's lists, or keeps it from coming into them.
     *
     * @return false when an executor has it already
     */
    static boolean keepOut(long id) {
        boolean[] out = {true};
        Queue.withLock(
                () -> { // as whoever puts it into the lists does
                    KEPT_OUT.put(id, true);
                    HaQueue queue = (HaQueue) Queue.getInstance();
                    for (Queue.Item item : queue.local()) {
                        if (item.getId() == id) {
                            out[0] = queue.cancel(item);
                        }
                    }
                });
        return out[0];
    }

    /** Whether this controller's lists or executors have it. */
    static boolean isHere(long id) {
        return inLists(id) != null || executing().contains(id);
    }

    /** It was not to be cancelled after all. */
    static void letIn(long id) {
        KEPT_OUT.remove(id);
    }

    /** Whether it was cancelled before it came into this controller's lists. */
    static boolean isKeptOut(long id) {
        return KEPT_OUT.containsKey(id);
    }

    /** Without a word to the listeners: it has not left the cluster's queue. */
    private static boolean takeOut(long id) {
        boolean[] out = {true};
        Queue.withLock(
                () -> {
                    Queue.Item here = inLists(id);
                    out[0] = here == null || CoreLists.leave(Queue.getInstance(), here);
                });
        return out[0];
    }

    @Override
    public void onLeft(Queue.LeftItem left) {
        ClusterItemAction action = left.getAction(ClusterItemAction.class);
        if (action == null || action.itemId() == 0 || action.epoch() == 0) {
            return; // not the cluster's, or nobody had claimed it
        }
        long id = action.itemId();
        LEFT.put(id, true);
        if (!left.isCancelled() || CANCELLED.contains(id)) {
            return;
        }
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return;
        }
        membership.view().cancelledHere(id); // the next page of this controller shows it so
        membership
                .outbound()
                .tell(
                        "cancelling of queue item " + id,
                        cluster -> cluster.cancelled(id, "cancelled"));
    }
}
