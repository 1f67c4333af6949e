package org.jenkinsci.remoting.protocol.impl;

import java.util.Map;
import org.jenkinsci.remoting.protocol.FilterLayer;

public class ConnectionHeadersFilterLayer extends FilterLayer {
    public ConnectionHeadersFilterLayer(Map<String, String> headers, Listener listener) {
        throw new UnsupportedOperationException();
    }

    public interface Listener {
        void onReceiveHeaders(Map<String, String> headers) throws ConnectionRefusalException;
    }
}
