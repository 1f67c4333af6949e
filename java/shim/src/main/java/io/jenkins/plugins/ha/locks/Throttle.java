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
 * place there before it begins, and until its queue item has ended. So have {@code node} blocks of
 * Pipelines within a {@code throttle} step, until they are left ({@link ThrottledBlocks}). Core
 * asks under its queue's lock and is answered from memory, <em>not yet</em> until the place is
 * stored. Thread-safe.
 */
final class Throttle implements Pen.State {
    static final String NAME = "throttle";

    /** What has a place and does not begin in this time asks for one again. */
    private static final long UNBEGUN_NANOS = TimeUnit.SECONDS.toNanos(30);

    private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** Stands before the name of a block in its line; no limit has a name that begins so. */
    private static final String BLOCK = "@";

    /**
     * A place.
     *
     * @param limits names of what it counts for
     * @param block the {@code node} block that has it, as {@link ThrottledBlocks} names it; "" for
     *     a build, which is known by its queue item
     */
    private record Place(Set<String> limits, String block) {}

    private record Asked(Map<String, Integer> limits, String block) {}

    private final Object monitor = new Object();
    private final Pen pen = new Pen(NAME, monitor, this);
    private final ThrottledBlocks blocks = new ThrottledBlocks();

    // all of these under the monitor
    private Map<Long, Place> places = new TreeMap<>();
    private final Map<Long, Asked> asked = new LinkedHashMap<>();
    private final Map<Long, Long> refused = new HashMap<>();

    /** When core asked last for a block that has a place: it has not begun. */
    private final Map<Long, Long> stillAsked = new HashMap<>();

    private Set<Long> stored = Set.of();
    private Set<Long> over = Set.of();

    /** Since when an item is seen with a place that has not begun; the pen's thread alone. */
    private final Map<Long, Long> unbegun = new HashMap<>();

    Pen pen() {
        return pen;
    }

    ThrottledBlocks blocks() {
        return blocks;
    }

    /**
     * Whether this item may begin.
     *
     * @param limits by name of what is limited, how many may run at once
     */
    boolean may(long item, Map<String, Integer> limits) {
        return may(item, limits, "");
    }

    /** As {@link #may(long, Map)}, for a block of a Pipeline. */
    boolean may(String block, Map<String, Integer> limits) {
        return may(keyOf(block), limits, block);
    }

    /** Below 0, where no item has its id. */
    private static long keyOf(String block) {
        long hash = 1125899906842597L;
        for (int i = 0; i < block.length(); i++) {
            hash = 31 * hash + block.charAt(i);
        }
        return hash | Long.MIN_VALUE;
    }

    private boolean may(long key, Map<String, Integer> limits, String block) {
        synchronized (monitor) {
            long now = System.nanoTime();
            Place has = places.get(key);
            if (has != null && stored.contains(key) && has.limits.containsAll(limits.keySet())) {
                if (!block.isEmpty()) {
                    stillAsked.put(key, now);
                }
                return true;
            }
            Long since = refused.get(key);
            if (since == null || now - since > AGAIN_NANOS) {
                asked.put(key, new Asked(limits, block));
                pen.want();
            }
            return false;
        }
    }

    @Override
    public void prepare() {
        Map<Long, Place> all;
        Map<Long, Long> waits;
        synchronized (monitor) {
            all = Map.copyOf(places);
            stillAsked.keySet().retainAll(all.keySet());
            waits = Map.copyOf(stillAsked);
        }
        unbegun.keySet().retainAll(all.keySet());
        Set<Long> gone = new HashSet<>();
        long now = System.nanoTime();
        all.forEach(
                (key, place) -> {
                    boolean waitsStill;
                    if (place.block.isEmpty()) {
                        ItemState state =
                                Pen.cluster().item(key).map(Item::state).orElse(ItemState.DONE);
                        if (state.ended()) {
                            gone.add(key);
                        }
                        waitsStill = state == ItemState.QUEUED || state == ItemState.CLAIMED;
                    } else {
                        Long last = waits.get(key);
                        waitsStill = last != null && now - last < UNBEGUN_NANOS / 2;
                    }
                    if (!waitsStill) {
                        unbegun.remove(key);
                    } else if (now - unbegun.computeIfAbsent(key, i -> now) > UNBEGUN_NANOS) {
                        gone.add(key);
                    }
                });
        gone.addAll(blocksThatAreOver(all));
        synchronized (monitor) {
            over = gone;
        }
    }

    /** Looks into programs and files. */
    private Set<Long> blocksThatAreOver(Map<Long, Place> all) {
        Map<String, Long> names = new HashMap<>();
        all.forEach(
                (key, place) -> {
                    if (!place.block.isEmpty()) {
                        names.put(place.block, key);
                    }
                });
        Set<Long> gone = new HashSet<>();
        if (!names.isEmpty()) {
            blocks.over(names.keySet()).forEach(name -> gone.add(names.get(name)));
        }
        return gone;
    }

    @Override
    public void penIsHere() {
        places.keySet().removeAll(over);
        long now = System.nanoTime();
        asked.forEach(
                (key, one) -> {
                    places.remove(key);
                    boolean room =
                            one.limits.entrySet().stream()
                                    .allMatch(limit -> count(limit.getKey()) < limit.getValue());
                    if (room) {
                        places.put(key, new Place(Set.copyOf(one.limits.keySet()), one.block));
                        refused.remove(key);
                        stillAsked.remove(key);
                    } else {
                        refused.put(key, now);
                    }
                });
        asked.clear();
        refused.values().removeIf(since -> now - since > UNBEGUN_NANOS);
    }

    private long count(String limit) {
        return places.values().stream().filter(place -> place.limits.contains(limit)).count();
    }

    @Override
    public byte[] text() {
        StringBuilder text = new StringBuilder();
        places.forEach(
                (key, place) -> {
                    text.append(key);
                    new TreeSet<>(place.limits).forEach(name -> text.append('\t').append(name));
                    if (!place.block.isEmpty()) {
                        text.append('\t').append(BLOCK).append(place.block);
                    }
                    text.append('\n');
                });
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Object read(byte[] text) {
        Map<Long, Place> read = new TreeMap<>();
        new String(text, StandardCharsets.UTF_8)
                .lines()
                .forEach(
                        line -> {
                            String[] words = line.split("\t");
                            Set<String> limits = new TreeSet<>();
                            String block = "";
                            for (int i = 1; i < words.length; i++) {
                                if (words[i].startsWith(BLOCK)) {
                                    block = words[i].substring(BLOCK.length());
                                } else {
                                    limits.add(words[i]);
                                }
                            }
                            read.put(Long.valueOf(words[0]), new Place(limits, block));
                        });
        return read;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void install(Object form) {
        Map<Long, Place> now = (Map<Long, Place>) form;
        places = new TreeMap<>(now);
    }

    @Override
    public Object promises() {
        return Set.copyOf(places.keySet());
    }

    @Override
    @SuppressWarnings("unchecked")
    public void stored(Object promises) {
        Set<Long> now = (Set<Long>) promises;
        boolean changed = !stored.equals(now);
        if (!now.containsAll(stored)) {
            refused.clear(); // there is room
        }
        stored = now;
        if (changed) {
            Queue.getInstance().scheduleMaintenance();
        }
    }

    /** Of builds it is found when somebody asks for a place; blocks are left where they run. */
    @Override
    public void tick() {
        Map<Long, Place> all;
        boolean waits;
        synchronized (monitor) {
            all = Map.copyOf(places);
            waits = !refused.isEmpty();
        }
        if (!blocksThatAreOver(all).isEmpty() || waits && !all.isEmpty()) {
            synchronized (monitor) {
                pen.want();
            }
        }
    }
}
