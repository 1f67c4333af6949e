package io.jenkins.plugins.ha.builds;

import hudson.console.ConsoleLogFilter;
import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Result;
import hudson.model.Run;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.queue.HaQueue;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.model.queue.AsynchronousExecution;

/**
 * Keeps a Pipeline from going on here when another controller goes on with it. While this
 * controller holds no lease, each of its Pipelines waits at its next step, by the monotonic clock
 * and before anybody is asked; so a controller that was asleep does none. When it is a member
 * again, the files of each Pipeline say whose it is: its own go on as if nothing had been, the
 * others are let go of.
 *
 * <p>They wait, and are not shut down, because a Redis that is away for all is no death.
 */
public final class PipelineFence {
    private static final Logger LOGGER = Logger.getLogger(PipelineFence.class.getName());
    private static final long TICK_MILLIS = 100;
    private static final long PARKED_MILLIS = 50;
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /** Objects of Pipelines that were let go of: what still holds them must not save them. */
    private static final Set<Run<?, ?>> LET_GO =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /** Their programs. */
    private static final Set<Object> LET_GO_PROGRAMS =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final ForeignBuilds builds;

    /** The membership in which it was settled last whose the Pipelines here are. */
    private volatile long settled;

    public PipelineFence(Cluster cluster, ControllerIdentity identity, ForeignBuilds builds) {
        this.cluster = cluster;
        this.identity = identity;
        this.builds = builds;
    }

    /** From now on no Pipeline makes a step here without a lease. The jobs are loaded. */
    public void start(Watchdog watchdog) {
        settled = cluster.link().epoch();
        PipelineInternals internals = PipelineInternals.find();
        if (internals == null) {
            return;
        }
        PipelineHooks.install(internals, this);
        watchdog.every("ha-jenkins-pipelines", TICK_MILLIS, this::watch);
    }

    /**
     * This controller is shut down: core suspends its Pipelines, which takes longer than it is a
     * member, and goes on with them at the next start. Until then nobody else may.
     */
    public void leave() {
        for (Run<?, ?> run : here()) {
            try {
                Files.writeString(
                        run.getRootDir().toPath().resolve(PipelineAdoption.STOPPED),
                        identity.name() + "\n");
            } catch (IOException e) {
                LOGGER.log(Level.WARNING, run + " may be taken over while it is suspended here", e);
            }
        }
    }

    /** Whether what runs here is surely ours in this membership. From memory. */
    boolean open() {
        try {
            LinkState link = cluster.link();
            return link.joined() && link.epoch() == settled && cluster.holdsLease();
        } catch (HaException e) {
            return leaving(); // closed: core suspends the Pipelines of a controller that stops
        }
    }

    /** Whether it is settled in this membership whose the Pipelines here are. */
    boolean settled(long epoch) {
        return settled == epoch || PipelineInternals.find() == null;
    }

    private static boolean leaving() {
        return Membership.active().map(Membership::isLeaving).orElse(true);
    }

    /**
     * Called on the thread of a Pipeline before each of its steps: returns when it may make it. For
     * one that was let go of it never returns, so that not even what stands behind the step is
     * done; its thread is idle from then on.
     */
    void beforeStep(Object flowNode) {
        if (open() && LET_GO_PROGRAMS.isEmpty()) {
            return;
        }
        PipelineInternals internals = PipelineInternals.find();
        Object program = internals == null ? null : internals.programOf(flowNode);
        while (program != null && LET_GO_PROGRAMS.contains(program) || !open() && !leaving()) {
            try {
                Thread.sleep(PARKED_MILLIS);
            } catch (InterruptedException e) {
                LOGGER.log(Level.FINE, "Jenkins holds a step that waits for the lease hung", e);
            }
        }
    }

    /**
     * Called when a Pipeline's build.xml is about to be written.
     *
     * @throws IllegalStateException when it is not this controller's to write
     */
    public static void beforeSave(Run<?, ?> run) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !RunFields.isPipeline(run)) {
            return;
        }
        if (LET_GO.contains(run)
                || !membership.pipelines().open() && membership.pipelines().another(run) != null) {
            throw new IllegalStateException(
                    run + " is not saved: another controller has taken it over");
        }
    }

    private void watch() {
        if (!leaving() && !open()) {
            look();
        }
    }

    private void look() {
        LinkState link = cluster.link();
        boolean member = link.joined() && cluster.holdsLease();
        boolean[] all = {true};
        for (Run<?, ?> run : here()) {
            try {
                PipelineOwner other = another(run);
                if (other != null) {
                    letGo(run, other.controllerId());
                    LOGGER.warning(
                            () ->
                                    run
                                            + " is let go of here: this controller did not answer"
                                            + " for longer than its lease, and '"
                                            + other.controllerName()
                                            + "' has taken it over");
                    freeExecutors(run, true);
                } else if (member && link.epoch() != settled) {
                    all[0] &= takeAgain(run, link.epoch());
                }
            } catch (HaException.Closed e) {
                throw e;
            } catch (IOException | RuntimeException | LinkageError e) {
                LOGGER.log(Level.FINE, "Looked at again in a moment: " + run, e);
                all[0] = false;
            }
        }
        if (member && all[0]) {
            settled = link.epoch();
        }
    }

    /** The Pipelines that run here. */
    public List<Run<?, ?>> here() {
        List<Run<?, ?>> runs = new ArrayList<>();
        BuildsHere.forEach(
                (executor, run) -> {
                    if (RunFields.isPipeline(run) && !LET_GO.contains(run)) {
                        runs.add(run);
                    }
                });
        return runs;
    }

    /** Who else goes on with it, or has ended it, as the shared folder says; null for nobody. */
    private PipelineOwner another(Run<?, ?> run) {
        Path folder = run.getRootDir().toPath();
        try {
            LastWord word = LastWord.standing(folder);
            if (word != null && !word.byOwner(identity.id())) {
                return new PipelineOwner(
                        0, word.controllerId(), "", word.controllerName(), 0, "", 0, "");
            }
            PipelineOwner owner = PipelineOwner.standing(folder).orElse(null);
            return owner == null || owner.is(identity) ? null : owner;
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The folder of " + run + " cannot be read just now", e);
            return null;
        }
    }

    /** False when it must be tried again. */
    private boolean takeAgain(Run<?, ?> run, long epoch) throws IOException {
        Path folder = run.getRootDir().toPath();
        Optional<PipelineOwner> before = PipelineOwner.standing(folder);
        if (before.filter(owner -> owner.is(identity) && owner.epoch() == epoch).isEmpty()
                && PipelineOwner.claim(
                                folder,
                                before,
                                identity,
                                epoch,
                                before.map(PipelineOwner::graph).orElse(""),
                                0,
                                "")
                        .isEmpty()) {
            return false; // somebody was faster: the next look sees who
        }
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action != null && action.itemId() > 0) {
            try {
                cluster.resume(action.itemId(), run.getNumber());
            } catch (HaException.Fenced e) {
                if (OwnPipelines.isOver(cluster, run, action.itemId())) {
                    LOGGER.warning(() -> run + OwnPipelines.STOPPED);
                    interrupt(run);
                    return true;
                }
                return false;
            } catch (HaException.NotFound e) {
                LOGGER.info(() -> run + " goes on; the queue knows nothing of it any more");
            } catch (HaException.Unavailable | HaException.Refused e) {
                return false;
            }
        }
        LOGGER.info(() -> run + " goes on: nobody else took it while this controller was away");
        return true;
    }

    private static void interrupt(Run<?, ?> run) {
        BuildsHere.forEach(
                (executor, each) -> {
                    if (each == run) {
                        executor.interrupt(Result.ABORTED);
                    }
                });
    }

    /** Nothing of it goes on here, nor is any of it written from here. */
    void letGo(Run<?, ?> run, String toController) {
        LET_GO.add(run);
        PipelineInternals internals = PipelineInternals.find();
        Object program = internals.programOf(run);
        if (program != null) {
            LET_GO_PROGRAMS.add(program);
        }
        internals.letGo(run);
        builds.letGo(run, toController);
    }

    /**
     * Frees its executors here, and takes its node blocks out of the queue: where it goes on, it
     * asks for its own. Its agents of clouds are no nodes here from then on.
     *
     * @param agents whether its other agents are sent away as well: they are needed where it goes
     *     on
     */
    static void freeExecutors(Run<?, ?> run, boolean agents) {
        HaQueue.withdraw(task -> PipelineInternals.holdsFor(task, run));
        for (Computer computer : Jenkins.get().getComputers()) {
            for (Executor executor : computer.getAllExecutors()) {
                boolean own = executor.getCurrentExecutable() == run;
                boolean block = !own && PipelineInternals.isHeldFor(executor, run);
                if (!own && !block) {
                    continue;
                }
                AsynchronousExecution asleep = executor.getAsynchronousExecution();
                if (block) {
                    Membership.active().ifPresent(m -> m.clouds().release(computer));
                }
                if (asleep != null) {
                    asleep.completed(null);
                }
                if (agents && block && computer != Jenkins.get().toComputer()) {
                    computer.disconnect(null);
                }
            }
        }
    }

    /** The log of a Pipeline takes nothing from a controller that has lost it. */
    static final class Log extends ConsoleLogFilter implements Serializable {
        private static final long serialVersionUID = 1L;

        private final String job;
        private final int number;

        Log(String job, int number) {
            this.job = job;
            this.number = number;
        }

        @Override
        @SuppressWarnings("rawtypes")
        public OutputStream decorateLogger(Run build, OutputStream logger) {
            // on an agent there is no Jenkins, and its controller judges what arrives
            Jenkins jenkins = Jenkins.getInstanceOrNull();
            return jenkins == null ? logger : new Gate(job, number, logger);
        }
    }

    private static final class Gate extends LogGate {
        private final String job;
        private final int number;
        private long looked;
        private boolean shut;

        Gate(String job, int number, OutputStream out) {
            super(out);
            this.job = job;
            this.number = number;
        }

        /** From memory while the lease is held; else the folder is looked into now and then. */
        @Override
        boolean open() {
            Membership membership = Membership.active().orElse(null);
            if (shut || membership == null || membership.pipelines().open()) {
                return !shut;
            }
            long now = System.nanoTime();
            if (looked != 0 && now - looked < LOOK_NANOS) {
                return true;
            }
            looked = now;
            shut = membership.builds().isTakenOver(job, number, membership.identity());
            return !shut;
        }
    }
}
