package org.jenkins.plugins.lockableresources.actions;

import hudson.model.Run;
import java.util.List;

public class LockedResourcesBuildAction {
    LockedResourcesBuildAction() {
        throw new UnsupportedOperationException();
    }

    public void addUsedResources(List<String> resourceNames) {
        throw new UnsupportedOperationException();
    }

    public static LockedResourcesBuildAction findAndInitAction(Run<?, ?> build) {
        throw new UnsupportedOperationException();
    }
}
