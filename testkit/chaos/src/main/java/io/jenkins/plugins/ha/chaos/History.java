package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What happened in a run: a file of JSON lines, each with a {@code type}. All times are ms since
 * 1970 by this machine's clock, which Redis shares. Thread-safe.
 *
 * <table>
 * <caption>Types</caption>
 * <tr><td>{@code run}<td>how it was set up, first line
 * <tr><td>{@code trigger}, {@code cancel}, {@code abort}<td>what a user asked, and the answer
 * <tr><td>{@code fault}<td>what the nemesis did, from {@code begin} to {@code end}
 * <tr><td>{@code event}<td>a change of an item, as the queue told it on its stream
 * <tr><td>{@code snapshot}<td>the queue's keys at one moment
 * <tr><td>{@code shell}<td>a build's script began or ended, by the script's own hand
 * <tr><td>{@code record}<td>a build's record in the shared folder, at the end
 * <tr><td>{@code database}<td>there is one; then {@code row}, a build's row in it at the end, {@code
 *     refused}, a write of a row that was refused, by a controller's log, and {@code outbox}, a file
 *     that is left in a controller's outbox
 * <tr><td>{@code item}<td>an item in Redis, at the end
 * <tr><td>{@code key}<td>any other key, at the end
 * <tr><td>{@code end}<td>whether all was drained; last line
 * </table>
 */
final class History implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final BufferedWriter out;
    private boolean closed;

    History(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        out = Files.newBufferedWriter(file);
    }

    /** An empty line of that type, to fill and to {@link #write}. */
    static ObjectNode line(String type) {
        return JSON.createObjectNode().put("type", type);
    }

    static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All lines of a file. */
    static List<JsonNode> read(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(History::parse).toList();
        }
    }

    /** After the end nothing is written any more. */
    synchronized void write(ObjectNode line) {
        if (closed) {
            return;
        }
        try {
            out.write(line.toString());
            out.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        out.close();
    }
}
