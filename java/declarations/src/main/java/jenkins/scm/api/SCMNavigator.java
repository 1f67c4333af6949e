package jenkins.scm.api;

import hudson.ExtensionPoint;
import hudson.model.AbstractDescribableImpl;
import java.io.IOException;

public abstract class SCMNavigator extends AbstractDescribableImpl<SCMNavigator>
        implements ExtensionPoint {
    protected SCMNavigator() {
        throw new UnsupportedOperationException();
    }

    protected abstract String id();

    public abstract void visitSources(SCMSourceObserver observer)
            throws IOException, InterruptedException;
}
