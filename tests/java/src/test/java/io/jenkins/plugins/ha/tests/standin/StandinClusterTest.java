package io.jenkins.plugins.ha.tests.standin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import io.jenkins.plugins.ha.stage.StandinController;
import io.jenkins.plugins.ha.stage.StoredItem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several processes on one Redis, each a controller without Jenkins. */
class StandinClusterTest {
    private static final int MANY = 300;
    private static final Duration NOTICED = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(15);
    private static final Duration DRAINED = Duration.ofMinutes(3);

    private Stage stage;

    @AfterEach
    void close() {
        stage.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void buildsTriggeredOnOneRunOnAllOnceEach(int controllers) throws IOException {
        cluster("many-" + controllers, controllers);
        JenkinsClient a = client(0);
        // Long enough that no controller could do all of it while the others look for work.
        a.createJob(
                "many",
                new FreestyleJob().concurrent().parameter("P").shell(record("sleep 0.05")).xml());
        List<Long> ids = triggerMany(a);
        Map<Integer, JsonNode> builds = awaitAll(client(controllers - 1), ids);
        assertOnceEach(builds, ids);

        Map<String, Integer> shares = new TreeMap<>();
        builds.values().forEach(b -> shares.merge(JenkinsClient.controllerOf(b), 1, Integer::sum));
        assertEquals(controllers, shares.size(), shares::toString);
        for (int share : shares.values()) {
            assertTrue(share >= MANY / controllers / 2, () -> "unfair: " + shares);
        }
    }

    @Test
    void buildsStartInTheOrderOfTheirTriggers() throws IOException {
        cluster("order", 2);
        JenkinsClient a = client(0);
        a.createJob("many", new FreestyleJob().concurrent().parameter("P").xml());
        // The first builds of a JVM take their time.
        awaitAll(
                a,
                IntStream.range(0, 20)
                        .mapToObj(i -> a.trigger("many", Map.of("P", "warm" + i)))
                        .toList());
        List<Long> ids = triggerMany(a);
        awaitAll(a, ids);
        // Numbers are given at the start: what is claimed at the same time may pass each other.
        int tolerance = 8;
        for (int i = 0; i < ids.size(); i++) {
            int rank = a.awaitBuildNumber(ids.get(i), SOON) - 20;
            assertTrue(
                    Math.abs(rank - (i + 1)) <= tolerance,
                    "trigger " + (i + 1) + " was started as " + rank);
        }
    }

    @Test
    void abortReachesTheControllerThatRunsTheBuild() throws IOException {
        cluster("abort", 2);
        client(0)
                .createJob(
                        "long",
                        new FreestyleJob().concurrent().parameter("P").shell("sleep 60").xml());
        for (int i = 0; i < 4; i++) {
            client(0).trigger("long", Map.of("P", "" + i));
        }
        for (int number = 1; number <= 4; number++) {
            JsonNode build = running("long", number);
            Controller other = otherThan(JenkinsClient.controllerOf(build));
            long start = System.nanoTime();
            assertEquals(302, other.client().as("alice", "").stop("long", number));
            for (Controller controller : stage.controllers()) {
                assertEquals("ABORTED", controller.client().awaitResult("long", number, NOTICED));
            }
            assertTrue(System.nanoTime() - start < NOTICED.toNanos());
            assertTrue(other.client().console("long", number).contains("Aborted by alice"));
        }
        noneLeft();
    }

    @Test
    void cancelWorksOnAnyControllerInTheQuietPeriodWaitingBlockedAndClaimed() throws IOException {
        stage = Stage.open("cancel");
        stage.redis().start();
        // a runs one and holds another one back; b takes none, for it has two that never end.
        stage.addStandin("a").executors(1).claimAhead(1);
        stage.addStandin("b").executors(1);
        stage.startControllers();
        JenkinsClient a = client(0);
        JenkinsClient b = client(1);
        a.createJob("quiet", new FreestyleJob().quietSeconds(600).xml());
        a.createJob("single", new FreestyleJob().shell("sleep 60").xml());
        a.createJob("long", new FreestyleJob().concurrent().parameter("P").shell("sleep 60").xml());

        cancelled(b, a.trigger("quiet"));
        cancelled(a, b.trigger("quiet"));

        a.trigger("single");
        running("single", 1);
        long blocked = a.trigger("single");
        cancelled(b, blocked);

        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ids.add(a.trigger("long", Map.of("P", "" + i)));
        }
        // One more runs, one is claimed by a, the others wait.
        Eventually.until("an item is claimed and not started", SOON, () -> !claimed(ids).isEmpty());
        long held = claimed(ids).get(0);
        cancelled(b, held);
        Predicate<Long> runs =
                id -> !b.queueItem(id).orElseThrow().path("executable").isMissingNode();
        Eventually.until(
                "b has heard of the one that runs", SOON, () -> ids.stream().anyMatch(runs));
        for (long id : ids) {
            if (!runs.test(id) && id != held) {
                cancelled(b, id);
            }
        }
        assertEquals(1, a.job("single").path("builds").size());
        assertEquals(0, a.job("quiet").path("builds").size());
        assertEquals(404, b.cancel(4711));
    }

    @Test
    void claimedItemsOfAKilledControllerRunElsewhereOnce() throws IOException {
        stage = Stage.open("kill");
        stage.redis().start();
        StandinController doomed =
                stage.addStandin("a").executors(1).claimAhead(5).lease(300, 1500);
        StandinController survivor = stage.addStandin("b").executors(2).lease(300, 1500);
        doomed.start();
        doomed.awaitUp(Stage.UP);
        JenkinsClient a = doomed.client();
        a.createJob(
                "many",
                new FreestyleJob().concurrent().parameter("P").shell(record("sleep 0.2")).xml());
        a.createJob("long", new FreestyleJob().shell("[ $BUILD_NUMBER -gt 1 ] || sleep 30").xml());
        a.trigger("long");
        running("long", 1);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            ids.add(a.trigger("many", Map.of("P", "" + i)));
        }
        Eventually.until("five are claimed", SOON, () -> claimed(ids).size() == 5);
        survivor.start();
        survivor.awaitUp(Stage.UP);
        doomed.kill9();
        Map<Integer, JsonNode> builds = awaitAll(survivor.client(), ids);
        assertOnceEach(builds, ids);
        assertEquals("ABORTED", survivor.client().awaitResult("long", 1, SOON));
        assertEquals("SUCCESS", survivor.client().awaitResult("long", 2, SOON), "it runs again");
        noneLeft(survivor.client());
    }

    @Test
    void anOrderlyStopHandsBackWhatWasClaimed() throws IOException {
        stage = Stage.open("stop");
        stage.redis().start();
        StandinController leaving = stage.addStandin("a").executors(1).claimAhead(5);
        StandinController staying = stage.addStandin("b").executors(2);
        leaving.start();
        leaving.awaitUp(Stage.UP);
        JenkinsClient a = leaving.client();
        a.createJob(
                "many", new FreestyleJob().concurrent().parameter("P").shell(record("true")).xml());
        a.createJob("long", new FreestyleJob().shell("sleep 30").xml());
        a.trigger("long");
        running("long", 1);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(a.trigger("many", Map.of("P", "" + i)));
        }
        Eventually.until("five are claimed", SOON, () -> claimed(ids).size() == 5);
        staying.start();
        staying.awaitUp(Stage.UP);
        leaving.stop();
        long start = System.nanoTime();
        assertOnceEach(awaitAll(staying.client(), ids), ids);
        // Well before the lease of 5 s would have run out.
        assertTrue(System.nanoTime() - start < Duration.ofSeconds(4).toNanos());
        assertEquals("ABORTED", staying.client().awaitResult("long", 1, SOON));
    }

    @Test
    void aControllerThatStalledBeyondItsLeaseDoesNotActOnWhatItHeld() throws IOException {
        stage = Stage.open("stall");
        stage.redis().start();
        StandinController stalled =
                stage.addStandin("a").executors(1).claimAhead(5).lease(300, 1500);
        StandinController other = stage.addStandin("b").executors(2).lease(300, 1500);
        stalled.start();
        stalled.awaitUp(Stage.UP);
        JenkinsClient a = stalled.client();
        a.createJob(
                "many", new FreestyleJob().concurrent().parameter("P").shell(record("true")).xml());
        a.createJob("long", new FreestyleJob().shell("[ $BUILD_NUMBER -gt 1 ] || sleep 30").xml());
        a.trigger("long");
        running("long", 1);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(a.trigger("many", Map.of("P", "" + i)));
        }
        Eventually.until("five are claimed", SOON, () -> claimed(ids).size() == 5);
        other.start();
        other.awaitUp(Stage.UP);
        stalled.pause();
        Map<Integer, JsonNode> builds = awaitAll(other.client(), ids);
        assertEquals("ABORTED", other.client().awaitResult("long", 1, SOON));
        assertEquals("SUCCESS", other.client().awaitResult("long", 2, SOON), "it runs again");
        stalled.resume();
        // Back as a member, it works again and has forgotten the old.
        long id = a.trigger("many", Map.of("P", "again"));
        assertEquals("SUCCESS", a.awaitResult("many", a.awaitBuildNumber(id, SOON), SOON));
        assertOnceEach(builds, ids);
        assertEquals("ABORTED", a.awaitResult("long", 1, SOON));
        noneLeft();
    }

    @Test
    void nothingIsLostWhenRedisRestartsInTheMiddleOfMany() throws IOException {
        cluster("redis-restart", 2);
        JenkinsClient a = client(0);
        a.createJob(
                "many",
                new FreestyleJob().concurrent().parameter("P").shell(record("sleep 0.05")).xml());
        List<Long> ids = triggerMany(a);
        Eventually.until(
                "some have run", SOON, () -> a.job("many").path("builds").size() > MANY / 10);
        stage.redis().kill9();
        stage.redis().restart();
        Map<Integer, JsonNode> builds = awaitAll(a, ids);
        assertOnceEach(builds, ids);
        assertTrue(
                builds.values().stream()
                        .allMatch(b -> b.path("result").asText().equals("SUCCESS")));
        noneLeft();
    }

    @Test
    void triggersOnTwoControllersInTheQuietPeriodBecomeOneBuildWithBothCauses() throws IOException {
        cluster("fold", 2);
        client(0).createJob("quiet", new FreestyleJob().quietSeconds(2).xml());
        long first = client(0).as("alice", "").trigger("quiet");
        long second = client(1).as("bob", "").trigger("quiet");
        assertEquals(first, second);
        int number = client(0).awaitBuildNumber(first, SOON);
        client(0).awaitResult("quiet", number, SOON);
        JsonNode build = client(1).build("quiet", number).orElseThrow();
        assertTrue(build.toString().contains("Started by alice"), build::toString);
        assertTrue(build.toString().contains("Started by bob"), build::toString);
        assertEquals(1, client(1).job("quiet").path("builds").size());
    }

    @Test
    void aJobWithoutConcurrentBuildsNeverRunsTwiceAtOnce() throws IOException {
        cluster("single", 3);
        Path lock = stage.root().resolve("lock");
        // mkdir fails when another build is inside.
        client(0)
                .createJob(
                        "single",
                        new FreestyleJob()
                                .parameter("P")
                                .shell("mkdir " + lock + "; sleep 0.05; rmdir " + lock)
                                .xml());
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            ids.add(client(i % 3).trigger("single", Map.of("P", "" + i)));
        }
        for (long id : ids) {
            int number = client(0).awaitBuildNumber(id, DRAINED);
            assertEquals("SUCCESS", client(0).awaitResult("single", number, SOON));
        }
        noneLeft();
    }

    @Test
    void aBuildIsDeletedFromAnyControllerAndItsNumberNotUsedAgain() throws IOException {
        cluster("delete", 2);
        client(0).createJob("quick", new FreestyleJob().concurrent().parameter("P").xml());
        for (int i = 0; i < 3; i++) {
            long id = client(0).trigger("quick", Map.of("P", "" + i));
            client(0).awaitResult("quick", client(0).awaitBuildNumber(id, SOON), SOON);
        }
        for (int number = 1; number <= 3; number++) {
            String owner =
                    JenkinsClient.controllerOf(client(0).build("quick", number).orElseThrow());
            assertEquals(302, otherThan(owner).client().deleteBuild("quick", number));
            assertTrue(client(0).build("quick", number).isEmpty());
            assertTrue(client(1).build("quick", number).isEmpty());
        }
        long id = client(1).trigger("quick", Map.of("P", "again"));
        assertEquals(4, client(0).awaitBuildNumber(id, SOON));
    }

    // ---- the cast

    private void cluster(String name, int controllers) {
        stage = Stage.open(name);
        stage.redis().start();
        for (int i = 0; i < controllers; i++) {
            stage.addStandin(Character.toString('a' + i));
        }
        stage.startControllers();
    }

    private JenkinsClient client(int controller) {
        return stage.controllers().get(controller).client();
    }

    private Controller otherThan(String name) {
        return stage.controllers().stream()
                .filter(c -> !c.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    // ---- what is done with it

    /**
     * A script that leaves a line per run behind, so that a second run of the same trigger shows.
     */
    private String record(String work) {
        return "echo $P >> " + ran() + "; " + work;
    }

    private Path ran() {
        return stage.root().resolve("ran");
    }

    private static List<Long> triggerMany(JenkinsClient client) {
        return IntStream.range(0, MANY)
                .mapToObj(i -> client.trigger("many", Map.of("P", "" + i)))
                .toList();
    }

    private JsonNode running(String job, int number) {
        return stage.controllers()
                .get(0)
                .client()
                .awaitBuild(job, number, "runs", SOON, b -> b.path("building").asBoolean());
    }

    private void cancelled(JenkinsClient where, long id) {
        Eventually.until(
                "item " + id + " is known", NOTICED, () -> where.queueItem(id).isPresent());
        assertEquals(204, where.cancel(id), "item " + id);
        for (Controller controller : stage.controllers()) {
            JenkinsClient client = controller.client();
            Eventually.until(
                    "item " + id + " is gone on " + controller.name(),
                    NOTICED,
                    () ->
                            client.queueItem(id)
                                    .map(i -> i.path("cancelled").asBoolean())
                                    .orElse(false));
        }
    }

    /** Which of these are claimed and not started, by what Redis holds. */
    private List<Long> claimed(List<Long> ids) {
        return ids.stream()
                .filter(
                        id ->
                                "C"
                                        .equals(
                                                StoredItem.part(
                                                        stage.redis(),
                                                        stage.cluster(),
                                                        id,
                                                        "state")))
                .toList();
    }

    private Map<Integer, JsonNode> awaitAll(JenkinsClient client, List<Long> ids) {
        Map<Integer, JsonNode> builds = new HashMap<>();
        for (long id : ids) {
            int number = client.awaitBuildNumber(id, DRAINED);
            client.awaitResult("many", number, DRAINED);
            JsonNode build = client.build("many", number).orElseThrow();
            assertEquals(id, build.path("queueId").asLong());
            assertFalse(builds.containsKey(number), "#" + number + " is used twice");
            builds.put(number, build);
        }
        return builds;
    }

    /** Every trigger has one build, every number from 1 on is used once, every script ran once. */
    private void assertOnceEach(Map<Integer, JsonNode> builds, List<Long> ids) throws IOException {
        assertEquals(ids.size(), builds.size());
        assertEquals(
                IntStream.rangeClosed(1, ids.size()).boxed().toList(),
                List.copyOf(new TreeSet<>(builds.keySet())));
        List<String> ran =
                Files.readAllLines(ran()).stream()
                        .filter(p -> !p.equals("again"))
                        .sorted()
                        .toList();
        assertEquals(
                IntStream.range(0, ids.size()).mapToObj(Integer::toString).sorted().toList(), ran);
    }

    private void noneLeft() {
        noneLeft(client(0));
    }

    private void noneLeft(JenkinsClient client) {
        Eventually.until(
                "the queue is empty",
                SOON,
                () ->
                        client.queue().path("items").isEmpty()
                                && "0"
                                        .equals(
                                                String.valueOf(
                                                        stage.redis()
                                                                .call(
                                                                        "ZCARD",
                                                                        "{haj:"
                                                                                + stage.cluster()
                                                                                + "}:live"))));
    }
}
