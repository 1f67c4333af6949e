package jenkins.security;

import hudson.remoting.Callable;

@SuppressWarnings("serial")
public abstract class MasterToSlaveCallable<V, T extends Throwable> implements Callable<V, T> {
    public MasterToSlaveCallable() {
        throw new UnsupportedOperationException();
    }
}
