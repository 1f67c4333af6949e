package io.jenkins.plugins.ha.extensions;

import hudson.model.InvisibleAction;
import hudson.model.Label;
import hudson.model.labels.LabelAssignmentAction;
import hudson.model.queue.SubTask;

/** Says on which label a build is to run, whatever its job says. */
public final class RunsOn extends InvisibleAction implements LabelAssignmentAction {
    private final String label;

    public RunsOn(String label) {
        this.label = label;
    }

    @Override
    public Label getAssignedLabel(SubTask task) {
        return Label.get(label);
    }
}
