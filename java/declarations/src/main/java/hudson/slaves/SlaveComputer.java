package hudson.slaves;

import hudson.model.Computer;

public abstract class SlaveComputer extends Computer {
    SlaveComputer() {
        super(null);
    }

    public boolean isConnecting() {
        throw new UnsupportedOperationException();
    }
}
