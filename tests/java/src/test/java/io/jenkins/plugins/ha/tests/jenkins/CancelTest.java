package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An item is cancelled on the controller that does not hold it, wherever it is on its way. */
class CancelTest {
    /** Jenkins' address for it, with id and job. */
    private static final List<String> ADDRESSES =
            List.of(
                    "queue/cancelItem?id=%1$d",
                    "queue/item/%1$d/cancelQueue", "job/%2$s/cancelQueue");

    private static SecuredPair pair;

    private final TreeSet<Long> times = new TreeSet<>();

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        pair = SecuredPair.open("cancel");
        pair.createJob("quiet", new FreestyleJob().quietSeconds(300).xml());
        pair.createJob("waiting", new FreestyleJob().xml());
        pair.createJob("claimed", new FreestyleJob().xml());
        pair.createJob("single", new FreestyleJob().parameter("P").shell("sleep 600").xml());
        pair.createJob("race", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
    }

    @AfterEach
    void tidy() {
        pair.tidy(true, true);
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void cancelledInItsQuietPeriod() {
        for (String address : ADDRESSES) {
            cancelled(pair.onB.trigger("quiet"), "quiet", "Q", address, pair.a);
            cancelled(pair.onA.trigger("quiet"), "quiet", "Q", address, pair.b);
        }
        neverRun("quiet");
        SecuredPair.figure("cancel-in-quiet-period-gone-on-both-ms", spread());
    }

    @Test
    void cancelledWhileNobodyHasRoom() {
        for (String address : ADDRESSES) {
            pair.takes(false, false);
            cancelled(pair.onB.trigger("waiting"), "waiting", "Q", address, pair.a);
            pair.takes(true, true);
            neverRun("waiting");
        }
        SecuredPair.figure("cancel-while-waiting-gone-on-both-ms", spread());
    }

    @Test
    void cancelledWhileTheOtherControllerHoldsItUnstarted() {
        pair.takes(false, true);
        for (String address : ADDRESSES) {
            SecuredPair.hold(pair.onB, "claimed");
            cancelled(pair.onA.trigger("claimed"), "claimed", "C", address, pair.a);
            assertEquals(
                    "0",
                    SecuredPair.groovy(pair.onB, "Queue.instance.buildableItems.size()"),
                    "B keeps it in its own lists");
            SecuredPair.letGo(pair.onB, "claimed");
            neverRun("claimed");
        }
        SecuredPair.figure("cancel-claimed-gone-on-both-ms", spread());
    }

    @Test
    void cancelledByTheControllerThatHoldsIt() {
        pair.takes(false, true);
        for (String address : ADDRESSES) {
            SecuredPair.hold(pair.onB, "claimed");
            cancelled(pair.onA.trigger("claimed"), "claimed", "C", address, pair.b);
            SecuredPair.letGo(pair.onB, "claimed");
            neverRun("claimed");
        }
    }

    @Test
    void cancelledBehindARunningBuildOfItsJob() {
        pair.takes(false, true);
        long first = pair.onA.trigger("single", Map.of("P", "first"));
        int running = pair.onA.awaitBuildNumber(first, SecuredPair.SOON);
        for (String address : ADDRESSES) {
            long id = pair.onB.trigger("single", Map.of("P", address));
            Eventually.until(
                    "the item is blocked on A",
                    SecuredPair.SOON,
                    () ->
                            pair.onA
                                    .queueItem(id)
                                    .map(i -> i.path("blocked").asBoolean())
                                    .orElse(false));
            cancelled(id, "single", "Q", address, pair.a);
        }
        assertTrue(pair.onA.build("single", running).orElseThrow().path("building").asBoolean());
        pair.onA.stop("single", running);
        pair.onB.awaitResult("single", running, SecuredPair.SOON);
        long next = pair.onA.trigger("single", Map.of("P", "next"));
        assertEquals(running + 1, pair.onA.awaitBuildNumber(next, SecuredPair.SOON));
        assertEquals(running + 1, pair.onB.job("single").path("builds").size());
        SecuredPair.figure("cancel-blocked-gone-on-both-ms", spread());
    }

    @Test
    void whoMayNotCancelCancelsNothing() {
        pair.takes(false, true);
        SecuredPair.hold(pair.onB, "claimed");
        long quiet = pair.onB.trigger("quiet");
        long claimed = pair.onB.trigger("claimed");
        pair.awaitState(claimed, "C");
        Map<String, Map<String, Integer>> answers = new TreeMap<>();
        for (JenkinsController asked : List.of(pair.a, pair.b)) {
            Map<String, Integer> these = new TreeMap<>();
            for (long id : new long[] {quiet, claimed}) {
                String job = id == quiet ? "quiet" : "claimed";
                for (String address : ADDRESSES) {
                    for (String user : List.of("bob", "dora", "eve")) {
                        these.put(
                                user + " " + job + " " + address,
                                SecuredPair.as(asked, user)
                                        .post(address.formatted(id, job), Map.of())
                                        .statusCode());
                    }
                    these.put(
                            "no crumb " + job + " " + address,
                            SecuredPair.send(asked, "POST", "alice", address.formatted(id, job))
                                    .statusCode());
                    these.put(
                            "GET " + job + " " + address,
                            SecuredPair.send(asked, "GET", "alice", address.formatted(id, job))
                                    .statusCode());
                }
            }
            answers.put(asked.name(), these);
        }
        // B holds one of them in core's own lists, so its answers are core's.
        assertEquals(answers.get("b"), answers.get("a"));
        Map<String, Integer> a = answers.get("a");
        assertEquals(422, a.get("bob claimed queue/cancelItem?id=%1$d"));
        assertEquals(403, a.get("bob claimed job/%2$s/cancelQueue"));
        assertEquals(404, a.get("eve claimed queue/cancelItem?id=%1$d"));
        for (String address : ADDRESSES) {
            assertEquals(403, a.get("no crumb claimed " + address));
            assertEquals(405, a.get("GET claimed " + address));
        }
        assertEquals("Q", pair.item(quiet, "state"));
        assertEquals("C", pair.item(claimed, "state"));
        assertEquals("", pair.item(claimed, "cancel"));
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals(2, client.queue().path("items").size());
        }
        SecuredPair.letGo(pair.onB, "claimed");
        assertTrue(pair.onA.awaitBuildNumber(claimed, SecuredPair.SOON) > 0);
    }

    @Test
    void whoWaitsOnTheCommandLineHearsOfItAsOnAPlainJenkins() {
        List<String> outputs = new ArrayList<>();
        List<Integer> codes = new ArrayList<>();
        try (Stage plain = Stage.open("plain-cancel")) {
            JenkinsWar war = JenkinsWar.search().war().orElseThrow();
            JenkinsController alone = plain.addJenkins(war, "plain");
            alone.haPlugin(Optional.empty()).executors(0).user("admin");
            plain.startControllers();
            JenkinsClient client = SecuredPair.as(alone, "admin");
            client.createJob("waiting", new FreestyleJob().xml());
            cliCancelled(client, client, plain.root().resolve("cli"), codes, outputs);
        }
        pair.takes(false, false);
        Path cli = pair.stage.root().resolve("cli");
        cliCancelled(pair.onA, pair.onA, cli, codes, outputs);
        cliCancelled(pair.onA, pair.onB, cli, codes, outputs);
        pair.takes(false, true);
        SecuredPair.hold(pair.onB, "waiting");
        cliCancelled(pair.onA, pair.onA, cli, codes, outputs);
        cliCancelled(pair.onA, pair.onB, cli, codes, outputs);
        for (int i = 1; i < codes.size(); i++) {
            assertEquals(codes.get(0), codes.get(i));
            assertEquals(outputs.get(0), outputs.get(i));
        }
    }

    @Test
    void cancelledAgainstTheClaimEachItemEitherRunsOrIsCancelled() throws Exception {
        for (int round = 0; round < 3; round++) {
            raceOnce(round);
        }
    }

    private void raceOnce(int round) throws Exception {
        pair.takes(false, false);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            ids.add(pair.onA.trigger("race", Map.of("P", round + "-" + i)));
        }
        Random random = new Random(round);
        Map<Long, Integer> answers = new ConcurrentHashMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            pair.takes(true, true);
            List<Future<?>> done = new ArrayList<>();
            for (long id : ids) {
                JenkinsClient client = random.nextBoolean() ? pair.onA : pair.onB;
                done.add(threads.submit(() -> answers.put(id, client.cancel(id))));
            }
            for (Future<?> one : done) {
                one.get();
            }
        } finally {
            threads.shutdown();
        }
        Eventually.until(
                "the queue is empty, and nothing runs",
                SecuredPair.SOON,
                () ->
                        pair.onA.queue().path("items").isEmpty()
                                && pair.onB.queue().path("items").isEmpty()
                                && (Long) pair.stage.redis().call("ZCARD", key("live")) == 0);
        Map<Long, Integer> runsOfItem = new TreeMap<>();
        JsonNode builds = pair.onB.json("job/race/api/json?tree=allBuilds[number,queueId,result]");
        for (JsonNode build : builds.path("allBuilds")) {
            runsOfItem.merge(build.path("queueId").asLong(), 1, Integer::sum);
        }
        int ran = 0;
        for (long id : ids) {
            int runs = runsOfItem.getOrDefault(id, 0);
            boolean cancelled = pair.item(id, "state").equals("X");
            assertEquals(cancelled ? 0 : 1, runs, "item " + id + " " + pair.item(id, "why"));
            if (answers.get(id) == 204) {
                assertTrue(cancelled, "item " + id + " was said to be cancelled");
            } else {
                assertEquals(1, runs, "item " + id + " was said to be not: " + answers.get(id));
            }
            for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
                JsonNode item = client.queueItem(id).orElseThrow();
                assertEquals(cancelled, item.path("cancelled").asBoolean(), item.toString());
                assertEquals(!cancelled, item.hasNonNull("executable"), item.toString());
            }
            ran += runs;
        }
        SecuredPair.figure("cancel-against-claim-ran-of-50", ran);
        // Whatever happened on the way, every executor is there.
        pair.takes(true, true);
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals(
                    "2",
                    SecuredPair.groovy(
                            client, "Jenkins.get().toComputer().executors.count { it.idle }"));
        }
    }

    // ---- below

    /** Cancels on one controller and looks that it is gone from both. */
    private void cancelled(
            long id, String job, String state, String address, JenkinsController asked) {
        pair.awaitState(id, state);
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            Eventually.until(
                    "it waits on " + client.url(), SecuredPair.SOON, () -> waits(client, id));
        }
        long start = System.nanoTime();
        int status =
                SecuredPair.as(asked, "alice")
                        .post(address.formatted(id, job), Map.of())
                        .statusCode();
        assertEquals(address.startsWith("job") ? 302 : 204, status, address);
        JenkinsClient there = SecuredPair.as(asked, "admin");
        // Who was told so sees it so, at once.
        assertTrue(there.queueItem(id).orElseThrow().path("cancelled").asBoolean(), address);
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            Eventually.until(
                    "it is gone from " + client.url(), SecuredPair.SOON, () -> !waits(client, id));
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        times.add(millis);
        assertTrue(millis < SecuredPair.AT_ONCE.toMillis(), millis + " ms");
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            Eventually.until(
                    "it is cancelled on " + client.url(),
                    SecuredPair.SOON,
                    () -> client.queueItem(id).orElseThrow().path("cancelled").asBoolean());
            assertEquals(
                    "false",
                    SecuredPair.groovy(
                            client, "Jenkins.get().getItemByFullName('" + job + "').inQueue"));
        }
        assertEquals("X", pair.item(id, "state"));
    }

    private static boolean waits(JenkinsClient client, long id) {
        for (JsonNode item : client.queue().path("items")) {
            if (item.path("id").asLong() == id) {
                return true;
            }
        }
        return false;
    }

    /** Waits until a build that was triggered later has run, and looks that it is the only one. */
    private static void neverRun(String job) {
        int before = pair.onA.job(job).path("builds").size();
        long later =
                pair.onA
                        .post(JenkinsClient.jobPath(job) + "build?delay=0sec", Map.of())
                        .headers()
                        .firstValue("Location")
                        .map(l -> Long.parseLong(l.replaceAll(".*/item/(\\d+)/?", "$1")))
                        .orElseThrow();
        int number = pair.onA.awaitBuildNumber(later, SecuredPair.SOON);
        assertEquals(before + 1, number);
        pair.onA.awaitResult(job, number, SecuredPair.SOON);
        pair.onB.awaitResult(job, number, SecuredPair.SOON);
        assertEquals(before + 1, pair.onB.job(job).path("builds").size());
    }

    private static void cliCancelled(
            JenkinsClient waits,
            JenkinsClient cancels,
            Path folder,
            List<Integer> codes,
            List<String> outputs) {
        JenkinsClient.CliRun run = waits.cli(folder, "build", "waiting", "-s", "-v");
        long id =
                Eventually.get(
                        "it waits on " + cancels.url(), SecuredPair.SOON, () -> waiting(cancels));
        assertTrue(run.running());
        long start = System.nanoTime();
        assertEquals(204, cancels.cancel(id));
        codes.add(run.await(SecuredPair.SOON));
        SecuredPair.figure("cancel-ends-cli-build-s-ms", (System.nanoTime() - start) / 1_000_000);
        outputs.add(
                run.output()
                        .lines()
                        .filter(line -> !line.startsWith("\tat "))
                        .reduce("", (x, y) -> x + y + "\n"));
    }

    /** The item of the job "waiting": those of earlier tests may still be shown. */
    private static Optional<Long> waiting(JenkinsClient on) {
        for (JsonNode item : on.queue().path("items")) {
            if (item.path("task").path("name").asText().equals("waiting")) {
                return Optional.of(item.path("id").asLong());
            }
        }
        return Optional.empty();
    }

    private static String key(String name) {
        return "{haj:" + pair.stage.cluster() + "}:" + name;
    }

    private String spread() {
        return "min %d median %d max %d"
                .formatted(
                        times.first(), new ArrayList<>(times).get(times.size() / 2), times.last());
    }
}
