package hudson.scm;

import hudson.model.Action;

public abstract class SCMRevisionState implements Action {
    public String getIconFileName() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public String getUrlName() {
        throw new UnsupportedOperationException();
    }
}
