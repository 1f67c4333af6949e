package io.jenkins.plugins.ha.watch;

import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.model.Computer;
import hudson.security.Permission;
import hudson.security.PermissionGroup;
import hudson.security.PermissionScope;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.RecordsState;
import io.jenkins.plugins.ha.bridge.ThreadLife;
import io.jenkins.plugins.ha.watch.OpenMetricsText.Type;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import org.jvnet.localizer.Localizable;
import org.jvnet.localizer.ResourceBundleHolder;
import org.kohsuke.stapler.StaplerResponse2;

/**
 * {@code /ha/metrics/}: this controller's figures as OpenMetrics text, for who has the permission
 * <i>HA/Metrics</i> (each who may manage Jenkins has). From memory: it is answered while Redis and
 * the database are away, too.
 */
public final class MetricsPage {
    static final PermissionGroup GROUP = new PermissionGroup(MetricsPage.class, message("group"));

    /** May read the figures. */
    public static final Permission METRICS =
            new Permission(
                    GROUP,
                    "Metrics",
                    message("permission"),
                    Jenkins.MANAGE,
                    PermissionScope.JENKINS);

    private static final String QUEUE_ITEMS = "queue_items";

    private static Localizable message(String key) {
        return new Localizable(ResourceBundleHolder.get(MetricsPage.class), key);
    }

    /** Makes the permission known before an authorization strategy is read that grants it. */
    @Initializer(after = InitMilestone.PLUGINS_STARTED, before = InitMilestone.EXTENSIONS_AUGMENTED)
    public static void declarePermission() {
        Logger.getLogger(MetricsPage.class.getName()).log(Level.FINE, "{0}", METRICS.getId());
    }

    /** Writes them all. */
    public void doIndex(StaplerResponse2 response) throws IOException {
        Jenkins.get().checkPermission(METRICS);
        response.setContentType(OpenMetricsText.CONTENT_TYPE);
        byte[] bytes = text().getBytes(StandardCharsets.UTF_8);
        response.getOutputStream().write(bytes);
    }

    /** The text, whoever asks. */
    static String text() {
        OpenMetricsText out = new OpenMetricsText();
        Membership membership = Membership.active().orElse(null);
        out.gauge(
                "in_cluster",
                "",
                "1 when this Jenkins has the cluster's queue, 0 on a plain one.",
                membership == null ? 0 : 1);
        if (membership == null) {
            return out.end();
        }
        link(out, membership);
        queue(out, membership);
        membership.counts().write(out);
        here(out, membership);
        threads(out, membership.watchdog().lives());
        return out.end();
    }

    private static void link(OpenMetricsText out, Membership membership) {
        LinkState link = membership.link();
        out.family("controller", Type.INFO, "", "Who this controller is.");
        Map<String, String> who = new TreeMap<>();
        who.put("cluster", membership.settings().cluster());
        who.put("name", membership.identity().name());
        who.put("id", membership.identity().id());
        who.put("jenkins", Jenkins.VERSION);
        out.sample("controller_info", who, 1);
        out.family("link", Type.GAUGE, "", "1 for how this controller stands with Redis.");
        for (LinkState.Phase phase : LinkState.Phase.values()) {
            String name = phase.name().toLowerCase(Locale.ROOT);
            out.sample("link", Map.of("phase", name), link.phase() == phase ? 1 : 0);
        }
        out.gauge("epoch", "", "Fencing token of this membership.", link.epoch());
        out.gauge(
                "lease_held",
                "",
                "1 while no other controller can have taken this one for dead.",
                membership.cluster().holdsLease() ? 1 : 0);
        out.gauge(
                "draining",
                "",
                "1 when an admin drained this controller.",
                membership.claimer().isDraining() ? 1 : 0);
        out.gauge(
                "untold",
                "",
                "News of this controller that the cluster has not confirmed yet.",
                membership.outbound().untold());
        out.gauge(
                "untold_oldest_seconds",
                "seconds",
                "Age of the oldest of them, 0 when there is none.",
                Math.max(0, membership.outbound().oldestMillis()) / 1000.0);
        RecordsState records = membership.records().opened().map(open -> open.state()).orElse(null);
        boolean ready = records != null && records.phase() == RecordsState.Phase.READY;
        out.gauge("records_ready", "", "1 when builds are recorded.", ready ? 1 : 0);
        out.gauge(
                "records_waiting",
                "",
                "Writes that wait for the database.",
                records == null ? 0 : records.waiting());
    }

    private static void queue(OpenMetricsText out, Membership membership) {
        long now = System.currentTimeMillis();
        Map<String, Map<String, Integer>> depth = new TreeMap<>();
        Map<String, Double> oldest = new TreeMap<>();
        int orphaned = 0;
        for (Item item : membership.view().living()) {
            orphaned += item.state() == ItemState.ORPHANED ? 1 : 0;
            if (item.state() != ItemState.QUEUED && item.state() != ItemState.UNREADABLE) {
                continue;
            }
            boolean quiet = item.dueMillis() > now;
            String why =
                    item.state() == ItemState.UNREADABLE
                            ? "unreadable"
                            : quiet ? "quiet" : item.blocked() ? "blocked" : "ready";
            depth.computeIfAbsent(item.lane(), lane -> new TreeMap<>()).merge(why, 1, Integer::sum);
            if (why.equals("ready")) {
                double age = (now - item.dueMillis()) / 1000.0;
                oldest.merge(item.lane(), age, Math::max);
            }
        }
        out.family(
                QUEUE_ITEMS,
                Type.GAUGE,
                "",
                "Items of the cluster that no controller holds, by lane and by what they wait for;"
                        + " each controller shows the same.");
        depth.forEach(
                (lane, byWhy) ->
                        byWhy.forEach(
                                (why, count) -> out.sample(QUEUE_ITEMS, lane(lane, why), count)));
        out.family(
                "queue_oldest_seconds",
                Type.GAUGE,
                "seconds",
                "For how long the oldest ready item of the lane has waited.");
        oldest.forEach(
                (lane, age) -> out.sample("queue_oldest_seconds", Map.of("lane", lane), age));
        out.gauge(
                "items_orphaned",
                "",
                "Builds whose controller is gone and that nobody has decided on.",
                orphaned);
    }

    private static Map<String, String> lane(String lane, String why) {
        Map<String, String> labels = new TreeMap<>();
        labels.put("lane", lane);
        labels.put("state", why);
        return labels;
    }

    private static void here(OpenMetricsText out, Membership membership) {
        int running = 0;
        int claimed = 0;
        for (Item item : membership.view().held()) {
            if (item.owner().equals(membership.identity().id())) {
                claimed += item.state() == ItemState.CLAIMED ? 1 : 0;
                running += item.state() == ItemState.RUNNING ? 1 : 0;
            }
        }
        out.gauge("builds_running", "", "Builds of the cluster's queue that run here.", running);
        out.gauge("items_claimed_here", "", "Claimed here and not started.", claimed);
        int busy = 0;
        int executors = 0;
        for (Computer computer : Jenkins.get().getComputers()) {
            busy += computer.countBusy();
            executors += computer.isOnline() ? computer.getNumExecutors() : 0;
        }
        out.gauge(
                "executors",
                "",
                "Executors of this controller's nodes that are online.",
                executors);
        out.gauge("executors_busy", "", "Those at work.", busy);
    }

    private static void threads(OpenMetricsText out, List<ThreadLife> lives) {
        out.family("thread_well", Type.GAUGE, "", "1 when a thread of the plugin does its work.");
        for (ThreadLife life : lives) {
            double well = life.problem().isEmpty() ? 1 : 0;
            out.sample("thread_well", Map.of("thread", life.name()), well);
        }
        out.family(
                "thread_restarts",
                Type.COUNTER,
                "",
                "How often a thread of the plugin failed and was started again.");
        for (ThreadLife life : lives) {
            out.sample("thread_restarts_total", Map.of("thread", life.name()), life.restarts());
        }
    }
}
