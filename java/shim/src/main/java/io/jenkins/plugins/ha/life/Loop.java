package io.jenkins.plugins.ha.life;

import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.ThreadLife;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A thread that does its work round by round, as SYSTEM, until the work has come to its end. What a
 * round throws, an {@link Error} too, ends the round and not the thread; a thread that is ended all
 * the same is made anew by the {@link Watchdog}.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Loop {
    private static final Logger LOGGER = Logger.getLogger(Loop.class.getName());

    /** So many rounds in a row that fail are no accident. */
    private static final int MOST_FAILURES = 3;

    private static final long PAUSE_MILLIS = 1000;
    private static final long SHOWN_HANGING_MILLIS = 60_000;

    /**
     * A stalled network mount can hold a thread up for minutes and lets it go on without loss; to
     * leave the cluster over it would lose what runs. Who hangs for longer never goes on.
     */
    private static final long HANGING_MILLIS = TimeUnit.MINUTES.toMillis(10);

    private static final long LOG_MILLIS = 60_000;

    /** One round. */
    @FunctionalInterface
    public interface Round {
        /**
         * @return false when the work has come to its end
         */
        boolean go() throws InterruptedException;
    }

    private final String name;
    private final Round round;
    private Thread thread;
    private boolean ended;
    private long roundAt = System.nanoTime();
    private long restarts;
    private int failures;
    private boolean behind;
    private boolean minor;
    private String failure = "";
    private long logged;

    Loop(String name, Round round) {
        this.name = name;
        this.round = round;
    }

    /** Builds can do without it: nobody leaves the cluster over it, and a round may take hours. */
    public synchronized Loop minor() {
        minor = true;
        return this;
    }

    /** Begins with the work; without effect when it has begun or has come to its end. */
    public synchronized void start() {
        if (thread == null && !ended) {
            begin();
        }
    }

    /** No round begins any more. Does not wait. */
    public synchronized void stop() {
        ended = true;
        if (thread != null) {
            thread.interrupt();
        }
    }

    /** As {@link #stop}, but the present round comes to its end; waits for that. */
    public void finish(long millis) {
        Thread present;
        synchronized (this) {
            ended = true;
            present = thread;
        }
        join(present, millis);
    }

    /** Waits until the work has come to its end by itself. */
    public void await(long millis) {
        Thread present;
        synchronized (this) {
            present = thread;
        }
        join(present, millis);
    }

    private static void join(Thread thread, long millis) {
        try {
            if (thread != null) {
                thread.join(Math.max(1, millis));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void begin() {
        roundAt = System.nanoTime();
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            while (goesOn()) {
                try {
                    if (!round.go()) {
                        end();
                    }
                    succeeded();
                } catch (HaException.Closed e) {
                    end();
                } catch (InterruptedException e) {
                    LOGGER.log(Level.FINE, "{0} was interrupted", name);
                } catch (Throwable e) { // an Error of a plugin must not end it for good
                    failed(e);
                    pause();
                }
            }
        }
    }

    private synchronized boolean goesOn() {
        roundAt = System.nanoTime();
        return !ended;
    }

    private synchronized void end() {
        ended = true;
    }

    private synchronized void succeeded() {
        failures = behind ? failures : 0;
    }

    /**
     * Whether something is still to be made good that a round has failed over: until it is, rounds
     * that succeed do not count.
     */
    public synchronized void behind(boolean behind) {
        this.behind = behind;
    }

    /** Another chance, now that it is to be a member's thread again. */
    synchronized void forgive() {
        failures = 0;
        behind = false;
    }

    private void failed(Throwable e) {
        boolean aloud;
        synchronized (this) {
            failures++;
            restarts++;
            failure = e.toString();
            long now = System.nanoTime();
            aloud = logged == 0 || now - logged > TimeUnit.MILLISECONDS.toNanos(LOG_MILLIS);
            logged = aloud ? now : logged;
        }
        LOGGER.log(aloud ? Level.SEVERE : Level.FINE, name + " failed and goes on", e);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            LOGGER.log(Level.FINE, "Interrupted", e);
        }
    }

    /** Makes a thread anew that was ended from outside, or by what not even a handler survives. */
    synchronized void revive() {
        if (thread != null && !ended && !thread.isAlive()) {
            restarts++;
            failures++;
            failure = "it ended";
            LOGGER.severe(() -> "The thread " + name + " has ended and is made anew");
            begin();
        }
    }

    /** Whether this controller cannot do its part for it. */
    synchronized boolean fatal() {
        return !ended
                && !minor
                && thread != null
                && (failures >= MOST_FAILURES || roundMillisAgo() > HANGING_MILLIS);
    }

    /** How it does; null before it has begun and when it has come to its end. */
    synchronized ThreadLife life() {
        if (thread == null || ended) {
            return null;
        }
        long ago = roundMillisAgo();
        String problem = "";
        if (failures >= MOST_FAILURES) {
            problem = "The thread " + name + " fails again and again (" + failure + ")";
        } else if (!minor && ago > SHOWN_HANGING_MILLIS) {
            problem = "The thread " + name + " hangs for " + ago / 1000 + " s";
        }
        return new ThreadLife(name, ago, restarts, problem);
    }

    private long roundMillisAgo() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - roundAt);
    }
}
