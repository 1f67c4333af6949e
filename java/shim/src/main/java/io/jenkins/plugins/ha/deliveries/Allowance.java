package io.jenkins.plugins.ha.deliveries;

import java.util.PriorityQueue;

/**
 * How many ids of deliveries this controller may have remembered at a time, so that whoever sends
 * many fills neither Redis nor this controller. Thread-safe.
 */
final class Allowance {
    private final int most;

    /** When each of those that are remembered is forgotten, by this machine's monotonic clock. */
    private final PriorityQueue<Long> ends = new PriorityQueue<>();

    Allowance(int most) {
        this.most = most;
    }

    /** Whether one more may be remembered for so long; it counts from now on if it may. */
    synchronized boolean take(long millis) {
        long now = System.nanoTime() / 1_000_000;
        while (!ends.isEmpty() && ends.peek() <= now) {
            ends.poll();
        }
        return ends.size() < most && ends.add(now + millis);
    }
}
