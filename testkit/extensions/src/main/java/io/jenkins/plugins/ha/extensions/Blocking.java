package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;

/**
 * Blocks the job that {@code block} names while it is so, as throttling plugins do, and has no node
 * take the one that {@code untaken} names.
 */
@Extension
public final class Blocking extends QueueTaskDispatcher {
    @Override
    public CauseOfBlockage canRun(Queue.Item item) {
        return Switches.is("block", item.task.getName()) ? new Blocked() : null;
    }

    @Override
    public CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
        return Switches.is("untaken", item.task.getName()) ? new Blocked() : null;
    }

    private static final class Blocked extends CauseOfBlockage {
        @Override
        public String getShortDescription() {
            return "blocked by a test";
        }
    }
}
