package io.jenkins.plugins.ha.agents;

import hudson.Extension;
import hudson.remoting.Capability;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.slaves.JnlpAgentReceiver;
import jenkins.slaves.RemotingVersionInfo;
import jenkins.util.HttpServletFilter;
import jenkins.websocket.WebSocketSession;
import jenkins.websocket.WebSockets;

/**
 * Where agents come in by WebSocket: one that works for this controller, or for none, core lets in;
 * one that works for another controller is passed on there, as is one of a cloud. Whom core would
 * refuse, core refuses. {@link AgentTcpDoor} is that of agents by TCP.
 */
@Extension
public final class AgentDoor implements HttpServletFilter {
    // Of the protocol between agents and controllers.
    static final String NAME = "Node-Name";
    static final String SECRET = "Secret-Key";
    static final String COOKIE = "Connection-Cookie";
    static final String CAPABILITY = "X-Remoting-Capability";
    private static final String MINIMUM_VERSION = "X-Remoting-Minimum-Version";

    /** Said by who passes on an agent that gets a new cookie with each connection. */
    static final String NEXT_COOKIE = "X-HA-Jenkins-Next-Cookie";

    private static final Logger LOGGER = Logger.getLogger(AgentDoor.class.getName());

    /** As core waits for an agent. */
    private static final long SEND_MINUTES = 5;

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response)
            throws IOException, ServletException {
        Membership membership = Membership.active().orElse(null);
        String path = RequestPath.of(request);
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
        AgentRoute route = AgentRoute.of(membership, name);
        if (route == null || !isSecretOf(name, secret)) {
            return false; // core says what is wrong
        }
        String given = request.getHeader(COOKIE);
        String cookie = given == null ? JnlpAgentReceiver.generateCookie() : given;
        AtomicReference<AgentRelay> relay = new AtomicReference<>();
        boolean passedOn = request.getHeader(AgentRoute.PASSED_ON) != null;
        try {
            boolean ours =
                    route.isOurs(
                            passedOn,
                            (owner, member) -> {
                                Map<String, String> headers = new LinkedHashMap<>();
                                for (String header : new String[] {NAME, SECRET, CAPABILITY}) {
                                    headers.put(header, request.getHeader(header));
                                }
                                headers.put(COOKIE, cookie);
                                relay.set(route.connect(owner, member, headers));
                            });
            if (ours) {
                String next = request.getHeader(NEXT_COOKIE);
                membership.agents().nextCookie(name, passedOn ? next : null);
                return false;
            }
        } catch (AgentRoute.ComeAgain e) {
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE, e.getMessage());
            return true;
        } catch (AgentRoute.RefusedByOwner e) {
            response.sendError(e.status(), e.getMessage());
            return true;
        }
        upgrade(relay.get(), cookie, request, response);
        return true;
    }

    private static void upgrade(
            AgentRelay relay,
            String cookie,
            HttpServletRequest request,
            HttpServletResponse response)
            throws IOException, ServletException {
        // The client hides what the owner answers; both controllers run the same Jenkins.
        response.setHeader(CAPABILITY, new Capability().toASCII());
        response.setHeader(
                MINIMUM_VERSION, RemotingVersionInfo.getMinimumSupportedVersion().toString());
        response.setHeader(COOKIE, cookie);
        boolean upgraded = false;
        try {
            WebSockets.upgradeResponse(new AgentSocket(relay), request, response);
            upgraded = true;
        } finally {
            if (!upgraded) {
                relay.end();
            }
        }
    }

    static boolean isSecretOf(String name, String secret) {
        return MessageDigest.isEqual(
                secret.getBytes(StandardCharsets.UTF_8),
                JnlpAgentReceiver.SLAVE_SECRET.mac(name).getBytes(StandardCharsets.UTF_8));
    }

    /** An agent's WebSocket that is passed on. */
    private static final class AgentSocket extends WebSocketSession
            implements AgentRelay.AgentSide {
        private final AgentRelay relay;

        AgentSocket(AgentRelay relay) {
            this.relay = relay;
        }

        @Override
        protected void opened() {
            relay.opened(this);
        }

        @Override
        protected void binary(byte[] payload, int offset, int length) {
            relay.fromAgent(ByteBuffer.wrap(payload, offset, length));
        }

        @Override
        protected void closed(int statusCode, String reason) {
            relay.end();
        }

        @Override
        protected void error(Throwable cause) {
            LOGGER.log(Level.FINE, "The relay of an agent fails", cause);
            relay.end();
        }

        @Override
        public void toAgent(byte[] message) throws IOException, InterruptedException {
            try {
                sendBinary(ByteBuffer.wrap(message)).get(SEND_MINUTES, TimeUnit.MINUTES);
            } catch (ExecutionException | TimeoutException e) {
                throw new IOException(e);
            }
        }

        @Override
        public void endAgent() throws IOException {
            close();
        }
    }
}
