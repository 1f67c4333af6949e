package io.jenkins.plugins.ha.agents;

import hudson.Extension;
import hudson.ExtensionList;
import io.jenkins.plugins.ha.Membership;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import jenkins.AgentProtocol;
import jenkins.model.identity.InstanceIdentityProvider;
import jenkins.slaves.IOHubProvider;
import jenkins.slaves.JnlpAgentReceiver;
import jenkins.slaves.JnlpSlaveAgentProtocol4;
import org.jenkinsci.remoting.protocol.ProtocolStack;
import org.jenkinsci.remoting.protocol.impl.AckFilterLayer;
import org.jenkinsci.remoting.protocol.impl.ConnectionHeadersFilterLayer;
import org.jenkinsci.remoting.protocol.impl.NIONetworkLayer;
import org.jenkinsci.remoting.protocol.impl.SSLEngineFilterLayer;

/**
 * Where agents come in by TCP. Who it is an agent says inside of TLS only, so this stands in the
 * place of core's protocol, of the same layers: an agent of this controller is let in as core does
 * it, one that works for another is passed on there, as {@link AgentDoor} does it. All controllers
 * have the same identity, so an agent need not know to which it has come.
 */
@Extension(ordinal = 100)
public final class AgentTcpDoor extends AgentProtocol {
    /** Of the protocol; also a property of a channel. */
    static final String COOKIE = "JnlpAgentProtocol.cookie";

    @Override
    public String getName() {
        return "JNLP4-connect";
    }

    @Override
    public void handle(Socket socket) throws IOException, InterruptedException {
        Membership membership = Membership.active().orElse(null);
        SocketChannel channel = socket.getChannel();
        if (membership == null || channel == null) {
            ExtensionList.lookupSingleton(JnlpSlaveAgentProtocol4.class).handle(socket);
            return;
        }
        String cookie = JnlpAgentReceiver.generateCookie();
        AgentArrival arrival = new AgentArrival(membership, socket, cookie);
        ProtocolStack.on(
                        new NIONetworkLayer(
                                ExtensionList.lookupSingleton(IOHubProvider.class).getHub(),
                                channel,
                                channel))
                .filter(new AckFilterLayer())
                .filter(new SSLEngineFilterLayer(engine(socket), arrival))
                .filter(new ConnectionHeadersFilterLayer(Map.of(COOKIE, cookie), arrival))
                .named(getName() + " connection from " + socket.getRemoteSocketAddress())
                .listener(arrival)
                .build(arrival.layer());
    }

    private static SSLEngine engine(Socket socket) throws IOException {
        try {
            X509Certificate certificate = InstanceIdentityProvider.RSA.getCertificate();
            if (certificate == null) {
                throw new IOException(
                        "This controller has no identity, so agents by TCP cannot connect: install"
                                + " the plugin instance-identity");
            }
            char[] password = "password".toCharArray(); // it never leaves the memory
            KeyStore keys = KeyStore.getInstance(KeyStore.getDefaultType());
            keys.load(null, password);
            keys.setKeyEntry(
                    "jenkins",
                    InstanceIdentityProvider.RSA.getPrivateKey(),
                    password,
                    new X509Certificate[] {certificate});
            KeyManagerFactory managers =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            managers.init(keys, password);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(managers.getKeyManagers(), null, null);
            SSLEngine engine =
                    socket.getRemoteSocketAddress() instanceof InetSocketAddress from
                            ? context.createSSLEngine(from.getHostString(), from.getPort())
                            : context.createSSLEngine();
            engine.setUseClientMode(false);
            return engine;
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }
}
