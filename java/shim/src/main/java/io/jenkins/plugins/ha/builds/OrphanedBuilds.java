package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Result;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.queue.ClaimedItems;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.queue.LocalBuilds;
import io.jenkins.plugins.ha.queue.RerunItem;
import io.jenkins.plugins.ha.records.RecordKeeper;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import jenkins.model.CauseOfInterruption;
import jenkins.model.InterruptedBuildAction;
import jenkins.model.Jenkins;

/**
 * Builds whose controller died. It falls to one survivor to decide: a build that had not begun goes
 * back to the queue; a running freestyle or matrix build ends as ABORTED, which its log says, and
 * runs again if its job or the settings say so; a Pipeline goes on ({@link PipelineAdoption}).
 *
 * <p>The survivor may die at any point of this: each step says in the build's folder that it was
 * done, and the last one is a single one in the queue, so that the next survivor goes on from
 * there.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class OrphanedBuilds {
    private static final Logger LOGGER = Logger.getLogger(OrphanedBuilds.class.getName());

    private static final long RETRY_MILLIS = 5000;

    /** What a job is looked for before the decision goes to another member: it may be new. */
    private static final int UNHEARD_TRIES = 3;

    /** How long a build whose job no controller has is left before it is looked for again. */
    private static final long LEFT_MILLIS = 15_000;

    /** How often a build is ended as Jenkins does it, with what plugins do, before without. */
    private static final int TRIES = Integer.getInteger("io.jenkins.plugins.ha.orphanTries", 4);

    static final String NEVER_QUEUED = "It is not run again: it was never in the cluster's queue.";

    private static final Pattern LASTED = Pattern.compile("<duration>[1-9]\\d*</duration>");

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final ForeignBuilds builds;
    private final Outbound outbound;
    private final OrphanedPipelines pipelines;
    private final UnqueuedBuilds unqueued;

    /** Items whose job is not here, and how often it was looked for. */
    private final Map<Long, Integer> unheardOf = Recent.map(1000);

    /** Of those, the ones that were told of; with the job, for the page. */
    private final Map<Long, String> homeless = Recent.map(1000);

    /** Items whose build could not be ended, and how often it was tried. */
    private final Map<Long, Integer> failed = Recent.map(1000);

    /** Reads and writes the builds' folders. */
    private final Pool pool = new Pool("ha-jenkins-orphans", 1, 100_000);

    public OrphanedBuilds(
            Cluster cluster,
            ControllerIdentity identity,
            ForeignBuilds builds,
            Outbound outbound,
            OrphanedPipelines pipelines) {
        this.pipelines = pipelines;
        this.cluster = cluster;
        this.outbound = outbound;
        this.identity = identity;
        this.builds = builds;
        this.unqueued = new UnqueuedBuilds(cluster, identity, builds, pipelines, this, pool);
    }

    /** Decides what becomes of this item's build. The jobs are loaded. Does not block. */
    public void decide(Item item) {
        pool.execute(
                () -> {
                    attempt(item, () -> decideNow(item));
                    unqueued.lookAfterPipelinesOf(item.owner());
                });
    }

    /** Builds that wait for a controller that has their job; "" when there is none. From memory. */
    public String homeless() {
        Set<String> jobs;
        synchronized (homeless) {
            jobs = new TreeSet<>(homeless.values());
        }
        return jobs.isEmpty()
                ? ""
                : "Builds whose controller died are left as they are, because no controller here"
                        + " has their job: "
                        + String.join(", ", jobs)
                        + ". If the jobs folder is shared, Manage Jenkins > Reload Configuration"
                        + " from Disk brings it.";
    }

    /** News of an item: somebody has decided on it perhaps. */
    public void changed(Item item) {
        if (item.state() != ItemState.ORPHANED) {
            homeless.remove(item.id());
        }
    }

    @FunctionalInterface
    private interface Deciding {
        void decide() throws IOException;
    }

    private void attempt(Item item, Deciding deciding) {
        try {
            deciding.decide();
            failed.remove(item.id());
        } catch (HaException.Closed e) {
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            int failures = failed.merge(item.id(), 1, Integer::sum);
            String build = item.job() + " #" + item.number();
            if (failures < TRIES) {
                LOGGER.log(
                        Level.WARNING,
                        "Could not end " + build + " whose controller died; trying on",
                        e);
                later(item, RETRY_MILLIS);
                return;
            }
            LOGGER.log(
                    Level.SEVERE,
                    build
                            + ", whose controller died, cannot be ended as Jenkins does it, with"
                            + " all that plugins do then: it is ended without",
                    e);
            endWithoutPlugins(item);
        }
    }

    private void endWithoutPlugins(Item item) {
        try {
            Job<?, ?> job = Jenkins.get().getItemByFullName(item.job(), Job.class);
            Path folder = job.getBuildDir().toPath().resolve(Integer.toString(item.number()));
            Ending ending = PlainEnd.write(folder, item, identity);
            failed.remove(item.id());
            builds.ended(new BuildKey(item.job(), item.number()));
            if (ending.bySurvivor() && !LocalBuilds.isPlaceholder(item) && Reruns.wanted(job)) {
                outbound.tell(
                        "re-run of " + item.job() + " #" + item.number(),
                        c -> runAgain(c, job, item, ending));
            } else {
                tellEnd(item, ending.result());
            }
        } catch (IOException | RuntimeException | Error e) {
            LOGGER.log(Level.WARNING, "The folder of " + item.job() + " cannot be written", e);
            later(item, RETRY_MILLIS);
        }
    }

    /** A job that is not here may be elsewhere: what is not known must not be ended. */
    private void handOn(Item item) {
        if (unheardOf.merge(item.id(), 1, Integer::sum) < UNHEARD_TRIES) {
            later(item, RETRY_MILLIS); // made a moment before its controller died, perhaps
            return;
        }
        unheardOf.remove(item.id());
        boolean news = homeless.put(item.id(), item.job()) == null;
        try {
            String to = cluster.pass(item.id()).orElse("");
            if (news) {
                LOGGER.warning(
                        () ->
                                "The job of "
                                        + item.job()
                                        + " #"
                                        + item.number()
                                        + ", whose controller died, is not on this controller: "
                                        + (to.isEmpty()
                                                ? "the build is left as it is until a controller"
                                                        + " has the job. Manage Jenkins > Reload"
                                                        + " Configuration from Disk may bring it."
                                                : "the controller " + to + " decides on it."));
            }
            if (!to.isEmpty()) {
                return;
            }
        } catch (HaException.Fenced | HaException.NotFound | HaException.Conflict e) {
            homeless.remove(item.id()); // somebody else's by now, or ended
            return;
        } catch (HaException.Unavailable | HaException.Refused e) {
            LOGGER.log(Level.FINE, "Handed on later", e);
        }
        later(item, LEFT_MILLIS);
    }

    private void decideNow(Item item) throws IOException {
        if (item.owner().equals(identity.id()) && ClaimedItems.executing().contains(item.id())) {
            return; // a stall cost this controller its membership, not the build: BuildFence keeps
            // it
        }
        Job<?, ?> job = Jenkins.get().getItemByFullName(item.job(), Job.class);
        BuildKey key = new BuildKey(item.job(), item.number());
        if (job != null && PipelineFile.isPipeline(job)) {
            pipelines.leave(item);
            return;
        }
        if (job == null) {
            handOn(item);
            return;
        }
        unheardOf.remove(item.id());
        homeless.remove(item.id());
        File folder = new File(job.getBuildDir(), Integer.toString(item.number()));
        if (item.state() != ItemState.RUNNING && !new File(folder, "build.xml").isFile()) {
            giveBack(item);
            return;
        }
        conclude(job, item);
    }

    /** Its build had not begun. Does not block. */
    void giveBack(Item item) {
        outbound.tell(
                "return of queue item " + item.id(),
                c -> c.requeue(item.id(), "its controller died before the build began"));
        LOGGER.warning(
                () ->
                        "Queue item "
                                + item.id()
                                + " of "
                                + item.job()
                                + " goes back: its controller died before it began");
    }

    /**
     * Ends a Pipeline that no controller can go on with; it runs again if its job or the settings
     * say so. Reads and writes its folder on the caller's thread; what fails is tried again, and at
     * last done without what plugins do.
     *
     * @param why the end of a sentence, for its log
     */
    void endPipeline(Job<?, ?> job, Item item, String why) {
        attempt(
                item,
                () -> {
                    sayWhy(job, item.number(), why);
                    conclude(job, item);
                });
    }

    private static void sayWhy(Job<?, ?> job, int number, String why) throws IOException {
        Path folder = job.getBuildDir().toPath().resolve(Integer.toString(number));
        String sentence = "No other controller can go on with this Pipeline: " + why + ".";
        if (Files.isRegularFile(folder.resolve("build.xml"))
                && !BuildLog.end(folder).contains(sentence)) {
            BuildLog.append(folder, "\n" + sentence + "\n");
        }
    }

    /** Its build ends here and now, and runs again if that is wanted. */
    private void conclude(Job<?, ?> job, Item item) throws IOException {
        BuildKey key = new BuildKey(item.job(), item.number());
        boolean kept = LocalBuilds.isPlaceholder(item);
        Ending ending = end(job, key, item.owner());
        if (ending.bySurvivor() && !kept && Reruns.wanted(job)) {
            outbound.tell(
                    "re-run of " + item.job() + " #" + item.number(),
                    c -> runAgain(c, job, item, ending));
            return;
        }
        if (ending.bySurvivor()) {
            close(
                    job,
                    key,
                    kept
                            ? NEVER_QUEUED
                            : "It is not run again: its job or the settings of HA say so.");
        }
        tellEnd(item, ending.result());
    }

    private void tellEnd(Item item, String result) {
        outbound.tell(
                "end of the orphaned " + item.job() + " #" + item.number(),
                c -> c.finished(item.id(), result));
    }

    private void later(Item item, long millis) {
        pool.after(
                millis,
                () -> {
                    if (stillOrphaned(item)) {
                        attempt(item, () -> decideNow(item));
                    }
                });
    }

    /** Its controller may be back, or another one decides on it, meanwhile. */
    private boolean stillOrphaned(Item item) {
        try {
            boolean orphaned =
                    cluster.item(item.id())
                            .map(now -> now.state() == ItemState.ORPHANED)
                            .orElse(false);
            if (!orphaned) {
                homeless.remove(item.id());
                failed.remove(item.id());
                unheardOf.remove(item.id());
            }
            return orphaned;
        } catch (HaException.Unavailable | HaException.Refused e) {
            later(item, RETRY_MILLIS);
            return false;
        }
    }

    /**
     * How a build ended.
     *
     * @param bySurvivor it did not come to its own end
     * @param controller name of the controller that ran it
     * @param stopped that one was shut down over it
     */
    record Ending(String result, boolean bySurvivor, String controller, boolean stopped) {}

    private void runAgain(Cluster cluster, Job<?, ?> job, Item item, Ending ending) {
        BuildKey key = new BuildKey(item.job(), item.number());
        long newId = cluster.nextQueueId();
        byte[] payload;
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            payload =
                    RerunItem.of(
                            cluster.item(item.id()).map(Item::payload).orElse(null),
                            item.job(),
                            newId,
                            new RestartedCause(
                                    ending.controller(), item.number(), ending.stopped()),
                            identity);
        } catch (HaException e) {
            throw e;
        } catch (RerunItem.Impossible | RuntimeException | LinkageError e) {
            LOGGER.log(Level.WARNING, key + " cannot be run again", e);
            cluster.finished(item.id(), ending.result());
            close(job, key, "It could not be run again: " + e.getMessage());
            return;
        }
        // an admin who restarts controllers under a long build is no reason to give it up
        int most = ending.stopped() ? -1 : Reruns.MOST;
        long again = cluster.rerun(item.id(), ending.result(), newId, payload, most);
        Membership.active().ifPresent(membership -> membership.view().enteredAnew(again));
        close(
                job,
                key,
                again != 0
                        ? "It runs again as queue item " + again + "."
                        : cluster.item(item.id()).map(Item::why).orElse("") + ".");
    }

    /** Members came or went. Does not block. */
    public void membersChanged() {
        unqueued.membersChanged();
    }

    /** Ends a Pipeline that no controller can go on with, and that the queue knows nothing of. */
    void endUnqueuedPipeline(Job<?, ?> job, BuildKey key, String owner, String why)
            throws IOException {
        sayWhy(job, key.number(), why);
        unqueued.end(job, key, owner);
    }

    /** Whether the build's file says that it has ended. */
    static boolean hasEnded(Path folder) throws IOException {
        // with a duration it has; Jenkins saves it as a build without one while it runs
        return LASTED.matcher(
                        Files.readString(folder.resolve("build.xml"), StandardCharsets.ISO_8859_1))
                .find();
    }

    /** Writes the end into the build's files, unless it is there. */
    Ending end(Job<?, ?> job, BuildKey key, String owner) throws IOException {
        Path folder = job.getBuildDir().toPath().resolve(Integer.toString(key.number()));
        if (!Files.isRegularFile(folder.resolve("build.xml"))) {
            builds.ended(key);
            return new Ending("ABORTED", false, owner, false);
        }
        LastWord word = LastWord.say(folder, identity, "ABORTED", LastWord.Role.SURVIVOR);
        boolean stopped = word.role() == LastWord.Role.STOPPED;
        boolean ended = hasEnded(folder);
        if (ended && word.fresh()) {
            LastWord.drop(folder); // only the news of its end died with its owner
        }
        boolean bySurvivor = word.unfinished() && !(ended && word.fresh());
        if (bySurvivor) {
            note(job, key, owner, stopped, folder);
        }
        builds.ended(key);
        Run<?, ?> run = job.getBuildByNumber(key.number());
        if (run == null) { // killed in its first moments, before its file could be read here
            if (!ended) {
                endFile(folder, word.result());
                builds.ended(key);
            }
            return new Ending(word.result(), bySurvivor, owner, stopped);
        }
        String name = ClusterItemAction.controllerOf(run, owner);
        if (!ended) {
            boolean told = run.getAction(InterruptedBuildAction.class) != null;
            saveEnd(
                    run,
                    Result.fromString(word.result()),
                    bySurvivor && !told ? new ControllerDied(name, stopped) : null);
            if (!bySurvivor) { // its owner had said how it ends, and died over writing it
                close(job, key, "");
            }
        }
        RecordKeeper.endOfTheDead(run);
        return new Ending(String.valueOf(run.getResult()), bySurvivor, name, stopped);
    }

    private static void endFile(Path folder, String result) {
        try {
            PlainEnd.writeEnd(folder.resolve("build.xml"), result);
        } catch (IOException e) { // what it was built for is built again all the same
            LOGGER.log(
                    Level.WARNING, "The end of " + folder + " cannot be written into its file", e);
        }
    }

    /**
     * Saves a build of a controller that is gone as ended now, and makes its record ours.
     *
     * @param cause why, for its page; null when that is said, or it came to its own end
     */
    static void saveEnd(Run<?, ?> run, Result result, CauseOfInterruption cause)
            throws IOException {
        Membership.active().ifPresent(m -> m.builds().decided(BuildKey.of(run)));
        if (cause != null) {
            run.addAction(new InterruptedBuildAction(List.of(cause)));
        }
        long lasted = Math.max(1, System.currentTimeMillis() - run.getStartTimeInMillis());
        RunFields.showEnded(run, result, lasted);
        RecordKeeper.takeOver(run);
        run.save();
    }

    private static void note(
            Job<?, ?> job, BuildKey key, String owner, boolean stopped, Path folder)
            throws IOException {
        String name = ClusterItemAction.controllerOf(job.getBuildByNumber(key.number()), owner);
        String how = stopped ? "was shut down" : "died";
        String sentence = "The controller '" + name + "' " + how + " while it ran this build.";
        if (BuildLog.end(folder).contains(sentence)) {
            return; // by a survivor that died over it
        }
        BuildLog.append(folder, "\n" + sentence + "\n");
        LOGGER.warning(
                () ->
                        key.job()
                                + " #"
                                + key.number()
                                + " is ended: its controller '"
                                + name
                                + "' "
                                + how);
    }

    /** The last lines of a build's log. */
    static void close(Job<?, ?> job, BuildKey key, String sentence) {
        Path folder = job.getBuildDir().toPath().resolve(Integer.toString(key.number()));
        LOGGER.warning(() -> key.job() + " #" + key.number() + " has ended. " + sentence);
        try {
            if (!BuildLog.end(folder).contains("\nFinished: ")) {
                Run<?, ?> run = job.getBuildByNumber(key.number());
                BuildLog.append(
                        folder,
                        (sentence.isEmpty() ? "" : sentence + "\n")
                                + "Finished: "
                                + (run == null ? "ABORTED" : run.getResult())
                                + "\n");
            }
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The last lines of the log of " + key + " are missing", e);
        }
    }
}
