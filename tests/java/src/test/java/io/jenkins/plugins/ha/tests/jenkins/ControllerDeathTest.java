package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What becomes of the work of a controller that is killed with SIGKILL. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ControllerDeathTest {
    private static final int EXECUTORS = 3;
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoControllers two;

    @BeforeAll
    void start() {
        two = TwoControllers.start("controller-death", EXECUTORS);
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void bothAlive() {
        if (!two.controller("b").alive()) {
            restartB();
        }
        two.onBoth();
    }

    @Test
    void claimedButUnstartedItemsRunElsewhereOnce() {
        JenkinsClient a = two.a();
        two.createJob("once", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
        closeGateOnB();
        two.onlyOn("b");
        int triggers = 6;
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < triggers; i++) {
            ids.add(a.trigger("once", Map.of("P", "p" + i)));
        }
        Eventually.until(
                "b holds claims that it has not started",
                TwoControllers.SOON,
                () -> inState("CLAIMED") >= EXECUTORS);
        assertTrue(inState("CLAIMED") <= triggers);
        assertEquals(0, a.job("once").path("builds").size());

        two.controller("b").kill9();
        long killed = System.nanoTime();
        two.takes("a", true);
        Map<Long, Integer> numbers = new HashMap<>();
        for (long id : ids) {
            numbers.put(id, a.awaitBuildNumber(id, LONG));
        }
        figure("takeover.claimed_items_started", (System.nanoTime() - killed) / 1e9, "s");
        numbers.values().forEach(n -> assertEquals("SUCCESS", a.awaitResult("once", n, LONG)));
        Map<String, Integer> perParameter = perParameter(a, "once");
        assertEquals(triggers, perParameter.size(), perParameter::toString);
        assertTrue(perParameter.values().stream().allMatch(n -> n == 1), "once: " + perParameter);
        assertEquals(triggers, numbers.values().stream().distinct().count());
        assertEquals(0, a.queue().path("items").size());
    }

    @Test
    void runningBuildsEndAsAbortedAndTheirJobGoesOn() {
        JenkinsClient a = two.a();
        String sleep = "echo begun; sleep $SECONDS_TO_SLEEP; echo slept";
        two.createJob(
                "single",
                new FreestyleJob()
                        .property(RerunTest.NOT_AGAIN)
                        .parameter("SECONDS_TO_SLEEP")
                        .shell(sleep)
                        .xml());
        two.createJob("tied", FileParameter.job("echo begun; sleep 60"));
        two.onlyOn("b");
        long first = a.trigger("single", Map.of("SECONDS_TO_SLEEP", "60"));
        TwoControllers.awaitRunning(a, "single", a.awaitBuildNumber(first, LONG));
        assertEquals(201, FileParameter.trigger(two.b(), "tied", "content", 0));
        TwoControllers.awaitRunning(a, "tied", 1);
        Eventually.until(
                "a shows the log",
                TwoControllers.SOON,
                () -> a.console("single", 1).contains("begun"));
        long second = a.trigger("single", Map.of("SECONDS_TO_SLEEP", "0"));
        Eventually.until(
                "the second waits for the first",
                TwoControllers.SOON,
                () -> a.queueItem(second).orElseThrow().path("blocked").asBoolean());

        two.controller("b").kill9();
        long killed = System.nanoTime();
        two.takes("a", true);
        assertEquals("ABORTED", a.awaitResult("single", 1, LONG));
        figure("takeover.running_build_aborted", (System.nanoTime() - killed) / 1e9, "s");
        assertEquals(2, a.awaitBuildNumber(second, LONG));
        figure("takeover.blocked_build_started", (System.nanoTime() - killed) / 1e9, "s");
        assertEquals("SUCCESS", a.awaitResult("single", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("tied", 1, LONG));
        figure("takeover.local_build_aborted", (System.nanoTime() - killed) / 1e9, "s");
        for (String job : List.of("single", "tied")) {
            Eventually.until(
                    "the log of " + job + " has its last line",
                    TwoControllers.SOON,
                    () -> a.console(job, 1).endsWith("Finished: ABORTED\n"));
            String log = a.console(job, 1);
            assertTrue(log.contains("begun"), log);
            assertTrue(log.contains("The controller 'b' died while it ran this build."), log);
            assertTrue(log.contains("It is not run again: "), log);
            JsonNode build = a.build(job, 1).orElseThrow();
            assertTrue(build.path("duration").asLong() > 1000, build::toString);
            assertEquals("b", JenkinsClient.controllerOf(build));
        }
        assertSingleHistory(a);

        restartB();
        JenkinsClient b = two.b();
        assertSingleHistory(b);
        assertEquals("ABORTED", b.awaitResult("tied", 1, TwoControllers.SOON));
        two.onlyOn("b");
        long third = a.trigger("single", Map.of("SECONDS_TO_SLEEP", "0"));
        assertEquals(3, a.awaitBuildNumber(third, LONG));
        assertEquals("SUCCESS", a.awaitResult("single", 3, LONG));
        assertEquals("b", JenkinsClient.controllerOf(a.build("single", 3).orElseThrow()));
    }

    @Test
    void killedInTheMiddleOfItsWorkNothingIsLostOrDoneTwice() {
        JenkinsClient a = two.a();
        two.createJob(
                "busy", new FreestyleJob().concurrent().parameter("P").shell("sleep 0.3").xml());
        int triggers = 60;
        Map<Long, String> accepted = new HashMap<>();
        for (int i = 0; i < triggers; i++) {
            JenkinsClient to = i % 2 == 0 ? a : two.b();
            accepted.put(to.trigger("busy", Map.of("P", "p" + i)), "p" + i);
        }
        Eventually.until(
                "a part is done", LONG, () -> a.job("busy").path("builds").size() > triggers / 4);
        two.controller("b").kill9();
        long killed = System.nanoTime();
        Map<Long, Integer> numbers = new HashMap<>();
        accepted.forEach((id, p) -> numbers.put(id, a.awaitBuildNumber(id, LONG)));
        Map<String, Integer> results = new TreeMap<>();
        numbers.values()
                .forEach(n -> results.merge(a.awaitResult("busy", n, LONG), 1, Integer::sum));
        figure("takeover.busy_queue_empty", (System.nanoTime() - killed) / 1e9, "s");
        figure("takeover.busy_builds_aborted", results.getOrDefault("ABORTED", 0), "builds");
        assertTrue(results.getOrDefault("ABORTED", 0) <= EXECUTORS, results::toString);
        assertEquals(triggers, results.values().stream().mapToInt(n -> n).sum());
        assertTrue(List.of("ABORTED", "SUCCESS").containsAll(results.keySet()), results::toString);
        assertEquals(triggers, numbers.values().stream().distinct().count());
        Eventually.until(
                "those that were running then run again",
                LONG,
                () -> succeeded(a, "busy").size() == triggers);
        Map<String, Integer> succeeded = succeeded(a, "busy");
        accepted.values().forEach(p -> assertEquals(1, succeeded.get(p), p));
        int all = perParameter(a, "busy").values().stream().mapToInt(n -> n).sum();
        assertEquals(triggers + results.getOrDefault("ABORTED", 0), all);
        assertEquals(0, a.queue().path("items").size());
    }

    @Test
    void aBuildThatEndedKeepsItsResultWhenOnlyTheNewsOfItIsLost() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        two.createJob("ended", new FreestyleJob().shell("sleep 4; exit 3").xml());
        two.onlyOn("b");
        long id = a.trigger("ended");
        assertEquals(1, a.awaitBuildNumber(id, LONG));
        TwoControllers.awaitRunning(a, "ended", 1);
        two.stage().redis().kill9();
        assertEquals("FAILURE", b.awaitResult("ended", 1, LONG));
        Path file = two.stage().shared().jobs().resolve("ended/builds/1/build.xml");
        Eventually.until(
                "the end is on disk",
                TwoControllers.SOON,
                () -> text(file).contains("<result>FAILURE</result>"));
        two.controller("b").kill9();
        two.stage().redis().start();
        assertEquals("FAILURE", a.awaitResult("ended", 1, LONG));
        two.takes("a", true);
        long next = a.trigger("ended");
        assertEquals(2, a.awaitBuildNumber(next, LONG));
        assertEquals("FAILURE", a.awaitResult("ended", 2, LONG));
        assertEquals("FAILURE", a.awaitResult("ended", 1, LONG));
        assertTrue(!a.console("ended", 1).contains("died"), a.console("ended", 1));
    }

    private void restartB() {
        two.controller("b").start();
        long started = System.nanoTime();
        two.controller("b").awaitUp(Stage.UP);
        two.stage().awaitMembers(2, TwoControllers.SOON);
        figure("restart.member_again", (System.nanoTime() - started) / 1e9, "s");
    }

    private static void assertSingleHistory(JenkinsClient on) {
        JsonNode builds =
                on.json("job/single/api/json?tree=builds[number,result,building]").path("builds");
        assertEquals(2, builds.size(), builds::toString);
        assertEquals(2, builds.get(0).path("number").asInt());
        assertEquals("SUCCESS", builds.get(0).path("result").asText());
        assertEquals("ABORTED", builds.get(1).path("result").asText());
        assertTrue(builds.findValues("building").stream().noneMatch(JsonNode::asBoolean));
        assertEquals(2, TwoControllers.permalink(on, "single", "lastSuccessfulBuild"));
        assertEquals(1, TwoControllers.permalink(on, "single", "lastUnsuccessfulBuild"));
    }

    /** As a throttling plugin does: b takes items into its queue, and starts none. */
    private void closeGateOnB() {
        script(
                two.b(),
                """
                class Closed extends hudson.model.queue.CauseOfBlockage {
                    String getShortDescription() { 'the gate is closed' }
                }
                class Gate extends hudson.model.queue.QueueTaskDispatcher {
                    hudson.model.queue.CauseOfBlockage canRun(hudson.model.Queue.Item item) {
                        new Closed()
                    }
                }
                hudson.ExtensionList.lookup(hudson.model.queue.QueueTaskDispatcher).add(new Gate())
                """);
    }

    private int inState(String state) {
        String count =
                script(
                        two.a(),
                        "print io.jenkins.plugins.ha.Membership.active().get().cluster().items()"
                                + ".count { it.state().name() == '"
                                + state
                                + "' }");
        return Integer.parseInt(count.trim());
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Integer> perParameter(JenkinsClient on, String job) {
        return perParameter(on, job, build -> true);
    }

    private static Map<String, Integer> succeeded(JenkinsClient on, String job) {
        return perParameter(on, job, build -> build.path("result").asText().equals("SUCCESS"));
    }

    private static Map<String, Integer> perParameter(
            JenkinsClient on, String job, Predicate<JsonNode> which) {
        JsonNode builds =
                on.json(
                                "job/"
                                        + job
                                        + "/api/json?tree=allBuilds[number,result,actions[parameters[value]]]")
                        .path("allBuilds");
        Map<String, Integer> count = new TreeMap<>();
        IntStream.range(0, builds.size())
                .mapToObj(builds::get)
                .filter(which)
                .flatMap(build -> build.findValuesAsText("value").stream())
                .forEach(value -> count.merge(value, 1, Integer::sum));
        return count;
    }
}
