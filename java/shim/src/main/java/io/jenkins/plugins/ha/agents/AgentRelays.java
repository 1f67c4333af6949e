package io.jenkins.plugins.ha.agents;

import io.jenkins.plugins.ha.bridge.AgentOwner;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * The connections of agents that reached this controller and are passed on to the one they work
 * for. Thread-safe.
 */
final class AgentRelays {
    private static final Duration CONNECT = Duration.ofSeconds(2);

    /** An owner that answers later is asked again, or gone. */
    private static final Duration HANDSHAKE = Duration.ofSeconds(4);

    private final Set<AgentRelay> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger threads = new AtomicInteger();

    /** Made with the first that is passed on: most controllers may never need it. */
    private HttpClient client;

    /** The owner does not want it, and has said why in its log. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        private final int status;

        Refused(int status) {
            super("it answers " + status);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /**
     * Connects to the owner in the agent's place.
     *
     * @param to the owner's address of agents
     * @throws Refused when the owner refuses it
     * @throws IOException when the owner is not reached
     */
    AgentRelay connect(AgentOwner owner, URI to, Map<String, String> headers) throws IOException {
        AgentRelay relay = new AgentRelay(owner, open::remove);
        WebSocket.Builder builder = client().newWebSocketBuilder().connectTimeout(HANDSHAKE);
        headers.forEach(builder::header);
        try {
            relay.connected(builder.buildAsync(to, relay.ofOwner()).join());
        } catch (CompletionException e) {
            if (e.getCause() instanceof WebSocketHandshakeException refused) {
                throw new Refused(refused.getResponse().statusCode());
            }
            throw new IOException(e.getCause());
        }
        open.add(relay);
        return relay;
    }

    /** How many there are. */
    int count() {
        return open.size();
    }

    void closeThose(Predicate<AgentOwner> of) {
        open.stream().filter(relay -> of.test(relay.owner())).forEach(AgentRelay::end);
    }

    void closeAll() {
        closeThose(owner -> true);
    }

    private synchronized HttpClient client() {
        if (client == null) {
            ExecutorService pool =
                    Executors.newCachedThreadPool(
                            work -> {
                                String name = "ha-jenkins-relay-" + threads.incrementAndGet();
                                Thread thread = new Thread(work, name);
                                thread.setDaemon(true);
                                return thread;
                            });
            client = HttpClient.newBuilder().connectTimeout(CONNECT).executor(pool).build();
        }
        return client;
    }
}
