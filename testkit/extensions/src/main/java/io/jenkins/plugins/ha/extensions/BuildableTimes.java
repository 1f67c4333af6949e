package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.Queue;
import hudson.model.queue.QueueListener;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** When items became buildable and left the queue here, ns; for measuring. Any thread. */
@Extension
public final class BuildableTimes extends QueueListener {
    private static final Map<String, Long> BUILDABLE = new ConcurrentHashMap<>();
    private static final Map<String, Long> LEFT = new ConcurrentHashMap<>();

    /** A line for each that was seen: its id, and both times, 0 for not yet. */
    public static List<String> lines() {
        return BUILDABLE.entrySet().stream()
                .map(
                        one ->
                                one.getKey()
                                        + " "
                                        + one.getValue()
                                        + " "
                                        + LEFT.getOrDefault(one.getKey(), 0L))
                .toList();
    }

    @Override
    public void onEnterBuildable(Queue.BuildableItem item) {
        BUILDABLE.putIfAbsent(Long.toString(item.getId()), System.nanoTime());
    }

    @Override
    public void onLeft(Queue.LeftItem item) {
        LEFT.putIfAbsent(Long.toString(item.getId()), System.nanoTime());
    }
}
