package io.jenkins.plugins.ha.deliveries;

import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.util.PluginServletFilter;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;

/**
 * Notes each webhook that comes to this controller in the inbox, with what it leads to. Before the
 * filter that deals with each delivery once, so that a repetition is noted, too; after login and
 * crumb, so what those refuse is not.
 */
@SuppressWarnings("try") // what is triggered is noted by having the scope open
public final class InboxFilter implements Filter {
    private static final Logger LOGGER = Logger.getLogger(InboxFilter.class.getName());

    /** Addresses that plugins and core have for other programs, below Jenkins' own. */
    private static final Pattern ADDRESS =
            Pattern.compile(
                    "/(?:git|mercurial)/notifyCommit|/subversion/[^/]+/notifyCommit"
                        + "|/(?:github-webhook|ghprbhook|gitlab-webhook|gitlab-systemhook|project"
                        + "|bitbucket-hook|bitbucket-scmsource-hook|bitbucket-server-webhook"
                        + "|gitea-webhook|gogs-webhook|generic-webhook-trigger"
                        + "|multibranch-webhook-trigger|dockerhub-webhook|buildByToken"
                        + "|azure-devops|teams-webhook)(?:/.*)?");

    private static final Pattern TRIGGER =
            Pattern.compile("(?:/(?:job|view)/[^/]+)+/(?:build|buildWithParameters|polling)");

    private static final List<String> EVENTS =
            List.of(
                    "X-GitHub-Event",
                    "X-Gitlab-Event",
                    "X-Gitea-Event",
                    "X-Forgejo-Event",
                    "X-Gogs-Event",
                    "X-Event-Key");

    private static final int LONGEST = 300;

    /** From then on requests pass through it: before those of {@link DeliveryFilter}. */
    @Initializer(after = InitMilestone.JOB_LOADED, before = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void install() throws ServletException {
        if (Membership.active().isPresent()) {
            PluginServletFilter.addFilter(new InboxFilter());
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        Membership membership = Membership.active().orElse(null);
        if (membership == null
                || !(request instanceof HttpServletRequest http)
                || !(response instanceof HttpServletResponse answer)
                || !isWebhook(http)) {
            chain.doFilter(request, response);
            return;
        }
        HttpServletRequest arrived = Redelivery.keeps() ? ArrivedRequest.of(http) : http;
        JSONObject entry = about(membership, http);
        Arrival arrival = new Arrival();
        BegunAnswer begun = new BegunAnswer(answer);
        try (Arrival.Scope dealing = arrival.begin()) {
            chain.doFilter(arrived, begun);
            entry.put("status", begun.getStatus());
        } finally {
            entry.put("answer", cut(begun.text()));
            JSONArray items = new JSONArray();
            arrival.items().forEach(led -> items.add(led.toJson()));
            entry.put("items", items);
            note(membership, entry, arrived);
        }
    }

    private static void note(Membership membership, JSONObject entry, HttpServletRequest arrived) {
        try {
            if (arrived instanceof ArrivedRequest kept) {
                entry.put("request", Redelivery.keep(kept));
            }
            Inbox.add(membership, new InboxEntry(entry));
        } catch (RuntimeException e) { // the webhook itself was dealt with
            LOGGER.log(Level.WARNING, "A webhook is missing in the inbox", e);
        }
    }

    private static boolean isWebhook(HttpServletRequest request) {
        String path = RequestPath.of(request);
        return Delivery.of(request) != null
                || event(request) != null
                || ADDRESS.matcher(path).matches()
                || TRIGGER.matcher(path).matches() && queryNames(request).contains("token=");
    }

    private static JSONObject about(Membership membership, HttpServletRequest request) {
        JSONObject entry = new JSONObject();
        entry.put("id", UUID.randomUUID().toString());
        entry.put("at", System.currentTimeMillis());
        entry.put("controller", membership.identity().name());
        entry.put("method", request.getMethod());
        String path = RequestPath.of(request);
        Set<String> names = queryNames(request);
        // values may be tokens
        entry.put("address", cut(path + (names.isEmpty() ? "" : "?" + String.join("&", names))));
        String event = event(request);
        entry.put("event", event == null ? "" : cut(request.getHeader(event)));
        Delivery delivery = Delivery.of(request);
        entry.put("delivery", delivery == null ? "" : cut(delivery.shown()));
        entry.put("sender", String.valueOf(request.getRemoteAddr()));
        entry.put("redeliveryOf", Redelivery.of(request));
        return entry;
    }

    /** The header that says what it is about; null for none. */
    private static String event(HttpServletRequest request) {
        return EVENTS.stream()
                .filter(name -> request.getHeader(name) != null)
                .findFirst()
                .orElse(null);
    }

    private static Set<String> queryNames(HttpServletRequest request) {
        Set<String> names = new LinkedHashSet<>();
        String query = request.getQueryString();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            int equals = pair.indexOf('=');
            names.add(equals < 0 ? pair : pair.substring(0, equals) + "=");
        }
        return names;
    }

    private static String cut(String text) {
        String line = text.replaceAll("\\s+", " ").trim();
        return line.length() > LONGEST ? line.substring(0, LONGEST) + "…" : line;
    }
}
