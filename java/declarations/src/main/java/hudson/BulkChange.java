package hudson;

import hudson.model.Saveable;
import java.io.Closeable;

public class BulkChange implements Closeable {
    public static final Saveable ALL = null;

    public BulkChange(Saveable saveable) {
        throw new UnsupportedOperationException();
    }

    public void abort() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
