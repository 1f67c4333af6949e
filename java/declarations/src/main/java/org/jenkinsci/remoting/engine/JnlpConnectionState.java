package org.jenkinsci.remoting.engine;

import hudson.remoting.Channel;
import hudson.remoting.ChannelBuilder;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import org.jenkinsci.remoting.protocol.impl.ConnectionRefusalException;

public class JnlpConnectionState {
    public JnlpConnectionState(
            Socket socket, List<? extends JnlpConnectionStateListener> listeners) {
        throw new UnsupportedOperationException();
    }

    public ChannelBuilder getChannelBuilder() {
        throw new UnsupportedOperationException();
    }

    public void fireBeforeProperties() throws ConnectionRefusalException {
        throw new UnsupportedOperationException();
    }

    public void fireAfterProperties(Map<String, String> properties)
            throws ConnectionRefusalException {
        throw new UnsupportedOperationException();
    }

    public void fireBeforeChannel(ChannelBuilder builder) {
        throw new UnsupportedOperationException();
    }

    public void fireAfterChannel(Channel channel) {
        throw new UnsupportedOperationException();
    }

    public void fireChannelClosed(IOException cause) {
        throw new UnsupportedOperationException();
    }

    public void fireAfterDisconnect() {
        throw new UnsupportedOperationException();
    }
}
