package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Queue;
import hudson.model.queue.FoldableAction;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Enqueued;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Folds what is triggered into an item that a controller has claimed and not begun, as core folds
 * into what is blocked or waits for an executor. Whoever holds it is asked, since only he knows
 * whether an executor has been given it; he stores what it says now in the cluster, too, for the
 * case that it goes back.
 */
public final class Folding {
    /** Asks the controller that holds an item; the body is {@code id payload-in-base64}. */
    public static final String TOPIC = "fold";

    private static final Logger LOGGER = Logger.getLogger(Folding.class.getName());
    private static final long ANSWER_MILLIS = 1000;
    private static final int ROUNDS = 5;
    private static final int REMEMBERED = 1000;

    /** Claimed, and not yet in core's lists; guarded by the queue's lock. */
    private static final Map<Long, List<List<Action>>> COMING =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, List<List<Action>>> eldest) {
                    return size() > REMEMBERED;
                }
            };

    private Folding() {}

    /** As core compares: no action of either says that both are to be scheduled. */
    static boolean same(Queue.Item queued, List<Action> actions) {
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

    /** Lets the actions take effect on the item, as core does. */
    static void fold(Queue.Item into, List<Action> actions) {
        for (Action action : actions) {
            if (action instanceof FoldableAction foldable) {
                foldable.foldIntoExisting(into, into.task, actions);
            }
        }
    }

    /**
     * Whether its holder has folded it into the claimed item. False too when he does not answer
     * within a second.
     *
     * @param payload the trigger, as a waiting item
     */
    static boolean intoClaimed(
            Membership membership, Item held, List<Action> actions, byte[] payload) {
        if (held.owner().equals(membership.identity().id())) {
            return intoOwn(membership, held.id(), actions);
        }
        try {
            String body = held.id() + " " + Base64.getEncoder().encodeToString(payload);
            return membership.ask(held.owner(), TOPIC, body, ANSWER_MILLIS).equals("ok");
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "Nothing is folded into queue item {0}: {1}",
                    new Object[] {held.id(), e.getMessage()});
            return false;
        }
    }

    /** The other side: this controller holds it, or has held it a moment ago. */
    public static boolean foldHere(Membership membership, String body) {
        String[] words = body.split(" ", 2);
        long id = Long.parseLong(words[0]);
        SeenItem seen = membership.view().seen(id);
        if (seen == null) {
            return false;
        }
        try {
            Queue.WaitingItem trigger =
                    Payload.decode(Base64.getDecoder().decode(words[1]), seen.item().job());
            return intoOwn(membership, id, actionsOf(trigger));
        } catch (Payload.JobMissing | Payload.Unreadable e) {
            LOGGER.log(Level.FINE, "What is to be folded into {0} cannot be read", id);
            return false;
        }
    }

    /** The claimed item comes into core's lists. The queue's lock is held. */
    static void came(Queue.Item item) {
        List<List<Action>> triggers = COMING.remove(item.getId());
        if (triggers != null) {
            triggers.forEach(actions -> fold(item, actions));
        }
    }

    /** Its own actions, without what the cluster says of it. */
    @SuppressWarnings("deprecation") // getActions, not getAllActions: transient ones do not travel
    static List<Action> actionsOf(Queue.Item item) {
        List<Action> actions = new ArrayList<>(item.getActions());
        actions.removeIf(action -> action instanceof ClusterItemAction);
        return actions;
    }

    private static boolean intoOwn(Membership membership, long id, List<Action> actions) {
        SeenItem seen = membership.view().seen(id);
        if (seen == null || !heldHere(membership, seen.item())) {
            return false;
        }
        boolean[] folded = new boolean[1];
        Queue.withLock(
                () -> {
                    folded[0] = intoLists(id, actions);
                });
        return folded[0] && store(membership, seen, actions);
    }

    private static boolean intoLists(long id, List<Action> actions) {
        Queue.Item unstarted = ClaimedItems.unstarted(id);
        if (unstarted == null) {
            if (ClaimedItems.wasHere(id)) {
                return false; // an executor has it, or has had it
            }
            COMING.computeIfAbsent(id, coming -> new ArrayList<>()).add(actions);
            return true;
        }
        if (!same(unstarted, actions)) {
            return false;
        }
        fold(unstarted, actions);
        return true;
    }

    /** Stores what the item says now; false when it is not this controller's any more. */
    private static boolean store(Membership membership, SeenItem seen, List<Action> actions) {
        QueueView view = membership.view();
        for (int round = 0; round < ROUNDS; round++) {
            Item now = seen.item();
            if (now.state() != ItemState.CLAIMED) {
                return now.state() == ItemState.STARTING
                        || now.state() == ItemState.RUNNING
                        || now.state() == ItemState.DONE;
            }
            if (!heldHere(membership, now)) {
                return false;
            }
            try {
                Queue.WaitingItem copy = Payload.decode(now.payload(), now.job());
                fold(copy, actions);
                byte[] payload = Payload.encode(copy);
                if (payload.length > NewItem.MAX_PAYLOAD) {
                    break;
                }
                Enqueued answer =
                        membership
                                .cluster()
                                .foldHeld(now.id(), now.jobRevision(), payload, Why.of(actions));
                if (answer.accepted()) {
                    return true;
                }
                view.learned(now.job(), answer.revision(), answer.queued());
                if (answer.queued().isEmpty()) {
                    view.refresh(now.id());
                }
            } catch (HaException.NotFound | HaException.Fenced e) {
                return false;
            } catch (Payload.JobMissing | Payload.Unreadable | RuntimeException e) {
                LOGGER.log(Level.FINE, "Not stored, should it go back", e);
                break;
            }
        }
        return true; // it is folded into what this controller will start
    }

    private static boolean heldHere(Membership membership, Item item) {
        return item.state() == ItemState.CLAIMED && item.owner().equals(membership.identity().id());
    }
}
