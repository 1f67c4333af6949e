package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Job;
import hudson.model.LoadBalancer;
import hudson.model.Queue;
import hudson.model.queue.ScheduleResult;
import hudson.security.ACL;
import hudson.security.ACLContext;
import hudson.security.AccessControlled;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.deliveries.Arrival;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import io.jenkins.plugins.ha.triggers.Occasion;
import java.io.File;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.Stapler;

/**
 * Jenkins' queue, with the cluster's behind it. What may travel is accepted into the cluster and
 * shown from {@link QueueView}; what this controller has claimed, and what cannot travel, is in the
 * lists that core keeps and schedules as ever. Only what no extension point can do is overridden
 * here.
 *
 * <p>Remote items are never added to {@code getBuildableItems} and the counts beside it: every
 * controller would provision agents for them.
 */
public final class HaQueue extends Queue {
    private final transient Membership membership;
    private final transient Admission admission;
    private final transient ThreadLocal<Boolean> onlyLocal = ThreadLocal.withInitial(() -> false);
    private final transient ThreadLocal<Long> accepted = ThreadLocal.withInitial(() -> 0L);

    /** Whether queue.xml is of this start; guarded by the queue's lock. */
    private transient boolean loaded;

    /** Takes over what plugins may have set on {@code replaced} already. */
    public HaQueue(Queue replaced, Membership membership) {
        super(
                replaced.getLoadBalancer() == null
                        ? LoadBalancer.CONSISTENT_HASH
                        : replaced.getLoadBalancer());
        if (replaced.getSorter() != null) {
            setSorter(replaced.getSorter());
        }
        this.membership = membership;
        this.admission = new Admission(membership);
        // a blocked item names the class of its queue in queue.xml, and a Jenkins without the
        // plugin would not boot on that
        XSTREAM.addDefaultImplementation(HaQueue.class, Queue.class);
    }

    /** Whether this thread has the queue's lock, under which nobody waits for the network. */
    @UsesByReflection("field hudson.model.Queue lock Ljava/util/concurrent/locks/ReentrantLock;")
    public static boolean isLockedHere() {
        try {
            Field field = Queue.class.getDeclaredField("lock");
            field.setAccessible(true);
            return ((ReentrantLock) field.get(Queue.getInstance())).isHeldByCurrentThread();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e); // looked for at boot
        }
    }

    /** A sentence for an admin about what is accepted and may be lost; "" when nothing is. */
    public String problem() {
        return admission.problem();
    }

    @Override
    public ScheduleResult schedule2(Queue.Task task, int quietPeriod, List<Action> actions) {
        accepted.set(0L);
        List<Action> given = new ArrayList<>(actions);
        given.removeIf(Objects::isNull);
        if (!Travels.whole(task)) {
            return super.schedule2(task, quietPeriod, given);
        }
        Occasion occasion = Occasion.present().orElse(null);
        if (occasion == null) {
            return accept(task, quietPeriod, given, 0);
        }
        Occasion.Build build =
                occasion.build(((Job<?, ?>) task).getFullName(), SeenItem.hashOfParameters(given));
        if (build.again()) {
            Queue.Item accepted = membership.view().shownOrAsked(build.queueId());
            if (accepted != null) {
                return ScheduleResult.existing(accepted);
            }
        }
        ScheduleResult result = accept(task, quietPeriod, given, build.queueId());
        if (result.getItem() != null) {
            build.became(result.getItem().getId());
        }
        return result;
    }

    private ScheduleResult accept(
            Queue.Task task, int quietPeriod, List<Action> actions, long queueId) {
        ScheduleResult[] here = new ScheduleResult[1];
        Admission.Draft[] draft = new Admission.Draft[1];
        Queue.withLock(
                () -> {
                    if (vetoed(task, actions)) {
                        here[0] = ScheduleResult.refused();
                    } else if (!Travels.free(actions) || waitsHere(task, actions)) {
                        here[0] = scheduleHere(task, quietPeriod, actions);
                    } else {
                        draft[0] = admission.draft(task, quietPeriod, actions, queueId);
                    }
                });
        ScheduleResult result = here[0] != null ? here[0] : admission.admit(draft[0]);
        result = result == null ? scheduleHere(task, quietPeriod, actions) : result;
        accepted.set(result.getItem() == null ? 0 : result.getItem().getId());
        ScheduleResult became = result;
        Arrival.present().ifPresent(arrival -> arrival.led(task, became));
        return result;
    }

    /** Id of the item that this thread's last trigger became; 0 for none. */
    long accepted() {
        return accepted.get();
    }

    /**
     * Asks the decision handlers, as core does: once, as whoever triggers, of the very list that
     * the item gets.
     */
    private static boolean vetoed(Queue.Task task, List<Action> actions) {
        for (Queue.QueueDecisionHandler handler : Queue.QueueDecisionHandler.all()) {
            if (!handler.shouldSchedule(task, actions)) {
                return true;
            }
        }
        return false;
    }

    /** Whether what cannot travel and waits here says the same: core folds the two. */
    private boolean waitsHere(Queue.Task task, List<Action> actions) {
        for (Queue.Item item : local()) {
            if (item.task.equals(task)
                    && ClaimedItems.idOf(item) == 0
                    && !(item instanceof Queue.BuildableItem given && given.isPending())
                    && Folding.same(item, actions)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Into this controller's own lists, whatever the cluster holds; the decision handlers have been
     * asked.
     */
    ScheduleResult scheduleHere(Queue.Task task, int quietPeriod, List<Action> actions) {
        return CoreLists.schedule(this, task, quietPeriod, actions);
    }

    @Override
    public boolean cancel(Queue.Item item) {
        Queue.Item here = super.getItem(item.getId());
        if (here != null && !(here instanceof Queue.LeftItem)) {
            return super.cancel(here);
        }
        if (membership.view().shown(item.getId()) != null) {
            return Cancelling.cancel(membership, item.getId());
        }
        return super.cancel(item);
    }

    @Override
    public boolean cancel(Queue.Task task) {
        if (super.cancel(task)) {
            return true;
        }
        for (SeenItem seen : remoteOf(task)) {
            Queue.Item shown = seen.shown();
            if (shown != null && shown.task.equals(task) && super.getItem(seen.id()) == null) {
                return Cancelling.cancel(membership, seen.id());
            }
        }
        return false;
    }

    /** Takes items out without a word to anybody: what they are for goes on elsewhere. */
    @SuppressWarnings("try") // who acts is settled by having the context open
    public static void withdraw(Predicate<Queue.Task> which) {
        Queue queue = Queue.getInstance();
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            for (Queue.Item item : queue.getItems()) {
                if (which.test(item.task)) {
                    CoreLists.leave(queue, item);
                }
            }
        }
    }

    @Override
    public void clear() {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        for (SeenItem seen : membership.view().waiting()) {
            Cancelling.cancel(membership, seen.id());
        }
        super.clear();
    }

    @Override
    public Queue.Item getItem(long id) {
        Queue.Item here = super.getItem(id);
        if (here != null && !handedBack(here)) {
            return started(here) && membership.view().shown(id) instanceof Queue.LeftItem shown
                    ? shown
                    : here;
        }
        // only somebody who asks over the web may wait for the cluster: others may hold the queue's
        // lock
        return Stapler.getCurrentRequest2() == null
                ? membership.view().shown(id)
                : membership.view().shownOrAsked(id);
    }

    @Override
    public Queue.Item getItem(Queue.Task task) {
        Queue.Item here = super.getItem(task);
        if (here != null) {
            return here;
        }
        for (SeenItem seen : remoteOf(task)) {
            Queue.Item remote = remote(seen);
            if (remote != null && remote.task.equals(task)) {
                return remote;
            }
        }
        return null;
    }

    @Override
    public List<Queue.Item> getItems(Queue.Task task) {
        List<Queue.Item> result = new ArrayList<>(super.getItems(task));
        for (SeenItem seen : remoteOf(task)) {
            Queue.Item remote = remote(seen);
            if (remote != null && remote.task.equals(task)) {
                result.add(remote);
            }
        }
        return result;
    }

    @Override
    public boolean contains(Queue.Task task) {
        return getItem(task) != null;
    }

    @Override
    public boolean isEmpty() {
        return super.isEmpty() && membership.view().nothingWaits();
    }

    @Override
    public Queue.Item[] getItems() {
        if (onlyLocal.get()) {
            return localToSave();
        }
        List<Queue.Item> result = new ArrayList<>();
        List<Queue.Item> remote = remote();
        Collections.reverse(remote); // what starts soonest comes last, as in core
        for (Queue.Item item : remote) {
            if (item.task instanceof AccessControlled controlled
                    && controlled.hasPermission(hudson.model.Item.READ)) {
                result.add(item);
            }
        }
        Collections.addAll(result, super.getItems());
        return result.toArray(new Queue.Item[0]);
    }

    @Override
    public Queue.StubItem[] getDiscoverableItems() {
        List<Queue.StubItem> result = new ArrayList<>();
        for (Queue.Item item : remote()) {
            if (item.task instanceof AccessControlled controlled
                    && !controlled.hasPermission(hudson.model.Item.READ)
                    && controlled.hasPermission(hudson.model.Item.DISCOVER)) {
                result.add(new Queue.StubItem(new Queue.StubTask(item.task)));
            }
        }
        Collections.addAll(result, super.getDiscoverableItems());
        return result.toArray(new Queue.StubItem[0]);
    }

    @Override
    public List<Queue.Item> getUnblockedItems() {
        List<Queue.Item> result = super.getUnblockedItems();
        for (Queue.Item item : remote()) {
            if (!item.isBlocked()) {
                result.add(item);
            }
        }
        return result;
    }

    @Override
    public Set<Queue.Task> getUnblockedTasks() {
        Set<Queue.Task> result = new LinkedHashSet<>();
        for (Queue.Item item : getUnblockedItems()) {
            result.add(item.task);
        }
        return result;
    }

    /** Items of the cluster are kept by the cluster; only the others go to queue.xml. */
    @Override
    public void save() {
        onlyLocal.set(true);
        try {
            super.save();
        } finally {
            onlyLocal.remove();
        }
    }

    /**
     * Core forgets its lists first, and with them what this controller had claimed: that goes back
     * to the cluster. Not what an executor was given and has not begun yet: it will.
     */
    @Override
    public void load() {
        Queue.withLock(
                () -> {
                    if (!loaded) {
                        SavedQueue.forgetWhatBegan(
                                new File(Jenkins.get().getRootDir(), "queue.xml"));
                        loaded = true;
                    }
                    Set<Long> claimed = new HashSet<>();
                    for (Queue.Item item : super.getItems()) {
                        claimed.add(ClaimedItems.idOf(item));
                    }
                    super.load();
                    claimed.remove(0L);
                    claimed.removeAll(ClaimedItems.executing());
                    claimed.forEach(
                            id ->
                                    ClaimedItems.handBack(
                                            membership, id, "Jenkins reloaded its queue"));
                });
    }

    @Override
    public void maintain() {
        super.maintain();
        membership.claimer().poke();
    }

    /** What core's own lists hold, whoever may see it. */
    List<Queue.Item> local() {
        List<Queue.Item> result = new ArrayList<>(super.getUnblockedItems());
        result.addAll(super.getBlockedItems());
        return result;
    }

    private Queue.Item[] localToSave() {
        List<Queue.Item> result = new ArrayList<>();
        for (Queue.Item item : super.getItems()) {
            if (ClaimedItems.idOf(item) == 0) {
                result.add(item);
            }
        }
        return result.toArray(new Queue.Item[0]);
    }

    /** What waits in the cluster and is not in core's lists here. */
    private List<Queue.Item> remote() {
        List<Queue.Item> result = new ArrayList<>();
        for (SeenItem seen : membership.view().waiting()) {
            Queue.Item remote = remote(seen);
            if (remote != null) {
                result.add(remote);
            }
        }
        return result;
    }

    /** What of a task may wait in the cluster: only jobs do. */
    private List<SeenItem> remoteOf(Queue.Task task) {
        return task instanceof Job<?, ?> job
                ? membership.view().waitingOf(job.getFullName())
                : List.of();
    }

    /** As it is shown; null when it is in core's lists here, or cannot be shown. */
    private Queue.Item remote(SeenItem seen) {
        Queue.Item here = super.getItem(seen.id());
        if (here != null && !handedBack(here)) {
            return null;
        }
        Queue.Item shown = seen.shown();
        return shown instanceof Queue.LeftItem ? null : shown;
    }

    /** It is a build of the cluster, and is answered for alike on all controllers. */
    private static boolean started(Queue.Item here) {
        return here instanceof Queue.LeftItem left
                && !left.isCancelled()
                && ClaimedItems.idOf(left) != 0;
    }

    /**
     * It left core's lists without a build because it went back to the cluster, which knows better
     * where it is.
     */
    private static boolean handedBack(Queue.Item here) {
        return here instanceof Queue.LeftItem left
                && left.isCancelled()
                && ClaimedItems.idOf(left) != 0;
    }
}
