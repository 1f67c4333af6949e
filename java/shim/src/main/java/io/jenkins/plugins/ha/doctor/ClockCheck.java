package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jenkins.util.SystemProperties;

/** How far this controller's clock is from Redis', and how long Redis takes to answer. */
final class ClockCheck implements Check {
    private static final String PROPERTIES = "io.jenkins.plugins.ha.doctor.";
    private static final int ASKED = 5;

    @Override
    public List<Finding> look(Membership membership) {
        List<Finding> found = new ArrayList<>();
        if (!membership.link().joined()) {
            return found;
        }
        long[] took = new long[ASKED];
        try {
            for (int i = 0; i < ASKED; i++) {
                long start = System.nanoTime();
                membership.cluster().members();
                took[i] = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            }
            long off = System.currentTimeMillis() - membership.cluster().clockMillis();
            if (Math.abs(off) > most("clockMillis", 5000)) {
                found.add(
                        new Finding(
                                Severity.WARNING,
                                "clock",
                                "",
                                "This controller's clock is "
                                        + Math.abs(off) / 1000
                                        + " s "
                                        + (off > 0 ? "ahead of" : "behind")
                                        + " Redis'",
                                "Let all hosts follow the same NTP servers: builds show wrong"
                                        + " times, and log-ins end early.",
                                ""));
            }
        } catch (HaException e) {
            return found; // the monitor of the cluster says so
        }
        Arrays.sort(took);
        long middle = took[ASKED / 2];
        if (middle > most("slowMillis", 50)) {
            found.add(
                    new Finding(
                            Severity.WARNING,
                            "redis-slow",
                            "",
                            "Redis takes " + middle + " ms to answer",
                            "Look at its load, its disk (appendfsync) and the network between: each"
                                    + " trigger and each start of a build waits for it.",
                            ""));
        }
        return found;
    }

    private static long most(String property, long otherwise) {
        return SystemProperties.getLong(PROPERTIES + property, otherwise);
    }
}
