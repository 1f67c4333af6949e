package io.jenkins.plugins.ha.records;

import hudson.Extension;
import hudson.XmlFile;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Run;
import hudson.model.Saveable;
import hudson.model.listeners.ItemListener;
import hudson.model.listeners.RunListener;
import hudson.model.listeners.SaveableListener;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.IOException;
import java.nio.file.Files;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Writes the record whenever Jenkins writes a build, whatever kind of build it is. */
@Extension(ordinal = 900)
public final class RecordKeeper extends RunListener<Run<?, ?>> {
    private static final Logger LOGGER = Logger.getLogger(RecordKeeper.class.getName());
    private static final long FLUSH_MILLIS = 2000;

    @Override
    public void onFinalized(Run<?, ?> run) {
        Records records = BuildRecords.active().orElse(null);
        Membership membership = Membership.active().orElse(null);
        if (records == null || membership == null) {
            return;
        }
        record(
                records,
                membership,
                run,
                new XmlFile(Run.XSTREAM, new java.io.File(run.getRootDir(), "build.xml")),
                BuildRow.State.ENDED);
        String job = run.getParent().getFullName();
        try {
            if (!records.flush(job, run.getNumber(), FLUSH_MILLIS)) {
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

    @Override
    public void onDeleted(Run<?, ?> run) {
        BuildRecords.active()
                .ifPresent(
                        records -> records.delete(run.getParent().getFullName(), run.getNumber()));
    }

    private static void record(
            Records records,
            Membership membership,
            Run<?, ?> run,
            XmlFile file,
            BuildRow.State state) {
        try {
            byte[] xml = Files.readAllBytes(file.getFile().toPath());
            ClusterItemAction action = run.getAction(ClusterItemAction.class);
            boolean ours =
                    action != null
                            && action.controllerId().equals(membership.identity().id())
                            && action.incarnation().equals(membership.identity().incarnation());
            records.save(
                    RowOfRun.of(run, state, xml, membership),
                    !ours && state == BuildRow.State.ENDED);
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "{0} is recorded at the next start", run);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "No record of " + run + ": its file cannot be read", e);
        }
    }

    /** Each save. */
    @Extension(ordinal = 900)
    public static final class Saves extends SaveableListener {
        @Override
        public void onChange(Saveable saved, XmlFile file) {
            Records records = BuildRecords.active().orElse(null);
            Membership membership = Membership.active().orElse(null);
            if (records == null || membership == null || !(saved instanceof Run<?, ?> run)) {
                return;
            }
            if (membership.builds().runningOn(run) != null) {
                restore(records, run, file);
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
         * wrote last comes back.
         */
        private static void restore(Records records, Run<?, ?> run, XmlFile file) {
            try {
                byte[] xml =
                        records.find(run.getParent().getFullName(), run.getNumber())
                                .map(BuildRow::xml)
                                .orElse(null);
                if (xml != null) {
                    BuildFiles.write(file.getFile().toPath(), xml);
                    LOGGER.info(
                            () ->
                                    "A change of "
                                            + run
                                            + " was undone: another controller runs it. Make it"
                                            + " when the build has ended.");
                }
            } catch (IOException | RuntimeException e) {
                LOGGER.log(
                        Level.WARNING,
                        "A change of "
                                + run
                                + " on this controller may hide what the one that runs it wrote",
                        e);
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

        @Override
        public void onDeleted(Item item) {
            if (item instanceof Job<?, ?>) {
                BuildRecords.active().ifPresent(records -> records.deleteJob(item.getFullName()));
            }
        }
    }
}
