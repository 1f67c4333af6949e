package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Result;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.records.RecordKeeper;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.CauseOfInterruption;
import jenkins.model.Jenkins;

/**
 * Pipelines whose controller is gone. The controller to which the decision fell goes on with them
 * ({@link PipelineAdoption}), or leaves them to their own, to be resumed when that is back; if
 * somebody kills one it is ended. What it would do at its end is not done then, as with any
 * Pipeline that is killed. Thread-safe.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class OrphanedPipelines {
    /** Announces that one is to be killed: the body is who wants it, the subject its job. */
    public static final String TOPIC = "kill";

    private static final Logger LOGGER = Logger.getLogger(OrphanedPipelines.class.getName());

    private static final long LOOK_MILLIS = 2000;

    private final Outbound outbound;
    private final PipelineAdoption adoption;

    /** Those that it falls to this controller to decide on, by queue item. */
    private final Map<Long, Item> left = new ConcurrentHashMap<>();

    public OrphanedPipelines(Outbound outbound, PipelineAdoption adoption) {
        this.outbound = outbound;
        this.adoption = adoption;
    }

    /** It falls to this controller to decide on it. */
    void leave(Item item) {
        left.put(item.id(), item);
        LOGGER.warning(
                () ->
                        "The controller "
                                + item.owner()
                                + " went away while it ran the Pipeline "
                                + item.job()
                                + " #"
                                + item.number());
        consider(item);
    }

    private void consider(Item item) {
        // only as it is now: it may be back from the others under a newer version
        adoption.consider(item, () -> left.remove(item.id(), item));
    }

    /** Whether it falls to this controller to decide on one, and it has not done so yet. */
    public boolean anyUndecided() {
        return !left.isEmpty();
    }

    /** As {@link #leave}, for one that the queue knows nothing of. */
    void unqueued(BuildKey key) {
        adoption.considerUnqueued(key);
    }

    /** From now on it is looked which of them have ended. The jobs are loaded. */
    public void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-orphaned-pipelines", LOOK_MILLIS, this::look);
    }

    /**
     * One may have ended a moment before its controller died, untold; or its controller, back
     * again, finds that it had not begun in earnest, and says so in its file alone.
     */
    private void look() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            adoption.again();
            for (Item item : left.values()) {
                if (adoption.isDone(item)) {
                    left.remove(item.id());
                    continue;
                }
                Job<?, ?> job = Jenkins.get().getItemByFullName(item.job(), Job.class);
                if (job != null
                        && PipelineFile.saysEnded(
                                new File(job.getBuildDir(), item.number() + "/build.xml"))) {
                    left.remove(item.id());
                    tellEnd(job, item);
                } else {
                    consider(item);
                }
            }
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not look which Pipelines have ended", e);
        }
    }

    private void tellEnd(Job<?, ?> job, Item item) {
        BuildKey key = new BuildKey(item.job(), item.number());
        Membership.active().ifPresent(membership -> membership.builds().ended(key));
        Run<?, ?> run = job.getBuildByNumber(item.number());
        if (run != null) {
            RecordKeeper.endOfTheDead(run);
            String result = String.valueOf(run.getResult());
            outbound.tell("end of the orphaned " + run, c -> c.finished(item.id(), result));
        }
    }

    /** News of an item: its controller is back perhaps. */
    public void changed(Item item) {
        // one that is this controller's now, but does not go on yet, is looked at until it does:
        // the queue's answer may have been lost
        if (item.state() != ItemState.ORPHANED && !adoption.isUndone(item)) {
            left.remove(item.id());
        }
    }

    /**
     * Has it ended, wherever this falls to, if its controller is really gone. Does not block; it is
     * done within moments, or not at all.
     *
     * @param who for its log
     */
    public void kill(Run<?, ?> run, String who) {
        BuildKey key = BuildKey.of(run);
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action == null || action.itemId() <= 0 || !queueHas(action.itemId())) {
            outbound.tell("end of the orphaned " + key, c -> endUnqueued(key, who));
        } else if (!killHere(key, who)) {
            outbound.tell(
                    "kill of " + run,
                    c ->
                            c.announce(
                                    TOPIC,
                                    key.job(),
                                    key.number(),
                                    who.getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static boolean queueHas(long id) {
        Membership membership = Membership.active().orElseThrow();
        return membership.cluster().item(id).map(item -> !item.state().ended()).orElse(false);
    }

    /** Of one that no item of the queue stands for, the shared folder says who ended it first. */
    private static void endUnqueued(BuildKey key, String who) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Membership membership = Membership.active().orElseThrow();
            Job<?, ?> job = Jenkins.get().getItemByFullName(key.job(), Job.class);
            Run<?, ?> run = job == null ? null : job.getBuildByNumber(key.number());
            if (run == null || !run.isBuilding()) {
                return;
            }
            String name = ClusterItemAction.controllerOf(run, "");
            LastWord.say(
                    run.getRootDir().toPath(),
                    membership.identity(),
                    Result.ABORTED.toString(),
                    LastWord.Role.SURVIVOR);
            write(membership, run, new Killed(name, who));
            BuildStepWaiters.ended(run);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The end of " + key + " may be missing in its file", e);
        }
    }

    /** Another controller was asked for it. */
    public void announced(Event.Announcement announcement) {
        killHere(
                new BuildKey(announcement.subject(), (int) announcement.number()),
                new String(announcement.body(), StandardCharsets.UTF_8));
    }

    private boolean killHere(BuildKey key, String who) {
        for (Item item : left.values()) {
            if (item.job().equals(key.job()) && item.number() == key.number()) {
                outbound.tell("end of the orphaned " + key, c -> end(c, item, key, who));
                return true;
            }
        }
        return false;
    }

    private void end(Cluster cluster, Item item, BuildKey key, String who) {
        try {
            cluster.finished(item.id(), Result.ABORTED.toString());
        } catch (HaException.Fenced e) {
            LOGGER.info(() -> key + " is not killed: its controller is back");
            return;
        }
        left.remove(item.id());
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Membership membership = Membership.active().orElseThrow();
            membership.builds().ended(key); // what is saved from now on counts
            Job<?, ?> job = Jenkins.get().getItemByFullName(key.job(), Job.class);
            Run<?, ?> run = job == null ? null : job.getBuildByNumber(key.number());
            if (run != null) {
                write(
                        membership,
                        run,
                        new Killed(ClusterItemAction.controllerOf(run, item.owner()), who));
            }
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The end of " + key + " may be missing in its file", e);
        }
    }

    /** The file then says what it says of any Pipeline that was killed: nothing to be resumed. */
    private static void write(Membership membership, Run<?, ?> run, Killed cause)
            throws IOException {
        OrphanedBuilds.saveEnd(run, Result.ABORTED, cause);
        BuildLog.append(
                run.getRootDir().toPath(),
                "\n" + cause.getShortDescription() + "\nFinished: ABORTED\n");
        LOGGER.warning(() -> run + " has ended. " + cause.getShortDescription());
        membership.builds().ended(BuildKey.of(run));
        BuildNews.announce(membership, run, ForeignBuilds.ENDED);
        RecordKeeper.endOfTheDead(run);
    }

    /** Why it was ended. */
    private static final class Killed extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;

        private final String controller;
        private final String who;

        Killed(String controller, String who) {
            this.controller = controller;
            this.who = who;
        }

        @Override
        public String getShortDescription() {
            return "Killed by " + who + " while its controller " + controller + " was gone";
        }
    }
}
