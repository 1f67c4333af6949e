package hudson.model;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import java.io.IOException;
import org.kohsuke.stapler.StaplerProxy;

public abstract class AdministrativeMonitor implements ExtensionPoint, StaplerProxy, ModelObject {
    public final String id = null;

    protected AdministrativeMonitor() {
        throw new UnsupportedOperationException();
    }

    protected AdministrativeMonitor(String id) {
        throw new UnsupportedOperationException();
    }

    public String getUrl() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public abstract boolean isActivated();

    public boolean isEnabled() {
        throw new UnsupportedOperationException();
    }

    public void disable(boolean value) throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean isSecurity() {
        throw new UnsupportedOperationException();
    }

    public static ExtensionList<AdministrativeMonitor> all() {
        throw new UnsupportedOperationException();
    }

    public Object getTarget() {
        throw new UnsupportedOperationException();
    }
}
