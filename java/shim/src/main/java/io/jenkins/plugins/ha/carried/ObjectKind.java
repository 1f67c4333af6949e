package io.jenkins.plugins.ha.carried;

import hudson.ExtensionList;
import hudson.XmlFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import jenkins.model.Jenkins;

/** What one extension of a plugin saves that is no descriptor, such as the credentials. */
final class ObjectKind implements Kind {
    private final String className;

    ObjectKind(String className) {
        this.className = className;
    }

    @Override
    public void check(Path draft, String path) throws IOException {
        Object read = new XmlFile(Jenkins.XSTREAM2, draft.toFile()).read();
        if (read.getClass() != target().getClass()) {
            throw new IOException("it is of " + read.getClass().getName());
        }
    }

    @Override
    public void inForce(String path, String before, String now) throws IOException {
        Object target = target();
        new XmlFile(Jenkins.XSTREAM2, new File(Jenkins.get().getRootDir(), path)).unmarshal(target);
        RemovedElements.empty(target, before, now);
    }

    private Object target() throws IOException {
        try {
            Class<?> type = Jenkins.get().getPluginManager().uberClassLoader.loadClass(className);
            return ExtensionList.lookupSingleton(type);
        } catch (ClassNotFoundException | IllegalStateException e) {
            throw new IOException("the plugin with " + className + " is missing");
        }
    }
}
