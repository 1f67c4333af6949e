package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Builds of a controller that is gone which were never in the cluster's queue, such as those with
 * file parameters, and Pipelines below a {@code build} step: no orphan tells of them.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
final class UnqueuedBuilds {
    private static final Logger LOGGER = Logger.getLogger(UnqueuedBuilds.class.getName());

    /**
     * A controller that comes straight back, after a stall or a restart, or because Redis lost its
     * members, says itself what its builds are.
     */
    private static final long GRACE_MILLIS = HaConfiguration.leaseMillis() + 1000;

    /** All orphans of one death come within this time. */
    private static final long SAME_DEATH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final ForeignBuilds builds;
    private final OrphanedPipelines pipelines;
    private final OrphanedBuilds orphans;
    private final Pool pool;

    /** Controllers whose Pipelines were looked after, and when; the pool's thread alone. */
    private final Map<String, Long> lookedAfter = Recent.map(1000);

    UnqueuedBuilds(
            Cluster cluster,
            ControllerIdentity identity,
            ForeignBuilds builds,
            OrphanedPipelines pipelines,
            OrphanedBuilds orphans,
            Pool pool) {
        this.cluster = cluster;
        this.identity = identity;
        this.builds = builds;
        this.pipelines = pipelines;
        this.orphans = orphans;
        this.pool = pool;
    }

    /** A controller may have died with some. Does not block. */
    void membersChanged() {
        if (!builds.running().isEmpty()) {
            pool.after(GRACE_MILLIS, this::look);
        }
    }

    /**
     * An item of this controller is an orphan, so it is surely gone, or has let go: its Pipelines
     * go on now, together with those that wait for them, and not when the grace is over.
     */
    void lookAfterPipelinesOf(String owner) {
        long now = System.nanoTime();
        Long last = lookedAfter.get(owner);
        if (owner.equals(identity.id()) || last != null && now - last < SAME_DEATH_NANOS) {
            return;
        }
        lookedAfter.put(owner, now);
        builds.running()
                .forEach(
                        (key, runs) -> {
                            if (runs.equals(owner) && isPipeline(job(key))) {
                                pipelines.unqueued(key);
                            }
                        });
    }

    private void look() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Set<String> members = new TreeSet<>();
            for (Member member : cluster.members()) {
                members.add(member.controllerId());
            }
            boolean first = !members.isEmpty() && members.iterator().next().equals(identity.id());
            for (Map.Entry<BuildKey, String> entry : builds.running().entrySet()) {
                if (!members.contains(entry.getValue())) {
                    lookAfter(entry.getKey(), entry.getValue(), first);
                }
            }
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "Not a member just now: another survivor looks after the builds",
                    e);
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not end builds whose controller died", e);
        }
    }

    /**
     * @param first whether this is the one survivor that ends them; of Pipelines each looks whether
     *     it goes on with them, for the files say who does
     */
    private void lookAfter(BuildKey key, String owner, boolean first) throws IOException {
        Job<?, ?> job = job(key);
        if (isPipeline(job)) {
            pipelines.unqueued(key);
            return;
        }
        if (!first) {
            return;
        }
        Run<?, ?> run = job == null ? null : job.getBuildByNumber(key.number());
        ClusterItemAction action = run == null ? null : run.getAction(ClusterItemAction.class);
        if (action != null && action.itemId() == 0 && action.controllerId().equals(owner)) {
            end(job, key, owner);
        }
    }

    /** Ends one that nobody goes on with. */
    void end(Job<?, ?> job, BuildKey key, String owner) throws IOException {
        if (!orphans.end(job, key, owner).bySurvivor()) {
            return;
        }
        OrphanedBuilds.close(job, key, OrphanedBuilds.NEVER_QUEUED);
        Run<?, ?> run = job.getBuildByNumber(key.number());
        if (run != null) {
            Membership.active().ifPresent(m -> BuildNews.announce(m, run, ForeignBuilds.ENDED));
            BuildStepWaiters.ended(run);
        }
    }

    private static Job<?, ?> job(BuildKey key) {
        return Jenkins.get().getItemByFullName(key.job(), Job.class);
    }

    private static boolean isPipeline(Job<?, ?> job) {
        return job != null && PipelineFile.isPipeline(job);
    }
}
