package io.jenkins.plugins.ha.jobs;

import hudson.BulkChange;
import hudson.XmlFile;
import hudson.model.AbstractItem;
import hudson.model.AbstractProject;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Items;
import hudson.model.Job;
import hudson.model.JobProperty;
import hudson.model.RunMap;
import hudson.model.TopLevelItem;
import hudson.triggers.Trigger;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.regex.Pattern;
import jenkins.model.lazy.LazyBuildMixIn;
import jenkins.triggers.TriggeredItem;

/**
 * Puts a form of a job or folder, read from its config.xml, in force in the object that Jenkins
 * has: running builds, queue items and children go on with that object. The values are copied from
 * an object read on the side, so that nobody sees the item without them; no listener fires.
 */
@UsesByReflection({
    "field hudson.model.AbstractProject builds Lhudson/model/RunMap;",
    "field hudson.model.Job holdOffBuildUntilSave Z",
    "field hudson.model.Job holdOffBuildUntilUserSave Z",
    "field jenkins.model.lazy.LazyBuildMixIn builds Lhudson/model/RunMap;",
    "method hudson.model.JobProperty setOwner (Lhudson/model/Job;)V"
})
final class FormInPlace {
    /** An element that means one around it, perhaps the item itself. */
    private static final Pattern UPWARDS =
            Pattern.compile("<[^<>]* reference=\"(\\.\\./)*\\.\\.\"");

    private FormInPlace() {}

    /**
     * Puts it in force.
     *
     * @param fresh the item as read from {@code text}, not loaded
     */
    static void apply(AbstractItem item, Object fresh, String text, boolean heldOff)
            throws IOException {
        try {
            if (UPWARDS.matcher(text).find()) {
                BackReferences.redirect(fresh, item);
            }
            if (item instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy) {
                copyToJob((Job<?, ?>) item, lazy.getLazyBuildMixIn(), fresh);
            } else if (FolderMembers.isFolder(item)) {
                Object pristine = pristine(item);
                BackReferences.redirect(pristine, item);
                synchronized (item) {
                    stopTriggers(item);
                    copyFields(item, fresh, pristine);
                    FolderMembers.loadAlone(item, () -> load(item));
                }
            } else {
                anew(item);
            }
            if (item instanceof Job<?, ?> job) {
                hold(job, heldOff);
            }
        } catch (ReflectiveOperationException e) {
            throw new IOException("This version of Jenkins hides what is needed: " + e, e);
        }
    }

    /** Whether the job waits for a save before it is built. */
    static boolean heldOff(Object item) {
        return flag(item, "holdOffBuildUntilSave");
    }

    /** As {@link #heldOff}, once the save is over that listeners are hearing of just now. */
    static boolean heldOffAfterSave(Object item) {
        return flag(item, "holdOffBuildUntilUserSave");
    }

    private static boolean flag(Object item, String name) {
        try {
            return item instanceof Job<?, ?> job && field(Job.class, name).getBoolean(job);
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    /** The file does not say it. */
    static void hold(Job<?, ?> job, boolean heldOff) throws IOException {
        try {
            field(Job.class, "holdOffBuildUntilSave").setBoolean(job, heldOff);
        } catch (ReflectiveOperationException e) {
            throw new IOException("This version of Jenkins hides what is needed: " + e, e);
        }
    }

    static void stopTriggers(Object item) {
        if (item instanceof TriggeredItem triggered) {
            triggered.getTriggers().values().forEach(Trigger::stop);
        }
    }

    /**
     * Under the monitor under which Jenkins makes builds: none is made, and none is recognised,
     * while the job's list of builds is another one for a moment.
     */
    private static void copyToJob(Job<?, ?> job, LazyBuildMixIn<?, ?> mixin, Object fresh)
            throws IOException, ReflectiveOperationException {
        Object pristine = pristine(job);
        Method setOwner = JobProperty.class.getDeclaredMethod("setOwner", Job.class);
        setOwner.setAccessible(true);
        if (field(Job.class, "properties").get(fresh) instanceof Iterable<?> properties) {
            for (Object property : properties) {
                setOwner.invoke(property, job);
            }
        }
        synchronized (mixin) {
            synchronized (job) {
                RunMap<?> builds = mixin.getRunMap();
                int next = job.getNextBuildNumber();
                stopTriggers(job);
                copyFields(job, fresh, pristine);
                load(job);
                field(LazyBuildMixIn.class, "builds").set(mixin, builds);
                if (job instanceof AbstractProject<?, ?>) {
                    field(AbstractProject.class, "builds").set(job, builds);
                }
                if (job.getNextBuildNumber() < next) {
                    job.fastUpdateNextBuildNumber(next);
                }
            }
        }
    }

    /** For an item that cannot be copied to: as Jenkins itself does it, with null for a moment. */
    private static void anew(AbstractItem item) throws IOException {
        synchronized (item) {
            stopTriggers(item);
            new XmlFile(Items.XSTREAM, item.getConfigFile().getFile()).unmarshalNullingOut(item);
            load(item);
        }
    }

    private static void load(AbstractItem item) throws IOException {
        load(item, item.getParent(), item.getName());
    }

    /** Loads it; what that would save by the way, its file stays as it was written. */
    static void load(Item item, ItemGroup<? extends Item> parent, String name) throws IOException {
        BulkChange nothingSaved = new BulkChange(BulkChange.ALL);
        try {
            item.onLoad(parent, name);
        } finally {
            nothingSaved.abort();
        }
    }

    /** An item just made, for what a form does not mention; null where none can be made. */
    private static Object pristine(AbstractItem item) {
        return item instanceof TopLevelItem top
                ? top.getDescriptor().newInstance(item.getParent(), item.getName())
                : null;
    }

    /** What the file does not say is as in an item just made. */
    private static void copyFields(Object to, Object fresh, Object pristine)
            throws ReflectiveOperationException {
        for (Class<?> type = to.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                int modifiers = field.getModifiers();
                if (Modifier.isStatic(modifiers) || Modifier.isTransient(modifiers)) {
                    continue;
                }
                field.setAccessible(true);
                Object value = field.get(fresh);
                if (value == null && pristine != null) {
                    value = field.get(pristine);
                }
                field.set(to, value);
            }
        }
    }

    private static Field field(Class<?> type, String name) throws NoSuchFieldException {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }
}
