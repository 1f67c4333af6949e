package hudson.remoting;

import java.io.IOException;

public class Channel implements VirtualChannel {
    Channel() {}

    public void addListener(Channel.Listener listener) {
        throw new UnsupportedOperationException();
    }

    public boolean removeListener(Channel.Listener listener) {
        throw new UnsupportedOperationException();
    }

    public boolean isClosingOrClosed() {
        throw new UnsupportedOperationException();
    }

    public Object setProperty(Object key, Object value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <V, T extends Throwable> V call(Callable<V, T> callable)
            throws IOException, T, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public abstract static class Listener {
        public Listener() {
            throw new UnsupportedOperationException();
        }

        public void onClosed(Channel channel, IOException cause) {
            throw new UnsupportedOperationException();
        }
    }

    public enum Mode {
        BINARY,
        TEXT,
        NEGOTIATE
    }
}
