package io.jenkins.plugins.ha.records;

import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsSettings;
import io.jenkins.plugins.ha.settings.EffectiveSettings;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * The build records as this controller uses them. Where no database is configured they are in a
 * SQLite file beside the shared jobs, which serves several controllers on one host; where that
 * cannot be (jobs on a network mount), builds are known from their files alone, and the monitor
 * says so. Thread-safe.
 */
public final class BuildRecords implements AutoCloseable {
    private static final Logger LOGGER = Logger.getLogger(BuildRecords.class.getName());
    private static final String FILE = ".ha-jenkins/builds.db";

    private final Records records;
    private final String problem;

    private BuildRecords(Records records, String problem) {
        this.records = records;
        this.problem = problem;
    }

    /** Opens what is configured. Never throws for a bad setting: builds must go on. */
    public static BuildRecords open(EffectiveSettings settings, ControllerIdentity identity) {
        File home = Jenkins.get().getRootDir();
        try {
            String url =
                    settings.databaseUrl().isEmpty()
                            ? embedded(home.toPath())
                            : settings.databaseUrl();
            Path outbox = home.toPath().resolve("ha-jenkins/records-outbox");
            Files.createDirectories(outbox);
            return new BuildRecords(
                    Records.open(
                            new RecordsSettings(
                                    url,
                                    settings.databasePassword(),
                                    settings.cluster(),
                                    identity.id(),
                                    identity.incarnation(),
                                    outbox.toString())),
                    "");
        } catch (HaException | IOException e) {
            LOGGER.log(
                    Level.SEVERE, "Builds are known from their files alone: {0}", e.getMessage());
            return new BuildRecords(null, e.getMessage());
        }
    }

    /**
     * The records of this controller's cluster; empty on a plain Jenkins, where there can be none,
     * and as long as this controller was refused: its jobs folder may be another one than theirs.
     */
    public static Optional<Records> active() {
        return Membership.active()
                .filter(membership -> !neverLetIn(membership))
                .flatMap(membership -> membership.records().opened());
    }

    private static boolean neverLetIn(Membership membership) {
        try {
            LinkState link = membership.link();
            return link.refused() && link.epoch() == 0;
        } catch (HaException.Closed e) {
            return false; // it leaves
        }
    }

    /** The records, for when this controller is a member; empty where there can be none. */
    public Optional<Records> opened() {
        return Optional.ofNullable(records);
    }

    /** One sentence on what is wrong, or "". From memory. */
    public String problem() {
        if (records == null) {
            return problem;
        }
        return switch (records.state().phase()) {
            case AWAY, REFUSED ->
                    records.state().text()
                            + (records.state().waiting() > 0
                                    ? " "
                                            + records.state().waiting()
                                            + " writes wait on this controller's disk."
                                    : "");
            case READY -> records.state().warning();
            case CONNECTING, CLOSED -> "";
        };
    }

    @Override
    public void close() {
        if (records != null) {
            records.close();
        }
    }

    /**
     * Beside the jobs as they really are: behind the symlink that all controllers of this host
     * share.
     */
    private static String embedded(Path home) throws IOException {
        Path jobs = home.resolve("jobs").toRealPath();
        Files.createDirectories(jobs.resolve(FILE).getParent());
        return "sqlite:" + jobs.resolve(FILE);
    }
}
