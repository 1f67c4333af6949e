package io.jenkins.plugins.ha.tests.bridge.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.tests.bridge.Controllers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The library's log arrives where Jenkins' does. */
@Tag("door")
class LogTest {
    private static final Duration SOON = Duration.ofSeconds(5);

    private final Logger logger = Logger.getLogger("io.jenkins.plugins.ha.native");
    private final List<LogRecord> seen = new CopyOnWriteArrayList<>();
    private final Handler handler =
            new Handler() {
                @Override
                public void publish(LogRecord entry) {
                    seen.add(entry);
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };

    @BeforeEach
    void listen() {
        NativeLibrary.load();
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
        handler.setLevel(Level.ALL);
    }

    @AfterEach
    void stopListening() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
        logger.setLevel(null);
    }

    @Test
    void linesArriveWithLevelAndPlace() {
        BridgeDoor.writeLog(1, "an error {0} %s", 1);
        BridgeDoor.writeLog(2, "a warning", 1);
        BridgeDoor.writeLog(3, "information", 1);
        Eventually.until("three lines", SOON, () -> of("ha_jenkins::door").size() == 3);
        List<LogRecord> lines = of("ha_jenkins::door");
        assertEquals(
                List.of("an error {0} %s", "a warning", "information"),
                lines.stream().map(LogRecord::getMessage).toList());
        assertEquals(
                List.of(Level.SEVERE, Level.WARNING, Level.INFO),
                lines.stream().map(LogRecord::getLevel).toList());
    }

    @Test
    void theLevelOfTheLoggerIsFollowed() {
        logger.setLevel(Level.FINER);
        Eventually.until(
                "details",
                SOON,
                () -> {
                    BridgeDoor.writeLog(5, "a detail", 1);
                    return of("ha_jenkins::door").stream()
                            .anyMatch(line -> line.getLevel() == Level.FINER);
                });
    }

    @Test
    void linesThatComeTooFastAreCountedAndDropped() {
        BridgeDoor.writeLog(3, "flood", 100_000);
        Eventually.until(
                "the count",
                SOON,
                () ->
                        seen.stream()
                                .anyMatch(
                                        line ->
                                                line.getMessage()
                                                        .matches("\\d+ log lines were dropped.*")));
    }

    @Test
    void aPanicIsLoggedWithoutWhatItSaysAtRunTime() {
        try (Cluster cluster = Controllers.alone()) {
            assertThrows(HaException.Bug.class, () -> BridgeDoor.panic(cluster, "hunter2"));
        }
        Eventually.until(
                "the panic",
                SOON,
                () ->
                        seen.stream()
                                .anyMatch(line -> line.getMessage().startsWith("panic at tests/")));
        assertTrue(seen.stream().noneMatch(line -> line.getMessage().contains("hunter2")));
    }

    @Test
    void theEndWritesWhatIsLeft() {
        BridgeDoor.writeLog(3, "the last words", 1);
        NativeLibrary.shutdown();
        assertTrue(
                seen.stream().anyMatch(line -> line.getMessage().equals("the last words")), "lost");
        NativeLibrary.load();
    }

    private List<LogRecord> of(String module) {
        return seen.stream().filter(line -> module.equals(line.getSourceClassName())).toList();
    }
}
