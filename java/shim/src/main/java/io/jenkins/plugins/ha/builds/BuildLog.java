package io.jenkins.plugins.ha.builds;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The log of a build whose controller is gone, as the one that ends it writes into it. */
final class BuildLog {
    private static final int END_BYTES = 2048;

    private BuildLog() {}

    static void append(Path folder, String text) throws IOException {
        Files.writeString(
                folder.resolve("log"),
                text,
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** The last lines; "" where there is no log. */
    static String end(Path folder) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve("log").toFile(), "r")) {
            long from = Math.max(0, file.length() - END_BYTES);
            byte[] bytes = new byte[(int) (file.length() - from)];
            file.seek(from);
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (FileNotFoundException e) {
            return "";
        }
    }
}
