package io.jenkins.plugins.ha.tests.bridge.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import io.jenkins.plugins.ha.tests.bridge.Controllers;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Errors and panics of the library arrive as what they are, and nothing else breaks. */
@Tag("door")
class ErrorsTest {
    @BeforeAll
    static void load() {
        NativeLibrary.load();
    }

    @Test
    void everyErrorArrivesAsItsClassWithItsText() {
        List<Class<? extends HaException>> kinds =
                List.of(
                        HaException.Unavailable.class,
                        HaException.Fenced.class,
                        HaException.Refused.class,
                        HaException.NotFound.class,
                        HaException.Conflict.class,
                        HaException.Invalid.class,
                        HaException.Closed.class,
                        HaException.Bug.class);
        for (int kind = 0; kind < kinds.size(); kind++) {
            int number = kind;
            HaException thrown =
                    assertThrows(
                            HaException.class, () -> BridgeDoor.fail(number, "what to do: ä 𝄞"));
            assertSame(kinds.get(kind), thrown.getClass());
            if (kind != 6) {
                assertTrue(thrown.getMessage().startsWith("what to do: ä 𝄞"), thrown.getMessage());
            }
        }
        assertEquals(HaException.class.getPermittedSubclasses().length, kinds.size());
    }

    @Test
    void aPanicIsABugWithItsPlaceAndOthersLiveOn() {
        try (Cluster other = Controllers.alone();
                Cluster panicking = Controllers.alone()) {
            HaException.Bug bug =
                    assertThrows(HaException.Bug.class, () -> BridgeDoor.panic(panicking, null));
            assertTrue(
                    bug.getMessage()
                            .matches(
                                    "panic at tests/door/lib.rs:\\d+: asked to by a test .*report"
                                            + " this text.*"),
                    bug.getMessage());
            other.link();
            HaException.Closed closed = assertThrows(HaException.Closed.class, panicking::link);
            assertTrue(
                    closed.getMessage()
                            .startsWith("closed by a defect of the library: panic at tests/door"),
                    closed.getMessage());
        }
    }

    @Test
    void aThousandPanicsDoNoMoreHarmThanOne() {
        for (int i = 0; i < 1000; i++) {
            try (Cluster cluster = Controllers.alone()) {
                assertThrows(HaException.Bug.class, () -> BridgeDoor.panic(cluster, null));
            }
        }
        try (Cluster cluster = Controllers.alone()) {
            cluster.link();
        }
    }

    @Test
    void whatAPanicSaysAtRunTimeStaysOutOfTheText() {
        try (Cluster cluster = Controllers.alone()) {
            HaException.Bug bug =
                    assertThrows(HaException.Bug.class, () -> BridgeDoor.panic(cluster, "hunter2"));
            assertFalse(bug.getMessage().contains("hunter2"), bug.getMessage());
            assertTrue(bug.getMessage().startsWith("panic at tests/door/lib.rs:"));
        }
    }

    @Test
    void closingWhileACallIsInsideIsSafe() throws InterruptedException {
        for (int i = 0; i < 20; i++) {
            Cluster cluster = Controllers.alone();
            Thread slow = new Thread(() -> BridgeDoor.hold(cluster, 100));
            slow.start();
            Thread.sleep(20);
            cluster.close();
            slow.join();
        }
    }
}
