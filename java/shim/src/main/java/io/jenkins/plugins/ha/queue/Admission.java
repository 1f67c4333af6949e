package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Job;
import hudson.model.Queue;
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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Accepts builds into the cluster's queue, as {@code Queue.scheduleInternal} accepts them into a
 * controller's: an item that says the same as a waiting one is folded into it. Two controllers may
 * be asked at the same moment; the cluster stores an item only if the job's items that have not
 * begun are still those that were compared, else they are compared again.
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

    /** A sentence for an admin about what is accepted and may be lost; "" when nothing is. */
    String problem() {
        return outbox.problem();
    }

    /**
     * A build that the decision handlers let pass, as they left it.
     *
     * @param waiting its item, should it become one
     */
    record Draft(
            Queue.Task task,
            String job,
            int quietPeriod,
            Calendar due,
            List<Action> actions,
            Queue.WaitingItem waiting) {}

    /** What became of storing an item. */
    private enum Stored {
        DONE,
        /** Not what was compared is waiting. */
        OTHERS_CAME,
        /** The cluster cannot hold it. */
        NEVER
    }

    /**
     * To be called under the lock under which the decision handlers were asked: those of the next
     * build see this one in the queue.
     *
     * @param quietPeriod in seconds; below 0 is at once, as in core
     * @param given id of its queue item, unless it is folded into another; 0 for the next
     */
    Draft draft(Queue.Task task, int quietPeriod, List<Action> actions, long given) {
        String job = ((Job<?, ?>) task).getFullName();
        int quiet = Math.max(0, quietPeriod);
        Calendar due = new GregorianCalendar();
        due.add(Calendar.SECOND, quiet);
        Queue.WaitingItem waiting = newItem(task, due, actions, given);
        Draft draft = new Draft(task, job, quiet, due, actions, waiting);
        if (membership.view().unbegunOf(job).isEmpty()) { // else it may be folded
            show(draft, "", new byte[0]);
        }
        return draft;
    }

    /**
     * The result of accepting it; null when it cannot travel after all and belongs into this
     * controller's own queue.
     */
    ScheduleResult admit(Draft draft) {
        ScheduleResult result = null;
        try {
            result = accept(draft);
        } finally {
            if (result == null || !result.isCreated()) {
                membership.view().withdrawn(draft.waiting().getId());
            }
        }
        return result;
    }

    private ScheduleResult accept(Draft draft) {
        QueueView view = membership.view();
        String job = draft.job();
        Lane lane = null;
        byte[] payload = null;
        Set<String> closed = new HashSet<>();
        boolean compare = true;
        for (int round = 0; round < ROUNDS; round++) {
            compare &= round < ROUNDS - 1;
            long revision = compare ? view.revision(job) : -1;
            List<SeenItem> same = compare ? sameAs(draft, closed) : List.of();
            if (payload == null && (same.isEmpty() || anyClaimed(same))) {
                try {
                    lane = Lane.of(draft.waiting());
                    payload = Payload.encode(draft.waiting());
                } catch (RuntimeException | LinkageError e) {
                    return staysHere(job, "its actions cannot be stored", e);
                }
                if (payload.length > NewItem.MAX_PAYLOAD) {
                    return staysHere(job, "its actions are too large to be stored", null);
                }
                if (!lane.storable()) {
                    return staysHere(job, "its label has a line break", null);
                }
                if (!Payload.survives(draft.waiting(), payload)) {
                    return staysHere(job, "its actions cannot be read again once stored", null);
                }
            }
            if (same.isEmpty()) {
                boolean concurrent = draft.task().isConcurrentBuild();
                switch (store(draft, lane.text(), payload, revision)) {
                    case DONE -> {
                        view.entered(draft.waiting().getId());
                        RevisedItems.afterStoring(
                                membership, draft.waiting(), job, lane, concurrent);
                        return ScheduleResult.created(draft.waiting());
                    }
                    case NEVER -> {
                        return staysHere(job, "the cluster cannot hold it", null);
                    }
                    default -> {} // they are compared again
                }
                continue;
            }
            try {
                Queue.Item folded = fold(same, draft, payload, revision, closed);
                if (folded != null) {
                    return ScheduleResult.existing(folded);
                }
            } catch (HaException.Unavailable | HaException.Refused e) {
                // Redis is away: better a build of its own than to refuse it
                compare = false;
            }
        }
        throw new IllegalStateException("unreachable: the last round stores without comparing");
    }

    private static ScheduleResult staysHere(String job, String why, Throwable cause) {
        LOGGER.log(Level.INFO, "A build of " + job + " stays on this controller: " + why, cause);
        return null;
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

    private NewItem show(Draft draft, String lane, byte[] payload) {
        NewItem item =
                new NewItem(
                        draft.waiting().getId(),
                        draft.job(),
                        lane,
                        NewItem.DEFAULT_PRIORITY,
                        TimeUnit.SECONDS.toMillis(draft.quietPeriod()),
                        draft.task().isConcurrentBuild(),
                        "",
                        payload);
        // What the view shows until the cluster's own news of the item arrive.
        membership
                .view()
                .accepted(
                        Item.expected(item, membership.identity().id(), System.currentTimeMillis()),
                        draft.waiting());
        return item;
    }

    private Stored store(Draft draft, String lane, byte[] payload, long revision) {
        NewItem item = show(draft, lane, payload);
        try {
            Enqueued answer = membership.cluster().enqueue(item, revision, Why.of(draft.actions()));
            if (answer.accepted()) {
                membership.view().stored(item.id(), item.job(), answer.revision(), revision >= 0);
                return Stored.DONE;
            }
            membership.view().withdrawn(item.id());
            membership.view().learned(item.job(), answer.revision(), answer.queued());
            return Stored.OTHERS_CAME;
        } catch (HaException.Unavailable | HaException.Closed | HaException.Refused e) {
            outbox.keep(item);
            tellKept(item.id(), item.job(), e.getMessage());
            return Stored.DONE;
        } catch (HaException e) {
            LOGGER.log(
                    Level.WARNING,
                    "Queue item " + item.id() + " of " + item.job() + " is not for the cluster",
                    e);
            return Stored.NEVER;
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

    /**
     * @param closed those that were asked and are not folded into, by {@link #claim}
     */
    private List<SeenItem> sameAs(Draft draft, Set<String> closed) {
        int parameters = SeenItem.hashOfParameters(draft.actions());
        List<SeenItem> result = new ArrayList<>();
        for (SeenItem seen : membership.view().unbegunOf(draft.job())) {
            // 0: not stored yet. The hash spares the long comparison with each of a long queue.
            if (seen.item().version() > 0 && seen.parametersHash() == parameters) {
                Queue.WaitingItem waiting = seen.waiting();
                if (waiting != null
                        && !closed.contains(claim(seen.item()))
                        && Folding.same(waiting, draft.actions())) {
                    result.add(seen);
                }
            }
        }
        return result;
    }

    /** Tells one claim of an item from the next. */
    private static String claim(Item item) {
        return item.id() + " " + item.attempts();
    }

    private static boolean anyClaimed(List<SeenItem> same) {
        return same.stream().anyMatch(seen -> seen.item().state() == ItemState.CLAIMED);
    }

    /** Folds into the items that say the same; null when they changed meanwhile. */
    private Queue.Item fold(
            List<SeenItem> same, Draft draft, byte[] payload, long revision, Set<String> closed) {
        Queue.Item first = null;
        long seenRevision = revision;
        for (SeenItem seen : same) {
            Item before = seen.item();
            if (before.state() == ItemState.CLAIMED) {
                if (Folding.intoClaimed(membership, before, draft.actions(), payload)) {
                    first = first == null ? seen.shown() : first;
                } else {
                    closed.add(claim(before));
                    membership.view().refresh(before.id());
                }
                continue;
            }
            Queue.WaitingItem copy;
            try {
                copy = Payload.decode(before.payload(), draft.job());
            } catch (Payload.JobMissing | Payload.Unreadable e) {
                LOGGER.warning(
                        () ->
                                "Queue item "
                                        + before.id()
                                        + " of "
                                        + draft.job()
                                        + " cannot be folded into: "
                                        + e.getMessage());
                continue;
            }
            Folding.fold(copy, draft.actions());
            long dueIn =
                    draft.due().getTimeInMillis() < before.dueMillis()
                            ? Math.max(
                                    0, draft.due().getTimeInMillis() - System.currentTimeMillis())
                            : -1;
            byte[] both = Payload.encode(copy);
            if (both.length > NewItem.MAX_PAYLOAD) {
                continue;
            }
            Enqueued answer;
            try {
                answer =
                        membership
                                .cluster()
                                .fold(
                                        before.id(),
                                        seenRevision,
                                        both,
                                        dueIn,
                                        Why.of(draft.actions()));
            } catch (HaException.NotFound | HaException.Conflict e) {
                return first;
            }
            if (!answer.accepted()) {
                membership.view().learned(draft.job(), answer.revision(), answer.queued());
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
