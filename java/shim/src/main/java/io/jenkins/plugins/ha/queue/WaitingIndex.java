package io.jenkins.plugins.ha.queue;

import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Predicate;

/**
 * What of the seen items waits, by age, by job and by lane. Kept with each change of an item, so
 * that nobody has to look at all of them: events come faster than ten thousand items are looked at.
 * Thread-safe.
 */
final class WaitingIndex {
    private final Map<Long, SeenItem> items;
    private final String controllerId;

    /** By id, which is by age. */
    private final ConcurrentSkipListMap<Long, SeenItem> waiting = new ConcurrentSkipListMap<>();

    private final Map<String, ConcurrentSkipListMap<Long, SeenItem>> ofJobs =
            new ConcurrentHashMap<>();

    /** Lane, job, and how many items of both could be claimed here; guarded by this. */
    private final Map<String, Map<String, Integer>> claimable = new HashMap<>();

    /** How each item is entered; guarded by this. */
    private final Map<Long, Entry> entries = new HashMap<>();

    /**
     * @param lane null when it cannot be claimed here
     * @param shown false for a placeholder: what it stands for is shown where it is
     */
    private record Entry(SeenItem seen, String job, String lane, boolean shown) {}

    WaitingIndex(Map<Long, SeenItem> items, String controllerId) {
        this.items = items;
        this.controllerId = controllerId;
    }

    /** To be called after each change of what {@code items} holds under this id. */
    synchronized void update(long id) {
        SeenItem seen = items.get(id);
        Entry now = seen == null || !seen.waits() ? null : entry(seen);
        Entry before = now == null ? entries.remove(id) : entries.put(id, now);
        if (now != null) {
            enter(id, now);
        }
        if (before != null) {
            leave(id, before, now);
        }
    }

    /** All that wait, oldest first. */
    List<SeenItem> all() {
        return new ArrayList<>(waiting.values());
    }

    /** All of this job that wait, oldest first. */
    List<SeenItem> of(String job) {
        Map<Long, SeenItem> those = ofJobs.get(job);
        return those == null ? new ArrayList<>() : new ArrayList<>(those.values());
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** The lanes in which there is something of a job that is here. */
    Set<String> lanes(Predicate<String> here) {
        Map<String, Set<String>> candidates = new HashMap<>();
        synchronized (this) {
            claimable.forEach((lane, jobs) -> candidates.put(lane, new HashSet<>(jobs.keySet())));
        }
        Set<String> result = new HashSet<>();
        candidates.forEach(
                (lane, jobs) -> {
                    if (jobs.stream().anyMatch(here)) {
                        result.add(lane);
                    }
                });
        return result;
    }

    private Entry entry(SeenItem seen) {
        Item item = seen.item();
        boolean takes =
                item.state() == ItemState.QUEUED
                        && !item.blocked()
                        && (item.pinned().isEmpty() || item.pinned().equals(controllerId));
        boolean shown = !LocalBuilds.isPlaceholder(item);
        return new Entry(seen, item.job(), takes ? item.lane() : null, shown);
    }

    private void enter(long id, Entry entry) {
        if (entry.shown()) {
            waiting.put(id, entry.seen());
            ofJobs.computeIfAbsent(entry.job(), job -> new ConcurrentSkipListMap<>())
                    .put(id, entry.seen());
        }
        if (entry.lane() != null) {
            claimable
                    .computeIfAbsent(entry.lane(), lane -> new HashMap<>())
                    .merge(entry.job(), 1, Integer::sum);
        }
    }

    /** Takes out what was entered {@code before} and is not by {@code now}; null for not at all. */
    private void leave(long id, Entry before, Entry now) {
        if (now == null) {
            waiting.remove(id);
        }
        if (now == null || !now.job().equals(before.job())) {
            ofJobs.computeIfPresent(
                    before.job(),
                    (job, those) -> {
                        those.remove(id);
                        return those.isEmpty() ? null : those;
                    });
        }
        if (before.lane() != null) {
            claimable.computeIfPresent(
                    before.lane(),
                    (lane, jobs) -> {
                        jobs.computeIfPresent(
                                before.job(), (job, count) -> count == 1 ? null : count - 1);
                        return jobs.isEmpty() ? null : jobs;
                    });
        }
    }
}
