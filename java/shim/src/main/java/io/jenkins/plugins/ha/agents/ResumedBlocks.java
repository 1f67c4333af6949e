package io.jenkins.plugins.ha.agents;

import hudson.model.Queue;
import java.lang.reflect.Field;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * {@code node} blocks of Pipelines that had their agent already and need it again, after their
 * controller has died, say: what they began there may run still.
 */
public final class ResumedBlocks {
    private static final Logger LOGGER = Logger.getLogger(ResumedBlocks.class.getName());

    /** Of the Pipeline plugins, which need not be there. */
    private static final String BLOCK =
            "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

    private ResumedBlocks() {}

    /** Whether it is one; false where the plugins are of another version. */
    public static boolean isOne(Queue.Task task) {
        if (!task.getClass().getName().equals(BLOCK)) {
            return false;
        }
        try {
            Field cookie = task.getClass().getDeclaredField("cookie"); // given with the agent
            cookie.setAccessible(true);
            return cookie.get(task) != null;
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, "Another version of the Pipeline plugins", e);
            return false;
        }
    }
}
