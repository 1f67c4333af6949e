package hudson.slaves;

import hudson.model.Computer;
import hudson.remoting.Channel;

public abstract class SlaveComputer extends Computer {
    SlaveComputer() {
        super(null);
    }

    public ComputerLauncher getDelegatedLauncher() {
        throw new UnsupportedOperationException();
    }

    public String getJnlpMac() {
        throw new UnsupportedOperationException();
    }

    public void setAcceptingTasks(boolean acceptingTasks) {
        throw new UnsupportedOperationException();
    }

    public Channel getChannel() {
        throw new UnsupportedOperationException();
    }

    public boolean isLaunchSupported() {
        throw new UnsupportedOperationException();
    }

    public boolean isConnecting() {
        throw new UnsupportedOperationException();
    }
}
