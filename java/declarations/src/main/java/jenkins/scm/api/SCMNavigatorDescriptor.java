package jenkins.scm.api;

import hudson.model.Descriptor;

public abstract class SCMNavigatorDescriptor extends Descriptor<SCMNavigator> {
    protected SCMNavigatorDescriptor(Class<? extends SCMNavigator> clazz) {
        throw new UnsupportedOperationException();
    }

    public SCMNavigator newInstance(String name) {
        throw new UnsupportedOperationException();
    }
}
