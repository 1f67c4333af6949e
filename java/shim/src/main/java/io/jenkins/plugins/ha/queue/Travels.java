package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.TopLevelItem;
import java.util.List;
import java.util.Set;

/**
 * What may run on another controller than the one that was asked. Whole builds of top-level jobs
 * may; parts of a build (Pipeline steps, matrix configurations), and builds tied to something in
 * this JVM or to a file of this controller, stay.
 */
final class Travels {
    /** There while a {@code build} step waits for the build. */
    private static final String BUILD_STEP =
            "org.jenkinsci.plugins.workflow.support.steps.build.BuildTriggerAction";

    /** Actions that hold a live object of this JVM: a waiting Pipeline step, a parent build. */
    private static final Set<String> TIED =
            Set.of(
                    BUILD_STEP,
                    "org.jenkinsci.plugins.workflow.support.steps.build.WaitForBuildAction",
                    "hudson.matrix.MatrixConfiguration$ParentBuildAction");

    private Travels() {}

    static boolean whole(Queue.Task task) {
        return task instanceof Job
                && task instanceof TopLevelItem
                && !(task instanceof Queue.TransientTask)
                && !(task instanceof Queue.NonBlockingTask);
    }

    /**
     * Whether a Pipeline that runs here waits for this build in its {@code build} step: it is part
     * of what runs.
     */
    static boolean awaited(Queue.Item item) {
        for (Action action : item.getActions(Action.class)) {
            if (action.getClass().getName().equals(BUILD_STEP)) {
                return true;
            }
        }
        return false;
    }

    static boolean free(List<Action> actions) {
        for (Action action : actions) {
            if (TIED.contains(action.getClass().getName())) {
                return false;
            }
        }
        return !FilesHere.in(actions);
    }
}
