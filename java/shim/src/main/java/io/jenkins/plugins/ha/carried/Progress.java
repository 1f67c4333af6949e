package io.jenkins.plugins.ha.carried;

import java.util.concurrent.TimeUnit;

/**
 * Counts what comes and what of it is done, in that order, for who waits until all is done that
 * came before. Thread-safe.
 */
final class Progress {
    private long came;
    private long done;
    private boolean ended;

    /** One more has come. */
    synchronized void came() {
        came++;
    }

    /** How many have come. */
    synchronized long count() {
        return came;
    }

    /** The first {@code count} are done. */
    synchronized void done(long count) {
        done = Math.max(done, count);
        notifyAll();
    }

    /** No more is done: nobody waits any longer. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /** Waits until what has come so far is done, at the most so long; false when it is not. */
    synchronized boolean await(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long wanted = came;
        while (done < wanted && !ended) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }
}
