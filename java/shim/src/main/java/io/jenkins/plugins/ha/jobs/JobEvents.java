package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import hudson.XmlFile;
import hudson.model.AbstractItem;
import hudson.model.Failure;
import hudson.model.Item;
import hudson.model.Saveable;
import hudson.model.TopLevelItem;
import hudson.model.listeners.ItemListener;
import hudson.model.listeners.SaveableListener;
import io.jenkins.plugins.ha.Membership;
import java.util.function.Consumer;

/**
 * Hears of what happens to jobs and folders here, whoever does it: first, because what other
 * listeners save of a new item comes after it.
 */
@Extension(ordinal = 1000)
public final class JobEvents extends ItemListener {
    /** Announcements about items. */
    public static final String TOPIC = ItemAnnouncer.TOPIC;

    @Override
    public void onCreated(Item item) {
        hear(item, items -> items.createdHere(item));
    }

    @Override
    public void onCopied(Item source, Item item) {
        hear(item, items -> items.createdHere(item));
    }

    @Override
    public void onCheckDelete(Item item) throws Failure, InterruptedException {
        if (item instanceof TopLevelItem && !SharedItems.isApplying()) {
            Membership membership = Membership.active().orElse(null);
            if (membership != null) {
                membership.items().deletions().askOthers(membership, item);
            }
        }
    }

    @Override
    public void onDeleted(Item item) {
        hear(item, items -> items.deletedHere(item));
    }

    /** Last, because until Jenkins' own listener has heard of it builds are looked for in vain. */
    @Extension(ordinal = -1000)
    public static final class Moves extends ItemListener {
        @Override
        public void onLocationChanged(Item item, String from, String to) {
            if (item instanceof TopLevelItem
                    && !SharedItems.isApplying()
                    && ItemMoves.isTopmost(from, to)) {
                Membership.active().ifPresent(m -> m.items().movedHere(m, item, from));
            }
        }
    }

    private static void hear(Item item, Consumer<SharedItems> what) {
        if (item instanceof TopLevelItem && !SharedItems.isApplying()) {
            Membership.active().map(Membership::items).ifPresent(what);
        }
    }

    /** Saves by any way: a page, the REST interface, a build, a plugin. */
    @Extension
    public static final class Saves extends SaveableListener {
        @Override
        public void onChange(Saveable saved, XmlFile file) {
            if (saved instanceof AbstractItem item
                    && file.getFile().getName().equals("config.xml")) {
                hear(item, items -> items.savedHere(item, file.getFile()));
                return;
            }
            Item folder = FolderMembers.folderOfComputation(saved);
            if (folder != null) {
                hear(folder, items -> items.computedHere(folder));
            }
        }
    }
}
