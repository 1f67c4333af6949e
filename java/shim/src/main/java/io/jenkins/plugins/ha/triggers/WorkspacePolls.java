package io.jenkins.plugins.ha.triggers;

import hudson.model.Job;
import hudson.model.Run;
import hudson.scm.SCM;
import hudson.triggers.SCMTrigger;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import jenkins.triggers.SCMTriggerItem;
import jenkins.util.Timer;

/**
 * Polls that compare the repository with a workspace. Workspaces are on the nodes of the controller
 * that built; another one would find none there, and build to get one. So it asks that controller
 * to poll.
 */
public final class WorkspacePolls {
    /** Asks a controller to poll a job; the body is its full name. */
    public static final String TOPIC = "poll";

    private static final Logger LOGGER = Logger.getLogger(WorkspacePolls.class.getName());
    private static final long ANSWER_MILLIS = 3000;
    private static final long BEGIN_MILLIS = 1000;
    private static final long HERE_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** As many as core looks through for one whose workspace is still there. */
    private static final int BUILDS = 5;

    /** Jobs that this controller was asked to poll, and when: it does not ask back. */
    private static final Map<String, Long> ASKED = new ConcurrentHashMap<>();

    private WorkspacePolls() {}

    /** Whether another controller has the workspace, and polls instead. */
    static boolean passOn(Membership membership, Job<?, ?> job) {
        SCMTriggerItem polled = SCMTriggerItem.SCMTriggerItems.asSCMTriggerItem(job);
        Long asked = ASKED.get(job.getFullName());
        if (polled == null
                || asked != null && System.nanoTime() - asked < HERE_NANOS
                || polled.getSCMs().stream().noneMatch(SCM::requiresWorkspaceForPolling)) {
            return false;
        }
        try {
            String owner = ownerOfWorkspace(membership, job);
            return !owner.isEmpty()
                    && membership.ask(owner, TOPIC, job.getFullName(), ANSWER_MILLIS).equals("ok");
        } catch (HaException.Unavailable e) {
            LOGGER.log(Level.FINE, "Asked to poll {0}, without an answer yet", job.getFullName());
            return true; // the question stays with it
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "{0} is polled here: {1}",
                    new Object[] {job.getFullName(), e.getMessage()});
            return false;
        }
    }

    /** Id of the other member that ran the newest builds; "" for this one, and for nobody. */
    private static String ownerOfWorkspace(Membership membership, Job<?, ?> job) {
        Set<String> members =
                membership.cluster().members().stream()
                        .map(Member::controllerId)
                        .collect(Collectors.toSet());
        Run<?, ?> run = job.getLastBuild();
        for (int i = 0; i < BUILDS && run != null; i++) {
            ClusterItemAction action = run.getAction(ClusterItemAction.class);
            if (action == null || action.controllerId().equals(membership.identity().id())) {
                return "";
            }
            if (members.contains(action.controllerId())) {
                return action.controllerId();
            }
            run = run.getPreviousBuild();
        }
        return "";
    }

    /**
     * The other side: polls on a thread of core's, in a moment, since both write the job's one
     * polling log, and the asking one has yet to note there that it does not poll.
     */
    public static String pollHere(String name) {
        Job<?, ?> job = Jenkins.get().getItemByFullName(name, Job.class);
        SCMTriggerItem polled =
                job == null ? null : SCMTriggerItem.SCMTriggerItems.asSCMTriggerItem(job);
        SCMTrigger trigger = polled == null ? null : polled.getSCMTrigger();
        if (trigger == null) {
            return "late";
        }
        ASKED.put(name, System.nanoTime());
        Timer.get().schedule(() -> trigger.run(null), BEGIN_MILLIS, TimeUnit.MILLISECONDS);
        return "ok";
    }
}
