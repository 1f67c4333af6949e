package io.jenkins.plugins.ha.tests.stage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jenkins.plugins.ha.stage.RedisServer;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RedisServerTest {
    @TempDir Path folder;

    @Test
    void keepsWhatItAcknowledgedOverKillAndRestart() {
        try (RedisServer redis = new RedisServer(folder).start()) {
            redis.call("SET", "k", "v");
            redis.kill9();
            assertThrows(UncheckedIOException.class, () -> redis.call("GET", "k"));
            redis.restart();
            assertEquals("v", redis.call("GET", "k"));
            redis.flush();
            assertNull(redis.call("GET", "k"));
        }
    }

    @Test
    void asksForThePasswordAndKeepsItToItself() throws Exception {
        try (RedisServer redis = new RedisServer(folder).password("s p&ce").start()) {
            assertEquals("redis://:s+p%26ce@127.0.0.1:" + redis.port(), redis.url());
            String commandLine =
                    ProcessHandle.of(redis.pid()).flatMap(p -> p.info().commandLine()).orElse("");
            assertFalse(commandLine.contains("s p&ce"), commandLine);
            assertEquals(
                    "rw-------",
                    java.nio.file.attribute.PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(folder.resolve("redis.conf"))));
        }
    }

    @Test
    void answersNobodyWhilePaused() {
        try (RedisServer redis = new RedisServer(folder).start()) {
            redis.pause();
            assertThrows(UncheckedIOException.class, () -> redis.call("PING"));
            redis.resume();
            assertEquals("PONG", redis.call("PING"));
        }
    }
}
