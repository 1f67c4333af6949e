package org.jenkinsci.plugins.workflow.graph;

public abstract class FlowNode {
    FlowNode() {
        throw new UnsupportedOperationException();
    }

    public String getId() {
        throw new UnsupportedOperationException();
    }
}
