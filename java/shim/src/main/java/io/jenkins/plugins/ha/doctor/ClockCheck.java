package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.util.ArrayList;
import java.util.List;

/** How far this controller's clock is from Redis', and how long Redis takes to answer. */
final class ClockCheck implements Check {
    @Override
    public List<Finding> look(Membership membership) {
        List<Finding> found = new ArrayList<>();
        if (!membership.link().joined()) {
            return found;
        }
        long middle;
        try {
            middle = Latency.median(() -> membership.cluster().members());
            long off = System.currentTimeMillis() - membership.cluster().clockMillis();
            if (Math.abs(off) > Limits.of("clockMillis", 5000)) {
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
        if (middle > Limits.of("slowMillis", 50)) {
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
}
