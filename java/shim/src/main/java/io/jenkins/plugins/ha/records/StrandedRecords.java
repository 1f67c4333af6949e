package io.jenkins.plugins.ha.records;

import hudson.model.Job;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.bridge.Records;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Records that say a build runs, though its controller is gone: it died before it recorded the end,
 * or was started again and nobody was there to decide. They are brought to what the file says; one
 * that says nothing of an end, and is not resumed, was cut off.
 */
final class StrandedRecords {
    private static final Logger LOGGER = Logger.getLogger(StrandedRecords.class.getName());

    /** So often a build is found cut off before it counts: the queue decides on its own first. */
    private static final int PATIENCE = 4;

    private final Records records;
    private final Membership membership;
    private final Map<String, Integer> cutOff = new HashMap<>();

    StrandedRecords(Records records, Membership membership) {
        this.records = records;
        this.membership = membership;
    }

    /** Looks through all that runs according to the records. */
    void settle() {
        try {
            List<BuildRow> running = records.running("");
            if (running.isEmpty()) {
                cutOff.clear();
                return;
            }
            Set<String> members = new HashSet<>();
            for (Member member : membership.cluster().members()) {
                members.add(member.controllerId());
            }
            for (BuildRow row : running) {
                if (abandoned(row, members)
                        && membership.builds().runningOn(row.job(), row.number()) == null) {
                    settle(row);
                }
            }
        } catch (HaException.Unavailable | HaException.Refused e) {
            LOGGER.log(Level.FINE, "Looked at later: {0}", e.getMessage());
        }
    }

    /** Of what this controller itself left at an earlier start, nobody else knows. */
    private boolean abandoned(BuildRow row, Set<String> members) {
        return row.controllerId().equals(membership.identity().id())
                ? !row.incarnation().equals(membership.identity().incarnation())
                : !members.contains(row.controllerId());
    }

    private void settle(BuildRow row) {
        Job<?, ?> job = Jenkins.get().getItemByFullName(row.job(), Job.class);
        if (job == null) {
            return;
        }
        Path file = job.getBuildDir().toPath().resolve(row.number() + "/build.xml");
        try {
            if (!Files.isRegularFile(file)) {
                return;
            }
            byte[] xml = Files.readAllBytes(file);
            if (!RowOfFile.readable(xml) || !RowOfFile.saysEnded(xml) && !isCutOff(row, xml)) {
                return;
            }
            if (records.adopt(
                    row.job(),
                    row.number(),
                    membership.identity().id(),
                    membership.identity().incarnation(),
                    membership.link().epoch())) {
                records.save(endOf(row, RowOfFile.of(row.job(), row.number(), xml)), true);
                LOGGER.info(
                        () -> "The record of " + row.job() + " #" + row.number() + " has ended");
            }
        } catch (IOException e) {
            LOGGER.log(
                    Level.FINE,
                    "The record of {0} #{1} still says that it runs: {2}",
                    new Object[] {row.job(), row.number(), e.getMessage()});
        }
    }

    /**
     * What an earlier start of this controller left, and neither the queue nor it itself goes on.
     */
    private boolean isCutOff(BuildRow row, byte[] xml) {
        return row.controllerId().equals(membership.identity().id())
                && !RowOfFile.isResumed(xml)
                && cutOff.merge(row.job() + " #" + row.number(), 1, Integer::sum) >= PATIENCE;
    }

    /** What was known while it ran, and what the file says of its end. */
    private static BuildRow endOf(BuildRow row, BuildRow file) {
        return row.with(
                "state", BuildRow.State.ENDED,
                "version", 0,
                "result", file.result(),
                "durationMillis", file.durationMillis(),
                "displayName", file.displayName(),
                "description", file.description(),
                "keep", file.keep(),
                "agent", file.agent().isEmpty() ? row.agent() : file.agent(),
                "commits", row.commits().isEmpty() ? file.commits() : row.commits(),
                "xml", file.xml(),
                "damage", "");
    }
}
