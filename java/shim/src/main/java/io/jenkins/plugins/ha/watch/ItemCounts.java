package io.jenkins.plugins.ha.watch;

import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts what becomes of queue items, from the news that every controller hears of all of them.
 * Each change is counted by one controller, the one that made it, so that the sum over the
 * controllers is the cluster's. Counts begin anew with the process. Thread-safe.
 */
public final class ItemCounts {
    /** Upper bounds of the buckets, in seconds. */
    private static final double[] BUCKETS = {
        0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800
    };

    private static final int REMEMBERED = 10_000;

    private final String controllerId;

    /** What was counted of an item last; late and repeated news must not count twice. */
    private final Map<Long, Seen> seen =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Seen> eldest) {
                    return size() > REMEMBERED;
                }
            };

    private long accepted;
    private long claimed;
    private long started;
    private long cancelled;
    private long reruns;
    private long takeOvers;
    private final Map<String, Long> ended = new TreeMap<>();
    private final long[] waited = new long[BUCKETS.length];
    private double waitedSeconds;

    /** The owner stays the controller that ran it, when news of its end name none. */
    private record Seen(long version, ItemState state, String owner) {}

    /**
     * @param controllerId whose changes are counted
     */
    public ItemCounts(String controllerId) {
        this.controllerId = controllerId;
    }

    /** News of an item. */
    public synchronized void changed(Item item) {
        Seen before = seen.get(item.id());
        if (before != null && before.version() >= item.version()) {
            return;
        }
        String owner =
                item.owner().isEmpty() && item.state().ended() && before != null
                        ? before.owner()
                        : item.owner();
        seen.put(item.id(), new Seen(item.version(), item.state(), owner));
        boolean ours = owner.equals(controllerId);
        ItemState from = before == null ? null : before.state();
        if (before == null
                && item.state() == ItemState.QUEUED
                && item.attempts() == 0
                && item.origin().equals(controllerId)) {
            accepted++;
        }
        if (from == item.state()) {
            return;
        }
        switch (item.state()) {
            case CLAIMED -> claimed += ours ? 1 : 0;
            case RUNNING -> {
                if (ours && from != ItemState.ORPHANED) {
                    started++;
                    waited((System.currentTimeMillis() - item.dueMillis()) / 1000.0);
                }
            }
            case DONE -> {
                if (ours) {
                    ended.merge(item.result(), 1L, Long::sum);
                    reruns += item.again() != 0 ? 1 : 0;
                }
            }
            case CANCELLED -> cancelled += item.origin().equals(controllerId) ? 1 : 0;
            default -> {}
        }
    }

    /** It fell to this controller to decide what becomes of a dead one's build. */
    public synchronized void takenOver() {
        takeOvers++;
    }

    private void waited(double seconds) {
        double positive = Math.max(0, seconds);
        waitedSeconds += positive;
        for (int i = 0; i < BUCKETS.length; i++) {
            waited[i] += positive <= BUCKETS[i] ? 1 : 0;
        }
    }

    synchronized void write(OpenMetricsText to) {
        to.counter("items_accepted", "Queue items that this controller accepted.", accepted);
        to.counter("items_claimed", "Queue items that this controller claimed.", claimed);
        to.counter("items_cancelled", "Accepted here, and ended without a build.", cancelled);
        to.counter("builds_started", "Builds of the cluster's queue that began here.", started);
        to.family(
                "builds_ended",
                OpenMetricsText.Type.COUNTER,
                "",
                "Builds of the cluster's queue that this controller ran, and that have ended.");
        ended.forEach(
                (result, count) ->
                        to.sample("builds_ended_total", Map.of("result", result), count));
        to.counter("reruns", "Builds that ran here, died with it and run again.", reruns);
        to.counter(
                "takeovers",
                "Builds of dead controllers on which it fell to this one to decide.",
                takeOvers);
        to.family(
                "item_wait_seconds",
                OpenMetricsText.Type.HISTOGRAM,
                "seconds",
                "From the end of an item's quiet period to the start of its build here.");
        for (int i = 0; i < BUCKETS.length; i++) {
            to.sample(
                    "item_wait_seconds_bucket",
                    Map.of("le", Double.toString(BUCKETS[i])),
                    waited[i]);
        }
        to.sample("item_wait_seconds_bucket", Map.of("le", "+Inf"), started);
        to.sample("item_wait_seconds_count", Map.of(), started);
        to.sample("item_wait_seconds_sum", Map.of(), waitedSeconds);
    }
}
