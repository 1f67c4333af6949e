package org.jenkinsci.remoting.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;

public abstract class ApplicationLayer<T> {
    public ApplicationLayer() {
        throw new UnsupportedOperationException();
    }

    public abstract T get();

    public abstract boolean isReadOpen();

    public abstract void onRead(ByteBuffer data) throws IOException;

    public abstract void onReadClosed(IOException cause) throws IOException;

    public final void write(ByteBuffer data) throws IOException {
        throw new UnsupportedOperationException();
    }

    public final void doCloseWrite() throws IOException {
        throw new UnsupportedOperationException();
    }
}
