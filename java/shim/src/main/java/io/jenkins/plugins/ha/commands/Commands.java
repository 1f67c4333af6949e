package io.jenkins.plugins.ha.commands;

import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.jobs.ItemDeletions;
import io.jenkins.plugins.ha.queue.Cancelling;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Does what other controllers ask for, as SYSTEM: whoever asked was allowed to, where he asked. The
 * bridge has checked that it was asked by a controller of this cluster.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Commands {
    private static final Logger LOGGER = Logger.getLogger(Commands.class.getName());
    private static final int THREADS = 4;

    private final Cluster cluster;
    private final AtomicInteger count = new AtomicInteger();
    private final ExecutorService threads =
            Executors.newFixedThreadPool(
                    THREADS,
                    work -> {
                        Thread thread =
                                new Thread(work, "ha-jenkins-command-" + count.incrementAndGet());
                        thread.setDaemon(true);
                        return thread;
                    });

    public Commands(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Does it on a thread of its own and answers. */
    public void handle(Event.Command command) {
        threads.execute(
                () -> {
                    String answer;
                    try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
                        answer = obey(command);
                    } catch (RuntimeException | LinkageError e) {
                        LOGGER.log(
                                Level.WARNING,
                                "Could not " + command.topic() + " as asked by " + command.from(),
                                e);
                        answer = "error " + e.getMessage();
                    }
                    try {
                        cluster.answer(
                                command.requestId(), answer.getBytes(StandardCharsets.UTF_8));
                    } catch (HaException e) {
                        LOGGER.log(
                                Level.FINE,
                                "No answer to {0}: {1}",
                                new Object[] {command.from(), e.getMessage()});
                    }
                });
    }

    /** Takes no more. */
    public void stop() {
        threads.shutdownNow();
    }

    private String obey(Event.Command command) {
        String body = new String(command.body(), StandardCharsets.UTF_8);
        return switch (command.topic()) {
            case Cancelling.TOPIC -> cancelHere(body) ? "ok" : "late";
            case Stopping.TOPIC -> Stopping.stopHere(body);
            case Editing.TOPIC -> Editing.editHere(body);
            case Draining.TOPIC -> Draining.drainHere(Membership.active().orElseThrow(), body);
            case ItemDeletions.TOPIC -> deleteHere(body, command.from());
            case ControllerStatus.TOPIC ->
                    ControllerStatus.here(Membership.active().orElseThrow()).toText();
            default -> "unknown";
        };
    }

    private static String deleteHere(String item, String asker) {
        Membership membership = Membership.active().orElseThrow();
        return membership.items().deletions().stopHere(item, asker, membership.identity().id());
    }

    private static boolean cancelHere(String body) {
        return Cancelling.cancelHere(Membership.active().orElseThrow(), body);
    }
}
