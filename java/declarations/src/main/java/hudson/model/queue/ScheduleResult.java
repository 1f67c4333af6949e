package hudson.model.queue;

import hudson.model.Queue;

public abstract class ScheduleResult {
    ScheduleResult() {}

    public static ScheduleResult.Created created(Queue.WaitingItem waitingItem) {
        throw new UnsupportedOperationException();
    }

    public static ScheduleResult.Existing existing(Queue.Item item) {
        throw new UnsupportedOperationException();
    }

    public static ScheduleResult.Refused refused() {
        throw new UnsupportedOperationException();
    }

    public boolean isCreated() {
        throw new UnsupportedOperationException();
    }

    public boolean isRefused() {
        throw new UnsupportedOperationException();
    }

    public Queue.Item getItem() {
        throw new UnsupportedOperationException();
    }

    public Queue.WaitingItem getCreateItem() {
        throw new UnsupportedOperationException();
    }

    public final boolean isAccepted() {
        throw new UnsupportedOperationException();
    }

    public static final class Created extends ScheduleResult {
        Created() {}
    }

    public static final class Existing extends ScheduleResult {
        Existing() {}
    }

    public static final class Refused extends ScheduleResult {
        Refused() {}
    }
}
