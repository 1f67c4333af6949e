package io.jenkins.plugins.ha.tests.jenkins;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * When things first became true on one controller. Asks all the time, each kind of question on a
 * thread of its own, so that the slow ones do not delay the others.
 */
final class Moments {
    private static final long PAUSE_MILLIS = 25;

    private final String where;
    private final long deadline;
    private final Map<String, Thread> threads = new LinkedHashMap<>();
    private final Map<String, Long> first = new LinkedHashMap<>();
    private final Map<String, Throwable> failures = new LinkedHashMap<>();

    Moments(String where, Duration within) {
        this.where = where;
        this.deadline = System.nanoTime() + within.toNanos();
    }

    /** Starts to ask. */
    Moments when(String what, BooleanSupplier question) {
        Thread thread = new Thread(() -> ask(what, question), what + " on " + where);
        thread.setDaemon(true);
        threads.put(what, thread);
        thread.start();
        return this;
    }

    /**
     * When it became true, by {@link System#nanoTime()}: before the answer came, after the question
     * before it was put.
     */
    long of(String what) throws InterruptedException {
        threads.get(what).join();
        synchronized (first) {
            if (failures.containsKey(what)) {
                throw new AssertionError(what + " on " + where, failures.get(what));
            }
            if (!first.containsKey(what)) {
                throw new AssertionError("never seen on " + where + ": " + what);
            }
            return first.get(what);
        }
    }

    private void ask(String what, BooleanSupplier question) {
        try {
            while (System.nanoTime() < deadline) {
                if (question.getAsBoolean()) {
                    synchronized (first) {
                        first.put(what, System.nanoTime());
                    }
                    return;
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            synchronized (first) {
                failures.put(what, e);
            }
        }
    }
}
