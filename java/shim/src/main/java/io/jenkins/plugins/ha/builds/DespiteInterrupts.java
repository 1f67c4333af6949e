package io.jenkins.plugins.ha.builds;

import hudson.model.Run;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;

/**
 * Writes to files on the thread of an executor. Whoever stops a build interrupts that thread, and
 * an interrupt closes the file under whoever writes to it just then: the build's end, or that it
 * began, would be missing in the shared folder, where the other controllers read it.
 */
final class DespiteInterrupts {
    private static final int TRIES = 5;

    /** What writes; begun anew when an interrupt has broken it off. */
    interface Writing<T> {
        T write() throws IOException;
    }

    private DespiteInterrupts() {}

    /**
     * Writes; the thread is interrupted afterwards if it was before, or meanwhile.
     *
     * @throws IOException when the file cannot be written
     */
    static <T> T write(Writing<T> writing) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            for (int left = TRIES; ; ) {
                try {
                    return writing.write();
                } catch (ClosedByInterruptException e) {
                    interrupted = true;
                    Thread.interrupted();
                    if (--left == 0) {
                        throw e;
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** As {@link #write}: the build's own file. */
    static void save(Run<?, ?> run) throws IOException {
        write(
                () -> {
                    run.save();
                    return run;
                });
    }
}
