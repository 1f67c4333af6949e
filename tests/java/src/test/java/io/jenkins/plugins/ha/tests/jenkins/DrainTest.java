package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A controller that is drained or quieted down leaves the work to the others. */
class DrainTest {
    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        pair = SecuredPair.open("drain");
        pair.createJob("held", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
        pair.createJob("sleeper", new FreestyleJob().concurrent().shell("sleep 10").xml());
        SecuredPair.hold(pair.onB, "held");
    }

    @AfterEach
    void inService() {
        pair.onB.post("cancelQuietDown", Map.of());
        pair.onB.post("ha/undrain", Map.of());
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void aQuietedControllerHandsBackAtOnceAndTakesBuildsAgainAfterwards() {
        handsBackThenTakesAgain("quietDown", "cancelQuietDown", "quiet-down");
    }

    @Test
    void aDrainedControllerHandsBackAtOnceAndTakesBuildsAgainAfterwards() {
        handsBackThenTakesAgain("ha/drain", "ha/undrain", "drain");
    }

    @Test
    void whatAnExecutorWasGivenIsNotHandedBackWhenJenkinsReloadsItsQueue() {
        pair.takes(false, true);
        long id = pair.onA.trigger("held", Map.of("P", "reloaded"));
        Eventually.until("B holds it", SecuredPair.SOON, () -> claimed() == 1);
        pair.takes(true, true);
        SecuredPair.groovy(
                pair.onB,
                """
                Queue.withLock({
                  System.clearProperty('test.hold.held')
                  Queue.instance.maintain() // gives it to an executor, which needs the lock to begin
                  Queue.instance.load()
                  sleep(1000) // A would take it meanwhile
                  System.setProperty('test.hold.held', 'yes')
                } as Runnable)
                """);
        int number = pair.onA.awaitBuildNumber(id, SecuredPair.SOON);
        assertEquals("SUCCESS", result("held", number));
        assertEquals("b", controller("held", number));
        Eventually.until("nothing is claimed any more", SecuredPair.SOON, () -> claimed() == 0);
        assertEquals(1, TwoControllers.builtPerParameter(pair.onA, "held").get("reloaded"));
    }

    @Test
    void drainedFromAnotherControllerItFinishesWhatRunsAndAcceptsTriggersAndSaysSo() {
        pair.takes(false, true);
        int running = buildOf("sleeper");
        pair.onB.awaitBuild("sleeper", running, "runs", SecuredPair.SOON, b -> building(b));
        assertEquals(200, pair.onA.post("ha/drain?controller=b", Map.of()).statusCode());
        HttpResponse<String> health = pair.onB.get("ha-health/");
        assertEquals(503, health.statusCode());
        assertTrue(health.body().contains("\"draining\":true"), health.body());
        assertEquals(200, pair.onA.get("ha-health/").statusCode());

        pair.takes(true, true);
        long triggered = pair.onB.trigger("sleeper");
        int elsewhere = pair.onB.awaitBuildNumber(triggered, SecuredPair.SOON);
        assertEquals("SUCCESS", result("sleeper", elsewhere));
        assertEquals("a", controller("sleeper", elsewhere));
        assertEquals("SUCCESS", result("sleeper", running));
        assertEquals("b", controller("sleeper", running));

        assertEquals(200, pair.onA.post("ha/undrain?controller=b", Map.of()).statusCode());
        assertEquals(200, pair.onB.get("ha-health/").statusCode());
        pair.takes(false, true);
        int again = buildOf("sleeper");
        assertEquals("SUCCESS", result("sleeper", again));
        assertEquals("b", controller("sleeper", again));
    }

    @Test
    void aDrainedControllerStartsNothingAndIsDrainedOnceNothingRunsThereAtAll() {
        pair.createJob("stays", FileParameter.job("sleep 5"));
        assertEquals(201, FileParameter.trigger(pair.onB, "stays", "one", 0));
        pair.onA.awaitBuild("stays", 1, "runs", SecuredPair.SOON, DrainTest::building);
        assertEquals(200, pair.onB.post("ha/drain", Map.of()).statusCode());
        assertEquals("draining", controllers().get("b").path("state").asText());
        assertEquals(201, FileParameter.trigger(pair.onB, "stays", "two", 0));
        Eventually.until(
                "B is drained",
                SecuredPair.SOON,
                () -> controllers().get("b").path("state").asText().equals("drained"));
        assertEquals("SUCCESS", result("stays", 1));
        SecuredPair.groovy(pair.onB, "Queue.instance.maintain()");
        assertTrue(pair.onB.build("stays", 2).isEmpty(), "it was started");
        String why =
                SecuredPair.groovy(
                        pair.onB, "Queue.instance.items.find { it.task.fullName == 'stays' }.why");
        assertTrue(why.contains("drained"), why);
        assertEquals(200, pair.onB.post("ha/undrain", Map.of()).statusCode());
        assertEquals("SUCCESS", result("stays", 2));
        assertEquals("b", controller("stays", 2));
    }

    @Test
    void onlyWhoMayQuietDownDrains() {
        for (String path : List.of("ha/drain", "ha/drain?controller=b", "ha/undrain")) {
            HttpResponse<String> alice = SecuredPair.as(pair.a, "alice").post(path, Map.of());
            assertEquals(403, alice.statusCode(), path);
            // Without a crumb, and without being logged in.
            assertEquals(403, SecuredPair.send(pair.a, "POST", "admin", path).statusCode(), path);
            assertEquals(403, SecuredPair.send(pair.a, "POST", "", path).statusCode(), path);
            assertEquals(405, SecuredPair.send(pair.a, "GET", "admin", path).statusCode(), path);
        }
        assertEquals(404, pair.onA.post("ha/drain?controller=nobody", Map.of()).statusCode());
        assertEquals(200, pair.onA.get("ha-health/").statusCode());
        assertEquals(200, pair.onB.get("ha-health/").statusCode());
    }

    @Test
    void theCommandLineDrainsAnyController() {
        assertEquals(0, cli(pair.onA, "ha-drain", "b"));
        assertEquals(503, pair.onB.get("ha-health/").statusCode());
        assertEquals(200, pair.onA.get("ha-health/").statusCode());
        assertEquals(0, cli(pair.onB, "ha-undrain"));
        assertEquals(200, pair.onB.get("ha-health/").statusCode());
        assertEquals(6, cli(SecuredPair.as(pair.b, "alice"), "ha-drain"));
        assertEquals(4, cli(pair.onB, "ha-drain", "nobody"));
        assertEquals(200, pair.onB.get("ha-health/").statusCode());
    }

    @Test
    void theAdminsPageShowsTheControllersAndItsButtonsDrainThem() {
        Map<String, JsonNode> before = controllers();
        assertEquals(List.of("a", "b"), before.keySet().stream().sorted().toList());
        for (JsonNode controller : before.values()) {
            assertEquals("takes builds", controller.path("state").asText());
            assertTrue(controller.path("epoch").asLong() > 0, controller::toString);
            assertTrue(controller.path("leaseMillis").asLong() > 0, controller::toString);
            assertEquals("", controller.path("records").asText());
        }
        assertTrue(before.get("a").path("here").asBoolean());
        Map<String, String> button =
                Map.of("controller", before.get("b").path("id").asText(), "page", "true");
        HttpResponse<String> pressed = pair.onA.post("manage/ha/drain", button);
        assertEquals(302, pressed.statusCode());
        assertEquals(503, pair.onB.get("ha-health/").statusCode());
        assertEquals("drained", controllers().get("b").path("state").asText());
        String page = pair.onA.text("manage/ha/");
        assertTrue(page.contains("drained") && page.contains("Undrain"), page);
        assertEquals(302, pair.onA.post("manage/ha/undrain", button).statusCode());
        assertEquals("takes builds", controllers().get("b").path("state").asText());

        pair.b.pause();
        try {
            JsonNode paused = controllers().get("b");
            // On a slow machine its lease may have lapsed by now.
            assertTrue(
                    paused == null || paused.path("state").asText().equals("does not answer"),
                    String.valueOf(paused));
        } finally {
            pair.b.resume();
            pair.stage.awaitMembers(2, SecuredPair.SOON);
        }
        for (String path : List.of("manage/ha/", "ha/", "ha/api/json")) {
            JenkinsClient alice = SecuredPair.as(pair.a, "alice");
            assertEquals(403, alice.get(path).statusCode(), path);
        }
    }

    private static Map<String, JsonNode> controllers() {
        Map<String, JsonNode> byName = new HashMap<>();
        for (JsonNode one : pair.onA.json("ha/api/json").path("controllers")) {
            byName.put(one.path("name").asText(), one);
        }
        return byName;
    }

    private static int cli(JenkinsClient as, String... arguments) {
        return as.cli(pair.stage.root().resolve("cli"), arguments).await(SecuredPair.SOON);
    }

    /** B holds claims that it cannot start; A is free to build them once B lets go. */
    private static void handsBackThenTakesAgain(String down, String up, String what) {
        pair.takes(false, true);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            ids.add(pair.onA.trigger("held", Map.of("P", what + i)));
        }
        Eventually.until("B holds both", SecuredPair.SOON, () -> claimed() == 2);
        pair.takes(true, true);
        assertEquals(2, claimed());
        long start = System.nanoTime();
        pair.onB.post(down, Map.of());
        List<Integer> numbers = new ArrayList<>();
        for (long id : ids) {
            numbers.add(pair.onA.awaitBuildNumber(id, SecuredPair.SOON));
        }
        Duration taken = Duration.ofNanos(System.nanoTime() - start);
        TwoControllers.figure(what + ".handed_back_and_started", taken.toMillis() / 1e3, "s");
        // Without the hand-back the blocked claims would stay for the whole quiet-down.
        assertTrue(taken.toSeconds() < 10, taken.toString());
        for (int number : numbers) {
            assertEquals("SUCCESS", result("held", number));
            assertEquals("a", controller("held", number));
        }
        pair.onB.post(up, Map.of());
        pair.takes(false, true);
        int again = buildOf("sleeper");
        assertEquals("SUCCESS", result("sleeper", again));
        assertEquals("b", controller("sleeper", again));
    }

    private static int buildOf(String job) {
        return pair.onA.awaitBuildNumber(pair.onA.trigger(job), SecuredPair.SOON);
    }

    private static String result(String job, int number) {
        return pair.onA.awaitResult(job, number, SecuredPair.SOON);
    }

    private static String controller(String job, int number) {
        return JenkinsClient.controllerOf(pair.onA.build(job, number).orElseThrow());
    }

    private static boolean building(JsonNode build) {
        return build.path("building").asBoolean();
    }

    private static int claimed() {
        return Integer.parseInt(
                SecuredPair.groovy(
                        pair.onA,
                        "print io.jenkins.plugins.ha.Membership.active().get().cluster().items()"
                                + ".count { it.state().name() == 'CLAIMED' }"));
    }
}
