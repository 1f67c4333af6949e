package org.jenkinsci.remoting.protocol.impl;

import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.jenkinsci.remoting.protocol.IOHub;
import org.jenkinsci.remoting.protocol.NetworkLayer;

public class NIONetworkLayer extends NetworkLayer {
    public NIONetworkLayer(IOHub ioHub, ReadableByteChannel in, WritableByteChannel out) {
        super(ioHub);
        throw new UnsupportedOperationException();
    }
}
