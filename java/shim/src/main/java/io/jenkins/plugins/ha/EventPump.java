package io.jenkins.plugins.ha;

import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.builds.BuildFence;
import io.jenkins.plugins.ha.builds.ForeignBuilds;
import io.jenkins.plugins.ha.builds.OrphanedBuilds;
import io.jenkins.plugins.ha.builds.OrphanedPipelines;
import io.jenkins.plugins.ha.builds.Reruns;
import io.jenkins.plugins.ha.commands.Commands;
import io.jenkins.plugins.ha.jobs.JobEvents;
import io.jenkins.plugins.ha.jobs.SharedItems;
import io.jenkins.plugins.ha.queue.Claimer;
import io.jenkins.plugins.ha.queue.QueueView;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Brings what happened in the cluster to those it concerns, in order, on one thread that runs as
 * SYSTEM.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
final class EventPump {
    private static final Logger LOGGER = Logger.getLogger(EventPump.class.getName());
    private static final long WAIT_MILLIS = 30_000;

    private final Cluster cluster;
    private final QueueView view;
    private final ForeignBuilds builds;
    private final Claimer claimer;
    private final Commands commands;
    private final OrphanedBuilds orphans;
    private final BuildFence fence;
    private final OrphanedPipelines pipelines;
    private final SharedItems items;

    /** What needs the jobs, while they are not loaded; null from then on. */
    private List<Event> early = new ArrayList<>();

    private final Thread thread = new Thread(this::run, "ha-jenkins-events");

    EventPump(
            Cluster cluster,
            QueueView view,
            ForeignBuilds builds,
            Claimer claimer,
            OrphanedBuilds orphans,
            BuildFence fence,
            OrphanedPipelines pipelines,
            SharedItems items) {
        this.cluster = cluster;
        this.view = view;
        this.builds = builds;
        this.claimer = claimer;
        this.orphans = orphans;
        this.fence = fence;
        this.pipelines = pipelines;
        this.items = items;
        this.commands = new Commands(cluster);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** The jobs are there: what was put off for want of them is done now, before anything newer. */
    void jobsLoaded() {
        synchronized (this) {
            List<Event> waiting = early;
            early = null;
            waiting.forEach(this::handleSafely);
        }
    }

    void stop() {
        commands.stop();
        try {
            thread.join(2000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            while (true) {
                try {
                    cluster.nextEvent(WAIT_MILLIS).ifPresent(this::handleInTurn);
                } catch (HaException.Closed e) {
                    return;
                } catch (HaException.Unavailable e) {
                    LOGGER.log(Level.FINE, "No events: {0}", e.getMessage());
                }
            }
        }
    }

    private void handleInTurn(Event event) {
        synchronized (this) {
            boolean needsJobs =
                    event instanceof Event.Announcement || event instanceof Event.Orphaned;
            if (early != null && needsJobs) {
                early.add(event);
                return;
            }
        }
        handleSafely(event);
    }

    private void handleSafely(Event event) {
        try {
            handle(event);
        } catch (RuntimeException | LinkageError e) {
            LOGGER.log(
                    Level.SEVERE,
                    "Could not follow an event of the cluster; going on with the next",
                    e);
        }
    }

    private void handle(Event event) {
        if (event instanceof Event.ItemChanged changed) {
            view.changed(changed.item());
            Reruns.followed(changed.item());
            claimer.changed(changed.item());
            pipelines.changed(changed.item());
            claimer.poke();
        } else if (event instanceof Event.Announcement announcement) {
            announced(announcement);
        } else if (event instanceof Event.Command command) {
            commands.handle(command);
        } else if (event instanceof Event.Snapshot snapshot) {
            view.replaceAll(snapshot.items());
            snapshot.items().forEach(Reruns::followed);
            items.compare(); // what was told meanwhile may be lost
            claimer.poke();
        } else if (event instanceof Event.Orphaned orphaned) {
            orphans.decide(orphaned.item());
        } else if (event instanceof Event.MembersChanged) {
            orphans.membersChanged();
        } else if (event instanceof Event.LinkChanged changed) {
            LOGGER.info(() -> "Cluster: " + changed.state().text());
            claimer.linkChanged(changed.state());
            fence.linkChanged(changed.state());
        }
    }

    private void announced(Event.Announcement announcement) {
        switch (announcement.topic()) {
            case ForeignBuilds.TOPIC -> builds.announced(announcement);
            case JobEvents.TOPIC -> items.announced(announcement);
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
