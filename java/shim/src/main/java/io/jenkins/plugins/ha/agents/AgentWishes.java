package io.jenkins.plugins.ha.agents;

import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.AgentOwner;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.QueueView;
import io.jenkins.plugins.ha.queue.Unclaimed;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Asks other controllers for their agents, as long as something waits in this controller's own
 * queue that could run on theirs and on none here: a Pipeline's {@code node} block, say, which
 * stays with its Pipeline. {@link AgentHandOver} is the other side.
 */
public final class AgentWishes {
    /** The command; its body is wishes as {@link Wish} writes them. */
    public static final String TOPIC = "agents-wanted";

    private static final Logger LOGGER = Logger.getLogger(AgentWishes.class.getName());
    private static final long LOOK_MILLIS = 200;

    /** What core can start by itself it starts sooner. */
    private static final long PATIENCE_MILLIS = 200;

    /** Who can claim it has claimed it sooner. */
    private static final long UNCLAIMED_MILLIS = 1500;

    private static final long ANSWER_MILLIS = 1000;

    private static final long GRANTED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final AgentOwners owners;
    private final QueueView view;
    private final Pool asker = new Pool("ha-jenkins-agent-asker", 1, 10);
    private final AtomicBoolean asking = new AtomicBoolean();

    /** Items that have been given an agent of late: the news of its new owner may come later. */
    private final Map<Long, Long> granted = new ConcurrentHashMap<>();

    private final Set<String> silent = ConcurrentHashMap.newKeySet();

    AgentWishes(AgentOwners owners, QueueView view) {
        this.owners = owners;
        this.view = view;
    }

    void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-agent-wishes", LOOK_MILLIS, this::look);
    }

    void stop() {
        asker.stop();
    }

    private void look() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null
                || membership.isLeaving()
                || !membership.link().joined()
                || !owners.anyElsewhere()) {
            return;
        }
        Map<String, List<Wish>> wishes = wishes(Queue.getInstance().getBuildableItems());
        if (takesBuilds(membership)) {
            addUnclaimed(wishes);
        }
        if (!wishes.isEmpty()
                && asking.compareAndSet(false, true)
                && !asker.execute(() -> ask(membership, wishes))) {
            asking.set(false);
        }
    }

    /** One controller after the other, so that not two give an agent for the same item. */
    private void ask(Membership membership, Map<String, List<Wish>> wishes) {
        try {
            List<String> controllers = new ArrayList<>(wishes.keySet());
            controllers.sort(Comparator.comparing(silent::contains)); // who is gone is asked last
            long now = System.nanoTime();
            granted.values().removeIf(at -> now - at > GRANTED_NANOS);
            for (String controller : controllers) {
                List<Wish> left = new ArrayList<>(wishes.get(controller));
                left.removeIf(wish -> granted.containsKey(wish.item()));
                if (left.isEmpty()) {
                    continue;
                }
                try {
                    String answer =
                            membership.ask(controller, TOPIC, Wish.toText(left), ANSWER_MILLIS);
                    silent.remove(controller);
                    answer.lines().forEach(item -> granted.put(Long.valueOf(item), now));
                } catch (HaException e) {
                    silent.add(controller);
                    LOGGER.log(Level.FINE, "Agents are asked for again: {0}", e.getMessage());
                } catch (NumberFormatException e) {
                    LOGGER.log(Level.FINE, "Answered something else, of another version", e);
                }
            }
        } finally {
            asking.set(false);
        }
    }

    /** Whether this controller claims what it could run. */
    static boolean takesBuilds(Membership membership) {
        return HaConfiguration.get().isTakesBuilds()
                && !membership.claimer().isDraining()
                && !Jenkins.get().isQuietingDown();
    }

    /** What nobody claims though an agent for it is idle: its controller takes no builds. */
    private void addUnclaimed(Map<String, List<Wish>> wishes) {
        for (Unclaimed item : view.unclaimed()) {
            if (System.currentTimeMillis() - item.since() < UNCLAIMED_MILLIS
                    || Jenkins.get().getItemByFullName(item.job()) == null) {
                continue;
            }
            Map<String, List<String>> fitting = new HashMap<>();
            boolean comes = false;
            for (SlaveComputer computer : PermanentAgents.all()) {
                Node node = computer.getNode();
                String name = computer.getName();
                if (node == null || computer.isTemporarilyOffline() || !item.fits(node)) {
                    continue;
                }
                comes |= owners.isOurs(name);
                owners.elsewhere(name)
                        .ifPresent(
                                owner ->
                                        fitting.computeIfAbsent(
                                                        owner.controllerId(),
                                                        id -> new ArrayList<>())
                                                .add(name));
            }
            if (!comes) {
                fitting.forEach(
                        (controller, agents) ->
                                wishes.computeIfAbsent(controller, id -> new ArrayList<>())
                                        .add(new Wish(item.id(), true, item.since(), agents)));
            }
        }
    }

    /** By controller what is wished of it, the oldest first. */
    private Map<String, List<Wish>> wishes(List<Queue.BuildableItem> waiting) {
        Map<String, List<Wish>> wishes = new HashMap<>();
        Set<String> coming = new HashSet<>();
        List<Queue.BuildableItem> oldestFirst = new ArrayList<>(waiting);
        oldestFirst.sort(Comparator.comparingLong(this::since));
        for (Queue.BuildableItem item : oldestFirst) {
            long since = since(item);
            if (item.isPending()
                    || item.task instanceof Queue.FlyweightTask
                    || System.currentTimeMillis() - item.getInQueueSince() < PATIENCE_MILLIS
                    || isIdleHere(item)
                    || comes(item, coming)) {
                continue;
            }
            Map<String, List<String>> fitting = new HashMap<>();
            for (SlaveComputer computer : PermanentAgents.all()) {
                AgentOwner owner = owners.elsewhere(computer.getName()).orElse(null);
                if (owner != null && couldTake(computer, item)) {
                    fitting.computeIfAbsent(owner.controllerId(), id -> new ArrayList<>())
                            .add(computer.getName());
                }
            }
            fitting.forEach(
                    (controller, agents) ->
                            wishes.computeIfAbsent(controller, id -> new ArrayList<>())
                                    .add(new Wish(item.getId(), false, since, agents)));
        }
        return wishes;
    }

    /** What runs already goes before what waits. */
    private long since(Queue.BuildableItem item) {
        return ResumedBlocks.isOne(item.task) ? 0 : view.waitingSince(item);
    }

    private static boolean isIdleHere(Queue.BuildableItem item) {
        for (Computer computer : Jenkins.get().getComputers()) {
            if (computer.isOnline()
                    && computer.isAcceptingTasks()
                    && computer.countIdle() > 0
                    && fits(computer, item)) {
                return true;
            }
        }
        return false;
    }

    /** Whether an agent is on its way here for it; each comes for one. */
    private boolean comes(Queue.BuildableItem item, Set<String> coming) {
        for (SlaveComputer computer : PermanentAgents.all()) {
            String name = computer.getName();
            if (owners.isOurs(name)
                    && computer.getChannel() == null
                    && couldTake(computer, item)
                    && coming.add(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean couldTake(SlaveComputer computer, Queue.BuildableItem item) {
        return computer.getChannel() == null
                && !computer.isTemporarilyOffline()
                && fits(computer, item);
    }

    private static boolean fits(Computer computer, Queue.BuildableItem item) {
        Node node = computer.getNode();
        return node != null && node.getNumExecutors() > 0 && node.canTake(item) == null;
    }
}
