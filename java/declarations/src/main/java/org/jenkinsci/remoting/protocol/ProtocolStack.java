package org.jenkinsci.remoting.protocol;

import java.io.IOException;

public class ProtocolStack<T> {
    ProtocolStack() {}

    public static Builder on(NetworkLayer network) {
        throw new UnsupportedOperationException();
    }

    public static class Builder {
        Builder() {}

        public Builder filter(FilterLayer filter) {
            throw new UnsupportedOperationException();
        }

        public Builder named(String name) {
            throw new UnsupportedOperationException();
        }

        public Builder listener(Listener listener) {
            throw new UnsupportedOperationException();
        }

        public <T> ProtocolStack<T> build(ApplicationLayer<T> application) throws IOException {
            throw new UnsupportedOperationException();
        }
    }

    public interface Listener {
        void onClosed(ProtocolStack<?> stack, IOException cause);
    }
}
