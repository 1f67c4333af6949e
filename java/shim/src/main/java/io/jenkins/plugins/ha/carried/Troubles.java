package io.jenkins.plugins.ha.carried;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an admin should know of single settings, until it is over. Bounded. Thread-safe. */
public final class Troubles {
    private static final int MOST = 200;

    /**
     * One setting.
     *
     * @param path of its file
     * @param text a sentence
     * @param sinceMillis since 1970
     */
    public record Trouble(String path, String text, long sinceMillis) {
        /** The time for people. */
        public String since() {
            return Instant.ofEpochMilli(sinceMillis).truncatedTo(ChronoUnit.SECONDS).toString();
        }
    }

    private final Map<String, Trouble> troubles = new LinkedHashMap<>();

    /** Answers false when the same was told before. */
    synchronized boolean tell(String path, String text, long now) {
        Trouble before = troubles.get(path);
        if (before != null && before.text.equals(text)) {
            return false;
        }
        if (troubles.size() >= MOST && before == null) {
            troubles.remove(troubles.keySet().iterator().next());
        }
        troubles.put(path, new Trouble(path, text, now));
        return true;
    }

    synchronized void over(String path) {
        troubles.remove(path);
    }

    /** All, oldest first. */
    public synchronized List<Trouble> all() {
        return new ArrayList<>(troubles.values());
    }
}
