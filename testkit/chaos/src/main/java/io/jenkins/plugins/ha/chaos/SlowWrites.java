package io.jenkins.plugins.ha.chaos;

import io.jenkins.plugins.ha.stage.RedisServer;
import java.io.UncheckedIOException;

/**
 * Makes Redis as slow at writing as a bad disk makes one that syncs each write: reads are answered,
 * writes wait for up to {@link #PAUSE_MILLIS}, all that came meanwhile together. By {@code CLIENT
 * PAUSE}, over and over.
 */
final class SlowWrites {
    private static final long PAUSE_MILLIS = 250;
    private static final long BETWEEN_MILLIS = 20;

    private final RedisServer redis;
    private Thread thread;
    private volatile boolean slow;

    SlowWrites(RedisServer redis) {
        this.redis = redis;
    }

    void begin() {
        slow = true;
        thread = new Thread(this::slow, "slow-writes");
        thread.setDaemon(true);
        thread.start();
    }

    void end() {
        slow = false;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void slow() {
        try {
            while (slow) {
                try {
                    redis.call("CLIENT", "PAUSE", Long.toString(PAUSE_MILLIS), "WRITE");
                } catch (UncheckedIOException | IllegalStateException away) {
                    // It is down as well: slow enough.
                }
                Thread.sleep(PAUSE_MILLIS + BETWEEN_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
