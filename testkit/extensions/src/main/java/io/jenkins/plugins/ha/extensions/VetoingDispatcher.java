package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;

/** Lets no node take the task that the switch {@code veto} names, as throttling plugins do. */
@Extension
public final class VetoingDispatcher extends QueueTaskDispatcher {
    @Override
    public CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
        return Switches.is("veto", item.task.getName()) ? new Veto("a dispatcher") : null;
    }

    /** Why. */
    static final class Veto extends CauseOfBlockage {
        private final String by;

        Veto(String by) {
            this.by = by;
        }

        @Override
        public String getShortDescription() {
            return "vetoed by " + by;
        }
    }
}
