package hudson;

import hudson.model.ModelObject;
import java.util.List;
import org.kohsuke.stapler.StaplerProxy;

@SuppressWarnings("rawtypes")
public abstract class PluginManager implements StaplerProxy, ModelObject {
    public final ClassLoader uberClassLoader = null;

    PluginManager() {}

    public List<PluginWrapper> getPlugins() {
        throw new UnsupportedOperationException();
    }

    public List<PluginWrapper> getPlugins(Class<? extends Plugin> pluginSuperclass) {
        throw new UnsupportedOperationException();
    }

    public PluginWrapper getPlugin(Class<? extends Plugin> pluginClazz) {
        throw new UnsupportedOperationException();
    }

    public PluginWrapper getPlugin(String shortName) {
        throw new UnsupportedOperationException();
    }

    public PluginWrapper whichPlugin(Class type) {
        throw new UnsupportedOperationException();
    }
}
