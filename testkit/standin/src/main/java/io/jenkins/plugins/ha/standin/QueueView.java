package io.jenkins.plugins.ha.standin;

import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The cluster's queue as this controller last heard of it, for answers without the network.
 * Thread-safe.
 */
final class QueueView {
    private static final int ENDED_KEPT = 10_000;

    private final Map<String, Long> revisions = new HashMap<>();
    private final Map<Long, Item> live = new LinkedHashMap<>();
    private final Map<Long, Item> ended =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Item> eldest) {
                    return size() > ENDED_KEPT;
                }
            };

    synchronized void replace(List<Item> all) {
        live.clear();
        // After a loss of all data counting starts anew.
        revisions.clear();
        all.forEach(this::put);
    }

    /** Changes without payload keep the one that is known. */
    synchronized void put(Item item) {
        revisions.merge(item.job(), item.jobRevision(), Math::max);
        Item known = live.get(item.id());
        if (ended.containsKey(item.id()) || known != null && known.version() > item.version()) {
            return;
        }
        if (item.state().ended()) {
            live.remove(item.id());
            ended.put(item.id(), item);
        } else {
            live.put(
                    item.id(),
                    item.payload() == null && known != null
                            ? item.withPayload(known.payload())
                            : item);
        }
    }

    synchronized Optional<Item> item(long id) {
        return Optional.ofNullable(live.getOrDefault(id, ended.get(id)));
    }

    synchronized List<Item> live(Predicate<Item> wanted) {
        return live.values().stream()
                .filter(wanted)
                .sorted(Comparator.comparingLong(Item::id))
                .toList();
    }

    List<Item> queued(String job) {
        return live(i -> i.job().equals(job) && i.state() == ItemState.QUEUED);
    }

    /** The newest revision of the job's waiting items that was heard of; 0 for none. */
    synchronized long revision(String job) {
        return revisions.getOrDefault(job, 0L);
    }

    /** The item of a build that is being made or runs. */
    Optional<Item> build(String job, int number) {
        return live(i -> i.number() == number && i.job().equals(job)).stream().findFirst();
    }
}
