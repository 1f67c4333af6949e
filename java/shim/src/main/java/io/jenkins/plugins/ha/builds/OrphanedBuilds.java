package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.Result;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.queue.ClaimedItems;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.records.RecordKeeper;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;
import jenkins.util.Timer;

/**
 * Builds whose controller died. It falls to one survivor to decide: a build that had not begun runs
 * again; a running freestyle or matrix build ends as ABORTED, which its log says; a Pipeline stays
 * as it is for its own controller to resume.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class OrphanedBuilds {
    private static final Logger LOGGER = Logger.getLogger(OrphanedBuilds.class.getName());

    /**
     * A controller that comes straight back, after a stall or a restart, says itself what its
     * builds are.
     */
    private static final long GRACE_MILLIS = 3000;

    private static final Pattern LASTED = Pattern.compile("<duration>[1-9]\\d*</duration>");

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final ForeignBuilds builds;
    private final Outbound outbound;

    public OrphanedBuilds(
            Cluster cluster, ControllerIdentity identity, ForeignBuilds builds, Outbound outbound) {
        this.cluster = cluster;
        this.outbound = outbound;
        this.identity = identity;
        this.builds = builds;
    }

    /** Decides what becomes of this item's build. The jobs are loaded. */
    public void decide(Item item) {
        if (item.owner().equals(identity.id()) && ClaimedItems.executing().contains(item.id())) {
            return; // a stall cost this controller its membership, not the build: its end is told
        }
        Job<?, ?> job = Jenkins.get().getItemByFullName(item.job(), Job.class);
        BuildKey key = new BuildKey(item.job(), item.number());
        if (job != null && PipelineFile.isPipeline(job)) {
            LOGGER.warning(
                    () ->
                            "The controller "
                                    + item.owner()
                                    + " died while it ran the Pipeline "
                                    + item.job()
                                    + " #"
                                    + item.number()
                                    + ": it goes on when that controller is back");
            return;
        }
        try {
            File folder =
                    job == null
                            ? null
                            : new File(job.getBuildDir(), Integer.toString(item.number()));
            if (item.state() != ItemState.RUNNING
                    && folder != null
                    && !new File(folder, "build.xml").isFile()) {
                outbound.tell(
                        "return of queue item " + item.id(),
                        c -> c.requeue(item.id(), "its controller died before the build began"));
                LOGGER.warning(
                        () ->
                                "Queue item "
                                        + item.id()
                                        + " of "
                                        + item.job()
                                        + " goes back: its controller died before it began");
                return;
            }
            String result = job == null ? "ABORTED" : end(job, key, item.owner());
            outbound.tell(
                    "end of the orphaned " + item.job() + " #" + item.number(),
                    c -> c.finished(item.id(), result));
        } catch (IOException e) {
            LOGGER.log(
                    Level.WARNING,
                    "Could not end " + item.job() + " #" + item.number() + " whose controller died",
                    e);
        }
    }

    /**
     * A controller may have died with builds that were never in the cluster's queue, such as those
     * with file parameters.
     */
    public void membersChanged() {
        if (!builds.running().isEmpty()) {
            Timer.get().schedule(this::endBuildsOfTheGone, GRACE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void endBuildsOfTheGone() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Set<String> members = new TreeSet<>();
            for (Member member : cluster.members()) {
                members.add(member.controllerId());
            }
            if (members.isEmpty() || !members.iterator().next().equals(identity.id())) {
                return; // one survivor does it
            }
            for (Map.Entry<BuildKey, String> entry : builds.running().entrySet()) {
                if (!members.contains(entry.getValue())) {
                    endUnqueued(entry.getKey(), entry.getValue());
                }
            }
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "Not a member just now: another survivor looks after the builds",
                    e);
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.WARNING, "Could not end builds whose controller died", e);
        }
    }

    private void endUnqueued(BuildKey key, String owner) throws IOException {
        Job<?, ?> job = Jenkins.get().getItemByFullName(key.job(), Job.class);
        Run<?, ?> run =
                job == null || PipelineFile.isPipeline(job)
                        ? null
                        : job.getBuildByNumber(key.number());
        ClusterItemAction action = run == null ? null : run.getAction(ClusterItemAction.class);
        if (action != null && action.itemId() == 0 && action.controllerId().equals(owner)) {
            end(job, key, owner);
        }
    }

    /** Writes the end into the build's files, unless it is there; the result. */
    private String end(Job<?, ?> job, BuildKey key, String owner) throws IOException {
        Path folder = job.getBuildDir().toPath().resolve(Integer.toString(key.number()));
        Path buildXml = folder.resolve("build.xml");
        if (!Files.isRegularFile(buildXml)) {
            builds.ended(key);
            return "ABORTED";
        }
        // with a duration it has ended, and only the news of that died with its owner
        boolean ended = LASTED.matcher(Files.readString(buildXml)).find();
        if (!ended) {
            note(job, key, owner, folder);
        }
        builds.ended(key);
        Run<?, ?> run = job.getBuildByNumber(key.number());
        if (run == null) {
            return "ABORTED";
        }
        if (!ended) {
            long started = run.getStartTimeInMillis();
            long lasted = Math.max(1, System.currentTimeMillis() - started);
            RunFields.showEnded(run, Result.ABORTED, lasted);
            run.save();
        }
        RecordKeeper.endOfTheDead(run);
        return String.valueOf(run.getResult());
    }

    private static void note(Job<?, ?> job, BuildKey key, String owner, Path folder)
            throws IOException {
        Run<?, ?> run = job.getBuildByNumber(key.number());
        ClusterItemAction action = run == null ? null : run.getAction(ClusterItemAction.class);
        String name = action == null ? owner : action.controllerName();
        Files.writeString(
                folder.resolve("log"),
                "\nThe controller '"
                        + name
                        + "' died while it ran this build.\nFinished: ABORTED\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        LOGGER.warning(
                () ->
                        key.job()
                                + " #"
                                + key.number()
                                + " ends as ABORTED: its controller '"
                                + name
                                + "' died");
    }
}
