package io.jenkins.plugins.ha.stage;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for something another process does, with a deadline the caller gives. */
public final class Eventually {
    private static final long POLL_MILLIS = 20;

    private Eventually() {}

    /**
     * Waits until {@code condition} holds.
     *
     * @param what completes the sentence "not within 5 s: ..."
     * @return how long it took
     * @throws AssertionError when the deadline passes first; exceptions of the condition pass
     *     through
     */
    public static Duration until(String what, Duration within, BooleanSupplier condition) {
        long start = System.nanoTime();
        get(what, within, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** As {@link #until}, for a value that is not there yet. */
    public static <T> T get(String what, Duration within, Supplier<Optional<T>> source) {
        long deadline = System.nanoTime() + within.toNanos();
        while (true) {
            Optional<T> value = source.get();
            if (value.isPresent()) {
                return value.get();
            }
            if (System.nanoTime() >= deadline) {
                throw new AssertionError(
                        "not within " + within.toMillis() / 1000.0 + " s: " + what);
            }
            sleep(POLL_MILLIS);
        }
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
