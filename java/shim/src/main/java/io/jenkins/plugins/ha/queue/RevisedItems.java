package io.jenkins.plugins.ha.queue;

import hudson.model.Queue;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Items that wait go by their job as it is now, as in core's queue, and not as it was when they
 * were accepted: where they may run, and whether beside other builds of their job.
 */
public final class RevisedItems {
    private static final Logger LOGGER = Logger.getLogger(RevisedItems.class.getName());

    private RevisedItems() {}

    /** The job has another configuration in force here. Returns at once. */
    public static void of(String job) {
        Membership.active().ifPresent(membership -> tell(membership, job));
    }

    /**
     * Any job may have another configuration than when its items were accepted: it was changed
     * while no controller ran. Returns at once.
     */
    public static void ofAll() {
        Membership.active()
                .ifPresent(
                        membership -> {
                            QueueView view = membership.view();
                            membership
                                    .outbound()
                                    .tellOnce(
                                            "configurations of all that waits",
                                            cluster -> reviseAll(cluster, view));
                        });
    }

    private static void reviseAll(Cluster cluster, QueueView view) {
        Set<String> jobs = new LinkedHashSet<>();
        view.waiting().forEach(seen -> jobs.add(seen.item().job()));
        jobs.forEach(job -> revise(cluster, view, job));
    }

    /**
     * An item of the job has just been stored: its job may have been changed since its lane and
     * whether it is concurrent were looked at.
     */
    static void afterStoring(
            Membership membership, Queue.Item item, String job, Lane lane, boolean concurrent) {
        if (!Lane.of(item).equals(lane) || item.task.isConcurrentBuild() != concurrent) {
            tell(membership, job);
        }
    }

    private static void tell(Membership membership, String job) {
        QueueView view = membership.view();
        if (!view.waitingOf(job).isEmpty()) {
            membership
                    .outbound()
                    .tellOnce("configuration of " + job, cluster -> revise(cluster, view, job));
        }
    }

    private static void revise(Cluster cluster, QueueView view, String job) {
        for (SeenItem seen : view.unbegunOf(job)) {
            Item item = seen.item();
            Queue.WaitingItem waiting = seen.waiting();
            if (item.version() > 0
                    && waiting != null
                    && !LocalBuilds.isPlaceholder(item)
                    && differs(item, waiting)) {
                cluster.item(item.id()).ifPresent(now -> revise(cluster, now));
            }
        }
    }

    private static boolean differs(Item item, Queue.Item waiting) {
        return !Lane.of(waiting).text().equals(item.lane())
                || waiting.task.isConcurrentBuild() != item.concurrent();
    }

    /** Only by what can be read of it in full: an action of it may say where it is to run. */
    private static void revise(Cluster cluster, Item item) {
        if (item.payload() == null) {
            return;
        }
        try {
            Queue.WaitingItem waiting = Payload.decode(item.payload(), item.job());
            Lane lane = Lane.of(waiting);
            if (differs(item, waiting) && lane.storable()) {
                cluster.revise(item.id(), lane.text(), waiting.task.isConcurrentBuild());
            }
        } catch (HaException.NotFound | Payload.JobMissing | Payload.Unreadable e) {
            LOGGER.log(
                    Level.FINE,
                    "Item {0} of {1} stays as it was accepted: {2}",
                    new Object[] {item.id(), item.job(), e.getMessage()});
        }
    }
}
