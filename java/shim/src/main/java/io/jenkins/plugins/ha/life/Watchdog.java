package io.jenkins.plugins.ha.life;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.ThreadLife;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Looks each second at all {@link Loop}s and at the library's threads, makes those anew that have
 * ended, and vouches for them to the library. When one cannot do its part, or nothing has vouched
 * for 10 s because this thread itself has ended, the library leaves the cluster: the others take
 * the work over at once, and this controller says why it is out.
 */
public final class Watchdog {
    private static final Logger LOGGER = Logger.getLogger(Watchdog.class.getName());
    private static final long LOOK_MILLIS = 1000;

    /** A watchdog that has not looked for so long watches nothing. */
    private static final long BLIND_MILLIS = 5000;

    /**
     * How long this controller stays out at least, twice as long each time: what fails only while
     * it is a member would have it join and leave for ever, and end builds each time.
     */
    private static final long FIRST_REST_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.restMillis", 30_000);

    private static final long LONGEST_REST_MILLIS = TimeUnit.HOURS.toMillis(1);

    private final Cluster cluster;
    private final List<Loop> loops = new CopyOnWriteArrayList<>();
    private final Thread thread = new Thread(this::run, "ha-jenkins-watchdog");
    private volatile long looked = System.nanoTime();
    private volatile boolean stopping;
    private volatile boolean ended;
    private volatile String problem = "";
    private long left;
    private long rest = FIRST_REST_MILLIS;

    public Watchdog(Cluster cluster) {
        this.cluster = cluster;
        thread.setDaemon(true);
    }

    /** A thread that is watched from when it has begun; it belongs to who asks for it. */
    public Loop loop(String name, Loop.Round round) {
        Loop loop = new Loop(name, round);
        loops.add(loop);
        return loop;
    }

    /** As {@link #loop}, begun, that does something now and after each so many ms. */
    public void every(String name, long millis, Runnable work) {
        Loop loop =
                loop(
                        name,
                        () -> {
                            work.run();
                            Thread.sleep(millis);
                            return true;
                        });
        loop.start();
    }

    /** From now on they are watched. */
    public void start() {
        thread.start();
    }

    /** They come to their end, and nobody minds; this controller is a member until it has left. */
    public void stop() {
        stopping = true;
    }

    /** This controller has left: ends what goes round for ever. */
    public void stopAll() {
        stopping = true;
        ended = true;
        loops.forEach(Loop::stop);
        thread.interrupt();
    }

    private void run() {
        while (!ended) {
            try {
                Thread.sleep(LOOK_MILLIS);
                look();
            } catch (InterruptedException e) {
                LOGGER.log(Level.FINE, "Interrupted", e);
            } catch (HaException.Closed e) {
                closed();
            } catch (Throwable e) { // looked at again; the library leaves if that goes on
                LOGGER.log(Level.SEVERE, "The watchdog failed and goes on", e);
            }
        }
    }

    private void look() {
        if (stopping) {
            cluster.vouch(problem);
            return;
        }
        String found = found();
        long now = System.nanoTime();
        if (problem.isEmpty()) {
            if (!found.isEmpty()) {
                left = now;
                problem = found;
            }
        } else if (now - left > TimeUnit.MILLISECONDS.toNanos(rest)) {
            loops.forEach(Loop::forgive);
            if (found().isEmpty()) {
                LOGGER.info("This controller joins the cluster again, to see whether it can");
                problem = "";
                rest = Math.min(LONGEST_REST_MILLIS, rest * 2);
            }
        }
        cluster.vouch(problem);
        looked = now;
    }

    /** What keeps this controller from doing its part. */
    private String found() {
        for (Loop loop : loops) {
            loop.revive();
            if (loop.fatal()) {
                return problemOf(loop);
            }
        }
        for (ThreadLife life : cluster.threads()) {
            if (!life.problem().isEmpty()) {
                return life.problem();
            }
        }
        return "";
    }

    private static String problemOf(Loop loop) {
        ThreadLife life = loop.life();
        return life == null ? "" : life.problem();
    }

    /** By a defect of the library: nothing but a restart helps. */
    private void closed() {
        if (!stopping && problem.isEmpty()) {
            problem = "the library has failed and closed itself: restart this controller";
            LOGGER.severe(
                    "HA Jenkins' library has failed and closed itself: this controller is not in"
                            + " the cluster any more. Restart it, and please report this.");
        }
    }

    /** Why this controller cannot do its part, without a full stop; "" when it can. From memory. */
    public String problem() {
        long blind = blindMillis();
        return !problem.isEmpty() || stopping || blind < BLIND_MILLIS
                ? problem
                : "The thread ha-jenkins-watchdog has not looked for " + blind / 1000 + " s";
    }

    private long blindMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - looked);
    }

    /** What is not as it should be though this controller can do its part; "" when all is. */
    public String warning() {
        return lives().stream()
                .map(ThreadLife::problem)
                .filter(p -> !p.isEmpty())
                .findFirst()
                .orElse("");
    }

    /** How all threads do, the library's too. From memory. */
    public List<ThreadLife> lives() {
        List<ThreadLife> lives = new ArrayList<>();
        lives.add(new ThreadLife(thread.getName(), blindMillis(), 0, ""));
        for (Loop loop : loops) {
            ThreadLife life = loop.life();
            if (life != null) {
                lives.add(life);
            }
        }
        try {
            lives.addAll(cluster.threads());
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "The library is closed", e);
        }
        return lives;
    }

    /** How this controller stands, from memory; closed where the library is. */
    public LinkState link() {
        try {
            return cluster.link();
        } catch (HaException.Closed e) {
            return new LinkState(LinkState.Phase.CLOSED, "HA Jenkins' library is closed.", 0, "");
        }
    }
}
