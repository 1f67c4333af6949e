package io.jenkins.plugins.ha.carried;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The folder of the home with what this controller had and the cluster has otherwise, one folder
 * for each time. Bounded: the oldest go.
 */
final class KeptAside {
    private static final int MOST = 50;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    private final Path root;

    /** The folder of the comparison that is under way; null for what happens one by one. */
    private Path present;

    KeptAside(Path root) {
        this.root = root;
    }

    /** What is kept until {@link #end} goes into one folder. */
    void begin() {
        present = root.resolve(LocalDateTime.now().format(TIME));
    }

    void end() {
        present = null;
    }

    /** Keeps the text of a setting; answers the file. */
    Path keep(String path, String text) throws IOException {
        Path folder = present;
        if (folder == null) {
            folder = root.resolve(LocalDateTime.now().format(TIME));
        }
        Path file = folder.resolve(path);
        for (int more = 2; Files.exists(file); more++) {
            file = folder.resolve(path + "." + more);
        }
        Folders.write(file, text);
        forgetOldest();
        return file;
    }

    private void forgetOldest() throws IOException {
        List<Path> folders;
        try (Stream<Path> all = Files.list(root)) {
            folders = all.sorted().toList();
        }
        for (int i = 0; i < folders.size() - MOST; i++) {
            Folders.delete(folders.get(i));
        }
    }
}
