package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.records.RecordKeeper;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Goes on here with Pipelines whose controller died, as Jenkins goes on with its own after a
 * restart: from what they stored last. Who may is settled by {@link PipelineOwner} in the shared
 * folder first, which also the old controller reads, and then in the queue.
 *
 * <p>The survivor may die at any point of this; the next one goes on from there. Two at a time, on
 * threads of its own: the first Declarative one takes seconds, for its plugin's classes.
 * Thread-safe.
 */
public final class PipelineAdoption {
    private static final Logger LOGGER = Logger.getLogger(PipelineAdoption.class.getName());

    /** Made by a controller that is shut down, in the folders of its Pipelines. */
    static final String STOPPED = "ha-stopped";

    /** Where nobody goes on with it, it is offered round so often. */
    private static final long HAND_ON_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final ForeignBuilds builds;
    private final Pool worker = new Pool("ha-jenkins-adoption", 2, 100_000);
    private final Set<BuildKey> underWay = ConcurrentHashMap.newKeySet();
    private final Set<BuildKey> unqueued = ConcurrentHashMap.newKeySet();

    /** Why each of those that wait does, as it was logged. */
    private final Map<BuildKey, String> waiting = new ConcurrentHashMap<>();

    /** When each item was handed on last, in ns. */
    private final Map<Long, Long> handedOn = Recent.map(10_000);

    private volatile OrphanedBuilds orphans;

    public PipelineAdoption(Cluster cluster, ControllerIdentity identity, ForeignBuilds builds) {
        this.cluster = cluster;
        this.identity = identity;
        this.builds = builds;
    }

    /** Who ends those that nobody can go on with. */
    public void endsBy(OrphanedBuilds decider) {
        orphans = decider;
    }

    /** Whether the queue says that it is this controller's, which does not go on with it yet. */
    boolean isUndone(Item item) {
        return item.state() == ItemState.RUNNING && isOurs(item) && !isDone(item);
    }

    /** Whether it goes on here. */
    boolean isDone(Item item) {
        return builds.goesOn(new BuildKey(item.job(), item.number()));
    }

    /**
     * It falls to this controller to decide on this item. Does not block.
     *
     * @param handedOn run when it falls to another one, because this one does not do it
     */
    void consider(Item item, Runnable handedOn) {
        later(
                new BuildKey(item.job(), item.number()),
                job -> {
                    Path folder = folder(job, item.number());
                    Refusal refusal =
                            isOurs(item) && PipelineOwner.letGoBy(folder) != null
                                    ? null // it has come round to where it was let go of
                                    : refusal(folder, item.owner());
                    if (refusal == null) {
                        return take(job, item);
                    }
                    if (refusal.elsewhere() && handOn(item)) {
                        handedOn.run();
                    }
                    return refusal.why();
                });
    }

    /**
     * A Pipeline that this controller let go of, still its own in the queue: nobody takes it, so it
     * goes on here. Does not block.
     */
    void takeBack(Item item) {
        later(
                new BuildKey(item.job(), item.number()),
                job -> {
                    Path folder = folder(job, item.number());
                    if (PipelineOwner.letGoBy(folder) == null) {
                        return ""; // somebody goes on with it
                    }
                    cluster.handOver(item.id(), identity.id()); // nothing late gives it away
                    Claimed claimed = claim(job, folder, item.job(), item.number());
                    if (claimed.owner == null) {
                        return claimed.waits;
                    }
                    if (claimed.obstacle.isEmpty()) {
                        goOn(folder, new BuildKey(item.job(), item.number()), claimed.giver);
                    } else {
                        orphans.endPipeline(job, item, claimed.obstacle);
                    }
                    return "";
                });
    }

    /**
     * The controller of a Pipeline that the queue knows nothing of is gone, or has let go of it.
     * Does not block.
     */
    void considerUnqueued(BuildKey key) {
        unqueued.add(key);
        later(
                key,
                job -> {
                    String waits = takeUnqueued(job, key);
                    if (waits.isEmpty()) {
                        unqueued.remove(key);
                    }
                    return waits;
                });
    }

    /** Those that the queue knows nothing of and that wait are looked at again. */
    void again() {
        unqueued.forEach(this::considerUnqueued);
    }

    @FunctionalInterface
    private interface Taking {
        /** Why it waits; "" when it does not. */
        String take(Job<?, ?> job) throws IOException;
    }

    private void later(BuildKey key, Taking taking) {
        if (!underWay.add(key)) {
            return;
        }
        boolean taken =
                worker.execute(
                        () -> {
                            try {
                                Job<?, ?> job =
                                        Jenkins.get().getItemByFullName(key.job(), Job.class);
                                note(key, job == null ? "its job is not here" : taking.take(job));
                            } catch (HaException e) {
                                note(key, e.getMessage());
                            } catch (Throwable e) { // of a plugin; the thread is for all Pipelines
                                LOGGER.log(
                                        Level.WARNING,
                                        "Could not take over the Pipeline "
                                                + key
                                                + "; trying again",
                                        e);
                            } finally {
                                underWay.remove(key);
                            }
                        });
        if (!taken) {
            underWay.remove(key); // asked for again in a moment
        }
    }

    private void note(BuildKey key, String why) {
        if (why.isEmpty()) {
            waiting.remove(key);
        } else if (!why.equals(waiting.put(key, why))) {
            LOGGER.warning(
                    () ->
                            "The Pipeline "
                                    + key.job()
                                    + " #"
                                    + key.number()
                                    + " is not taken over: "
                                    + why);
        }
    }

    private String take(Job<?, ?> job, Item item) throws IOException {
        Path folder = folder(job, item.number());
        if (!Files.isRegularFile(folder.resolve("build.xml"))) {
            giveBack(folder, item);
            return "";
        }
        if (PipelineFile.saysEnded(folder.resolve("build.xml").toFile()) || isDone(item)) {
            return ""; // which is told soon; or it was done a moment ago
        }
        Claimed claimed = claim(job, folder, item.job(), item.number());
        if (claimed.owner == null) {
            return claimed.waits;
        }
        if (!claimed.obstacle.isEmpty()) {
            orphans.endPipeline(job, item, claimed.obstacle);
            return "";
        }
        try {
            cluster.adopt(item.id());
        } catch (HaException.Fenced | HaException.Conflict | HaException.NotFound e) {
            // old news: it was given to another one meanwhile, for whom this claim is in the way
            if (claimed.giver != null) {
                claimed.owner.letGo(folder);
            }
            throw e;
        }
        goOn(folder, new BuildKey(item.job(), item.number()), claimed.giver);
        return "";
    }

    /**
     * It was killed, or stalls, before it was saved first: while its script was checked out,
     * perhaps. Its controller finds the word in its folder when it goes on after all.
     */
    private void giveBack(Path folder, Item item) throws IOException {
        if (Files.isDirectory(folder)) {
            LastWord.say(folder, identity, "ABORTED", LastWord.Role.SURVIVOR);
        }
        orphans.giveBack(item);
    }

    private String takeUnqueued(Job<?, ?> job, BuildKey key) throws IOException {
        Path folder = folder(job, key.number());
        Run<?, ?> run = job.getBuildByNumber(key.number());
        ClusterItemAction action = run == null ? null : run.getAction(ClusterItemAction.class);
        if (action == null || action.itemId() != 0 || !run.isBuilding()) {
            return ""; // the queue decides on it, or it has ended
        }
        String owner = action.controllerId();
        boolean given = PipelineOwner.letGoBy(folder) != null;
        if (!given && cluster.members().stream().anyMatch(m -> m.controllerId().equals(owner))) {
            return ""; // it is back, and so is its Pipeline
        }
        Refusal refusal = refusal(folder, owner);
        if (refusal != null && !(given && owner.equals(identity.id()))) {
            return refusal.why();
        }
        Claimed claimed = claim(job, folder, key.job(), key.number());
        if (claimed.owner == null) {
            return claimed.waits;
        }
        if (!claimed.obstacle.isEmpty()) {
            orphans.endUnqueuedPipeline(job, key, owner, claimed.obstacle);
            return "";
        }
        goOn(folder, key, claimed.giver);
        return "";
    }

    /**
     * Why this controller does not go on with a Pipeline.
     *
     * @param elsewhere whether another controller may do it
     */
    private record Refusal(String why, boolean elsewhere) {}

    /** Null when it does. */
    private Refusal refusal(Path folder, String owner) {
        if (owner.equals(identity.id())) {
            return new Refusal(
                    "it is this controller's own, and goes on when Jenkins resumes it", false);
        }
        if (Files.exists(folder.resolve(STOPPED))) {
            return new Refusal(
                    "its controller was shut down, and goes on with it when it is back", false);
        }
        String why = unwilling();
        return why.isEmpty() ? null : new Refusal(why, true);
    }

    /** Why this controller goes on with no Pipeline of others just now; "" when it does. */
    String unwilling() {
        if (!HaConfiguration.takesPipelinesOver()) {
            return "the settings of HA say so; it goes on when its controller is back";
        }
        if (PipelineInternals.find() == null) {
            return "this version of the Pipeline plugins does not allow it; it goes on when its"
                    + " controller is back";
        }
        HaConfiguration settings = HaConfiguration.get();
        if (settings == null || !settings.isTakesBuilds()) {
            return "this controller takes no builds, as its settings say";
        }
        if (Jenkins.get().isQuietingDown()) {
            return "this controller prepares for a shutdown";
        }
        if (Membership.active().map(m -> m.claimer().isDraining()).orElse(true)) {
            return "this controller is drained";
        }
        return "";
    }

    /** Whether it falls to another controller now; not again at once when all do like this one. */
    private boolean handOn(Item item) {
        long now = System.nanoTime();
        Long last = handedOn.get(item.id());
        if (last != null && now - last < HAND_ON_NANOS) {
            return false;
        }
        handedOn.put(item.id(), now);
        try {
            return cluster.pass(item.id()).isPresent();
        } catch (HaException.Fenced | HaException.NotFound | HaException.Conflict e) {
            return true; // somebody else's already, or ended
        }
    }

    /**
     * @param owner null when it is somebody else's, or set aside
     * @param obstacle why it can only be ended; "" when it can go on
     * @param waits why there is no owner
     * @param giver name of the controller that let go of it; null when its controller died
     */
    private record Claimed(PipelineOwner owner, String obstacle, String waits, String giver) {}

    private Claimed claim(Job<?, ?> job, Path folder, String name, int number) throws IOException {
        Optional<PipelineOwner> before = PipelineOwner.standing(folder);
        long epoch = cluster.link().epoch();
        String giver = PipelineOwner.letGoBy(folder);
        boolean mine =
                giver == null
                        && before.filter(o -> o.is(identity) && o.epoch() == epoch).isPresent();
        if (!mine && giver == null && before.filter(this::isMember).isPresent()) {
            return new Claimed(
                    null,
                    "",
                    "'" + before.get().controllerName() + "' is about to go on with it",
                    null);
        }
        String graph =
                before.map(PipelineOwner::graph)
                        .filter(text -> !text.isEmpty())
                        .orElse(PipelineGraph.FIRST);
        String obstacle = PipelineGraph.obstacle(folder, graph, giver != null);
        if (resumeForbidden(job)) {
            obstacle = "its job forbids that it is resumed";
        }
        if (LastWord.standing(folder) != null) {
            obstacle = "somebody had begun to end it";
        }
        if (mine) {
            return new Claimed(before.get(), obstacle, "", null);
        }
        String heads = PipelineGraph.heads(folder);
        int stuck =
                before.filter(o -> giver == null && o.heads().equals(heads))
                        .map(o -> o.stuck() + 1)
                        .orElse(0);
        if (stuck > Reruns.MOST) {
            String why =
                    "Controllers died "
                            + (stuck + 1)
                            + " times in a row while this Pipeline stood at the same step, so it"
                            + " is set aside: kill it, or restart the controller that began it";
            Reruns.setAside(new Reruns.GivenUp(name, number, why));
            return new Claimed(null, "", why, null);
        }
        String next = graph;
        if (obstacle.isEmpty()) {
            next =
                    PipelineGraph.FIRST
                            + "."
                            + (before.map(PipelineOwner::generation).orElse(1) + 1);
            PipelineGraph.copy(folder, graph, next);
        }
        PipelineOwner owner =
                PipelineOwner.claim(folder, before, identity, epoch, next, stuck, heads)
                        .orElse(null);
        if (owner != null) {
            PipelineGraph.dropUnfinished(folder);
        }
        return new Claimed(owner, obstacle, "another controller goes on with it", giver);
    }

    /** Whether the membership in which it was claimed is not over. */
    private boolean isMember(PipelineOwner owner) {
        return cluster.members().stream()
                .anyMatch(
                        member ->
                                member.controllerId().equals(owner.controllerId())
                                        && member.epoch() == owner.epoch());
    }

    private boolean isOurs(Item item) {
        return item.owner().equals(identity.id());
    }

    private void goOn(Path folder, BuildKey key, String giver) throws IOException {
        String before =
                giver == null
                        ? "Its controller went away"
                        : giver.equals(identity.name())
                                ? "Nobody else took it"
                                : "Handed over by '" + giver + "'";
        String sentence = before + "; '" + identity.name() + "' goes on with this Pipeline.";
        BuildLog.append(folder, sentence + "\n");
        Run<?, ?> run = builds.goOn(key);
        if (run == null || !builds.goesOn(key)) {
            throw new IOException("It cannot be read");
        }
        LOGGER.log(
                giver == null ? Level.WARNING : Level.INFO,
                "{0}: {1}",
                new Object[] {run, sentence});
        RecordKeeper.takeOver(run);
        run.save(); // its file says whose it is, and all hear of it
        BuildStepWaiters.resumed(run);
    }

    static boolean resumeForbidden(Job<?, ?> job) {
        try {
            return Boolean.TRUE.equals(job.getClass().getMethod("isResumeBlocked").invoke(job));
        } catch (ReflectiveOperationException e) {
            return false; // not in this version: its file says it
        }
    }

    private static Path folder(Job<?, ?> job, int number) {
        return job.getBuildDir().toPath().resolve(Integer.toString(number));
    }
}
