package org.jenkinsci.remoting.protocol;

public abstract class NetworkLayer {
    public NetworkLayer(IOHub ioHub) {}
}
