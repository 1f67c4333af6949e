package io.jenkins.plugins.ha.commands;

import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.agents.AgentWishes;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.builds.Takers;
import io.jenkins.plugins.ha.doctor.Doctor;
import io.jenkins.plugins.ha.forwarding.Reach;
import io.jenkins.plugins.ha.jobs.ItemDeletions;
import io.jenkins.plugins.ha.life.Pool;
import io.jenkins.plugins.ha.queue.Cancelling;
import io.jenkins.plugins.ha.queue.Folding;
import io.jenkins.plugins.ha.triggers.WorkspacePolls;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Does what other controllers ask for, as SYSTEM: whoever asked was allowed to, where he asked. The
 * bridge has checked that it was asked by a controller of this cluster.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class Commands {
    private static final Logger LOGGER = Logger.getLogger(Commands.class.getName());
    private static final int MOST_WAITING = 1000;

    private final Cluster cluster;

    /** What needs no folder: never behind what may wait for one. */
    private final Pool quick = new Pool("ha-jenkins-command", 2, MOST_WAITING);

    private final Pool stops = new Pool("ha-jenkins-stop", 4, MOST_WAITING);

    /** What waits for the file of another build, or writes one. */
    private final Pool slow = new Pool("ha-jenkins-slow-command", 2, MOST_WAITING);

    /** What waits for builds to stop. */
    private final Pool deletions = new Pool("ha-jenkins-deletion", 4, MOST_WAITING);

    public Commands(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Does it on a thread for its kind and answers. */
    public void handle(Event.Command command) {
        if (!poolFor(command).execute(() -> obeyAndAnswer(command))) {
            answer(command, "error too much is asked of this controller just now");
        }
    }

    private Pool poolFor(Event.Command command) {
        return switch (command.topic()) {
            case Stopping.TOPIC ->
                    Stopping.waitsForFiles(new String(command.body(), StandardCharsets.UTF_8))
                            ? slow
                            : stops;
            case Editing.TOPIC, Doctor.TOPIC, Moving.TOPIC -> slow;
            case ItemDeletions.TOPIC -> deletions;
            default -> quick;
        };
    }

    private void obeyAndAnswer(Event.Command command) {
        String answer;
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            answer = obey(command);
        } catch (RuntimeException | Error e) {
            LOGGER.log(
                    Level.WARNING,
                    "Could not " + command.topic() + " as asked by " + command.from(),
                    e);
            answer = "error " + e.getMessage();
        }
        answer(command, answer);
    }

    private void answer(Event.Command command, String answer) {
        try {
            cluster.answer(command.requestId(), answer.getBytes(StandardCharsets.UTF_8));
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "No answer to {0}: {1}",
                    new Object[] {command.from(), e.getMessage()});
        }
    }

    /** Takes no more. */
    public void stop() {
        quick.stop();
        stops.stop();
        slow.stop();
        deletions.stop();
    }

    private String obey(Event.Command command) {
        String body = new String(command.body(), StandardCharsets.UTF_8);
        return switch (command.topic()) {
            case Cancelling.TOPIC -> cancelHere(body) ? "ok" : "late";
            case Folding.TOPIC ->
                    Folding.foldHere(Membership.active().orElseThrow(), body) ? "ok" : "late";
            case Stopping.TOPIC -> Stopping.stopHere(body);
            case Editing.TOPIC -> Editing.editHere(body);
            case WorkspacePolls.TOPIC -> WorkspacePolls.pollHere(body);
            case Draining.TOPIC -> Draining.drainHere(Membership.active().orElseThrow(), body);
            case Reach.TOPIC -> Membership.active().orElseThrow().forwarding().reach().here();
            case AgentWishes.TOPIC ->
                    Membership.active()
                            .orElseThrow()
                            .agents()
                            .handOver()
                            .wanted(command.from(), body);
            case ItemDeletions.TOPIC -> deleteHere(body, command.from());
            case Takers.TOPIC -> Membership.active().orElseThrow().handOver().takers().obey(body);
            case Moving.TOPIC -> Moving.moveHere(body);
            case Doctor.TOPIC -> Doctor.here(Membership.active().orElseThrow(), body);
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
