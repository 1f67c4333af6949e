package io.jenkins.plugins.ha.carried;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.HashSet;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What was set to nothing: XStream does not write it, and reading the file into an object leaves
 * the old value. So a field whose element is gone from the file is emptied. Only those: a field
 * that was never in the file may have a value that its class gave it.
 */
final class RemovedElements {
    private static final Logger LOGGER = Logger.getLogger(RemovedElements.class.getName());

    private RemovedElements() {}

    static void empty(Object target, String before, String now) {
        if (before.isEmpty()) {
            return;
        }
        Set<String> removed = new HashSet<>(XmlParts.of(before).names());
        removed.removeAll(XmlParts.of(now).names());
        for (String element : removed) {
            Field field = field(target.getClass(), element.replace("__", "_"));
            if (field == null
                    || field.getType().isPrimitive()
                    || Modifier.isStatic(field.getModifiers())
                    || Modifier.isTransient(field.getModifiers())) {
                continue;
            }
            try {
                field.setAccessible(true);
                field.set(target, null);
            } catch (ReflectiveOperationException | RuntimeException e) {
                LOGGER.log(Level.FINE, "Not emptied: " + field, e);
            }
        }
    }

    private static Field field(Class<?> type, String name) {
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            try {
                return one.getDeclaredField(name);
            } catch (NoSuchFieldException e) {
                continue;
            }
        }
        return null;
    }
}
