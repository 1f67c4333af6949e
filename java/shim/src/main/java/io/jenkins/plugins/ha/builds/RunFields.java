package io.jenkins.plugins.ha.builds;

import hudson.model.Result;
import hudson.model.Run;
import java.lang.reflect.Field;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The fields of a build that Jenkins offers no way to set. Read from disk, a build always looks
 * ended; one that runs on another controller must look running, and must not be resumed. Whatever
 * is missing in another version makes the method answer false and change nothing.
 */
final class RunFields {
    private static final Logger LOGGER = Logger.getLogger(RunFields.class.getName());
    private static final String PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowRun";

    private static final Field STATE = field(Run.class, "state");
    private static final Field RESULT = field(Run.class, "result");
    private static final Field DURATION = field(Run.class, "duration");
    private static final Field PREVIOUS_IN_PROGRESS = field(Run.class, "previousBuildInProgress");

    private RunFields() {}

    /**
     * Whether it is a Pipeline build, which keeps a state of its own beside the one of all builds.
     */
    static boolean isPipeline(Run<?, ?> run) {
        return pipelineClass(run) != null;
    }

    /** A Pipeline build that says in its file that it has ended. */
    static boolean pipelineEnded(Run<?, ?> run) {
        Class<?> pipeline = pipelineClass(run);
        Field completed = pipeline == null ? null : field(pipeline, "completed");
        try {
            return completed != null && Boolean.TRUE.equals(completed.get(run));
        } catch (IllegalAccessException e) {
            return false;
        }
    }

    /**
     * A Pipeline build with nothing in it that could run here: one that was made to look running.
     */
    static boolean isShell(Run<?, ?> run) {
        Class<?> pipeline = pipelineClass(run);
        Field execution = pipeline == null ? null : field(pipeline, "execution");
        try {
            return execution != null && execution.get(run) == null;
        } catch (IllegalAccessException e) {
            return false;
        }
    }

    /** Makes it look running, with nothing in it that could run here. */
    static boolean showRunning(Run<?, ?> run) {
        Class<?> pipeline = pipelineClass(run);
        try {
            if (pipeline != null) {
                Field execution = field(pipeline, "execution");
                Field completed = field(pipeline, "completed");
                if (execution == null || completed == null) {
                    return false;
                }
                execution.set(run, null);
                if (completed.get(run) == null) {
                    completed.set(run, Boolean.FALSE);
                }
            }
            if (STATE == null || RESULT == null) {
                return false;
            }
            STATE.set(run, stateNamed("BUILDING"));
            RESULT.set(run, null);
            return true;
        } catch (ReflectiveOperationException e) {
            LOGGER.log(
                    Level.WARNING, "A build of another controller cannot be shown as running", e);
            return false;
        }
    }

    /**
     * Makes an object that was shown running look as the build ended, for those who still hold it.
     */
    static void showEnded(Run<?, ?> run, Result result, long duration) {
        try {
            if (RESULT != null && STATE != null) {
                RESULT.set(run, result);
                STATE.set(run, stateNamed("COMPLETED"));
            }
            if (DURATION != null) {
                DURATION.set(run, duration);
            }
            Class<?> pipeline = pipelineClass(run);
            Field completed = pipeline == null ? null : field(pipeline, "completed");
            if (completed != null) {
                completed.set(run, Boolean.TRUE);
            }
        } catch (ReflectiveOperationException e) {
            LOGGER.log(Level.WARNING, "A build of another controller cannot be shown as ended", e);
        }
    }

    /** The result, whatever it was, at a time when core lets it only get worse, or not change. */
    static void setResult(Run<?, ?> run, Result result) {
        try {
            if (RESULT != null) {
                RESULT.set(run, result);
            }
        } catch (IllegalAccessException e) {
            LOGGER.log(Level.FINE, "Not set", e);
        }
    }

    /**
     * Links a build of ours to the one before it that runs here. Core would find a read-only one of
     * another controller and wait for its checkpoints in a busy loop that nobody ends.
     */
    static void linkPrevious(Run<?, ?> run, Run<?, ?> previousHere) {
        try {
            if (PREVIOUS_IN_PROGRESS != null) {
                PREVIOUS_IN_PROGRESS.set(run, previousHere == null ? run : previousHere);
            }
        } catch (IllegalAccessException e) {
            LOGGER.log(Level.FINE, "Not linked", e);
        }
    }

    private static Object stateNamed(String name) throws ReflectiveOperationException {
        for (Object constant : STATE.getType().getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(name)) {
                return constant;
            }
        }
        throw new NoSuchFieldException(name);
    }

    private static Class<?> pipelineClass(Run<?, ?> run) {
        for (Class<?> type = run.getClass(); type != null; type = type.getSuperclass()) {
            if (type.getName().equals(PIPELINE)) {
                return type;
            }
        }
        return null;
    }

    private static Field field(Class<?> type, String name) {
        try {
            Field field = type.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(
                    Level.WARNING,
                    "{0} has no field {1} in this version",
                    new Object[] {type.getName(), name});
            return null;
        }
    }
}
