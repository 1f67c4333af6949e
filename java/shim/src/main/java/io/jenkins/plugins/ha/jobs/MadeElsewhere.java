package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import hudson.model.ItemGroup;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;
import jenkins.util.HttpServletFilter;

/**
 * Who has just made an item is led to its page, which a balancer may ask of a controller that has
 * not heard of it yet. Where an item is not known whose file is on the shared folder, the request
 * waits for the news, which are on their way; two seconds at the most, for a file may be one that
 * this controller cannot read.
 */
@Extension
@SuppressWarnings("try") // who acts is settled by having the context open
public final class MadeElsewhere implements HttpServletFilter {
    private static final Pattern STEP = Pattern.compile("/(?:job/([^/]+)|view/[^/]+)");
    private static final long LONGEST_MILLIS = 2000;
    private static final long LOOK_MILLIS = 20;

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response) {
        String path = RequestPath.of(request);
        if (path.contains("/job/") && Membership.active().isPresent()) {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LONGEST_MILLIS);
            try {
                while (isOnItsWay(path) && System.nanoTime() < until) {
                    Thread.sleep(LOOK_MILLIS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return false;
    }

    /** Whether the first item of the path that is not known here is on the shared folder. */
    private static boolean isOnItsWay(String path) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            ItemGroup<?> group = Jenkins.get();
            Matcher step = STEP.matcher(path);
            for (int end = 0; step.find() && step.start() == end; end = step.end()) {
                if (step.group(1) == null) {
                    continue; // a view leads to the same items
                }
                String name =
                        URLDecoder.decode(
                                step.group(1).replace("+", "%2B"), StandardCharsets.UTF_8);
                Object item = group.getItem(name);
                if (item == null) {
                    return isFileName(name)
                            && Files.exists(
                                    Path.of(group.getRootDir().getPath(), "jobs", name)
                                            .resolve("config.xml"));
                }
                if (!(item instanceof ItemGroup<?> inner)) {
                    return false;
                }
                group = inner;
            }
            return false;
        } catch (RuntimeException e) { // what is no name of an item is core's to answer
            return false;
        }
    }

    private static boolean isFileName(String name) {
        return !name.isEmpty() && !name.startsWith(".") && !name.matches(".*[/\\\\\0].*");
    }
}
