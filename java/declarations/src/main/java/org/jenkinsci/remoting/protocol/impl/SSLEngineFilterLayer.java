package org.jenkinsci.remoting.protocol.impl;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.jenkinsci.remoting.protocol.FilterLayer;

public class SSLEngineFilterLayer extends FilterLayer {
    public SSLEngineFilterLayer(SSLEngine engine, Listener listener) {
        throw new UnsupportedOperationException();
    }

    public interface Listener {
        void onHandshakeCompleted(SSLSession session) throws ConnectionRefusalException;
    }
}
