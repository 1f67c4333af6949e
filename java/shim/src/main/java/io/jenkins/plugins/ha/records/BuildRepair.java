package io.jenkins.plugins.ha.records;

import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildQuery;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.Records;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.logging.Logger;
import jenkins.model.lazy.LazyBuildMixIn;

/**
 * Makes the files of ended builds from their records where they are missing, stale or unreadable.
 * One thread at a time.
 */
final class BuildRepair {
    private static final Logger LOGGER = Logger.getLogger(BuildRepair.class.getName());

    /** So many of a job's newest builds are looked into at a start: a crash spoils new files. */
    private static final int NEWEST = 50;

    private final Records records;
    private final Membership membership;
    private volatile long rebuilt;

    BuildRepair(Records records, Membership membership) {
        this.records = records;
        this.membership = membership;
    }

    long rebuilt() {
        return rebuilt;
    }

    /** Makes a missing file, if its build has ended and was not deleted. */
    void make(Job<?, ?> job, int number) throws IOException {
        Path file = file(job, number);
        if (Files.exists(file)
                || !Files.isDirectory(job.getBuildDir().toPath())
                || runs(job, number)) {
            return;
        }
        BuildRow row = ended(job, number);
        if (row != null) {
            write(job, number, file, row, "was missing");
        }
    }

    /** Looks whether the files of a job's newest builds say what their records say. */
    void newest(Job<?, ?> job) throws IOException {
        for (BuildRow row :
                records.query(BuildQuery.ofJob(job.getFullName(), "", NEWEST)).builds()) {
            Path file = file(job, row.number());
            if (row.state() != BuildRow.State.ENDED
                    || runs(job, row.number())
                    || !Files.isRegularFile(file)) {
                continue;
            }
            byte[] xml = Files.readAllBytes(file);
            boolean readable = RowOfFile.readable(xml);
            if (readable && (row.durationMillis() == 0 || RowOfFile.saysEnded(xml))) {
                continue;
            }
            BuildRow whole = ended(job, row.number());
            if (whole == null
                    || !RowOfFile.readable(whole.xml())
                    || readable && !RowOfFile.saysEnded(whole.xml())) {
                continue;
            }
            if (!readable) {
                Files.copy(
                        file,
                        file.resolveSibling("build.xml.unreadable"),
                        StandardCopyOption.REPLACE_EXISTING);
            }
            write(
                    job,
                    row.number(),
                    file,
                    whole,
                    readable ? "did not say that it has ended" : "could not be read");
        }
    }

    /** Here or elsewhere: its own controller writes record and file. */
    boolean runs(Job<?, ?> job, int number) {
        if (membership.builds().runningOn(job.getFullName(), number) != null) {
            return true;
        }
        if (!(job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy)) {
            return false;
        }
        Object loaded = lazy.getLazyBuildMixIn().getRunMap().getLoadedBuilds().get(number);
        return loaded instanceof Run<?, ?> run && run.isBuilding();
    }

    private BuildRow ended(Job<?, ?> job, int number) {
        if (membership.builds().isDeleted(job.getFullName(), number)
                || Deletions.noted(job, number)) {
            return null;
        }
        BuildRow row = records.find(job.getFullName(), number).orElse(null);
        return row == null || row.state() != BuildRow.State.ENDED || row.xml() == null ? null : row;
    }

    private void write(Job<?, ?> job, int number, Path file, BuildRow row, String why)
            throws IOException {
        BuildFiles.write(file, row.xml());
        rebuilt++;
        LOGGER.info(
                () ->
                        "The build.xml of "
                                + job.getFullName()
                                + " #"
                                + number
                                + " "
                                + why
                                + ": made again from its record");
        show(job, number);
    }

    /** Jenkins does not look again at a file that it could not read. */
    private static void show(Job<?, ?> job, int number) throws IOException {
        if (!(job instanceof LazyBuildMixIn.LazyLoadingJob<?, ?> lazy)) {
            return;
        }
        LazyBuildMixIn<?, ?> mixin = lazy.getLazyBuildMixIn();
        synchronized (mixin) {
            mixin.getRunMap().recognizeNumber(number);
            if (mixin.getBuildByNumber(number) == null) {
                mixin.onLoad(job.getParent(), job.getName());
            }
        }
    }

    private static Path file(Job<?, ?> job, int number) {
        return job.getBuildDir().toPath().resolve(number + "/build.xml");
    }
}
