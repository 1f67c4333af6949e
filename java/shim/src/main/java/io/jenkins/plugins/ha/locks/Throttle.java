package io.jenkins.plugins.ha.locks;

import hudson.model.Queue;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * How many builds of a category, or of a job, may run at once in the whole cluster: each has a
 * place there before it begins, and until its queue item has ended. Core asks under its queue's
 * lock and is answered from memory, <em>not yet</em> until the place is stored. Thread-safe.
 */
final class Throttle implements Pen.State {
    static final String NAME = "throttle";

    /** What has a place and does not begin in this time asks for one again. */
    private static final long UNBEGUN_NANOS = TimeUnit.SECONDS.toNanos(30);

    private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Object monitor = new Object();
    private final Pen pen = new Pen(NAME, monitor, this);

    // all of these under the monitor
    private Map<Long, Set<String>> places = new TreeMap<>();
    private final Map<Long, Map<String, Integer>> asked = new LinkedHashMap<>();
    private final Map<Long, Long> refused = new HashMap<>();
    private Set<Long> stored = Set.of();
    private Set<Long> over = Set.of();

    /** Since when an item is seen with a place that has not begun; the pen's thread alone. */
    private final Map<Long, Long> unbegun = new HashMap<>();

    Pen pen() {
        return pen;
    }

    /**
     * Whether this item may begin.
     *
     * @param limits by name of what is limited, how many may run at once
     */
    boolean may(long item, Map<String, Integer> limits) {
        synchronized (monitor) {
            Set<String> has = places.get(item);
            if (has != null && stored.contains(item) && has.containsAll(limits.keySet())) {
                return true;
            }
            Long since = refused.get(item);
            if (since == null || System.nanoTime() - since > AGAIN_NANOS) {
                asked.put(item, limits);
                pen.want();
            }
            return false;
        }
    }

    @Override
    public void prepare() {
        Set<Long> ids;
        synchronized (monitor) {
            ids = new TreeSet<>(places.keySet());
        }
        unbegun.keySet().retainAll(ids);
        Set<Long> gone = new HashSet<>();
        long now = System.nanoTime();
        for (long id : ids) {
            ItemState state = Pen.cluster().item(id).map(Item::state).orElse(ItemState.DONE);
            if (state.ended()) {
                gone.add(id);
            } else if (state != ItemState.QUEUED && state != ItemState.CLAIMED) {
                unbegun.remove(id);
            } else if (now - unbegun.computeIfAbsent(id, i -> now) > UNBEGUN_NANOS) {
                gone.add(id);
            }
        }
        synchronized (monitor) {
            over = gone;
        }
    }

    @Override
    public void penIsHere() {
        places.keySet().removeAll(over);
        long now = System.nanoTime();
        asked.forEach(
                (item, limits) -> {
                    places.remove(item);
                    boolean room =
                            limits.entrySet().stream()
                                    .allMatch(limit -> count(limit.getKey()) < limit.getValue());
                    if (room) {
                        places.put(item, Set.copyOf(limits.keySet()));
                        refused.remove(item);
                    } else {
                        refused.put(item, now);
                    }
                });
        asked.clear();
        refused.values().removeIf(since -> now - since > UNBEGUN_NANOS);
    }

    private long count(String limit) {
        return places.values().stream().filter(names -> names.contains(limit)).count();
    }

    @Override
    public byte[] text() {
        StringBuilder text = new StringBuilder();
        places.forEach(
                (item, names) -> {
                    text.append(item);
                    new TreeSet<>(names).forEach(name -> text.append('\t').append(name));
                    text.append('\n');
                });
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Object read(byte[] text) {
        Map<Long, Set<String>> read = new TreeMap<>();
        new String(text, StandardCharsets.UTF_8)
                .lines()
                .forEach(
                        line -> {
                            String[] words = line.split("\t");
                            Set<String> names = new TreeSet<>();
                            for (int i = 1; i < words.length; i++) {
                                names.add(words[i]);
                            }
                            read.put(Long.valueOf(words[0]), names);
                        });
        return read;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void install(Object form) {
        places = new TreeMap<>((Map<Long, Set<String>>) form);
    }

    @Override
    public Object promises() {
        return Set.copyOf(places.keySet());
    }

    @Override
    @SuppressWarnings("unchecked")
    public void stored(Object promises) {
        Set<Long> now = (Set<Long>) promises;
        boolean more = !stored.containsAll(now);
        stored = now;
        if (more) {
            Queue.getInstance().scheduleMaintenance();
        }
    }

    @Override
    public void tick() {
        // who has a place for nothing is found when somebody asks for one
    }
}
