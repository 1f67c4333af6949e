package io.jenkins.plugins.ha.tests.jenkins;

import java.util.ArrayList;
import java.util.List;

/** Threads of a test that acts for minutes, what failed in them, and how it was set up. */
final class LongRun {
    private final List<Throwable> failures = new ArrayList<>();

    /** A thread that does this work; it does not keep the JVM alive. */
    Thread start(String name, Runnable work) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                work.run();
                            } catch (RuntimeException | Error e) {
                                synchronized (failures) {
                                    failures.add(e);
                                }
                            }
                        },
                        name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** What the threads have ended with. */
    List<Throwable> failures() {
        synchronized (failures) {
            return List.copyOf(failures);
        }
    }

    /** For acts at random times: an interrupt ends the thread. */
    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** A number from the environment. */
    static int number(String variable, int otherwise) {
        String value = System.getenv(variable);
        return value == null || value.isBlank() ? otherwise : Integer.parseInt(value.strip());
    }
}
