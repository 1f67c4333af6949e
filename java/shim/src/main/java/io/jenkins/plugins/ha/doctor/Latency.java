package io.jenkins.plugins.ha.doctor;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** How long a server takes to answer. */
final class Latency {
    private static final int ASKED = 5;

    private Latency() {}

    /** Of some answers to the same question, in milliseconds. */
    static long median(Runnable question) {
        long[] took = new long[ASKED];
        for (int i = 0; i < ASKED; i++) {
            long start = System.nanoTime();
            question.run();
            took[i] = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        }
        Arrays.sort(took);
        return took[ASKED / 2];
    }
}
