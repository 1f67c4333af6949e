package io.jenkins.plugins.ha.clouds;

import hudson.model.Label;
import hudson.model.Queue;
import hudson.slaves.AbstractCloudSlave;
import hudson.slaves.RetentionStrategy;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.agents.ResumedBlocks;
import io.jenkins.plugins.ha.bridge.CloudAgent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Pool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Agents of clouds whose controller is gone: the controller that goes on with a Pipeline on one has
 * it as its own from then on; what no Pipeline needs a survivor ends, by the cloud's own means. One
 * thread, but for {@link #release} and {@link #give}.
 */
final class LeftCloudAgents {
    private static final Logger LOGGER = Logger.getLogger(LeftCloudAgents.class.getName());

    /**
     * How long it is left alone: its controller may be back, or a Pipeline on it go on somewhere.
     */
    private static final long LEFT_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.leftAgentMillis", 20_000);

    /** As long as nobody has said yet who goes on with a Pipeline of a controller that is gone. */
    private static final long LONGEST_LEFT_MILLIS = Math.max(LEFT_MILLIS, 40_000);

    private static final long AGAIN_MILLIS = 10_000;

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final CloudSlots slots;
    private final Pool ender = new Pool("ha-jenkins-cloud-end", 4, 1000);

    /** Slots whose controller is gone, or does not have the agent; since when, ns. */
    private final Map<String, Long> left = new HashMap<>();

    private final Set<String> ending = ConcurrentHashMap.newKeySet();
    private final Map<String, Long> failed = new ConcurrentHashMap<>();

    LeftCloudAgents(Cluster cluster, ControllerIdentity identity, CloudSlots slots) {
        this.cluster = cluster;
        this.identity = identity;
        this.slots = slots;
    }

    void stop() {
        ender.stop();
    }

    /** What was seen last is dealt with as far as it can be now. Some round trips. */
    void settle() {
        Set<String> seen = new HashSet<>();
        Set<String> wanted = null;
        long now = System.nanoTime();
        for (CloudAgent agent : slots.all()) {
            boolean ours = agent.alive() && agent.controllerId().equals(identity.id());
            if (agent.alive() && (!ours || isHere(agent))) {
                continue;
            }
            seen.add(agent.id());
            long since = left.computeIfAbsent(agent.id(), id -> now);
            long millis = TimeUnit.NANOSECONDS.toMillis(now - since);
            if (ending.contains(agent.id())) {
                continue;
            }
            wanted = wanted == null ? wanted() : wanted;
            if (wanted.contains(agent.agent())) {
                if (ours || cluster.passCloudAgent(agent.id(), identity.id())) {
                    takeOver(agent);
                }
            } else if (millis > (isUndecided() ? LONGEST_LEFT_MILLIS : LEFT_MILLIS)
                    && now - failed.getOrDefault(agent.id(), now - TimeUnit.DAYS.toNanos(1))
                            > TimeUnit.MILLISECONDS.toNanos(AGAIN_MILLIS)
                    && (ours || cluster.passCloudAgent(agent.id(), identity.id()))) {
                ending.add(agent.id());
                if (!ender.execute(() -> end(agent))) {
                    ending.remove(agent.id());
                }
            }
        }
        left.keySet().retainAll(seen);
        failed.keySet().retainAll(seen);
    }

    /** A slot that was just taken has no agent yet. */
    private boolean isHere(CloudAgent agent) {
        return agent.agent().isEmpty()
                ? slots.isPending(agent.id())
                : Jenkins.get().getNode(agent.agent()) != null
                        || slots.slotOf(agent.agent()) != null;
    }

    /** Names of agents on which Pipelines were that go on here. */
    private static Set<String> wanted() {
        Set<String> names = new HashSet<>();
        for (Queue.Item item : Queue.getInstance().getItems()) {
            Label label = item.getAssignedLabel();
            if (label != null && ResumedBlocks.isOne(item.task)) {
                names.add(label.getName());
            }
        }
        return names;
    }

    /** Whether a Pipeline may still want one of them. */
    private static boolean isUndecided() {
        return Membership.active().map(m -> m.orphanedPipelines().anyUndecided()).orElse(false);
    }

    private void takeOver(CloudAgent agent) {
        AbstractCloudSlave node = read(agent);
        if (node == null) {
            return;
        }
        slots.tookOver(agent);
        try {
            Jenkins.get().addNode(node);
            LOGGER.info(
                    () ->
                            "The agent "
                                    + agent.agent()
                                    + " of the cloud "
                                    + agent.cloud()
                                    + " is this controller's: a Pipeline on it goes on here");
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.WARNING, "The agent " + agent.agent() + " cannot be taken over", e);
        }
    }

    private void end(CloudAgent agent) {
        boolean added = false;
        try {
            AbstractCloudSlave node = read(agent);
            if (node == null) {
                cluster.endCloudAgent(agent.id());
                return;
            }
            added = EndedHere.add(agent.agent());
            node.setRetentionStrategy(RetentionStrategy.NOOP);
            Jenkins.get().addNode(node);
            node.terminate();
            cluster.endCloudAgent(agent.id());
            LOGGER.info(
                    () ->
                            "The agent "
                                    + agent.agent()
                                    + " of the cloud "
                                    + agent.cloud()
                                    + " was ended: its controller is gone");
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Ended again when Redis is back: {0}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException | RuntimeException | LinkageError e) {
            LOGGER.log(
                    Level.WARNING,
                    "The agent "
                            + agent.agent()
                            + " of the cloud "
                            + agent.cloud()
                            + ", whose controller is gone, could not be ended; tried again. If that"
                            + " does not help, end it in its cloud and remove its field "
                            + agent.id()
                            + " from the hash 'clouds' in Redis",
                    e);
            failed.put(agent.id(), System.nanoTime());
        } finally {
            if (added) {
                EndedHere.remove(agent.agent());
            }
            ending.remove(agent.id());
        }
    }

    /** The node; null when the cluster does not know what it is. */
    private AbstractCloudSlave read(CloudAgent agent) {
        byte[] text = cluster.cloudAgentText(agent.id()).orElse(null);
        if (text == null) {
            return null;
        }
        Object node = Jenkins.XSTREAM.fromXML(new String(text, StandardCharsets.UTF_8));
        if (node instanceof AbstractCloudSlave slave && slave.getNodeName().equals(agent.agent())) {
            return slave;
        }
        throw new IllegalStateException("It is no agent of a cloud");
    }

    /**
     * Forgets an agent here without ending it. Its slot stays this controller's: whoever goes on
     * with the Pipeline on it takes both over; if nobody does, it is ended. Does not block.
     */
    void release(AbstractCloudSlave agent) {
        if (slots.slotOf(agent.getNodeName()) != null) {
            slots.forget(agent);
        }
    }

    /** The slot of an agent that was released is another controller's from now on. Round trips. */
    void give(String agent, String controllerId) {
        for (CloudAgent one : cluster.cloudAgents()) {
            if (one.agent().equals(agent) && one.controllerId().equals(identity.id())) {
                cluster.passCloudAgent(one.id(), controllerId);
            }
        }
    }
}
