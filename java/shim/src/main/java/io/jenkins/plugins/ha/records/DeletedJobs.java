package io.jenkins.plugins.ha.records;

import hudson.Extension;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.listeners.ItemListener;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * What is known of a job ends with it: a job that is made anew under its name begins with its first
 * build and has records of its own. Each controller that hears of the deletion tells the records
 * before it tells them anything of the new job; they make it once, by its id.
 */
@Extension(ordinal = 1001) // noted before the others are told
public final class DeletedJobs extends ItemListener {
    private static final Logger LOGGER = Logger.getLogger(DeletedJobs.class.getName());

    /** Longer than any change takes to be stored, or to be found to be in the outbox. */
    private static final long STORED_NANOS = TimeUnit.MINUTES.toNanos(3);

    /** Deletions that this controller has brought to the records, and when. */
    private static final Map<String, Long> BROUGHT = new ConcurrentHashMap<>();

    @Override
    public void onDeleted(Item item) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !(item instanceof Job<?, ?> job)) {
            return;
        }
        String name = job.getFullName();
        membership.builds().forgetJobs(name);
        int highest = job.getNextBuildNumber() - 1;
        membership
                .outbound()
                .tell(
                        "the end of the numbers of " + name,
                        cluster -> cluster.forgetNumbers(name, highest));
        BuildRecords.active()
                .ifPresent(
                        records -> {
                            String id = UUID.randomUUID().toString();
                            Deletions.noteJob(jobs(), name, id);
                            bring(records, name, id);
                        });
    }

    /**
     * Another controller has deleted a job; to be said before one of its name is made anew here.
     */
    public static void elsewhere(String name) {
        BuildRecords.active()
                .ifPresent(
                        records ->
                                noted().forEach(
                                                (id, job) -> {
                                                    if (job.equals(name)) {
                                                        bring(records, job, id);
                                                    }
                                                }));
    }

    /**
     * Brings what was noted by whomever, and forgets what the records have made by now. At a start
     * it comes before any build.
     */
    public static void settle(Records records) {
        noted().forEach(
                        (id, job) -> {
                            Long since = BROUGHT.get(id);
                            if (since == null) {
                                bring(records, job, id);
                            } else if (System.nanoTime() - since > STORED_NANOS) {
                                Deletions.forgetJob(jobs(), id);
                                BROUGHT.remove(id);
                            }
                        });
    }

    private static Map<String, String> noted() {
        try {
            return Deletions.ofJobs(jobs());
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "Which jobs were deleted cannot be read just now", e);
            return Map.of();
        }
    }

    private static void bring(Records records, String name, String id) {
        try {
            if (BROUGHT.putIfAbsent(id, System.nanoTime()) == null) {
                records.deleteJob(name, id);
            }
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "The deletion of {0} is brought at the next start", name);
        }
    }

    private static Path jobs() {
        return new File(Jenkins.get().getRootDir(), "jobs").toPath();
    }
}
