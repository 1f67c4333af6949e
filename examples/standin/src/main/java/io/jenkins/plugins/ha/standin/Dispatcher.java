package io.jenkins.plugins.ha.standin;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LaneOffer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Claims items while there is room, and builds them. What is claimed waits in a local queue, as in
 * Jenkins, until an executor takes it.
 */
final class Dispatcher {
    private static final Logger LOG = Logger.getLogger(Dispatcher.class.getName());
    private static final long CLAIM_MILLIS = 30_000;
    private static final long RETRY_MILLIS = 200;
    private static final long UNKNOWN_JOB_MILLIS = 5_000;

    private final Cluster cluster;
    private final Settings settings;
    private final JobsFolder jobs;
    private final List<Thread> threads = new ArrayList<>();
    private final int room;

    // All guarded by this.
    private final Map<Long, Item> waiting = new LinkedHashMap<>();
    private final Set<Long> starting = new HashSet<>();
    private final Map<Long, Running> running = new HashMap<>();
    private boolean stopping;

    /** A build on one of our executors, and the membership it belongs to. */
    private record Running(BuildRecord build, ShellBuild shell, long epoch) {}

    Dispatcher(Cluster cluster, Settings settings, JobsFolder jobs) {
        this.cluster = cluster;
        this.settings = settings;
        this.jobs = jobs;
        this.room = settings.executors() + settings.claimAhead();
    }

    void start() {
        threads.add(new Thread(this::claimForEver, "claim"));
        for (int i = 0; i < settings.executors(); i++) {
            threads.add(new Thread(this::buildForEver, "executor-" + i));
        }
        threads.forEach(Thread::start);
    }

    /**
     * Takes no more and aborts what runs; claimed items are handed back by {@link Cluster#close()}.
     */
    void stop() throws InterruptedException {
        synchronized (this) {
            stopping = true;
            waiting.clear();
            running.values()
                    .forEach(r -> r.shell().abort("Aborted: " + settings.name() + " shuts down"));
            notifyAll();
        }
        cluster.wake();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        }
    }

    /** How many builds run here. */
    synchronized int busy() {
        return running.size() + starting.size();
    }

    /** Aborts a build that runs here; false when none does. */
    synchronized boolean abort(String job, int number, String who) {
        for (Running r : running.values()) {
            if (r.build().job().equals(job) && r.build().number() == number) {
                r.shell().abort("Aborted by " + who);
                return true;
            }
        }
        return false;
    }

    /** Ends an item that is claimed and not started here; false when it is too late. */
    boolean cancel(long id, String who) {
        synchronized (this) {
            if (waiting.remove(id) == null) {
                return false;
            }
            notifyAll();
        }
        cluster.cancelled(id, "Cancelled by " + who);
        return true;
    }

    /** Compares what we hold with what the cluster says we hold. */
    synchronized void reconcile(List<Item> all) {
        for (Item item : all) {
            boolean ours = ours(item);
            Running here = running.get(item.id());
            if (here != null && !(ours && here.epoch() == item.epoch())) {
                here.shell().abort("Aborted: " + settings.name() + " had lost its lease");
            } else if (!ours) {
                waiting.remove(item.id());
            } else if (item.state() == ItemState.CLAIMED && item.payload() != null) {
                // Claimed in a call whose answer was lost.
                take(item);
            }
        }
    }

    /**
     * Decides on an item whose controller died: a build that left a trace has ended, any other
     * starts anew.
     */
    void orphaned(Item item) {
        try {
            Optional<BuildRecord> left =
                    item.number() > 0 ? jobs.read(item.job(), item.number()) : Optional.empty();
            if (left.isEmpty()) {
                insist(
                        "requeue",
                        item.id(),
                        () -> cluster.requeue(item.id(), "its controller died"));
                return;
            }
            BuildRecord build = left.get();
            if (build.result() == null) {
                new ShellBuild(jobs.log(build.job(), build.number()))
                        .say(
                                "Aborted: controller "
                                        + build.controller()
                                        + " died\nFinished: ABORTED");
                build = build.ended("ABORTED");
                jobs.write(build);
            }
            String result = build.result();
            insist("finish", item.id(), () -> cluster.finished(item.id(), result));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "Orphan " + item + " cannot be looked at", e);
        }
    }

    private void claimForEver() {
        while (true) {
            int free;
            synchronized (this) {
                while (!stopping && held() >= room) {
                    waitForChange();
                }
                if (stopping) {
                    return;
                }
                free = room - held();
            }
            try {
                for (Item item :
                        cluster.claim(List.of(new LaneOffer("", free)), free, CLAIM_MILLIS)) {
                    synchronized (this) {
                        take(item);
                    }
                }
            } catch (HaException.Closed e) {
                return;
            } catch (HaException e) {
                LOG.log(Level.INFO, "Cannot claim: {0}", e.getMessage());
                rejoin();
            }
        }
    }

    private void buildForEver() {
        while (true) {
            Item item;
            synchronized (this) {
                while (!stopping && waiting.isEmpty()) {
                    waitForChange();
                }
                if (stopping) {
                    return;
                }
                item = waiting.values().iterator().next();
                waiting.remove(item.id());
                starting.add(item.id());
            }
            try {
                build(item);
            } catch (HaException.Closed e) {
                return;
            } catch (HaException e) {
                LOG.log(
                        Level.INFO,
                        "{0} is not ours to build: {1}",
                        new Object[] {item, e.getMessage()});
            } catch (IOException | RuntimeException e) {
                LOG.log(Level.WARNING, item + " failed", e);
                insist("finish", item.id(), () -> cluster.finished(item.id(), "FAILURE"));
            } catch (InterruptedException e) {
                return;
            } finally {
                synchronized (this) {
                    starting.remove(item.id());
                    running.remove(item.id());
                    notifyAll();
                }
            }
        }
    }

    private void build(Item item) throws IOException, InterruptedException {
        Optional<JobsFolder.Job> job = jobs.job(item.job());
        if (job.isEmpty()) {
            LOG.log(Level.WARNING, "{0}: no such job here, handed back", item);
            cluster.release(
                    item.id(),
                    UNKNOWN_JOB_MILLIS,
                    "no job " + item.job() + " on " + settings.name());
            return;
        }
        Trigger trigger;
        try {
            trigger = Trigger.from(item.payload());
        } catch (IOException e) {
            cluster.park(item.id(), "payload cannot be read: " + e.getMessage());
            return;
        }
        Optional<Integer> number = number(item);
        if (number.isEmpty()) {
            return;
        }
        BuildRecord build =
                new BuildRecord(
                        item.job(),
                        number.get(),
                        item.id(),
                        settings.name(),
                        trigger.parameters(),
                        trigger.causes(),
                        System.currentTimeMillis(),
                        0,
                        null);
        jobs.begin(build);
        ShellBuild shell = new ShellBuild(jobs.log(build.job(), build.number()));
        if (!begin(item, build, shell)) {
            jobs.delete(build.job(), build.number());
            return;
        }
        String result = run(job.get(), item, build, shell);
        finish(item, build.ended(result));
    }

    /** The build's number; empty when the item is no longer ours. */
    private Optional<Integer> number(Item item) throws IOException {
        while (true) {
            try {
                int floor = jobs.highestNumber(item.job());
                return Optional.of(cluster.assignNumber(item.id(), item.job(), floor));
            } catch (HaException.Fenced | HaException.Unavailable e) {
                // A lease that could not be renewed in time may still be alive when Redis is back.
                if (!stillOurs(item)) {
                    return Optional.empty();
                }
            }
        }
    }

    /** Makes it RUNNING; false when the item is no longer ours. */
    private boolean begin(Item item, BuildRecord build, ShellBuild shell) {
        synchronized (this) {
            if (stopping) {
                shell.abort("Aborted: " + settings.name() + " shuts down");
            }
            starting.remove(item.id());
            running.put(item.id(), new Running(build, shell, item.epoch()));
        }
        while (true) {
            try {
                cluster.started(item.id(), build.number());
                return true;
            } catch (HaException.Fenced | HaException.Unavailable e) {
                if (!stillOurs(item)) {
                    return false;
                }
            }
        }
    }

    private String run(JobsFolder.Job job, Item item, BuildRecord build, ShellBuild shell)
            throws IOException, InterruptedException {
        Map<String, String> environment = new HashMap<>(build.parameters());
        environment.put("JOB_NAME", build.job());
        environment.put("BUILD_NUMBER", Integer.toString(build.number()));
        environment.put("HA_CONTROLLER", settings.name());
        environment.put("HA_QUEUE_ID", Long.toString(item.id()));
        environment.put("HA_EPOCH", Long.toString(item.epoch()));
        for (String cause : build.causes()) {
            shell.say(cause);
        }
        String result =
                shell.run(
                        job.shell(),
                        settings.home()
                                .resolve("workspace")
                                .resolve(build.job() + "-" + build.number()),
                        environment);
        shell.say("Finished: " + result);
        return result;
    }

    private void finish(Item item, BuildRecord build) throws IOException {
        // A survivor that held us dead has written the end already, and its word stands.
        boolean overruled =
                jobs.read(build.job(), build.number()).map(b -> b.result() != null).orElse(true);
        if (!overruled) {
            jobs.write(build);
        }
        insist("finish", item.id(), () -> cluster.finished(item.id(), build.result()));
    }

    /** Repeats until Redis has answered, whatever the answer. */
    private void insist(String what, long id, Runnable call) {
        while (true) {
            try {
                call.run();
                return;
            } catch (HaException.Unavailable e) {
                rejoin();
            } catch (HaException e) {
                LOG.log(Level.INFO, "Cannot {0} {1}: {2}", new Object[] {what, id, e.getMessage()});
                return;
            }
        }
    }

    /** Waits for Redis, then asks whether we still hold the item in the same membership. */
    private boolean stillOurs(Item item) {
        while (true) {
            rejoin();
            try {
                return cluster.item(item.id())
                        .filter(
                                i ->
                                        ours(i)
                                                && i.epoch() == item.epoch()
                                                && cluster.link().joined())
                        .isPresent();
            } catch (HaException.Unavailable e) {
                LOG.log(Level.FINE, "Still away", e);
            }
        }
    }

    private boolean ours(Item item) {
        return item.owner().equals(settings.controllerId())
                && item.epoch() == cluster.link().epoch()
                && (item.state() == ItemState.CLAIMED
                        || item.state() == ItemState.STARTING
                        || item.state() == ItemState.RUNNING);
    }

    private void rejoin() {
        cluster.awaitJoined(5_000);
        try {
            Thread.sleep(RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void take(Item item) {
        if (!stopping && !starting.contains(item.id()) && !running.containsKey(item.id())) {
            waiting.putIfAbsent(item.id(), item);
            notifyAll();
        }
    }

    private int held() {
        return waiting.size() + starting.size() + running.size();
    }

    private void waitForChange() {
        try {
            wait();
        } catch (InterruptedException e) {
            stopping = true;
        }
    }
}
