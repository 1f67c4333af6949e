package org.jenkinsci.plugins.pipeline.milestone;

import hudson.ExtensionPoint;
import hudson.model.Job;
import hudson.model.Run;
import java.util.Map;

public interface MilestoneStorage extends ExtensionPoint {
    Map<Integer, Integer> store(Run<?, ?> run, Integer ordinal);

    ClearResult clear(Run<?, ?> run);

    void onDeletedJob(Job<?, ?> job);

    default void cancel(Job<?, ?> job, int buildNumber, String externalizableId) {
        throw new UnsupportedOperationException();
    }

    record ClearResult(Integer lastMilestoneBeforeCompletion, Map<Integer, Integer> milestones) {}
}
