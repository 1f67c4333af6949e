package io.jenkins.plugins.ha;

import io.jenkins.plugins.ha.agents.AgentOwners;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.builds.BuildFence;
import io.jenkins.plugins.ha.builds.ForeignBuilds;
import io.jenkins.plugins.ha.builds.OrphanedBuilds;
import io.jenkins.plugins.ha.builds.OrphanedPipelines;
import io.jenkins.plugins.ha.builds.Reruns;
import io.jenkins.plugins.ha.carried.Carrying;
import io.jenkins.plugins.ha.commands.Commands;
import io.jenkins.plugins.ha.jobs.JobEvents;
import io.jenkins.plugins.ha.jobs.SharedItems;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.locks.Locks;
import io.jenkins.plugins.ha.queue.Claimer;
import io.jenkins.plugins.ha.queue.QueueView;
import io.jenkins.plugins.ha.queue.RevisedItems;
import io.jenkins.plugins.ha.topology.Topology;
import io.jenkins.plugins.ha.watch.ItemCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Brings what happened in the cluster to those it concerns, in order, on one thread that runs as
 * SYSTEM. What reads the shared folder has threads of its own, so that a folder that stalls keeps
 * neither the queue nor a stop or a cancel waiting.
 */
final class EventPump {
    private static final Logger LOGGER = Logger.getLogger(EventPump.class.getName());
    private static final long WAIT_MILLIS = 30_000;

    /** How often what fails is tried again, and after how long. */
    private static final int TRIES = 3;

    private static final long RETRY_MILLIS = 100;

    private final Cluster cluster;
    private final QueueView view;
    private final ForeignBuilds builds;
    private final Claimer claimer;
    private final Commands commands;
    private final OrphanedBuilds orphans;
    private final BuildFence fence;
    private final OrphanedPipelines pipelines;
    private final Topology topology;
    private final ItemCounts counts;
    private final SharedItems items;

    /** What needs the jobs, while they are not loaded; null from then on. */
    private List<Event> early = new ArrayList<>();

    private final Loop loop;

    EventPump(
            Cluster cluster,
            Watchdog watchdog,
            QueueView view,
            ForeignBuilds builds,
            Claimer claimer,
            OrphanedBuilds orphans,
            BuildFence fence,
            OrphanedPipelines pipelines,
            Topology topology,
            ItemCounts counts,
            SharedItems items) {
        this.cluster = cluster;
        this.view = view;
        this.builds = builds;
        this.claimer = claimer;
        this.orphans = orphans;
        this.fence = fence;
        this.pipelines = pipelines;
        this.topology = topology;
        this.counts = counts;
        this.items = items;
        this.commands = new Commands(cluster);
        this.loop = watchdog.loop("ha-jenkins-events", this::round);
    }

    void start() {
        loop.start();
    }

    /** The jobs are there: what was put off for want of them is done now, before anything newer. */
    void jobsLoaded() {
        RevisedItems.ofAll();
        synchronized (this) {
            List<Event> waiting = early;
            early = null;
            for (Event event : waiting) {
                try {
                    handleStubbornly(event);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                } catch (RuntimeException | Error e) {
                    LOGGER.log(Level.SEVERE, "Could not follow an event of the cluster", e);
                }
            }
        }
    }

    void stop() {
        commands.stop();
        loop.await(2000);
    }

    private boolean round() throws InterruptedException {
        try {
            Event event = cluster.nextEvent(WAIT_MILLIS).orElse(null);
            if (event != null) {
                handleInTurn(event);
            }
        } catch (HaException.Unavailable e) {
            LOGGER.log(Level.FINE, "No events: {0}", e.getMessage());
        }
        return true;
    }

    private void handleInTurn(Event event) throws InterruptedException {
        synchronized (this) {
            boolean needsJobs =
                    event instanceof Event.Announcement || event instanceof Event.Orphaned;
            if (early != null && needsJobs) {
                early.add(event);
                return;
            }
        }
        handleStubbornly(event);
    }

    /**
     * What cannot be followed, for an Error of a plugin say, is tried again; if that does not help
     * either, the whole queue is read anew, and the next event's turn comes.
     */
    private void handleStubbornly(Event event) throws InterruptedException {
        for (int failures = 1; ; failures++) {
            try {
                handle(event);
                return;
            } catch (HaException.Closed e) {
                throw e;
            } catch (RuntimeException | Error e) {
                if (failures >= TRIES) {
                    LOGGER.log(
                            Level.SEVERE,
                            "Could not follow an event of the cluster; reading the whole queue",
                            e);
                    loop.behind(true); // until a snapshot was followed
                    cluster.reread();
                    throw e;
                }
                Thread.sleep(RETRY_MILLIS << failures);
            }
        }
    }

    private void handle(Event event) {
        if (event instanceof Event.ItemChanged changed) {
            counts.changed(changed.item());
            view.changed(changed.item());
            Reruns.followed(changed.item());
            claimer.changed(changed.item());
            pipelines.changed(changed.item());
            orphans.changed(changed.item());
            claimer.poke();
        } else if (event instanceof Event.Announcement announcement) {
            announced(announcement);
        } else if (event instanceof Event.Command command) {
            commands.handle(command);
        } else if (event instanceof Event.Snapshot snapshot) {
            view.replaceAll(snapshot.items());
            RevisedItems.ofAll();
            snapshot.items().forEach(Reruns::followed);
            items.compare(); // what was told meanwhile may be lost
            claimer.poke();
            loop.behind(false);
        } else if (event instanceof Event.Orphaned orphaned) {
            counts.takenOver();
            orphans.decide(orphaned.item());
        } else if (event instanceof Event.MembersChanged) {
            orphans.membersChanged();
            items.compare(); // the last words of one that died may be lost
            topology.poke();
            agents().ifPresent(AgentOwners::lookSoon);
        } else if (event instanceof Event.LinkChanged changed) {
            LOGGER.info(() -> "Cluster: " + changed.state().text());
            claimer.linkChanged(changed.state());
            fence.linkChanged(changed.state());
            carrying().ifPresent(Carrying::lookSoon);
            Locks.lookSoon();
            agents().ifPresent(AgentOwners::lookSoon);
        }
    }

    private static Optional<Carrying> carrying() {
        return Membership.active().map(Membership::carrying);
    }

    private static Optional<AgentOwners> agents() {
        return Membership.active().map(Membership::agents);
    }

    private void announced(Event.Announcement announcement) {
        switch (announcement.topic()) {
            case ForeignBuilds.TOPIC -> builds.announced(announcement);
            case JobEvents.TOPIC -> items.announced(announcement);
            case Carrying.TOPIC -> carrying().ifPresent(one -> one.announced(announcement));
            case AgentOwners.TOPIC -> agents().ifPresent(one -> one.announced(announcement));
            case Locks.TOPIC -> Locks.announced(announcement);
            case OrphanedPipelines.TOPIC -> pipelines.announced(announcement);
            default ->
                    LOGGER.fine(
                            () ->
                                    "Ignored an announcement on "
                                            + announcement.topic()
                                            + ", of a newer version perhaps");
        }
    }
}
