package hudson.slaves;

import hudson.ExtensionPoint;
import hudson.model.Computer;
import hudson.model.Describable;

public abstract class RetentionStrategy<T extends Computer>
        implements Describable<RetentionStrategy<?>>, ExtensionPoint {
    public static final RetentionStrategy<Computer> NOOP = null;

    public RetentionStrategy() {
        throw new UnsupportedOperationException();
    }

    public abstract long check(T c);

    public void start(T c) {
        throw new UnsupportedOperationException();
    }
}
