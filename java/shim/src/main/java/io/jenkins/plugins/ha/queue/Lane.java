package io.jenkins.plugins.ha.queue;

import hudson.model.Label;
import hudson.model.Queue;
import jenkins.model.Jenkins;

/**
 * What a controller needs to run an item: an ordinary executor or a one-off one (Pipelines, matrix
 * parents), on a node that the label allows.
 *
 * @param oneOff runs on a one-off executor, which every node always has
 * @param label the label expression, "" for any node
 */
record Lane(boolean oneOff, String label) {
    /** Of the placeholders of {@link LocalBuilds}, which need no executor; {@code item.lua} too. */
    static final String LOCAL = "l:";

    static Lane of(Queue.Item item) {
        Label label = item.getAssignedLabel();
        return new Lane(
                item.task instanceof Queue.FlyweightTask, label == null ? "" : label.getName());
    }

    static Lane parse(String text) {
        boolean oneOff = text.startsWith("o:");
        return new Lane(oneOff, text.length() > 2 ? text.substring(2) : "");
    }

    /** The form in which the cluster knows it. */
    String text() {
        return (oneOff ? "o:" : "x:") + label;
    }

    /** Whether the cluster can hold it: it keeps what it knows of an item in lines. */
    boolean storable() {
        return label.chars().noneMatch(c -> c == '\n' || c == '\r' || c == 0);
    }

    /** The label on this controller; null for any node. */
    Label onThisController() {
        return label.isEmpty() ? null : Jenkins.get().getLabel(label);
    }
}
