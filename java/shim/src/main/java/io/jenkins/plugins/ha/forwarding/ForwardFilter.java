package io.jenkins.plugins.ha.forwarding;

import hudson.Extension;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import io.jenkins.plugins.ha.builds.ReadOnlyCopies;
import io.jenkins.plugins.ha.commands.StopFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import jenkins.util.HttpServletFilter;

/**
 * Passes on what is asked of a Pipeline that another controller runs. Comes after login and crumb
 * have been checked. What another controller has passed on is never passed on again.
 */
@Extension
public final class ForwardFilter implements HttpServletFilter {
    private static final String PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowRun";

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || Statement.isOn(request)) {
            return false;
        }
        ForwardedPath path = ForwardedPath.of(RequestPath.of(request));
        // who may not see it is told so by core
        Run<?, ?> run = path == null ? null : StopFilter.build(path.job(), path.build());
        String owner = run == null ? null : ReadOnlyCopies.ownerOf(membership, run);
        if (owner == null || !run.getClass().getName().equals(PIPELINE)) {
            return false;
        }
        if (!path.isPage()) {
            membership.forwarding().pass(request, response, run, owner, path.rest());
            return true;
        }
        return "GET".equals(request.getMethod())
                && membership.forwarding().passQuickly(request, response, run, owner, path.rest());
    }
}
