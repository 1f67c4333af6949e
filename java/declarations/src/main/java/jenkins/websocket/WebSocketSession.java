package jenkins.websocket;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Future;

public abstract class WebSocketSession {
    protected WebSocketSession() {
        throw new UnsupportedOperationException();
    }

    protected void opened() {
        throw new UnsupportedOperationException();
    }

    protected void closed(int statusCode, String reason) {
        throw new UnsupportedOperationException();
    }

    protected void error(Throwable cause) {
        throw new UnsupportedOperationException();
    }

    protected void binary(byte[] payload, int offset, int len) throws IOException {
        throw new UnsupportedOperationException();
    }

    protected final Future<Void> sendBinary(ByteBuffer data) throws IOException {
        throw new UnsupportedOperationException();
    }

    protected final void close() throws IOException {
        throw new UnsupportedOperationException();
    }
}
