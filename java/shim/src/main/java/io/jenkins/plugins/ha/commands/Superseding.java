package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.model.Job;
import hudson.model.JobProperty;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.RunListener;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.life.Pool;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Pipelines of which a newer build takes the place of the older one ("abort previous builds"): core
 * ends an older one on the same controller only.
 */
@Extension
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Superseding extends RunListener<Run<?, ?>> {
    private static final Logger LOGGER = Logger.getLogger(Superseding.class.getName());
    private static final Pool ASKING = new Pool("ha-jenkins-superseding", 2, 1000);
    private static final String PROPERTY =
            "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty";

    @Override
    public void onStarted(Run<?, ?> run, TaskListener listener) {
        Membership membership = Membership.active().orElse(null);
        if (membership != null && supersedes(run.getParent())) {
            ASKING.execute(() -> endOlder(membership, run)); // a build's start waits for nobody
        }
    }

    /**
     * Has a Pipeline of another controller ended that a newer build has overtaken at a milestone;
     * true when it was, or has ended by itself.
     *
     * @param by id of the newer build
     */
    public static boolean overtake(
            Membership membership, String owner, String job, int number, String by) {
        return Stopping.overtake(membership, owner, job, number, by);
    }

    private static void endOlder(Membership membership, Run<?, ?> run) {
        String job = run.getParent().getFullName();
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            for (int number : membership.builds().runningElsewhere(job)) {
                String owner = membership.builds().runningOn(job, number);
                if (number < run.getNumber() && owner != null) {
                    Stopping.supersede(membership, owner, number, run);
                }
            }
        }
    }

    private static boolean supersedes(Job<?, ?> job) {
        for (JobProperty<?> property : job.getProperties().values()) {
            if (property.getClass().getName().equals(PROPERTY)) {
                try {
                    return Boolean.TRUE.equals(
                            property.getClass().getMethod("isAbortPrevious").invoke(property));
                } catch (ReflectiveOperationException e) {
                    LOGGER.log(Level.FINE, "Another version of the Pipeline plugins", e);
                }
            }
        }
        return false;
    }
}
