package io.jenkins.plugins.ha.records;

import hudson.model.Job;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsState;
import io.jenkins.plugins.ha.builds.NextBuildNumber;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Makes records and files say the same, in the background: after a start, builds of the time before
 * the cluster are taken over, and files that are missing, stale or unreadable on the shared mount
 * are made again; from then on, files that are found missing, and records of builds whose
 * controller died. It compares, so it goes on where it was stopped, and waits for a database that
 * is away. One controller may do it while others do: a record is written once, whoever comes first.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Reconciling {
    private static final Logger LOGGER = Logger.getLogger(Reconciling.class.getName());

    /** So long after the start it begins: what a booting Jenkins does goes first. */
    private static final long AFTER_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.reconcileAfterMillis", 10_000);

    private static final long ROUND_MILLIS = 1000;
    private static final long MISSING_MILLIS = 2000;
    private static final int STRANDED_ROUNDS = 15;
    private static final int BATCH = 200;
    private static final int MOST_MISSING = 10_000;

    private final Records records;
    private final Membership membership;
    private final BuildRepair repair;
    private final StrandedRecords stranded;

    /** Builds whose file was found missing, and since when. */
    private final Map<Missing, Long> missing = new ConcurrentHashMap<>();

    /** Builds whose deletion the records were told of, and may not have made yet. */
    private final Set<Missing> deleted = ConcurrentHashMap.newKeySet();

    private volatile int jobs = -1;
    private volatile int done;
    private volatile long taken;
    private volatile boolean stopping;

    private record Missing(String job, int number) {}

    public Reconciling(Records records, Membership membership) {
        this.records = records;
        this.membership = membership;
        this.repair = new BuildRepair(records, membership);
        this.stranded = new StrandedRecords(records, membership);
    }

    /** Begins a while after the start, on a thread that gives way to all others. */
    public void start() {
        membership
                .watchdog()
                .loop(
                        "ha-jenkins-reconciling",
                        () -> {
                            Thread.currentThread().setPriority(Thread.MIN_PRIORITY);
                            run();
                            return false;
                        })
                .minor()
                .start();
    }

    /** Stops at the next build. */
    public void stop() {
        stopping = true;
    }

    /** What it is doing, in a sentence; "" when all jobs were compared. */
    public String progress() {
        return jobs < 0 || done >= jobs
                ? ""
                : "Comparing builds with their records: "
                        + done
                        + " of "
                        + jobs
                        + " jobs, "
                        + taken
                        + " builds taken over.";
    }

    /** How many builds were taken over into the records since the start. */
    public long taken() {
        return taken;
    }

    /** How many files were made again from their records since the start. */
    public long rebuilt() {
        return repair.rebuilt();
    }

    /**
     * The file of a build is not there. Does not block; if it is still missing in a while, and no
     * build is in the making, it is made again.
     */
    public void missing(String job, int number) {
        if (missing.size() < MOST_MISSING) {
            missing.putIfAbsent(new Missing(job, number), System.nanoTime());
        }
    }

    /** A build was deleted here, and the records were told. Does not block. */
    public void deleted(String job, int number) {
        deleted.add(new Missing(job, number));
    }

    private void run() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Thread.sleep(AFTER_MILLIS);
            compareAll();
            for (int round = 0; !stopping; round++) {
                Thread.sleep(ROUND_MILLIS);
                if (settled()) {
                    look(round % STRANDED_ROUNDS == 0);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Stopped", e);
        } finally {
            jobs = -1;
        }
    }

    private void look(boolean atStranded) {
        try {
            mendMissing();
            if (atStranded) {
                settleDeletions();
                stranded.settle();
            }
        } catch (HaException.Closed e) {
            throw e;
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, "Records and files are compared again in a moment", e);
        }
    }

    /** Tombstones go when the records say that it is deleted. */
    private void settleDeletions() {
        DeletedJobs.settle(records);
        for (Missing build : deleted) {
            Job<?, ?> job = Jenkins.get().getItemByFullName(build.job(), Job.class);
            BuildRow row =
                    job == null ? null : records.find(build.job(), build.number()).orElse(null);
            if (row == null || row.state() == BuildRow.State.DELETED) {
                if (job != null) {
                    Deletions.forget(job, build.number());
                }
                deleted.remove(build);
            }
        }
    }

    private void compareAll() throws InterruptedException {
        List<Job<?, ?>> all = new ArrayList<>();
        Jenkins.get().allItems(Job.class).forEach(job -> all.add((Job<?, ?>) job));
        jobs = all.size();
        for (Job<?, ?> job : all) {
            boolean compared = false;
            while (!compared) {
                awaitSettled();
                if (stopping) {
                    return;
                }
                try {
                    compare(job);
                    compared = true;
                } catch (HaException.Unavailable e) {
                    Thread.sleep(ROUND_MILLIS); // it goes on where it was
                } catch (HaException.Closed e) {
                    throw e;
                } catch (IOException | RuntimeException e) {
                    compared = true;
                    LOGGER.log(
                            Level.WARNING,
                            "The builds of "
                                    + job.getFullName()
                                    + " are compared with their records at the next start: {0}",
                            e.getMessage());
                }
            }
            done++;
        }
        if (taken + rebuilt() > 0) {
            LOGGER.info(
                    () ->
                            taken
                                    + " builds were taken over into the records, "
                                    + rebuilt()
                                    + " files made again");
        }
    }

    /**
     * After the database was away, other controllers have deletions to tell, and what they deleted
     * must not be made again.
     */
    private void awaitSettled() throws InterruptedException {
        boolean away = false;
        while (!settled() && !stopping) {
            away |= records.state().phase() != RecordsState.Phase.READY;
            Thread.sleep(ROUND_MILLIS);
            if (away && settled()) {
                away = false;
                Thread.sleep(AFTER_MILLIS);
            }
        }
    }

    /**
     * What the records say is all there is to say: nothing waits on this controller, and its jobs
     * folder is the one that the records are about.
     */
    private boolean settled() {
        RecordsState state = records.state();
        return membership.link().joined()
                && state.phase() == RecordsState.Phase.READY
                && state.waiting() == 0;
    }

    private void compare(Job<?, ?> job) throws IOException, InterruptedException {
        String name = job.getFullName();
        Path builds = job.getBuildDir().toPath();
        Set<Integer> recorded = new TreeSet<>();
        long[] pairs = records.numbers(name);
        for (int i = 0; i < pairs.length; i += 2) {
            recorded.add((int) pairs[i]);
        }
        Set<Integer> there = numbers(builds);
        bringDeletions(job, recorded, there);
        int batch = 0;
        for (int number : there) {
            if (!recorded.contains(number)
                    && !stopping
                    && take(job, builds, number)
                    && ++batch % BATCH == 0) {
                records.flush(name, number, 30_000); // no faster than the database
            }
        }
        for (int number : recorded) {
            if (!there.contains(number) && !stopping) {
                repair.make(job, number);
            }
        }
        repair.newest(job);
        int highest = records.highest(name);
        if (NextBuildNumber.of(job) <= highest) {
            job.updateNextBuildNumber(highest + 1); // what was deleted was used, too
        }
    }

    /** Whoever deleted them may not have been able to say so. */
    private void bringDeletions(Job<?, ?> job, Set<Integer> recorded, Set<Integer> there)
            throws IOException {
        for (int number : Deletions.of(job)) {
            if (there.contains(number)) {
                Deletions.forget(job, number); // it was not deleted after all
            } else {
                recorded.remove(number);
                records.delete(job.getFullName(), number);
                deleted(job.getFullName(), number);
            }
        }
    }

    private boolean take(Job<?, ?> job, Path builds, int number) throws IOException {
        Path file = builds.resolve(number + "/build.xml");
        if (!Files.isRegularFile(file) || repair.runs(job, number)) {
            return false;
        }
        byte[] xml = Files.readAllBytes(file);
        BuildRow row;
        try {
            row = RowOfFile.of(job.getFullName(), number, xml);
        } catch (IOException e) {
            LOGGER.warning(e.getMessage() + ". Its bytes are kept in the records.");
            row = RowOfFile.unreadable(job.getFullName(), number, xml, e.getMessage());
        }
        records.save(row, true);
        taken++;
        return true;
    }

    private void mendMissing() {
        long now = System.nanoTime();
        missing.forEach(
                (build, since) -> {
                    if (now - since < MISSING_MILLIS * 1_000_000) {
                        return;
                    }
                    missing.remove(build);
                    Job<?, ?> job = Jenkins.get().getItemByFullName(build.job(), Job.class);
                    try {
                        if (job != null) {
                            repair.make(job, build.number());
                        }
                    } catch (IOException | HaException.Unavailable e) {
                        LOGGER.log(
                                Level.WARNING,
                                "The file of {0} #{1} is missing and cannot be made again now: {2}",
                                new Object[] {build.job(), build.number(), e.getMessage()});
                    }
                });
    }

    private static Set<Integer> numbers(Path builds) throws IOException {
        Set<Integer> numbers = new TreeSet<>();
        if (Files.isDirectory(builds)) {
            try (DirectoryStream<Path> folders = Files.newDirectoryStream(builds)) {
                for (Path folder : folders) {
                    String name = folder.getFileName().toString();
                    if (name.matches("[1-9]\\d{0,8}")) {
                        numbers.add(Integer.parseInt(name));
                    }
                }
            }
        }
        return numbers;
    }
}
