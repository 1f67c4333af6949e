package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import io.jenkins.plugins.ha.Membership;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import jenkins.util.HttpServletFilter;

/**
 * Whoever opens a form of an item, a user or a setting, or posts to it, sees what other controllers
 * have changed: the request waits, a second at the most, for news that are being put in force.
 */
@Extension
public final class NewsFilter implements HttpServletFilter {
    private static final Logger LOGGER = Logger.getLogger(NewsFilter.class.getName());
    private static final long LONGEST_MILLIS = 1000;

    /** What is posted there says itself which items it is about. */
    private static final Pattern MAY_BE_OF_ITEMS =
            Pattern.compile("/(cli|createItem|script|scriptText|configuration-as-code/.*)/?$");

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response) {
        Membership membership = Membership.active().orElse(null);
        String path = request.getRequestURI();
        try {
            if (membership != null && !awaitNews(request, membership)) {
                LOGGER.log(Level.FINE, "{0} goes on before all news are in force", path);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    /** Whether all news are in force that the request may be about. */
    private static boolean awaitNews(HttpServletRequest request, Membership membership)
            throws InterruptedException {
        String path = request.getRequestURI();
        if ("GET".equals(request.getMethod()) && !isForm(path)) {
            return true;
        }
        boolean ofItem = path.contains("/job/");
        boolean mayBeOfItems = ofItem || MAY_BE_OF_ITEMS.matcher(path).find();
        if (mayBeOfItems && !membership.items().awaitQuiet(LONGEST_MILLIS)) {
            return false;
        }
        return ofItem || membership.carrying().awaitFollowed(LONGEST_MILLIS);
    }

    private static boolean isForm(String path) {
        return path.endsWith("/configure")
                || path.endsWith("/config.xml")
                || !path.contains("/job/")
                        && (path.contains("/manage/") || path.contains("/user/"));
    }
}
