package io.jenkins.plugins.ha.locks;

import hudson.model.Job;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Milestones;
import io.jenkins.plugins.ha.commands.Superseding;
import io.jenkins.plugins.ha.life.Pool;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jenkinsci.plugins.pipeline.milestone.MilestoneStorage;

/**
 * Which milestones the builds of a job have passed, on whichever controller. The plugin
 * pipeline-milestone-step decides who passes and who is overtaken; one that is overtaken is ended
 * by the controller that runs it.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class ClusterMilestones implements MilestoneStorage {
    private static final Logger LOGGER = Logger.getLogger(ClusterMilestones.class.getName());
    private static final Pool ENDING = new Pool("ha-jenkins-overtaken", 2, 10_000);
    private static final long RETRY_MILLIS = 500;

    /** By then another controller has adopted a Pipeline, or has said how it ends. */
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

    private static final long END_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A step waits while Redis is away, as all steps do. */
    @Override
    public Map<Integer, Integer> store(Run<?, ?> run, Integer ordinal) {
        String job = run.getParent().getFullName();
        Milestones all =
                patiently(
                        run,
                        Long.MAX_VALUE,
                        () -> Pen.cluster().milestone(job, run.getNumber(), ordinal));
        if (Membership.active().orElseThrow().builds().goesOn(run)) {
            // overtaken while its controller was gone, perhaps
            all.passed().entrySet().stream()
                    .filter(newer -> newer.getKey() > run.getNumber() && newer.getValue() != null)
                    .filter(newer -> ordinal == null || ordinal < newer.getValue())
                    .findFirst()
                    .ifPresent(
                            newer ->
                                    cancel(
                                            run.getParent(),
                                            run.getNumber(),
                                            job + "#" + newer.getKey()));
        }
        return all.passed();
    }

    @Override
    public ClearResult clear(Run<?, ?> run) {
        String job = run.getParent().getFullName();
        try {
            Milestones left =
                    patiently(
                            run,
                            END_NANOS,
                            () -> Pen.cluster().milestonesWithout(job, run.getNumber()));
            return new ClearResult(left.before(), left.passed());
        } catch (IllegalStateException e) {
            LOGGER.log(Level.FINE, "The end of " + run + " is not told to its milestones", e);
            return new ClearResult(null, Map.of());
        }
    }

    private static Milestones patiently(Run<?, ?> run, long nanos, Supplier<Milestones> call) {
        long began = System.nanoTime();
        boolean interrupted = false;
        try {
            while (true) {
                if (LockHolders.runsElsewhere(run)) {
                    throw new IllegalStateException(run + " goes on elsewhere");
                }
                try {
                    return call.get();
                } catch (HaException.Unavailable | HaException.Refused | HaException.Fenced e) {
                    if (System.nanoTime() - began > nanos
                            || Membership.active().orElseThrow().isLeaving()) {
                        throw new IllegalStateException(e.getMessage());
                    }
                    LOGGER.log(Level.FINE, "A milestone waits for Redis", e);
                }
                try {
                    Thread.sleep(RETRY_MILLIS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void onDeletedJob(Job<?, ?> job) {
        String name = job.getFullName();
        Membership.active()
                .orElseThrow()
                .outbound()
                .tell("end of the milestones of " + name, c -> c.forgetMilestones(name));
    }

    /** The build may run anywhere, and its controller may die just now. */
    @Override
    public void cancel(Job<?, ?> job, int number, String by) {
        ENDING.execute(
                () -> {
                    try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
                        end(job, number, by);
                    }
                });
    }

    private void end(Job<?, ?> job, int number, String by) {
        Membership membership = Membership.active().orElseThrow();
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (System.nanoTime() < deadline) {
            Run<?, ?> run = LockHolders.find(job.getFullName() + "#" + number);
            if (run == null || !run.isBuilding()) {
                return;
            }
            String owner = membership.builds().runningOn(run);
            if (owner == null) {
                MilestoneStorage.super.cancel(job, number, by);
                return;
            }
            if (Superseding.overtake(membership, owner, job.getFullName(), number, by)) {
                return;
            }
            try {
                Thread.sleep(RETRY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        LOGGER.warning(
                () ->
                        job.getFullName()
                                + " #"
                                + number
                                + " was overtaken by "
                                + by
                                + " at a milestone and could not be ended");
    }
}
