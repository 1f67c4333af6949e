package io.jenkins.plugins.ha.commands;

import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.builds.PipelineHandOver;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import jenkins.model.Jenkins;

/**
 * Has a Pipeline go over to another controller because somebody wants it, wherever it runs.
 * Thread-safe.
 */
final class Moving {
    static final String TOPIC = "move";

    private static final String DONE = "ok ";
    private static final long ANSWER_MILLIS = 30_000;

    private Moving() {}

    /** It stays where it is; the message says why. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;

        /** What it is over HTTP. */
        final int status;

        Failed(int status, String why) {
            super(why);
            this.status = status;
        }
    }

    /**
     * Blocks until it has gone or cannot, half a minute at the most. Whoever calls has checked the
     * permission.
     *
     * @param to name or id of the controller that is to have it; "" for whichever takes it
     * @return a sentence for whoever asked
     */
    static String ask(Run<?, ?> run, String to) throws Failed {
        Membership membership =
                Membership.active()
                        .orElseThrow(
                                () ->
                                        new Failed(
                                                HttpServletResponse.SC_NOT_FOUND,
                                                "This Jenkins is in no cluster."));
        String owner = membership.builds().runningOn(run);
        String order = run.getNumber() + "\n" + to + "\n" + run.getParent().getFullName();
        String answer;
        try {
            answer =
                    owner == null
                            ? moveHere(order)
                            : membership.ask(owner, TOPIC, order, ANSWER_MILLIS);
        } catch (HaException e) {
            throw new Failed(
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE,
                    "The controller that runs "
                            + run.getFullDisplayName()
                            + " did not answer. Look where it runs, and try again.");
        }
        if (!answer.startsWith(DONE)) {
            throw new Failed(
                    HttpServletResponse.SC_CONFLICT,
                    run.getFullDisplayName() + " stays where it is: " + answer + ".");
        }
        return run.getFullDisplayName()
                + " goes on on "
                + answer.substring(DONE.length())
                + " in a moment.";
    }

    /** The other side. */
    static String moveHere(String order) {
        List<String> lines = order.lines().toList();
        Job<?, ?> job = Jenkins.get().getItemByFullName(lines.get(2), Job.class);
        Run<?, ?> run = job == null ? null : job.getBuildByNumber(Integer.parseInt(lines.get(0)));
        if (run == null) {
            return "there is no such build";
        }
        try {
            return DONE + Membership.active().orElseThrow().handOver().give(run, lines.get(1));
        } catch (PipelineHandOver.Stays e) {
            return e.getMessage();
        }
    }
}
