package io.jenkins.plugins.ha.doctor;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import jenkins.util.SystemProperties;

/** How long a server takes to answer. */
final class Latency {
    private static final String PROPERTIES = "io.jenkins.plugins.ha.doctor.";
    private static final int ASKED = 5;

    private Latency() {}

    /** Asks some times, and answers the median in milliseconds. */
    static long ofMost(Runnable question) {
        long[] took = new long[ASKED];
        for (int i = 0; i < ASKED; i++) {
            long start = System.nanoTime();
            question.run();
            took[i] = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        }
        Arrays.sort(took);
        return took[ASKED / 2];
    }

    /** What is borne at most: a system property of the doctor's, or the value given here. */
    static long limit(String property, long otherwise) {
        return SystemProperties.getLong(PROPERTIES + property, otherwise);
    }
}
