package io.jenkins.plugins.ha.locks;

import hudson.model.Queue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jenkins.plugins.lockableresources.LockableResource;

/**
 * Queue items of jobs that need resources before they begin. Core asks for them again and again
 * under its queue's lock, and is answered from memory; what it asked for is marked as soon as the
 * pen is here, and counts once it is stored. All under the monitor of the locks.
 */
final class QueuedJobs {
    /** The plugin takes a mark for forgotten after 60 s. */
    private static final long RENEW_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final ClusterLocks locks;
    private final Map<Long, BooleanSupplier> asked = new LinkedHashMap<>();
    private final Map<Long, Long> refused = new HashMap<>();
    private final Map<Long, Long> renewed = new HashMap<>();
    private Set<Long> stored = Set.of();

    QueuedJobs(ClusterLocks locks) {
        this.locks = locks;
    }

    /** Whether so many resources are marked for this item, as all can read. */
    boolean has(long item, int number) {
        return of(item).size() >= number && number > 0;
    }

    /** The resources that are marked for this item, as all can read. */
    List<LockableResource> of(long item) {
        List<LockableResource> result = new ArrayList<>();
        synchronized (ClusterLocks.syncResources) {
            Long since = renewed.get(item);
            boolean fresh = since != null && System.nanoTime() - since < RENEW_NANOS;
            if (stored.contains(item) && fresh) {
                for (var resource : locks.getResources()) {
                    if (resource.getQueueItemId() == item) {
                        result.add(resource);
                    }
                }
            }
        }
        return result;
    }

    /** Has it marked, unless that was refused just now. Answers false: core asks again. */
    boolean ask(long item, BooleanSupplier mark) {
        synchronized (ClusterLocks.syncResources) {
            Long since = refused.get(item);
            if (since == null || System.nanoTime() - since > AGAIN_NANOS) {
                asked.put(item, mark);
                locks.pen().want();
            }
        }
        return false;
    }

    /** The pen is here. */
    void answer() {
        asked.forEach(
                (item, mark) -> {
                    long now = System.nanoTime();
                    if (mark.getAsBoolean()) {
                        renewed.put(item, now);
                        refused.remove(item);
                    } else {
                        refused.put(item, now);
                    }
                });
        asked.clear();
    }

    /** Items for which something is marked. */
    Set<Long> marked() {
        Set<Long> items = new HashSet<>();
        locks.getResources().forEach(resource -> items.add(resource.getQueueItemId()));
        items.remove(0L);
        return items;
    }

    /** All can read that these have what is marked for them. */
    void stored(Set<Long> items) {
        boolean more = !stored.containsAll(items);
        stored = items;
        if (more) {
            Queue.getInstance().scheduleMaintenance();
        }
    }

    /** Others have changed something: what was refused may be free. */
    void newForm() {
        renewed.keySet().retainAll(marked());
        if (!refused.isEmpty()) {
            refused.clear();
            Queue.getInstance().scheduleMaintenance();
        }
    }
}
