package jenkins.model.queue;

import hudson.ExtensionPoint;
import hudson.model.Action;
import hudson.model.Queue;
import java.util.List;

public abstract class QueueIdStrategy implements ExtensionPoint {
    public QueueIdStrategy() {
        throw new UnsupportedOperationException();
    }

    public abstract long generateIdFor(Queue.Task task, List<Action> list);

    public void persist(Queue.State queueState) {
        throw new UnsupportedOperationException();
    }

    public void load(Queue.State queueState) {
        throw new UnsupportedOperationException();
    }

    public static QueueIdStrategy get() {
        throw new UnsupportedOperationException();
    }
}
