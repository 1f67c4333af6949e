package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Three controllers with an earlier version of the plugin get this one, one after the other, under
 * load; one of the earlier version is killed meanwhile, and one goes back to it. {@code make
 * upgrade} builds that version and says where it is ({@code HA_JENKINS_OLD_HPI}).
 */
@LongTest
class UpgradeTest {
    private static final String JOB = "load";
    private static final String PIPE = "pipe";
    private static final long PAUSE_MILLIS = 150;
    private static final int STEPS = 150;
    private static final Duration LONG = Duration.ofMinutes(5);

    private final Map<String, String> accepted =
            new ConcurrentHashMap<>(); // trigger to who took it
    private final ConcurrentLinkedQueue<String> refused = new ConcurrentLinkedQueue<>();
    private final AtomicInteger askedAgain = new AtomicInteger();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Set<String> inService = ConcurrentHashMap.newKeySet();

    @Test
    void eachTriggerHasOneEffectiveBuildWhileOneAfterTheOtherGetsTheNewVersion() throws Exception {
        String old = System.getenv("HA_JENKINS_OLD_HPI");
        assumeTrue(old != null && Files.isRegularFile(Path.of(old)), "make upgrade says which");
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        Optional<Path> before = Optional.of(Path.of(old));
        Optional<Path> now = Checkout.plugin();
        try (Stage stage = Stage.open("upgrade")) {
            stage.redis().start();
            for (String name : List.of("a", "b", "c")) {
                stage.addJenkins(search.war().get(), name)
                        .executors(2)
                        .plugins(SecuredPair.PIPELINES)
                        .haPlugin(before);
            }
            stage.startControllers();
            stage.awaitMembers(3, TwoControllers.SOON);
            createJobs(stage);
            List<Thread> users = new ArrayList<>();
            for (Controller controller : stage.controllers()) {
                inService.add(controller.name());
                trigger(controller, PIPE, "on-" + controller.name());
            }
            for (int i = 0; i < stage.controllers().size(); i++) {
                int user = i;
                Thread thread = new Thread(() -> use(stage.controllers(), user), "user " + i);
                thread.setDaemon(true);
                thread.start();
                users.add(thread);
            }
            awaitBuildsOfAll(stage, 0);

            upgrade(stage, "a", now, false);
            awaitBuildsOfAll(stage, lastNumber(stage));
            upgrade(stage, "b", now, true);
            awaitBuildsOfAll(stage, lastNumber(stage));
            upgrade(stage, "c", now, false);
            awaitBuildsOfAll(stage, lastNumber(stage));
            upgrade(stage, "a", before, false); // and back
            awaitBuildsOfAll(stage, lastNumber(stage));
            upgrade(stage, "a", now, false);

            stop.set(true);
            for (Thread user : users) {
                user.join();
            }
            check(stage);
        }
    }

    private static void createJobs(Stage stage) {
        JenkinsClient first = stage.controllers().get(0).client();
        first.createJob(
                JOB, new FreestyleJob().concurrent().parameter("P").shell("sleep 0.4").xml());
        first.createJob(
                PIPE,
                JobXml.pipeline(
                        "for (int i = 0; i < " + STEPS + "; i++) { echo \"step ${i}.\"; sleep 1 }",
                        JobXml.parameter()));
        for (Controller controller : stage.controllers()) {
            Eventually.until(
                    controller.name() + " has the jobs",
                    TwoControllers.SOON,
                    () -> controller.client().hasJob(JOB) && controller.client().hasJob(PIPE));
        }
    }

    /** As docs/operations.md says it: drained, stopped, with another file, started. Or killed. */
    private void upgrade(Stage stage, String name, Optional<Path> to, boolean killed)
            throws InterruptedException {
        JenkinsController controller =
                (JenkinsController)
                        stage.controllers().stream()
                                .filter(c -> c.name().equals(name))
                                .findFirst()
                                .orElseThrow();
        long begun = System.nanoTime();
        if (killed) {
            controller.kill9();
            inService.remove(name);
        } else {
            inService.remove(name);
            JenkinsClient other =
                    stage.controllers().stream()
                            .filter(c -> !c.name().equals(name))
                            .findFirst()
                            .orElseThrow()
                            .client();
            assertEquals(200, other.post("ha/drain?controller=" + name, Map.of()).statusCode());
            Eventually.until(
                    name + " is drained", LONG, () -> state(other, name).equals("drained"));
            controller.stop();
        }
        controller.haPlugin(to);
        controller.start();
        controller.awaitUp(Stage.UP);
        stage.awaitMembers(3, TwoControllers.SOON);
        inService.add(name);
        figure(
                "upgrade." + name + (killed ? ".killed" : ""),
                (System.nanoTime() - begun) / 1e9,
                "s");
    }

    private static String state(JenkinsClient from, String name) {
        for (JsonNode one : from.json("ha/api/json").path("controllers")) {
            if (one.path("name").asText().equals(name)) {
                return one.path("state").asText();
            }
        }
        return "";
    }

    /** Each controller has run one with a higher number: versions mixed, none is idle. */
    private static void awaitBuildsOfAll(Stage stage, int above) {
        for (Controller controller : stage.controllers()) {
            Eventually.until(
                    controller.name() + " builds",
                    LONG,
                    () ->
                            builds(stage, JOB).stream()
                                    .anyMatch(
                                            build ->
                                                    build.path("number").asInt() > above
                                                            && JenkinsClient.controllerOf(build)
                                                                    .equals(controller.name())));
        }
    }

    private static int lastNumber(Stage stage) {
        return builds(stage, JOB).stream()
                .mapToInt(build -> build.path("number").asInt())
                .max()
                .orElse(0);
    }

    private static List<JsonNode> builds(Stage stage, String job) {
        List<JsonNode> result = new ArrayList<>();
        stage.controllers()
                .get(2)
                .client()
                .json(
                        "job/"
                                + job
                                + "/api/json?tree=allBuilds[number,result,building,actions[*,parameters[value]]]")
                .path("allBuilds")
                .forEach(result::add);
        return result;
    }

    /**
     * Triggers at whoever is in service; who is killed meanwhile may leave it without an answer.
     */
    private void use(List<Controller> controllers, int user) {
        for (int i = 0; !stop.get(); i++) {
            String trigger = "u" + user + "-" + i;
            for (int at = user + i; !accepted.containsKey(trigger); at++) {
                Controller controller = controllers.get(at % controllers.size());
                if (inService.contains(controller.name()) && !trigger(controller, JOB, trigger)) {
                    askedAgain.incrementAndGet();
                }
            }
            pause();
        }
    }

    private boolean trigger(Controller controller, String job, String trigger) {
        try {
            var answer =
                    controller
                            .client()
                            .post(
                                    "job/" + job + "/buildWithParameters",
                                    "application/x-www-form-urlencoded",
                                    "P=" + trigger,
                                    Map.of("Idempotency-Key", trigger));
            if (answer.statusCode() == 201 || answer.statusCode() == 303) {
                if (job.equals(JOB)) {
                    accepted.put(trigger, controller.name());
                }
                return true;
            }
            refused.add(trigger + " by " + controller.name() + ": " + answer.statusCode());
        } catch (UncheckedIOException e) {
            pause(); // it was killed
        }
        return false;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void check(Stage stage) {
        TwoControllers.awaitNoItems(stage.controllers().get(0).client(), LONG);
        Map<String, Integer> effective = new HashMap<>();
        Set<Integer> numbers = new HashSet<>();
        int aborted = 0;
        List<String> wrong = new ArrayList<>();
        for (JsonNode build : builds(stage, JOB)) {
            assertTrue(numbers.add(build.path("number").asInt()), "used twice: " + build);
            if (build.path("result").asText().equals("ABORTED")) {
                aborted++; // by its controller's death; it ran again
            } else {
                effective.merge(build.findValue("value").asText(), 1, Integer::sum);
                if (!build.path("result").asText().equals("SUCCESS")) {
                    wrong.add("RESULT " + build);
                }
            }
        }
        for (String trigger : accepted.keySet()) {
            int builds = effective.getOrDefault(trigger, 0);
            if (builds != 1) {
                wrong.add(trigger + " has " + builds + " effective builds");
            }
        }
        effective.keySet().stream()
                .filter(trigger -> !accepted.containsKey(trigger))
                .forEach(trigger -> wrong.add("NOBODY'S " + trigger));
        figure("upgrade.triggers", accepted.size(), "triggers");
        figure("upgrade.refused", refused.size(), "triggers");
        figure("upgrade.asked_again_of_a_killed_one", askedAgain.get(), "times");
        figure("upgrade.aborted_by_death", aborted, "builds");
        figure("upgrade.wrong", wrong.size(), "triggers");
        assertEquals(List.of(), wrong, () -> String.join("\n", wrong));
        assertEquals(List.of(), List.copyOf(refused));
        assertTrue(accepted.size() > 100, "a load: " + accepted.size());
        checkPipelines(stage);
    }

    /** Those that ran from the first version to the last one: none began anew, none lost a step. */
    private static void checkPipelines(Stage stage) {
        List<JsonNode> all = builds(stage, PIPE);
        assertEquals(3, all.size(), all::toString);
        for (JsonNode build : all) {
            int number = build.path("number").asInt();
            assertEquals("SUCCESS", build.path("result").asText(), build::toString);
            String log = stage.controllers().get(2).client().console(PIPE, number);
            for (int i = 0; i < STEPS; i++) {
                assertTrue(log.contains("step " + i + "."), "step " + i + " of #" + number);
            }
        }
    }
}
