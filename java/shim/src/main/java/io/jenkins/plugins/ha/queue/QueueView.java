package io.jenkins.plugins.ha.queue;

import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.FutureImpl;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.builds.ForeignBuilds;
import io.jenkins.plugins.ha.life.Pool;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The cluster's queue as this controller knows it, in memory: fed by the events, so that no page
 * and nobody who holds the queue's lock waits for the network. Thread-safe.
 */
public final class QueueView {
    private static final Logger LOGGER = Logger.getLogger(QueueView.class.getName());

    /**
     * Core forgets what left its queue after five minutes; ids can be asked for longer, of the
     * cluster.
     */
    private static final long KEEP_LEFT_NANOS = TimeUnit.MINUTES.toNanos(5);

    private static final long RETRY_MILLIS = 200;
    private static final int RETRIES = 300;

    /** Of so many jobs it is remembered how far the cluster was heard; of others it is asked. */
    private static final int JOBS = 20_000;

    /** What waits for a build reads it, from a folder that may stall. */
    private static final Pool FUTURES = new Pool("ha-jenkins-futures", 2, 100_000);

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final ForeignBuilds builds;
    private final Map<Long, SeenItem> items = new ConcurrentHashMap<>();
    private final WaitingIndex index;
    private final Unpacking unpacking = new Unpacking();
    private final Set<Long> unreadableTold = Recent.set(1000);
    private final Map<String, Long> revisions = Recent.map(JOBS);
    private final ConcurrentLinkedDeque<SeenItem> left = new ConcurrentLinkedDeque<>();

    public QueueView(Cluster cluster, ControllerIdentity identity, ForeignBuilds builds) {
        this.cluster = cluster;
        this.identity = identity;
        this.builds = builds;
        this.index = new WaitingIndex(items, identity.id());
    }

    /** The item with this id, as Jenkins shows it; null when unknown here. From memory. */
    Queue.Item shown(long id) {
        SeenItem seen = items.get(id);
        return seen == null ? null : seen.shown();
    }

    /**
     * As {@link #shown}, but asks the cluster for one that ended before this controller came. One
     * bounded round trip.
     */
    Queue.Item shownOrAsked(long id) {
        Queue.Item known = shown(id);
        if (known != null || id <= 0) {
            return known;
        }
        try {
            Optional<Item> asked = cluster.item(id);
            return asked.map(item -> new SeenItem(item, null).shown()).orElse(null);
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "Item {0} is not known here and the cluster cannot be asked: {1}",
                    new Object[] {id, e.getMessage()});
            return null;
        }
    }

    /** What waits in the cluster, oldest first; without what has started. */
    List<SeenItem> waiting() {
        return index.all();
    }

    /** What of this job waits, oldest first. */
    List<SeenItem> waitingOf(String job) {
        return index.of(job);
    }

    /** From when on it waits in the cluster, or in core's queue, ms since 1970. From memory. */
    public long waitingSince(Queue.Item item) {
        SeenItem seen = items.get(ClaimedItems.idOf(item));
        return seen == null ? item.getInQueueSince() : seen.item().enqueuedMillis();
    }

    /**
     * From when on the oldest item waits that nobody holds and that this node's label allows, ms
     * since 1970; the largest number when there is none. From memory.
     */
    public long claimableSince(Node node) {
        for (Unclaimed item : unclaimed()) {
            if (item.fits(node)) {
                return item.since();
            }
        }
        return Long.MAX_VALUE;
    }

    /** Of each lane the oldest item that could be claimed, oldest first. From memory. */
    public List<Unclaimed> unclaimed() {
        List<Unclaimed> oldest = new ArrayList<>();
        Set<String> lanes = new HashSet<>();
        long now = System.currentTimeMillis();
        for (SeenItem seen : index.all()) {
            Item item = seen.item();
            if (item.state() == ItemState.QUEUED
                    && !item.blocked()
                    && item.dueMillis() <= now
                    && lanes.add(item.lane())) {
                Lane lane = Lane.parse(item.lane());
                if (!lane.oneOff()) {
                    oldest.add(new Unclaimed(item, lane.onThisController()));
                }
            }
        }
        return oldest;
    }

    /** How many items no controller holds. */
    public int waitingUnclaimed() {
        int result = 0;
        for (SeenItem seen : items.values()) {
            Item item = seen.item();
            if (!item.state().ended()
                    && item.owner().isEmpty()
                    && !LocalBuilds.isPlaceholder(item)) {
                result++;
            }
        }
        return result;
    }

    boolean nothingWaits() {
        return index.isEmpty();
    }

    /** What of this job has not begun and can be read, oldest first, claimed or not. */
    List<SeenItem> unbegunOf(String job) {
        List<SeenItem> result = index.of(job);
        result.removeIf(seen -> !unbegun(seen.item()));
        return result;
    }

    private static boolean unbegun(Item item) {
        return item.state() == ItemState.QUEUED || item.state() == ItemState.CLAIMED;
    }

    /** The item with this id; null when unknown here. */
    SeenItem seen(long id) {
        return items.get(id);
    }

    /**
     * The lanes with unclaimed items that this controller could claim now or soon.
     *
     * @param here whether it has the job of this name
     */
    Set<String> lanes(Predicate<String> here) {
        return index.lanes(here);
    }

    /** What has not ended, but for what controllers keep for themselves. */
    public List<Item> living() {
        List<Item> result = new ArrayList<>();
        for (SeenItem seen : items.values()) {
            Item item = seen.item();
            if (!item.state().ended() && !LocalBuilds.isPlaceholder(item)) {
                result.add(item);
            }
        }
        return result;
    }

    /** Items that the cluster says some controller holds, unstarted or running. */
    public List<Item> held() {
        List<Item> result = new ArrayList<>();
        for (SeenItem seen : items.values()) {
            Item item = seen.item();
            if (!item.state().ended() && !item.owner().isEmpty()) {
                result.add(item);
            }
        }
        return result;
    }

    /** Those that this controller holds. */
    List<Item> ours() {
        List<Item> result = held();
        result.removeIf(item -> !item.owner().equals(identity.id()));
        return result;
    }

    /** The job's newest revision that {@link #unbegunOf} shows. */
    long revision(String job) {
        return revisions.getOrDefault(job, 0L);
    }

    /** An item that this controller is about to store; its future is in the caller's hands. */
    void accepted(Item item, Queue.WaitingItem original) {
        items.put(item.id(), new SeenItem(item, original));
        index.update(item.id());
    }

    /**
     * The cluster has it now; other items of the job are compared with it from here on.
     *
     * @param compared whether the cluster stored it on condition that what {@link #unbegunOf} shows
     *     is all that there is
     */
    void stored(long id, String job, long revision, boolean compared) {
        SeenItem seen = items.get(id);
        if (seen != null) {
            seen.stored(revision);
        }
        if (compared) {
            revisions.merge(job, revision, Math::max);
        }
    }

    /** A claimed item left this controller's lists unbuilt; the cluster is about to hear of it. */
    void cancelledHere(long id) {
        SeenItem seen = items.get(id);
        if (seen != null) {
            seen.cancel();
            index.update(id);
        }
    }

    /** Whether the cluster, or this controller, has cancelled it. */
    boolean isCancelled(long id) {
        SeenItem seen = items.get(id);
        return seen != null && seen.item().state() == ItemState.CANCELLED;
    }

    /** Listeners hear, once, of an item that this controller has accepted. */
    void entered(long id) {
        SeenItem seen = items.get(id);
        if (seen != null && seen.acceptedHere()) {
            ListenersTold.entered(seen);
        }
    }

    /**
     * As {@link #entered}, of an item that this controller put into the place of another; 0: none.
     */
    public void enteredAnew(long id) {
        if (id != 0) {
            refresh(id);
            SeenItem seen = items.get(id);
            if (seen != null && seen.item().origin().equals(identity.id())) {
                ListenersTold.entered(seen);
            }
        }
    }

    /** It could not be stored after all. */
    void withdrawn(long id) {
        forget(id);
    }

    /** What the cluster said was newer when it refused to store another item of the job. */
    void learned(String job, long revision, List<Item> newer) {
        newer.forEach(this::changed);
        revisions.merge(job, revision, Math::max);
    }

    /** An item changed. Older news than what is known is skipped. */
    public void changed(Item item) {
        if (unbegun(item)) {
            // What was claimed here may have come before news of older items.
            revisions.merge(item.job(), item.jobRevision(), Math::max);
        }
        SeenItem seen = items.get(item.id());
        if (seen == null) {
            if (item.state().ended()) {
                builds.followed(item);
                return;
            }
            if (item.payload() == null) {
                refresh(item.id());
                return;
            }
            seen = new SeenItem(item, null);
            items.put(item.id(), seen);
            if (!LocalBuilds.isPlaceholder(item)) {
                unpacking.later(seen);
            }
        } else if (!seen.update(item)) {
            return;
        }
        index.update(item.id());
        tellUnreadable(item);
        ListenersTold.changed(seen, identity.id());
        builds.followed(item);
        settle(seen, 0);
        forgetOld();
    }

    /**
     * Everything that lives, after joining or a gap. What is no longer among it has ended
     * meanwhile.
     */
    public void replaceAll(List<Item> live) {
        Set<Long> there = new HashSet<>();
        for (Item item : live) {
            there.add(item.id());
            changed(item);
        }
        for (SeenItem seen : new ArrayList<>(items.values())) {
            if (!there.contains(seen.id())
                    && !seen.item().state().ended()
                    && seen.item().version() > 0) {
                refresh(seen.id());
            }
        }
    }

    /** One line on each controller, whoever found it. */
    private void tellUnreadable(Item item) {
        if (item.state() != ItemState.UNREADABLE) {
            unreadableTold.remove(item.id());
        } else if (unreadableTold.add(item.id())) {
            LOGGER.warning(
                    () ->
                            "Queue item "
                                    + item.id()
                                    + " of "
                                    + item.job()
                                    + " cannot be read and is set aside, its bytes kept,"
                                    + " until you cancel it: "
                                    + item.why());
        }
    }

    Collection<SeenItem> all() {
        return items.values();
    }

    /** Asks the cluster for an item that is not as it seems. One bounded round trip. */
    void refresh(long id) {
        try {
            Optional<Item> now = cluster.item(id);
            if (now.isPresent()) {
                Item item = now.get();
                SeenItem seen = items.get(id);
                if (seen == null) {
                    if (!item.state().ended()) {
                        items.putIfAbsent(id, new SeenItem(item, null));
                        index.update(id);
                        tellUnreadable(item);
                    }
                    builds.followed(item);
                } else if (seen.update(item)) {
                    index.update(id);
                    tellUnreadable(item);
                    ListenersTold.changed(seen, identity.id());
                    builds.followed(item);
                    settle(seen, 0);
                }
            } else {
                forget(id);
            }
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "Item {0} cannot be asked for now: {1}",
                    new Object[] {id, e.getMessage()});
        }
    }

    /**
     * Completes the item's future as far as it has come; a build may be announced a moment before
     * its file can be read.
     */
    private void settle(SeenItem seen, int attempt) {
        ItemState state = seen.item().state();
        boolean built = state == ItemState.RUNNING || state == ItemState.DONE;
        if (!built || !FUTURES.execute(() -> settleNow(seen, attempt))) {
            settleNow(seen, attempt);
        }
    }

    private void settleNow(SeenItem seen, int attempt) {
        boolean settled;
        try {
            settled = seen.settleFuture(attempt >= RETRIES);
        } catch (RuntimeException | LinkageError e) {
            LOGGER.log(
                    Level.WARNING, "Could not complete the future of queue item " + seen.id(), e);
            settled = true;
        }
        if (!settled) {
            FUTURES.after(RETRY_MILLIS, () -> settleNow(seen, attempt + 1));
        } else if (seen.item().state().ended() && seen.leftOnce()) {
            left.addLast(seen);
            if (seen.runsAgain()) {
                handOn(seen.handOn(), seen.item().again(), 0);
            }
        }
    }

    /** Who waits for a build that died with its controller gets the result of its re-run. */
    private void handOn(List<FutureImpl> futures, long again, int attempt) {
        if (futures.isEmpty()) {
            return;
        }
        try {
            if (!items.containsKey(again)) {
                refresh(again);
            }
            SeenItem next = items.get(again);
            if (next == null) { // it has ended already
                Item ended = cluster.item(again).orElse(null);
                if (ended == null) {
                    futures.forEach(FutureImpl::setAsCancelled);
                    return;
                }
                next = new SeenItem(ended, null);
            }
            next.waitFor(futures);
            settle(next, 0);
        } catch (HaException e) {
            if (attempt < RETRIES) {
                FUTURES.after(RETRY_MILLIS, () -> handOn(futures, again, attempt + 1));
            }
        }
    }

    /**
     * The item in which a build that runs again, perhaps several times, is run for the last time.
     */
    Optional<Item> lastOf(long id) {
        Optional<Item> item = cluster.item(id);
        while (item.isPresent() && item.get().again() > 0) {
            item = cluster.item(item.get().again());
        }
        return item;
    }

    private void forgetOld() {
        long now = System.nanoTime();
        for (SeenItem oldest = left.peekFirst();
                oldest != null && now - oldest.leftAt() > KEEP_LEFT_NANOS;
                oldest = left.peekFirst()) {
            if (left.remove(oldest)) {
                forget(oldest.id());
            }
        }
    }

    private void forget(long id) {
        items.remove(id);
        index.update(id);
    }
}
