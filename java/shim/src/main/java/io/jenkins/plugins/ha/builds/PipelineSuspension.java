package io.jenkins.plugins.ha.builds;

import hudson.model.Run;
import io.jenkins.plugins.ha.locks.Locks;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Brings a Pipeline that runs here to a stop between two of its steps, or in one that survives it,
 * and stores all of it, so that another controller can go on with it. Until then it can be let go
 * on as if nothing had been. By reflection, since the Pipeline plugins offer no way; where a member
 * is missing, nothing is handed over. For one thread.
 */
final class PipelineSuspension {
    private static final Logger LOGGER = Logger.getLogger(PipelineSuspension.class.getName());
    private static final long SCRIPT_MILLIS = 3000;
    private static final long STEP_MILLIS = 2000;
    private static final long TIMER_MILLIS = 5000;
    private static final long STORE_MILLIS = 15_000;
    private static final long POLL_MILLIS = 10;

    /** Longer than the moment between a timer's beginning and the step's taking note of it. */
    private static final long SETTLED_MILLIS = 50;

    private static final String LOCK = "org.jenkins.plugins.lockableresources.LockStepExecution";

    private static volatile Members members;
    private static volatile boolean looked;

    private final Run<?, ?> run;
    private final Members m;
    private Object flow;
    private Object group;
    private boolean pausedHere;

    /** Steps whose timers were stopped. */
    private final List<Object> stopped = new ArrayList<>();

    private PipelineSuspension(Run<?, ?> run, Members m) {
        this.run = run;
        this.m = m;
    }

    /** Null where the installed Pipeline plugins do not allow it; that is logged once. */
    static PipelineSuspension of(Run<?, ?> run) {
        if (!looked) {
            synchronized (PipelineSuspension.class) {
                if (!looked) {
                    members = look();
                    looked = true;
                }
            }
        }
        return members == null ? null : new PipelineSuspension(run, members);
    }

    Run<?, ?> run() {
        return run;
    }

    /**
     * Why it cannot be suspended, as the end of a sentence; "" when nothing is known against it.
     */
    String obstacle() {
        PipelineInternals internals = PipelineInternals.find();
        flow = internals.programOf(run);
        try {
            if (flow == null || !m.checkpoint.getDeclaringClass().isInstance(flow)) {
                return "it has just begun or ended";
            }
            group = internals.groupOf(flow);
            if (group == null || (Boolean) m.complete.invoke(flow)) {
                return "it has just begun or ended";
            }
            if ((Boolean) m.resumeBlocked.invoke(flow)
                    || PipelineAdoption.resumeForbidden(run.getParent())) {
                return "its job forbids that it is resumed";
            }
            for (Object step : steps()) {
                if (step.getClass().getName().equals(LOCK) && !Locks.shared()) {
                    return "it is in a lock step, and each controller keeps its locks for itself";
                }
            }
            return "";
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, run + " cannot be suspended", e);
            return "it could not be asked where it stands";
        }
    }

    /**
     * From now on it makes no step.
     *
     * @return why it could not be stopped, and goes on; "" when it stands
     */
    String pause() {
        Locks.hold(run);
        try {
            if (!(Boolean) m.paused.invoke(group)) {
                pausedHere = true;
                Future<?> asleep = (Future<?>) m.pause.invoke(group, false);
                asleep.get(SCRIPT_MILLIS, TimeUnit.MILLISECONDS);
            }
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STEP_MILLIS);
            String busy = busyStep();
            while (!busy.isEmpty() && System.nanoTime() < deadline) {
                Thread.sleep(POLL_MILLIS);
                busy = busyStep();
            }
            if (!busy.isEmpty()) {
                goOn();
                return "its step " + busy + " cannot be resumed elsewhere, and has to end first";
            }
            return "";
        } catch (TimeoutException e) {
            goOn();
            return "its script computes for long without coming to a step";
        } catch (InterruptedException e) {
            goOn();
            Thread.currentThread().interrupt();
            return "this controller stops";
        } catch (ReflectiveOperationException | ExecutionException | RuntimeException e) {
            LOGGER.log(Level.WARNING, run + " cannot be suspended", e);
            goOn();
            return "it could not be suspended: " + e.getMessage();
        }
    }

    /**
     * Stores all of it. No timer of a step fires here any more, and what one had begun has ended.
     *
     * @return why it could not be done; "" when all is stored
     */
    String store() {
        try {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMER_MILLIS);
            for (Object step : steps()) {
                if (!stopTimers(step, deadline)) {
                    return "its step " + nameOf(step) + " waits for its agent's answer";
                }
            }
            // what ended meanwhile is with its program now; asleep, it stores itself
            ((Future<?>) m.scheduleRun.invoke(group)).get(STORE_MILLIS, TimeUnit.MILLISECONDS);
            m.checkpoint.invoke(flow, true);
            run.save();
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "this controller stops";
        } catch (ReflectiveOperationException
                | ExecutionException
                | TimeoutException
                | IOException
                | RuntimeException e) {
            LOGGER.log(Level.WARNING, run + " cannot be stored", e);
            return "it could not be stored: " + e.getMessage();
        }
    }

    /** It goes on here after all. */
    void goOn() {
        Locks.release(run);
        try {
            for (Object step : stopped) {
                for (Field timer : PipelineInternals.timersOf(step)) {
                    timer.set(step, null);
                }
                m.resume.invoke(step); // as after a restart
            }
            stopped.clear();
            if (pausedHere) {
                pausedHere = false;
                m.unpause.invoke(group);
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.SEVERE, run + " was suspended, and cannot be woken", e);
        }
    }

    private List<?> steps() throws ReflectiveOperationException {
        try {
            Object all = m.executions.invoke(flow, false);
            return (List<?>) ((Future<?>) all).get(SCRIPT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("Its steps are not known", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** The name of a step that would be lost; "" when there is none. */
    private String busyStep() throws ReflectiveOperationException {
        for (Object step : steps()) {
            if ((Boolean) m.blocksRestart.invoke(step)) {
                return nameOf(step);
            }
        }
        return "";
    }

    private static String nameOf(Object step) {
        String name = step.getClass().getName();
        name = name.substring(name.lastIndexOf('.') + 1);
        int inner = name.indexOf('$');
        return (inner > 0 ? name.substring(0, inner) : name).replaceAll("(Step)?(Execution)?$", "");
    }

    /** False when what one of them does has not ended by then. */
    private boolean stopTimers(Object step, long deadline)
            throws ReflectiveOperationException, InterruptedException {
        for (Field field : PipelineInternals.timersOf(step)) {
            while (!stopTimer(step, field)) {
                if (System.nanoTime() > deadline) {
                    return false;
                }
                Thread.sleep(POLL_MILLIS);
            }
        }
        return true;
    }

    /** Whether nothing of it is being done now, nor ever will be. */
    private boolean stopTimer(Object step, Field field)
            throws ReflectiveOperationException, InterruptedException {
        Object timer = field.get(step);
        if (timer == null) {
            return !looksAtProcess(step);
        }
        if (!(timer instanceof ScheduledFuture<?> future)) {
            return true;
        }
        boolean cancelled = future.cancel(false);
        if (cancelled && !stopped.contains(step)) {
            stopped.add(step);
        }
        if (cancelled && future.getDelay(TimeUnit.NANOSECONDS) > 0) {
            return true; // it was not due yet
        }
        Thread.sleep(SETTLED_MILLIS);
        return field.get(step) == timer;
    }

    /**
     * Whether a step of a process on an agent is just looking at it: it takes its timer away for
     * that time, and says 0 once the process has ended and that is told.
     */
    private static boolean looksAtProcess(Object step) throws ReflectiveOperationException {
        if (!step.getClass().getName().contains("DurableTaskStep")) {
            return false;
        }
        Field period = PipelineInternals.field(step.getClass(), "recurrencePeriod");
        return period.getLong(step) > 0;
    }

    private static Members look() {
        if (PipelineInternals.find() == null) {
            return null;
        }
        try {
            return new Members(Jenkins.get().getPluginManager().uberClassLoader);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            LOGGER.warning(
                    "Pipelines are not handed over when this controller is drained or stopped: this"
                            + " version of the Pipeline plugins lacks "
                            + e.getMessage());
            return null;
        }
    }

    private static final class Members {
        private final Method pause;
        private final Method unpause;
        private final Method paused;
        private final Method scheduleRun;
        private final Method checkpoint;
        private final Method complete;
        private final Method resumeBlocked;
        private final Method executions;
        private final Method blocksRestart;
        private final Method resume;

        private Members(ClassLoader loader) throws ReflectiveOperationException {
            String workflow = "org.jenkinsci.plugins.workflow.";
            Class<?> group = Class.forName(workflow + "cps.CpsThreadGroup", false, loader);
            pause = PipelineInternals.method(group, "pause", boolean.class);
            unpause = PipelineInternals.method(group, "unpause");
            paused = PipelineInternals.method(group, "isPaused");
            scheduleRun = PipelineInternals.method(group, "scheduleRun");
            Class<?> flow = Class.forName(workflow + "cps.CpsFlowExecution", false, loader);
            checkpoint = PipelineInternals.method(flow, "checkpoint", boolean.class);
            resumeBlocked = PipelineInternals.method(flow, "isResumeBlocked");
            executions = PipelineInternals.method(flow, "getCurrentExecutions", boolean.class);
            complete = flow.getMethod("isComplete");
            Class<?> step = Class.forName(workflow + "steps.StepExecution", false, loader);
            blocksRestart = step.getMethod("blocksRestart");
            resume = step.getMethod("onResume");
        }
    }
}
