package io.jenkins.plugins.ha.queue;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Lanes for which this controller's clouds say that they can make agents, and made none: no more is
 * claimed for them for a while, twice as long each time. Thread-safe.
 */
final class BarrenLanes {
    private static final long FIRST_MILLIS = 15_000;
    private static final long LONGEST_MILLIS = 240_000;

    private final Map<String, Barren> lanes = new ConcurrentHashMap<>();

    private record Barren(long since, long millis) {
        boolean over(long now, long factor) {
            return TimeUnit.NANOSECONDS.toMillis(now - since) > millis * factor;
        }
    }

    /** Something was claimed for this lane, and no agent came for it. */
    void add(String lane) {
        long now = System.nanoTime();
        lanes.compute(
                lane,
                (key, before) -> {
                    if (before == null || before.over(now, 2)) {
                        return new Barren(now, FIRST_MILLIS);
                    }
                    return before.over(now, 1) // several items of one claim count once
                            ? new Barren(now, Math.min(LONGEST_MILLIS, before.millis * 2))
                            : before;
                });
    }

    /** Whether nothing is to be claimed for the sake of clouds. */
    boolean contains(String lane) {
        Barren barren = lanes.get(lane);
        return barren != null && !barren.over(System.nanoTime(), 1);
    }
}
