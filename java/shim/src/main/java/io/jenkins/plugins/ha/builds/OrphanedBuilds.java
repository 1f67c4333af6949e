package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Builds whose controller died. It falls to one survivor to decide: a build that had not begun runs again; a running freestyle or matrix
 * build ends as ABORTED, which its log says; a Pipeline stays as it is for its own controller to resume.
 */
public final class OrphanedBuilds {
    private static final Logger LOGGER = Logger.getLogger(OrphanedBuilds.class.getName());

    private OrphanedBuilds() {}

    /** Decides what becomes of this item's build. */
    public static void decide(Cluster cluster, ForeignBuilds builds, Item item) {
        Job<?, ?> job = Jenkins.get().getItemByFullName(item.job(), Job.class);
        if (job != null && PipelineFile.isPipeline(job)) {
            LOGGER.warning(() -> "The controller " + item.owner() + " died while it ran the Pipeline " + item.job() + " #" + item.number()
                    + ": it goes on when that controller is back");
            return;
        }
        try {
            File folder = job == null ? null : new File(job.getBuildDir(), Integer.toString(item.number()));
            if (item.state() != ItemState.RUNNING && folder != null && !new File(folder, "build.xml").isFile()) {
                cluster.requeue(item.id(), "its controller died before the build began");
                LOGGER.warning(() -> "Queue item " + item.id() + " of " + item.job() + " goes back: its controller died before it began");
                return;
            }
            if (folder != null && folder.isDirectory()) {
                note(folder, item);
            }
            cluster.finished(item.id(), "ABORTED");
            BuildKey key = new BuildKey(item.job(), item.number());
            builds.ended(key);
            Run<?, ?> run = job == null ? null : job.getBuildByNumber(item.number());
            if (run != null) {
                run.save(); // read without a result it is ABORTED; say so in the file
            }
            LOGGER.warning(() -> item.job() + " #" + item.number() + " ended as ABORTED: its controller " + item.owner() + " died");
        } catch (HaException | IOException e) {
            LOGGER.log(Level.WARNING, "Could not end " + item.job() + " #" + item.number() + " whose controller died", e);
        }
    }

    private static void note(File folder, Item item) throws IOException {
        Files.writeString(
                folder.toPath().resolve("log"),
                "\nThe controller " + item.owner() + " that ran this build died.\nFinished: ABORTED\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
