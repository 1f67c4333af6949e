package io.jenkins.plugins.ha;

import hudson.model.Queue;
import io.jenkins.plugins.ha.agents.AgentOwners;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.builds.BuildFence;
import io.jenkins.plugins.ha.builds.ForeignBuilds;
import io.jenkins.plugins.ha.builds.OrphanedBuilds;
import io.jenkins.plugins.ha.builds.OrphanedPipelines;
import io.jenkins.plugins.ha.builds.OwnPipelines;
import io.jenkins.plugins.ha.builds.PipelineAdoption;
import io.jenkins.plugins.ha.builds.PipelineFence;
import io.jenkins.plugins.ha.builds.PipelineHandOver;
import io.jenkins.plugins.ha.carried.Carrying;
import io.jenkins.plugins.ha.clouds.Clouds;
import io.jenkins.plugins.ha.computers.ComputersElsewhere;
import io.jenkins.plugins.ha.forwarding.Forwarding;
import io.jenkins.plugins.ha.health.Others;
import io.jenkins.plugins.ha.jobs.SharedItems;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.locks.Locks;
import io.jenkins.plugins.ha.queue.Claimer;
import io.jenkins.plugins.ha.queue.HaQueue;
import io.jenkins.plugins.ha.queue.QueueView;
import io.jenkins.plugins.ha.records.BuildRecords;
import io.jenkins.plugins.ha.records.DeletedJobs;
import io.jenkins.plugins.ha.records.Reconciling;
import io.jenkins.plugins.ha.settings.EffectiveSettings;
import io.jenkins.plugins.ha.topology.Topology;
import io.jenkins.plugins.ha.watch.ItemCounts;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;

/**
 * This controller's part in the cluster, from the moment its queue was replaced until Jenkins
 * stops. Every extension of the plugin asks {@link #active()} first: where the queue is not ours,
 * none of them acts. Thread-safe.
 */
public final class Membership {
    private static volatile Membership current;

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final EffectiveSettings settings;
    private final Watchdog watchdog;
    private final Others others;
    private final QueueView view;
    private final ForeignBuilds builds;
    private final Outbound outbound;
    private final Claimer claimer;
    private final OrphanedBuilds orphans;
    private final BuildFence fence;
    private final PipelineFence pipelineFence;
    private final PipelineAdoption adoption;
    private final OwnPipelines ownPipelines;
    private final PipelineHandOver handOver;
    private final OrphanedPipelines orphanedPipelines;
    private final SharedItems items;
    private final EventPump pump;
    private final BuildRecords records;
    private final Topology topology;
    private final ItemCounts counts;
    private final Carrying carrying;
    private final Forwarding forwarding;
    private final AgentOwners agents;
    private final Clouds clouds;
    private final ComputersElsewhere computers;
    private volatile Reconciling reconciling;
    private volatile boolean leaving;

    Membership(Cluster cluster, ControllerIdentity identity, EffectiveSettings settings) {
        this.cluster = cluster;
        this.identity = identity;
        this.settings = settings;
        this.watchdog = new Watchdog(cluster);
        this.others = new Others(cluster, identity);
        this.outbound = new Outbound(cluster, watchdog);
        this.topology = new Topology(cluster, identity);
        this.counts = new ItemCounts(identity.id());
        this.carrying = new Carrying(cluster, settings.cluster(), identity, watchdog);
        this.records = BuildRecords.open(settings, identity);
        this.builds = new ForeignBuilds(identity);
        this.view = new QueueView(cluster, identity, builds);
        this.agents = new AgentOwners(cluster, identity, outbound, view, watchdog);
        this.computers = new ComputersElsewhere(cluster, identity);
        this.clouds = new Clouds(cluster, identity, outbound, watchdog);
        this.claimer = new Claimer(cluster, identity, view, outbound);
        this.adoption = new PipelineAdoption(cluster, identity, builds);
        this.orphanedPipelines = new OrphanedPipelines(outbound, adoption);
        this.orphans = new OrphanedBuilds(cluster, identity, builds, outbound, orphanedPipelines);
        adoption.endsBy(orphans);
        this.fence = new BuildFence(cluster, identity);
        this.pipelineFence = new PipelineFence(cluster, identity, builds);
        this.ownPipelines = new OwnPipelines(cluster, identity, view, builds, pipelineFence);
        this.handOver = new PipelineHandOver(cluster, identity, pipelineFence, adoption);
        this.items = new SharedItems(outbound, builds);
        this.forwarding = new Forwarding(this);
        this.pump =
                new EventPump(
                        cluster,
                        watchdog,
                        view,
                        builds,
                        claimer,
                        orphans,
                        fence,
                        orphanedPipelines,
                        topology,
                        counts,
                        items);
    }

    /** The membership while the cluster's queue is installed; empty on a plain Jenkins. */
    public static Optional<Membership> active() {
        return Optional.ofNullable(current);
    }

    /** Makes this the membership that the extensions act for. The queue has been installed. */
    void activate() {
        current = this;
        items.prepare();
        outbound.start();
        pump.start();
        others.start(watchdog);
        watchdog.start();
    }

    /** Takes part in the work: from now on builds are claimed. Jobs are loaded. */
    void takeBuilds() {
        BuildRecords.active().ifPresent(DeletedJobs::settle);
        pump.jobsLoaded();
        items.start(watchdog);
        agents.start();
        clouds.start();
        computers.start(watchdog);
        claimer.start(watchdog);
        fence.start(watchdog);
        pipelineFence.start(watchdog);
        ownPipelines.start(watchdog);
        handOver.start(watchdog);
        orphanedPipelines.start(watchdog);
        forwarding.start();
        records.opened()
                .ifPresent(
                        open -> {
                            Reconciling background = new Reconciling(open, this);
                            reconciling = background;
                            background.start();
                        });
    }

    /** Stops taking builds, tells the others what is still to be told, and leaves. Bounded. */
    void leave() {
        leaving = true;
        topology.stop();
        carrying.stop();
        agents.stop();
        clouds.stop();
        Locks.stop();
        watchdog.stop();
        claimer.stop();
        pipelineFence.leave();
        fence.stopBuilds();
        outbound.drainAndStop();
        cluster.close();
        pump.stop();
        items.stop();
        watchdog.stopAll();
        others.leave();
        forwarding.stop();
        Reconciling background = reconciling;
        if (background != null) {
            background.stop();
        }
        records.close();
    }

    /** The other controllers, compared with this one. */
    public Topology topology() {
        return topology;
    }

    /** What this controller did with queue items since it started. */
    public ItemCounts counts() {
        return counts;
    }

    /** Settings and users, which are the same on all controllers. */
    public Carrying carrying() {
        return carrying;
    }

    /** Passes requests on to the controllers that can answer them. */
    public Forwarding forwarding() {
        return forwarding;
    }

    /** For which controller each agent works. */
    public AgentOwners agents() {
        return agents;
    }

    /** Executors and agents of the other controllers. */
    public ComputersElsewhere computers() {
        return computers;
    }

    /** Agents of clouds. */
    public Clouds clouds() {
        return clouds;
    }

    /** Whether this controller is being shut down. */
    public boolean isLeaving() {
        return leaving;
    }

    /** The build records, or why there are none. */
    public BuildRecords records() {
        return records;
    }

    /** What is being done to make records and files agree; "" when nothing is. */
    public String reconciling() {
        Reconciling background = reconciling;
        return background == null ? "" : background.progress();
    }

    /** The file of a build that does not run elsewhere is not there. Does not block. */
    public void missing(String job, int number) {
        Reconciling background = reconciling;
        if (background != null) {
            background.missing(job, number);
        }
    }

    /** A build was deleted here, and the records were told. Does not block. */
    public void deleted(String job, int number) {
        Reconciling background = reconciling;
        if (background != null) {
            background.deleted(job, number);
        }
    }

    public Cluster cluster() {
        return cluster;
    }

    public ControllerIdentity identity() {
        return identity;
    }

    public EffectiveSettings settings() {
        return settings;
    }

    public QueueView view() {
        return view;
    }

    public ForeignBuilds builds() {
        return builds;
    }

    public Outbound outbound() {
        return outbound;
    }

    /** Jobs and folders, as all controllers have them. */
    public SharedItems items() {
        return items;
    }

    /** Pipelines whose controller is gone. */
    public OrphanedPipelines orphanedPipelines() {
        return orphanedPipelines;
    }

    /** Keeps Pipelines from going on here when they go on elsewhere. */
    public PipelineFence pipelines() {
        return pipelineFence;
    }

    /** Gives Pipelines to other controllers. */
    public PipelineHandOver handOver() {
        return handOver;
    }

    /** Looks whether what runs here is still ours. */
    public BuildFence fence() {
        return fence;
    }

    public Claimer claimer() {
        return claimer;
    }

    /**
     * Asks another controller, once, and answers what it says; its side is {@code Commands}.
     *
     * @throws io.jenkins.plugins.ha.bridge.HaException when it cannot be asked or says nothing in
     *     time
     */
    public String ask(String controllerId, String topic, String body, long timeoutMillis) {
        byte[] answer =
                cluster.ask(
                        controllerId,
                        topic,
                        body.getBytes(StandardCharsets.UTF_8),
                        UUID.randomUUID().toString(),
                        timeoutMillis);
        return new String(answer, StandardCharsets.UTF_8);
    }

    /** How this controller stands with the cluster, from memory. */
    public LinkState link() {
        return watchdog.link();
    }

    /** Looks after this controller's threads. */
    public Watchdog watchdog() {
        return watchdog;
    }

    /** Whether the other controllers are in the cluster while this one is not. */
    public Others others() {
        return others;
    }

    /** Builds whose controller is gone. */
    public OrphanedBuilds orphans() {
        return orphans;
    }

    /** Whether Jenkins really uses the queue that was installed. */
    public boolean queueIsOurs() {
        return Queue.getInstance() instanceof HaQueue;
    }
}
