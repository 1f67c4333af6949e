package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.cli.CLICommand;
import hudson.model.Executor;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.args4j.Argument;

/**
 * The command line's {@code stop-builds}, which in core stops only what runs on the controller that
 * was asked. Found before core's by its ordinal; says what core's says.
 */
@Extension(ordinal = 1000)
public final class StopBuildsCommand extends CLICommand {
    @Argument(usage = "Name of the job(s) to stop", required = true, multiValued = true)
    private List<String> jobNames;

    @Override
    public String getShortDescription() {
        return "Stop all running builds for job(s)";
    }

    @Override
    protected int run() {
        List<Job<?, ?>> jobs = new ArrayList<>();
        for (String name : new LinkedHashSet<>(jobNames)) {
            Item item = Jenkins.get().getItemByFullName(name);
            if (!(item instanceof Job<?, ?> job)) {
                throw new IllegalArgumentException("Job not found: '" + name + "'");
            }
            jobs.add(job);
        }
        boolean any = false;
        for (Job<?, ?> job : jobs) {
            for (Run<?, ?> build = job.getLastBuild(); build != null; build = nextRunning(build)) {
                any |= build.isBuilding() && stop(build, job.getFullDisplayName());
            }
        }
        if (!any) {
            stdout.println("No builds stopped");
        }
        return 0;
    }

    /** Running builds may have ended ones between them: another controller's may take longer. */
    private static Run<?, ?> nextRunning(Run<?, ?> build) {
        Run<?, ?> before = build.getPreviousBuild();
        for (int ended = 0; before != null && !before.isBuilding() && ended < 100; ended++) {
            before = before.getPreviousBuild();
        }
        return before != null && before.isBuilding() ? before : null;
    }

    private boolean stop(Run<?, ?> build, String job) {
        boolean stopped = false;
        try {
            Executor executor = build.getExecutor();
            String owner =
                    Membership.active()
                            .map(membership -> membership.builds().runningOn(build))
                            .orElse(null);
            if (executor != null) {
                executor.doStop();
                stopped = true;
            } else if (owner != null) {
                build.getParent().checkPermission(Item.CANCEL);
                stopped =
                        Stopping.ask(
                                Membership.active().orElseThrow(), owner, build, Stopping.How.STOP);
            }
        } catch (RuntimeException e) {
            stdout.printf(
                    "Exception occurred while trying to stop build '%s' for job '%s'. Exception"
                            + " class: %s, message: %s%n",
                    build.getDisplayName(), job, e.getClass().getSimpleName(), e.getMessage());
            return false;
        }
        stdout.printf(
                stopped
                        ? "Build '%s' stopped for job '%s'%n"
                        : "Build '%s' in job '%s' not stopped%n",
                build.getDisplayName(),
                job);
        return stopped;
    }
}
