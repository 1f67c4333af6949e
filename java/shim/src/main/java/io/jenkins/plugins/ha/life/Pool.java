package io.jenkins.plugins.ha.life;

import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.bridge.HaException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A few threads for one kind of work that may block, on the network or on the shared folder; work
 * beyond a number is refused, so that it cannot pile up. Core's timer is for nothing of ours that
 * can block: all plugins share it. As SYSTEM. Thread-safe.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Pool {
    private static final Logger LOGGER = Logger.getLogger(Pool.class.getName());

    private final String name;
    private final int most;
    private final AtomicInteger count = new AtomicInteger();
    private final ScheduledThreadPoolExecutor threads;

    /**
     * @param name of the threads, with a number behind it
     * @param size how many threads there are at the most
     * @param most how much may wait
     */
    public Pool(String name, int size, int most) {
        this.name = name;
        this.most = most;
        this.threads =
                new ScheduledThreadPoolExecutor(
                        size,
                        work -> {
                            Thread thread = new Thread(work, name + "-" + count.incrementAndGet());
                            thread.setDaemon(true);
                            return thread;
                        });
        threads.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /**
     * Does it as soon as a thread is free.
     *
     * @return false when too much waits, or it has stopped
     */
    public boolean execute(Runnable work) {
        return after(0, work);
    }

    /** As {@link #execute}, after a while. */
    public boolean after(long millis, Runnable work) {
        if (threads.getQueue().size() >= most) {
            LOGGER.log(Level.WARNING, "Too much waits for the threads of {0}", name);
            return false;
        }
        try {
            threads.schedule(() -> guarded(work), millis, TimeUnit.MILLISECONDS);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** How much waits, or is put off. */
    public int waiting() {
        return threads.getQueue().size();
    }

    /** Takes no more, and interrupts what is being done. */
    public void stop() {
        threads.shutdownNow();
    }

    private void guarded(Runnable work) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            work.run();
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Closed", e);
        } catch (Throwable e) { // said, at least: nobody looks at what the executor keeps
            LOGGER.log(Level.SEVERE, "Work of " + name + " failed", e);
        }
    }
}
