package io.jenkins.plugins.ha.tests.jenkins;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * When things first became true on one controller. Asks all the time, each kind of question on a
 * thread of its own, so that the slow ones do not delay the others.
 */
final class Moments {
    private static final long PAUSE_MILLIS = 30;

    private final String where;
    private final long deadline;
    private final Map<String, Thread> threads = new HashMap<>();
    private final Map<String, Long> first = new HashMap<>();
    private final Map<String, Throwable> failures = new HashMap<>();

    Moments(String where, Duration within) {
        this.where = where;
        this.deadline = System.nanoTime() + within.toNanos();
    }

    /**
     * Starts to ask.
     *
     * @param answer asks the controller once
     * @param statements what the answer is held against, by name; until each was true
     */
    <T> void ask(Supplier<T> answer, Map<String, Predicate<T>> statements) {
        Thread thread =
                new Thread(() -> askOn(answer, statements), statements.keySet() + " on " + where);
        thread.setDaemon(true);
        statements.keySet().forEach(statement -> threads.put(statement, thread));
        thread.start();
    }

    /** When it was first answered so, by {@link System#nanoTime()}. */
    long of(String statement) throws InterruptedException {
        threads.get(statement).join();
        synchronized (first) {
            if (first.containsKey(statement)) {
                return first.get(statement);
            }
            throw new AssertionError(
                    "never seen on " + where + ": " + statement, failures.get(statement));
        }
    }

    private <T> void askOn(Supplier<T> question, Map<String, Predicate<T>> statements) {
        Map<String, Predicate<T>> open = new HashMap<>(statements);
        try {
            while (!open.isEmpty() && System.nanoTime() < deadline) {
                T answer = question.get();
                long now = System.nanoTime();
                for (String statement : List.copyOf(open.keySet())) {
                    if (open.get(statement).test(answer)) {
                        open.remove(statement);
                        synchronized (first) {
                            first.put(statement, now);
                        }
                    }
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            synchronized (first) {
                open.keySet().forEach(statement -> failures.put(statement, e));
            }
        }
    }
}
