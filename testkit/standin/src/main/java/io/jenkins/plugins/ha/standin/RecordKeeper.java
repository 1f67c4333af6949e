package io.jenkins.plugins.ha.standin;

import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsState;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Keeps the records of the builds in the database, as the plugin does: a build is written when it
 * begins and when it ends, by who runs it or by who ends it in the place of a dead controller. What
 * the shared folder says of a build's end is the truth; records that still say that such a build
 * runs are brought to it every now and then. Does nothing where there is no database. Thread-safe.
 */
final class RecordKeeper implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(RecordKeeper.class.getName());
    private static final long FLUSH_MILLIS = 2_000;
    private static final long ROUND_MILLIS = 1_000;

    /** So long after its end a build's own controller has had the time to record it. */
    private static final long STRANDED_MILLIS = 4_000;

    private final Settings settings;
    private final Cluster cluster;
    private final JobsFolder jobs;
    private final String incarnation = UUID.randomUUID().toString();
    private final Records records;
    private final Thread settler = new Thread(this::settleForEver, "records");

    /**
     * Connects in the background.
     *
     * @throws HaException.Refused when the settings cannot be right
     */
    RecordKeeper(Settings settings, Cluster cluster, JobsFolder jobs) {
        this.settings = settings;
        this.cluster = cluster;
        this.jobs = jobs;
        this.records =
                settings.databaseUrl() == null
                        ? null
                        : Records.open(settings.forRecords(incarnation));
        settler.setDaemon(true);
    }

    void start() {
        if (records != null) {
            settler.start();
        }
    }

    /** How it stands; empty where there is no database. */
    Optional<RecordsState> state() {
        return Optional.ofNullable(records).map(Records::state);
    }

    /** A build has begun here, under that membership. */
    void begun(BuildRecord build, long epoch) {
        if (records != null && !dropped()) {
            records.save(row(build, epoch), false);
        }
    }

    /**
     * A build of this controller has ended. Returns when that is stored, or in the outbox; or after
     * 2 s, when it is tried on.
     */
    void ended(BuildRecord build, long epoch) {
        if (records != null && !dropped()) {
            records.save(row(build, epoch), settings.defect() == Defect.ROW_IS_NOT_FENCED);
            records.flush(build.job(), build.number(), FLUSH_MILLIS);
        }
    }

    /** The same, of a build whose controller is dead. */
    void endedForTheDead(BuildRecord build) {
        if (records != null && settings.defect() != Defect.ROW_OF_THE_DEAD_IS_LEFT) {
            try {
                adopt(build.job(), build.number());
            } catch (HaException e) {
                LOG.log(Level.INFO, "{0} not adopted: {1}", new Object[] {build, e.getMessage()});
            }
            ended(build, cluster.link().epoch());
        }
    }

    /** A build of this controller never was, or was deleted. */
    void gone(String job, int number) {
        if (records != null) {
            records.delete(job, number);
        }
    }

    @Override
    public void close() {
        if (records != null) {
            records.close();
        }
    }

    private boolean dropped() {
        return settings.defect() == Defect.ROWS_ARE_DROPPED_WHILE_AWAY
                && records.state().phase() != RecordsState.Phase.READY;
    }

    private boolean adopt(String job, int number) {
        return records.adopt(
                job, number, settings.controllerId(), incarnation, cluster.link().epoch());
    }

    private void settleForEver() {
        while (true) {
            try {
                Thread.sleep(ROUND_MILLIS);
                if (records.state().phase() == RecordsState.Phase.READY
                        && settings.defect() != Defect.ROW_OF_THE_DEAD_IS_LEFT) {
                    settle();
                }
            } catch (HaException.Closed | InterruptedException e) {
                return;
            } catch (HaException | IOException e) {
                LOG.log(Level.FINE, "Records are looked through later: {0}", e.getMessage());
            }
        }
    }

    private void settle() throws IOException {
        List<BuildRow> running = records.running("");
        if (running.isEmpty()) {
            return;
        }
        Map<String, Long> members = new HashMap<>();
        for (Member member : cluster.members()) {
            members.put(member.controllerId(), member.epoch());
        }
        for (BuildRow row : running) {
            boolean abandoned =
                    row.controllerId().equals(settings.controllerId())
                            ? !row.incarnation().equals(incarnation)
                            : !members.containsKey(row.controllerId());
            Optional<BuildRecord> build =
                    jobs.read(row.job(), row.number())
                            .filter(b -> !JobsFolder.WITHDRAWN.equals(b.result()));
            if (build.isEmpty()) {
                if (abandoned && adopt(row.job(), row.number())) {
                    records.delete(row.job(), row.number());
                }
            } else if (build.get().result() != null
                    && (abandoned || endedLongAgo(build.get()))
                    && adopt(row.job(), row.number())) {
                records.save(row(build.get(), cluster.link().epoch()), false);
            }
        }
    }

    private static boolean endedLongAgo(BuildRecord build) {
        return build.started() + build.duration() + STRANDED_MILLIS < System.currentTimeMillis();
    }

    private BuildRow row(BuildRecord build, long epoch) {
        boolean ended = build.result() != null;
        return BuildRow.of(
                build.job(),
                build.number(),
                "state",
                ended ? BuildRow.State.ENDED : BuildRow.State.RUNNING,
                "queueId",
                build.queueId(),
                "controllerId",
                settings.controllerId(),
                "controllerName",
                settings.name(),
                "incarnation",
                incarnation,
                "epoch",
                epoch,
                "result",
                ended ? build.result() : "",
                "startedMillis",
                build.started(),
                "durationMillis",
                build.duration(),
                "causes",
                build.causes(),
                "parameters",
                build.parameters());
    }
}
