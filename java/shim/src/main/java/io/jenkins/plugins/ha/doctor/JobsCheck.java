package io.jenkins.plugins.ha.doctor;

import hudson.model.Job;
import hudson.model.JobProperty;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;

/** Pipelines that do not go on elsewhere when their controller dies, as their jobs say. */
final class JobsCheck implements Check {
    private static final int LISTED = 10;

    /** By their names: the plugin that has them may not be there. */
    private static final String NO_RESUME =
            "org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty";

    private static final String DURABILITY =
            "org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty";

    @Override
    public List<Finding> look(Membership membership) {
        List<String> stopped = new ArrayList<>();
        List<String> hinted = new ArrayList<>();
        for (Job<?, ?> job : Jenkins.get().allItems(Job.class)) {
            for (JobProperty<?> property : job.getProperties().values()) {
                String kind = property.getClass().getName();
                if (kind.equals(NO_RESUME)) {
                    stopped.add(job.getFullName());
                } else if (kind.equals(DURABILITY)) {
                    hinted.add(job.getFullName());
                }
            }
        }
        List<Finding> found = new ArrayList<>();
        if (!stopped.isEmpty()) {
            found.add(
                    new Finding(
                            Severity.NOTE,
                            "pipelines-not-resumed",
                            "",
                            listed(stopped) + " may not be resumed (disableResume)",
                            "A build of them ends with its controller, and runs again from its"
                                    + " beginning; take the option away where it should go on.",
                            ""));
        }
        if (!hinted.isEmpty()) {
            found.add(
                    new Finding(
                            Severity.NOTE,
                            "pipelines-of-less-durability",
                            "",
                            listed(hinted) + " have a durability of their own",
                            "With PERFORMANCE_OPTIMIZED a build ends with its controller; the"
                                    + " other hints go on.",
                            ""));
        }
        return found;
    }

    private static String listed(List<String> names) {
        String more = names.size() > LISTED ? " and " + (names.size() - LISTED) + " more" : "";
        return String.join(", ", names.subList(0, Math.min(LISTED, names.size()))) + more;
    }
}
