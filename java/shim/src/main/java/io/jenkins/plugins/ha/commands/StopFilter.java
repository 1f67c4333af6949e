package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;
import jenkins.util.HttpServletFilter;

/**
 * The stop buttons of builds that another controller runs. Comes after login and crumb have been
 * checked; anything it does not know, core answers as ever.
 */
@Extension
public final class StopFilter implements HttpServletFilter {
    // stopBuild: core's pane of executors adds it
    private static final Pattern STOP =
            Pattern.compile("(/.+)/([^/]+)/(stop|term|kill)(?:/stopBuild)?/?");

    /** What may stand in the address of a job: itself, its folders, and the views one came by. */
    private static final Pattern STEP =
            Pattern.compile("/(?:(?:job|item)/([^/]+)|(?:user/[^/]+|me)/my-views|view/[^/]+)");

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response)
            throws IOException, ServletException {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !"POST".equals(request.getMethod())) {
            return false;
        }
        String path = RequestPath.of(request);
        Matcher match = STOP.matcher(path);
        if (!match.matches()) {
            return false;
        }
        Run<?, ?> run = build(match.group(1), match.group(2));
        Stopping.How how = Stopping.How.valueOf(match.group(3).toUpperCase(Locale.ROOT));
        String owner =
                run == null || !Stopping.offered(run, how)
                        ? null
                        : membership.builds().runningOn(run);
        if (owner == null) {
            if (run != null && run.isBuilding() && run.getParent().hasPermission(Item.CANCEL)) {
                Stopping.notAgain(membership, run); // core stops it
            }
            return false;
        }
        run.getParent().checkPermission(Item.CANCEL); // answered with 403 by core's own filter
        if (Stopping.ask(membership, owner, run, how)
                || !run.isBuilding()
                || how == Stopping.How.KILL && Stopping.killGone(membership, owner, run)) {
            String from = request.getHeader("Referer"); // back to the page with the button, as core
            response.sendRedirect(
                    from == null ? request.getContextPath() + "/" + run.getUrl() : from);
        } else {
            response.sendError(
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE,
                    "The controller that runs this build did not answer. Try again; if it has died,"
                            + " the build ends by itself in a few seconds, or, if it is a Pipeline,"
                            + " goes on on another controller, or waits until its own is back. To"
                            + " end one that waits, without what it does at its end, POST to its"
                            + " address with /kill.");
        }
        return true;
    }

    /** As the caller sees it: null when he may not even know of it, and core then says so. */
    public static Run<?, ?> build(String jobPath, String build) {
        Job<?, ?> job = job(jobPath);
        if (job == null) {
            return null;
        }
        if (build.matches("\\d{1,9}")) {
            return job.getBuildByNumber(Integer.parseInt(build));
        }
        return job.getPermalinks().get(build) == null
                ? null
                : job.getPermalinks().get(build).resolve(job);
    }

    /** As the caller sees it: null when it is none, or he may not know of it. */
    static Job<?, ?> job(String jobPath) {
        StringBuilder name = new StringBuilder();
        Matcher step = STEP.matcher(jobPath);
        int end = 0;
        while (step.find() && step.start() == end) {
            end = step.end();
            if (step.group(1) != null) {
                name.append(name.isEmpty() ? "" : "/").append(decoded(step.group(1)));
            }
        }
        if (end != jobPath.length() || name.isEmpty()) {
            return null;
        }
        Item item;
        try {
            item = Jenkins.get().getItemByFullName(name.toString());
        } catch (RuntimeException e) { // only DISCOVER: core asks for a login
            return null;
        }
        return item instanceof Job<?, ?> job ? job : null;
    }

    private static String decoded(String segment) {
        return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
