package io.jenkins.plugins.ha.carried;

import hudson.XmlFile;
import hudson.model.Descriptor;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Set;
import jenkins.model.GlobalConfiguration;
import jenkins.model.Jenkins;

/** What a descriptor saves: global configurations, tools, the settings of a build step. */
@UsesByReflection("method hudson.model.Descriptor getConfigFile ()Lhudson/XmlFile;")
final class DescriptorKind implements Kind {
    private static final String XML = ".xml";

    private final Set<String> own;

    DescriptorKind(Set<String> own) {
        this.own = own;
    }

    @Override
    public Set<String> own() {
        return own;
    }

    @Override
    public void check(Path draft, String path) throws IOException {
        Descriptor<?> descriptor = descriptor(path);
        XmlFile file = new XmlFile(configFile(descriptor).getXStream(), draft.toFile());
        Object read = file.read();
        if (read.getClass() != descriptor.getClass()) {
            throw new IOException("it is of " + read.getClass().getName());
        }
    }

    @Override
    public void inForce(String path, String before, String now) throws IOException {
        Descriptor<?> descriptor = descriptor(path);
        descriptor.load();
        RemovedElements.empty(descriptor, before, now);
    }

    private static Descriptor<?> descriptor(String path) throws IOException {
        File file = new File(Jenkins.get().getRootDir(), path);
        String id = path.substring(0, path.length() - XML.length());
        Descriptor<?> named = Jenkins.get().getDescriptor(id);
        if (named != null && named.getId().equals(id) && isFileOf(named, file)) {
            return named;
        }
        for (GlobalConfiguration one : GlobalConfiguration.all()) {
            if (isFileOf(one, file)) {
                return one;
            }
        }
        throw new IOException(
                "nothing of this Jenkins has its settings there: a plugin is missing");
    }

    private static boolean isFileOf(Descriptor<?> descriptor, File file) throws IOException {
        XmlFile own = configFile(descriptor);
        return own != null && own.getFile().equals(file);
    }

    private static XmlFile configFile(Descriptor<?> descriptor) throws IOException {
        try {
            Method method = Descriptor.class.getDeclaredMethod("getConfigFile");
            method.setAccessible(true);
            return (XmlFile) method.invoke(descriptor);
        } catch (ReflectiveOperationException e) {
            throw new IOException(e);
        }
    }
}
