package io.jenkins.plugins.ha.queue;

import io.jenkins.plugins.ha.life.Pool;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Makes Jenkins' items of those that other controllers accepted, in the background: the first page
 * that shows thousands of them would take seconds for it. What does not wait for long needs none.
 * Thread-safe.
 */
final class Unpacking {
    private static final Logger LOGGER = Logger.getLogger(Unpacking.class.getName());
    private static final long DELAY_MILLIS = 1000;
    private static final Pool POOL = new Pool("ha-jenkins-unpacking", 1, 10);

    private final ConcurrentLinkedQueue<SeenItem> items = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();

    /** Has it made in a while, if it waits then. */
    void later(SeenItem seen) {
        items.add(seen);
        schedule();
    }

    private void schedule() {
        if (scheduled.compareAndSet(false, true)) {
            POOL.after(DELAY_MILLIS, this::run);
        }
    }

    private void run() {
        // What comes from here on is for the next time: it has not waited yet.
        int count = items.size();
        try {
            for (int i = 0; i < count; i++) {
                SeenItem seen = items.poll();
                if (seen != null && seen.waits()) {
                    seen.waiting();
                }
            }
        } catch (RuntimeException | Error e) {
            LOGGER.log(Level.FINE, "An item is made when it is shown", e);
        }
        scheduled.set(false);
        if (!items.isEmpty()) {
            schedule();
        }
    }
}
