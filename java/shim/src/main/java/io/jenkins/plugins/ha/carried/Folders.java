package io.jenkins.plugins.ha.carried;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/** Files of a home as settings need them: read whole, replaced whole, nobody else's to read. */
final class Folders {
    private Folders() {}

    /** The text, or null when there is no such file. */
    static String read(Path file) throws IOException {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Replaces it in one step; makes the folders that are missing. */
    static void write(Path file, String text) throws IOException {
        Files.move(draft(file, text), file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** A new file beside it, with a name of its own, that only this user may read. */
    static Path draft(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Path draft = Files.createTempFile(file.getParent(), ".ha-", ".draft");
        try {
            Files.write(draft, text.getBytes(StandardCharsets.UTF_8));
            if (Files.exists(file)) {
                Files.setPosixFilePermissions(draft, Files.getPosixFilePermissions(file));
            } else {
                Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-r-----"));
            }
        } catch (UnsupportedOperationException e) {
            return draft; // a file system without such permissions
        } catch (IOException e) {
            Files.deleteIfExists(draft);
            throw e;
        }
        return draft;
    }

    /** Deletes a folder with all that is in it; without effect where there is none. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Tells whether a file was written since: its time and its size; "" when there is none. */
    static String stamp(Path file) {
        try {
            return Files.getLastModifiedTime(file).toInstant() + "/" + Files.size(file);
        } catch (IOException e) {
            return "";
        }
    }
}
