package io.jenkins.plugins.ha;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Maps and sets that remember what was used last and forget the rest, so that what a controller
 * remembers of each job or item that it ever saw is bounded.
 */
public final class Recent {
    private Recent() {}

    /** A thread-safe map that forgets what was used least of late, beyond so many entries. */
    public static <K, V> Map<K, V> map(int most) {
        return Collections.synchronizedMap(new Bounded<>(most));
    }

    /** As {@link #map}. */
    public static <K> Set<K> set(int most) {
        return Collections.newSetFromMap(map(most));
    }

    private static final class Bounded<K, V> extends LinkedHashMap<K, V> {
        private static final long serialVersionUID = 1L;

        private final int most;

        Bounded(int most) {
            super(16, 0.75f, true);
            this.most = most;
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > most;
        }
    }
}
