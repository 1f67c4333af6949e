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
import java.util.concurrent.atomic.AtomicLong;
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
    private static final long START_POLL_MILLIS = 50;

    /** How long what is vetoed here is left to the others. */
    private static final long VETO_MILLIS = 300;

    /** The lane of builds that stay on their controller, as in item.lua. */
    static final String STAYS = "l:";

    /** The parameter that names a controller on which the build must not run. */
    private static final String NOT_ON = "N";

    /** What so many controllers died with in a row is not run again. */
    private static final int MOST_DEATHS = 3;

    private final Cluster cluster;
    private final Settings settings;
    private final JobsFolder jobs;
    private final RecordKeeper records;
    private final List<Thread> threads = new ArrayList<>();
    private final int room;

    // All guarded by this.
    private final Map<Claim, Item> waiting = new LinkedHashMap<>();
    private final Set<Claim> starting = new HashSet<>();
    private final Map<Claim, Running> running = new HashMap<>();
    private boolean stopping;

    /** One claim of an item: after a lost lease the same item may come to us again. */
    private record Claim(long id, long epoch, int attempt) {
        static Claim of(Item item) {
            return new Claim(item.id(), item.epoch(), item.attempts());
        }
    }

    /** A build on one of our executors. All but the finals are guarded by the dispatcher. */
    private static final class Running {
        final BuildRecord build;
        final ShellBuild shell;

        /** Of the membership it runs under: a later one may have taken it back. */
        long epoch;

        /** Its script may run. */
        boolean begun;

        /** We had been held dead, and it is somebody else's to decide on. */
        boolean lost;

        Running(Item item, BuildRecord build, ShellBuild shell) {
            this.build = build;
            this.shell = shell;
            this.epoch = item.epoch();
        }
    }

    Dispatcher(Cluster cluster, Settings settings, JobsFolder jobs, RecordKeeper records) {
        this.cluster = cluster;
        this.settings = settings;
        this.jobs = jobs;
        this.records = records;
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
                    .forEach(r -> r.shell.abort("Aborted: " + settings.name() + " shuts down"));
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

    /**
     * Aborts a build that runs here; false when none does.
     *
     * @throws HaException.Unavailable when it is aborted, but nobody else knows that it is meant to
     *     be: if this controller dies at once, it runs again
     */
    boolean abort(String job, int number, String who) {
        Running found = null;
        synchronized (this) {
            for (Running r : running.values()) {
                if (r.build.job().equals(job) && r.build.number() == number) {
                    found = r;
                }
            }
        }
        if (found == null) {
            return false;
        }
        try {
            cluster.unwanted(found.build.queueId(), who);
        } catch (HaException.NotFound | HaException.Conflict e) {
            LOG.log(Level.FINE, "Has just ended: {0}", e.getMessage());
        } finally {
            found.shell.abort("Aborted by " + who);
        }
        return true;
    }

    /** Ends an item that is claimed and not started here; false when it is too late. */
    boolean cancel(long id, String who) {
        synchronized (this) {
            if (!waiting.keySet().removeIf(claim -> claim.id() == id)) {
                return false;
            }
            notifyAll();
        }
        // Nobody else ends it now: to give up would leave it claimed for ever.
        return insist("cancel", id, () -> cluster.cancelled(id, "Cancelled by " + who));
    }

    /**
     * Lets go of what belongs to an earlier membership, and takes what the cluster says we hold. A
     * list may be older than what we do: only the epoch says that something is lost.
     *
     * @return builds that run here under an earlier membership: to {@link #keepOrStop}
     */
    synchronized List<Long> reconcile(List<Item> all) {
        long epoch = cluster.link().epoch();
        List<Long> former = new ArrayList<>();
        waiting.keySet().removeIf(claim -> claim.epoch() != epoch);
        running.values().stream()
                .filter(build -> build.epoch != epoch && build.begun)
                .forEach(build -> former.add(build.build.queueId()));
        for (Item item : all) {
            if (ours(item) && item.state() == ItemState.CLAIMED && item.payload() != null) {
                // Claimed in a call whose answer was lost.
                take(item);
            }
        }
        notifyAll();
        return former;
    }

    /**
     * A build runs here that we were held dead over: takes it back, if nobody else decides on it or
     * has ended it, or stops it. False when none runs here any more.
     */
    boolean keepOrStop(long id) {
        Running build = begun(id);
        if (build == null) {
            return false;
        }
        long epoch = cluster.link().epoch();
        boolean ended = isLost(build) || isClosed(build.build);
        if (!ended && insist("keep", id, () -> cluster.keep(id))) {
            synchronized (this) {
                build.epoch = epoch;
            }
            return true;
        }
        synchronized (this) {
            build.lost = true;
        }
        build.shell.abort("Aborted: " + settings.name() + " had lost its lease");
        if (ended) {
            awaitEnd(build);
        }
        return !ended;
    }

    private synchronized boolean isLost(Running build) {
        return build.lost;
    }

    private boolean isClosed(BuildRecord build) {
        try {
            return jobs.read(build.job(), build.number())
                    .filter(b -> b.result() != null)
                    .isPresent();
        } catch (IOException e) {
            LOG.log(Level.INFO, "Whether " + build + " has ended cannot be read", e);
            return false;
        }
    }

    private synchronized void awaitEnd(Running build) {
        while (running.containsValue(build) && !stopping) {
            waitForChange();
        }
    }

    /** Waits while it is being started; null when it does not run here. */
    private synchronized Running begun(long id) {
        while (true) {
            Running found = null;
            for (Running build : running.values()) {
                if (build.build.queueId() == id) {
                    found = build;
                }
            }
            if (found == null || found.begun || stopping) {
                return found;
            }
            try {
                wait(START_POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return null;
            }
        }
    }

    /**
     * Decides on an item whose controller died: a build that came to its own end has ended, one
     * that was cut short runs again, any other starts anew.
     */
    void orphaned(Item item) {
        if (item.owner().equals(settings.controllerId()) && keepOrStop(item.id())) {
            return;
        }
        while (true) {
            try {
                Optional<BuildRecord> left =
                        item.number() > 0 ? closed(item.job(), item.number()) : Optional.empty();
                if (left.isEmpty()) {
                    insist(
                            "requeue",
                            item.id(),
                            () -> cluster.requeue(item.id(), "its controller died"));
                } else {
                    records.endedForTheDead(left.get());
                    tell(item, left.get());
                }
                return;
            } catch (IOException e) {
                LOG.log(Level.WARNING, "Orphan " + item + " cannot be looked at yet", e);
                rejoin();
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
            }
        }
    }

    /** Tells the queue how a build has ended, if it is for us to say. */
    private void tell(Item item, BuildRecord build) {
        if (!build.cut() || item.lane().equals(STAYS) || !runAgain(item, build)) {
            insist("finish", item.id(), () -> cluster.finished(item.id(), build.result()));
        }
    }

    private boolean runAgain(Item item, BuildRecord build) {
        String cause = "Restarted after controller " + build.controller() + " died";
        Trigger trigger =
                new Trigger(build.parameters(), build.causes())
                        .with(new Trigger(build.parameters(), List.of(cause)));
        AtomicLong again = new AtomicLong();
        return insist(
                "rerun",
                item.id(),
                () -> {
                    // The same id for each try: of one whose answer was lost nothing is left.
                    if (again.get() == 0) {
                        again.set(cluster.nextQueueId());
                    }
                    cluster.rerun(
                            item.id(), build.result(), again.get(), trigger.payload(), MOST_DEATHS);
                });
    }

    /** How a dead controller's build ended, if need be by our word; empty if it never began. */
    private Optional<BuildRecord> closed(String job, int number) throws IOException {
        Optional<BuildRecord> left = jobs.read(job, number);
        if (left.isPresent() && left.get().result() == null) {
            if (jobs.close(left.get().cutShort())) {
                new ShellBuild(jobs.log(job, number))
                        .say(
                                "Aborted: controller "
                                        + left.get().controller()
                                        + " died\nFinished: ABORTED");
            }
            // Its controller may live after all, and have closed it before us.
            left = jobs.read(job, number);
        }
        return left.filter(build -> !build.result().equals(JobsFolder.WITHDRAWN));
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
                        cluster.claim(
                                List.of(new LaneOffer("", free), new LaneOffer(STAYS, free)),
                                free,
                                CLAIM_MILLIS)) {
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
                waiting.remove(Claim.of(item));
                starting.add(Claim.of(item));
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
                    starting.remove(Claim.of(item));
                    running.remove(Claim.of(item));
                    notifyAll();
                }
            }
        }
    }

    private void build(Item item) throws IOException, InterruptedException {
        Optional<JobsFolder.Job> job = jobs.job(item.job());
        if (job.isEmpty()) {
            LOG.log(Level.WARNING, "{0}: no such job here, handed back", item);
            String why = "no job " + item.job() + " on " + settings.name();
            insist("release", item.id(), () -> cluster.release(item.id(), UNKNOWN_JOB_MILLIS, why));
            return;
        }
        Trigger trigger;
        try {
            trigger = Trigger.from(item.payload());
        } catch (IOException e) {
            String why = "payload cannot be read: " + e.getMessage();
            insist("park", item.id(), () -> cluster.park(item.id(), why));
            return;
        }
        if (settings.defect() == Defect.HANDLERS_ARE_ASKED_AT_THE_CLAIM && trigger.isOnlyOnce()) {
            insist("cancel", item.id(), () -> cluster.cancelled(item.id(), "Refused"));
            return;
        }
        if (settings.name().equals(trigger.parameters().get(NOT_ON))
                && !item.lane().equals(STAYS)
                && settings.defect() != Defect.VETO_IS_IGNORED) {
            String why = "Vetoed by " + settings.controllerId();
            insist("leave", item.id(), () -> cluster.leaveToOthers(item.id(), VETO_MILLIS, why));
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
                        null,
                        false);
        jobs.begin(build);
        records.begun(build, item.epoch());
        ShellBuild shell = new ShellBuild(jobs.log(build.job(), build.number()));
        Running run = new Running(item, build, shell);
        if (!begin(item, run)) {
            // Unless a survivor has found it and closed it, it never was.
            if (jobs.close(build.ended(JobsFolder.WITHDRAWN))) {
                jobs.delete(build.job(), build.number());
                records.gone(build.job(), build.number());
            }
            return;
        }
        String result = run(job.get(), item, build, shell);
        finish(item, run, result);
    }

    /** The build's number; empty when the item is no longer ours. */
    private Optional<Integer> number(Item item) throws IOException {
        while (true) {
            if (item.epoch() != cluster.link().epoch()) {
                return Optional.empty();
            }
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
    private boolean begin(Item item, Running run) {
        synchronized (this) {
            if (stopping) {
                run.shell.abort("Aborted: " + settings.name() + " shuts down");
            }
            starting.remove(Claim.of(item));
            running.put(Claim.of(item), run);
        }
        while (true) {
            try {
                cluster.started(item.id(), run.build.number());
                synchronized (this) {
                    run.begun = true;
                    notifyAll();
                }
                return true;
            } catch (HaException.Fenced | HaException.Unavailable e) {
                if (!stillOurs(item)) {
                    synchronized (this) {
                        running.remove(Claim.of(item));
                        starting.add(Claim.of(item));
                    }
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
        if (result.equals(ShellBuild.VANISHED)) {
            shell.say("Its agent vanished");
            boolean overlooked = settings.defect() == Defect.VANISHED_AGENT_IS_OVERLOOKED;
            result = overlooked ? "SUCCESS" : "FAILURE";
        }
        shell.say("Finished: " + result);
        return result;
    }

    private void finish(Item item, Running run, String result) throws IOException {
        long epoch;
        BuildRecord build;
        synchronized (this) {
            epoch = run.epoch;
            build =
                    run.lost && result.equals("ABORTED")
                            ? run.build.cutShort()
                            : run.build.ended(result);
        }
        // A survivor that held us dead may have closed it already, and its word stands.
        boolean first = jobs.close(build);
        if (first || settings.defect() == Defect.ROW_IS_NOT_FENCED) {
            records.ended(build, epoch);
        }
        Optional<BuildRecord> last =
                first ? Optional.of(build) : jobs.read(build.job(), build.number());
        last.ifPresent(end -> tell(item, end));
    }

    /** Repeats until Redis has answered; whether it agreed. */
    private boolean insist(String what, long id, Runnable call) {
        while (true) {
            try {
                call.run();
                return true;
            } catch (HaException.Unavailable e) {
                rejoin();
            } catch (HaException e) {
                LOG.log(Level.INFO, "Cannot {0} {1}: {2}", new Object[] {what, id, e.getMessage()});
                return false;
            }
        }
    }

    /**
     * Waits for Redis, then asks whether we still hold the item in the same membership. One that
     * cannot be renewed at this moment may yet be: only a later one, or Redis' word, ends it.
     */
    private boolean stillOurs(Item item) {
        while (true) {
            rejoin();
            try {
                return cluster.item(item.id())
                        .filter(i -> ours(i) && i.epoch() == item.epoch())
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
        Claim claim = Claim.of(item);
        if (!stopping && !starting.contains(claim) && !running.containsKey(claim)) {
            waiting.putIfAbsent(claim, item);
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
