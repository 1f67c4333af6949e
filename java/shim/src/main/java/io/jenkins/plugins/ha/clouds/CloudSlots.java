package io.jenkins.plugins.ha.clouds;

import hudson.model.Computer;
import hudson.model.Node;
import hudson.slaves.AbstractCloudSlave;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner.PlannedNode;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.bridge.CloudAgent;
import io.jenkins.plugins.ha.bridge.CloudSlot;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * The slots of this controller's cloud agents: each is taken in Redis before its agent is asked
 * for, whoever asks, says what the agent is once that is known, and is given back when it is gone.
 * Thread-safe; nothing here waits for Redis under a lock.
 */
public final class CloudSlots {
    private static final Logger LOGGER = Logger.getLogger(CloudSlots.class.getName());

    /** How long a cloud may take until the agent that was asked for is online. */
    private static final long COMING_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.cloudAgentMillis", 600_000);

    /** A strategy takes slots and asks the cloud in one go. */
    private static final long RESERVED_MILLIS = 60_000;

    /** A node that was added a moment ago is told of in a moment. */
    private static final long NEW_MILLIS = 3000;

    /** A slot of this controller. */
    private static final class Slot {
        final String id;
        final String cloud;
        final boolean atOnce;
        final long since = System.nanoTime();
        boolean came;
        boolean used;

        Slot(String id, String cloud, boolean atOnce) {
            this.id = id;
            this.cloud = cloud;
            this.atOnce = atOnce;
        }
    }

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final Outbound outbound;
    private final List<Slot> reserved = new ArrayList<>();
    private final Map<PlannedNode, Slot> planned = new IdentityHashMap<>();
    private final Map<String, Slot> agents = new HashMap<>();
    private final Map<String, Long> unknownSince = new HashMap<>();
    private volatile List<CloudAgent> all = List.of();

    CloudSlots(Cluster cluster, ControllerIdentity identity, Outbound outbound) {
        this.cluster = cluster;
        this.identity = identity;
        this.outbound = outbound;
    }

    /** All of the cluster, as last seen. */
    public List<CloudAgent> all() {
        return all;
    }

    /** How many more the cluster may have, as last seen. */
    int left(Cloud cloud) {
        int cap = CloudRules.now().cap(cloud);
        return cap == 0 ? Integer.MAX_VALUE : cap - count(cloud.name);
    }

    private int count(String cloud) {
        return (int) all.stream().filter(agent -> agent.cloud().equals(cloud)).count();
    }

    /**
     * Takes slots before a cloud is asked for so many agents: all or none. A round trip for each.
     *
     * @return "" when they were taken, else why not
     */
    String reserve(Cloud cloud, int count, boolean atOnce) {
        int cap = CloudRules.now().cap(cloud);
        List<Slot> taken = new ArrayList<>();
        String why = "";
        try {
            for (int i = 0; i < count && why.isEmpty(); i++) {
                Slot slot = new Slot(identity.id() + "/" + UUID.randomUUID(), cloud.name, atOnce);
                int full = cluster.takeCloudSlot(slot.id, cloud.name, cap);
                if (full < 0) {
                    taken.add(slot);
                } else {
                    why =
                            "The cluster has "
                                    + full
                                    + " agents of the cloud "
                                    + cloud.name
                                    + ", and may have no more than "
                                    + cap;
                }
            }
        } catch (HaException e) {
            why = "This controller is no member of its cluster just now: " + e.getMessage();
        }
        if (why.isEmpty()) {
            synchronized (this) {
                reserved.addAll(taken);
            }
        } else {
            taken.forEach(this::giveBack);
        }
        return why;
    }

    /** These were asked for; slots that are left over go back. */
    void started(Cloud cloud, Collection<PlannedNode> nodes) {
        List<Slot> over = new ArrayList<>();
        synchronized (this) {
            Iterator<PlannedNode> next = nodes.iterator();
            for (Slot slot : List.copyOf(reserved)) {
                if (slot.cloud.equals(cloud.name)) {
                    reserved.remove(slot);
                    if (next.hasNext()) {
                        planned.put(next.next(), slot);
                    } else {
                        over.add(slot);
                    }
                }
            }
        }
        over.forEach(this::giveBack);
    }

    /** It does not come. */
    void failed(PlannedNode node) {
        Slot slot;
        synchronized (this) {
            slot = planned.remove(node);
        }
        if (slot != null) {
            giveBack(slot);
        }
    }

    /** It is about to become this node, which may be launched at once. */
    synchronized void becomes(PlannedNode from, Node node) {
        Slot slot = planned.get(from);
        if (slot != null && node instanceof AbstractCloudSlave) {
            agents.put(node.getNodeName(), slot);
        }
    }

    /** It could not become this node. */
    void rolledBack(PlannedNode from, Node node) {
        synchronized (this) {
            agents.remove(node.getNodeName());
        }
        failed(from);
    }

    /** It has become this node. */
    void committed(PlannedNode from, Node node) {
        Slot slot;
        synchronized (this) {
            slot = planned.remove(from);
        }
        if (slot == null) {
            return;
        }
        if (node instanceof AbstractCloudSlave agent) {
            tell(slot, agent);
        } else {
            giveBack(slot); // nobody else could end it
        }
    }

    /** It is online; what it is may have changed since it was launched. */
    void online(AbstractCloudSlave agent) {
        Slot slot;
        synchronized (this) {
            slot = agents.get(agent.getNodeName());
            if (slot == null) {
                return;
            }
            slot.came = true;
        }
        tell(slot, agent);
    }

    /** It runs something. */
    synchronized void used(String agent) {
        Slot slot = agents.get(agent);
        if (slot != null) {
            slot.used = true;
        }
    }

    /** It is gone from here. */
    void gone(String agent) {
        Slot slot;
        synchronized (this) {
            slot = agents.remove(agent);
        }
        if (slot != null) {
            giveBack(slot);
        }
    }

    /** Whether it was asked for, is not online yet, and may still come. */
    synchronized boolean comes(String agent) {
        Slot slot = agents.get(agent);
        return slot != null && !slot.came && millisSince(slot.since) < COMING_MILLIS;
    }

    /** Whether it was asked for at once and is of no use: it never came, or came for nothing. */
    synchronized boolean isSpare(String agent) {
        Slot slot = agents.get(agent);
        return slot != null && slot.atOnce && !slot.used;
    }

    /** Whether it was asked for, and has not come in all the time that it had. */
    synchronized boolean neverCame(String agent) {
        Slot slot = agents.get(agent);
        return slot != null && !slot.came && millisSince(slot.since) >= COMING_MILLIS;
    }

    /** The slot of this controller's agent; null when there is none. */
    synchronized String slotOf(String agent) {
        Slot slot = agents.get(agent);
        return slot == null ? null : slot.id;
    }

    /** The cloud of this controller's agent, by name; empty when it has no slot. */
    synchronized Optional<String> cloudOf(String agent) {
        return Optional.ofNullable(agents.get(agent)).map(slot -> slot.cloud);
    }

    /** Whether it is a slot whose agent was asked for here and is not known yet. */
    synchronized boolean isPending(String id) {
        return reserved.stream().anyMatch(slot -> slot.id.equals(id))
                || planned.values().stream().anyMatch(slot -> slot.id.equals(id))
                || agents.values().stream().anyMatch(slot -> slot.id.equals(id));
    }

    /** The agent is this controller's from now on, by this slot. */
    synchronized void tookOver(CloudAgent agent) {
        agents.put(agent.agent(), new Slot(agent.id(), agent.cloud(), false));
        agents.get(agent.agent()).used = true;
    }

    private void giveBack(Slot slot) {
        outbound.tell(
                "end of the slot of an agent of " + slot.cloud, c -> c.endCloudAgent(slot.id));
    }

    private void tell(Slot slot, AbstractCloudSlave agent) {
        byte[] text = text(agent);
        String name = agent.getNodeName();
        outbound.tell(
                "the agent " + name + " of " + slot.cloud,
                c -> {
                    if (Jenkins.get().getNode(name) == agent) {
                        c.keepCloudAgent(slot.id, slot.cloud, name, text);
                    }
                });
    }

    private static byte[] text(Node node) {
        return Jenkins.XSTREAM.toXML(node).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads what the cluster has, and makes the agents of this controller agree with it. Some round
     * trips.
     */
    void compare() {
        List<CloudAgent> now = cluster.cloudAgents();
        all = now;
        Map<String, CloudAgent> bySlot = new HashMap<>();
        for (CloudAgent one : now) {
            bySlot.put(one.id(), one);
        }
        List<AbstractCloudSlave> here = new ArrayList<>();
        for (Node node : Jenkins.get().getNodes()) {
            if (node instanceof AbstractCloudSlave agent && !EndedHere.contains(agent)) {
                here.add(agent);
            }
        }
        for (AbstractCloudSlave agent : here) {
            Slot slot = slot(agent);
            if (slot == null) {
                if (isStrange(agent) && admit(agent)) {
                    launch(agent);
                }
                continue;
            }
            CloudAgent known = bySlot.get(slot.id);
            if (known == null || !known.alive() || !known.controllerId().equals(identity.id())) {
                keepOrLetGo(agent, slot);
            }
        }
        List<Slot> stale = new ArrayList<>();
        synchronized (this) {
            for (Slot slot : List.copyOf(reserved)) {
                if (millisSince(slot.since) > RESERVED_MILLIS) {
                    reserved.remove(slot);
                    stale.add(slot);
                }
            }
        }
        stale.forEach(this::giveBack);
        List<PlannedNode> cancelled;
        synchronized (this) { // of which core tells nobody
            cancelled =
                    planned.keySet().stream().filter(node -> node.future.isCancelled()).toList();
        }
        cancelled.forEach(this::failed);
    }

    /** Its slot; null when it is to be seen whether it has one. */
    private synchronized Slot slot(AbstractCloudSlave agent) {
        String name = agent.getNodeName();
        Slot slot = agents.get(name);
        if (slot != null) {
            unknownSince.remove(name);
        }
        return slot;
    }

    /** Whether it is time to look what it is: it has been here for a while, and has no slot. */
    private synchronized boolean isStrange(AbstractCloudSlave agent) {
        Long since = unknownSince.putIfAbsent(agent.getNodeName(), System.nanoTime());
        return since != null && millisSince(since) > NEW_MILLIS;
    }

    /**
     * Finds the slot of an agent that this controller had before it was started, or that came by
     * another way than core's; forgets one that a survivor has ended or taken over. Some round
     * trips.
     *
     * @return whether it is this controller's
     * @throws HaException while this controller is no member
     */
    boolean admit(AbstractCloudSlave agent) {
        String name = agent.getNodeName();
        if (slot(agent) != null) {
            return true;
        }
        CloudAgent known =
                cluster.cloudAgents().stream()
                        .filter(one -> one.agent().equals(name))
                        .filter(one -> one.controllerId().equals(identity.id()))
                        .findFirst()
                        .orElse(null);
        Slot slot =
                known == null
                        ? new Slot(identity.id() + "/" + name, cloudOf(agent), false)
                        : new Slot(known.id(), known.cloud(), false);
        slot.used = true;
        if (keepOrLetGo(agent, slot)) {
            synchronized (this) {
                agents.putIfAbsent(name, slot);
                unknownSince.remove(name);
            }
            return true;
        }
        return false;
    }

    /** Plugins' agents say so by this name, by custom. */
    private static String cloudOf(AbstractCloudSlave agent) {
        try {
            Object name = agent.getClass().getMethod("getCloudName").invoke(agent);
            return String.valueOf(name);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return agent.getClass().getSimpleName();
        }
    }

    /** It could not be launched while it was not known whose it is. */
    private static void launch(AbstractCloudSlave agent) {
        if (agent.toComputer() instanceof SlaveComputer computer
                && computer.isOffline()
                && computer.isLaunchSupported()
                && !computer.isConnecting()) {
            computer.connect(false);
        }
    }

    private boolean keepOrLetGo(AbstractCloudSlave agent, Slot slot) {
        String name = agent.getNodeName();
        if (cluster.keepCloudAgent(slot.id, slot.cloud, name, text(agent)) == CloudSlot.OURS) {
            return true;
        }
        LOGGER.warning(
                () ->
                        "The agent "
                                + name
                                + " of the cloud "
                                + slot.cloud
                                + " is another controller's, or was ended by one while this one was"
                                + " away: it is forgotten here");
        forget(agent);
        return false;
    }

    /** Removes the node here without ending the agent. */
    void forget(AbstractCloudSlave agent) {
        synchronized (this) {
            agents.remove(agent.getNodeName());
        }
        try {
            Computer computer = agent.toComputer();
            if (computer != null) {
                computer.disconnect(null);
            }
            Jenkins.get().removeNode(agent);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The agent " + agent.getNodeName() + " stays here", e);
        }
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }
}
