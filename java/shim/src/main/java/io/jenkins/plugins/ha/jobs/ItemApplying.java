package io.jenkins.plugins.ha.jobs;

import hudson.model.AbstractItem;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Job;
import hudson.model.TopLevelItem;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.builds.ForeignBuilds;
import io.jenkins.plugins.ha.history.FormHistory;
import io.jenkins.plugins.ha.queue.RevisedItems;
import io.jenkins.plugins.ha.records.DeletedJobs;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import jenkins.model.DirectlyModifiableTopLevelItemGroup;
import jenkins.model.Jenkins;
import jenkins.model.queue.ItemDeletion;

/**
 * Makes Jenkins' items what the shared folder says they are; no listener fires, nothing is written.
 * One thread, as SYSTEM.
 */
final class ItemApplying {
    private static final Logger LOGGER = Logger.getLogger(ItemApplying.class.getName());

    private final KnownForms forms;
    private final UnreadableItems unreadable;
    private final FormHistory history;
    private final ForeignBuilds builds;

    ItemApplying(
            KnownForms forms,
            UnreadableItems unreadable,
            FormHistory history,
            ForeignBuilds builds) {
        this.forms = forms;
        this.unreadable = unreadable;
        this.history = history;
        this.builds = builds;
    }

    /**
     * The item in this folder has been made or changed.
     *
     * @return false when the file is not there: not yet, or no more
     * @throws IOException when it cannot be put in force; what was stays
     */
    boolean present(String name, File folder, boolean heldOff) throws IOException {
        return present(name, folder, heldOff, "");
    }

    /**
     * As {@link #present(String, File, boolean)}.
     *
     * @param told hash of the form that another controller says it wrote
     */
    boolean present(String name, File folder, boolean heldOff, String told) throws IOException {
        File file = new File(folder, "config.xml");
        if (!file.exists()) {
            return false;
        }
        Item item = Jenkins.get().getItemByFullName(name);
        if (item != null && !item.getRootDir().equals(folder)) {
            return true; // another one by now; its own news tell
        }
        KnownForms.Form known = forms.of(folder);
        String stamp = KnownForms.stamp(file);
        byte[] bytes = Files.readAllBytes(file.toPath());
        KnownForms.Form now = KnownForms.form(stamp, bytes, heldOff);
        if (item != null
                && known != null
                && known.hash().equals(now.hash())
                && known.heldOff() == heldOff
                && !(known.own() && known.hash().equals(told))) {
            forms.replace(folder, known, known.restamped(stamp));
            unreadable.clear(name);
            return true;
        }
        ItemForm form;
        try {
            form = ItemForm.of(bytes, now);
        } catch (ItemForm.Unreadable e) {
            unreadable.mark(name, file, now.hash(), e);
            return true;
        }
        if (item != null && !form.item().getClass().equals(item.getClass())) {
            gone(name, item);
            item = null;
        }
        if (item == null) {
            load(name, folder, form, heldOff);
        } else {
            FormInPlace.apply((AbstractItem) item, form.item(), form.text(), heldOff);
            RevisedItems.of(name);
        }
        String before = known == null ? "" : known.hash();
        boolean toldOf = !told.isEmpty() && !told.equals(before);
        if (!toldOf && !before.equals(now.hash())) {
            history.found(name, before, bytes);
        }
        forms.note(folder, form.form());
        unreadable.clear(name);
        return true;
    }

    /** Jenkins has loaded this item by itself: its file is the form in force here. */
    KnownForms.Form loaded(String name, File folder, boolean heldOff) throws IOException {
        KnownForms.Form form = KnownForms.read(new File(folder, "config.xml"), heldOff);
        posted(name, folder, form);
        return form;
    }

    /**
     * Jenkins has put a form in force here that it did not write itself. Where it has left out what
     * a controller with more plugins reads, it is no form that may be saved over.
     */
    void posted(String name, File folder, KnownForms.Form form) {
        try {
            ItemForm.of(form.bytes(), form);
        } catch (ItemForm.Unreadable e) {
            if (Membership.active().map(m -> m.topology().morePluginsElsewhere()).orElse(false)) {
                unreadable.mark(name, new File(folder, "config.xml"), form.hash(), e);
                return;
            }
        }
        forms.note(folder, form);
        unreadable.clear(name);
    }

    /** An item that nobody told of is in this folder; whether it is here now. */
    boolean found(ItemGroup<?> parent, File folder) throws IOException {
        File file = new File(folder, "config.xml");
        String around = parent.getFullName();
        String prefix = around.isEmpty() ? "" : around + "/";
        if (unreadable.reason(prefix + folder.getName()) != null) {
            return false;
        }
        ItemForm form;
        try {
            form = ItemForm.read(file, false);
        } catch (ItemForm.Unreadable e) {
            unreadable.mark(
                    prefix + folder.getName(), file, KnownForms.read(file, false).hash(), e);
            return false;
        }
        String name = prefix + nameOf(parent, folder, (Item) form.item());
        Item there = Jenkins.get().getItemByFullName(name);
        if (there != null) {
            if (!there.getRootDir().equals(folder)) {
                unreadable.mark(
                        name,
                        file,
                        form.form().hash(),
                        new IOException(
                                "to Jenkins its name is that of "
                                        + there.getFullName()
                                        + ", which lies in another folder; delete one, or give it"
                                        + " another name"));
            }
            return false;
        }
        LOGGER.info(() -> name + " is on the shared folder, so it is loaded here, too");
        return present(name, folder, false);
    }

    @SuppressWarnings("unchecked") // the item is one that this group loads itself
    private static String nameOf(ItemGroup<?> parent, File folder, Item item) {
        return ((ItemGroup<Item>) parent).getItemName(folder, item);
    }

    /** The item has been deleted; if one of its name was made anew, it is loaded. */
    void deleted(String name, File folder) throws IOException {
        Item item = Jenkins.get().getItemByFullName(name);
        if (item != null) {
            gone(name, item);
        }
        forms.forget(folder);
        unreadable.clear(name);
        DeletedJobs.elsewhere(name);
        present(name, folder, false);
    }

    /** The item has another name, or is in another folder. */
    boolean moved(String from, String to, File folder) throws IOException {
        Item item = Jenkins.get().getItemByFullName(from);
        Item there = Jenkins.get().getItemByFullName(to);
        if (item != null
                && there != null
                && there.getRootDir().equals(folder)
                && !new File(item.getRootDir(), "config.xml").exists()) {
            gone(to, there); // loaded from the new place before this was heard
            there = null;
        }
        if (item == null || there != null) {
            return present(to, folder, false);
        }
        File before = item.getRootDir();
        // before anything is looked for under the new name
        builds.renameJobs(from, to);
        ItemMoves.move((AbstractItem) item, from, to);
        forms.move(before, folder);
        unreadable.clear(from);
        return present(to, folder, FormInPlace.heldOff(item));
    }

    /** The scan of a computed folder has ended elsewhere. */
    void computed(String name) throws IOException {
        Item item = Jenkins.get().getItemByFullName(name);
        if (item != null && FolderMembers.isComputed(item)) {
            FolderMembers.loadComputation(item);
        }
    }

    private void load(String name, File folder, ItemForm form, boolean heldOff) throws IOException {
        int slash = name.lastIndexOf('/');
        ItemGroup<?> parent = Jenkins.get();
        if (slash >= 0) {
            Item around = Jenkins.get().getItemByFullName(name.substring(0, slash));
            if (around == null) {
                // with all that is in it, so with this one
                present(name.substring(0, slash), folder.getParentFile().getParentFile(), false);
                return;
            }
            if (!(around instanceof ItemGroup<?> group)) {
                throw new IOException(around.getFullName() + " is no folder here");
            }
            parent = group;
        }
        TopLevelItem item = (TopLevelItem) form.item();
        String simple = name.substring(slash + 1);
        FormInPlace.load(item, parent, simple);
        if (item instanceof Job<?, ?> job) {
            FormInPlace.hold(job, heldOff);
        }
        if (parent instanceof Jenkins jenkins) {
            jenkins.add(item, simple);
        } else {
            FolderMembers.add(parent, item, simple);
        }
    }

    /** Not delete(): the files are gone, and the listeners have heard where it was deleted. */
    private static void gone(String name, Item item) throws IOException {
        stopTriggers(item);
        ItemGroup<? extends Item> parent = item.getParent();
        if (parent instanceof Jenkins jenkins) {
            jenkins.remove((TopLevelItem) item);
        } else if (FolderMembers.isFolder(parent)) {
            FolderMembers.remove(parent, item.getName());
        } else if (parent instanceof DirectlyModifiableTopLevelItemGroup group) {
            group.remove((TopLevelItem) item);
        } else {
            throw new IOException("What contains " + name + " does not let it go");
        }
        ItemDeletion.deregister(item);
    }

    private static void stopTriggers(Item item) {
        FormInPlace.stopTriggers(item);
        if (item instanceof ItemGroup<?> group) {
            List<Item> below = new ArrayList<>();
            group.allItems().forEach(below::add);
            below.forEach(FormInPlace::stopTriggers);
        }
    }
}
