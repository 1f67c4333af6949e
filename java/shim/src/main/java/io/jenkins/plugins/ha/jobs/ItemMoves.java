package io.jenkins.plugins.ha.jobs;

import hudson.model.AbstractItem;
import hudson.model.AbstractProject;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Job;
import hudson.model.RunMap;
import hudson.model.TopLevelItem;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jenkins.model.DirectlyModifiableTopLevelItemGroup;
import jenkins.model.Jenkins;
import jenkins.model.lazy.LazyBuildMixIn;

/**
 * Gives items the names and places that they were given elsewhere, as the same objects: builds that
 * run go on, and end under the new name. Nothing on disk is touched, no listener fires.
 */
@UsesByReflection({
    "field hudson.model.AbstractItem parent Lhudson/model/ItemGroup;",
    "method hudson.model.AbstractItem doSetName (Ljava/lang/String;)V"
})
final class ItemMoves {
    private ItemMoves() {}

    /**
     * Whether this item itself was renamed or moved, not one around it: core tells of all that is
     * in a folder, too.
     */
    static boolean isTopmost(String from, String to) {
        String oldParent = parentOf(from);
        return !simple(from).equals(simple(to))
                || oldParent.equals(parentOf(to))
                || oldParent.isEmpty()
                || Jenkins.get().getItemByFullName(oldParent) != null;
    }

    /** Old and new full names of the item, which has its new one, and of all in it. */
    static Map<String, String> names(Item item, String from) {
        Map<String, String> names = new LinkedHashMap<>();
        String to = item.getFullName();
        for (Item each : withAllIn(item)) {
            String name = each.getFullName();
            names.put(from + name.substring(to.length()), name);
        }
        return names;
    }

    /** Where an item of this name would be if no folder around it computes its children. */
    static File usualFolder(String name) {
        StringBuilder path = new StringBuilder();
        for (String part : name.split("/")) {
            path.append(path.isEmpty() ? "" : "/").append("jobs/").append(part);
        }
        return new File(Jenkins.get().getRootDir(), path.toString());
    }

    /** Gives the item its new name, in its new place. */
    static void move(AbstractItem item, String from, String to) throws IOException {
        try {
            if (parentOf(from).equals(parentOf(to))) {
                rename(item, simple(to));
            } else {
                relocate(item, parentOf(to), simple(to));
            }
        } catch (ReflectiveOperationException e) {
            throw new IOException("This version of Jenkins hides what is needed: " + e, e);
        }
        for (Item each : withAllIn(item)) {
            if (each instanceof Job<?, ?> job
                    && job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy) {
                LazyBuildMixIn<?, ?> mixin = lazy.getLazyBuildMixIn();
                synchronized (mixin) {
                    mixin.getRunMap().updateBaseDir(job.getBuildDir());
                }
            }
        }
    }

    @SuppressWarnings("unchecked") // it is an item of this very group
    private static void rename(AbstractItem item, String name)
            throws IOException, ReflectiveOperationException {
        ItemGroup<Item> parent = (ItemGroup<Item>) item.getParent();
        String before = item.getName();
        synchronized (parent) {
            synchronized (item) {
                setName(item, name);
                parent.onRenamed(item, before, name);
            }
        }
    }

    private static void relocate(AbstractItem item, String parentName, String name)
            throws IOException, ReflectiveOperationException {
        ItemGroup<?> parent =
                parentName.isEmpty()
                        ? Jenkins.get()
                        : Jenkins.get().getItemByFullName(parentName) instanceof ItemGroup<?> group
                                ? group
                                : null;
        if (!(parent instanceof DirectlyModifiableTopLevelItemGroup to)
                || !(item.getParent() instanceof DirectlyModifiableTopLevelItemGroup from)) {
            throw new IOException("There is no folder " + parentName + " here that takes items");
        }
        from.remove((TopLevelItem) item);
        if (item instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy) {
            LazyBuildMixIn<?, ?> mixin = lazy.getLazyBuildMixIn();
            synchronized (mixin) {
                synchronized (item) {
                    RunMap<?> builds = mixin.getRunMap();
                    FormInPlace.stopTriggers(item);
                    item.onLoad(to, name);
                    set(LazyBuildMixIn.class, "builds", mixin, builds);
                    if (item instanceof AbstractProject<?, ?>) {
                        set(AbstractProject.class, "builds", item, builds);
                    }
                }
            }
        } else {
            set(AbstractItem.class, "parent", item, to);
            setName(item, name);
        }
        to.add((TopLevelItem) item, name);
    }

    private static void setName(AbstractItem item, String name)
            throws ReflectiveOperationException {
        Method setName = AbstractItem.class.getDeclaredMethod("doSetName", String.class);
        setName.setAccessible(true);
        setName.invoke(item, name);
    }

    private static void set(Class<?> type, String name, Object of, Object value)
            throws ReflectiveOperationException {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        field.set(of, value);
    }

    private static List<Item> withAllIn(Item item) {
        List<Item> all = new ArrayList<>();
        all.add(item);
        if (item instanceof ItemGroup<?> group) {
            group.allItems().forEach(all::add);
        }
        return all;
    }

    private static String parentOf(String name) {
        int slash = name.lastIndexOf('/');
        return slash < 0 ? "" : name.substring(0, slash);
    }

    private static String simple(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }
}
