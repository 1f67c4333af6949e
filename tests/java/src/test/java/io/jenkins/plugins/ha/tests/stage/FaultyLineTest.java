package io.jenkins.plugins.ha.tests.stage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.RedisConnection;
import io.jenkins.plugins.ha.stage.RedisServer;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FaultyLineTest {
    @TempDir Path folder;
    private RedisServer redis;
    private FaultyLine line;

    @BeforeEach
    void open() {
        redis = new RedisServer(folder).start();
        line = new FaultyLine(redis.port());
    }

    @AfterEach
    void close() {
        line.close();
        redis.close();
    }

    @Test
    void carriesWhatIsAskedAndAnswered() {
        try (RedisConnection connection = connect()) {
            assertEquals("PONG", connection.call("PING"));
        }
    }

    @Test
    void aStalledLineGoesOnWhereItStopped() throws Exception {
        try (RedisConnection connection = connect()) {
            connection.call("PING");
            line.stall(true);
            CompletableFuture<Object> answer =
                    CompletableFuture.supplyAsync(() -> connection.call("INCR", "n"));
            Thread.sleep(200);
            assertFalse(answer.isDone());
            line.stall(false);
            assertEquals(1L, answer.get(5, TimeUnit.SECONDS));
        }
    }

    @Test
    void whatWasAskedIsDoneThoughTheAnswerIsLost() {
        try (RedisConnection connection = connect()) {
            connection.call("PING");
            line.loseAnswers(true);
            CompletableFuture<Object> answer =
                    CompletableFuture.supplyAsync(() -> connection.call("SET", "key", "there"));
            while (!"there".equals(redis.call("GET", "key"))) {
                Thread.onSpinWait();
            }
            assertFalse(answer.isDone());
            line.cut();
            assertThrows(Exception.class, answer::join);
        }
    }

    @Test
    void aLineThatRefusesEndsNewConnectionsOnly() {
        try (RedisConnection connection = connect()) {
            connection.call("PING");
            line.refuse(true);
            assertEquals("PONG", connection.call("PING"));
            try (RedisConnection other = connect()) {
                assertThrows(UncheckedIOException.class, () -> other.call("PING"));
            }
            line.cut();
            assertThrows(UncheckedIOException.class, () -> connection.call("PING"));
            line.refuse(false);
        }
        try (RedisConnection again = connect()) {
            assertEquals("PONG", again.call("PING"));
        }
    }

    @Test
    void aCommandCanBecomeAnother() {
        line.close();
        line =
                new FaultyLine(
                        redis.port(),
                        command ->
                                List.of(
                                        "ECHO".getBytes(StandardCharsets.US_ASCII),
                                        command.get(command.size() - 1)));
        try (RedisConnection connection = connect()) {
            assertEquals("two", connection.call("SET", "one", "two"));
        }
    }

    private RedisConnection connect() {
        return new RedisConnection(line.port(), "");
    }
}
