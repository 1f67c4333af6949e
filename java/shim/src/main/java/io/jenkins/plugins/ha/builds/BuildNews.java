package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.XmlFile;
import hudson.model.AbstractBuild;
import hudson.model.Executor;
import hudson.model.Job;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.Saveable;
import hudson.model.listeners.RunListener;
import hudson.model.listeners.SaveableListener;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import io.jenkins.plugins.ha.queue.LocalBuilds;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Tells the other controllers of builds that start, change, end and are deleted here, and keeps
 * Jenkins from reading theirs too early.
 */
@Extension(ordinal = 1000)
public final class BuildNews extends RunListener<Run<?, ?>> {
    private static final Logger LOGGER = Logger.getLogger(BuildNews.class.getName());
    private static final Set<BuildKey> TOLD_VISIBLE = ConcurrentHashMap.newKeySet();

    @Override
    public void onInitialize(Run<?, ?> run) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return;
        }
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action == null) {
            action = LocalBuilds.begun(BuildNumbers.inHand(), membership.identity());
            run.addAction(action);
        }
        RunFields.linkPrevious(run, previousHere(run));
        if (run instanceof AbstractBuild) {
            try {
                // core writes the first build.xml at the end; the others must be able to read it
                DespiteInterrupts.save(run);
                tellVisible(membership, run);
            } catch (IOException e) {
                LOGGER.log(
                        Level.WARNING,
                        run
                                + " is not seen by other controllers before it ends: it cannot be"
                                + " saved",
                        e);
            }
        }
        long item = action.itemId();
        int number = run.getNumber();
        if (item > 0) {
            membership.outbound().tell("start of " + run, cluster -> cluster.started(item, number));
        }
    }

    @Override
    public void onFinalized(Run<?, ?> run) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return;
        }
        TOLD_VISIBLE.remove(BuildKey.of(run));
        membership.builds().endedHere(BuildKey.of(run));
        ClusterPermalinks.forget(run.getParent().getFullName());
        if (BuildFence.isCut(run)) {
            return; // told by whoever ended it
        }
        announce(membership, run, ForeignBuilds.ENDED);
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action != null && action.itemId() > 0) {
            Result result = run.getResult();
            long item = action.itemId();
            String text = result == null ? "NOT_BUILT" : result.toString();
            ClusterItemAction of = action;
            int number = run.getNumber();
            membership
                    .outbound()
                    .tell(
                            "end of " + run,
                            RunFields.isPipeline(run)
                                    ? cluster -> OwnPipelines.finish(cluster, of, number, text)
                                    : cluster -> cluster.finished(item, text));
        }
    }

    @Override
    public void onDeleted(Run<?, ?> run) {
        Membership.active()
                .ifPresent(
                        membership -> {
                            ClusterPermalinks.forget(run.getParent().getFullName());
                            announce(membership, run, ForeignBuilds.DELETED);
                        });
    }

    /**
     * Asked before each load. Never waits, never throws: Jenkins calls it bare while it holds the
     * job's list.
     */
    @Override
    public boolean allowLoad(Job<?, ?> job, int number) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return true;
        }
        ForeignBuilds builds = membership.builds();
        BuildKey key = new BuildKey(job.getFullName(), number);
        if (builds.isDeleted(key)) {
            return false;
        }
        FreshBuilds.about(key, builds.version(key));
        File buildXml = new File(job.getBuildDir(), number + File.separator + "build.xml");
        boolean elsewhere = builds.runningOn(key.job(), number) != null;
        if (!elsewhere && !buildXml.isFile()) {
            membership.missing(key.job(), number);
        }
        return ForeignBuilds.readable(buildXml, elsewhere && PipelineFile.isPipeline(job));
    }

    /**
     * Asked once when a job's list is made, of a hundred thousand numbers perhaps: only what may be
     * in the making is looked at.
     */
    @Override
    public IntPredicate createLoadAllower(Job<?, ?> job) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return number -> true;
        }
        String name = job.getFullName();
        List<Integer> elsewhere = membership.builds().runningElsewhere(name);
        return number ->
                elsewhere.contains(number)
                        ? allowLoad(job, number)
                        : !membership.builds().isDeleted(new BuildKey(name, number));
    }

    static void announce(Membership membership, Run<?, ?> run, String verb) {
        String job = run.getParent().getFullName();
        int number = run.getNumber();
        byte[] body = (verb + " " + membership.identity().id()).getBytes(StandardCharsets.UTF_8);
        Outbound.Telling telling =
                cluster -> cluster.announce(ForeignBuilds.TOPIC, job, number, body);
        if (verb.equals(ForeignBuilds.CHANGED)) {
            membership.outbound().tellOnce(verb + " of " + run, telling);
        } else {
            membership.outbound().tell(verb + " of " + run, telling);
        }
    }

    private static void tellVisible(Membership membership, Run<?, ?> run) {
        if (TOLD_VISIBLE.add(BuildKey.of(run))) {
            announce(membership, run, ForeignBuilds.VISIBLE);
        }
    }

    private static Run<?, ?> previousHere(Run<?, ?> run) {
        for (Run<?, ?> before = run.getPreviousBuild();
                before != null && before.isBuilding();
                before = before.getPreviousBuild()) {
            if (Executor.of((hudson.model.Queue.Executable) before) != null) {
                return before;
            }
        }
        return null;
    }

    /**
     * Saves: a Pipeline becomes readable with the first that says it has not ended; later ones, and
     * edits, are told as changes.
     */
    @Extension
    public static final class Saves extends SaveableListener {
        @Override
        public void onChange(Saveable saved, XmlFile file) {
            Membership membership = Membership.active().orElse(null);
            if (membership == null
                    || !(saved instanceof Run<?, ?> run)
                    || membership.builds().runningOn(run) != null) {
                return; // of a build that runs elsewhere, the one that runs it tells
            }
            if (!run.isBuilding() || TOLD_VISIBLE.contains(BuildKey.of(run))) {
                announce(membership, run, ForeignBuilds.CHANGED);
            } else if (RunFields.isPipeline(run) && PipelineFile.saysWhetherEnded(file.getFile())) {
                tellVisible(membership, run);
            }
        }
    }
}
