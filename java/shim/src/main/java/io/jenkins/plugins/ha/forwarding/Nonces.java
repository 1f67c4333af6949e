package io.jenkins.plugins.ha.forwarding;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The nonces that were received lately: each counts once. Thread-safe. */
final class Nonces {
    /** Only who has the cluster's key gets one in here. */
    private static final int MOST = 100_000;

    private final long keptNanos;
    private final Map<String, Long> received = new LinkedHashMap<>();

    /**
     * @param keptMillis for how long they are kept: at least as long as a statement counts
     */
    Nonces(long keptMillis) {
        this.keptNanos = TimeUnit.MILLISECONDS.toNanos(keptMillis);
    }

    /** Notes it; {@link Verdict#PASSED} when it is new. */
    synchronized Verdict take(String nonce) {
        long now = System.nanoTime();
        Iterator<Long> oldest = received.values().iterator();
        while (oldest.hasNext() && now - oldest.next() > keptNanos) {
            oldest.remove();
        }
        if (received.containsKey(nonce)) {
            return Verdict.REPEATED;
        }
        if (received.size() >= MOST) {
            return Verdict.TOO_MANY;
        }
        received.put(nonce, now);
        return Verdict.PASSED;
    }
}
