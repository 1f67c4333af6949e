package io.jenkins.plugins.ha.records;

import hudson.Extension;
import hudson.XmlFile;
import hudson.model.Executor;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.Saveable;
import hudson.model.listeners.ItemListener;
import hudson.model.listeners.RunListener;
import hudson.model.listeners.SaveableListener;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.builds.BuildFence;
import io.jenkins.plugins.ha.builds.ReadOnlyCopies;
import io.jenkins.plugins.ha.commands.Editing;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Writes the record whenever Jenkins writes a build, whatever kind of build it is. An end is
 * recorded before the others are told of it: a build that is known to have ended has a record that
 * says so, whoever dies then.
 */
@Extension(ordinal = 1100)
public final class RecordKeeper extends RunListener<Run<?, ?>> {
    private static final Logger LOGGER = Logger.getLogger(RecordKeeper.class.getName());
    private static final long FLUSH_MILLIS = 2000;

    /** Builds that run here now and did not begin here, by their ids. */
    private static final Set<String> TAKEN_OVER = ConcurrentHashMap.newKeySet();

    @Override
    public void onFinalized(Run<?, ?> run) {
        Records records = BuildRecords.active().orElse(null);
        Membership membership = Membership.active().orElse(null);
        if (records == null || membership == null || BuildFence.isCut(run)) {
            return;
        }
        recordEnd(records, membership, run);
        TAKEN_OVER.remove(run.getExternalizableId());
    }

    /**
     * From now on this controller writes the record of a build that another one ran, or an earlier
     * start of this one, and that has died. Never throws.
     */
    public static void takeOver(Run<?, ?> run) {
        whileOpen((records, membership) -> takeOver(records, membership, run));
    }

    /**
     * A build has ended that another controller, or an earlier start of this one, ran: its record
     * says so from now on. Never throws; what cannot be stored is looked at again by {@link
     * Reconciling}.
     */
    public static void endOfTheDead(Run<?, ?> run) {
        whileOpen(
                (records, membership) -> {
                    takeOver(records, membership, run);
                    recordEnd(records, membership, run);
                });
    }

    private static void whileOpen(BiConsumer<Records, Membership> act) {
        Membership.active()
                .ifPresent(
                        membership ->
                                BuildRecords.active()
                                        .ifPresent(records -> act.accept(records, membership)));
    }

    private static void recordEnd(Records records, Membership membership, Run<?, ?> run) {
        record(
                records,
                membership,
                run,
                new XmlFile(Run.XSTREAM, new File(run.getRootDir(), "build.xml")),
                BuildRow.State.ENDED);
        try {
            if (!records.flush(run.getParent().getFullName(), run.getNumber(), FLUSH_MILLIS)) {
                LOGGER.warning(
                        () ->
                                "The record of "
                                        + run
                                        + " is not stored yet; it is kept in memory and tried on");
            }
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "{0} is recorded at the next start", run);
        }
    }

    /**
     * Makes the record ours, once: from then on ours are the writes that count. One bounded round
     * trip.
     */
    private static void takeOver(Records records, Membership membership, Run<?, ?> run) {
        String id = run.getExternalizableId();
        try {
            if (!TAKEN_OVER.contains(id)
                    && records.adopt(
                            run.getParent().getFullName(),
                            run.getNumber(),
                            membership.identity().id(),
                            membership.identity().incarnation(),
                            membership.link().epoch())) {
                TAKEN_OVER.add(id);
            }
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "The record of {0} is not ours yet: {1}",
                    new Object[] {run, e.getMessage()});
        }
    }

    @Override
    public void onDeleted(Run<?, ?> run) {
        whileOpen(
                (records, membership) -> {
                    Job<?, ?> job = run.getParent();
                    Deletions.note(job, run.getNumber());
                    records.delete(job.getFullName(), run.getNumber());
                    membership.deleted(job.getFullName(), run.getNumber());
                });
    }

    private static void record(
            Records records,
            Membership membership,
            Run<?, ?> run,
            XmlFile file,
            BuildRow.State state) {
        if (isGone(run.getParent())) {
            return; // whatever comes of it is not about another job that gets the name
        }
        try {
            byte[] xml = Files.readAllBytes(file.getFile().toPath());
            ClusterItemAction action = run.getAction(ClusterItemAction.class);
            boolean ours =
                    action != null
                            && action.controllerId().equals(membership.identity().id())
                            && action.incarnation().equals(membership.identity().incarnation());
            if ((!ours || membership.builds().goesOn(run)) && executesHere(run)) {
                takeOver(records, membership, run); // resumed after a start, or after a death
            }
            records.save(
                    RowOfRun.of(run, state, xml, membership),
                    !ours && state == BuildRow.State.ENDED);
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "{0} is recorded at the next start", run);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "No record of " + run + ": its file cannot be read", e);
        }
    }

    @SuppressWarnings("try") // who acts is settled by having the context open
    private static boolean isGone(Job<?, ?> job) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            return Jenkins.get().getItemByFullName(job.getFullName(), Job.class) == null;
        }
    }

    private static boolean executesHere(Run<?, ?> run) {
        return run instanceof Queue.Executable executable && Executor.of(executable) != null;
    }

    /** Each save. */
    @Extension(ordinal = 900)
    public static final class Saves extends SaveableListener {
        @Override
        public void onChange(Saveable saved, XmlFile file) {
            Records records = BuildRecords.active().orElse(null);
            Membership membership = Membership.active().orElse(null);
            if (membership == null || !(saved instanceof Run<?, ?> run)) {
                return;
            }
            String owner = ReadOnlyCopies.ownerOf(membership, run);
            if (owner != null) {
                passOn(records, membership, owner, run, file);
                return;
            }
            if (records == null) {
                return;
            }
            record(
                    records,
                    membership,
                    run,
                    file,
                    run.isBuilding() ? BuildRow.State.RUNNING : BuildRow.State.ENDED);
        }

        /**
         * A read-only copy was saved over the file of a build that runs elsewhere: what its owner
         * wrote last comes back, and the owner is asked to make the change itself.
         */
        private static void passOn(
                Records records, Membership membership, String owner, Run<?, ?> run, XmlFile file) {
            BuildRow row = null;
            try {
                byte[] before = ReadOnlyCopies.overwritten(run);
                if (before != null) {
                    BuildFiles.write(file.getFile().toPath(), before);
                    row = RowOfFile.of(run.getParent().getFullName(), run.getNumber(), before);
                } else if (records != null) {
                    row = records.find(run.getParent().getFullName(), run.getNumber()).orElse(null);
                    if (row != null && row.xml() != null) {
                        BuildFiles.write(file.getFile().toPath(), row.xml());
                    }
                }
            } catch (IOException | RuntimeException e) {
                LOGGER.log(
                        Level.FINE,
                        "The file of " + run + " is as this controller wrote it, for the moment",
                        e);
            }
            if (!Editing.ask(membership, owner, run, row)) {
                LOGGER.warning(
                        () ->
                                "A change of "
                                        + run
                                        + " was undone: the controller that runs it did not take"
                                        + " it. Make it again when the build has ended.");
            }
        }
    }

    /** Records follow their jobs. */
    @Extension
    public static final class Jobs extends ItemListener {
        @Override
        public void onLocationChanged(Item item, String from, String to) {
            if (item instanceof Job<?, ?>) {
                BuildRecords.active().ifPresent(records -> records.rename(from, to));
            }
        }
    }
}
