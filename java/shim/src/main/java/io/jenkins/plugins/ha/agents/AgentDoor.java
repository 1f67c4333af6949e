package io.jenkins.plugins.ha.agents;

import hudson.Extension;
import hudson.remoting.Capability;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.AgentOwner;
import io.jenkins.plugins.ha.bridge.CloudAgent;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.slaves.JnlpAgentReceiver;
import jenkins.slaves.RemotingVersionInfo;
import jenkins.util.HttpServletFilter;
import jenkins.websocket.WebSockets;

/**
 * Where agents come in by WebSocket: one that works for this controller, or for none, core lets in;
 * one that works for another controller is passed on there, as is one of a cloud. Whom core would
 * refuse, core refuses.
 */
@Extension
public final class AgentDoor implements HttpServletFilter {
    private static final Logger LOGGER = Logger.getLogger(AgentDoor.class.getName());

    // Of the protocol between agents and controllers.
    private static final String NAME = "Node-Name";
    private static final String SECRET = "Secret-Key";
    private static final String COOKIE = "Connection-Cookie";
    private static final String CAPABILITY = "X-Remoting-Capability";
    private static final String MINIMUM_VERSION = "X-Remoting-Minimum-Version";

    /** Set by who passes it on: nobody passes it on twice. */
    private static final String PASSED_ON = "X-HA-Jenkins-Passed-On-By";

    /**
     * How long an agent is kept waiting for its controller, which may have died: until then its
     * lease has ended. Less than agents wait for an answer.
     */
    private static final long PATIENCE_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.agentPatienceMillis", 15_000);

    private static final long AGAIN_MILLIS = 200;

    /** Each keeps a thread of the server. */
    private static final Semaphore WAITING = new Semaphore(40);

    private static final SecureRandom RANDOM = new SecureRandom();

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response)
            throws IOException, ServletException {
        Membership membership = Membership.active().orElse(null);
        String path = request.getRequestURI().substring(request.getContextPath().length());
        String name = request.getHeader(NAME);
        String secret = request.getHeader(SECRET);
        if (membership == null
                || !(path.equals("/wsagents/") || path.equals("/wsagents"))
                || name == null
                || secret == null
                || request.getHeader(CAPABILITY) == null
                || !"websocket".equalsIgnoreCase(request.getHeader("Upgrade"))) {
            return false;
        }
        boolean ofCloud = isAgentOfCloud(membership, name);
        SlaveComputer computer = PermanentAgents.computer(name);
        if (computer == null && !ofCloud
                || !isEqual(secret, JnlpAgentReceiver.SLAVE_SECRET.mac(name))) {
            return false; // core says what is wrong
        }
        if (!WAITING.tryAcquire()) {
            return comeAgain(response, name, "too many agents wait here for their controllers");
        }
        try {
            return letInOrPassOn(membership, request, response, name, ofCloud);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return comeAgain(response, name, "this controller is being shut down");
        } finally {
            WAITING.release();
        }
    }

    private static boolean letInOrPassOn(
            Membership membership,
            HttpServletRequest request,
            HttpServletResponse response,
            String name,
            boolean ofCloud)
            throws IOException, ServletException, InterruptedException {
        AgentOwners owners = membership.agents();
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        String why = "";
        do {
            if (membership.isLeaving()) {
                return comeAgain(response, name, "this controller is being shut down");
            }
            AgentOwner owner;
            try {
                owner = ofCloud ? ownerOfCloudAgent(membership, name) : owners.take(name);
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
                return false;
            }
            if (request.getHeader(PASSED_ON) != null) {
                return comeAgain(response, name, "it works for another controller since");
            }
            try {
                Member member = owners.reachable(owner).orElse(null);
                if (member != null) {
                    passOn(owners, owner, member, request, response);
                    return true;
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
                    response.sendError(e.status(), "refused by the agent's controller");
                    return true;
                }
                why = "its controller asks to come again";
            } catch (IOException e) {
                why = "its controller is not reached: " + e.getMessage();
            }
            Thread.sleep(AGAIN_MILLIS);
        } while (System.nanoTime() < until);
        return comeAgain(response, name, why);
    }

    /** Whether it is no node here, and the cluster knows it as one of a cloud. */
    private static boolean isAgentOfCloud(Membership membership, String name) {
        return Jenkins.get().getNode(name) == null
                && membership.clouds().slots().all().stream()
                        .anyMatch(agent -> agent.agent().equals(name));
    }

    /** Null while it is nobody's. One round trip. */
    private static AgentOwner ownerOfCloudAgent(Membership membership, String name) {
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

    private static boolean comeAgain(HttpServletResponse response, String name, String why)
            throws IOException {
        LOGGER.warning(() -> "The agent " + name + " is told to come again: " + why);
        response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE, "Come again: " + why);
        return true;
    }

    private static void passOn(
            AgentOwners owners,
            AgentOwner owner,
            Member member,
            HttpServletRequest request,
            HttpServletResponse response)
            throws IOException, ServletException {
        String cookie = request.getHeader(COOKIE);
        if (cookie == null) {
            byte[] bytes = new byte[32];
            RANDOM.nextBytes(bytes);
            cookie = HexFormat.of().formatHex(bytes);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (String header : new String[] {NAME, SECRET, CAPABILITY}) {
            headers.put(header, request.getHeader(header));
        }
        headers.put(COOKIE, cookie);
        headers.put(PASSED_ON, Membership.active().orElseThrow().identity().id());
        AgentRelay relay = owners.relays().connect(owner, addressOf(member), headers);
        // The client hides what the owner answers; both controllers run the same Jenkins.
        response.setHeader(CAPABILITY, new Capability().toASCII());
        response.setHeader(
                MINIMUM_VERSION, RemotingVersionInfo.getMinimumSupportedVersion().toString());
        response.setHeader(COOKIE, cookie);
        boolean upgraded = false;
        try {
            WebSockets.upgradeResponse(relay, request, response);
            upgraded = true;
        } finally {
            if (!upgraded) {
                relay.end();
            }
        }
    }

    private static URI addressOf(Member member) {
        String url = member.url().endsWith("/") ? member.url() : member.url() + "/";
        return URI.create(url.replaceFirst("^http", "ws") + "wsagents/");
    }

    private static boolean isEqual(String one, String other) {
        return MessageDigest.isEqual(
                one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }
}
