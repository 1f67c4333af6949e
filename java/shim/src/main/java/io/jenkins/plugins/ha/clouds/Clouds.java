package io.jenkins.plugins.ha.clouds;

import hudson.model.Computer;
import hudson.model.Label;
import hudson.model.Queue;
import hudson.slaves.AbstractCloudSlave;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner;
import hudson.slaves.NodeProvisioner.PlannedNode;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Has core look at once whether clouds are to be asked, whenever something waits; sees that the
 * agents come, that none is left that nobody needs, and that the cluster knows of each. Nobody
 * waits for it. Thread-safe.
 */
@UsesByReflection("method hudson.slaves.NodeProvisioner update ()V")
public final class Clouds {
    private static final Logger LOGGER = Logger.getLogger(Clouds.class.getName());
    private static final long LOOK_MILLIS = 200;
    private static final long COMPARE_MILLIS = 1000;

    /** Where there is neither a cloud nor an agent of one. */
    private static final long SELDOM_MILLIS = 10_000;

    /** How long an agent that came for nothing is kept for what may still come. */
    private static final long SPARE_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.spareAgentMillis", 30_000);

    private static final long FIRST_REST_MILLIS = 1000;
    private static final long LONGEST_REST_MILLIS = 60_000;

    private record Rest(long since, long millis) {}

    private record Asked(Cloud cloud, Label label) {}

    private final Watchdog watchdog;
    private final CloudSlots slots;
    private final LeftCloudAgents leftAgents;
    private final Method update;
    private final Pool reviewer = new Pool("ha-jenkins-cloud", 4, 1000);
    private final Set<Object> waiting = ConcurrentHashMap.newKeySet();
    private final Map<String, Rest> rests = new ConcurrentHashMap<>();
    private final Map<PlannedNode, Asked> asked = Collections.synchronizedMap(new WeakHashMap<>());
    private long compared;

    public Clouds(
            Cluster cluster, ControllerIdentity identity, Outbound outbound, Watchdog watchdog) {
        this.watchdog = watchdog;
        this.slots = new CloudSlots(cluster, identity, outbound);
        this.leftAgents = new LeftCloudAgents(cluster, identity, slots);
        try {
            update = NodeProvisioner.class.getDeclaredMethod("update");
            update.setAccessible(true);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This Jenkins asks its clouds in another way", e);
        }
    }

    /** From now on clouds are asked. */
    public void start() {
        watchdog.every("ha-jenkins-clouds", LOOK_MILLIS, this::look);
        watchdog.loop("ha-jenkins-cloud-agents", this::round).minor().start();
    }

    public void stop() {
        reviewer.stop();
        leftAgents.stop();
    }

    /** The slots of this controller's agents. */
    public CloudSlots slots() {
        return slots;
    }

    /** The name of the cloud whose agent it is here; empty when it is of no cloud. From memory. */
    public Optional<String> cloudOf(Computer computer) {
        return computer.getNode() instanceof AbstractCloudSlave agent
                ? slots.cloudOf(agent.getNodeName())
                : Optional.empty();
    }

    /**
     * The Pipeline on this agent leaves this controller: if it is of a cloud, it is no node here
     * from now on, so that plugins which end an agent after its work leave this one alone. To be
     * done before its executors are freed. Does not block.
     */
    public void release(Computer computer) {
        if (computer.getNode() instanceof AbstractCloudSlave agent) {
            leftAgents.release(agent);
        }
    }

    /** An agent that was released is that controller's from now on. Round trips. */
    public void give(String agent, String controllerId) {
        leftAgents.give(agent, controllerId);
    }

    /** Something waits for agents of this label, or one has come. Does not block. */
    public void review(Label label) {
        Object key = label == null ? "" : label.getName();
        if (!Jenkins.get().clouds.isEmpty()
                && waiting.add(key)
                && !reviewer.execute(() -> review(key, label))) {
            waiting.remove(key);
        }
    }

    private void review(Object key, Label label) {
        waiting.remove(key);
        try {
            update.invoke(Shortage.provisioner(label));
        } catch (InvocationTargetException e) {
            LOGGER.log(Level.WARNING, "Clouds could not be asked; trying on", e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether this controller may ask for agents just now. */
    boolean mayAsk() {
        Membership membership = Membership.active().orElse(null);
        return membership != null
                && !membership.isLeaving()
                && membership.link().joined()
                && !Jenkins.get().isQuietingDown();
    }

    /** An agent was asked for. */
    void asked(PlannedNode node, Cloud cloud, Label label) {
        asked.put(node, new Asked(cloud, label));
    }

    /** It does not come. */
    void failed(PlannedNode node) {
        slots.failed(node);
        Asked what = asked.remove(node);
        if (what != null) {
            failed(what.cloud, what.label);
        }
    }

    /** The cloud brought nothing: it is left alone for a while, twice as long each time. */
    void failed(Cloud cloud, Label label) {
        long now = System.nanoTime();
        rests.compute(
                cloud.name + "\n" + label,
                (key, before) -> {
                    if (before == null || millis(now - before.since) > before.millis * 4) {
                        return new Rest(now, FIRST_REST_MILLIS);
                    }
                    return millis(now - before.since) < before.millis
                            ? before
                            : new Rest(now, Math.min(LONGEST_REST_MILLIS, before.millis * 2));
                });
    }

    /** Whether it is left alone. */
    boolean rests(Cloud cloud, Label label) {
        Rest rest = rests.get(cloud.name + "\n" + label);
        return rest != null && millis(System.nanoTime() - rest.since) < rest.millis;
    }

    /** Whether the cluster may have more agents of it, as last seen. */
    public int left(Cloud cloud) {
        return slots.left(cloud);
    }

    /** Whether an agent of a cloud that this label allows is on its way here. */
    public boolean comes(String agent) {
        return slots.comes(agent);
    }

    private void look() {
        Jenkins jenkins = Jenkins.get();
        if (jenkins.clouds.isEmpty()) {
            return;
        }
        Set<Label> labels = new HashSet<>(Shortage.labels(slots));
        if (hasDone(jenkins.unlabeledNodeProvisioner)) {
            labels.add(null);
        }
        for (Label label : jenkins.getLabels()) {
            if (hasDone(label.nodeProvisioner)) {
                labels.add(label);
            }
        }
        labels.forEach(this::review);
    }

    private static boolean hasDone(NodeProvisioner provisioner) {
        return provisioner.getPendingLaunches().stream().anyMatch(node -> node.future.isDone());
    }

    private boolean round() throws InterruptedException {
        if (Membership.active().map(Membership::isLeaving).orElse(false)) {
            return false;
        }
        Thread.sleep(COMPARE_MILLIS);
        boolean seldom = Jenkins.get().clouds.isEmpty() && slots.all().isEmpty();
        if (seldom && millis(System.nanoTime() - compared) < SELDOM_MILLIS) {
            return true;
        }
        compared = System.nanoTime();
        try {
            slots.compare();
            leftAgents.settle();
            endSpare();
        } catch (HaException.Unavailable | HaException.Refused | HaException.Fenced e) {
            LOGGER.log(Level.FINE, "Agents of clouds wait for Redis: {0}", e.getMessage());
        }
        return true;
    }

    /** Agents that came for something that is gone, or that did not come. */
    private void endSpare() {
        for (Computer computer : Jenkins.get().getComputers()) {
            if (!(computer instanceof SlaveComputer agent)
                    || !(agent.getNode() instanceof AbstractCloudSlave node)) {
                continue;
            }
            String name = node.getNodeName();
            boolean spare =
                    slots.isSpare(name)
                            && agent.isOnline()
                            && agent.isIdle()
                            && System.currentTimeMillis() - agent.getIdleStartMilliseconds()
                                    > SPARE_MILLIS;
            if (spare || slots.neverCame(name)) {
                boolean[] idle = {false};
                Queue.withLock(
                        () -> {
                            idle[0] = agent.isIdle();
                            agent.setAcceptingTasks(!idle[0]);
                        });
                if (idle[0]) {
                    LOGGER.info(() -> "The agent " + name + " is ended: nothing needs it");
                    reviewer.execute(() -> end(node));
                }
            }
        }
    }

    private static void end(AbstractCloudSlave node) {
        try {
            node.terminate();
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The agent " + node.getNodeName() + " could not be ended", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
}
