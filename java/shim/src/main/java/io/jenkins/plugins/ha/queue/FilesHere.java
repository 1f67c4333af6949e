package io.jenkins.plugins.ha.queue;

import hudson.FilePath;
import hudson.model.Action;
import hudson.model.FileParameterValue;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Node;
import hudson.model.ParameterValue;
import hudson.model.Queue;
import hudson.model.Run;
import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import jenkins.model.Jenkins;

/**
 * Finds out whether the actions of a build hold files of this controller, which another one does
 * not have: a {@link File}, a path, an upload, or, in the parameters that plugins bring, the name
 * of a file in this controller's home or its folder for temporary files. One use each.
 */
final class FilesHere {
    /** More than any plugin's parameters have; what has more travels. */
    private static final int MOST = 5000;

    private static final ClassValue<List<Field>> FIELDS =
            new ClassValue<>() {
                @Override
                protected List<Field> computeValue(Class<?> type) {
                    return fieldsOf(type);
                }
            };

    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Deque<Found> toSee = new ArrayDeque<>();

    /**
     * @param names whether a text may be the name of a file: not what a user typed
     */
    private record Found(Object value, boolean names) {}

    private FilesHere() {}

    static boolean in(List<Action> actions) {
        return new FilesHere().search(actions);
    }

    private boolean search(List<Action> actions) {
        actions.forEach(action -> toSee.add(new Found(action, false)));
        for (int count = 0; count < MOST && !toSee.isEmpty(); count++) {
            Found next = toSee.remove();
            if (isFile(next.value()) || next.names() && isNameOfFile(next.value())) {
                return true;
            }
            if (hasParts(next.value()) && seen.add(next.value()) && partIsFile(next)) {
                return true;
            }
        }
        return false;
    }

    /** Has its parts seen next; true when a part that is not stored with it is a file. */
    private boolean partIsFile(Found whole) {
        Object value = whole.value();
        boolean names = whole.names() || value instanceof ParameterValue && ofPlugin(value);
        if (value instanceof Collection<?> several) {
            several.forEach(one -> see(one, names));
        } else if (value instanceof Map<?, ?> map) {
            map.keySet().forEach(one -> see(one, names));
            map.values().forEach(one -> see(one, names));
        } else if (value instanceof Optional<?> maybe) {
            maybe.ifPresent(one -> see(one, names));
        } else if (value instanceof Object[] array) {
            Arrays.asList(array).forEach(one -> see(one, names));
        } else {
            for (Field field : FIELDS.get(value.getClass())) {
                Object part = get(field, value);
                if (!Modifier.isTransient(field.getModifiers())) {
                    see(part, names);
                } else if (part != null && isFile(part)) {
                    return true;
                }
            }
        }
        return false;
    }

    private void see(Object part, boolean names) {
        if (part != null) {
            toSee.add(new Found(part, names));
        }
    }

    private static boolean isFile(Object value) {
        return value instanceof File
                || value instanceof Path
                || value instanceof FilePath
                || value instanceof InputStream
                || value instanceof FileParameterValue
                || isUpload(value.getClass());
    }

    /** Both libraries for uploads call it so, and not every Jenkins has both. */
    private static boolean isUpload(Class<?> type) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            for (Class<?> some : at.getInterfaces()) {
                if (some.getSimpleName().equals("FileItem") || isUpload(some)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isNameOfFile(Object value) {
        if (!(value instanceof String name) || !name.startsWith(File.separator)) {
            return false;
        }
        String home = Jenkins.get().getRootDir().getAbsolutePath() + File.separator;
        String temporary = new File(System.getProperty("java.io.tmpdir")).getAbsolutePath();
        return (name.startsWith(home) || name.startsWith(temporary + File.separator))
                && new File(name).exists();
    }

    private static boolean ofPlugin(Object value) {
        return value.getClass().getClassLoader() != Jenkins.class.getClassLoader();
    }

    /** Jobs, builds and nodes are stored by their name. */
    private static boolean hasParts(Object value) {
        if (value instanceof Item
                || value instanceof ItemGroup
                || value instanceof Run
                || value instanceof Node
                || value instanceof Queue
                || value instanceof Queue.Item
                || value instanceof ClassLoader
                || value instanceof Enum) {
            return false;
        }
        return value instanceof Collection
                || value instanceof Map
                || value instanceof Optional
                || value instanceof Object[]
                || !value.getClass().isArray() && !ofJava(value.getClass());
    }

    private static boolean ofJava(Class<?> type) {
        return type.getName().startsWith("java.") || type.getName().startsWith("javax.");
    }

    private static List<Field> fieldsOf(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> at = type; at != null && !ofJava(at); at = at.getSuperclass()) {
            try {
                for (Field field : at.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())
                            && !field.getType().isPrimitive()
                            && field.trySetAccessible()) {
                        fields.add(field);
                    }
                }
            } catch (LinkageError e) {
                return fields; // a field of a plugin that is not there: nothing was put into it
            }
        }
        return fields;
    }

    private static Object get(Field field, Object of) {
        try {
            return field.get(of);
        } catch (IllegalAccessException e) {
            return null;
        }
    }
}
