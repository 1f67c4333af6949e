package io.jenkins.plugins.ha.builds;

import hudson.model.Action;
import hudson.model.Cause;
import hudson.model.Job;
import hudson.model.Run;
import hudson.model.listeners.RunListener;
import io.jenkins.plugins.ha.Membership;
import java.lang.reflect.Method;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Pipelines of this controller whose {@code build} step waits for a build that has ended elsewhere,
 * or by the word of a survivor. The plugin of that step hears only of what ends in its own JVM.
 */
final class BuildStepWaiters {
    private static final Logger LOGGER = Logger.getLogger(BuildStepWaiters.class.getName());
    private static final String PACKAGE = "org.jenkinsci.plugins.workflow.support.steps.build.";

    private BuildStepWaiters() {}

    /** Whether there is such a step in this Jenkins at all. */
    static boolean any() {
        return RunListener.all().stream()
                .anyMatch(
                        listener ->
                                listener.getClass()
                                        .getName()
                                        .equals(PACKAGE + "BuildTriggerListener"));
    }

    /** It has ended, and its file says how. */
    static void ended(Run<?, ?> run) {
        if (run.isBuilding() || !waitedFor(run) || !waiterIsHere(run)) {
            return;
        }
        for (RunListener<?> listener : RunListener.all()) {
            if (listener.getClass().getName().equals(PACKAGE + "BuildTriggerListener")) {
                tell(listener, run);
            }
        }
    }

    /** A Pipeline goes on here: what it waits for may have ended while nobody could tell it. */
    static void resumed(Run<?, ?> waiter) {
        try {
            for (Action action : waiter.getAllActions()) {
                if (action.getClass().getName().equals(PACKAGE + "DownstreamBuildAction")) {
                    Method builds = action.getClass().getMethod("getDownstreamBuilds");
                    for (Object build : (Iterable<?>) builds.invoke(action)) {
                        Object job = build.getClass().getMethod("getJobFullName").invoke(build);
                        Object number = build.getClass().getMethod("getBuildNumber").invoke(build);
                        tellOf(job, number);
                    }
                }
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, "What " + waiter + " waits for is not known", e);
        }
    }

    private static void tellOf(Object jobName, Object number) {
        Job<?, ?> job = Jenkins.get().getItemByFullName(String.valueOf(jobName), Job.class);
        Run<?, ?> run =
                job == null || !(number instanceof Integer n) ? null : job.getBuildByNumber(n);
        if (run != null) {
            ended(run);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // a listener of all builds
    private static void tell(RunListener listener, Run<?, ?> run) {
        try {
            listener.onFinalized(run);
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Whoever waits for " + run + " may not have heard", e);
        }
    }

    @SuppressWarnings("deprecation") // those of the build itself, not what others add for its page
    private static boolean waitedFor(Run<?, ?> run) {
        for (Action action : run.getActions()) {
            if (action.getClass().getName().equals(PACKAGE + "BuildTriggerAction")) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether the waiter still waits: the mark in the build's file stays when it has been told, and
     * told again it would go on over whatever step it stands at now.
     */
    private static boolean standsAt(Run<?, ?> waiter, Cause cause) {
        PipelineInternals internals = PipelineInternals.find();
        try {
            return internals != null
                    && internals
                            .standsAt(waiter)
                            .contains(cause.getClass().getMethod("getNodeId").invoke(cause));
        } catch (ReflectiveOperationException e) {
            return false; // the cause of another kind of trigger, for which nobody waits
        }
    }

    private static boolean waiterIsHere(Run<?, ?> run) {
        Membership membership = Membership.active().orElse(null);
        for (Cause cause : run.getCauses()) {
            if (membership != null && cause instanceof Cause.UpstreamCause upstream) {
                Run<?, ?> waiter = upstream.getUpstreamRun();
                if (waiter != null
                        && waiter.isBuilding()
                        && membership.builds().runningOn(waiter) == null
                        && standsAt(waiter, cause)) {
                    return true;
                }
            }
        }
        return false;
    }
}
