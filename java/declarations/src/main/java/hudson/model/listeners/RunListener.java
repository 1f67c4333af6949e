package hudson.model.listeners;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.Launcher;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import hudson.model.Environment;
import hudson.model.Job;
import hudson.model.Run;
import hudson.model.TaskListener;
import java.io.IOException;
import java.util.function.IntPredicate;

@SuppressWarnings("rawtypes")
public abstract class RunListener<R extends Run> implements ExtensionPoint {
    public final Class<R> targetType = null;

    protected RunListener() {
        throw new UnsupportedOperationException();
    }

    protected RunListener(Class<R> targetType) {
        throw new UnsupportedOperationException();
    }

    public void onInitialize(R run) {
        throw new UnsupportedOperationException();
    }

    public void onStarted(R run, TaskListener listener) {
        throw new UnsupportedOperationException();
    }

    public Environment setUpEnvironment(
            AbstractBuild build, Launcher launcher, BuildListener listener)
            throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public void onCompleted(R run, TaskListener listener) {
        throw new UnsupportedOperationException();
    }

    public void onFinalized(R run) {
        throw new UnsupportedOperationException();
    }

    public void onDeleted(R run) {
        throw new UnsupportedOperationException();
    }

    public boolean allowLoad(Job<?, ?> job, int buildNumber) {
        throw new UnsupportedOperationException();
    }

    public IntPredicate createLoadAllower(Job<?, ?> job) {
        throw new UnsupportedOperationException();
    }

    public static ExtensionList<RunListener> all() {
        throw new UnsupportedOperationException();
    }
}
