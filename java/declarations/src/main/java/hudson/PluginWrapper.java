package hudson;

import hudson.model.ModelObject;
import java.net.URL;

public class PluginWrapper implements ModelObject {
    public final ClassLoader classLoader = null;

    public final URL baseResourceURL = null;

    PluginWrapper() {}

    public String getShortName() {
        throw new UnsupportedOperationException();
    }

    public String getVersion() {
        throw new UnsupportedOperationException();
    }

    public boolean isActive() {
        throw new UnsupportedOperationException();
    }

    public boolean isEnabled() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }
}
