package io.jenkins.plugins.ha.tests.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.CancelOutcome;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.ClusterSettings;
import io.jenkins.plugins.ha.bridge.Enqueued;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.LaneOffer;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.bridge.NewItem;
import io.jenkins.plugins.ha.bridge.Turn;
import io.jenkins.plugins.ha.stage.RedisServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every call of the bridge does on a real Redis what its Javadoc says. */
class RoundTripTest {
    private static final String PASSWORD = "p@ss:w/rd";
    private static final byte[] PAYLOAD = "payload".getBytes(StandardCharsets.UTF_8);
    private static final List<LaneOffer> ANY = List.of(new LaneOffer("", 10));

    @TempDir static Path folder;
    private static RedisServer redis;

    @BeforeAll
    static void start() {
        redis = new RedisServer(folder).password(PASSWORD).start();
    }

    @AfterAll
    static void stop() {
        redis.close();
    }

    @BeforeEach
    void empty() {
        redis.flush();
    }

    @Test
    void anItemGoesFromOneControllerThroughAnotherToItsEnd() {
        try (Cluster a = join("a");
                Cluster b = join("b")) {
            assertInstanceOf(Event.Snapshot.class, eventually(a, Event.Snapshot.class));
            assertInstanceOf(Event.Snapshot.class, eventually(b, Event.Snapshot.class));
            long id = a.nextQueueId();
            assertTrue(a.nextQueueId() > id);
            Enqueued stored = a.enqueue(item(id, "folder/job ä"), -1);
            assertTrue(stored.accepted());
            assertTrue(stored.queued().isEmpty());

            Item queued = changed(b, id, ItemState.QUEUED);
            assertArrayEquals(PAYLOAD, queued.payload());
            assertEquals("a", queued.origin());
            assertEquals("", queued.owner());
            assertEquals(
                    0,
                    System.currentTimeMillis() - queued.enqueuedMillis(),
                    60_000,
                    "milliseconds");

            List<Item> claimed = b.claim(ANY, 10, 5000);
            assertEquals(1, claimed.size());
            assertEquals(id, claimed.get(0).id());
            assertEquals("folder/job ä", claimed.get(0).job());
            assertEquals(ItemState.CLAIMED, claimed.get(0).state());
            assertEquals("b", claimed.get(0).owner());
            assertEquals(b.link().epoch(), claimed.get(0).epoch());
            assertArrayEquals(PAYLOAD, claimed.get(0).payload());

            assertThrows(HaException.Fenced.class, () -> a.assignNumber(id, "folder/job ä", 41));
            assertEquals(42, b.assignNumber(id, "folder/job ä", 41));
            b.started(id, 42);
            Item running = changed(a, id, ItemState.RUNNING);
            assertEquals(42, running.number());
            assertEquals(1, a.items().size());

            b.finished(id, "SUCCESS");
            Item done = changed(a, id, ItemState.DONE);
            assertEquals("SUCCESS", done.result());
            assertTrue(done.version() > running.version());
            assertEquals(List.of(), a.items());
            assertEquals(ItemState.DONE, a.item(id).orElseThrow().state());
            assertEquals(Optional.empty(), a.item(id + 1_000_000));
            assertEquals(43, a.assignNumber(0, "folder/job ä", 0));
        }
    }

    @Test
    void aDuplicateIsNotStoredButFoldedInto() {
        try (Cluster a = join("a")) {
            long first = a.nextQueueId();
            long revision = a.enqueue(item(first, "job"), -1).revision();
            long second = a.nextQueueId();
            Enqueued refused = a.enqueue(item(second, "job"), revision - 1);
            assertFalse(refused.accepted());
            assertEquals(first, refused.queued().get(0).id());
            assertArrayEquals(PAYLOAD, refused.queued().get(0).payload());
            Enqueued folded = a.fold(first, refused.revision(), new byte[] {9}, -1);
            assertTrue(folded.accepted());
            assertArrayEquals(new byte[] {9}, a.claim(ANY, 10, 5000).get(0).payload());
        }
    }

    @Test
    void whatIsDoneOnceIsBegunByOneAndDoneForAll() {
        try (Cluster a = join("a");
                Cluster b = join("b")) {
            assertEquals(new Turn(Turn.State.FIRST, ""), a.begin("it ä", 60_000));
            assertEquals(new Turn(Turn.State.UNDERWAY, ""), b.begin("it ä", 60_000));
            a.notDone("it ä");
            assertTrue(b.begin("it ä", 60_000).mine());
            b.done("it ä", "201 wie gewünscht", 60_000);
            assertEquals(new Turn(Turn.State.DONE, "201 wie gewünscht"), a.begin("it ä", 60_000));
            try (Cluster c = join("c")) {
                assertTrue(c.begin("left", 60_000).mine());
            }
            assertEquals(new Turn(Turn.State.AGAIN, ""), a.begin("left", 60_000));
            assertThrows(HaException.Invalid.class, () -> a.begin("", 60_000));
            assertThrows(HaException.Invalid.class, () -> a.begin("it", 0));
        }
    }

    @Test
    void aClaimedItemIsReleasedParkedCancelled() {
        try (Cluster a = join("a")) {
            long id = a.nextQueueId();
            a.enqueue(item(id, "job"), -1);
            assertEquals(1, a.claim(ANY, 1, 5000).size());
            a.release(id, 0, "no room");
            assertEquals(1, a.claim(ANY, 1, 5000).size());
            a.park(id, "not readable");
            assertEquals(ItemState.UNREADABLE, a.item(id).orElseThrow().state());
            assertEquals(CancelOutcome.CANCELLED, a.cancel(id, "somebody"));
            assertEquals(CancelOutcome.CANCELLED, a.cancel(id, "somebody"), "twice");
            assertEquals(CancelOutcome.UNKNOWN, a.cancel(id + 1_000_000, "somebody"));

            long other = a.nextQueueId();
            a.enqueue(item(other, "job"), -1);
            assertEquals(1, a.claim(ANY, 1, 5000).size());
            assertEquals(CancelOutcome.HELD, a.cancel(other, "somebody"));
            a.cancelled(other, "the job is gone");
            assertEquals(ItemState.CANCELLED, a.item(other).orElseThrow().state());
            assertThrows(HaException.class, () -> a.started(other, 1));
            assertThrows(HaException.class, () -> a.requeue(other, "why"));
        }
    }

    @Test
    void aBuildWhoseControllerLeftRunsAgainOnce() {
        try (Cluster b = join("b")) {
            long id = b.nextQueueId();
            long unwanted = b.nextQueueId();
            try (Cluster a = join("a")) {
                a.enqueue(item(id, "job"), -1);
                a.enqueue(item(unwanted, "other"), -1);
                for (long each : new long[] {id, unwanted}) {
                    assertEquals(each, a.claim(ANY, 1, 5000).get(0).id());
                    a.started(each, a.assignNumber(each, each == id ? "job" : "other", 0));
                }
                assertTrue(a.holdsLease());
                a.keep(id);
                b.unwanted(unwanted, "somebody");
                assertThrows(HaException.Fenced.class, () -> b.keep(id));
            }
            eventually(b, Event.Orphaned.class);
            eventually(b, Event.Orphaned.class);
            long again = b.nextQueueId();
            byte[] payload = {5};
            assertEquals(again, b.rerun(id, "ABORTED", again, payload, 3));
            assertEquals(again, b.rerun(id, "ABORTED", b.nextQueueId(), payload, 3), "repeated");
            assertEquals(again, b.item(id).orElseThrow().again());
            assertEquals(0, b.rerun(unwanted, "ABORTED", b.nextQueueId(), payload, 3));
            String why = b.item(unwanted).orElseThrow().why();
            assertTrue(why.startsWith("somebody wanted it ended"), why);
            Item claimed = b.claim(ANY, 10, 5000).get(0);
            assertEquals(again, claimed.id());
            assertEquals(1, claimed.deaths());
            assertArrayEquals(payload, claimed.payload());
        }
    }

    @Test
    void controllersTellAndAskEachOther() throws Exception {
        try (Cluster a = join("a");
                Cluster b = join("b")) {
            eventually(b, Event.Snapshot.class);
            a.announce("topic", "job", 7, PAYLOAD);
            Event.Announcement told = eventually(b, Event.Announcement.class);
            assertEquals("a", told.from());
            assertEquals("topic", told.topic());
            assertEquals("job", told.subject());
            assertEquals(7, told.number());
            assertArrayEquals(PAYLOAD, told.body());

            CompletableFuture<byte[]> answer =
                    CompletableFuture.supplyAsync(
                            () -> a.ask("b", "question", PAYLOAD, "request-1", 10_000));
            Event.Command asked = eventually(b, Event.Command.class);
            assertEquals("a", asked.from());
            assertEquals("question", asked.topic());
            assertArrayEquals(PAYLOAD, asked.body());
            b.answer(asked.requestId(), new byte[] {1, 2});
            assertArrayEquals(new byte[] {1, 2}, answer.get(5, TimeUnit.SECONDS));
            assertArrayEquals(
                    new byte[] {1, 2}, a.ask("b", "question", PAYLOAD, "request-1", 10_000));
            assertThrows(
                    HaException.NotFound.class,
                    () -> a.ask("nobody", "question", PAYLOAD, "request-2", 500));
            assertThrows(
                    HaException.Unavailable.class,
                    () -> a.ask("b", "question", PAYLOAD, "request-3", 300));
        }
    }

    @Test
    void membersAreListed() {
        try (Cluster a = join("a");
                Cluster b = join("b")) {
            List<Member> members = b.members();
            assertEquals(
                    List.of("a", "b"),
                    members.stream().map(Member::controllerId).sorted().toList());
            Member first =
                    members.stream()
                            .filter(m -> m.controllerId().equals("a"))
                            .findFirst()
                            .orElseThrow();
            assertEquals("controller a", first.name());
            assertEquals("http://a", first.url());
            assertEquals("0.1.0", first.version());
            assertEquals(a.link().epoch(), first.epoch());
            assertTrue(first.leaseMillis() > 0, first.toString());
        }
    }

    @Test
    void wakeAndCloseEndAWaitingClaim() throws Exception {
        Cluster a = join("a");
        CompletableFuture<List<Item>> claim =
                CompletableFuture.supplyAsync(() -> a.claim(ANY, 1, 30_000));
        Thread.sleep(300);
        a.wake();
        assertEquals(List.of(), claim.get(1, TimeUnit.SECONDS));

        CompletableFuture<Throwable> closed =
                CompletableFuture.supplyAsync(() -> a.claim(ANY, 1, 30_000))
                        .handle((items, thrown) -> thrown);
        Thread.sleep(300);
        long start = System.nanoTime();
        a.close();
        Throwable thrown = closed.get(5, TimeUnit.SECONDS);
        assertInstanceOf(HaException.Closed.class, thrown.getCause());
        assertTrue(System.nanoTime() - start < 1_000_000_000L, "took more than a second");
    }

    @Test
    void theSettingsCanBeTried() {
        String found = Cluster.test(settings("a", PASSWORD), 5000).found();
        assertTrue(found.contains("Redis"), found);
        HaException wrong =
                assertThrows(
                        HaException.Refused.class,
                        () -> Cluster.test(settings("a", "hunter2"), 5000));
        assertFalse(wrong.getMessage().contains("hunter2"), wrong.getMessage());
        assertThrows(
                HaException.Unavailable.class,
                () -> Cluster.test(Controllers.settings(Controllers.NOWHERE, "a"), 2000));
    }

    @Test
    void aWrongPasswordIsToldAndNotShown() throws Exception {
        try (Cluster a = Cluster.open(settings("a", "hunter2"))) {
            assertFalse(a.awaitJoined(1000));
            assertEquals(LinkState.Phase.REFUSED, a.link().phase());
            assertFalse(a.link().text().contains("hunter2"), a.link().text());
            assertFalse(a.link().text().isEmpty());
        }
    }

    @Test
    void manyItemsArriveInTheirOrder() {
        try (Cluster a = join("a")) {
            List<Long> ids = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                long id = a.nextQueueId();
                ids.add(id);
                a.enqueue(item(id, "job " + i), -1);
            }
            assertEquals(ids, a.items().stream().map(Item::id).toList());
            List<Long> claimed = new ArrayList<>();
            while (claimed.size() < 300) {
                List<Item> more = a.claim(List.of(new LaneOffer("", 50)), 50, 5000);
                assertFalse(more.isEmpty());
                more.forEach(item -> claimed.add(item.id()));
            }
            assertEquals(ids, claimed);
        }
    }

    private static ClusterSettings settings(String id, String password) {
        ClusterSettings base = Controllers.settings("redis://127.0.0.1:" + redis.port(), id);
        return new ClusterSettings(
                base.cluster(),
                base.redisUrl(),
                password,
                base.controllerId(),
                base.name(),
                base.url(),
                base.version(),
                base.heartbeatMillis(),
                base.leaseMillis(),
                base.key());
    }

    private static Cluster join(String id) {
        Cluster cluster = Cluster.open(settings(id, PASSWORD));
        assertTrue(cluster.awaitJoined(10_000), () -> cluster.link().toString());
        return cluster;
    }

    private static NewItem item(long id, String job) {
        return new NewItem(id, job, "", NewItem.DEFAULT_PRIORITY, 0, false, "", PAYLOAD);
    }

    private static <E extends Event> E eventually(Cluster cluster, Class<E> kind) {
        return eventually(
                cluster,
                event -> kind.isInstance(event) ? Optional.of(kind.cast(event)) : Optional.empty());
    }

    private static Item changed(Cluster cluster, long id, ItemState state) {
        return eventually(
                cluster,
                event ->
                        event instanceof Event.ItemChanged changed
                                        && changed.item().id() == id
                                        && changed.item().state() == state
                                ? Optional.of(changed.item())
                                : Optional.empty());
    }

    /** The first event that fits; drops those before it. */
    private static <T> T eventually(Cluster cluster, Function<Event, Optional<T>> pick) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (System.nanoTime() < deadline) {
            Optional<T> picked = cluster.nextEvent(500).flatMap(pick);
            if (picked.isPresent()) {
                return picked.get();
            }
        }
        throw new AssertionError("no such event within 5 s");
    }
}
