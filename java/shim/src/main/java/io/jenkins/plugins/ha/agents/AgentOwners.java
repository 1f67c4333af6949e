package io.jenkins.plugins.ha.agents;

import hudson.slaves.OfflineCause;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.bridge.AgentOwner;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.QueueView;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * For which controller each agent works, as Redis has it: whoever is connected to an agent takes it
 * there first, and lets go of one that another has taken. Thread-safe.
 */
public final class AgentOwners {
    /** Announcements of a new owner, told by the library; the subject is the agent. */
    public static final String TOPIC = "agent";

    private static final Logger LOGGER = Logger.getLogger(AgentOwners.class.getName());
    private static final long LOOK_MILLIS = 10_000;

    /** How long an agent may be this controller's that does not come. */
    private static final long AWAITED_MILLIS = 30_000;

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final Outbound outbound;
    private final AgentRelays relays = new AgentRelays();
    private final AgentWishes wishes;
    private final AgentHandOver handOver;
    private final Watchdog watchdog;
    private final Loop loop;
    private final Map<String, AgentOwner> owners = new ConcurrentHashMap<>();
    private final Map<String, Long> absentSince = new HashMap<>();
    private final Map<String, String> nextCookies = new ConcurrentHashMap<>();
    private volatile Map<String, Member> members = Map.of();
    private boolean lookSoon = true;
    private boolean stopped;

    public AgentOwners(
            Cluster cluster,
            ControllerIdentity identity,
            Outbound outbound,
            QueueView view,
            Watchdog watchdog) {
        this.cluster = cluster;
        this.identity = identity;
        this.outbound = outbound;
        this.wishes = new AgentWishes(this, view);
        this.handOver = new AgentHandOver(this, view);
        this.watchdog = watchdog;
        this.loop = watchdog.loop("ha-jenkins-agents", this::round).minor();
    }

    /** From now on agents and owners are compared. */
    public void start() {
        loop.start();
        wishes.start(watchdog);
        handOver.start(watchdog);
    }

    /** Compares no more, and ends what is relayed here. */
    public void stop() {
        synchronized (this) {
            stopped = true;
            notifyAll();
        }
        wishes.stop();
        loop.await(2000);
        relays.closeAll();
    }

    /** Gives agents of this controller to others. */
    public AgentHandOver handOver() {
        return handOver;
    }

    /** The member of this id, as last seen; null when there was none. */
    Member member(String controllerId) {
        return members.get(controllerId);
    }

    /** The connections that this controller passes on. */
    AgentRelays relays() {
        return relays;
    }

    /**
     * An agent that comes in now will show this cookie when it comes the next time; null for the
     * one that its connection has.
     */
    void nextCookie(String agent, String cookie) {
        if (cookie == null) {
            nextCookies.remove(agent);
        } else {
            nextCookies.put(agent, cookie);
        }
    }

    /** What was said of it last, once; null for nothing. */
    String nextCookie(String agent) {
        return nextCookies.remove(agent);
    }

    /** The other controller that has the agent, as last heard; empty for none or this one. */
    Optional<AgentOwner> elsewhere(String agent) {
        AgentOwner owner = owners.get(agent);
        return owner == null || isUs(owner) ? Optional.empty() : Optional.of(owner);
    }

    /** Whether another controller has any, as last heard. */
    boolean anyElsewhere() {
        return owners.values().stream().anyMatch(owner -> !isUs(owner));
    }

    /** Whether the agent is this controller's, as last heard. */
    boolean isOurs(String agent) {
        AgentOwner owner = owners.get(agent);
        return owner != null && isUs(owner);
    }

    boolean isUs(AgentOwner owner) {
        return owner.controllerId().equals(identity.id());
    }

    /** What people call the owner. */
    String nameOf(AgentOwner owner) {
        Member member = members.get(owner.controllerId());
        return member == null ? owner.controllerId() : member.name();
    }

    /**
     * Takes the agent for this controller, unless another one has it; answers whose it is. One
     * round trip.
     *
     * @throws HaException while this controller is no member
     */
    AgentOwner take(String agent) {
        AgentOwner owner = cluster.takeAgent(agent);
        owners.put(agent, owner);
        return owner;
    }

    /**
     * Gives an agent of this controller's to another one, or to nobody (""). One round trip.
     *
     * @throws HaException while this controller is no member
     */
    public boolean give(String agent, String to) {
        boolean given = cluster.giveAgent(agent, to);
        if (given) {
            owners.remove(agent);
        }
        return given;
    }

    /**
     * The owner as a member that can be reached; empty when it has no lease, or no address of its
     * own. One round trip.
     */
    Optional<Member> reachable(AgentOwner owner) {
        return cluster.members().stream()
                .filter(member -> member.controllerId().equals(owner.controllerId()))
                .filter(member -> member.epoch() == owner.epoch() && !member.url().isEmpty())
                .findFirst();
    }

    /** Its agent has gone from here: whomever it reaches next may have it. Does not block. */
    void left(SlaveComputer computer) {
        String agent = computer.getName();
        handOver.offline(computer);
        outbound.tell(
                "release of the agent " + agent,
                c -> {
                    if (computer.getChannel() == null) {
                        give(agent, "");
                    }
                });
    }

    /** An agent has another owner. Does not block. */
    public void announced(Event.Announcement announcement) {
        String agent = announcement.subject();
        String to = new String(announcement.body(), StandardCharsets.UTF_8);
        if (to.isEmpty()) {
            owners.remove(agent);
        } else {
            owners.put(agent, new AgentOwner(agent, to, announcement.number()));
        }
        SlaveComputer computer = PermanentAgents.computer(agent);
        if (computer != null) {
            show(computer);
            if (to.equals(identity.id())
                    && computer.getChannel() == null
                    && computer.isLaunchSupported()) {
                computer.connect(false);
            }
        }
    }

    /** A controller has come or gone, or this one was away. Does not block. */
    public synchronized void lookSoon() {
        lookSoon = true;
        notifyAll();
    }

    private boolean round() throws InterruptedException {
        synchronized (this) {
            if (!stopped && !lookSoon) {
                wait(LOOK_MILLIS);
            }
            if (stopped) {
                return false;
            }
            lookSoon = false;
        }
        try {
            look();
        } catch (HaException.Unavailable | HaException.Refused | HaException.Fenced e) {
            LOGGER.log(Level.FINE, "Agents wait for Redis: {0}", e.getMessage());
            cluster.awaitJoined(1000);
            lookSoon();
            Thread.sleep(500);
        }
        return true;
    }

    private void look() {
        Map<String, Member> alive = new HashMap<>();
        cluster.members().forEach(member -> alive.put(member.controllerId(), member));
        members = alive;
        relays.closeThose(
                owner -> {
                    Member member = alive.get(owner.controllerId());
                    return member == null || member.epoch() != owner.epoch();
                });
        Map<String, AgentOwner> now = new HashMap<>();
        cluster.agents().forEach(owner -> now.put(owner.agent(), owner));
        owners.keySet().retainAll(now.keySet());
        owners.putAll(now);
        for (SlaveComputer computer : PermanentAgents.all()) {
            if (computer.getChannel() != null) {
                keepOrLetGo(computer);
            } else {
                forgetAbsent(computer);
            }
            show(computer);
        }
    }

    /** Redis may have lost whose it is, or this controller was away and another has taken it. */
    private void keepOrLetGo(SlaveComputer computer) {
        String agent = computer.getName();
        absentSince.remove(agent);
        AgentOwner owner = isOurs(agent) ? owners.get(agent) : take(agent);
        if (!isUs(owner)) {
            LOGGER.warning(
                    () ->
                            "The agent "
                                    + agent
                                    + " works for the controller "
                                    + nameOf(owner)
                                    + " now: this controller disconnects it");
            computer.disconnect(new WorksElsewhere(owner.controllerId(), nameOf(owner)));
        } else {
            handOver.isOurs(computer);
        }
    }

    private void forgetAbsent(SlaveComputer computer) {
        String agent = computer.getName();
        if (!isOurs(agent)) {
            absentSince.remove(agent);
            return;
        }
        long now = System.nanoTime();
        Long since = absentSince.putIfAbsent(agent, now);
        if (since != null && TimeUnit.NANOSECONDS.toMillis(now - since) > AWAITED_MILLIS) {
            absentSince.remove(agent);
            if (!computer.isConnecting()) {
                give(agent, "");
            }
        }
    }

    /** Says at the computer where the agent is. */
    private void show(SlaveComputer computer) {
        if (computer.getChannel() != null) {
            return;
        }
        AgentOwner owner = elsewhere(computer.getName()).orElse(null);
        OfflineCause shown = computer.getOfflineCause();
        if (owner != null) {
            boolean already =
                    shown instanceof WorksElsewhere there
                            && there.controllerId().equals(owner.controllerId())
                            && there.getName().equals(nameOf(owner));
            if (!already) {
                computer.setOfflineCause(new WorksElsewhere(owner.controllerId(), nameOf(owner)));
            }
        } else if (shown instanceof WorksElsewhere) {
            computer.setOfflineCause(null);
            if (computer.isLaunchSupported()) { // its controller is gone: whoever is first has it
                computer.connect(false);
            }
        }
    }
}
