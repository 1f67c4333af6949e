package io.jenkins.plugins.ha.records;

import hudson.model.Job;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.model.lazy.LazyBuildMixIn;

/**
 * Makes records and files say the same, in the background after a start: builds of the time before
 * the cluster are taken over, folders that are missing on the shared mount are made again. It
 * compares, so it goes on where it was stopped. One controller may do it while others do: a record
 * is written once, whoever comes first.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Reconciling {
    private static final Logger LOGGER = Logger.getLogger(Reconciling.class.getName());
    private static final long SETTLE_MILLIS = 10_000;
    private static final int BATCH = 200;

    private final Records records;
    private final Membership membership;
    private volatile String progress = "";
    private volatile long taken;
    private volatile long rebuilt;
    private volatile boolean stopping;

    public Reconciling(Records records, Membership membership) {
        this.records = records;
        this.membership = membership;
    }

    /** Begins a while after the start, on a thread that gives way to all others. */
    public void start() {
        Thread thread = new Thread(this::run, "ha-jenkins-reconciling");
        thread.setDaemon(true);
        thread.setPriority(Thread.MIN_PRIORITY);
        thread.start();
    }

    /** Stops at the next build. */
    public void stop() {
        stopping = true;
    }

    /** What it is doing, in a sentence; "" when it is done. */
    public String progress() {
        return progress;
    }

    /** How many builds were taken over into the records since the start. */
    public long taken() {
        return taken;
    }

    /** How many folders were made again from their records since the start. */
    public long rebuilt() {
        return rebuilt;
    }

    private void run() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Thread.sleep(SETTLE_MILLIS);
            List<Job<?, ?>> jobs = new ArrayList<>();
            Jenkins.get().allItems(Job.class).forEach(job -> jobs.add((Job<?, ?>) job));
            int done = 0;
            for (Job<?, ?> job : jobs) {
                if (stopping) {
                    return;
                }
                progress =
                        "Comparing builds with their records: "
                                + done
                                + " of "
                                + jobs.size()
                                + " jobs, "
                                + taken
                                + " taken over";
                try {
                    reconcile(job);
                } catch (HaException.Unavailable | IOException e) {
                    LOGGER.log(
                            Level.WARNING,
                            "The builds of "
                                    + job.getFullName()
                                    + " are compared with their records at the next start: {0}",
                            e.getMessage());
                }
                done++;
            }
            if (taken + rebuilt > 0) {
                LOGGER.info(
                        () ->
                                taken
                                        + " builds were taken over into the records, "
                                        + rebuilt
                                        + " folders made again");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "Stopped", e);
        } finally {
            progress = "";
        }
    }

    private void reconcile(Job<?, ?> job) throws IOException, InterruptedException {
        Path builds = job.getBuildDir().toPath();
        Set<Integer> recorded = new HashSet<>();
        long[] pairs = records.numbers(job.getFullName());
        for (int i = 0; i < pairs.length; i += 2) {
            recorded.add((int) pairs[i]);
        }
        Set<Integer> there = numbers(builds);
        int batch = 0;
        for (int number : there) {
            if (!recorded.contains(number)
                    && !stopping
                    && take(job, builds, number)
                    && ++batch % BATCH == 0) {
                records.flush(job.getFullName(), number, 30_000); // no faster than the database
            }
        }
        for (int number : recorded) {
            if (!there.contains(number) && !stopping) {
                rebuild(job, builds, number);
            }
        }
    }

    private boolean take(Job<?, ?> job, Path builds, int number) throws IOException {
        Path file = builds.resolve(number + "/build.xml");
        if (!Files.isRegularFile(file) || runs(job, number)) {
            return false;
        }
        byte[] xml = Files.readAllBytes(file);
        BuildRow row;
        try {
            row = RowOfFile.of(job.getFullName(), number, xml);
        } catch (IOException e) {
            LOGGER.warning(e.getMessage() + ". Its bytes are kept in the records.");
            row =
                    RowOfFile.unreadable(
                            job.getFullName(), number, xml, "Unreadable: " + e.getMessage());
        }
        records.save(row, true);
        taken++;
        return true;
    }

    /** Here or elsewhere: its own controller writes the record. */
    private boolean runs(Job<?, ?> job, int number) {
        if (membership.builds().runningOn(job.getFullName(), number) != null) {
            return true;
        }
        if (!(job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy)) {
            return false;
        }
        Object loaded = lazy.getLazyBuildMixIn().getRunMap().getLoadedBuilds().get(number);
        return loaded instanceof Run<?, ?> run && run.isBuilding();
    }

    private void rebuild(Job<?, ?> job, Path builds, int number) throws IOException {
        BuildRow row = records.find(job.getFullName(), number).orElse(null);
        if (row == null
                || row.state() != BuildRow.State.ENDED
                || row.xml() == null
                || !Files.isDirectory(builds)) {
            return;
        }
        BuildFiles.write(builds.resolve(number + "/build.xml"), row.xml());
        if (job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy) {
            LazyBuildMixIn<?, ?> mixin = lazy.getLazyBuildMixIn();
            synchronized (mixin) {
                mixin.getRunMap().recognizeNumber(number);
            }
        }
        rebuilt++;
    }

    private static Set<Integer> numbers(Path builds) throws IOException {
        Set<Integer> numbers = new HashSet<>();
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
