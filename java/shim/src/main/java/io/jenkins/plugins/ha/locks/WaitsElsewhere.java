package io.jenkins.plugins.ha.locks;

import hudson.model.Run;
import java.io.PrintStream;
import org.jenkins.plugins.lockableresources.queue.QueuedContextStruct;

/** A {@code lock} step of a Pipeline that does not run here, in the place where it waits. */
final class WaitsElsewhere extends QueuedContextStruct {
    private static final long serialVersionUID = 1L;

    private final transient StoredLocks.Waiter waiter;

    WaitsElsewhere(StoredLocks.Waiter waiter) {
        super(null, waiter.required, waiter.description, waiter.variable, waiter.priority);
        this.waiter = waiter;
    }

    StoredLocks.Waiter waiter() {
        return waiter;
    }

    @Override
    public String getId() {
        return waiter.id;
    }

    @Override
    public Run<?, ?> getBuild() {
        return LockHolders.find(waiter.build);
    }

    /** Who looks after those that are gone is {@link LockHolders}. */
    @Override
    public boolean isValid() {
        return true;
    }

    @Override
    public PrintStream getLogger() {
        return null;
    }

    @Override
    public String toString() {
        return "build: " + waiter.build + " resources: " + waiter.description + " id: " + waiter.id;
    }
}
