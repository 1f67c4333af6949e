package org.jenkinsci.remoting.protocol.impl;

import org.jenkinsci.remoting.protocol.FilterLayer;

public class AckFilterLayer extends FilterLayer {
    public AckFilterLayer() {
        throw new UnsupportedOperationException();
    }
}
