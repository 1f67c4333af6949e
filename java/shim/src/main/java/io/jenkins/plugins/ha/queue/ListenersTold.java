package io.jenkins.plugins.ha.queue;

import hudson.model.Queue;
import hudson.model.queue.QueueListener;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.util.Listeners;

/**
 * Tells Jenkins' queue listeners what core does not see: that an item was accepted, once, on the
 * controller that accepted it; and that one was cancelled which no controller had in its lists, on
 * the same controller or, where that is gone, on the one that cancelled it. Of what a controller
 * has claimed core tells there: that it starts, or is cancelled. As in core, listeners are told as
 * SYSTEM, under the queue's lock. Thread-safe.
 */
final class ListenersTold {
    private static final Logger LOGGER = Logger.getLogger(ListenersTold.class.getName());

    /** Not the thread that reads the events: a listener may be slow. */
    private static final ExecutorService THREAD =
            Executors.newSingleThreadExecutor(
                    work -> {
                        Thread thread = new Thread(work, "ha-jenkins-listeners");
                        thread.setDaemon(true);
                        return thread;
                    });

    private ListenersTold() {}

    /** It was accepted here. Without effect the second time. */
    static void entered(SeenItem seen) {
        Queue.withLock(
                () -> {
                    Queue.WaitingItem waiting = seen.waiting();
                    if (waiting != null && seen.enteredOnce()) {
                        Listeners.notify(
                                QueueListener.class,
                                true,
                                listener -> listener.onEnterWaiting(waiting));
                    }
                });
    }

    /**
     * It has changed; if it was accepted here and cancelled while nobody held it, they hear so, in
     * the background.
     */
    static void changed(SeenItem seen, String controllerId) {
        Item item = seen.item();
        if (item.state() == ItemState.CANCELLED
                && item.owner().isEmpty()
                && item.origin().equals(controllerId)) {
            cancelled(seen);
        }
    }

    /**
     * This controller has cancelled what nobody held: if whoever accepted it is no member any more,
     * listeners hear so here. One bounded round trip, where it is another's.
     */
    static void cancelledFor(Membership membership, long id) {
        SeenItem seen = membership.view().seen(id);
        if (seen == null
                || seen.item().state() != ItemState.CANCELLED
                || !seen.item().owner().isEmpty()
                || seen.item().origin().equals(membership.identity().id())) {
            return;
        }
        String origin = seen.item().origin();
        if (membership.cluster().members().stream()
                .noneMatch(member -> member.controllerId().equals(origin))) {
            cancelled(seen);
        }
    }

    /** It was cancelled, and core has not told so. In the background; without effect once told. */
    static void cancelled(SeenItem seen) {
        if (!seen.leftToldOnce()) {
            return;
        }
        THREAD.execute(
                () -> {
                    try {
                        Queue.withLock(() -> tellCancelled(seen));
                    } catch (RuntimeException | LinkageError e) {
                        LOGGER.log(
                                Level.WARNING,
                                "Listeners may not know that queue item "
                                        + seen.id()
                                        + " was cancelled",
                                e);
                    }
                });
    }

    private static void tellCancelled(SeenItem seen) {
        Queue.WaitingItem waiting = seen.waiting();
        if (waiting == null) {
            return; // its job is not here
        }
        if (seen.acceptedHere()) {
            entered(seen);
        }
        if (!seen.enteredOnce()) { // they know it as one that waits
            Listeners.notify(
                    QueueListener.class, true, listener -> listener.onLeaveWaiting(waiting));
        }
        Queue.LeftItem left = new Queue.LeftItem(waiting);
        Listeners.notify(QueueListener.class, true, listener -> listener.onLeft(left));
    }
}
