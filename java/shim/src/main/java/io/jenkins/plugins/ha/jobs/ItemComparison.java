package io.jenkins.plugins.ha.jobs;

import hudson.model.AbstractItem;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.TopLevelItem;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.history.FormHistory;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Holds all items against the shared folder, a few at a time, and mends what differs: news that
 * were missed, files that were edited by hand. What is missing on either side must be so in two
 * rounds, some seconds apart: another controller may be in the middle of making it, or moving it.
 * Except for {@link #demand}, one thread.
 */
final class ItemComparison {
    private static final Logger LOGGER = Logger.getLogger(ItemComparison.class.getName());

    private static final long PERIOD_MILLIS =
            TimeUnit.SECONDS.toMillis(
                    Long.getLong("io.jenkins.plugins.ha.itemsComparedEverySeconds", 60));

    private static final int SLICE = 100;
    private static final long BETWEEN_SLICES_MILLIS = 20;
    private static final long LONGEST_PAUSE_MILLIS = 1000;
    private static final long SETTLED_MILLIS = 5000;
    private static final long LONGEST_WAIT_MILLIS = 10_000;

    /** A piece of a round: an item, or the children of a group. */
    private interface Step {
        /** Whether something was mended. */
        boolean take() throws IOException;
    }

    private final KnownForms forms;
    private final UnreadableItems unreadable;
    private final ItemApplying applying;
    private final FormHistory history;
    private final Deque<Step> steps = new ArrayDeque<>();

    /** Since when something is on one side only, by path. */
    private final Map<File, Long> odd = new HashMap<>();

    private final Set<File> oddThisRound = new HashSet<>();
    private volatile boolean demanded = true;
    private final long made = System.nanoTime();
    private boolean rounding;
    private long next;

    ItemComparison(
            KnownForms forms,
            UnreadableItems unreadable,
            ItemApplying applying,
            FormHistory history) {
        this.forms = forms;
        this.unreadable = unreadable;
        this.applying = applying;
        this.history = history;
    }

    /** A round is to begin now, whatever the time. Any thread. */
    void demand() {
        demanded = true;
    }

    /** How long to wait for something better to do. */
    long pauseMillis() {
        return rounding ? BETWEEN_SLICES_MILLIS : LONGEST_PAUSE_MILLIS / 4;
    }

    /** Does a little of it; whether something was mended. */
    boolean look() {
        if (!rounding) {
            if (!demanded && System.currentTimeMillis() < next) {
                return false;
            }
            if (!othersAreKnown()) {
                return false;
            }
            begin();
        }
        boolean mended = false;
        for (int i = 0; i < SLICE && !steps.isEmpty(); i++) {
            Step step = steps.removeFirst();
            try {
                mended |= step.take();
            } catch (IOException | RuntimeException e) {
                LOGGER.log(Level.WARNING, "An item could not be compared; the next round tries", e);
            }
        }
        if (steps.isEmpty()) {
            rounding = false;
            odd.keySet().retainAll(oddThisRound);
            long now = System.currentTimeMillis();
            boolean unsettled =
                    odd.values().stream().anyMatch(since -> now - since < SETTLED_MILLIS);
            next = now + (unsettled ? Math.min(PERIOD_MILLIS, SETTLED_MILLIS + 1) : PERIOD_MILLIS);
        }
        return mended;
    }

    /** Whether it is known which plugins the others have; not waited for without end. */
    private boolean othersAreKnown() {
        return Membership.active().map(m -> m.topology().isCompared()).orElse(true)
                || System.nanoTime() - made > TimeUnit.MILLISECONDS.toNanos(LONGEST_WAIT_MILLIS);
    }

    private void begin() {
        demanded = false;
        rounding = true;
        history.begin();
        oddThisRound.clear();
        Set<File> folders = new HashSet<>();
        Deque<ItemGroup<?>> groups = new ArrayDeque<>();
        groups.add(Jenkins.get());
        for (Item item : Jenkins.get().allItems()) {
            if (item instanceof TopLevelItem && item instanceof AbstractItem) {
                File folder = item.getRootDir();
                folders.add(folder);
                String name = item.getFullName();
                steps.add(() -> compare(name, folder));
                if (FolderMembers.isFolder(item)) {
                    groups.add((ItemGroup<?>) item);
                }
            }
        }
        steps.add(
                () -> {
                    unreadable.clearGone();
                    return false;
                });
        for (ItemGroup<?> group : groups) {
            steps.add(() -> lookForMore(group, folders));
        }
    }

    private boolean compare(String name, File folder) throws IOException {
        Item item = Jenkins.get().getItemByFullName(name);
        if (item == null || !item.getRootDir().equals(folder)) {
            return false;
        }
        File file = new File(folder, "config.xml");
        KnownForms.Form known = forms.of(folder);
        if (!file.isFile()) {
            if (Files.notExists(file.toPath())
                    && folder.getParentFile().isDirectory()
                    && settled(folder)) {
                LOGGER.info(() -> name + " is gone from the shared folder, so it goes here, too");
                if (known != null) {
                    history.foundGone(name, known.hash(), known.bytes());
                }
                applying.deleted(name, folder);
                return true;
            }
            return false;
        }
        if (known == null) {
            baseline(name, applying.loaded(name, folder, FormInPlace.heldOff(item)));
            return false;
        }
        if (unreadable.reason(name) == null && known.stamp().equals(KnownForms.stamp(file))) {
            baseline(name, known);
            return false;
        }
        applying.present(name, folder, known.heldOff());
        return true;
    }

    private void baseline(String name, KnownForms.Form known) {
        history.baseline(name, known.hash(), known::bytes);
    }

    private boolean lookForMore(ItemGroup<?> group, Set<File> known) throws IOException {
        File children =
                group instanceof Jenkins jenkins
                        ? new File(jenkins.getRootDir(), "jobs")
                        : FolderMembers.children(group);
        File[] found = children.listFiles(File::isDirectory);
        boolean mended = false;
        for (File folder : found == null ? new File[0] : found) {
            if (!known.contains(folder)
                    && new File(folder, "config.xml").isFile()
                    && settled(folder)) {
                mended |= applying.found(group, folder);
            }
        }
        return mended;
    }

    /** Whether it was so some seconds ago already. */
    private boolean settled(File folder) {
        oddThisRound.add(folder);
        long now = System.currentTimeMillis();
        Long since = odd.putIfAbsent(folder, now);
        return since != null && now - since >= SETTLED_MILLIS;
    }
}
