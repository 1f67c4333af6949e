package io.jenkins.plugins.ha.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Records cross the bridge as they are, and what only one side knows is told as a defect. */
class ParcelTest {
    private static final String ODD = "\"\\/\n\r\t\b\f\0\u001f ä 漢 𝄞";

    record Sample(
            String text,
            int count,
            long madeMillis,
            boolean keep,
            CancelOutcome outcome,
            List<String> texts,
            Map<String, String> pairs,
            byte[] bytes) {}

    private static final Parcel<Sample> PARCEL = Parcel.of(Sample.class);

    private static final Sample SAMPLE =
            new Sample(
                    ODD,
                    -1,
                    Long.MAX_VALUE,
                    true,
                    CancelOutcome.TOO_LATE,
                    List.of("", ODD),
                    Map.of(ODD, "b"),
                    new byte[] {1});

    @Test
    void whatCrossesIsTheSameOnTheOtherSide() {
        byte[] text = PARCEL.text(SAMPLE);
        String json = new String(text, StandardCharsets.UTF_8);
        assertTrue(json.contains("\"made_ms\":9223372036854775807"), json);
        assertTrue(json.contains("\"outcome\":\"TooLate\""), json);
        assertEquals(SAMPLE, PARCEL.record(text, SAMPLE.bytes()));
    }

    @Test
    void whatOnlyOneSideHasIsADefect() {
        String whole = new String(PARCEL.text(SAMPLE), StandardCharsets.UTF_8);
        for (String text :
                List.of(
                        whole.replace("\"count\":-1", "\"count\":-1,\"other\":1"),
                        whole.replace("\"count\":-1,", ""),
                        whole.replace("TooLate", "TooEarly"),
                        whole.replace("true", "maybe"),
                        whole.substring(0, whole.length() / 2),
                        "")) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertThrows(IllegalStateException.class, () -> PARCEL.record(bytes, null), text);
        }
    }

    @Test
    void anItemIsShownAsItWasAcceptedBeforeTheClusterTellsIt() {
        NewItem accepted =
                new NewItem(7, "job", "linux", 5, 2000, true, "pinned", new byte[] {1, 2});
        Item shown = Item.expected(accepted, "origin", 1000);
        assertEquals(List.of(7L, 0L), List.of(shown.id(), shown.version()));
        assertEquals(
                List.of("job", "linux", "pinned", "origin", "", ""),
                List.of(
                        shown.job(),
                        shown.lane(),
                        shown.pinned(),
                        shown.origin(),
                        shown.owner(),
                        shown.why()));
        assertEquals(List.of(1000L, 3000L), List.of(shown.enqueuedMillis(), shown.dueMillis()));
        assertEquals(ItemState.QUEUED, shown.state());
        assertArrayEquals(accepted.payload(), shown.payload());
        Item stored = shown.stored(9).cancelled();
        assertEquals(List.of(1L, 9L), List.of(stored.version(), stored.jobRevision()));
        assertEquals(ItemState.CANCELLED, stored.state());
        assertEquals(5, stored.priority());
    }
}
