package io.jenkins.plugins.ha.locks;

import hudson.model.Descriptor;
import hudson.model.Run;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jenkins.plugins.lockableresources.LockableResource;
import org.jenkins.plugins.lockableresources.LockableResourcesManager;
import org.jenkins.plugins.lockableresources.queue.QueuedContextStruct;

/** Fields of the plugin lockable-resources that it offers no way to. */
final class LockInternals {
    private final Field clazz;
    private final Field queue;
    private final Field resources;
    private final Field id;
    private final Field buildId;
    private final Field build;
    private final List<Field> ofResource = new ArrayList<>();

    LockInternals() throws ReflectiveOperationException {
        clazz = field(Descriptor.class, "clazz");
        queue = field(LockableResourcesManager.class, "queuedContexts");
        resources = field(LockableResourcesManager.class, "resources");
        id = field(QueuedContextStruct.class, "id");
        buildId = field(LockableResource.class, "buildExternalizableId");
        build = field(LockableResource.class, "build");
        for (Field field : LockableResource.class.getDeclaredFields()) {
            int modifiers = field.getModifiers();
            if (!Modifier.isStatic(modifiers)
                    && !Modifier.isFinal(modifiers)
                    && !Modifier.isTransient(modifiers)) {
                field.setAccessible(true);
                ofResource.add(field);
            }
        }
    }

    private static Field field(Class<?> type, String name) throws NoSuchFieldException {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** Who looks for the plugin's descriptor finds this one. */
    void pretend(Descriptor<?> ours, Class<?> theirs) throws IllegalAccessException {
        clazz.set(ours, theirs);
    }

    @SuppressWarnings("unchecked")
    List<QueuedContextStruct> queue(LockableResourcesManager manager) {
        return (List<QueuedContextStruct>) get(queue, manager);
    }

    void resources(LockableResourcesManager manager, List<LockableResource> all) {
        set(resources, manager, all);
    }

    void id(QueuedContextStruct entry, String value) {
        set(id, entry, value);
    }

    /** Id of the build that holds it; null when none does. */
    String holder(LockableResource resource) {
        return (String) get(buildId, resource);
    }

    /** The build that holds it, if it has been looked for already. */
    Run<?, ?> knownHolder(LockableResource resource) {
        return (Run<?, ?>) get(build, resource);
    }

    void holder(LockableResource resource, Run<?, ?> run) {
        set(build, resource, run);
    }

    /** Makes {@code present} say what {@code other} says; whoever has the object sees it. */
    void copy(LockableResource other, LockableResource present) {
        if (!Objects.equals(holder(other), holder(present))) {
            holder(present, null);
        }
        for (Field field : ofResource) {
            set(field, present, get(field, other));
        }
    }

    private static Object get(Field field, Object of) {
        try {
            return field.get(of);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void set(Field field, Object of, Object value) {
        try {
            field.set(of, value);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
