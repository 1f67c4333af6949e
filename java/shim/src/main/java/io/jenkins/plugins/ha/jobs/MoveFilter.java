package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Job;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import io.jenkins.plugins.ha.builds.RunningPipelines;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;
import jenkins.util.HttpServletFilter;

/**
 * Refuses to move an item into another folder while a Pipeline of it runs, wherever: its steps
 * would go on writing into the old folder, and its graph would be lost.
 */
@Extension
@SuppressWarnings("try") // who acts is settled by having the context open
public final class MoveFilter implements HttpServletFilter {
    private static final Pattern MOVE = Pattern.compile("((?:/(?:view|job)/[^/]+)+)/move/move/?");
    private static final Pattern JOB = Pattern.compile("/job/([^/]+)");

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !"POST".equals(request.getMethod())) {
            return false;
        }
        String path = RequestPath.of(request);
        Matcher move = MOVE.matcher(path);
        if (!move.matches()) {
            return false;
        }
        List<String> names = new ArrayList<>();
        for (Matcher job = JOB.matcher(move.group(1)); job.find(); ) {
            names.add(URLDecoder.decode(job.group(1).replace("+", "%2B"), StandardCharsets.UTF_8));
        }
        Item item = Jenkins.get().getItemByFullName(String.join("/", names));
        String running = item == null ? null : running(membership, item);
        if (running == null) {
            return false;
        }
        response.setStatus(HttpServletResponse.SC_CONFLICT);
        response.setContentType("text/plain;charset=UTF-8");
        response.getWriter()
                .println(
                        item.getFullDisplayName()
                                + " cannot be moved while a Pipeline of it runs ("
                                + running
                                + "): wait for its end, or stop it.");
        return true;
    }

    private static String running(Membership membership, Item item) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            List<Item> all = new ArrayList<>();
            all.add(item);
            if (item instanceof ItemGroup<?> group) {
                group.allItems().forEach(all::add);
            }
            for (Item each : all) {
                if (each instanceof Job<?, ?> job) {
                    String build = RunningPipelines.of(membership.builds(), job);
                    if (build != null) {
                        return build;
                    }
                }
            }
            return null;
        }
    }
}
