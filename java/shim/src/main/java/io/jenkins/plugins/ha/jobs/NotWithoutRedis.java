package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.regex.Pattern;
import jenkins.util.HttpServletFilter;

/**
 * Refuses what would be done by half while this controller cannot tell the others: a job that is
 * renamed or moved would be built under its old name by who does not hear of it, and what waits
 * would not follow; an item that is cancelled would be built all the same. Deletions are refused by
 * {@link ItemDeletions}.
 */
@Extension
public final class NotWithoutRedis implements HttpServletFilter {
    private static final Pattern MOVED =
            Pattern.compile("(?:/(?:view|job)/[^/]+)+/(?:confirmRename|doRename|move/move)/?");

    private static final Pattern CANCELLED = Pattern.compile("/queue/cancelItem/?");

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        if (!"POST".equals(request.getMethod())) {
            return false;
        }
        String path = RequestPath.of(request);
        String what =
                MOVED.matcher(path).matches()
                        ? "Nothing is renamed or moved meanwhile: the other controllers would go on"
                                + " under the old name."
                        : CANCELLED.matcher(path).matches()
                                ? "Nothing is cancelled meanwhile: the item may be another"
                                        + " controller's."
                                : "";
        Membership membership = what.isEmpty() ? null : Membership.active().orElse(null);
        if (membership == null || membership.link().joined()) {
            return false;
        }
        response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        response.setHeader("Retry-After", "5");
        response.setContentType("text/plain;charset=UTF-8");
        response.getWriter()
                .println(
                        "This controller cannot reach the cluster: "
                                + membership.link().text()
                                + " "
                                + what
                                + " Try again when Redis is back.");
        return true;
    }
}
