package io.jenkins.plugins.ha.jobs;

import hudson.Extension;
import hudson.model.BuildableItem;
import hudson.model.Cause;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Outbound;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Pool;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * One scan of a computed folder (a multibranch project, an organization folder) at a time in the
 * cluster: two at once would each make the same branch and build it. A scan waits in its
 * controller's queue until no other controller is at one, and until what the last one found is in
 * force here. Thread-safe; under the queue's lock from memory.
 */
public final class ScanTurns {
    private static final Logger LOGGER = Logger.getLogger(ScanTurns.class.getName());

    /** No scan takes so long; a controller that dies over one is found out much earlier. */
    private static final long LONGEST_MILLIS = TimeUnit.HOURS.toMillis(24);

    private static final long AGAIN_MILLIS = 300;

    /** What the last controller told before it gave the turn back may be on its way. */
    private static final long NEWS_MILLIS = 200;

    private static final long QUIET_MILLIS = 5000;

    /** Jenkins starts what may run at once; it is given so long. */
    private static final long UNUSED_NANOS = TimeUnit.SECONDS.toNanos(10);

    /**
     * @param mine whether this controller may scan
     * @param since {@link System#nanoTime} when it came to be so
     */
    private record Asked(boolean mine, long since) {}

    private final Outbound outbound;
    private final SharedItems items;

    /** By full name of the folder. */
    private final Map<String, Asked> turns = new ConcurrentHashMap<>();

    private final Pool asker = new Pool("ha-jenkins-scan-asker", 2, 10_000);

    ScanTurns(Outbound outbound, SharedItems items) {
        this.outbound = outbound;
        this.items = items;
    }

    /** Whether the scan may begin; if not, it is asked for. */
    boolean mayBegin(Membership membership, Item folder) {
        String name = folder.getFullName();
        Asked asked = turns.get(name);
        if (asked == null
                && turns.putIfAbsent(name, new Asked(false, System.nanoTime())) == null
                && !asker.execute(() -> ask(membership, name))) {
            turns.remove(name);
        }
        return asked != null && asked.mine;
    }

    private void ask(Membership membership, String name) {
        try {
            if (membership.cluster().begin(what(name), LONGEST_MILLIS).mine()) {
                asker.after(NEWS_MILLIS, () -> mine(name));
                return;
            }
        } catch (HaException.Closed e) {
            return;
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "The scan of {0} waits: {1}", new Object[] {name, e});
        }
        if (waits(name)) {
            asker.after(AGAIN_MILLIS, () -> ask(membership, name));
        } else {
            turns.remove(name);
        }
    }

    private void mine(String name) {
        try {
            if (!items.awaitQuiet(QUIET_MILLIS)) {
                LOGGER.log(Level.FINE, "{0} is scanned before all news are in force", name);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        turns.put(name, new Asked(true, System.nanoTime()));
        Queue.getInstance().scheduleMaintenance();
    }

    /** The scan has ended, and the others have been told what it found. */
    void ended(String name) {
        Asked asked = turns.get(name);
        if (asked != null && asked.mine && turns.remove(name, asked)) {
            outbound.tell("end of the scan of " + name, cluster -> cluster.notDone(what(name)));
        }
    }

    /**
     * The scan of an organization folder is over here. It has the projects scanned that it makes;
     * one that was made by a controller that died before that has not been, and would wait for a
     * trigger of its own.
     */
    void scanTheUnscanned(Item organization) {
        if (!(organization instanceof ItemGroup<?> group)) {
            return;
        }
        for (Item project : group.getItems()) {
            if (FolderMembers.isComputed(project)
                    && project instanceof BuildableItem buildable
                    && FolderMembers.isUnscanned(project)
                    && !FolderMembers.isComputing(project)
                    && !waits(project.getFullName())) {
                buildable.scheduleBuild(0, new Unscanned());
            }
        }
    }

    /** Gives back what came to nothing: the scan was cancelled, or its folder is no more. */
    void look() {
        turns.forEach(
                (name, asked) -> {
                    if (asked.mine
                            && System.nanoTime() - asked.since > UNUSED_NANOS
                            && !waits(name)
                            && !FolderMembers.isComputing(folder(name))) {
                        ended(name);
                    }
                });
    }

    void stop() {
        asker.stop();
    }

    private static Item folder(String name) {
        return Jenkins.get().getItemByFullName(name);
    }

    private static boolean waits(String name) {
        return folder(name) instanceof Queue.Task task && Queue.getInstance().contains(task);
    }

    private static String what(String name) {
        return "scan:" + name;
    }

    /** Holds scans until it is their turn. */
    @Extension
    public static final class Gate extends QueueTaskDispatcher {
        @Override
        public CauseOfBlockage canRun(Queue.Item item) {
            Membership membership = Membership.active().orElse(null);
            if (membership == null
                    || !(item.task instanceof Item folder)
                    || !FolderMembers.isComputed(folder)
                    || item.getActions().isEmpty()) { // no scan: core asks what would be
                return null;
            }
            return membership.items().scans().mayBegin(membership, folder) ? null : new Waits();
        }
    }

    /** Why a project is scanned. */
    public static final class Unscanned extends Cause {
        @Override
        public String getShortDescription() {
            return "Has not been scanned yet: the controller that was to do it has ended";
        }
    }

    private static final class Waits extends CauseOfBlockage {
        @Override
        public String getShortDescription() {
            return "Waits until no other controller of the cluster scans it";
        }
    }
}
