package jenkins.model.queue;

import hudson.model.Action;
import hudson.model.Failure;
import hudson.model.Item;
import hudson.model.Queue;
import java.util.List;

public class ItemDeletion extends Queue.QueueDecisionHandler {
    ItemDeletion() {}

    public static boolean contains(Item item) {
        throw new UnsupportedOperationException();
    }

    public static void cancelBuildsInProgress(Item initiatingItem)
            throws Failure, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public static boolean register(Item item) {
        throw new UnsupportedOperationException();
    }

    public static void deregister(Item item) {
        throw new UnsupportedOperationException();
    }

    public static boolean isRegistered(Item item) {
        throw new UnsupportedOperationException();
    }

    public boolean shouldSchedule(Queue.Task task, List<Action> actions) {
        throw new UnsupportedOperationException();
    }
}
