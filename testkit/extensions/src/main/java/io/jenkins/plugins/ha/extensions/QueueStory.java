package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.Queue;
import hudson.model.queue.QueueListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Writes down what a queue listener hears, one line an event: the event, the task's name, and for
 * {@code left} whether it was cancelled. Always on.
 */
@Extension
public final class QueueStory extends QueueListener {
    private static final List<String> HEARD = new CopyOnWriteArrayList<>();

    /** All that was heard since the start or the last {@link #forget}. */
    public static List<String> heard() {
        return List.copyOf(HEARD);
    }

    /** Begins anew. */
    public static void forget() {
        HEARD.clear();
    }

    @Override
    public void onEnterWaiting(Queue.WaitingItem item) {
        HEARD.add("waiting " + item.task.getName());
    }

    @Override
    public void onLeft(Queue.LeftItem item) {
        HEARD.add("left " + item.task.getName() + (item.isCancelled() ? " cancelled" : ""));
    }
}
