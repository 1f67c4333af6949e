package io.jenkins.plugins.ha.agents;

import hudson.Extension;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.QueueView;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/**
 * Gives idle agents of this controller to others that wish for them, in the order in which builds
 * wait: an agent that somebody waits for longer than what waits here is kept free for him. Wishes
 * are in memory, and forgotten when they are not repeated. Thread-safe.
 */
public final class AgentHandOver {
    private static final Logger LOGGER = Logger.getLogger(AgentHandOver.class.getName());
    private static final long LOOK_MILLIS = 100;

    /** They are repeated several times a second while they last. */
    private static final long FORGOTTEN_MILLIS = 1500;

    /** What waits here longer but takes no idle agent for so long does not need it. */
    private static final long UNUSED_MILLIS = 1500;

    /** How long the free executors of an agent that is at work are kept for a wish. */
    private static final long KEPT_MILLIS = 30_000;

    /**
     * A wish as it was heard.
     *
     * @param from the controller
     * @param first when it was heard first
     * @param last when it was heard last
     */
    private record Heard(String from, Wish wish, long first, long last) {}

    private final AgentOwners owners;
    private final QueueView view;
    private final Map<String, Heard> wishes = new ConcurrentHashMap<>();

    /** Since when agents are idle that something here seemed to need more; guarded by this. */
    private final Map<String, Long> unused = new HashMap<>();

    /** Agents that get no builds, for they are being given away. */
    private final Map<String, Closed> closed = new ConcurrentHashMap<>();

    private enum Closed {
        GIVEN,
        UNSURE
    }

    AgentHandOver(AgentOwners owners, QueueView view) {
        this.owners = owners;
        this.view = view;
    }

    void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-agent-hand-over", LOOK_MILLIS, this::settle);
    }

    /**
     * Another controller says what it wishes; answers the ids of the items for which it has been
     * given an agent, a line each.
     */
    public String wanted(String from, String body) {
        long now = System.nanoTime();
        List<Wish> said = Wish.ofText(body);
        for (Wish wish : said) {
            wishes.compute(
                    from + " " + wish.item(),
                    (key, before) ->
                            new Heard(from, wish, before == null ? now : before.first, now));
        }
        settle();
        return said.stream()
                .filter(wish -> !wishes.containsKey(from + " " + wish.item()))
                .map(wish -> Long.toString(wish.item()))
                .collect(Collectors.joining("\n"));
    }

    /** Gives what can be given now. */
    private synchronized void settle() {
        if (wishes.isEmpty()) {
            unused.clear();
            return;
        }
        if (wishes.values().removeIf(heard -> millisSince(heard.last) > FORGOTTEN_MILLIS)) {
            Membership.active().ifPresent(membership -> membership.claimer().poke());
            Queue.getInstance().scheduleMaintenance();
        }
        for (Heard heard : oldestFirst()) {
            for (String agent : heard.wish.agents()) {
                try {
                    if (give(agent, heard)) {
                        wishes.remove(heard.from + " " + heard.wish.item());
                        break;
                    }
                } catch (HaException e) {
                    LOGGER.log(
                            Level.FINE,
                            "The agent {0} is not given away now: {1}",
                            new Object[] {agent, e.getMessage()});
                    return;
                }
            }
        }
    }

    private List<Heard> oldestFirst() {
        List<Heard> sorted = new ArrayList<>(wishes.values());
        sorted.sort(
                Comparator.comparingLong((Heard heard) -> heard.wish.since())
                        .thenComparing(heard -> heard.from)
                        .thenComparing(heard -> heard.wish.item()));
        return sorted;
    }

    private boolean give(String agent, Heard heard) {
        SlaveComputer computer = PermanentAgents.computer(agent);
        if (computer == null || computer.getChannel() == null || !owners.isOurs(agent)) {
            return false;
        }
        if (heard.wish.unclaimed() && AgentWishes.takesBuilds(Membership.active().orElseThrow())) {
            return false; // it claims it itself
        }
        if (!computer.isIdle()) {
            unused.remove(agent);
            return false;
        }
        if (neededHere(computer, heard.wish.since())) {
            long since = unused.computeIfAbsent(agent, name -> System.nanoTime());
            if (millisSince(since) < UNUSED_MILLIS) {
                return false;
            }
        }
        unused.remove(agent);
        boolean[] free = {false};
        Queue.withLock(
                () -> { // nothing is given to its executors meanwhile
                    free[0] = computer.isIdle() && computer.isAcceptingTasks();
                    if (free[0]) {
                        closed.put(agent, Closed.GIVEN);
                        computer.setAcceptingTasks(false);
                    }
                });
        if (!free[0]) {
            return false;
        }
        boolean given;
        try {
            given = owners.give(agent, heard.from);
        } catch (HaException e) { // it may have been given all the same
            closed.put(agent, Closed.UNSURE);
            owners.lookSoon();
            throw e;
        }
        if (!given) {
            offline(computer);
        } else {
            String to = nameOf(heard.from);
            LOGGER.info(() -> "The agent " + agent + " is given to the controller " + to);
            computer.disconnect(new WorksElsewhere(heard.from, to));
        }
        return given;
    }

    /** Its agent is gone: when it is back, it is for builds again. */
    void offline(SlaveComputer computer) {
        if (closed.remove(computer.getName()) != null) {
            computer.setAcceptingTasks(true);
        }
    }

    /** It is this controller's, as Redis has it. */
    void isOurs(SlaveComputer computer) {
        if (closed.remove(computer.getName(), Closed.UNSURE)) {
            computer.setAcceptingTasks(true);
        }
    }

    private String nameOf(String controllerId) {
        Member member = owners.member(controllerId);
        return member == null ? controllerId : member.name();
    }

    /** Whether something waits here, for longer, that this agent could run. */
    private boolean neededHere(Computer computer, long since) {
        Node node = computer.getNode();
        if (node == null) {
            return false;
        }
        for (Queue.BuildableItem item : Queue.getInstance().getBuildableItems()) {
            if (!item.isPending()
                    && !(item.task instanceof Queue.FlyweightTask)
                    && view.waitingSince(item) < since
                    && node.canTake(item) == null) {
                return true;
            }
        }
        return view.claimableSince(node) < since;
    }

    /** Whether another controller wishes for an agent. */
    public boolean anyWish() {
        return !wishes.isEmpty();
    }

    /**
     * Whether the agent's free executors are kept for a build on another controller that waits
     * longer. From memory.
     *
     * @param since from when on what asks for it waits, ms since 1970
     */
    public boolean keeps(Computer computer, long since) {
        if (wishes.isEmpty()) {
            return false;
        }
        for (Heard heard : wishes.values()) {
            if (!heard.wish.unclaimed()
                    && heard.wish.since() < since
                    && heard.wish.agents().contains(computer.getName())
                    && millisSince(heard.last) < FORGOTTEN_MILLIS
                    && (computer.isIdle() || millisSince(heard.first) < KEPT_MILLIS)) {
                return true;
            }
        }
        return false;
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /** Keeps the agents free in core's queue. */
    @Extension
    public static final class Kept extends QueueTaskDispatcher {
        @Override
        public CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
            Membership membership = Membership.active().orElse(null);
            Computer computer = membership == null ? null : node.toComputer();
            if (computer == null
                    || item.task instanceof Queue.FlyweightTask
                    || !membership
                            .agents()
                            .handOver()
                            .keeps(computer, membership.view().waitingSince(item))) {
                return null;
            }
            return new ForOther(computer.getDisplayName());
        }
    }

    private static final class ForOther extends CauseOfBlockage {
        private final String agent;

        ForOther(String agent) {
            this.agent = agent;
        }

        @Override
        public String getShortDescription() {
            return agent + " is kept for a build on another controller that waits longer";
        }
    }
}
