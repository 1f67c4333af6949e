package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.queue.FoldableAction;
import hudson.model.queue.ScheduleResult;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Enqueued;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.GregorianCalendar;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Accepts builds into the cluster's queue, as {@code Queue.scheduleInternal} accepts them into a
 * controller's: an item that says the same as a waiting one is folded into it. Two controllers may
 * be asked at the same moment; the cluster stores an item only if the job's waiting items are still
 * those that were compared, else they are compared again.
 */
final class Admission {
    private static final Logger LOGGER = Logger.getLogger(Admission.class.getName());
    private static final int ROUNDS = 8;
    private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Membership membership;
    private final Outbox outbox;
    private final AtomicLong keptTold = new AtomicLong(System.nanoTime() - 2 * TELL_NANOS);

    Admission(Membership membership) {
        this.membership = membership;
        this.outbox = Outbox.of(membership);
    }

    /**
     * The result of accepting it; null when it cannot travel after all and belongs into this
     * controller's own queue.
     *
     * @param given id of its queue item, unless it is folded into another; 0 for the next
     */
    ScheduleResult admit(Queue.Task task, int quietPeriod, List<Action> actions, long given) {
        if (vetoed(task, actions)) {
            return ScheduleResult.refused();
        }
        String job = ((Job<?, ?>) task).getFullName();
        Calendar due = new GregorianCalendar();
        due.add(Calendar.SECOND, quietPeriod);
        QueueView view = membership.view();
        Queue.WaitingItem waiting = null;
        boolean compare = true;
        for (int round = 0; round < ROUNDS; round++) {
            compare &= round < ROUNDS - 1;
            long revision = compare ? view.revision(job) : -1;
            List<SeenItem> same = compare ? sameAs(view.queuedOf(job), actions) : List.of();
            if (!same.isEmpty()) {
                try {
                    Queue.Item folded = fold(same, task, actions, due, revision, job);
                    if (folded != null) {
                        return ScheduleResult.existing(folded);
                    }
                } catch (HaException.Unavailable | HaException.Refused e) {
                    // Redis is away: better a build of its own than to refuse it
                    compare = false;
                }
                continue;
            }
            boolean first = waiting == null;
            if (first) {
                waiting = newItem(task, due, actions, given);
            }
            byte[] payload;
            try {
                payload = Payload.encode(waiting);
            } catch (RuntimeException | LinkageError e) {
                LOGGER.log(
                        Level.INFO,
                        "A build of "
                                + job
                                + " stays on this controller: its actions cannot be stored",
                        e);
                return null;
            }
            if (first && !Payload.survives(waiting, payload)) {
                LOGGER.info(
                        () ->
                                "A build of "
                                        + job
                                        + " stays on this controller: its actions cannot be read"
                                        + " again once stored");
                return null;
            }
            if (store(waiting, task, quietPeriod, payload, revision, job)) {
                return ScheduleResult.created(waiting);
            }
        }
        throw new IllegalStateException("unreachable: the last round stores without comparing");
    }

    private static boolean vetoed(Queue.Task task, List<Action> actions) {
        List<Action> copy =
                new ArrayList<>(
                        actions); // they are asked again, for good, where the item is claimed
        boolean[] veto = new boolean[1];
        Queue.withLock(
                () -> {
                    for (Queue.QueueDecisionHandler handler : Queue.QueueDecisionHandler.all()) {
                        if (!handler.shouldSchedule(task, copy)) {
                            veto[0] = true;
                            return;
                        }
                    }
                });
        return veto[0];
    }

    private Queue.WaitingItem newItem(
            Queue.Task task, Calendar due, List<Action> actions, long given) {
        long id = given == 0 ? membership.cluster().nextQueueId() : given;
        List<Action> all = new ArrayList<>();
        all.add(
                ClusterItemAction.accepted(
                        id,
                        membership
                                .identity())); // first: it must be loaded before other actions look
        // at the build
        all.addAll(actions);
        return new Queue.WaitingItem(due, task, all);
    }

    private boolean store(
            Queue.WaitingItem waiting,
            Queue.Task task,
            int quietPeriod,
            byte[] payload,
            long revision,
            String job) {
        NewItem item =
                new NewItem(
                        waiting.getId(),
                        job,
                        Lane.of(waiting).text(),
                        NewItem.DEFAULT_PRIORITY,
                        TimeUnit.SECONDS.toMillis(quietPeriod),
                        task.isConcurrentBuild(),
                        "",
                        payload);
        membership.view().accepted(expected(item), waiting);
        try {
            Enqueued answer = membership.cluster().enqueue(item, revision);
            if (answer.accepted()) {
                membership.view().stored(waiting.getId(), job, answer.revision(), revision >= 0);
            } else {
                membership.view().withdrawn(waiting.getId());
                membership.view().learned(job, answer.revision(), answer.queued());
            }
            return answer.accepted();
        } catch (HaException.Unavailable | HaException.Closed | HaException.Refused e) {
            outbox.keep(item);
            tellKept(waiting.getId(), job, e.getMessage());
            return true;
        } catch (HaException e) {
            membership.view().withdrawn(waiting.getId());
            throw e;
        }
    }

    /** Each is told at FINE; what an admin must know, at most every ten seconds. */
    private void tellKept(long id, String job, String why) {
        long now = System.nanoTime();
        long told = keptTold.get();
        boolean aloud = now - told > TELL_NANOS && keptTold.compareAndSet(told, now);
        LOGGER.log(
                aloud ? Level.WARNING : Level.FINE,
                "A build of {0} (queue item {1}) is kept on this controller until Redis is back,"
                        + " as are all that are triggered here meanwhile: {2}",
                new Object[] {job, Long.toString(id), why});
    }

    /** What the view shows until the cluster's own news of the item arrive. */
    private Item expected(NewItem item) {
        long now = System.currentTimeMillis();
        return new Item(
                item.id(),
                item.job(),
                ItemState.QUEUED,
                0,
                0,
                item.lane(),
                item.priority(),
                now,
                now + item.quietMillis(),
                false,
                item.concurrent(),
                "",
                membership.identity().id(),
                "",
                0,
                0,
                0,
                "",
                "",
                0,
                0,
                item.payload());
    }

    private static List<SeenItem> sameAs(List<SeenItem> queued, List<Action> actions) {
        int parameters = SeenItem.hashOfParameters(actions);
        List<SeenItem> result = new ArrayList<>();
        for (SeenItem seen : queued) {
            // 0: not stored yet. The hash spares the long comparison with each of a long queue.
            if (seen.item().version() > 0 && seen.parametersHash() == parameters) {
                Queue.WaitingItem waiting = seen.waiting();
                if (waiting != null && same(waiting, actions)) {
                    result.add(seen);
                }
            }
        }
        return result;
    }

    private static boolean same(Queue.Item queued, List<Action> actions) {
        for (Queue.QueueAction action : queued.getActions(Queue.QueueAction.class)) {
            if (!(action instanceof ClusterItemAction) && action.shouldSchedule(actions)) {
                return false;
            }
        }
        for (Action action : actions) {
            if (action instanceof Queue.QueueAction mine
                    && mine.shouldSchedule(new ArrayList<>(queued.getAllActions()))) {
                return false;
            }
        }
        return true;
    }

    /** Folds into the waiting items that say the same; null when they changed meanwhile. */
    private Queue.Item fold(
            List<SeenItem> same,
            Queue.Task task,
            List<Action> actions,
            Calendar due,
            long revision,
            String job) {
        Queue.Item first = null;
        long seenRevision = revision;
        for (SeenItem seen : same) {
            Item before = seen.item();
            Queue.WaitingItem copy;
            try {
                copy = Payload.decode(before.payload(), job);
            } catch (Payload.JobMissing | Payload.Unreadable e) {
                LOGGER.warning(
                        () ->
                                "Queue item "
                                        + before.id()
                                        + " of "
                                        + job
                                        + " cannot be folded into: "
                                        + e.getMessage());
                continue;
            }
            for (Action action : actions) {
                if (action instanceof FoldableAction foldable) {
                    foldable.foldIntoExisting(copy, task, actions);
                }
            }
            long dueIn =
                    due.getTimeInMillis() < before.dueMillis()
                            ? Math.max(0, due.getTimeInMillis() - System.currentTimeMillis())
                            : -1;
            byte[] payload = Payload.encode(copy);
            Enqueued answer;
            try {
                answer = membership.cluster().fold(before.id(), seenRevision, payload, dueIn);
            } catch (HaException.NotFound | HaException.Conflict e) {
                return first;
            }
            if (!answer.accepted()) {
                membership.view().learned(job, answer.revision(), answer.queued());
                membership.view().refresh(before.id());
                return first;
            }
            seenRevision = answer.revision();
            if (first == null) {
                first = seen.shown();
            }
        }
        return first;
    }
}
