package jenkins.scm.api;

import hudson.ExtensionPoint;
import hudson.model.AbstractDescribableImpl;

public abstract class SCMSource extends AbstractDescribableImpl<SCMSource>
        implements ExtensionPoint {
    protected SCMSource() {
        throw new UnsupportedOperationException();
    }
}
