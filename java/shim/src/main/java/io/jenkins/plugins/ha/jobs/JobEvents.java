package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Items;
import hudson.model.TopLevelItem;
import hudson.model.listeners.ItemListener;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.records.DeletedJobs;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.DirectlyModifiableTopLevelItemGroup;
import jenkins.model.Jenkins;

/**
 * Jobs that are created or deleted on one controller appear and vanish on the others: their files
 * are on the shared folder, so only the news travels. Configuration changes, renames and moves
 * still take a reload on the others.
 */
@Extension
@SuppressWarnings("try") // who acts is settled by having the context open
public final class JobEvents extends ItemListener {
    /** Announcements about jobs: the subject is the full name, the body what happened. */
    public static final String TOPIC = "job";

    private static final Logger LOGGER = Logger.getLogger(JobEvents.class.getName());
    private static final ThreadLocal<Boolean> APPLYING = ThreadLocal.withInitial(() -> false);

    @Override
    public void onCreated(Item item) {
        tell(item, "created");
    }

    @Override
    public void onCopied(Item source, Item item) {
        tell(item, "created");
    }

    @Override
    public void onDeleted(Item item) {
        tell(item, "deleted");
    }

    private static void tell(Item item, String what) {
        if (!(item instanceof TopLevelItem) || APPLYING.get()) {
            return;
        }
        String name = item.getFullName();
        Membership.active()
                .ifPresent(
                        membership ->
                                membership
                                        .outbound()
                                        .tell(
                                                what + " of " + name,
                                                cluster ->
                                                        cluster.announce(
                                                                TOPIC,
                                                                name,
                                                                0,
                                                                what.getBytes(
                                                                        StandardCharsets.UTF_8))));
    }

    /** Another controller created or deleted a job. */
    public static void announced(Event.Announcement announcement) {
        String name = announcement.subject();
        APPLYING.set(true);
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            switch (new String(announcement.body(), StandardCharsets.UTF_8)) {
                case "created" -> created(name);
                case "deleted" -> deleted(name);
                default -> LOGGER.fine(() -> "Unknown news of the job " + name);
            }
        } catch (IOException | RuntimeException e) {
            LOGGER.log(
                    Level.WARNING,
                    "Could not follow what happened to the job "
                            + name
                            + " on another controller; Manage Jenkins > Reload Configuration from"
                            + " Disk does",
                    e);
        } finally {
            APPLYING.remove();
        }
    }

    private static void created(String name) throws IOException {
        if (Jenkins.get().getItemByFullName(name) != null) {
            return;
        }
        int slash = name.lastIndexOf('/');
        String simple = name.substring(slash + 1);
        if (slash < 0) {
            File folder = new File(new File(Jenkins.get().getRootDir(), "jobs"), simple);
            Jenkins.get().add((TopLevelItem) Items.load(Jenkins.get(), folder), simple);
        } else if (Jenkins.get().getItemByFullName(name.substring(0, slash))
                instanceof ItemGroup<?> parent) {
            File folder = new File(new File(((Item) parent).getRootDir(), "jobs"), simple);
            addLoaded(parent, (TopLevelItem) Items.load(parent, folder), simple);
        }
        Jenkins.get().rebuildDependencyGraphAsync();
    }

    /** Folders come with a plugin that we do not depend on. */
    private static void addLoaded(ItemGroup<?> parent, TopLevelItem item, String name)
            throws IOException {
        try {
            parent.getClass()
                    .getMethod("addLoadedChild", TopLevelItem.class, String.class)
                    .invoke(parent, item, name);
        } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
            throw new IOException("The folder " + parent.getFullName() + " does not take it", e);
        }
    }

    private static void deleted(String name) throws IOException {
        DeletedJobs.elsewhere(name);
        Item item = Jenkins.get().getItemByFullName(name);
        if (item instanceof TopLevelItem top
                && item.getParent() instanceof DirectlyModifiableTopLevelItemGroup parent) {
            parent.remove(top); // not delete(): the files are gone, and the listeners have heard
            Jenkins.get().rebuildDependencyGraphAsync();
        }
    }
}
