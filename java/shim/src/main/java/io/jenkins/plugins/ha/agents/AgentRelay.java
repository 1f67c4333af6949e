package io.jenkins.plugins.ha.agents;

import io.jenkins.plugins.ha.bridge.AgentOwner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * One agent's connection, passed on by WebSocket to the controller it works for. What one side
 * sends is read on when the other side has taken it. Ends with either side.
 */
final class AgentRelay {
    private static final Logger LOGGER = Logger.getLogger(AgentRelay.class.getName());

    /** As core waits for an agent. */
    private static final long SEND_MINUTES = 5;

    private final AgentOwner owner;
    private final Consumer<AgentRelay> ended;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile AgentSide agent;
    private WebSocket toOwner;

    /** The connection to the agent, whichever way it has come. */
    interface AgentSide {
        /** Returns when the agent may be sent more. */
        void toAgent(byte[] message) throws IOException, InterruptedException;

        /** Closes it; may be called when it is closed already. */
        void endAgent() throws IOException;
    }

    AgentRelay(AgentOwner owner, Consumer<AgentRelay> ended) {
        this.owner = owner;
        this.ended = ended;
    }

    AgentOwner owner() {
        return owner;
    }

    WebSocket.Listener ofOwner() {
        return new FromOwner();
    }

    void connected(WebSocket socket) {
        toOwner = socket;
    }

    /** Ends it at both sides; may be called twice. */
    void end() {
        if (over.compareAndSet(false, true)) {
            ended.accept(this);
            toOwner.abort();
            endAgent();
        }
    }

    private void endAgent() {
        AgentSide side = agent;
        if (side != null) {
            try {
                side.endAgent();
            } catch (IOException e) {
                LOGGER.log(Level.FINE, "The agent is gone already", e);
            }
        }
    }

    /** The agent can take something from now on. */
    void opened(AgentSide side) {
        agent = side;
        if (over.get()) {
            endAgent();
            return;
        }
        LOGGER.fine(() -> "The agent " + owner.agent() + " is relayed");
        toOwner.request(1);
    }

    /** Returns when the owner has taken it. */
    void fromAgent(ByteBuffer message) {
        try {
            toOwner.sendBinary(message, true).get(SEND_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException | TimeoutException e) {
            LOGGER.log(Level.FINE, "The owner of " + owner.agent() + " takes nothing more", e);
            end();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            end();
        }
    }

    private void toAgent(byte[] message) {
        try {
            agent.toAgent(message);
            toOwner.request(1);
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The agent " + owner.agent() + " takes nothing more", e);
            end();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            end();
        }
    }

    private final class FromOwner implements WebSocket.Listener {
        private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

        /** Nothing is asked for before the agent is there to take it. */
        @Override
        public void onOpen(WebSocket socket) {}

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            byte[] part = new byte[data.remaining()];
            data.get(part);
            if (last && begun.size() == 0) {
                toAgent(part);
                return null;
            }
            begun.writeBytes(part);
            if (last) {
                byte[] whole = begun.toByteArray();
                begun.reset();
                toAgent(whole);
            } else {
                socket.request(1);
            }
            return null;
        }

        @Override
        public CompletionStage<?> onPing(WebSocket socket, ByteBuffer message) {
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int statusCode, String reason) {
            end();
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            LOGGER.log(Level.FINE, "The owner of " + owner.agent() + " is gone", error);
            end();
        }
    }
}
