package hudson;

import hudson.model.Saveable;
import org.kohsuke.stapler.StaplerProxy;

public abstract class Plugin implements Saveable, StaplerProxy {
    protected Plugin() {
        throw new UnsupportedOperationException();
    }

    public PluginWrapper getWrapper() {
        throw new UnsupportedOperationException();
    }

    public void start() throws Exception {
        throw new UnsupportedOperationException();
    }

    public void postInitialize() throws Exception {
        throw new UnsupportedOperationException();
    }

    public void stop() throws Exception {
        throw new UnsupportedOperationException();
    }
}
