package io.jenkins.plugins.ha.agents;

import hudson.ExtensionList;
import hudson.model.Computer;
import hudson.remoting.Channel;
import hudson.remoting.ChannelBuilder;
import io.jenkins.plugins.ha.Membership;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLSession;
import jenkins.slaves.JnlpAgentReceiver;
import org.jenkinsci.remoting.engine.JnlpConnectionState;
import org.jenkinsci.remoting.protocol.ProtocolStack;
import org.jenkinsci.remoting.protocol.impl.ChannelApplicationLayer;
import org.jenkinsci.remoting.protocol.impl.ConnectionHeadersFilterLayer;
import org.jenkinsci.remoting.protocol.impl.ConnectionRefusalException;
import org.jenkinsci.remoting.protocol.impl.SSLEngineFilterLayer;

/** One agent that has come by TCP, from its first word until it is gone. */
final class AgentArrival extends Channel.Listener
        implements SSLEngineFilterLayer.Listener,
                ConnectionHeadersFilterLayer.Listener,
                ChannelApplicationLayer.ChannelDecorator,
                ProtocolStack.Listener {
    private static final Logger LOGGER = Logger.getLogger(AgentArrival.class.getName());

    private final Membership membership;
    private final Socket socket;
    private final String nextCookie;
    private final JnlpConnectionState state;
    private final Layer layer;

    /** Set while it works for another controller. */
    private volatile AgentRoute route;

    private Map<String, String> said = Map.of();

    AgentArrival(Membership membership, Socket socket, String nextCookie) {
        this.membership = membership;
        this.socket = socket;
        this.nextCookie = nextCookie;
        this.state = new JnlpConnectionState(socket, ExtensionList.lookup(JnlpAgentReceiver.class));
        this.layer = new Layer(this, nextCookie);
    }

    /** Where its channel ends, or goes on to another controller. */
    ChannelApplicationLayer layer() {
        return layer;
    }

    @Override
    public void onHandshakeCompleted(SSLSession session) throws ConnectionRefusalException {
        state.fireBeforeProperties();
    }

    @Override
    public void onReceiveHeaders(Map<String, String> headers) throws ConnectionRefusalException {
        String name = headers.get(AgentDoor.NAME);
        String secret = headers.get(AgentDoor.SECRET);
        AgentRoute way = name == null ? null : AgentRoute.of(membership, name);
        if (way == null && (name == null || !JnlpAgentReceiver.exists(name))) {
            throw new ConnectionRefusalException("Unknown client name: " + name);
        }
        if (secret == null || !AgentDoor.isSecretOf(name, secret)) {
            LOGGER.log(
                    Level.WARNING,
                    "An agent that calls itself {0} comes from {1} with a wrong secret",
                    new Object[] {name, socket.getRemoteSocketAddress()});
            throw new ConnectionRefusalException("Authorization failure");
        }
        if (way != null) {
            try {
                if (!way.isOurs(false, (owner, member) -> {})) {
                    said = headers;
                    route = way;
                    return;
                }
            } catch (IOException e) {
                throw new ConnectionRefusalException(e.getMessage());
            }
            membership.agents().nextCookie(name, null);
        }
        state.fireAfterProperties(headers);
    }

    /** The relay; null when it has become this controller's meanwhile, and is let in. */
    private AgentRelay passOn(String capability) throws IOException {
        AgentRelay[] relay = {null};
        String cookie = said.get(AgentTcpDoor.COOKIE);
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put(AgentDoor.NAME, said.get(AgentDoor.NAME));
        headers.put(AgentDoor.SECRET, said.get(AgentDoor.SECRET));
        headers.put(AgentDoor.CAPABILITY, capability);
        headers.put(AgentDoor.COOKIE, cookie == null ? nextCookie : cookie);
        headers.put(AgentDoor.NEXT_COOKIE, nextCookie);
        AgentRoute way = route;
        if (way.isOurs(false, (owner, member) -> relay[0] = way.connect(owner, member, headers))) {
            state.fireAfterProperties(said);
            route = null;
        }
        return relay[0];
    }

    @Override
    public ChannelBuilder decorate(ChannelBuilder builder) {
        builder.withMode(Channel.Mode.NEGOTIATE);
        state.fireBeforeChannel(builder);
        return state.getChannelBuilder();
    }

    @Override
    public void onChannel(Channel channel) {
        channel.addListener(this);
        Computer.threadPoolForRemoting.execute(
                () -> {
                    if (!channel.isClosingOrClosed()) {
                        state.fireAfterChannel(channel);
                    }
                });
    }

    @Override
    public void onClosed(Channel channel, IOException cause) {
        state.fireChannelClosed(cause);
        channel.removeListener(this);
        close();
    }

    @Override
    public void onClosed(ProtocolStack<?> stack, IOException cause) {
        try {
            if (route == null) {
                state.fireAfterDisconnect();
            }
        } finally {
            layer.endRelay();
            close();
        }
    }

    private void close() {
        try {
            socket.close();
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "It is closed already", e);
        }
    }

    /** Core's, as long as the agent is not passed on. */
    private static final class Layer extends ChannelApplicationLayer
            implements AgentRelay.AgentSide {
        private final AgentArrival arrival;
        private final ByteArrayOutputStream greeting = new ByteArrayOutputStream();
        private volatile AgentRelay relay;
        private volatile boolean over;

        Layer(AgentArrival arrival, String cookie) {
            super(Computer.threadPoolForRemoting, arrival, cookie);
            this.arrival = arrival;
        }

        @Override
        public boolean isReadOpen() {
            return arrival.route == null ? super.isReadOpen() : !over;
        }

        @Override
        public void onRead(ByteBuffer data) throws IOException {
            if (arrival.route == null) {
                super.onRead(data);
                return;
            }
            while (relay == null && data.hasRemaining() && !over) {
                if (arrival.route == null) {
                    super.onRead(data);
                    return;
                }
                greet(data.get());
            }
            byte[] bytes = new byte[data.remaining()];
            data.get(bytes);
            if (bytes.length > 0 && !over) {
                relay.fromAgent(ByteBuffer.wrap(bytes));
            }
        }

        /** An agent begins with what it is capable of: two bytes of length and a text. */
        private void greet(byte next) throws IOException {
            greeting.write(next);
            byte[] all = greeting.toByteArray();
            if (all.length < 2 || all.length < 2 + ((all[0] & 0xff) << 8) + (all[1] & 0xff)) {
                return;
            }
            String capability = new String(all, 2, all.length - 2, StandardCharsets.US_ASCII);
            try {
                relay = arrival.passOn(capability);
            } catch (IOException e) {
                LOGGER.log(Level.FINE, "The agent is to come again", e);
                endAgent();
                return;
            }
            if (relay == null) {
                super.onRead(ByteBuffer.wrap(all));
            } else {
                relay.opened(this);
            }
        }

        @Override
        public void onReadClosed(IOException cause) {
            if (arrival.route == null) {
                super.onReadClosed(cause);
            } else {
                endRelay();
            }
        }

        void endRelay() {
            over = true;
            AgentRelay open = relay;
            if (open != null) {
                open.end();
            }
        }

        @Override
        public void toAgent(byte[] message) throws IOException {
            write(ByteBuffer.wrap(message));
        }

        @Override
        public void endAgent() throws IOException {
            over = true;
            try {
                doCloseWrite();
            } finally {
                arrival.close();
            }
        }
    }
}
