package io.jenkins.plugins.ha.queue;

import hudson.model.Queue;
import hudson.model.queue.QueueSorter;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LaneOffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What the {@link QueueSorter} of this controller, a plugin for priorities for instance, would
 * start first of what waits in the cluster. Without a sorter the cluster's own order holds, which
 * is by age.
 */
final class SorterOrder {
    private static final Logger LOGGER = Logger.getLogger(SorterOrder.class.getName());
    private static final long[] NONE = {};

    private SorterOrder() {}

    /** The ids of what waits in these lanes, in the sorter's order; empty when it has none. */
    static long[] first(HaQueue queue, QueueView view, List<LaneOffer> offers) {
        QueueSorter sorter = queue.getSorter();
        if (sorter == null || offers.isEmpty()) {
            return NONE;
        }
        Set<String> lanes = new HashSet<>();
        offers.forEach(offer -> lanes.add(offer.lane()));
        List<Queue.WaitingItem> concurrent = new ArrayList<>();
        Map<String, List<Queue.WaitingItem>> inTurn = new HashMap<>();
        long now = System.currentTimeMillis();
        for (SeenItem seen : view.waiting()) {
            Item item = seen.item();
            if (item.state() != ItemState.QUEUED
                    || item.dueMillis() > now
                    || !lanes.contains(item.lane())) {
                continue;
            }
            Queue.WaitingItem waiting = seen.waiting();
            if (waiting != null) {
                (item.concurrent()
                                ? concurrent
                                : inTurn.computeIfAbsent(item.job(), job -> new ArrayList<>()))
                        .add(waiting);
            }
        }
        if (concurrent.size() + inTurn.size() < 2
                && inTurn.values().stream().allMatch(ofJob -> ofJob.size() < 2)) {
            return NONE;
        }
        long[][] sorted = {NONE};
        try {
            Queue.withLock(
                    () -> {
                        sorted[0] = sort(sorter, concurrent, inTurn);
                    });
        } catch (RuntimeException | LinkageError e) {
            LOGGER.log(Level.WARNING, "The queue is not sorted by " + sorter, e);
        }
        return sorted[0];
    }

    private static long[] sort(
            QueueSorter sorter,
            List<Queue.WaitingItem> concurrent,
            Map<String, List<Queue.WaitingItem>> inTurn) {
        List<Queue.BuildableItem> buildable = new ArrayList<>();
        concurrent.forEach(item -> buildable.add(new Queue.BuildableItem(item)));
        for (List<Queue.WaitingItem> ofJob : inTurn.values()) {
            buildable.add(new Queue.BuildableItem(firstInTurn(sorter, ofJob)));
        }
        // those that the sorter holds equal go by age
        buildable.sort(
                Comparator.comparingLong(Queue.Item::getInQueueSince)
                        .thenComparingLong(Queue.Item::getId));
        sorter.sortBuildableItems(buildable);
        return buildable.stream().mapToLong(Queue.Item::getId).toArray();
    }

    /** Core has the sorter say which of the blocked ones is looked at first. */
    private static Queue.WaitingItem firstInTurn(
            QueueSorter sorter, List<Queue.WaitingItem> ofJob) {
        Map<Long, Queue.WaitingItem> byId = new HashMap<>();
        List<Queue.BlockedItem> blocked = new ArrayList<>();
        for (Queue.WaitingItem item : ofJob) {
            byId.put(item.getId(), item);
            if (SeenItem.blocked(item, "") instanceof Queue.BlockedItem one) {
                blocked.add(one);
            }
        }
        if (blocked.size() < ofJob.size()) {
            return ofJob.get(0);
        }
        sorter.sortBlockedItems(blocked);
        return byId.get(blocked.get(0).getId());
    }
}
