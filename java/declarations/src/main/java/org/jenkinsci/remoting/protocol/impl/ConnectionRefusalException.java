package org.jenkinsci.remoting.protocol.impl;

import java.io.IOException;

@SuppressWarnings("serial")
public class ConnectionRefusalException extends IOException {
    public ConnectionRefusalException(String message) {
        throw new UnsupportedOperationException();
    }
}
