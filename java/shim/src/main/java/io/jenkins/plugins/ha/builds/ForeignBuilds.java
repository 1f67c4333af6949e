package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.life.InOrder;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.model.lazy.LazyBuildMixIn;

/**
 * What this controller knows of builds that other controllers run, ended or deleted: keeps Jenkins'
 * lists of builds true without reading them again. In memory, fed by announcements and by the
 * queue's items. Thread-safe.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class ForeignBuilds {
    /** Announcements about builds: the body is {@code verb controllerId}. */
    public static final String TOPIC = "build";

    static final String VISIBLE = "visible";
    static final String CHANGED = "changed";
    static final String ENDED = "ended";
    static final String DELETED = "deleted";

    private static final Logger LOGGER = Logger.getLogger(ForeignBuilds.class.getName());
    private static final int REMEMBERED = 20_000;
    private static final long RETRY_MILLIS = 100;
    private static final int RETRIES = 100;

    private final ControllerIdentity identity;
    private final Map<BuildKey, String> running = new ConcurrentHashMap<>();

    /** The number that each queue item stands for which starts or runs somewhere. */
    private final Map<Long, Integer> numbers = Recent.map(10_000);

    private final Map<BuildKey, List<WeakReference<Run<?, ?>>>> shown = new ConcurrentHashMap<>();
    private final Map<BuildKey, Long> versions = new LinkedHashMap<>();

    /** Builds that ran elsewhere when their jobs were renamed, under their new names. */
    private final Set<BuildKey> renamedRunning = ConcurrentHashMap.newKeySet();

    private final Set<BuildKey> deleted = ConcurrentHashMap.newKeySet();

    /** Pipelines that Jenkins was let resume here. */
    private final Set<BuildKey> goingOn = ConcurrentHashMap.newKeySet();

    private final Map<BuildKey, Boolean> deletedOrder = new LinkedHashMap<>();
    private long clock;

    /** What looks into the jobs folder, which may stall while the news goes on. */
    private final InOrder files = new InOrder("ha-jenkins-build-files", 100_000);

    public ForeignBuilds(ControllerIdentity identity) {
        this.identity = identity;
    }

    /**
     * Where news of jobs and builds that needs their folders is followed, in order: not on the
     * thread of the events, which must not wait for a folder.
     */
    public InOrder files() {
        return files;
    }

    /** Id of the other controller that runs it; null when none is known to. */
    public String runningOn(Run<?, ?> run) {
        return running.get(BuildKey.of(run));
    }

    /** Whether another controller runs a build of this job. */
    public boolean anyRunning(String job) {
        return running.keySet().stream().anyMatch(key -> key.job().equals(job));
    }

    /** As {@link #runningOn(Run)}, for a build that need not be loaded. */
    public String runningOn(String job, int number) {
        return running.get(new BuildKey(job, number));
    }

    /**
     * A number that grows whenever the build's file changed elsewhere; 0 when it did not lately.
     */
    long version(BuildKey key) {
        synchronized (versions) {
            return versions.getOrDefault(key, 0L);
        }
    }

    boolean isDeleted(BuildKey key) {
        return deleted.contains(key);
    }

    /** Whether another controller has deleted it lately. */
    public boolean isDeleted(String job, int number) {
        return isDeleted(new BuildKey(job, number));
    }

    /** Builds that other controllers run, with the id of the one that runs it. */
    Map<BuildKey, String> running() {
        return Map.copyOf(running);
    }

    /** Builds of this job that other controllers run. */
    public List<Integer> runningElsewhere(String job) {
        List<Integer> result = new ArrayList<>();
        running.forEach(
                (key, owner) -> {
                    if (key.job().equals(job)) {
                        result.add(key.number());
                    }
                });
        return result;
    }

    /**
     * Whether the file can be read for what it is: there, and of a Pipeline only once it says
     * whether the Pipeline has ended.
     */
    static boolean readable(File buildXml, boolean pipeline) {
        if (!buildXml.isFile()) {
            return false;
        }
        return !pipeline || PipelineFile.saysWhetherEnded(buildXml);
    }

    /** The queue says where one of its items runs, or that it has ended. */
    public void followed(Item item) {
        Integer before =
                item.number() == 0 || item.state().ended()
                        ? numbers.remove(item.id())
                        : numbers.put(item.id(), item.number());
        if (before != null && before != item.number()) {
            BuildKey given = new BuildKey(item.job(), before);
            if (running.containsKey(given)) {
                ended(given); // it went back to the queue: this build of it did not begin
            }
        }
        if (item.number() == 0 || item.owner().isEmpty() && !item.state().ended()) {
            return;
        }
        BuildKey key = new BuildKey(item.job(), item.number());
        boolean ours = item.owner().equals(identity.id());
        if (item.state() == ItemState.DONE) {
            if (running.containsKey(key)) {
                ended(key);
            }
        } else if (!ours
                && (item.state() == ItemState.RUNNING || item.state() == ItemState.ORPHANED)) {
            if (!item.owner().equals(running.put(key, item.owner()))) {
                touched(key);
                recognize(key, 0);
            }
        } else if (ours && goingOn.contains(key)) {
            running.remove(key); // taken over from another
        } else if (!ours && item.state() == ItemState.STARTING) {
            running.put(key, item.owner());
        }
    }

    /** The job, or all jobs in the folder, of this name are gone: one made anew starts as new. */
    public void forgetJobs(String name) {
        Predicate<BuildKey> ofThem =
                key -> key.job().equals(name) || key.job().startsWith(name + "/");
        running.keySet().removeIf(ofThem);
        shown.keySet().removeIf(ofThem);
        renamedRunning.removeIf(ofThem);
        deleted.removeIf(ofThem);
        synchronized (deletedOrder) {
            deletedOrder.keySet().removeIf(ofThem);
        }
        synchronized (versions) {
            versions.keySet().removeIf(ofThem);
        }
        ClusterPermalinks.forget(name);
    }

    /** The job, or all jobs in the folder, of this name have another one from now on. */
    public void renameJobs(String from, String to) {
        renameKeys(running, from, to);
        renameKeys(shown, from, to);
        for (BuildKey key : List.copyOf(deleted)) {
            BuildKey now = renamed(key, from, to);
            if (now != null) {
                deleted.remove(key);
                deleted.add(now);
                synchronized (deletedOrder) {
                    deletedOrder.remove(key);
                    deletedOrder.put(now, true);
                }
            }
        }
        synchronized (versions) {
            renameKeys(versions, from, to);
        }
        // somebody may have looked for it under a name of which nothing was known yet
        running.keySet().stream()
                .filter(key -> renamed(key, to, to) != null)
                .forEach(
                        key -> {
                            renamedRunning.add(key);
                            touched(key);
                            files.after(RETRY_MILLIS, () -> mend(key));
                        });
        ClusterPermalinks.forget(from);
        ClusterPermalinks.forget(to);
    }

    private void mend(BuildKey key) {
        withMixIn(key.job(), (job, mixin) -> UnloadableBuilds.mend(job, mixin, key.number()));
    }

    private static <V> void renameKeys(Map<BuildKey, V> map, String from, String to) {
        for (BuildKey key : List.copyOf(map.keySet())) {
            BuildKey now = renamed(key, from, to);
            V value = now == null ? null : map.remove(key);
            if (value != null) {
                map.put(now, value);
            }
        }
    }

    /** Null when it keeps its name. */
    private static BuildKey renamed(BuildKey key, String from, String to) {
        return key.job().equals(from) || key.job().startsWith(from + "/")
                ? new BuildKey(to + key.job().substring(from.length()), key.number())
                : null;
    }

    /** Another controller told about a build. */
    public void announced(Event.Announcement announcement) {
        String[] words = new String(announcement.body(), StandardCharsets.UTF_8).split(" ", 2);
        BuildKey key = new BuildKey(announcement.subject(), (int) announcement.number());
        switch (words[0]) {
            case VISIBLE -> {
                running.put(key, announcement.from());
                touched(key);
                recognize(key, 0);
            }
            case CHANGED -> {
                touched(key);
                recognize(key, 0);
            }
            case ENDED -> ended(key);
            case DELETED -> gone(key);
            default -> LOGGER.fine(() -> "Unknown news of a build: " + words[0]);
        }
    }

    /** Jenkins reads a build from disk: called before it looks at what it read. */
    public void loaded(Run<?, ?> run, ClusterItemAction action) {
        BuildKey key = BuildKey.of(run);
        if (RunFields.isPipeline(run)) {
            // a Pipeline that nobody vouches for stays read-only: resumed twice it would do
            // everything twice
            if (!RunFields.pipelineEnded(run) && !resumesHere(run, key, action)) {
                running.putIfAbsent(key, action.controllerId());
                show(run, key);
            }
            return;
        }
        boolean ours = action.controllerId().equals(identity.id());
        if (!(ours && action.incarnation().equals(identity.incarnation()))
                && running.containsKey(key)) {
            show(run, key);
        }
    }

    /**
     * Whether Jenkins may go on with a Pipeline that it has just read. One that an earlier start of
     * this controller ran is made ours by that.
     */
    private boolean resumesHere(Run<?, ?> run, BuildKey key, ClusterItemAction action) {
        Path folder = run.getRootDir().toPath();
        try {
            Optional<PipelineOwner> owner = PipelineOwner.standing(folder);
            owner.ifPresent(
                    o ->
                            action.heldBy(
                                    new ControllerIdentity(
                                            o.controllerId(), o.incarnation(), o.controllerName()),
                                    o.epoch()));
            if (running.containsKey(key) || !action.controllerId().equals(identity.id())) {
                return false;
            }
            LastWord word = LastWord.standing(folder);
            if (word != null && !word.byOwner(identity.id())
                    || !action.incarnation().equals(identity.incarnation())
                            && !claimAgain(folder, owner)) {
                return false;
            }
            PipelineInternals internals = PipelineInternals.find();
            if (internals != null && owner.isPresent() && !owner.get().graph().isEmpty()) {
                internals.graph(run, owner.get().graph());
            }
            Files.deleteIfExists(folder.resolve(PipelineAdoption.STOPPED));
            goingOn.add(key);
            return true;
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, run + " is not resumed: its folder cannot be read", e);
            return false;
        }
    }

    /** Only with a lease: without one a survivor may be taking it over. */
    private boolean claimAgain(Path folder, Optional<PipelineOwner> before) throws IOException {
        Membership membership = Membership.active().orElse(null);
        return membership != null
                && membership.cluster().holdsLease()
                && PipelineOwner.claim(
                                folder,
                                before,
                                identity,
                                membership.link().epoch(),
                                before.map(PipelineOwner::graph).orElse(""),
                                0,
                                "")
                        .isPresent();
    }

    private void show(Run<?, ?> run, BuildKey key) {
        if (RunFields.showRunning(run)) {
            List<WeakReference<Run<?, ?>>> objects =
                    shown.computeIfAbsent(key, k -> new ArrayList<>());
            synchronized (objects) {
                objects.removeIf(reference -> reference.get() == null);
                objects.add(new WeakReference<>(run));
            }
        } else if (RunFields.isPipeline(run)) {
            throw new IllegalStateException(
                    "This version of the Pipeline plugins hides what HA Jenkins needs to show a"
                            + " Pipeline of another controller without resuming it: "
                            + run);
        }
    }

    /** Pipelines that were read while it was not sure that they are ours, such as without Redis. */
    List<BuildKey> unclaimed() {
        List<BuildKey> result = new ArrayList<>();
        running.forEach(
                (key, owner) -> {
                    if (owner.equals(identity.id())) {
                        result.add(key);
                    }
                });
        return result;
    }

    /**
     * This controller has taken a Pipeline over, or tries again to go on with one of its own: who
     * reads it from now on resumes it, if its files say so, once.
     */
    Run<?, ?> goOn(BuildKey key) {
        running.remove(key);
        touched(key);
        recognize(key, 0);
        return load(key);
    }

    /** Whether Jenkins has gone on here with a Pipeline that it read from its files. */
    public boolean goesOn(Run<?, ?> run) {
        return goesOn(BuildKey.of(run));
    }

    /** As {@link #goesOn(Run)}; such an object is the truth itself. */
    boolean goesOn(BuildKey key) {
        return goingOn.contains(key);
    }

    /** A Pipeline that ran here is another controller's now. */
    void letGo(Run<?, ?> run, String controllerId) {
        BuildKey key = BuildKey.of(run);
        goingOn.remove(key);
        running.put(key, controllerId);
        show(run, key);
        touched(key);
    }

    /** It has come to its end here. */
    void endedHere(BuildKey key) {
        goingOn.remove(key);
    }

    /** What is written of a build from now on counts, whoever ran it. */
    void decided(BuildKey key) {
        running.remove(key);
    }

    /** Whether the shared folder says that somebody else than {@code who} has it now. */
    boolean isTakenOver(String jobName, int number, ControllerIdentity who) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Job<?, ?> job = Jenkins.get().getItemByFullName(jobName, Job.class);
            if (job == null) {
                return false;
            }
            Path folder = new File(job.getBuildDir(), Integer.toString(number)).toPath();
            LastWord word = LastWord.standing(folder);
            return word != null && !word.byOwner(who.id())
                    || PipelineOwner.standing(folder).filter(owner -> !owner.is(who)).isPresent();
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The folder of a Pipeline cannot be read just now", e);
            return false;
        }
    }

    /** It has ended elsewhere: whoever looks from now on reads the file again. */
    void ended(BuildKey key) {
        running.remove(key);
        touched(key);
        recognize(key, 0);
        if (renamedRunning.remove(key)) {
            files.run(() -> mend(key));
        }
        List<WeakReference<Run<?, ?>>> objects = shown.remove(key);
        if (objects != null) {
            files.run(() -> showEnded(key, objects));
        }
        Run<?, ?> waitedFor = BuildStepWaiters.any() ? load(key) : null;
        if (waitedFor != null) {
            BuildStepWaiters.ended(waitedFor);
        }
        ClusterPermalinks.forget(key.job());
        Queue.getInstance().scheduleMaintenance(); // what the build blocked may go on
    }

    private static void showEnded(BuildKey key, List<WeakReference<Run<?, ?>>> objects) {
        Run<?, ?> fresh = load(key);
        if (fresh == null) {
            return;
        }
        synchronized (objects) {
            for (WeakReference<Run<?, ?>> reference : objects) {
                Run<?, ?> old = reference.get();
                if (old != null && old != fresh) {
                    RunFields.showEnded(old, fresh.getResult(), fresh.getDuration());
                }
            }
        }
    }

    private void gone(BuildKey key) {
        running.remove(key);
        renamedRunning.remove(key);
        deleted.add(key);
        synchronized (deletedOrder) {
            deletedOrder.put(key, true);
            Iterator<BuildKey> oldest = deletedOrder.keySet().iterator();
            while (deletedOrder.size() > REMEMBERED && oldest.hasNext()) {
                deleted.remove(oldest.next());
                oldest.remove();
            }
        }
        ClusterPermalinks.forget(key.job());
        files.run(
                () ->
                        withMixIn(
                                key.job(),
                                (job, mixin) -> {
                                    Object loaded =
                                            mixin.getRunMap().getLoadedBuilds().get(key.number());
                                    if (loaded instanceof Run<?, ?> run) {
                                        remove(mixin, run);
                                    }
                                }));
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // the mix-in is that of the build's own job
    private static void remove(LazyBuildMixIn mixin, Run<?, ?> run) {
        mixin.removeRun(run);
    }

    private void touched(BuildKey key) {
        synchronized (versions) {
            versions.remove(key);
            versions.put(key, ++clock);
            if (versions.size() > REMEMBERED) {
                Iterator<BuildKey> oldest = versions.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
        }
        ClusterPermalinks.forget(key.job());
    }

    /**
     * Puts the number into the job's list as soon as its file can be read: earlier, Jenkins would
     * hold it unreadable for ever. The folder is looked at before the monitor is taken: whoever
     * makes a build waits for it, and holds the queue's lock.
     */
    private void recognize(BuildKey key, int attempt) {
        files.run(() -> recognizeNow(key, attempt));
    }

    private void recognizeNow(BuildKey key, int attempt) {
        if (deleted.contains(key)) {
            return;
        }
        Job<?, ?> found = jobOf(key.job());
        boolean there = false;
        if (found instanceof LazyBuildMixIn.LazyLoadingJob<?, ?>) {
            File folder = new File(found.getBuildDir(), Integer.toString(key.number()));
            boolean readable =
                    readable(new File(folder, "build.xml"), PipelineFile.isPipeline(found));
            there = readable;
            withMixIn(
                    key.job(),
                    (job, mixin) -> {
                        if (readable) {
                            mixin.getRunMap().recognizeNumber(key.number());
                        }
                        if (job.getNextBuildNumber() <= key.number()) {
                            raise(job, key.number() + 1);
                        }
                    });
        } else if (found != null) {
            return;
        }
        // a job that is not known yet may be on its way here
        if (!there && attempt < RETRIES && (attempt < 20 || running.containsKey(key))) {
            files.after(RETRY_MILLIS, () -> recognizeNow(key, attempt + 1));
        }
    }

    private static void raise(Job<?, ?> job, int next) {
        try {
            job.fastUpdateNextBuildNumber(next);
        } catch (RuntimeException e) {
            LOGGER.log(
                    Level.FINE, "The next number of " + job.getFullName() + " stays as it is", e);
        }
    }

    /**
     * The build, also one that another controller has just begun and that is not in the job's list
     * yet; null when there is none that can be read. Looks into the folder.
     */
    public Run<?, ?> find(String job, int number) {
        BuildKey key = new BuildKey(job, number);
        Run<?, ?> run = load(key);
        if (run == null && !deleted.contains(key)) {
            recognizeNow(key, RETRIES);
            run = load(key);
        }
        return run;
    }

    private static Job<?, ?> jobOf(String name) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            return Jenkins.get().getItemByFullName(name, Job.class);
        }
    }

    private static Run<?, ?> load(BuildKey key) {
        Job<?, ?> job = jobOf(key.job());
        return job == null ? null : job.getBuildByNumber(key.number());
    }

    @FunctionalInterface
    private interface WithMixIn {
        void run(Job<?, ?> job, LazyBuildMixIn<?, ?> mixin);
    }

    /**
     * Under the monitor under which Jenkins makes new builds: a number recognised in between would
     * kill that build.
     */
    private static void withMixIn(String jobName, WithMixIn work) {
        Job<?, ?> job = jobOf(jobName);
        if (job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy) {
            LazyBuildMixIn<?, ?> mixin = lazy.getLazyBuildMixIn();
            synchronized (mixin) {
                work.run(job, mixin);
            }
        }
    }
}
