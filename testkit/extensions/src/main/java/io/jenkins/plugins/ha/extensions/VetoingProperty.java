package io.jenkins.plugins.ha.extensions;

import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.slaves.NodeProperty;

/** Keeps its node from taking the task that the switch {@code propertyVeto} names. */
public final class VetoingProperty extends NodeProperty<Node> {
    @Override
    public CauseOfBlockage canTake(Queue.BuildableItem item) {
        return Switches.is("propertyVeto", item.task.getName())
                ? new VetoingDispatcher.Veto("a node property")
                : null;
    }
}
