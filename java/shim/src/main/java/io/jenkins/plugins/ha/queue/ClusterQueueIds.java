package io.jenkins.plugins.ha.queue;

import hudson.Extension;
import hudson.model.Action;
import hudson.model.Queue;
import io.jenkins.plugins.ha.Membership;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import jenkins.model.queue.QueueIdStrategy;

/**
 * Queue ids that are unique in the cluster. On a plain Jenkins it counts as core does, in the same
 * place of queue.xml, since the first strategy found is the one used.
 */
@Extension(ordinal = 100)
public final class ClusterQueueIds extends QueueIdStrategy {
    /** Core keeps its counter in queue.xml under the name of its own strategy. */
    private static final String CORES_COUNTER =
            "jenkins.model.queue.QueueIdStrategy$DefaultStrategy";

    /** From here on ids are made up without Redis. */
    private static final long MADE_UP = 1L << 52;

    private final AtomicLong highest = new AtomicLong();

    @Override
    public long generateIdFor(Queue.Task task, List<Action> actions) {
        for (Action action : actions) {
            if (action instanceof ClusterItemAction cluster && cluster.itemId() > 0) {
                return noted(cluster.itemId());
            }
        }
        Optional<Membership> membership = Membership.active();
        if (membership.isEmpty()) {
            return highest.incrementAndGet();
        }
        return noted(membership.get().cluster().nextQueueId());
    }

    /**
     * A Jenkins without the plugin goes on from the highest in queue.xml; not from one that was
     * made up while Redis was away.
     */
    private long noted(long id) {
        if (id < MADE_UP) {
            highest.accumulateAndGet(id, Math::max);
        }
        return id;
    }

    @Override
    public void persist(Queue.State state) {
        state.properties.put(CORES_COUNTER, highest.get());
    }

    @Override
    public void load(Queue.State state) {
        if (state.properties.get(CORES_COUNTER) instanceof Number counter) {
            highest.accumulateAndGet(counter.longValue(), Math::max);
        }
        for (Object item : state.items) { // old files hold tasks too
            if (item instanceof Queue.Item queued) {
                highest.accumulateAndGet(queued.getId(), Math::max);
            }
        }
        Membership.active()
                .ifPresent(membership -> membership.cluster().raiseQueueIds(highest.get()));
    }
}
