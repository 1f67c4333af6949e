package org.jenkins.plugins.lockableresources;

import hudson.model.Run;
import java.util.List;

public class LockableResource {
    public LockableResource(String name) {
        throw new UnsupportedOperationException();
    }

    public String getName() {
        throw new UnsupportedOperationException();
    }

    public List<LockableResourceProperty> getProperties() {
        throw new UnsupportedOperationException();
    }

    public boolean isNodeResource() {
        throw new UnsupportedOperationException();
    }

    public long getQueueItemId() {
        throw new UnsupportedOperationException();
    }

    public String getQueueItemProject() {
        throw new UnsupportedOperationException();
    }

    public void setQueued(long queueItemId, String queueProjectName) {
        throw new UnsupportedOperationException();
    }

    public void unqueue() {
        throw new UnsupportedOperationException();
    }

    public Run<?, ?> getBuild() {
        throw new UnsupportedOperationException();
    }

    public void setBuild(Run<?, ?> lockedBy) {
        throw new UnsupportedOperationException();
    }
}
