package io.jenkins.plugins.ha.tests.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.LaneOffer;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A membership that is closed stays closed, wherever it is used, and leaves nothing behind. */
class HandlesTest {
    private static final byte[] BODY = {1};
    private static final Logger LOGGER = Logger.getLogger("io.jenkins.plugins.ha.native");

    /** Thousands of times the same: nobody listens there. */
    @BeforeAll
    static void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        LOGGER.setLevel(null);
    }

    @Test
    void everyCallAfterCloseSaysClosed() {
        Cluster cluster = Controllers.alone();
        cluster.close();
        List<Executable> calls =
                List.of(
                        cluster::link,
                        () -> cluster.awaitJoined(10),
                        cluster::nextQueueId,
                        () -> cluster.raiseQueueIds(1),
                        () -> cluster.enqueue(item(1), -1),
                        () -> cluster.fold(1, -1, BODY, -1),
                        () -> cluster.foldHeld(1, 1, BODY),
                        () -> cluster.claim(List.of(), 1, 10),
                        cluster::wake,
                        () -> cluster.assignNumber(1, "job", 0),
                        () -> cluster.started(1, 1),
                        () -> cluster.finished(1, "SUCCESS"),
                        () -> cluster.cancelled(1, "why"),
                        () -> cluster.release(1, 0, "why"),
                        () -> cluster.requeue(1, "why"),
                        () -> cluster.pass(1),
                        cluster::threads,
                        () -> cluster.vouch(""),
                        cluster::reread,
                        () -> cluster.rerun(1, "ABORTED", 2, BODY, 3),
                        () -> cluster.keep(1),
                        () -> cluster.resume(1, 0),
                        () -> cluster.adopt(1),
                        () -> cluster.handOver(1, "b"),
                        () -> cluster.unwanted(1, "who"),
                        cluster::holdsLease,
                        () -> cluster.park(1, "why"),
                        () -> cluster.cancel(1, "who"),
                        () -> cluster.item(1),
                        cluster::items,
                        () -> cluster.nextEvent(10),
                        () -> cluster.announce("topic", "subject", 1, BODY),
                        () -> cluster.ask("other", "topic", BODY, "request", 10),
                        () -> cluster.answer("request", BODY),
                        cluster::members);
        for (int i = 0; i < calls.size(); i++) {
            assertThrows(HaException.Closed.class, calls.get(i), "call " + i);
        }
        cluster.close();
    }

    @Test
    void aHandleThatNobodyWasGivenSaysClosed() {
        try (Cluster cluster = Controllers.alone()) {
            for (long handle : new long[] {0, -1, 1, 1L << 62, Long.MIN_VALUE, Long.MAX_VALUE}) {
                assertThrows(HaException.Closed.class, () -> BridgeDoor.linkOf(handle));
            }
            cluster.link();
        }
    }

    @Test
    void closingOneLeavesTheOthersAlone() {
        try (Cluster other = Controllers.alone()) {
            Cluster closed = Controllers.alone();
            closed.close();
            try (Cluster third = Controllers.alone()) {
                assertThrows(HaException.Closed.class, closed::link);
                other.link();
                third.link();
            }
        }
    }

    @Test
    void closeWakesClaimAndNextEventWithinASecond() throws Exception {
        Cluster cluster = Controllers.alone();
        List<CompletableFuture<Throwable>> waiting =
                List.of(
                        outcome(
                                () -> {
                                    while (true) {
                                        cluster.nextEvent(60_000);
                                    }
                                }),
                        outcome(
                                () -> {
                                    while (true) {
                                        claimPatiently(cluster);
                                    }
                                }),
                        outcome(() -> cluster.awaitJoined(60_000)));
        Thread.sleep(200);
        long start = System.nanoTime();
        cluster.close();
        for (CompletableFuture<Throwable> call : waiting.subList(0, 2)) {
            assertInstanceOf(HaException.Closed.class, call.get(5, TimeUnit.SECONDS));
        }
        waiting.get(2).get(5, TimeUnit.SECONDS);
        assertTrue(System.nanoTime() - start < 1_000_000_000L, "took more than a second");
    }

    @Test
    void fiveThousandCyclesLeaveNeitherThreadsNorHandlesNorMemory() throws IOException {
        for (int i = 0; i < 100; i++) {
            cycle();
        }
        long threads = threads();
        long files = files();
        long memory = residentKilobytes();
        for (int i = 0; i < 5_000; i++) {
            cycle();
        }
        assertTrue(threads() <= threads + 8, threads + " threads became " + threads());
        assertTrue(files() <= files + 8, files + " open files became " + files());
        long grown = residentKilobytes() - memory;
        assertTrue(grown < 64 * 1024, "memory has grown by " + grown + " KB");
    }

    @Test
    void manyThreadsOpenUseAndCloseAtOnce() throws Exception {
        List<CompletableFuture<Throwable>> all = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            all.add(
                    outcome(
                            () -> {
                                for (int i = 0; i < 100; i++) {
                                    Cluster cluster = Controllers.alone();
                                    CompletableFuture<Throwable> user =
                                            outcome(
                                                    () -> {
                                                        while (true) {
                                                            cluster.link();
                                                        }
                                                    });
                                    cluster.close();
                                    assertInstanceOf(HaException.Closed.class, get(user));
                                }
                            }));
        }
        for (CompletableFuture<Throwable> one : all) {
            assertEquals(null, get(one));
        }
    }

    @Test
    void whatCannotBeRightIsRefusedBeforeItIsSent() {
        try (Cluster cluster = Controllers.alone()) {
            byte[] large = new byte[(16 << 20) + 1];
            assertThrows(
                    HaException.Invalid.class,
                    () ->
                            cluster.enqueue(
                                    new NewItem(1, "job", "", 1000, 0, false, "", large), -1));
            assertThrows(
                    HaException.Invalid.class,
                    () -> cluster.enqueue(new NewItem(1, null, "", 1000, 0, false, "", BODY), -1));
            assertThrows(
                    HaException.Invalid.class,
                    () -> cluster.enqueue(new NewItem(1, "job", "", 1000, 0, false, "", null), -1));
            assertThrows(HaException.Invalid.class, () -> cluster.finished(1, "x".repeat(70_000)));
            List<LaneOffer> offers =
                    Stream.generate(() -> new LaneOffer("x", 1)).limit(5000).toList();
            assertThrows(HaException.Invalid.class, () -> cluster.claim(offers, 1, 10));
            List<LaneOffer> missing = List.of(new LaneOffer(null, 1));
            assertThrows(HaException.Invalid.class, () -> cluster.claim(missing, 1, 10));
        }
    }

    @Test
    void withoutRedisCallsSayUnavailableInTime() {
        try (Cluster cluster = Controllers.alone()) {
            long start = System.nanoTime();
            assertThrows(HaException.Unavailable.class, () -> cluster.enqueue(item(1), -1));
            assertThrows(HaException.Unavailable.class, cluster::items);
            assertThrows(HaException.Unavailable.class, cluster::members);
            assertTrue(System.nanoTime() - start < 6_000_000_000L, "took more than 2 s each");
        }
    }

    private static void claimPatiently(Cluster cluster) throws InterruptedException {
        try {
            cluster.claim(List.of(new LaneOffer("", 1)), 1, 60_000);
        } catch (HaException.Unavailable | HaException.Fenced e) {
            // Not joined: it may say so instead of waiting.
            Thread.sleep(10);
        }
    }

    private static void cycle() {
        try (Cluster cluster = Controllers.alone()) {
            cluster.link();
        }
    }

    private static NewItem item(long id) {
        return new NewItem(id, "job", "", NewItem.DEFAULT_PRIORITY, 0, false, "", BODY);
    }

    /** What a call in a thread of its own throws, or null. */
    private static CompletableFuture<Throwable> outcome(Executable call) {
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                call.execute();
                                outcome.complete(null);
                            } catch (Throwable e) {
                                outcome.complete(e);
                            }
                        });
        thread.setDaemon(true);
        thread.start();
        return outcome;
    }

    private static Throwable get(CompletableFuture<Throwable> outcome)
            throws InterruptedException, ExecutionException, TimeoutException {
        return outcome.get(60, TimeUnit.SECONDS);
    }

    private static long threads() throws IOException {
        return count(Path.of("/proc/self/task"));
    }

    private static long files() throws IOException {
        return count(Path.of("/proc/self/fd"));
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    private static long residentKilobytes() throws IOException {
        System.gc();
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
