package org.jenkins.plugins.lockableresources;

public class LockableResourceProperty {
    public LockableResourceProperty() {
        throw new UnsupportedOperationException();
    }
}
