package io.jenkins.plugins.ha.locks;

import hudson.init.InitMilestone;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.SharedState;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * The right to change a state that all controllers share, for the threads of this one. They change
 * it under a monitor that they have anyway; whoever wants to change it waits in {@link #await}
 * until this controller has the pen and the newest form, and in {@link #publish} until all others
 * can see the change. Both let go of the monitor meanwhile: nobody who holds it waits for the
 * network. A thread of its own talks with Redis, and gives the pen back as soon as nobody here
 * needs it.
 *
 * <p>The pen ends with the membership. What was changed under one that has ended is not published:
 * {@link Lost} is thrown, and the state is read anew.
 */
final class Pen {
    private static final Logger LOGGER = Logger.getLogger(Pen.class.getName());
    private static final long TICK_MILLIS = 500;
    private static final long ASK_AGAIN_MILLIS = 10;
    private static final long RETRY_MILLIS = 200;
    private static final long BOOT_MILLIS = 10_000;

    /** By how much a version leaps that follows a loss of data in Redis. */
    private static final long LEAP = 1000;

    /** What is shared. */
    interface State {
        /** The present form. Under the monitor. */
        byte[] text();

        /** Reads a form; not under the monitor, and may wait for files. */
        Object read(byte[] text);

        /** Takes over what {@link #read} made. Under the monitor. */
        void install(Object form);

        /** Sees that this controller knows what the state is about; not under the monitor. */
        void prepare();

        /** The pen is here: does what waits for it. Under the monitor. */
        void penIsHere();

        /** What all can read once {@link #text} is stored, as {@link #stored} wants it. */
        Object promises();

        /** These promises of this state can be read by all. Under the monitor. */
        void stored(Object promises);

        /** Now and then; not under the monitor, on the thread that gets and gives the pen. */
        void tick();
    }

    /** The change was not published, since this controller was no member any more. */
    static final class Lost extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private final String name;
    private final Object monitor;
    private final State state;
    private Cluster cluster;
    private Loop loop;

    // all of these under the monitor
    private boolean held;
    private boolean wanted;
    private boolean stopped;
    private int waiting;
    private long version;
    private byte[] known;
    private long announced;
    private boolean pending;
    private long ticket;
    private long published;
    private long losses;
    private long ticked;

    Pen(String name, Object monitor, State state) {
        this.name = name;
        this.monitor = monitor;
        this.state = state;
    }

    void start(Cluster with, Watchdog watchdog) {
        cluster = with;
        loop = watchdog.loop("ha-jenkins-" + name, this::round).minor();
        lookSoon();
        loop.start();
    }

    void stop() {
        synchronized (monitor) {
            stopped = true;
            monitor.notifyAll();
        }
        if (loop != null) {
            loop.await(2000);
        }
    }

    /** Whether this controller has it. Under the monitor. */
    boolean isHere() {
        return held;
    }

    /** The form that all could read last; null when it is not known. Under the monitor. */
    byte[] known() {
        return known;
    }

    /** Does it under the monitor. */
    void under(Runnable what) {
        synchronized (monitor) {
            what.run();
        }
    }

    /** A change is to be made soon, by {@link State#penIsHere}. Under the monitor. */
    void want() {
        wanted = true;
        monitor.notifyAll();
    }

    /** Another controller has stored this version. Does not block. */
    void announced(long newVersion) {
        synchronized (monitor) {
            announced = Math.max(announced, newVersion);
            monitor.notifyAll();
        }
    }

    /** This controller was away perhaps. */
    void lookSoon() {
        announced(Long.MAX_VALUE);
    }

    /**
     * Waits until this controller has the pen. Under the monitor, which it lets go of meanwhile.
     *
     * @throws IllegalStateException when this controller stops, or boots without Redis
     */
    void await() {
        if (held) {
            return;
        }
        boolean interrupted = false;
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(BOOT_MILLIS);
        waiting++;
        try {
            monitor.notifyAll();
            while (!held) {
                boolean late = System.nanoTime() > deadline;
                if (stopped || late && Jenkins.get().getInitLevel() != InitMilestone.COMPLETED) {
                    throw new IllegalStateException(
                            "The "
                                    + name
                                    + " of the cluster cannot be changed while this controller"
                                    + (stopped ? " stops" : " starts without Redis"));
                }
                interrupted |= rest();
            }
        } finally {
            waiting--;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whether it was interrupted. */
    private boolean rest() {
        try {
            monitor.wait(TICK_MILLIS);
            return false;
        } catch (InterruptedException e) {
            return true; // a Pipeline's thread that Jenkins holds hung: its step is not half done
        }
    }

    /**
     * Waits until what was changed is stored. Under the monitor, which it lets go of meanwhile.
     *
     * @throws Lost when it never will be
     */
    void publish() throws Lost {
        if (held && Arrays.equals(state.text(), known)) {
            return;
        }
        boolean interrupted = false;
        long before = losses;
        long mine = ++ticket;
        pending = true;
        monitor.notifyAll();
        while (held && published < mine && losses == before && !stopped) {
            interrupted |= rest();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (published < mine) {
            throw new Lost();
        }
    }

    private boolean round() throws InterruptedException {
        boolean store;
        boolean take;
        boolean give;
        boolean look;
        boolean tick;
        synchronized (monitor) {
            long rest = TICK_MILLIS - millisSince(ticked);
            while (idle() && rest > 0) {
                monitor.wait(rest);
                rest = TICK_MILLIS - millisSince(ticked);
            }
            if (stopped) {
                give = held;
                held = false;
                store = take = look = tick = false;
            } else {
                store = held && pending;
                take = !held && (waiting > 0 || wanted);
                give = held && !pending && waiting == 0;
                look = !held && !take && announced > version;
                tick = !take && !store && !give && rest <= 0;
            }
        }
        try {
            if (store) {
                store();
            } else if (take) {
                take();
            } else if (give) {
                give();
            } else if (look) {
                look();
            } else if (tick) {
                ticked = System.nanoTime();
                state.tick();
            }
        } catch (HaException.Fenced e) {
            lose();
            Thread.sleep(RETRY_MILLIS);
        } catch (HaException.Unavailable | HaException.Refused e) {
            LOGGER.log(
                    Level.FINE, "The {0} wait for Redis: {1}", new Object[] {name, e.getMessage()});
            Thread.sleep(RETRY_MILLIS);
        }
        return !stopped;
    }

    private boolean idle() {
        return !stopped && !held && waiting == 0 && !wanted && announced <= version;
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    private void store() {
        byte[] text;
        long upTo;
        long base;
        Object promises;
        synchronized (monitor) {
            text = state.text();
            promises = state.promises();
            upTo = ticket;
            base = version;
        }
        boolean stored = cluster.storeState(name, base, base + 1, text, false);
        synchronized (monitor) {
            if (!stored) {
                lose();
                return;
            }
            version = base + 1;
            known = text;
            published = upTo;
            pending = ticket > upTo;
            state.stored(promises);
            monitor.notifyAll();
        }
    }

    private void take() throws InterruptedException {
        long has;
        synchronized (monitor) {
            has = version;
        }
        SharedState found = cluster.takeState(name, has).orElse(null);
        if (found == null) {
            Thread.sleep(ASK_AGAIN_MILLIS);
            return;
        }
        follow(found);
        if (found.version() < has) {
            restore(found.version(), has);
        }
        try {
            state.prepare();
        } catch (RuntimeException e) {
            cluster.storeState(name, found.version(), 0, null, true); // for others
            throw e;
        }
        synchronized (monitor) {
            held = true;
            wanted = false;
            state.penIsHere();
            monitor.notifyAll();
        }
    }

    private void follow(SharedState found) {
        boolean newer =
                found.body() != null && found.version() > 0 && found.version() >= versionHere();
        Object form = newer ? state.read(found.body()) : null;
        synchronized (monitor) {
            if (newer) {
                state.install(form);
                known = found.body();
                version = found.version();
                state.stored(state.promises());
            }
            if (version >= announced || announced == Long.MAX_VALUE) {
                announced = version;
            }
        }
    }

    private long versionHere() {
        synchronized (monitor) {
            return version;
        }
    }

    /** Redis has lost what this controller still knows. */
    private void restore(long present, long had) {
        byte[] text;
        synchronized (monitor) {
            text = state.text();
        }
        LOGGER.warning(
                () -> "Redis has lost the " + name + " of the cluster: restored as known here");
        boolean stored = cluster.storeState(name, present, had + LEAP, text, false);
        synchronized (monitor) {
            if (stored) {
                version = had + LEAP;
                known = text;
            } else {
                lose();
            }
        }
    }

    private void give() {
        byte[] text;
        boolean changed;
        long base;
        Object promises;
        synchronized (monitor) {
            if (pending || waiting > 0) {
                return;
            }
            text = state.text();
            promises = state.promises();
            changed = !Arrays.equals(text, known);
            base = version;
            held = false;
        }
        boolean stored = cluster.storeState(name, base, base + 1, changed ? text : null, true);
        synchronized (monitor) {
            if (!stored) {
                lose();
            } else if (changed) {
                version = base + 1;
                known = text;
                state.stored(promises);
            }
        }
    }

    private void look() {
        follow(cluster.state(name, versionHere()));
        state.tick();
    }

    /** The pen is another's: what was changed here meanwhile never was. */
    private void lose() {
        synchronized (monitor) {
            held = false;
            pending = false;
            known = null;
            version = 0;
            announced = Long.MAX_VALUE;
            losses++;
            monitor.notifyAll();
        }
    }

    /** Not to be called without a membership. */
    static Cluster cluster() {
        return Membership.active().orElseThrow().cluster();
    }
}
