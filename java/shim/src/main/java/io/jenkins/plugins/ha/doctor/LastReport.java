package io.jenkins.plugins.ha.doctor;

import hudson.Extension;
import hudson.ExtensionList;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.life.Pool;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the doctor found last, for a page that is looked at again and again and must not wait for
 * all controllers. Thread-safe.
 */
@Extension
public final class LastReport {
    /** An older report is replaced, once somebody asks for it: who mends something looks again. */
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(10);

    /**
     * The same while there is nothing to mend: asking all controllers costs each some of its time.
     */
    private static final long FRESH_HEALTHY_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Pool thread = new Pool("ha-jenkins-doctor", 1, 1);
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile Doctor last;
    private volatile long at;

    public static LastReport get() {
        return ExtensionList.lookupSingleton(LastReport.class);
    }

    /** From memory; empty until the first one is there. Has the next one made when it is due. */
    public Optional<Doctor> of(Membership membership) {
        Doctor report = last;
        boolean due = report == null || System.nanoTime() - at > fresh(report);
        if (due && looking.compareAndSet(false, true)) {
            boolean begun =
                    thread.execute(
                            () -> {
                                try {
                                    last = Doctor.of(membership);
                                    at = System.nanoTime();
                                } finally {
                                    looking.set(false);
                                }
                            });
            if (!begun) {
                looking.set(false);
            }
        }
        return Optional.ofNullable(report);
    }

    private static long fresh(Doctor report) {
        return report.isHealthy() ? FRESH_HEALTHY_NANOS : FRESH_NANOS;
    }
}
