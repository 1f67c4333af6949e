package io.jenkins.plugins.ha.demo;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was promised, and whether it was kept. */
final class Promises {
    /**
     * One of them.
     *
     * @param finding what was seen or measured
     */
    record Promise(String text, boolean kept, String finding) {
        @Override
        public String toString() {
            return (kept ? "✓ " : "✗ ") + text + (finding.isEmpty() ? "" : "  (" + finding + ")");
        }
    }

    /** Tries one; the text it returns is what was seen. */
    interface Check {
        String run();
    }

    private final List<Promise> all = new ArrayList<>();

    /**
     * Checks one and says at once how it went; false when it fails, by any exception or assertion.
     */
    boolean check(String text, Check check) {
        Promise promise;
        try {
            promise = new Promise(text, true, check.run());
        } catch (RuntimeException | AssertionError e) {
            promise =
                    new Promise(
                            text,
                            false,
                            String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
        all.add(promise);
        System.out.println("  " + promise);
        return promise.kept();
    }

    List<Promise> all() {
        return List.copyOf(all);
    }

    boolean kept() {
        return all.stream().allMatch(Promise::kept);
    }

    static void demand(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.2f s", time.toMillis() / 1000.0);
    }
}
