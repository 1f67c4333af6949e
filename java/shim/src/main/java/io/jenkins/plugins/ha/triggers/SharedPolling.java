package io.jenkins.plugins.ha.triggers;

import hudson.Extension;
import hudson.FilePath;
import hudson.model.AbstractBuild;
import hudson.model.AbstractProject;
import hudson.model.Action;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.SCMListener;
import hudson.model.listeners.SCMPollListener;
import hudson.scm.PollingResult;
import hudson.scm.SCM;
import hudson.scm.SCMRevisionState;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.scm.SCMDecisionHandler;
import jenkins.util.Timer;

/**
 * Polls of a repository, on whichever controller, find each commit once: a poll goes on from what
 * the last one saw ({@link PollingBaselines}), one at a time per job, and what a build checks out
 * is known to all as soon as it has. A poll that needs the workspace is left to the controller that
 * has it ({@link WorkspacePolls}).
 */
@Extension(ordinal = -1000) // no poll of ours begins that somebody else forbids
public final class SharedPolling extends SCMDecisionHandler {
    private static final Logger LOGGER = Logger.getLogger(SharedPolling.class.getName());
    private static final long REMEMBERED_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final long LOOK_MILLIS = 250;
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** The Pipeline that this thread polls. */
    private static final ThreadLocal<Job<?, ?>> PIPELINE = new ThreadLocal<>();

    /** What this thread's poll holds, that no other controller may poll meanwhile. */
    private static final ThreadLocal<String> TURN = new ThreadLocal<>();

    /** Asked before each poll, once or twice. */
    @Override
    public boolean shouldPoll(Item item) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !(item instanceof Job<?, ?> job)) {
            return true;
        }
        if (WorkspacePolls.passOn(membership, job)) {
            return false;
        }
        PollingBaselines.adopt(job);
        PIPELINE.set(job instanceof AbstractProject ? null : job);
        return true;
    }

    /** How the log of the polling calls whoever has it not done here. */
    @Override
    public String toString() {
        return "HA Jenkins: the controller that has the workspace polls";
    }

    /** Polls of projects; of Pipelines nothing is told. */
    @Extension(ordinal = 1000)
    public static final class Polls extends SCMPollListener {
        @Override
        public void onBeforePolling(AbstractProject<?, ?> project, TaskListener listener) {
            Membership membership = Membership.active().orElse(null);
            if (membership != null && awaitTurn(membership, project)) {
                PollingBaselines.adoptIfKnown(project);
            }
        }

        @Override
        public void onPollingSuccess(
                AbstractProject<?, ?> project, TaskListener listener, PollingResult result) {
            if (Membership.active().isPresent()) {
                PollingBaselines.publish(project);
            }
            endTurn();
        }

        @Override
        public void onPollingFailed(
                AbstractProject<?, ?> project, TaskListener listener, Throwable exception) {
            endTurn();
        }

        /** Whether another poll had to be waited for. Without Redis this one goes ahead. */
        private static boolean awaitTurn(Membership membership, AbstractProject<?, ?> project) {
            String what = "poll:" + project.getFullName();
            long since = System.nanoTime();
            boolean waited = false;
            try {
                while (System.nanoTime() - since < PATIENCE_NANOS) {
                    if (membership.cluster().begin(what, REMEMBERED_MILLIS).mine()) {
                        TURN.set(what);
                        return waited;
                    }
                    waited = true;
                    Thread.sleep(LOOK_MILLIS);
                }
            } catch (HaException e) {
                LOGGER.log(Level.FINE, "Polled without a turn: {0}", e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return waited;
        }

        private static void endTurn() {
            String what = TURN.get();
            TURN.remove();
            if (what != null) {
                Membership.active()
                        .ifPresent(
                                membership ->
                                        membership
                                                .outbound()
                                                .tell("end of " + what, c -> c.notDone(what)));
            }
        }
    }

    /** A Pipeline's poll that found something triggers a build, on the same thread. */
    @Extension
    public static final class Triggers extends Queue.QueueDecisionHandler {
        @Override
        public boolean shouldSchedule(Queue.Task task, List<Action> actions) {
            Job<?, ?> job = PIPELINE.get();
            if (job != null && job == task) {
                PIPELINE.remove();
                Timer.get().execute(() -> PollingBaselines.publish(job)); // not under the lock
            }
            return true;
        }
    }

    /** A build has checked out what it builds: from now on no poll needs to find that. */
    @Extension(ordinal = -1000) // after those that note it
    public static final class Checkouts extends SCMListener {
        @Override
        public void onCheckout(
                Run<?, ?> build,
                SCM scm,
                FilePath workspace,
                TaskListener listener,
                File changelogFile,
                SCMRevisionState pollingBaseline) {
            if (Membership.active().isEmpty()) {
                return;
            }
            if (build instanceof AbstractBuild) {
                try {
                    build.save(); // core saves it when it ends
                } catch (IOException e) {
                    LOGGER.log(
                            Level.WARNING,
                            "What " + build + " builds is not known elsewhere before it ends",
                            e);
                }
                PollingBaselines.publish(build.getParent());
            } else if (pollingBaseline != null) {
                PollingBaselines.publish(build.getParent(), scm.getKey(), pollingBaseline);
            }
        }
    }
}
