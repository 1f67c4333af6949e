package jenkins.slaves.restarter;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import java.io.Serializable;

@SuppressWarnings("serial")
public abstract class SlaveRestarter implements ExtensionPoint, Serializable {
    SlaveRestarter() {}

    public abstract boolean canWork();

    public abstract void restart() throws Exception;

    public static ExtensionList<SlaveRestarter> all() {
        throw new UnsupportedOperationException();
    }
}
