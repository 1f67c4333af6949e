package io.jenkins.plugins.ha.deliveries;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.life.Pool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import jenkins.model.Jenkins;

/**
 * The webhooks that came to the cluster: a file for each controller on the shared folder, which the
 * others read, also when that controller has died. Of each the newest are kept. Thread-safe.
 */
final class Inbox {
    private static final Logger LOGGER = Logger.getLogger(Inbox.class.getName());
    private static final String ENDING = ".inbox";

    /** So many are kept of each controller, at the least. */
    static final int MOST = 200;

    private static final Pool WRITER = new Pool("ha-jenkins-inbox", 1, 500);

    private Inbox() {}

    /** Keeps it, a little later; never waits for the shared folder. */
    static void add(Membership membership, InboxEntry entry) {
        Path file = folder().resolve(membership.identity().id() + ENDING);
        WRITER.execute(
                () -> {
                    try {
                        write(file, entry);
                    } catch (IOException e) {
                        LOGGER.log(Level.WARNING, "A webhook is missing in the inbox: " + file, e);
                    }
                });
    }

    /** What came to all controllers, newest first. */
    static List<InboxEntry> all() throws IOException {
        List<InboxEntry> entries = new ArrayList<>();
        if (Files.isDirectory(folder())) {
            try (Stream<Path> files = Files.list(folder())) {
                for (Path file : files.filter(f -> f.toString().endsWith(ENDING)).toList()) {
                    lines(file).stream()
                            .map(InboxEntry::ofLine)
                            .filter(Objects::nonNull)
                            .forEach(entries::add);
                }
            }
        }
        entries.sort(Comparator.comparingLong(InboxEntry::getAt).reversed());
        return entries;
    }

    /** The one with this id. */
    static Optional<InboxEntry> find(String id) throws IOException {
        return all().stream().filter(entry -> entry.getId().equals(id)).findFirst();
    }

    private static void write(Path file, InboxEntry entry) throws IOException {
        Files.createDirectories(file.getParent());
        byte[] line = (entry.toLine() + "\n").getBytes(StandardCharsets.UTF_8);
        List<String> before = lines(file);
        if (before.size() < 2 * MOST) {
            Files.write(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            return;
        }
        List<String> kept = new ArrayList<>(before.subList(before.size() - MOST, before.size()));
        kept.add(entry.toLine());
        Path fresh = file.resolveSibling(file.getFileName() + ".fresh");
        Files.write(fresh, kept);
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private static List<String> lines(Path file) throws IOException {
        if (Files.notExists(file)) {
            return List.of();
        }
        // whatever is in it: a line that is no text is no entry
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        return text.lines().toList();
    }

    private static Path folder() {
        return Jenkins.get().getRootDir().toPath().resolve("jobs/.ha-jenkins/inbox");
    }
}
