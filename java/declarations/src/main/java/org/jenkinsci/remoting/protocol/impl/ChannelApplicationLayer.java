package org.jenkinsci.remoting.protocol.impl;

import hudson.remoting.Channel;
import hudson.remoting.ChannelBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.jenkinsci.remoting.protocol.ApplicationLayer;

public class ChannelApplicationLayer extends ApplicationLayer<Future<Channel>> {
    public ChannelApplicationLayer(
            ExecutorService executorService, Listener listener, String cookie) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Future<Channel> get() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isReadOpen() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void onRead(ByteBuffer data) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public void onReadClosed(IOException cause) {
        throw new UnsupportedOperationException();
    }

    public interface Listener {
        void onChannel(Channel channel);
    }

    public interface ChannelDecorator extends Listener {
        ChannelBuilder decorate(ChannelBuilder builder);
    }
}
