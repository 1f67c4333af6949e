package io.jenkins.plugins.ha.builds;

import hudson.model.Executor;
import hudson.model.Job;
import hudson.model.Result;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.queue.QueueView;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Pipelines that go on here in another membership than the one they began in: this controller was
 * restarted. As its files say they are its own, so their queue items are taken back; else they
 * would keep what waits behind them waiting for ever.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class OwnPipelines {
    private static final Logger LOGGER = Logger.getLogger(OwnPipelines.class.getName());
    private static final long LOOK_MILLIS = 1000;

    /** What the log says, after the build, of one whose queue item is its own no more. */
    static final String STOPPED =
            " is stopped: it was ended, or given back to the queue, while this controller was away";

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final QueueView view;
    private final ForeignBuilds builds;
    private final PipelineFence fence;

    /** Queue items that were asked for, and the epoch they were asked for in. */
    private final Map<Long, Long> asked = Recent.map(10_000);

    public OwnPipelines(
            Cluster cluster,
            ControllerIdentity identity,
            QueueView view,
            ForeignBuilds builds,
            PipelineFence fence) {
        this.builds = builds;
        this.fence = fence;
        this.cluster = cluster;
        this.identity = identity;
        this.view = view;
    }

    /** From now on it is looked which Pipelines run here. The jobs are loaded. */
    public void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-own-pipelines", LOOK_MILLIS, this::look);
    }

    /**
     * The item of a Pipeline of this controller ends, whatever membership it began in. One that
     * went back to the queue meanwhile, and is another build's now, does not.
     */
    static void finish(Cluster cluster, ClusterItemAction action, int number, String result) {
        if (action.epoch() != cluster.link().epoch()) {
            cluster.resume(action.itemId(), number);
        }
        cluster.finished(action.itemId(), result);
    }

    /** Whether the build's queue item has ended, or went back to the queue, or is not known. */
    static boolean isOver(Cluster cluster, Run<?, ?> run, long item) {
        return cluster.item(item)
                .map(found -> found.state().ended() || found.number() != run.getNumber())
                .orElse(true);
    }

    private void look() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            LinkState link = cluster.link();
            if (!link.joined() || !fence.settled(link.epoch())) {
                return;
            }
            builds.unclaimed().forEach(builds::goOn);
            readOrphans();
            BuildsHere.forEach(
                    (executor, run) -> {
                        if (RunFields.isPipeline(run)) {
                            takeBack(executor, run, link.epoch());
                        }
                    });
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Closed", e);
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not look which Pipelines run here", e);
        }
    }

    /** Core resumes a Pipeline, or finds that there is nothing to resume, when it reads it. */
    private void readOrphans() {
        for (Item item : view.held()) {
            if (item.state() == ItemState.ORPHANED && item.owner().equals(identity.id())) {
                Job<?, ?> job = Jenkins.get().getItemByFullName(item.job(), Job.class);
                if (job != null && PipelineFile.isPipeline(job)) {
                    job.getBuildByNumber(item.number());
                }
            }
        }
    }

    private void takeBack(Executor executor, Run<?, ?> run, long epoch) {
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action == null
                || action.itemId() <= 0
                || action.epoch() == epoch
                || !action.controllerId().equals(identity.id())
                || Long.valueOf(epoch).equals(asked.get(action.itemId()))) {
            return;
        }
        try {
            cluster.resume(action.itemId(), run.getNumber());
            LOGGER.info(() -> run + " goes on here");
            BuildStepWaiters.resumed(run);
        } catch (HaException.Fenced e) {
            if (!over(run, action.itemId())) {
                return; // no member any more: asked again in the next membership
            }
            LOGGER.warning(() -> run + STOPPED);
            executor.interrupt(Result.ABORTED);
        } catch (HaException.NotFound e) {
            LOGGER.info(() -> run + " goes on; the queue knows nothing of it any more");
        } catch (HaException.Unavailable | HaException.Refused e) {
            LOGGER.log(Level.FINE, "{0} is asked for again", run);
            return;
        }
        asked.put(action.itemId(), epoch);
    }

    private boolean over(Run<?, ?> run, long item) {
        try {
            return isOver(cluster, run, item);
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Asked again in a moment", e);
            return false;
        }
    }
}
