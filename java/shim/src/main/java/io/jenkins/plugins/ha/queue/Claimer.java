package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LaneOffer;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Takes builds from the cluster while this controller has room, and puts them into its own queue,
 * which decides on labels, blocking, throttling and agents as ever. What cannot start here within a
 * while goes back. One thread.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Claimer {
    private static final Logger LOGGER = Logger.getLogger(Claimer.class.getName());
    private static final long WAIT_MILLIS = 30_000;

    /**
     * How long a claimed item may be held up here (blocked by another plugin, say) before another
     * controller may try.
     */
    private static final long HOLD_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.holdMillis", 15_000);

    /** Twice as long with each claim, this at the most. */
    private static final long LONGEST_HOLD_MILLIS = Math.max(HOLD_MILLIS, 60_000);

    /** How long agents that a cloud has promised, or that connect just now, are waited for. */
    private static final long AGENT_MILLIS = 600_000;

    /**
     * How long what cannot be run here is left to the others before it may come again: twice as
     * long each time.
     */
    private static final long FIRST_DELAY_MILLIS = 500;

    private static final long LONGEST_DELAY_MILLIS = 4000;

    /** How long nothing is claimed after a claim of what cannot be run here. */
    private static final long FIRST_PAUSE_MILLIS = 125;

    private static final long LONGEST_PAUSE_MILLIS = 1000;

    /**
     * How often controllers that did not accept an item may fail to read it before it is set aside.
     */
    private static final int READ_ATTEMPTS = 6;

    private static final long CHECK_MILLIS = Math.min(5000, HOLD_MILLIS);

    private static final long LONGEST_LEFT_MILLIS = 60_000;

    /** Core tells nobody that it was quieted down, so it is looked at this often. */
    private static final long LOOK_MILLIS = 250;

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final QueueView view;
    private final Outbound outbound;
    private Loop loop;
    private final Map<Long, Claimed> claimedAt = new ConcurrentHashMap<>();
    private final BarrenLanes barren = new BarrenLanes();
    private final Map<String, Long> missingTold = Recent.map(1000);
    private final Object offering = new Object();
    private volatile boolean stopping;
    private volatile boolean draining;

    /** What {@link #look} saw last; its timer only. */
    private boolean stoodDown;

    /** Claims in a row that brought builds of jobs that are not here; the claimer's thread only. */
    private int misses;

    /** What the present claim offers; null when none is made, or one is being prepared. */
    private List<LaneOffer> offered;

    /** Something changed while a claim was being prepared. */
    private boolean changed;

    public Claimer(
            Cluster cluster, ControllerIdentity identity, QueueView view, Outbound outbound) {
        this.cluster = cluster;
        this.identity = identity;
        this.view = view;
        this.outbound = outbound;
    }

    /** From now on builds are taken. */
    public void start(Watchdog watchdog) {
        loop = watchdog.loop("ha-jenkins-claimer", this::claim);
        loop.start();
        watchdog.every("ha-jenkins-claim-check", CHECK_MILLIS, this::check);
        watchdog.every("ha-jenkins-stand-down", LOOK_MILLIS, this::look);
    }

    /**
     * Drains this controller, or lets it take builds again. Drained, it takes no more builds and
     * hands back what has not started; what runs goes on, and everything else is as ever. Not kept
     * over a restart.
     */
    public void drain(boolean drained) {
        draining = drained;
        LOGGER.info(
                () ->
                        identity.name()
                                + (drained ? " is drained" : " takes builds again, undrained"));
        poke();
    }

    /** Whether it was drained by an admin. */
    public boolean isDraining() {
        return draining;
    }

    /** No more builds are taken, and what has not started goes back. */
    public void stop() {
        stopping = true;
        try {
            cluster.wake();
            if (loop != null) {
                loop.finish(2000);
            }
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Already closed", e);
        }
        handBackUnstarted(false, identity.name() + " stops");
    }

    /**
     * @param keepAwaited whether builds that stay here, and for which something that runs here
     *     waits, go on
     */
    private static void handBackUnstarted(boolean keepAwaited, String why) {
        Membership.active()
                .ifPresent(
                        membership -> {
                            for (Queue.Item item : ((HaQueue) Queue.getInstance()).local()) {
                                long id = ClaimedItems.idOf(item);
                                if (id != 0) {
                                    ClaimedItems.handBack(membership, id, why);
                                }
                            }
                            LocalBuilds.giveBackAll(membership, keepAwaited, why);
                        });
    }

    /** Takes nothing for now: drained, quieted down, or about to stop. */
    private boolean standsDown() {
        Jenkins jenkins = Jenkins.get();
        return draining || jenkins.isQuietingDown() || jenkins.isTerminating();
    }

    /** Hands back what has not started, for as long as this controller stands down. */
    private void look() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            boolean down = !stopping && standsDown();
            if (down != stoodDown) {
                stoodDown = down;
                poke();
            }
            if (down) { // each time: a claim may have been on its way
                Jenkins jenkins = Jenkins.get();
                handBackUnstarted(
                        !jenkins.isQuietingDown() && !jenkins.isTerminating(),
                        identity.name() + (draining ? " is drained" : " is quieting down"));
            }
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not hand back what has not started; trying on", e);
        }
    }

    private List<LaneOffer> room() {
        Set<String> lanes = lanes();
        if (standsDown()) {
            lanes.retainAll(Set.of(Lane.LOCAL)); // the turn of a build that is waited for here
        }
        return Room.offers((HaQueue) Queue.getInstance(), lanes, barren::contains);
    }

    /** Something changed that may let more be taken, or less. Cheap; called often. */
    public void poke() {
        List<LaneOffer> waitingWith;
        synchronized (offering) {
            waitingWith = offered;
            changed = waitingWith == null;
        }
        if (waitingWith == null || stopping) {
            return;
        }
        List<LaneOffer> now = room();
        if (!now.equals(waitingWith)) {
            try {
                cluster.wake();
            } catch (HaException e) {
                LOGGER.log(Level.FINE, "Not woken: {0}", e.getMessage());
            }
        }
    }

    /** News of an item: one that was cancelled does not stay in core's lists here. */
    public void changed(Item item) {
        if (item.state().ended() && LocalBuilds.isPlaceholder(item)) {
            LocalBuilds.ended(item.id());
        }
        if (item.state() == ItemState.CANCELLED && item.owner().equals(identity.id())) {
            SeenItem seen = view.seen(item.id());
            if (seen != null) {
                ClaimedItems.cancelled(seen);
            }
        }
    }

    private record Claimed(int attempt, long nanos) {}

    /** The membership changed: what was claimed under an earlier one is no longer ours. */
    public void linkChanged(LinkState link) {
        if (link.joined()) {
            LocalBuilds.linkChanged(link.epoch());
            for (Queue.Item item : ((HaQueue) Queue.getInstance()).local()) {
                ClusterItemAction action = item.getAction(ClusterItemAction.class);
                if (action != null && action.itemId() > 0 && action.epoch() != link.epoch()) {
                    ClaimedItems.drop(action.itemId());
                }
            }
        }
        Queue.getInstance().scheduleMaintenance();
        poke();
    }

    private boolean claim() {
        try {
            round();
        } catch (HaException.Closed e) {
            throw e;
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Nothing claimed: {0}", e.getMessage());
            cluster.awaitJoined(1000);
        } finally {
            offered(null);
        }
        return !stopping;
    }

    private void round() {
        if (!cluster.awaitJoined(1000)) {
            return;
        }
        List<LaneOffer> offers = offers();
        int most = offers.stream().mapToInt(LaneOffer::room).max().orElse(1);
        List<Item> claimed;
        try {
            cluster.prefer(SorterOrder.first((HaQueue) Queue.getInstance(), view, offers));
            claimed = cluster.claim(offers, most, WAIT_MILLIS);
        } finally {
            offered(null);
        }
        boolean missed = false;
        for (Item item : claimed) {
            missed |= !take(item);
        }
        if (missed) {
            misses++;
            pause(Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(misses, 10)));
        } else if (!claimed.isEmpty()) {
            misses = 0;
        }
    }

    /** Those with something in them that could be built here. */
    private Set<String> lanes() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            return view.lanes(
                    job -> {
                        boolean here = Jenkins.get().getItemByFullName(job, Job.class) != null;
                        if (!here) {
                            tellMissing(job);
                        }
                        return here;
                    });
        }
    }

    /** What can be taken now; from here on {@link #poke} compares with it. */
    private List<LaneOffer> offers() {
        while (true) {
            synchronized (offering) {
                changed = false;
            }
            List<LaneOffer> offers = room();
            synchronized (offering) {
                if (!changed) {
                    offered = offers;
                    return offers;
                }
            }
        }
    }

    private void offered(List<LaneOffer> offers) {
        synchronized (offering) {
            offered = offers;
        }
    }

    /** False when this controller does not have the job. */
    private boolean take(Item item) {
        try {
            view.changed(item);
            if (LocalBuilds.isPlaceholder(item)) {
                Membership.active().ifPresent(membership -> LocalBuilds.come(membership, item));
                return true;
            }
            Queue.WaitingItem stored = Payload.decode(item.payload(), item.job());
            List<Action> actions = Folding.actionsOf(stored);
            stored.getActions().clear();
            // first: it must be loaded before other actions look at the build
            stored.addAction(ClusterItemAction.claimed(item.id(), item.epoch(), identity));
            actions.forEach(stored::addAction);
            stored.timestamp = new GregorianCalendar();
            claimedAt.put(item.id(), new Claimed(item.attempts(), System.nanoTime()));
            ClaimedItems.dropOlder(item.id(), item.epoch());
            Queue.withLock(
                    () -> {
                        if (ClaimedItems.isKeptOut(item.id())
                                || ClaimedItems.isHere(item.id())
                                || view.isCancelled(item.id())) {
                            return; // cancelled on its way here, or here already
                        }
                        view.entered(item.id());
                        Folding.came(stored);
                        CoreLists.enter(Queue.getInstance(), stored);
                    });
        } catch (Payload.JobMissing e) {
            tellMissing(item.job());
            leaveToOthers(item, e.getMessage() + " (" + identity.name() + ")");
            return false;
        } catch (Payload.Newer e) {
            leaveToOthers(item, e.getMessage() + ", which is not on " + identity.name());
        } catch (Payload.Unreadable e) {
            unreadable(item, e.getMessage());
        } catch (RuntimeException | Error e) { // those claimed with it must not suffer
            LOGGER.log(
                    Level.SEVERE,
                    "Queue item "
                            + item.id()
                            + " of "
                            + item.job()
                            + " could not be taken and goes back",
                    e);
            leaveToOthers(item, String.valueOf(e.getMessage()));
        }
        return true;
    }

    private void leaveToOthers(Item item, String why) {
        long delay =
                Math.min(
                        LONGEST_DELAY_MILLIS,
                        FIRST_DELAY_MILLIS << Math.min(item.attempts() - 1, 10));
        outbound.tell(
                "release of queue item " + item.id(), c -> c.leaveToOthers(item.id(), delay, why));
    }

    /**
     * A plugin that it needs may be missing on this controller only; whoever accepted it could read
     * it then.
     */
    private void unreadable(Item item, String why) {
        if (!item.origin().equals(identity.id()) && item.attempts() < READ_ATTEMPTS) {
            if (item.attempts() == 1) {
                LOGGER.warning(
                        () ->
                                "Queue item "
                                        + item.id()
                                        + " of "
                                        + item.job()
                                        + " cannot be read here and is left to the others: "
                                        + why);
            }
            leaveToOthers(item, "It cannot be read on " + identity.name() + ": " + why);
            return;
        }
        outbound.tell("setting aside of queue item " + item.id(), c -> c.park(item.id(), why));
    }

    private void tellMissing(String job) {
        long now = System.nanoTime();
        Long told = missingTold.get(job);
        if (told == null || now - told > TimeUnit.MINUTES.toNanos(1)) {
            missingTold.put(job, now);
            LOGGER.warning(
                    () ->
                            "The job '"
                                    + job
                                    + "' does not exist on this controller: its builds are left to"
                                    + " the others. If the jobs folder is shared, Manage Jenkins >"
                                    + " Reload Configuration from Disk brings it here.");
        }
    }

    /** Gives back what is held up, and what core lost on the way to an executor. */
    private void check() {
        if (stopping || !cluster.link().joined()) {
            return;
        }
        try {
            Membership membership = Membership.active().orElseThrow();
            long now = System.nanoTime();
            HaQueue queue = (HaQueue) Queue.getInstance();
            Map<Long, Queue.Item> here = new HashMap<>();
            for (Queue.Item item : queue.local()) {
                here.put(ClaimedItems.idOf(item), item);
            }
            Set<Long> executing = ClaimedItems.executing();
            LocalBuilds.check(membership, HOLD_MILLIS);
            for (Item item : view.ours()) {
                // news of a claim may come before the claim's own answer has been dealt with
                Claimed claimed =
                        claimedAt.compute(
                                item.id(),
                                (id, known) ->
                                        known != null && known.attempt == item.attempts()
                                                ? known
                                                : new Claimed(item.attempts(), now));
                long heldMillis = TimeUnit.NANOSECONDS.toMillis(now - claimed.nanos);
                Queue.Item held = here.get(item.id());
                long hold =
                        held == null
                                ? HOLD_MILLIS
                                : doubled(HOLD_MILLIS, item.attempts(), LONGEST_HOLD_MILLIS);
                if (heldMillis <= hold
                        || executing.contains(item.id())
                        || LocalBuilds.isKnown(item.id())
                        || item.epoch() != cluster.link().epoch()) {
                    continue;
                }
                if (item.state() == ItemState.CLAIMED && held != null) {
                    boolean others = cluster.members().size() > 1;
                    if (held.isBlocked() || others && nobodyTakes(held, heldMillis)) {
                        long pause =
                                others
                                        ? doubled(
                                                CHECK_MILLIS, item.attempts(), LONGEST_LEFT_MILLIS)
                                        : CHECK_MILLIS;
                        ClaimedItems.leaveToOthers(membership, item.id(), pause, held.getWhy());
                    }
                } else if (item.state() == ItemState.CLAIMED && held == null) {
                    outbound.tell(
                            "release of queue item " + item.id(),
                            c -> c.release(item.id(), 0, "it did not start"));
                } else if (item.state() == ItemState.STARTING && held == null) {
                    outbound.tell(
                            "end of queue item " + item.id(),
                            c -> c.finished(item.id(), "NOT_BUILT"));
                }
            }
            claimedAt
                    .keySet()
                    .removeIf(
                            id -> {
                                Claimed claimed = claimedAt.get(id);
                                return claimed != null
                                        && TimeUnit.NANOSECONDS.toHours(now - claimed.nanos) > 1
                                        && !here.containsKey(id);
                            });
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Looked at again when Redis is back: {0}", e.getMessage());
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not check what is held", e);
        }
    }

    /**
     * Whether no executor here takes what could start: vetoed, its agents offline, its cloud brings
     * none.
     */
    private boolean nobodyTakes(Queue.Item held, long heldMillis) {
        if (Room.agentComes(held) && heldMillis < AGENT_MILLIS) {
            return false;
        }
        if (!Room.hasAgent(held)) {
            barren.add(Lane.of(held).text());
        }
        return true;
    }

    private static long doubled(long first, int attempts, long most) {
        return Math.min(most, first << Math.min(Math.max(attempts - 1, 0), 10));
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
