package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.model.Executor;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.queue.WorkUnit;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.queue.ClaimedItems;
import io.jenkins.plugins.ha.queue.LocalBuilds;
import java.io.File;
import java.io.IOException;
import java.util.logging.Logger;
import jenkins.model.lazy.LazyBuildMixIn;

/**
 * Build numbers that are used once in the cluster. Asked while Jenkins' queue is locked: one
 * bounded round trip. A build whose claim is not ours any more does not start.
 */
@Extension(ordinal = 1000)
public final class BuildNumbers implements Job.BuildNumberAssigner {
    private static final Logger LOGGER = Logger.getLogger(BuildNumbers.class.getName());

    private static final long FIRST_PAUSE_MILLIS = 1000;
    private static final long LONGEST_PAUSE_MILLIS = 60_000;

    @Override
    public int assignBuildNumber(Job<?, ?> job, SaveNextBuildNumber save) throws IOException {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            int number = job.getNextBuildNumber();
            raise(job, number + 1);
            save.call();
            return number;
        }
        Queue.Item inHand = inHand();
        long item = ClaimedItems.idOf(inHand);
        boolean stays = LocalBuilds.takesTurns(inHand);
        if (stays) {
            item = LocalBuilds.placeholderOf(inHand);
            if (item == 0) { // it lost its turn, or needs one only since its job was changed
                ClaimedItems.queueAgain(inHand);
                throw new IllegalStateException(
                        "It is not the turn of this build of " + job.getFullName());
            }
        }
        try {
            int number = membership.cluster().assignNumber(item, job.getFullName(), floorOf(job));
            return DespiteInterrupts.write(
                    () -> {
                        NextBuildNumber.used(job, number, save);
                        return number;
                    });
        } catch (HaException | IOException e) {
            keep(membership, inHand, item, stays, e);
            LOGGER.warning(
                    () -> "No build number for " + job.getFullName() + ": " + e.getMessage());
            throw e;
        } catch (RuntimeException | Error e) { // whatever it is: core has taken the item already
            keep(membership, inHand, item, stays, e);
            throw e;
        }
    }

    /** Core has taken the item from its queue, and would forget it over the exception. */
    private static void keep(
            Membership membership, Queue.Item inHand, long item, boolean stays, Throwable failure) {
        if (stays) {
            LocalBuilds.giveBack(membership, inHand, "its build got no number");
            ClaimedItems.queueAgain(inHand);
        } else if (item == 0 && inHand != null) {
            ClaimedItems.queueAgain(inHand);
        } else if (item > 0
                && !(failure instanceof HaException.Fenced
                        || failure instanceof HaException.Conflict)) {
            // the cluster still holds it and gives it out again
            membership
                    .outbound()
                    .tell(
                            "release of queue item " + item,
                            cluster -> giveBack(cluster, item, failure));
        }
    }

    /** The job's folder may be full or read-only for long: each try uses up a number. */
    private static void giveBack(Cluster cluster, long item, Throwable failure) {
        if (failure instanceof HaException) {
            cluster.release(item, 0, "It got no number at its start");
            return;
        }
        int before = cluster.item(item).map(Item::attempts).orElse(1) - 1;
        long pause = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(before, 10));
        String why = "It got no number at its start: " + failure.getMessage();
        cluster.leaveToOthers(item, pause, why);
    }

    /** The highest number that may be in use. */
    private static int floorOf(Job<?, ?> job) {
        int floor = Math.max(NextBuildNumber.of(job) - 1, highestOf(job));
        while (new File(job.getBuildDir(), Integer.toString(floor + 1)).exists()) {
            floor++; // a folder nobody knew of: copied in, or left by a build that died before its
            // first save
        }
        return floor;
    }

    /** The queue item for which this thread makes a build; null when there is none. */
    static Queue.Item inHand() {
        Executor executor = Executor.currentExecutor();
        WorkUnit work = executor == null ? null : executor.getCurrentWorkUnit();
        return work == null ? null : work.context.item;
    }

    private static int highestOf(Job<?, ?> job) {
        return job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy
                ? lazy.getLazyBuildMixIn().getRunMap().maxNumberOnDisk()
                : 0;
    }

    private static void raise(Job<?, ?> job, int next) throws IOException {
        if (job.getNextBuildNumber() < next) {
            job.fastUpdateNextBuildNumber(next);
        }
    }
}
