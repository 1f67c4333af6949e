package hudson.model.queue;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.model.Queue;

public abstract class QueueListener implements ExtensionPoint {
    public QueueListener() {
        throw new UnsupportedOperationException();
    }

    public void onEnterWaiting(Queue.WaitingItem wi) {
        throw new UnsupportedOperationException();
    }

    public void onLeaveWaiting(Queue.WaitingItem wi) {
        throw new UnsupportedOperationException();
    }

    public void onEnterBlocked(Queue.BlockedItem bi) {
        throw new UnsupportedOperationException();
    }

    public void onLeaveBlocked(Queue.BlockedItem bi) {
        throw new UnsupportedOperationException();
    }

    public void onEnterBuildable(Queue.BuildableItem bi) {
        throw new UnsupportedOperationException();
    }

    public void onLeaveBuildable(Queue.BuildableItem bi) {
        throw new UnsupportedOperationException();
    }

    public void onLeft(Queue.LeftItem li) {
        throw new UnsupportedOperationException();
    }

    public static ExtensionList<QueueListener> all() {
        throw new UnsupportedOperationException();
    }
}
