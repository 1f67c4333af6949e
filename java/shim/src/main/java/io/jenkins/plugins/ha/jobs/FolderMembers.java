package io.jenkins.plugins.ha.jobs;

import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.TopLevelItem;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What is done with the folders of the plugin cloudbees-folder, which need not be installed: its
 * classes are reached by name, through the item at hand.
 */
final class FolderMembers {
    private static final Logger LOGGER = Logger.getLogger(FolderMembers.class.getName());
    private static final String FOLDER = "com.cloudbees.hudson.plugins.folder.AbstractFolder";
    private static final String COMPUTED =
            "com.cloudbees.hudson.plugins.folder.computed.ComputedFolder";
    private static final String COMPUTATION =
            "com.cloudbees.hudson.plugins.folder.computed.FolderComputation";

    /** What a scan that is under way works with, and onLoad makes anew. */
    private static final List<String> OF_A_SCAN =
            List.of(
                    "computation",
                    "currentObservationsLock",
                    "currentObservationsChanged",
                    "currentObservations");

    private FolderMembers() {}

    static boolean isFolder(Object item) {
        return ancestor(item.getClass(), FOLDER) != null;
    }

    static boolean isComputed(Object item) {
        return ancestor(item.getClass(), COMPUTED) != null;
    }

    /** The folder that this finding of children belongs to; null when it is something else. */
    static Item folderOfComputation(Object saved) {
        Class<?> type = ancestor(saved.getClass(), COMPUTATION);
        if (type == null) {
            return null;
        }
        try {
            return (Item) type.getMethod("getParent").invoke(saved);
        } catch (ReflectiveOperationException | ClassCastException e) {
            LOGGER.log(Level.FINE, "No folder", e);
            return null;
        }
    }

    /** Adds a child that was read from disk; no listener fires. */
    static void add(ItemGroup<?> folder, TopLevelItem child, String name) throws IOException {
        try {
            folder.getClass()
                    .getMethod("addLoadedChild", TopLevelItem.class, String.class)
                    .invoke(folder, child, name);
        } catch (InvocationTargetException e) {
            throw new IOException("The folder does not take it: " + e.getCause(), e);
        } catch (ReflectiveOperationException e) {
            throw new IOException("The folder does not take it", e);
        }
    }

    /** Takes a child out of a folder whose children are computed; false where that cannot be. */
    static boolean remove(Object folder, String child) {
        try {
            Object items = field(folder, FOLDER, "items").get(folder);
            return items instanceof Map<?, ?> map && map.remove(child) != null;
        } catch (ReflectiveOperationException e) {
            LOGGER.log(Level.WARNING, "The children of " + folder + " cannot be reached", e);
            return false;
        }
    }

    /** Where the folders of its children are. */
    static File children(Object folder) throws IOException {
        try {
            for (Class<?> type = folder.getClass(); type != null; type = type.getSuperclass()) {
                for (Method method : type.getDeclaredMethods()) {
                    if (method.getName().equals("getJobsDir") && method.getParameterCount() == 0) {
                        method.setAccessible(true);
                        return (File) method.invoke(folder);
                    }
                }
            }
            throw new NoSuchMethodException("getJobsDir");
        } catch (ReflectiveOperationException e) {
            throw new IOException("The children of the folder cannot be found: " + e, e);
        }
    }

    /** Runs the folder's onLoad so that it leaves its children, and a scan under way, alone. */
    static void loadAlone(Item folder, Loading loading) throws IOException {
        try {
            @SuppressWarnings("unchecked") // declared so in every version there is
            ThreadLocal<Boolean> reloading =
                    (ThreadLocal<Boolean>) field(folder, FOLDER, "reloadingThis").get(null);
            List<Field> fields = new ArrayList<>();
            List<Object> kept = new ArrayList<>();
            if (isComputed(folder)) {
                for (String name : OF_A_SCAN) {
                    Field field = field(folder, COMPUTED, name);
                    fields.add(field);
                    kept.add(field.get(folder));
                }
            }
            Boolean before = reloading.get();
            reloading.set(true);
            try {
                loading.run();
            } finally {
                reloading.set(before);
                for (int i = 0; i < fields.size(); i++) {
                    if (kept.get(i) != null) {
                        fields.get(i).set(folder, kept.get(i));
                    }
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new IOException(
                    "This version of the plugin cloudbees-folder is not known: " + e, e);
        }
    }

    /** What {@link #loadAlone} runs. */
    @FunctionalInterface
    interface Loading {
        void run() throws IOException;
    }

    /** Whether this controller scans it. */
    static boolean isComputing(Item folder) {
        if (folder == null || !isComputed(folder)) {
            return false;
        }
        try {
            Object computation = folder.getClass().getMethod("getComputation").invoke(folder);
            return (boolean) computation.getClass().getMethod("isBuilding").invoke(computation);
        } catch (ReflectiveOperationException e) {
            LOGGER.log(Level.FINE, "No scan is known of", e);
            return false;
        }
    }

    /** Whether no scan of it has ever come to an end, on whatever controller. */
    static boolean isUnscanned(Item folder) {
        try {
            Object computation = folder.getClass().getMethod("getComputation").invoke(folder);
            return computation.getClass().getMethod("getResult").invoke(computation) == null;
        } catch (ReflectiveOperationException e) {
            LOGGER.log(Level.FINE, "No scan is known of", e);
            return false;
        }
    }

    /** Reads again what the last scan found; not while one runs here. */
    static void loadComputation(Item folder) throws IOException {
        try {
            Object computation = folder.getClass().getMethod("getComputation").invoke(folder);
            if (!(boolean) computation.getClass().getMethod("isBuilding").invoke(computation)) {
                computation.getClass().getMethod("load").invoke(computation);
            }
        } catch (ReflectiveOperationException e) {
            throw new IOException("What the scan found cannot be read again: " + e, e);
        }
    }

    private static Field field(Object object, String type, String name)
            throws ReflectiveOperationException {
        Class<?> declaring = ancestor(object.getClass(), type);
        if (declaring == null) {
            throw new NoSuchFieldException(type + '.' + name);
        }
        Field field = declaring.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private static Class<?> ancestor(Class<?> of, String name) {
        for (Class<?> type = of; type != null; type = type.getSuperclass()) {
            if (type.getName().equals(name)) {
                return type;
            }
        }
        return null;
    }
}
