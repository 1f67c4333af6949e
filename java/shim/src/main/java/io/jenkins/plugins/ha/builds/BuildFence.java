package io.jenkins.plugins.ha.builds;

import hudson.BulkChange;
import hudson.Extension;
import hudson.Launcher;
import hudson.console.ConsoleLogFilter;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import hudson.model.Environment;
import hudson.model.Executor;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.RunListener;
import hudson.model.queue.WorkUnit;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.ClaimedItems;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.CauseOfInterruption;
import jenkins.model.InterruptedBuildAction;

/**
 * Builds of this controller that others end, because it stalled or was cut off for longer than its
 * lease, or is shut down over them. They are stopped, and nothing of them reaches their log or
 * build.xml any more: what the survivor wrote there stands. Pipelines have a fence of their own
 * ({@link PipelineFence}).
 *
 * <p>Whether a build is still ours is known in two ways: from the queue, once this controller is a
 * member again, and from the {@link LastWord} in the build's folder, also while it is not.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class BuildFence {
    private static final Logger LOGGER = Logger.getLogger(BuildFence.class.getName());
    private static final long LOOK_MILLIS = 1000;
    private static final int LOOKS_AFTERWARDS = 30;
    private static final long WAIT_MILLIS = 1000;
    private static final long SETTLE_MILLIS = 5000;
    private static final long STOP_MILLIS = 5000;
    private static final long STOP_LOOK_MILLIS = 20;
    private static final int REMEMBERED = 1000;

    /** Those that are no longer ours. */
    private static final Set<BuildKey> CUT = Recent.set(REMEMBERED);

    /**
     * Those that were stopped, or did not begin, for it or because this controller is shut down.
     */
    private static final Set<BuildKey> STOPPED = Recent.set(REMEMBERED);

    /** For looks into folders that are not on time. */
    private static final Pool LOOKS = new Pool("ha-jenkins-fence-look", 1, 10_000);

    private final Cluster cluster;
    private final ControllerIdentity identity;

    /** How often the folders are still looked into; the timer's thread only. */
    private int looks;

    /** The membership under which the queue has been asked about all that runs. */
    private volatile long asked;

    public BuildFence(Cluster cluster, ControllerIdentity identity) {
        this.cluster = cluster;
        this.identity = identity;
    }

    /** From now on it is looked whether what runs here is still ours. */
    public void start(Watchdog watchdog) {
        asked = cluster.link().epoch();
        watchdog.every("ha-jenkins-fence", LOOK_MILLIS, this::look);
    }

    /**
     * This controller is shut down: core is about to interrupt what runs here. It is done now,
     * while this controller is a member, so that nothing runs on beside its successor elsewhere.
     * Waits for it, 5 s at the most.
     */
    public void stopBuilds() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STOP_MILLIS);
        boolean[] runs = {true};
        while (runs[0] && System.nanoTime() < deadline) {
            runs[0] = false;
            forEachBuild(
                    (executor, run) -> {
                        if (membershipOf(run) == null
                                || run.getAction(ClusterItemAction.class).itemId() <= 0) {
                            return; // nobody else can run it again: core ends it
                        }
                        runs[0] = true;
                        if (run.isBuilding() && STOPPED.add(BuildKey.of(run))) {
                            executor.interrupt(
                                    Result.ABORTED, new ControllerDied(identity.name(), true));
                        }
                    });
            try {
                Thread.sleep(STOP_LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /**
     * Whether this build ends only because its controller is shut down, so that it is to run again
     * elsewhere. An agent that lost its channel meanwhile may have made a failure of it.
     */
    private static boolean leavesUndone(Run<?, ?> run) {
        Result result = run.getResult();
        return STOPPED.contains(BuildKey.of(run))
                && result != null
                && result.isWorseThan(Result.UNSTABLE)
                && runsElsewhere(run)
                && run.getActions(InterruptedBuildAction.class).stream()
                        .flatMap(action -> action.getCauses().stream())
                        .allMatch(c -> c instanceof ControllerDied died && died.isStopped());
    }

    /** Whether it runs again on another controller when this one leaves it undone. */
    private static boolean runsElsewhere(Run<?, ?> run) {
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        return Reruns.wanted(run.getParent()) && !(action != null && action.isKept());
    }

    /** A new membership: what ran under the old one may be somebody else's by now. */
    public void linkChanged(LinkState link) {
        if (asked != 0 && link.joined() && link.epoch() != asked) {
            LOOKS.execute(this::look);
        }
    }

    /**
     * Whether nobody can have taken over what runs here: the lease is held, and the queue has been
     * asked since it was lost last. From memory.
     */
    private boolean sure() {
        try {
            LinkState link = cluster.link();
            return link.joined() && link.epoch() == asked && cluster.holdsLease();
        } catch (HaException e) {
            return false; // closed: this controller stops
        }
    }

    /** Whether another controller has ended it, or is to. */
    public static boolean isCut(Run<?, ?> run) {
        return CUT.contains(BuildKey.of(run));
    }

    private synchronized void look() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            LinkState link = cluster.link();
            if (link.joined() && link.epoch() != asked) {
                looks = LOOKS_AFTERWARDS;
                if (askAbout(link.epoch())) {
                    asked = link.epoch();
                }
            } else if (!cluster.holdsLease()) {
                looks = LOOKS_AFTERWARDS;
            }
            if (looks > 0) {
                looks--;
                forEachBuild(this::lookInto);
            }
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Closed", e);
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not look whether the builds here are ours", e);
        }
    }

    /** Asks the queue about all its items that are built here; false when it must be repeated. */
    private boolean askAbout(long epoch) {
        boolean[] done = {true};
        forEachBuild(
                (executor, run) -> {
                    WorkUnit work = executor.getCurrentWorkUnit();
                    long item = work == null ? 0 : ClaimedItems.idOf(work.context.item);
                    ClusterItemAction action =
                            work == null || work.context.item == null
                                    ? null
                                    : work.context.item.getAction(ClusterItemAction.class);
                    ClusterItemAction own = run.getAction(ClusterItemAction.class);
                    if (item == 0 && own != null && own.isKept()) {
                        action = own;
                        item = own.itemId();
                    }
                    if (item == 0 || action.epoch() == epoch) {
                        return;
                    }
                    try {
                        cluster.keep(item);
                        LOGGER.info(
                                () ->
                                        run
                                                + " goes on: nobody else took it while this one was"
                                                + " away");
                    } catch (HaException.Fenced e) {
                        stop(executor, run, "");
                    } catch (HaException.NotFound e) {
                        LOGGER.info(() -> run + " goes on; the queue knows nothing of it any more");
                    } catch (HaException.Unavailable | HaException.Refused e) {
                        done[0] = false;
                    }
                });
        return done[0];
    }

    private void lookInto(Executor executor, Run<?, ?> run) {
        try {
            LastWord word = LastWord.standing(run.getRootDir().toPath());
            if (word != null && !word.byOwner(identity.id())) {
                stop(executor, run, word.controllerName());
            }
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The folder of " + run + " cannot be read just now", e);
        }
    }

    private void stop(Executor executor, Run<?, ?> run, String by) {
        if (!run.isBuilding()) {
            return;
        }
        cut(run, by);
        if (STOPPED.add(BuildKey.of(run))) {
            executor.interrupt(Result.ABORTED, new LeaseLost(identity.name()));
        }
    }

    private static void cut(Run<?, ?> run, String by) {
        if (!CUT.add(BuildKey.of(run))) {
            return;
        }
        LOGGER.warning(
                () ->
                        run
                                + " is stopped here and its result does not count: this controller"
                                + " did not answer for longer than its lease, and "
                                + (by.isEmpty() ? "another controller" : "'" + by + "'")
                                + " took its work over. Its log says what became of it.");
    }

    private static void forEachBuild(BiConsumer<Executor, Run<?, ?>> each) {
        BuildsHere.forEach(
                (executor, run) -> {
                    if (!RunFields.isPipeline(run)) {
                        each.accept(executor, run);
                    }
                });
    }

    private static Membership membershipOf(Run<?, ?> run) {
        Membership membership = Membership.active().orElse(null);
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        boolean ours =
                membership != null
                        && action != null
                        && action.controllerId().equals(membership.identity().id())
                        && action.incarnation().equals(membership.identity().incarnation());
        return ours && !RunFields.isPipeline(run) ? membership : null;
    }

    private static final class LeaseLost extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;

        private final String controller;

        LeaseLost(String controller) {
            this.controller = controller;
        }

        @Override
        public String getShortDescription() {
            return "Controller " + controller + " did not answer for longer than its lease";
        }
    }

    /** How a build begins and ends while it may be another's. */
    @Extension(ordinal = 2000)
    public static final class Ends extends RunListener<Run<?, ?>> {
        private static final Map<BuildKey, BulkChange> SILENCED = new ConcurrentHashMap<>();

        /**
         * A controller that stalled between the number and the first step must not begin: a
         * survivor has put the item back. Nor must one that is shut down and has asked what ran to
         * stop: what begins now was being made then, and core interrupts it without a word.
         */
        @Override
        @SuppressWarnings("rawtypes")
        public Environment setUpEnvironment(
                AbstractBuild build, Launcher launcher, BuildListener listener)
                throws InterruptedException {
            Run<?, ?> run = (Run<?, ?>) build;
            Membership membership = membershipOf(run);
            long item = membership == null ? 0 : run.getAction(ClusterItemAction.class).itemId();
            if (item > 0 && membership.isLeaving() && runsElsewhere(run)) {
                STOPPED.add(BuildKey.of(run));
                throw new InterruptedException("This controller is being shut down");
            }
            while (item > 0 && !isCut(run)) {
                LinkState link = membership.link();
                boolean same = run.getAction(ClusterItemAction.class).epoch() == link.epoch();
                if (link.joined() && same && membership.cluster().holdsLease()) {
                    return null;
                }
                try {
                    if (membership.cluster().awaitJoined(WAIT_MILLIS) && !same) {
                        membership.cluster().keep(item);
                        return null;
                    }
                    Thread.sleep(LOOK_MILLIS / 10);
                } catch (HaException.Fenced e) {
                    cut(run, "");
                } catch (HaException.NotFound | HaException.Closed e) {
                    return null;
                } catch (HaException.Unavailable | HaException.Refused e) {
                    LOGGER.log(Level.FINE, "{0} begins when Redis is back", run);
                }
            }
            if (isCut(run)) {
                throw new InterruptedException("This controller lost its lease");
            }
            return null;
        }

        @Override
        public void onCompleted(Run<?, ?> run, TaskListener listener) {
            Membership membership = membershipOf(run);
            if (membership == null) {
                return;
            }
            if (!isCut(run)) {
                boolean undone = leavesUndone(run);
                try {
                    LastWord word =
                            DespiteInterrupts.write(
                                    () ->
                                            LastWord.say(
                                                    run.getRootDir().toPath(),
                                                    membership.identity(),
                                                    String.valueOf(run.getResult()),
                                                    undone
                                                            ? LastWord.Role.STOPPED
                                                            : LastWord.Role.OWNER));
                    if (word.byOwner(membership.identity().id())) {
                        return;
                    }
                    if (undone && word.fresh()) {
                        CUT.add(BuildKey.of(run));
                        LOGGER.info(() -> run + " is left to the others: this controller stops");
                    } else {
                        cut(run, word.controllerName());
                    }
                } catch (IOException e) {
                    LOGGER.log(Level.FINE, "The folder of " + run + " takes no word", e);
                    return;
                }
            }
            RunFields.setResult(run, Result.ABORTED); // nothing downstream begins
            SILENCED.put(BuildKey.of(run), new BulkChange(run)); // core's save does nothing
        }

        @Override
        public void onFinalized(Run<?, ?> run) {
            BuildKey key = BuildKey.of(run);
            BulkChange silenced = SILENCED.remove(key);
            if (silenced != null) {
                silenced.abort();
            }
            Membership membership = membershipOf(run);
            if (membership == null) {
                return;
            }
            if (isCut(run)) {
                membership.builds().ended(key); // what the survivor wrote is read from now on
                LOOKS.after(SETTLE_MILLIS, () -> settle(membership, run));
                return;
            }
            try {
                SavedEnds.ensure(run);
            } catch (IOException e) {
                LOGGER.log(
                        Level.WARNING,
                        run
                                + " has ended as "
                                + run.getResult()
                                + ", but its folder cannot be written: other controllers, and this"
                                + " one after a restart, do not see its end",
                        e);
                return; // the word in its folder is all there is of its end
            }
            try {
                LastWord.drop(run.getRootDir().toPath());
            } catch (IOException e) {
                LOGGER.log(Level.FINE, "The word on " + run + " stays in its folder", e);
            }
        }

        /**
         * When the survivor has done its part: a build that went back to the queue before it began
         * has nobody else to end it, and a plugin may have saved one that was stopped once more.
         */
        private static void settle(Membership membership, Run<?, ?> run) {
            BuildKey key = BuildKey.of(run);
            Path folder = run.getRootDir().toPath();
            try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
                if (!Files.exists(folder.resolve("build.xml")) || OrphanedBuilds.hasEnded(folder)) {
                    return;
                }
                long item = run.getAction(ClusterItemAction.class).itemId();
                if (LastWord.standing(folder) == null) {
                    boolean nobodys =
                            membership
                                    .cluster()
                                    .item(item)
                                    .filter(
                                            i ->
                                                    i.number() != run.getNumber()
                                                            || i.state() == ItemState.CANCELLED)
                                    .isPresent();
                    if (!nobodys) {
                        return;
                    }
                    BuildLog.append(
                            folder,
                            "\nThis controller lost its lease before the build began, and its queue"
                                    + " item went back to the queue.\nFinished: ABORTED\n");
                }
                RunFields.showEnded(run, Result.ABORTED, Math.max(1, run.getDuration()));
                run.save();
                membership.builds().ended(key);
                BuildNews.announce(membership, run, ForeignBuilds.ENDED);
            } catch (HaException.Closed e) {
                LOGGER.log(Level.FINE, "Closed", e);
            } catch (HaException.Unavailable | HaException.Refused e) {
                LOOKS.after(SETTLE_MILLIS, () -> settle(membership, run));
            } catch (HaException | IOException e) {
                LOGGER.log(Level.WARNING, "The end of " + run + " may be missing in its file", e);
            }
        }
    }

    /** The log of a build that is no longer ours takes nothing more from here. */
    @Extension
    public static final class Log extends ConsoleLogFilter {
        @Override
        @SuppressWarnings("rawtypes")
        public OutputStream decorateLogger(Run build, OutputStream logger) {
            Run<?, ?> run = build;
            Membership membership = run == null ? null : membershipOf(run);
            return membership == null ? logger : new Gate(membership, run, logger);
        }
    }

    private static final class Gate extends LogGate {
        private final Membership membership;
        private final Run<?, ?> run;
        private long looked;

        Gate(Membership membership, Run<?, ?> run, OutputStream out) {
            super(out);
            this.membership = membership;
            this.run = run;
        }

        /** While it is surely ours, from memory; else the folder is looked into now and then. */
        @Override
        boolean open() {
            if (isCut(run)) {
                return false;
            }
            long now = System.nanoTime();
            if (membership.fence().sure()
                    || now - looked < TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS / 5)) {
                return true;
            }
            looked = now;
            try {
                LastWord word = LastWord.standing(run.getRootDir().toPath());
                if (word != null && !word.byOwner(membership.identity().id())) {
                    cut(run, word.controllerName());
                    return false;
                }
            } catch (IOException e) {
                LOGGER.log(Level.FINE, "The folder of " + run + " cannot be read just now", e);
            }
            return true;
        }
    }
}
