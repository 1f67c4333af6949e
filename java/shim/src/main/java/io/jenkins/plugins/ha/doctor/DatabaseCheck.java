package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsState;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.util.List;
import java.util.Optional;

/**
 * How long the database of the build records takes to answer. What it is (version, encoding,
 * schema, rights) is looked at whenever it is connected, and told as the problem of the records.
 */
final class DatabaseCheck implements Check {
    /** No job: the question costs the database nothing but the look into an index. */
    private static final String NOBODYS_JOB = "ha-jenkins-doctor";

    @Override
    public List<Finding> look(Membership membership) {
        Optional<Records> records = membership.records().opened();
        if (records.isEmpty() || records.get().state().phase() != RecordsState.Phase.READY) {
            return List.of(); // said by another check
        }
        long millis;
        try {
            millis = Latency.median(() -> records.get().highest(NOBODYS_JOB));
        } catch (HaException e) {
            return List.of(); // the records' problem from now on
        }
        if (millis <= Limits.of("databaseMillis", 100)) {
            return List.of();
        }
        return List.of(
                new Finding(
                        Severity.WARNING,
                        "database-slow",
                        "",
                        "The database of the build records takes " + millis + " ms to answer",
                        "Look at its load, its disk and the network between: the search page and"
                                + " the pages of builds that ran elsewhere wait for it; builds do"
                                + " not.",
                        ""));
    }
}
