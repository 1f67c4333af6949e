package io.jenkins.plugins.ha.jobs;

import java.io.File;
import java.nio.file.Files;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Items whose configuration this controller cannot read in full, while another one can: they stay
 * here as they were, and are not saved here, until that is mended. Thread-safe.
 */
final class UnreadableItems {
    private static final Logger LOGGER = Logger.getLogger(UnreadableItems.class.getName());

    private record Mark(File file, String hash, String reason) {}

    private final Map<String, Mark> marks = new ConcurrentSkipListMap<>();

    /** Says so in the log, once per form. */
    void mark(String name, File file, String hash, Exception reason) {
        Mark mark = new Mark(file, hash, String.valueOf(reason.getMessage()));
        if (!mark.equals(marks.put(name, mark))) {
            LOGGER.log(
                    Level.WARNING,
                    "The configuration of {0} as another controller wrote it cannot be read here:"
                            + " {1}. The item stays here as it was, and cannot be saved here, until"
                            + " the plugins of the controllers agree.",
                    new Object[] {name, mark.reason});
        }
    }

    /** Forgets those whose files are gone. */
    void clearGone() {
        marks.values().removeIf(mark -> Files.notExists(mark.file.toPath()));
    }

    void clear(String name) {
        marks.remove(name);
    }

    /** Why the item is not to be saved here; null when it may be. */
    String reason(String name) {
        Mark mark = marks.get(name);
        return mark == null ? null : mark.reason;
    }

    /** One sentence, or "" when there is none. */
    String problem() {
        if (marks.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        marks.forEach(
                (name, mark) ->
                        text.append(text.isEmpty() ? "" : "; ")
                                .append(name)
                                .append(" (")
                                .append(mark.reason)
                                .append(')'));
        return "The configuration of these items cannot be read on this controller, so it keeps"
                + " them as they were and does not save them: "
                + text
                + ". Mostly a plugin is missing: install the same ones on all controllers.";
    }
}
