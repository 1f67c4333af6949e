package io.jenkins.plugins.ha.locks;

import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.builds.PipelineSteps;
import io.jenkins.plugins.ha.life.Pool;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jenkins.plugins.lockableresources.LockStepExecution;
import org.jenkins.plugins.lockableresources.LockableResource;
import org.jenkins.plugins.lockableresources.queue.QueuedContextStruct;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.steps.StepContext;

/**
 * The Pipelines of this controller that wait at a {@code lock} step, those among them that it has
 * adopted or resumed: their steps are looked for in their programs, and put in the places that they
 * have in the queue.
 */
final class LockedPipelines {
    private static final Logger LOGGER = Logger.getLogger(LockedPipelines.class.getName());

    /** A step that asks waits for the pen. */
    private static final Pool AGAIN = new Pool("ha-jenkins-lock-again", 4, 100_000);

    private final ClusterLocks locks;

    /** By id, steps of Pipelines that run here and have been given a lock. */
    private final Map<String, StepContext> given = new HashMap<>();

    /** Pipelines that go on here, and whose steps agree with what is written of their locks. */
    private final Set<Run<?, ?>> settled =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    LockedPipelines(ClusterLocks locks) {
        this.locks = locks;
    }

    /** A step has been given a lock. Under the monitor. */
    void granted(StoredLocks.Waiter waiter, QueuedContextStruct entry) {
        if (entry.getContext() != null) {
            given.put(waiter.id, entry.getContext());
        }
    }

    /** The step, if it can go on here now; else null. Under the monitor. */
    StepContext waitsHere(StoredLocks.Waiter waiter) {
        StepContext context = given.get(waiter.id);
        if (context == null) {
            return null;
        }
        Run<?, ?> run = LockHolders.find(waiter.build);
        if (run == null || LockHolders.runsElsewhere(run)) {
            given.remove(waiter.id);
            return null;
        }
        if (Locks.isHeld(run)) {
            return null;
        }
        return given.remove(waiter.id);
    }

    /** Whether the Pipeline of this step goes on on another controller. Under the monitor. */
    boolean isElsewhere(StoredLocks.Waiter waiter) {
        Run<?, ?> run = LockHolders.find(waiter.build);
        return run != null && LockHolders.runsElsewhere(run);
    }

    /** Finds the steps of Pipelines that go on here since others, or this controller, had gone. */
    void look() {
        Membership membership = Membership.active().orElseThrow();
        for (Run<?, ?> run : membership.pipelines().here()) {
            if (membership.builds().goesOn(run) && !Locks.isHeld(run)) {
                attach(run);
            }
        }
        synchronized (ClusterLocks.syncResources) {
            locks.goOn();
        }
    }

    private void attach(Run<?, ?> run) {
        List<StoredLocks.Waiter> waiters;
        synchronized (ClusterLocks.syncResources) {
            waiters = new ArrayList<>(locks.notHere());
            waiters.removeIf(
                    waiter ->
                            !run.getExternalizableId().equals(waiter.build)
                                    || given.containsKey(waiter.id));
        }
        boolean first = !settled.contains(run);
        if (waiters.isEmpty() && !first) {
            return;
        }
        List<?> steps = PipelineSteps.of(run, true);
        if (steps == null) {
            return; // later
        }
        Map<String, LockStepExecution> waiting = new HashMap<>();
        for (Object step : steps) {
            if (step instanceof LockStepExecution lock) {
                String node = nodeOf(lock);
                if (node == null) {
                    return; // later
                }
                waiting.put(node, lock);
            }
        }
        synchronized (ClusterLocks.syncResources) {
            for (StoredLocks.Waiter waiter : waiters) {
                LockStepExecution step = waiting.get(waiter.node);
                if (waiter.got != null && step == null) {
                    locks.hasGoneOn(waiter); // its block has begun
                } else if (waiter.got != null) {
                    given.put(waiter.id, step.getContext());
                } else if (step != null) {
                    locks.waitsHere(waiter, step.getContext());
                }
            }
        }
        if (first) {
            settle(run, waiting);
        }
    }

    /** What its controller did last before it died may be in its program and not in the locks. */
    private void settle(Run<?, ?> run, Map<String, LockStepExecution> waiting) {
        List<?> all = PipelineSteps.of(run, false);
        if (all == null) {
            return; // later
        }
        settled.add(run);
        boolean locked = all.stream().anyMatch(LockStepExecution.class::isInstance);
        String id = run.getExternalizableId();
        synchronized (ClusterLocks.syncResources) {
            for (StoredLocks.Waiter waiter : locks.of(id)) {
                waiting.remove(waiter.node);
            }
            if (!locked) {
                for (LockableResource resource : locks.getResources()) {
                    if (id.equals(locks.internals().holder(resource))) {
                        LOGGER.info(
                                () -> run + " holds locks that its program has left or not yet");
                        locks.freeSoon(id);
                        break;
                    }
                }
            }
        }
        waiting.values().forEach(step -> again(run, step));
    }

    /** It waits in no queue: it asks again, as at its beginning. */
    private static void again(Run<?, ?> run, LockStepExecution step) {
        LOGGER.info(() -> run + " asks again for the lock at which it waits");
        AGAIN.execute(
                () -> {
                    try {
                        step.start();
                    } catch (Exception | LinkageError e) {
                        LOGGER.log(Level.WARNING, run + " waits at a lock for ever", e);
                    }
                });
    }

    private static String nodeOf(LockStepExecution step) {
        try {
            return step.getContext().get(FlowNode.class).getId();
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
