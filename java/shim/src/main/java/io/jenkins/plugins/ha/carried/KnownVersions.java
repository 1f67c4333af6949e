package io.jenkins.plugins.ha.carried;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Which version of each setting this controller has in force, remembered in a file of its home.
 * Where the file says less than is true, the texts are compared again, and nothing is lost.
 * Thread-safe.
 */
final class KnownVersions {
    private static final Logger LOGGER = Logger.getLogger(KnownVersions.class.getName());
    private static final String HEAD = "ha-jenkins settings 1";

    /**
     * One setting.
     *
     * @param version 0 when the cluster never had it
     * @param deleted whether it is deleted
     * @param digest of its text
     * @param stamp of its file when its digest was made
     */
    record Known(long version, boolean deleted, String digest, String stamp) {}

    static final Known NONE = new Known(0, false, "", "");

    private final Path file;
    private final boolean first;
    private final Map<String, Known> known = new HashMap<>();
    private boolean dirty;

    KnownVersions(Path file) {
        this.file = file;
        String text = null;
        try {
            text = Folders.read(file);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The versions of the settings are compared anew", e);
        }
        boolean readable = text != null && text.startsWith(HEAD + "\n");
        if (readable) {
            for (String line : text.split("\n")) {
                String[] parts = line.split("\t", -1);
                if (parts.length == 5) {
                    known.put(
                            parts[0],
                            new Known(
                                    Long.parseLong(parts[1]),
                                    parts[2].equals("D"),
                                    parts[3],
                                    parts[4]));
                }
            }
        }
        this.first = !readable;
    }

    /** Whether this controller was never in a cluster with its settings. */
    boolean first() {
        return first;
    }

    synchronized Known get(String path) {
        return known.getOrDefault(path, NONE);
    }

    synchronized void put(String path, Known one) {
        known.put(path, one);
        dirty = true;
    }

    /** The paths of all. */
    synchronized List<String> paths() {
        return List.copyOf(known.keySet());
    }

    /** Writes down what has changed. */
    synchronized void save() {
        if (!dirty) {
            return;
        }
        StringBuilder text = new StringBuilder(HEAD).append('\n');
        known.forEach(
                (path, one) ->
                        text.append(path)
                                .append('\t')
                                .append(one.version)
                                .append('\t')
                                .append(one.deleted ? "D" : "")
                                .append('\t')
                                .append(one.digest)
                                .append('\t')
                                .append(one.stamp)
                                .append('\n'));
        try {
            Folders.write(file, text.toString());
            dirty = false;
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "Could not write {0}: {1}", new Object[] {file, e});
        }
    }
}
