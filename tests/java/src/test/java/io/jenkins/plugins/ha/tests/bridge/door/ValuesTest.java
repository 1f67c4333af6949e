package io.jenkins.plugins.ha.tests.bridge.door;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Values arrive on the other side as they were sent. */
@Tag("door")
class ValuesTest {
    @BeforeAll
    static void load() {
        NativeLibrary.load();
    }

    @Test
    void textsSurvive() {
        for (String text :
                List.of("", "plain", "a\0b", "ä ß € 漢字", "𝄞 😀", "\uFFFF", "x".repeat(60_000))) {
            assertEquals(text, BridgeDoor.echoText(text));
        }
    }

    @Test
    void bytesSurvive() {
        Random random = new Random(1);
        for (int length : new int[] {0, 1, 255, 4096, 16 << 20}) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            assertArrayEquals(bytes, BridgeDoor.echoBytes(bytes));
        }
    }

    @Test
    void everyFieldOfAnItemArrivesInItsPlace() {
        Item item = assertInstanceOf(Event.ItemChanged.class, BridgeDoor.sampleEvent(1)).item();
        assertEquals(1L << 41, item.id());
        assertEquals("folder/job ä 𝄞", item.job());
        assertEquals(ItemState.QUEUED, item.state());
        assertEquals(2, item.version());
        assertEquals(3, item.jobRevision());
        assertEquals("lane", item.lane());
        assertEquals(4, item.priority());
        assertEquals(5, item.enqueuedMillis());
        assertEquals(6, item.dueMillis());
        assertTrue(item.blocked());
        assertFalse(item.concurrent());
        assertEquals("pinned", item.pinned());
        assertEquals("origin", item.origin());
        assertEquals("owner", item.owner());
        assertEquals(7, item.epoch());
        assertEquals(8, item.attempts());
        assertEquals(9, item.number());
        assertEquals("result", item.result());
        assertEquals("why", item.why());
        assertEquals(10, item.deaths());
        assertEquals(11, item.again());
        assertArrayEquals(new byte[] {0, 1, 2}, item.payload());
    }

    @Test
    void everyStateArrivesAsItself() {
        List<Item> items =
                assertInstanceOf(Event.Snapshot.class, BridgeDoor.sampleEvent(0)).items();
        assertEquals(Arrays.asList(ItemState.values()), items.stream().map(Item::state).toList());
    }

    @Test
    void everyEventArrivesAsItsKind() {
        Event.Announcement told =
                assertInstanceOf(Event.Announcement.class, BridgeDoor.sampleEvent(2));
        assertEquals("from", told.from());
        assertEquals("topic", told.topic());
        assertEquals("subject", told.subject());
        assertEquals(1L << 40, told.number());
        assertArrayEquals(new byte[] {1, 2, -1}, told.body());

        Event.Command asked = assertInstanceOf(Event.Command.class, BridgeDoor.sampleEvent(3));
        assertEquals("from", asked.from());
        assertEquals("topic", asked.topic());
        assertEquals(0, asked.body().length);
        assertEquals("request", asked.requestId());

        assertEquals(
                new Event.LinkChanged(new LinkState(LinkState.Phase.REFUSED, "text", 7, "notice")),
                BridgeDoor.sampleEvent(4));

        Item orphan = assertInstanceOf(Event.Orphaned.class, BridgeDoor.sampleEvent(5)).item();
        assertEquals(ItemState.ORPHANED, orphan.state());
        assertNull(orphan.payload());

        assertEquals(new Event.MembersChanged(), BridgeDoor.sampleEvent(6));
        assertEquals(7, Event.class.getPermittedSubclasses().length);
    }

    @Test
    void aLargeSnapshotArrivesWhole() {
        assertEquals(
                20_000,
                assertInstanceOf(Event.Snapshot.class, BridgeDoor.sampleEvent(99)).items().size());
    }
}
