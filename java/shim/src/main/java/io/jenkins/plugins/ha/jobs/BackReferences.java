package io.jenkins.plugins.ha.jobs;

import hudson.model.Descriptor;
import hudson.model.Item;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Parts of an item that know the item they are part of: the views of a folder, the sources and the
 * factory of a multibranch project. When they are taken over from an object that was read on the
 * side, they must mean the item that Jenkins has.
 */
final class BackReferences {
    private final Object from;
    private final Object to;
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Deque<Object> open = new ArrayDeque<>();

    private BackReferences(Object from, Object to) {
        this.from = from;
        this.to = to;
    }

    /**
     * Whatever {@code from} consists of and means {@code from} means {@code to} from now on. What
     * is not written into a file is left alone: loading sets it.
     */
    static void redirect(Object from, Object to) throws ReflectiveOperationException {
        BackReferences references = new BackReferences(from, to);
        references.open.add(from);
        while (!references.open.isEmpty()) {
            references.look(references.open.remove());
        }
    }

    private void look(Object part) throws ReflectiveOperationException {
        if (part instanceof Collection<?> many) {
            many.forEach(this::follow);
        } else if (part instanceof Map<?, ?> map) {
            map.keySet().forEach(this::follow);
            map.values().forEach(this::follow);
        } else if (part.getClass().isArray()) {
            if (!part.getClass().getComponentType().isPrimitive()) {
                for (int i = 0; i < Array.getLength(part); i++) {
                    follow(Array.get(part, i));
                }
            }
        }
        for (Class<?> type = part.getClass(); type != null; type = type.getSuperclass()) {
            if (isJavas(type)) {
                return;
            }
            for (Field field : type.getDeclaredFields()) {
                int modifiers = field.getModifiers();
                if (Modifier.isStatic(modifiers)
                        || Modifier.isTransient(modifiers)
                        || field.getType().isPrimitive()) {
                    continue;
                }
                field.setAccessible(true);
                Object value = field.get(part);
                if (value == from && part != from) {
                    field.set(part, to);
                } else {
                    follow(value);
                }
            }
        }
    }

    private void follow(Object part) {
        if (part == null
                || part instanceof Item
                || part instanceof Descriptor<?>
                || part instanceof Enum<?>
                || part instanceof Class<?>
                || isJavas(part.getClass())
                        && !(part instanceof Collection<?>)
                        && !(part instanceof Map<?, ?>)
                        && !part.getClass().isArray()) {
            return;
        }
        if (seen.add(part)) {
            open.add(part);
        }
    }

    private static boolean isJavas(Class<?> type) {
        return type.getClassLoader() == null
                || type.getClassLoader() == ClassLoader.getPlatformClassLoader();
    }
}
