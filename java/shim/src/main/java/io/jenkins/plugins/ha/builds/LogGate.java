package io.jenkins.plugins.ha.builds;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * A build's log that takes nothing while it is not open: what a controller still writes that has
 * lost the build is dropped. As thread-safe as the stream behind it.
 */
abstract class LogGate extends FilterOutputStream {
    LogGate(OutputStream out) {
        super(out);
    }

    /** Asked before each write; does not block for long. */
    abstract boolean open();

    @Override
    public final void write(int b) throws IOException {
        if (open()) {
            out.write(b);
        }
    }

    @Override
    public final void write(byte[] bytes, int from, int length) throws IOException {
        if (open()) {
            out.write(bytes, from, length);
        }
    }
}
