package hudson.model.queue;

import hudson.ExtensionPoint;
import hudson.model.Queue;
import java.util.List;

public abstract class QueueSorter implements ExtensionPoint {
    public QueueSorter() {
        throw new UnsupportedOperationException();
    }

    public abstract void sortBuildableItems(List<Queue.BuildableItem> list);

    public void sortBlockedItems(List<Queue.BlockedItem> blockedItems) {
        throw new UnsupportedOperationException();
    }
}
