package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Run;
import java.util.concurrent.atomic.AtomicReference;

/** Pipelines that run somewhere in the cluster. */
public final class RunningPipelines {
    private RunningPipelines() {}

    /** Whether it is a build of a Pipeline. */
    public static boolean isOne(Run<?, ?> run) {
        return RunFields.isPipeline(run);
    }

    /** What people call a running Pipeline build of the job; null when none runs. From memory. */
    public static String of(ForeignBuilds builds, Job<?, ?> job) {
        if (!PipelineFile.isPipeline(job)) {
            return null;
        }
        AtomicReference<String> found = new AtomicReference<>();
        BuildsHere.forEach(
                (executor, run) -> {
                    if (run.getParent() == job) {
                        found.set(run.getFullDisplayName());
                    }
                });
        if (found.get() == null) {
            for (int number : builds.runningElsewhere(job.getFullName())) {
                return job.getFullDisplayName() + " #" + number;
            }
        }
        return found.get();
    }
}
