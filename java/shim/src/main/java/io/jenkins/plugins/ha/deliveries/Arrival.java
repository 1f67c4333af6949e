package io.jenkins.plugins.ha.deliveries;

import hudson.model.Queue;
import hudson.model.queue.ScheduleResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A webhook that is being dealt with on this thread, and what it leads to. One thread. */
public final class Arrival {
    private static final ThreadLocal<Arrival> PRESENT = new ThreadLocal<>();
    private static final int MOST = 20;

    private final List<InboxEntry.Led> items = new ArrayList<>();

    /** The one on this thread. */
    public static Optional<Arrival> present() {
        return Optional.ofNullable(PRESENT.get());
    }

    /** Makes it the one on this thread until it is closed. */
    Scope begin() {
        PRESENT.set(this);
        return PRESENT::remove;
    }

    /** See {@link #begin}. */
    @FunctionalInterface
    interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    /** A build was asked for. */
    public void led(Queue.Task task, ScheduleResult result) {
        if (items.size() < MOST) {
            Queue.Item item = result.getItem();
            String name = task.getFullDisplayName();
            items.add(new InboxEntry.Led(item == null ? 0 : item.getId(), name));
        }
    }

    List<InboxEntry.Led> items() {
        return items;
    }
}
