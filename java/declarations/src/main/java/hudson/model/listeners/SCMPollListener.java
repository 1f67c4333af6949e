package hudson.model.listeners;

import hudson.ExtensionPoint;
import hudson.model.AbstractProject;
import hudson.model.TaskListener;
import hudson.scm.PollingResult;

public abstract class SCMPollListener implements ExtensionPoint {
    public void onBeforePolling(AbstractProject<?, ?> project, TaskListener listener) {
        throw new UnsupportedOperationException();
    }

    public void onPollingSuccess(
            AbstractProject<?, ?> project, TaskListener listener, PollingResult result) {
        throw new UnsupportedOperationException();
    }

    public void onPollingFailed(
            AbstractProject<?, ?> project, TaskListener listener, Throwable exception) {
        throw new UnsupportedOperationException();
    }
}
