package io.jenkins.plugins.ha.life;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One thread for what must be done in order and reads the shared folder, which may stall for
 * minutes. Who has it done waits for it, a second at the most, so that all is as if he had done it
 * himself while the folder answers, and he goes on when it does not. Thread-safe.
 */
public final class InOrder {
    private static final long PATIENCE_MILLIS = 1000;

    private final Pool pool;
    private final ThreadLocal<Boolean> here = ThreadLocal.withInitial(() -> false);

    /** How many waited in vain for what is not done yet. */
    private final AtomicInteger late = new AtomicInteger();

    /**
     * @param name of the thread
     * @param most how much may wait
     */
    public InOrder(String name, int most) {
        pool = new Pool(name, 1, most);
    }

    /**
     * Does it after all that was given before.
     *
     * @return false when too much waits: it is not done
     */
    public boolean run(Runnable work) {
        if (here.get()) {
            work.run();
            return true;
        }
        CountDownLatch done = new CountDownLatch(1);
        boolean patient = late.get() == 0;
        int[] counted = {0};
        boolean taken =
                pool.execute(
                        () -> {
                            here.set(true);
                            try {
                                work.run();
                            } finally {
                                here.remove();
                                done.countDown();
                                synchronized (counted) {
                                    late.addAndGet(-counted[0]);
                                    counted[0] = -1;
                                }
                            }
                        });
        if (!taken || !patient) {
            return taken;
        }
        try {
            if (!done.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                synchronized (counted) {
                    if (counted[0] == 0) { // those after it do not wait behind it
                        counted[0] = 1;
                        late.incrementAndGet();
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return true;
    }

    /** Does it after a while, and waits for nothing. */
    public void after(long millis, Runnable work) {
        pool.after(
                millis,
                () -> {
                    here.set(true);
                    try {
                        work.run();
                    } finally {
                        here.remove();
                    }
                });
    }

    /** Takes no more. */
    public void stop() {
        pool.stop();
    }
}
