package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import io.jenkins.plugins.ha.Membership;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.util.HttpServletFilter;

/**
 * Whoever opens a form of an item, a user or a setting, or posts to it, sees what other controllers
 * have changed: the request waits, a second at the most, for news that are being put in force.
 */
@Extension
public final class NewsFilter implements HttpServletFilter {
    private static final Logger LOGGER = Logger.getLogger(NewsFilter.class.getName());
    private static final long LONGEST_MILLIS = 1000;

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response) {
        Membership membership = Membership.active().orElse(null);
        String path = request.getRequestURI();
        if (membership != null && (!"GET".equals(request.getMethod()) || isForm(path))) {
            try {
                boolean news =
                        path.contains("/job/")
                                ? membership.items().awaitQuiet(LONGEST_MILLIS)
                                : membership.carrying().awaitFollowed(LONGEST_MILLIS);
                if (!news) {
                    LOGGER.log(Level.FINE, "{0} goes on before all news are in force", path);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return false;
    }

    private static boolean isForm(String path) {
        return path.endsWith("/configure")
                || path.endsWith("/config.xml")
                || !path.contains("/job/")
                        && (path.contains("/manage/") || path.contains("/user/"));
    }
}
