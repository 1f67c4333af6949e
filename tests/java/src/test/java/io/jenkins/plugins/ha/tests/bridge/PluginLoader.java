package io.jenkins.plugins.ha.tests.bridge;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Cluster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** The bridge in a class loader of its own, as Jenkins loads a plugin. */
final class PluginLoader extends URLClassLoader {
    private final String build;

    /**
     * @param build the build.properties to see instead of the real one, or null
     */
    PluginLoader(String build) {
        super(
                new URL[] {place(Cluster.class), place(BridgeDoor.class)},
                ClassLoader.getPlatformClassLoader());
        this.build = build;
    }

    @Override
    public InputStream getResourceAsStream(String name) {
        if (build != null && name.endsWith("/build.properties")) {
            return new ByteArrayInputStream(build.getBytes(StandardCharsets.UTF_8));
        }
        return super.getResourceAsStream(name);
    }

    /** Runs a task, which is loaded in this loader, with the system property set. */
    String run(Path library, Class<? extends Callable<String>> task) throws IOException {
        String before = System.getProperty("ha.jenkins.library");
        if (library == null) {
            System.clearProperty("ha.jenkins.library");
        } else {
            System.setProperty("ha.jenkins.library", library.toString());
        }
        try {
            Class<?> type = loadClass(task.getName());
            Object instance = type.getDeclaredConstructor().newInstance();
            return (String) type.getMethod("call").invoke(instance);
        } catch (InvocationTargetException e) {
            return "threw " + e.getCause();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        } finally {
            if (before == null) {
                System.clearProperty("ha.jenkins.library");
            } else {
                System.setProperty("ha.jenkins.library", before);
            }
        }
    }

    private static URL place(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }
}
