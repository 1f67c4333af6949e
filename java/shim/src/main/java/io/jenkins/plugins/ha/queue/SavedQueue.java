package io.jenkins.plugins.ha.queue;

import hudson.XmlFile;
import hudson.model.Job;
import hudson.model.Queue;
import io.jenkins.plugins.ha.builds.BegunBuilds;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The queue.xml that an earlier start of this controller left. Jenkins writes it once a minute and
 * when it stops; after an unclean end it still holds what has begun since, and Jenkins would begin
 * that a second time.
 */
final class SavedQueue {
    private static final Logger LOGGER = Logger.getLogger(SavedQueue.class.getName());
    private static final String PLACEHOLDER =
            "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

    private SavedQueue() {}

    /**
     * Takes out of the file what must not be queued again: items that became a build, and what the
     * {@code node} blocks of Pipelines had queued. A Pipeline that is resumed queues its own again;
     * one that has ended, or that another controller has gone on with, must not find any. Called
     * once a start, before Jenkins reads the file. Never throws: what cannot be read stays as it is
     * for Jenkins to judge.
     */
    static void forgetWhatBegan(File queueXml) {
        XmlFile file = new XmlFile(Queue.XSTREAM, queueXml);
        if (!file.exists()) {
            return;
        }
        try {
            if (file.read() instanceof Queue.State state) {
                List<Queue.Item> kept = new ArrayList<>(state.items);
                kept.removeIf(SavedQueue::began);
                if (kept.size() < state.items.size()) {
                    state.items = kept;
                    file.write(state);
                }
            }
        } catch (IOException | RuntimeException e) {
            LOGGER.log(
                    Level.WARNING,
                    queueXml
                            + " could not be compared with the builds that have begun: what it"
                            + " holds is queued as it is",
                    e);
        }
    }

    private static boolean began(Queue.Item item) {
        if (item == null || item.task == null) {
            return false; // Jenkins' own reading drops it
        }
        if (item.task.getClass().getName().equals(PLACEHOLDER)) {
            LOGGER.info(
                    () ->
                            "Queue item "
                                    + item.getId()
                                    + " of a Pipeline's node block is not queued from queue.xml:"
                                    + " the Pipeline queues its own when it is resumed");
            return true;
        }
        if (!(item.task instanceof Job<?, ?> job)) {
            return false;
        }
        int number = BegunBuilds.ofQueueItem(job, item.getId(), item.getInQueueSince());
        if (number > 0) {
            LOGGER.warning(
                    () ->
                            "Queue item "
                                    + item.getId()
                                    + " of "
                                    + job.getFullName()
                                    + " is not queued again: it became #"
                                    + number
                                    + " before this controller went down");
        }
        return number > 0;
    }
}
