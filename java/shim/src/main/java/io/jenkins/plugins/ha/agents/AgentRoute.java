package io.jenkins.plugins.ha.agents;

import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.AgentOwner;
import io.jenkins.plugins.ha.bridge.CloudAgent;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Where an agent goes that comes in here, by whatever way: to this controller, if it works for it
 * or for none, else to the one it works for. One that works for a controller that does not answer
 * is kept waiting until that one's lease has ended.
 */
final class AgentRoute {
    /** Said by who passes an agent on: nobody passes it on twice. */
    static final String PASSED_ON = "X-HA-Jenkins-Passed-On-By";

    private static final Logger LOGGER = Logger.getLogger(AgentRoute.class.getName());

    /**
     * How long an agent is kept waiting for its controller, which may have died: until then its
     * lease has ended. Less than agents wait for an answer.
     */
    private static final long PATIENCE_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.agentPatienceMillis", 15_000);

    private static final long AGAIN_MILLIS = 200;

    /** Each keeps a thread of the server. */
    private static final Semaphore WAITING = new Semaphore(40);

    private final Membership membership;
    private final String name;
    private final boolean ofCloud;

    /** The agent is to come again, later. */
    static final class ComeAgain extends IOException {
        private static final long serialVersionUID = 1L;

        ComeAgain(String why) {
            super(why);
        }
    }

    /** The owner refuses it; its log says why. */
    static final class RefusedByOwner extends IOException {
        private static final long serialVersionUID = 1L;

        private final int status;

        RefusedByOwner(int status) {
            super("refused by the agent's controller");
            this.status = status;
        }

        /** As the owner answers it. */
        int status() {
            return status;
        }
    }

    /** Passes an agent on. */
    interface PassingOn {
        /**
         * Called with the agent's owner that can be reached; again after an {@link IOException}.
         */
        void to(AgentOwner owner, Member member) throws IOException;
    }

    private AgentRoute(Membership membership, String name, boolean ofCloud) {
        this.membership = membership;
        this.name = name;
        this.ofCloud = ofCloud;
    }

    /** Null for an agent that is not the cluster's to lead: core lets it in, or refuses it. */
    static AgentRoute of(Membership membership, String name) {
        boolean ofCloud = isAgentOfCloud(membership, name);
        SlaveComputer computer = PermanentAgents.computer(name);
        return computer == null && !ofCloud ? null : new AgentRoute(membership, name, ofCloud);
    }

    /**
     * Whether it is this controller's, and is so from now on; else it has been passed on. Blocks
     * for some seconds at the most.
     *
     * @param passedOn whether another controller has led it here
     */
    boolean isOurs(boolean passedOn, PassingOn passing) throws ComeAgain, RefusedByOwner {
        if (!WAITING.tryAcquire()) {
            throw comeAgain("too many agents wait here for their controllers");
        }
        try {
            return find(passedOn, passing);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw comeAgain("this controller is being shut down");
        } finally {
            WAITING.release();
        }
    }

    private boolean find(boolean passedOn, PassingOn passing)
            throws ComeAgain, RefusedByOwner, InterruptedException {
        AgentOwners owners = membership.agents();
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        String why;
        do {
            if (membership.isLeaving()) {
                throw comeAgain("this controller is being shut down");
            }
            AgentOwner owner;
            try {
                owner = ofCloud ? ownerOfCloudAgent() : owners.take(name);
            } catch (HaException e) {
                why = e.getMessage();
                membership.cluster().awaitJoined(AGAIN_MILLIS);
                Thread.sleep(AGAIN_MILLIS);
                continue;
            }
            if (owner == null) {
                why = "its controller is gone, or has let go of it";
                Thread.sleep(AGAIN_MILLIS);
                continue;
            }
            if (owners.isUs(owner)) {
                return true;
            }
            if (passedOn) {
                throw comeAgain("it works for another controller since");
            }
            try {
                Member member = owners.reachable(owner).orElse(null);
                if (member != null) {
                    passing.to(owner, member);
                    return false;
                }
                why = "its controller has no address of its own, or is gone";
            } catch (HaException e) {
                why = e.getMessage();
            } catch (AgentRelays.Refused e) {
                if (e.status() != HttpServletResponse.SC_SERVICE_UNAVAILABLE) {
                    LOGGER.warning(
                            () ->
                                    "The agent "
                                            + name
                                            + " is refused by the controller "
                                            + owners.nameOf(owner)
                                            + " that has it ("
                                            + e.status()
                                            + "): that controller's log says why");
                    throw new RefusedByOwner(e.status());
                }
                why = "its controller asks to come again";
            } catch (IOException e) {
                why = "its controller is not reached: " + e.getMessage();
            }
            Thread.sleep(AGAIN_MILLIS);
        } while (System.nanoTime() < until);
        throw comeAgain(why);
    }

    private ComeAgain comeAgain(String why) {
        LOGGER.warning(() -> "The agent " + name + " is told to come again: " + why);
        return new ComeAgain("Come again: " + why);
    }

    /** Connects to the owner in the agent's place, with these headers. */
    AgentRelay connect(AgentOwner owner, Member member, Map<String, String> headers)
            throws IOException {
        headers.put(PASSED_ON, membership.identity().id());
        String url = member.url().endsWith("/") ? member.url() : member.url() + "/";
        URI address = URI.create(url.replaceFirst("^http", "ws") + "wsagents/");
        return membership.agents().relays().connect(owner, address, headers);
    }

    /** Whether it is no node here, and the cluster knows it as one of a cloud. */
    private static boolean isAgentOfCloud(Membership membership, String name) {
        return Jenkins.get().getNode(name) == null
                && membership.clouds().slots().all().stream()
                        .anyMatch(agent -> agent.agent().equals(name));
    }

    /** Null while it is nobody's. One round trip. */
    private AgentOwner ownerOfCloudAgent() {
        boolean here = Jenkins.get().getNode(name) != null;
        for (CloudAgent agent : membership.cluster().cloudAgents()) {
            if (agent.agent().equals(name)) {
                AgentOwner owner = new AgentOwner(name, agent.controllerId(), agent.epoch());
                boolean ours = membership.agents().isUs(owner);
                return agent.alive() && (here || !ours) ? owner : null;
            }
        }
        return null;
    }
}
