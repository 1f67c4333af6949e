package io.jenkins.plugins.ha.builds;

import hudson.model.Run;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The steps at which a Pipeline that runs here stands. By reflection. */
public final class PipelineSteps {
    private static final Logger LOGGER = Logger.getLogger(PipelineSteps.class.getName());
    private static final long ANSWER_MILLIS = 3000;

    private PipelineSteps() {}

    /**
     * The executions of its steps; null when they are not known just now, or it does not run here.
     * Waits for its program, 3 s at the most.
     *
     * @param innermost without those that wait for their block
     */
    public static List<?> of(Run<?, ?> run, boolean innermost) {
        PipelineInternals internals = PipelineInternals.find();
        Object flow = internals == null ? null : internals.programOf(run);
        if (flow == null) {
            return null;
        }
        try {
            Method executions = flow.getClass().getMethod("getCurrentExecutions", boolean.class);
            Object all = executions.invoke(flow, innermost);
            return (List<?>) ((Future<?>) all).get(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } catch (ReflectiveOperationException
                | ExecutionException
                | TimeoutException
                | RuntimeException e) {
            LOGGER.log(Level.FINE, "Where " + run + " stands is not known just now", e);
            return null;
        }
    }
}
