package io.jenkins.plugins.ha.triggers;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Turn;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Why builds are triggered on this thread right now: something that another controller does again
 * if this one dies over it. The queue id of each build is noted before it is accepted: done again,
 * the same id shows whether it was, and cannot be accepted twice. One thread.
 */
public final class Occasion {
    private static final Logger LOGGER = Logger.getLogger(Occasion.class.getName());
    private static final ThreadLocal<Occasion> PRESENT = new ThreadLocal<>();

    private final Cluster cluster;
    private final String name;
    private final boolean again;
    private final long rememberMillis;
    private final Map<String, Integer> counts = new HashMap<>();
    private boolean triggered;

    /**
     * @param name tells it apart from all others
     * @param again whether a controller that died had begun it
     * @param rememberMillis how long after it began it may be done again
     */
    public Occasion(Cluster cluster, String name, boolean again, long rememberMillis) {
        this.cluster = cluster;
        this.name = name;
        this.again = again;
        this.rememberMillis = rememberMillis;
    }

    /** The one on this thread. */
    public static Optional<Occasion> present() {
        return Optional.ofNullable(PRESENT.get());
    }

    /** Makes it the one on this thread until it is closed. */
    public Scope begin() {
        PRESENT.set(this);
        return PRESENT::remove;
    }

    /** See {@link #begin}. */
    @FunctionalInterface
    public interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    /** Whether a build was triggered meanwhile, on this thread. */
    public boolean triggered() {
        return triggered;
    }

    /**
     * A build that is triggered.
     *
     * @param queueId to accept it under
     * @param again whether that id was given out by a controller that died, and may be in the queue
     */
    public record Build(Occasion occasion, String key, long queueId, boolean again) {
        /** It was folded into another item, or stays on this controller. */
        public void became(long otherId) {
            if (otherId != queueId) {
                occasion.note(key, otherId);
            }
        }
    }

    /** The next build of this job with these parameters. */
    public Build build(String job, int parameters) {
        triggered = true;
        String of = Integer.toHexString(parameters) + ":" + job;
        String key = name + ":" + counts.merge(of, 1, Integer::sum) + ":" + of;
        if (again) {
            try {
                Turn turn = cluster.begin(key, rememberMillis);
                if (turn.state() == Turn.State.DONE) {
                    return new Build(this, key, Long.parseLong(turn.note()), true);
                }
            } catch (HaException e) {
                LOGGER.log(
                        Level.FINE,
                        "{0} is triggered once more: nobody can tell whether it was: {1}",
                        new Object[] {job, e.getMessage()});
            }
        }
        Build build = new Build(this, key, cluster.nextQueueId(), false);
        note(key, build.queueId);
        return build;
    }

    private void note(String key, long id) {
        try {
            cluster.done(key, Long.toString(id), rememberMillis);
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Not noted: {0}: {1}", new Object[] {key, e.getMessage()});
        }
    }
}
