package io.jenkins.plugins.ha.jobs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What one controller tells the others of a job or folder. The content is on the shared folder: the
 * news says only where to look.
 *
 * @param kind what happened
 * @param name full name of the item, the new one after a move
 * @param path its folder, relative to Jenkins' home, with slashes
 * @param hash of its config.xml, as written; "" where it does not matter
 * @param was its full name before a move; "" otherwise
 * @param heldOff it is not to be built before it is saved; the file does not say so
 * @param author id of the user who did it
 */
record ItemNews(
        Kind kind,
        String name,
        String path,
        String hash,
        String was,
        boolean heldOff,
        String author) {
    /** What happened to an item. */
    enum Kind {
        CREATED,
        CHANGED,
        DELETED,
        /** Its deletion, which had been told, did not come about. */
        KEPT,
        /** Renamed, or moved into another folder. */
        MOVED,
        /** The children of a computed folder were determined anew. */
        COMPUTED
    }

    private static final int LINES = 6;

    /** The same about an item that had this full name before. */
    ItemNews after(String before) {
        return new ItemNews(kind, name, path, hash, before, heldOff, author);
    }

    /** The announcement's body; its subject is the name. */
    byte[] body() {
        List<String> lines =
                List.of(
                        kind.name().toLowerCase(Locale.ROOT),
                        path,
                        hash,
                        was,
                        Boolean.toString(heldOff),
                        author);
        List<String> written = new ArrayList<>();
        lines.forEach(line -> written.add(line.replace('\n', ' ')));
        return String.join("\n", written).getBytes(StandardCharsets.UTF_8);
    }

    /** Empty for news that this version does not know. */
    static Optional<ItemNews> of(String name, byte[] body) {
        String[] lines = new String(body, StandardCharsets.UTF_8).split("\n", -1);
        if (lines.length < LINES) {
            return Optional.empty();
        }
        for (Kind kind : Kind.values()) {
            if (kind.name().equalsIgnoreCase(lines[0])) {
                return Optional.of(
                        new ItemNews(
                                kind,
                                name,
                                lines[1],
                                lines[2],
                                lines[3],
                                Boolean.parseBoolean(lines[4]),
                                lines[5]));
            }
        }
        return Optional.empty();
    }
}
