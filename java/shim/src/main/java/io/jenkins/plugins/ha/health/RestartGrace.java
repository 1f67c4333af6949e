package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.RestartListener;
import io.jenkins.plugins.ha.Membership;
import java.util.concurrent.TimeUnit;

/**
 * Lets a load balancer see that a controller is about to restart before it does. A {@code
 * safeRestart} with nothing to wait for answers each request with core's page <em>Restarting</em>
 * from the same moment on; {@code /ha-health/} says 503 as soon as the controller has quieted down,
 * so a balancer that looks at least every two seconds sends nobody there by the time that page
 * comes.
 */
@Extension(ordinal = RestartGrace.FIRST)
public final class RestartGrace extends RestartListener {
    /** Asked before those who may say no for long, so that the time runs from the beginning. */
    static final double FIRST = 1000;

    private static final long GRACE_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.restartGraceMillis", 5_000);

    /** Core asks each second; who has not asked for so long gave up, and begins anew. */
    private static final long GIVEN_UP_MILLIS = 10_000;

    // Both guarded by this; System.nanoTime().
    private long since;
    private long asked;

    @Override
    public synchronized boolean isReadyToRestart() {
        long now = System.nanoTime();
        if (since == 0 || TimeUnit.NANOSECONDS.toMillis(now - asked) > GIVEN_UP_MILLIS) {
            since = now;
        }
        asked = now;
        return Membership.active().isEmpty()
                || TimeUnit.NANOSECONDS.toMillis(now - since) >= GRACE_MILLIS;
    }
}
