package io.jenkins.plugins.ha.jobs;

import hudson.model.AbstractItem;
import hudson.model.Item;
import hudson.model.Queue;
import io.jenkins.plugins.ha.AnsweredLater;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.builds.ForeignBuilds;
import io.jenkins.plugins.ha.history.FormHistory;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.MovedQueueItems;
import io.jenkins.plugins.ha.queue.RevisedItems;
import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.util.Timer;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * Jobs and folders are the same on all controllers: what is made, changed or deleted on one is told
 * to the others, and put in force there by one thread of this class, in order. Thread-safe.
 */
public final class SharedItems {
    private static final Logger LOGGER = Logger.getLogger(SharedItems.class.getName());

    /** More than this is not kept: all items are compared instead. */
    private static final int MOST_NEWS = 20_000;

    private static final int TRIES = 30;
    private static final int LATE_TRIES = 10;
    private static final long RETRY_MILLIS = 100;
    private static final long STOP_MILLIS = 2000;

    /** So long a posted request waits at the most for what it changed to be told. */
    private static final long ANSWER_MILLIS = 500;

    /** Of a request: how many ms of that it has left. */
    private static final String LEFT = SharedItems.class.getName() + ".left";

    /** Whether this thread puts in force what happened elsewhere: nothing it does is news. */
    private static final ThreadLocal<Boolean> APPLYING = ThreadLocal.withInitial(() -> false);

    /** Whether this thread's save writes more than what it has in memory. */
    private static final ThreadLocal<Boolean> MERGED = ThreadLocal.withInitial(() -> false);

    /** The file that this thread is writing from what it has in memory. */
    private static final ThreadLocal<File> WRITTEN = new ThreadLocal<>();

    private record Job(ItemNews news, int attempt) {}

    private final KnownForms forms = new KnownForms();
    private final UnreadableItems unreadable = new UnreadableItems();
    private final FormHistory history = new FormHistory();
    private final SaveTurns saving = new SaveTurns();
    private final Outbound outbound;
    private final ItemAnnouncer announcer;
    private final ItemApplying applying;
    private final ItemDeletions deletions;
    private final ItemComparison comparison;
    private final ScanTurns scans;
    private final LinkedBlockingQueue<Job> news = new LinkedBlockingQueue<>(MOST_NEWS);
    private final AtomicInteger underWay = new AtomicInteger();

    /** What was told last of an item's form, by full name: what is older is not tried again. */
    private final Map<String, ItemNews> latest = Recent.map(10_000);

    private final ForeignBuilds builds;
    private Loop loop;

    /**
     * Whether what was put in force has yet to be made known to the rest of Jenkins; the loop's.
     */
    private boolean changed;

    public SharedItems(Outbound outbound, ForeignBuilds builds) {
        this.outbound = outbound;
        this.builds = builds;
        this.announcer = new ItemAnnouncer(outbound);
        this.applying = new ItemApplying(forms, unreadable, history, builds);
        this.deletions = new ItemDeletions(announcer);
        this.scans = new ScanTurns(outbound, this);
        this.comparison = new ItemComparison(forms, unreadable, applying, history);
    }

    /** Before items are loaded. */
    public void prepare() {
        SaveGuard.install(this);
    }

    /** The items are loaded. */
    public void start(Watchdog watchdog) {
        loop = watchdog.loop("ha-jenkins-items", this::round);
        loop.start();
    }

    /** Ends the thread; what it is at is finished. */
    public void stop() {
        Loop present = loop;
        if (present != null) {
            present.finish(STOP_MILLIS);
        }
        deletions.stop();
        scans.stop();
    }

    /** Another controller told something; done by the thread of this class. */
    public void announced(Event.Announcement announcement) {
        ItemNews.of(announcement.subject(), announcement.body())
                .ifPresent(
                        told -> {
                            if (told.kind() == ItemNews.Kind.DELETED) {
                                // now: what is told next may be about one made anew
                                builds.forgetJobs(told.name());
                            }
                            add(told, 0);
                        });
    }

    /** News may have been missed: all items are compared with the shared folder soon. */
    public void compare() {
        comparison.demand();
    }

    /** What cannot be read here, in a sentence; "" when all can. */
    public String problem() {
        return unreadable.problem();
    }

    /** The deletion of items, which all controllers take part in. */
    public ItemDeletions deletions() {
        return deletions;
    }

    /** Whose turn it is to scan a computed folder. */
    ScanTurns scans() {
        return scans;
    }

    /** Waits until all news that have come so far are in force, this long at the most. */
    public boolean awaitQuiet(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (underWay) {
            while (underWay.get() > 0) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0) {
                    return false;
                }
                underWay.wait(left);
            }
        }
        return true;
    }

    static boolean isApplying() {
        return APPLYING.get();
    }

    KnownForms forms() {
        return forms;
    }

    FormHistory history() {
        return history;
    }

    UnreadableItems unreadable() {
        return unreadable;
    }

    /** It was saved here. */
    void savedHere(AbstractItem item, File file) {
        saving.end(item.getFullName());
        boolean heldOff = FormInPlace.heldOffAfterSave(item);
        File folder = file.getParentFile();
        KnownForms.Form form;
        try {
            form = KnownForms.read(file, heldOff).written();
        } catch (IOException e) {
            LOGGER.log(
                    Level.FINE,
                    "Just saved and gone again: {0}",
                    file); // deleted by another thread
            return;
        }
        KnownForms.Form before = forms.of(folder);
        boolean merged = MERGED.get();
        if (before == null || !before.hash().equals(form.hash())) {
            history.changed(
                    item.getFullName(),
                    FormHistory.author(),
                    before == null || merged ? "" : before.hash(),
                    before == null ? null : before.bytes(),
                    form.bytes());
        }
        boolean posted = !file.equals(WRITTEN.get());
        WRITTEN.remove();
        if (merged) {
            MERGED.remove(); // the file says more than this controller has in memory
            lookAgain(item);
        } else if (posted) {
            applying.posted(item.getFullName(), folder, form);
        } else {
            forms.note(folder, form);
        }
        if (before == null
                || !before.hash().equals(form.hash())
                || before.heldOff() != form.heldOff()) {
            announcer.saved(about(item, folder, ItemNews.Kind.CHANGED, form));
            RevisedItems.of(item.getFullName());
            awaitTold();
        }
    }

    /** The request that made the change is answered once the others have been told. */
    private void awaitTold() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !AnsweredLater.mayWait(membership)) {
            return;
        }
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        long left = request.getAttribute(LEFT) instanceof Long rest ? rest : ANSWER_MILLIS;
        if (left > 0) { // a request may change thousands
            long begun = System.nanoTime();
            announcer.flush();
            try {
                outbound.awaitTold(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
            request.setAttribute(LEFT, left - waited);
        }
    }

    /** Jenkins loaded it by itself, and nothing was told of it yet. */
    void loadedHere(AbstractItem item) {
        try {
            applying.loaded(item.getFullName(), item.getRootDir(), FormInPlace.heldOff(item));
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "Gone again: {0}", item.getRootDir());
        }
    }

    /**
     * This thread begins to write the item's file from what it has in memory. Waits, a second at
     * the most, until no other controller is at it.
     */
    void written(AbstractItem item, File file) {
        WRITTEN.set(file);
        saving.begin(item.getFullName());
    }

    /** It does not write it after all. */
    void notWritten(AbstractItem item) {
        saving.end(item.getFullName());
    }

    /** What the file of the item says is to be put in force, if it is not. */
    void lookAgain(AbstractItem item) {
        KnownForms.Form known = forms.of(item.getRootDir());
        add(about(item, item.getRootDir(), ItemNews.Kind.CHANGED, known), 0);
    }

    /** Whether this thread writes what two controllers changed. */
    void mergedHere(boolean merged) {
        MERGED.set(merged);
    }

    /** It was made here. */
    void createdHere(Item item) {
        File folder = item.getRootDir();
        boolean heldOff = FormInPlace.heldOff(item);
        try {
            KnownForms.Form form =
                    KnownForms.read(new File(folder, "config.xml"), heldOff).written();
            applying.posted(item.getFullName(), folder, form);
            history.created(item.getFullName(), form.bytes());
            announcer.tell(about(item, folder, ItemNews.Kind.CREATED, form));
            awaitTold();
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "Not saved yet, or gone again: {0}", folder);
        }
    }

    /** It was deleted here. */
    void deletedHere(Item item) {
        File folder = item.getRootDir();
        KnownForms.Form last = forms.of(folder);
        history.deleted(item.getFullName(), last == null ? null : last.bytes());
        forms.forget(folder);
        unreadable.clear(item.getFullName());
        deletions.done(item);
        builds.forgetJobs(item.getFullName());
        announcer.tell(about(item, folder, ItemNews.Kind.DELETED, null));
        awaitTold();
    }

    /** It was renamed or moved here. */
    void movedHere(Membership membership, Item item, String from) {
        File folder = item.getRootDir();
        membership.builds().renameJobs(from, item.getFullName());
        forms.move(ItemMoves.usualFolder(from), folder);
        unreadable.clear(from);
        history.moved(from, item.getFullName());
        Map<String, String> names = ItemMoves.names(item, from);
        Outbound outbound = membership.outbound();
        Outbound.Telling follow = cluster -> MovedQueueItems.follow(cluster, names);
        outbound.tell("new name of " + from, follow);
        ItemNews about = about(item, folder, ItemNews.Kind.MOVED, forms.of(folder));
        announcer.tell(about.after(from));
        awaitTold();
        // what others queued before they heard of it
        for (long seconds : new long[] {1, 5, 30}) {
            Timer.get()
                    .schedule(
                            () -> outbound.tell("new name of " + from, follow),
                            seconds,
                            TimeUnit.SECONDS);
        }
    }

    /** A scan ended here. */
    void computedHere(Item folder) {
        announcer.tell(about(folder, folder.getRootDir(), ItemNews.Kind.COMPUTED, null));
        scans.ended(folder.getFullName()); // after all that it found has been told
        scans.scanTheUnscanned(folder);
    }

    static ItemNews about(Item item, File folder, ItemNews.Kind kind, KnownForms.Form form) {
        return new ItemNews(
                kind,
                item.getFullName(),
                Jenkins.get()
                        .getRootDir()
                        .toPath()
                        .relativize(folder.toPath())
                        .toString()
                        .replace(File.separatorChar, '/'),
                form == null ? "" : form.hash(),
                "",
                form != null && form.heldOff(),
                Jenkins.getAuthentication2().getName());
    }

    private void add(ItemNews told, int attempt) {
        if (attempt == 0 && isOfItsForm(told)) {
            latest.put(told.name(), told);
        }
        underWay.incrementAndGet();
        if (!news.offer(new Job(told, attempt))) {
            finished();
            comparison.demand();
        }
    }

    private static boolean isOfItsForm(ItemNews told) {
        return told.kind() == ItemNews.Kind.CREATED || told.kind() == ItemNews.Kind.CHANGED;
    }

    /** Tried again, it would undo what was told meanwhile: whether the job is held off. */
    private boolean isOutdated(Job job) {
        ItemNews last = latest.get(job.news.name());
        return job.attempt > 0 && isOfItsForm(job.news) && last != null && last != job.news;
    }

    private void finished() {
        synchronized (underWay) {
            underWay.decrementAndGet();
            underWay.notifyAll();
        }
    }

    private boolean round() throws InterruptedException {
        APPLYING.set(true);
        Job job = news.poll(changed ? 0 : comparison.pauseMillis(), TimeUnit.MILLISECONDS);
        if (job != null) {
            try {
                changed |= follow(job);
            } finally {
                finished();
            }
        } else if (changed) {
            changed = false;
            Jenkins.get().rebuildDependencyGraphAsync();
            Queue.getInstance().scheduleMaintenance();
            Membership.active().ifPresent(m -> m.claimer().poke()); // of a job just made
        } else {
            changed = rest();
        }
        return true;
    }

    /** Whether anything may be different now. */
    private boolean follow(Job job) {
        if (isOutdated(job)) {
            return false;
        }
        ItemNews told = job.news;
        File folder = new File(Jenkins.get().getRootDir(), told.path());
        try {
            switch (told.kind()) {
                case CREATED, CHANGED -> {
                    boolean there =
                            applying.present(told.name(), folder, told.heldOff(), told.hash());
                    if (!there || job.attempt < LATE_TRIES && isLate(told, folder)) {
                        again(job);
                    }
                }
                case DELETED -> {
                    applying.deleted(told.name(), folder);
                    deletions.kept(told.name());
                }
                case MOVED -> {
                    if (!applying.moved(told.was(), told.name(), folder)) {
                        again(job);
                    }
                }
                case COMPUTED -> applying.computed(told.name());
                case KEPT -> deletions.kept(told.name());
            }
            return true;
        } catch (IOException | RuntimeException | LinkageError | StackOverflowError e) {
            if (job.attempt < TRIES) {
                LOGGER.log(Level.FINE, "Once more: " + told, e);
                again(job);
            } else {
                LOGGER.log(
                        Level.WARNING,
                        "Could not follow what "
                                + told.author()
                                + " did to the item "
                                + told.name()
                                + " on another controller; the next comparison tries again",
                        e);
                comparison.demand();
            }
            return false;
        }
    }

    /** Whether the file may still be the one before: some shared folders show a change late. */
    private boolean isLate(ItemNews told, File folder) {
        KnownForms.Form form = forms.of(folder);
        return form != null && !told.hash().isEmpty() && !told.hash().equals(form.hash());
    }

    /** A shared folder may show what another controller wrote a little later. */
    private void again(Job job) {
        if (job.attempt < TRIES) {
            Timer.get()
                    .schedule(
                            () -> add(job.news, job.attempt + 1),
                            RETRY_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    private boolean rest() {
        try {
            deletions.look();
            scans.look();
            return comparison.look();
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            LOGGER.log(Level.WARNING, "The items could not be compared; going on later", e);
            return false;
        }
    }
}
