package io.jenkins.plugins.ha.queue;

import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.WorkUnit;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.bridge.LaneOffer;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * How much this controller can take just now, per lane: idle executors that the label allows, less
 * what it already holds unstarted. Where a cloud can make agents for the label, some more, so that
 * it is asked for them. A controller never claims what it cannot start while another one could.
 */
final class Room {
    private static final Logger LOGGER = Logger.getLogger(Room.class.getName());

    /** Clouds that were told of. */
    private static final Set<String> FAILED = Recent.set(100);

    /** How many items of one label may wait here for a cloud's agents. */
    private static final int FOR_CLOUDS =
            Integer.getInteger("io.jenkins.plugins.ha.claimsPerCloudLabel", 10);

    /**
     * How many one-off builds (Pipelines, matrix parents) run here at once where no capacity is
     * set.
     */
    private static final int ONE_OFF = Integer.getInteger("io.jenkins.plugins.ha.oneOffBuilds", 50);

    private Room() {}

    /**
     * What can be claimed of these lanes; empty when nothing.
     *
     * @param barren whether clouds were asked for agents of a lane of late, and brought none
     */
    static List<LaneOffer> offers(HaQueue queue, Set<String> lanes, Predicate<String> barren) {
        List<LaneOffer> offers = new ArrayList<>();
        Jenkins jenkins = Jenkins.get();
        if (lanes.contains(Lane.LOCAL)) { // core's queue holds these builds already
            offers.add(new LaneOffer(Lane.LOCAL, 1));
        }
        HaConfiguration settings = HaConfiguration.get();
        if (lanes.isEmpty() || settings == null || !settings.isTakesBuilds()) {
            return offers;
        }
        List<Queue.Item> held = queue.local();
        int left =
                settings.getCapacity() == 0
                        ? Integer.MAX_VALUE
                        : settings.getCapacity() - running() - claimed(held);
        if (left <= 0) {
            return offers;
        }
        for (String text : lanes) {
            if (text.equals(Lane.LOCAL)) {
                continue;
            }
            Lane lane = Lane.parse(text);
            int room =
                    lane.oneOff()
                            ? oneOffRoom(jenkins, lane, held)
                            : room(jenkins, lane, held, barren.test(text));
            if (room > 0) {
                offers.add(new LaneOffer(text, Math.min(room, left)));
            }
        }
        return offers;
    }

    private static int room(Jenkins jenkins, Lane lane, List<Queue.Item> held, boolean barren) {
        Label label = lane.onThisController();
        int idle = 0;
        int executors = 0;
        boolean possible = false;
        for (Computer computer : jenkins.getComputers()) {
            Node node = computer.getNode();
            if (node != null && allows(label, node) && node.getNumExecutors() > 0) {
                possible = true;
                if (computer.isOnline() && computer.isAcceptingTasks()) {
                    executors += node.getNumExecutors();
                    idle += kept(computer, node) ? 0 : computer.countIdle();
                }
            }
        }
        int unstarted = 0;
        int blocked = 0;
        for (Queue.Item item : held) {
            if (!(item.task instanceof Queue.FlyweightTask)
                    && overlaps(label, item.getAssignedLabel())) {
                if (!item.isBlocked()) {
                    unstarted++;
                } else if (ClaimedItems.idOf(item) != 0) {
                    blocked++;
                }
            }
        }
        // what another plugin holds up here takes no executor, but must not pile up here either
        // while others could run it
        unstarted += Math.max(0, blocked - executors);
        if (idle > unstarted || (possible && jenkins.clouds.isEmpty())) {
            return idle - unstarted;
        }
        for (Cloud cloud : jenkins.clouds) {
            if (!barren && left(cloud) > 0 && canProvision(cloud, label)) {
                return Math.min(FOR_CLOUDS - unstarted, left(cloud));
            }
        }
        return idle - unstarted;
    }

    /** Whether a build on another controller waits for it longer than what could be claimed. */
    private static boolean kept(Computer computer, Node node) {
        Membership membership = Membership.active().orElse(null);
        return membership != null
                && membership.agents().handOver().anyWish()
                && membership
                        .agents()
                        .handOver()
                        .keeps(computer, membership.view().claimableSince(node));
    }

    /** A cloud that fails brings nothing; it must not keep what is idle here from being used. */
    private static boolean canProvision(Cloud cloud, Label label) {
        try {
            return cloud.canProvision(new Cloud.CloudState(label, 0));
        } catch (RuntimeException | Error e) {
            Level level = FAILED.add(cloud.name) ? Level.WARNING : Level.FINE;
            LOGGER.log(level, "The cloud " + cloud.name + " failed: nothing is claimed for it", e);
            return false;
        }
    }

    /** How many more agents the cluster may have of it: what nobody may ask for is not claimed. */
    private static int left(Cloud cloud) {
        return Membership.active().map(m -> m.clouds().left(cloud)).orElse(Integer.MAX_VALUE);
    }

    private static int oneOffRoom(Jenkins jenkins, Lane lane, List<Queue.Item> held) {
        Label label = lane.onThisController();
        boolean possible = label == null;
        int running = 0;
        for (Computer computer : jenkins.getComputers()) {
            Node node = computer.getNode();
            running += computer.getOneOffExecutors().size();
            possible |= label != null && node != null && label.matches(node) && computer.isOnline();
        }
        int unstarted = 0;
        for (Queue.Item item : held) {
            if (item.task instanceof Queue.FlyweightTask) {
                unstarted++;
            }
        }
        return possible ? ONE_OFF - running - unstarted : 0;
    }

    /** Whether an agent for the item connects just now, or a cloud has promised one. */
    static boolean agentComes(Queue.Item item) {
        Jenkins jenkins = Jenkins.get();
        Label label = item.getAssignedLabel();
        NodeProvisioner provisioner =
                label == null ? jenkins.unlabeledNodeProvisioner : label.nodeProvisioner;
        if (!provisioner.getPendingLaunches().isEmpty()) {
            return true;
        }
        for (Computer computer : jenkins.getComputers()) {
            Node node = computer.getNode();
            if (node != null
                    && allows(label, node)
                    && computer instanceof SlaveComputer agent
                    && (agent.isConnecting() || isComing(node))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isComing(Node node) {
        return Membership.active().map(m -> m.clouds().comes(node.getNodeName())).orElse(false);
    }

    /** Whether there is a node for the item that is online. */
    static boolean hasAgent(Queue.Item item) {
        Label label = item.getAssignedLabel();
        for (Computer computer : Jenkins.get().getComputers()) {
            Node node = computer.getNode();
            if (node != null && allows(label, node) && computer.isOnline()) {
                return true;
            }
        }
        return false;
    }

    static boolean allows(Label label, Node node) {
        return label == null ? node.getMode() == Node.Mode.NORMAL : label.matches(node);
    }

    private static boolean overlaps(Label one, Label other) {
        return one == null || other == null || one.equals(other);
    }

    private static int running() {
        int running = 0;
        for (Computer computer : Jenkins.get().getComputers()) {
            for (Executor executor : computer.getAllExecutors()) {
                if (executor.isBusy() && whole(executor)) {
                    running++;
                }
            }
        }
        return running;
    }

    private static boolean whole(Executor executor) {
        WorkUnit work = executor.getCurrentWorkUnit(); // there before the executable is
        return work != null && Travels.whole(work.work.getOwnerTask());
    }

    private static int claimed(List<Queue.Item> held) {
        int claimed = 0;
        for (Queue.Item item : held) {
            if (Travels.whole(item.task)) {
                claimed++;
            }
        }
        return claimed;
    }
}
