package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * Three real controllers are killed, paused and stopped while users trigger builds on any of them.
 * Users who get no answer ask again, anywhere, under the same Idempotency-Key. {@code
 * CHAOS_SECONDS} sets how long, {@code CHAOS_SEED} what; {@code make chaos-jenkins} runs it alone
 * and longer.
 */
@LongTest
class RealChaosTest {
    private static final int SECONDS = LongRun.number("CHAOS_SECONDS", 45);
    private static final long SEED = LongRun.number("CHAOS_SEED", 7);
    private static final int USERS = 3;
    private static final int USER_PAUSE_MILLIS = 600;
    private static final int NEMESIS_PAUSE_MILLIS = 4000;

    /** Beyond the lease of 5 s: the others take it for dead. */
    private static final int PAUSED_MILLIS = 8000;

    /** What dies more often stays ABORTED. */
    private static final int RERUNS = 3;

    private static final Duration LONG = Duration.ofMinutes(4);
    private static final List<String> JOBS = List.of("many", "one");

    /** A Pipeline, built one at a time. */
    private static final String PIPE = "pipe";

    /** Built one at a time; some of its builds stay on the controller that was asked. */
    private static final String TURNS = "turns";

    private final Map<String, String> accepted = new ConcurrentHashMap<>(); // trigger to job
    private final AtomicInteger unanswered = new AtomicInteger();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final LongRun run = new LongRun();

    @Test
    void whateverDiesEachTriggerHasOneEffectiveBuild() throws Exception {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        System.out.println("CHAOS_SEED=" + SEED + " CHAOS_SECONDS=" + SECONDS);
        try (Stage stage = Stage.open("real-chaos");
                Obstacles obstacles = new Obstacles(stage)) {
            stage.redis().start();
            for (String name : List.of("a", "b", "c")) {
                Obstacles.configure(
                        stage.addJenkins(search.war().get(), name)
                                .executors(2)
                                .plugins(SecuredPair.PIPELINES),
                        name.equals("a"));
            }
            stage.startControllers();
            stage.awaitMembers(3, TwoControllers.SOON);
            Path witness = stage.root().resolve("witness");
            Files.createDirectory(witness);
            String shell =
                    "echo \"$BUILD_NUMBER\" >> '"
                            + witness
                            + "/'\"$P\"; sleep 0.$((BUILD_NUMBER % 10))";
            JenkinsClient first = stage.controllers().get(0).client();
            first.createJob(
                    "many", new FreestyleJob().concurrent().parameter("P").shell(shell).xml());
            first.createJob("one", new FreestyleJob().parameter("P").shell(shell).xml());
            first.createJob(
                    PIPE,
                    JobXml.pipeline(
                            "echo 'begun'; sleep 1; sleep 1; echo 'over'",
                            JobXml.oneAtATime(false)));
            first.createJob(TURNS, FileParameter.job("sleep 0.3"));
            List<String> jobs = new ArrayList<>(JOBS);
            jobs.addAll(List.of(PIPE, TURNS));
            jobs.addAll(obstacles.create());
            for (Controller controller : stage.controllers()) {
                Eventually.until(
                        controller.name() + " has the jobs",
                        TwoControllers.SOON,
                        () -> jobs.stream().allMatch(controller.client()::hasJob));
            }

            List<Thread> users = new ArrayList<>();
            for (int i = 0; i < USERS; i++) {
                int user = i;
                users.add(run.start("user " + i, () -> use(stage.controllers(), obstacles, user)));
            }
            Map<String, Integer> faults = disturb(stage.controllers(), obstacles);
            stop.set(true);
            for (Thread user : users) {
                user.join();
            }
            assertEquals(List.of(), run.failures());
            mend(stage);
            long mended = System.nanoTime();
            awaitDrained(first);
            figure("chaos.drained_after", (System.nanoTime() - mended) / 1e9, "s");
            faults.forEach((fault, count) -> figure("chaos.fault." + fault, count, "times"));
            figure("chaos.triggers", accepted.size(), "triggers");
            figure("chaos.asked_again", unanswered.get(), "times");
            check(stage.controllers(), witness);
            checkPipelines(stage.controllers());
            checkTurns(first);
            assertEquals(List.of(), obstacles.wrong());
        }
    }

    /** Triggers, and asks for the same again until it is answered. */
    private void use(List<Controller> controllers, Obstacles obstacles, int user) {
        Random random = new Random(SEED * 31 + user);
        List<JenkinsClient> clients = controllers.stream().map(Controller::client).toList();
        for (int i = 0; !stop.get(); i++) {
            String trigger = "u" + user + "-" + i;
            int kind = random.nextInt(16);
            String job = kind == 0 ? PIPE : kind < 5 ? "one" : "many";
            while (!ask(clients.get(random.nextInt(clients.size())), job, trigger)) {
                unanswered.incrementAndGet();
                LongRun.sleep(100);
            }
            accepted.put(trigger, job);
            takeTurns(clients.get(random.nextInt(clients.size())), trigger, random.nextInt(6));
            int obstacle = random.nextInt(12);
            if (obstacle < 4) {
                obstacles.trigger(clients.get(random.nextInt(clients.size())), trigger, obstacle);
            }
            LongRun.sleep(random.nextInt(USER_PAUSE_MILLIS));
        }
    }

    /** Not asked again: what stays on a controller may end with it. */
    private static void takeTurns(JenkinsClient client, String trigger, int kind) {
        try {
            if (kind == 0) {
                FileParameter.trigger(client, TURNS, trigger, 0);
            } else if (kind == 1) {
                client.post("job/" + TURNS + "/buildWithParameters", Map.of());
            }
        } catch (UncheckedIOException e) {
            return; // it is down
        }
    }

    private static boolean ask(JenkinsClient client, String job, String trigger) {
        try {
            HttpResponse<String> answer =
                    client.post(
                            "job/" + job + "/buildWithParameters",
                            "application/x-www-form-urlencoded",
                            "P=" + trigger,
                            Map.of("Idempotency-Key", trigger));
            int code = answer.statusCode();
            // Not there yet while it boots: 404 and 503; anything else below is an answer.
            return code == 201 || code == 303;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /**
     * Kills one or stops it as an admin does, and starts it again, or pauses one, or has an agent
     * vanish; at least one controller is left alone at any time.
     */
    private static Map<String, Integer> disturb(List<Controller> controllers, Obstacles obstacles)
            throws InterruptedException {
        Random random = new Random(SEED);
        Map<String, Integer> faults = new TreeMap<>();
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        while (System.nanoTime() < end) {
            Thread.sleep(NEMESIS_PAUSE_MILLIS / 2 + random.nextInt(NEMESIS_PAUSE_MILLIS));
            if (random.nextInt(3) == 0) {
                obstacles.vanish(random);
                continue;
            }
            List<Controller> up = controllers.stream().filter(c -> c.client().reachable()).toList();
            if (up.size() < 2) {
                continue;
            }
            Controller victim = up.get(random.nextInt(up.size()));
            String fault = List.of("kill", "kill", "pause", "stop").get(random.nextInt(4));
            faults.merge(fault, 1, Integer::sum);
            if (fault.equals("pause")) {
                victim.pause();
                Thread.sleep(PAUSED_MILLIS);
                victim.resume();
                continue;
            }
            if (fault.equals("stop")) {
                victim.stop();
            } else {
                victim.kill9();
            }
            victim.start();
        }
        return faults;
    }

    private static void mend(Stage stage) {
        for (Controller controller : stage.controllers()) {
            controller.awaitUp(Stage.UP);
        }
        stage.awaitMembers(3, TwoControllers.SOON);
    }

    private static void awaitDrained(JenkinsClient on) {
        TwoControllers.awaitNoItems(on, LONG);
        // news of the last ends may be on their way
        try {
            Eventually.until(
                    "all of it is shown as ended",
                    TwoControllers.SOON,
                    () -> stillShownAsRunning(on).isEmpty());
        } catch (AssertionError e) {
            List<String> triggers =
                    stillShownAsRunning(on).stream()
                            .map(build -> build.findValue("value").asText())
                            .toList();
            throw new AssertionError(e.getMessage() + evidence(on, triggers::contains), e);
        }
    }

    private static List<JsonNode> stillShownAsRunning(JenkinsClient on) {
        return JOBS.stream()
                .flatMap(job -> builds(on, job).stream())
                .filter(build -> build.path("building").asBoolean())
                .toList();
    }

    private void check(List<Controller> controllers, Path witness) throws IOException {
        Map<String, List<JsonNode>> byTrigger = new HashMap<>();
        int aborted = 0;
        int builds = 0;
        for (String job : JOBS) {
            List<JsonNode> seen = builds(controllers.get(0).client(), job);
            Set<Integer> numbers = new HashSet<>();
            for (JsonNode build : seen) {
                assertTrue(numbers.add(build.path("number").asInt()), "used twice: " + build);
                assertTrue(!build.path("building").asBoolean(), "still runs: " + build);
                byTrigger
                        .computeIfAbsent(build.findValue("value").asText(), p -> new ArrayList<>())
                        .add(build);
            }
            builds += seen.size();
            assertAllShow(controllers, job, seen);
        }
        List<String> wrong = new ArrayList<>();
        for (Map.Entry<String, String> trigger : accepted.entrySet()) {
            if (trigger.getValue().equals(PIPE)) {
                continue;
            }
            List<JsonNode> of = byTrigger.getOrDefault(trigger.getKey(), List.of());
            List<JsonNode> effective =
                    of.stream().filter(b -> !b.path("result").asText().equals("ABORTED")).toList();
            aborted += of.size() - effective.size();
            String what = trigger + " " + of;
            if (of.isEmpty()) {
                wrong.add("LOST " + what);
            } else if (effective.size() > 1) {
                wrong.add("DOUBLED " + what);
            } else if (effective.isEmpty() && of.size() <= RERUNS) {
                wrong.add("NOT RUN AGAIN " + what);
            }
            for (JsonNode build : effective) {
                if (!build.path("result").asText().equals("SUCCESS")) {
                    wrong.add("RESULT " + what);
                }
                List<String> ran = Files.readAllLines(witness.resolve(trigger.getKey()));
                if (!ran.contains(build.path("number").asText())) {
                    wrong.add("DID NOT RUN " + what + " " + ran);
                }
                if (ran.size() > of.size()) {
                    wrong.add("RAN TWICE " + what + " " + ran);
                }
            }
        }
        byTrigger.keySet().stream()
                .filter(p -> !accepted.containsKey(p))
                .forEach(p -> wrong.add("NOBODY'S " + p + " " + byTrigger.get(p)));
        figure("chaos.builds", builds, "builds");
        figure("chaos.aborted_by_death", aborted, "builds");
        figure("chaos.wrong", wrong.size(), "triggers");
        assertEquals(
                List.of(),
                wrong,
                () ->
                        String.join("\n", wrong)
                                + evidence(
                                        controllers.get(0).client(),
                                        trigger ->
                                                wrong.stream()
                                                        .anyMatch(w -> w.contains(trigger + "="))));
    }

    /** What became of these triggers: the logs and the traces of their builds. */
    private static String evidence(JenkinsClient on, Predicate<String> wrong) {
        StringBuilder all = new StringBuilder();
        for (String job : List.of("many", "one", PIPE)) {
            for (JsonNode build : builds(on, job)) {
                String trigger = build.findValue("value").asText();
                if (!wrong.test(trigger)) {
                    continue;
                }
                String path = "job/" + job + "/" + build.path("number").asInt();
                String item = on.json(path + "/api/json").path("queueId").asText();
                all.append('\n')
                        .append(trigger + " " + build + "\n")
                        .append(on.get(path + "/consoleText").body())
                        .append(on.get("ha/item/" + item + "/api/json").body());
            }
        }
        return all.toString();
    }

    /**
     * A Pipeline goes on elsewhere when its controller dies, or when that is back: it has one build
     * that comes to an end of its own. One whose controller is killed in its first moments is
     * aborted and runs again, or fails as on any Jenkins.
     */
    private void checkPipelines(List<Controller> controllers) {
        List<JsonNode> seen = builds(controllers.get(0).client(), PIPE);
        assertAllShow(controllers, PIPE, seen);
        Map<String, Integer> count = new TreeMap<>();
        Map<String, Integer> results = new TreeMap<>();
        for (JsonNode build : seen) {
            if (!build.path("result").asText().equals("ABORTED")) {
                count.merge(build.findValue("value").asText(), 1, Integer::sum);
            }
            results.merge(build.path("result").asText(), 1, Integer::sum);
        }
        Map<String, Integer> once = new TreeMap<>();
        accepted.forEach(
                (trigger, job) -> {
                    if (job.equals(PIPE)) {
                        once.put(trigger, 1);
                    }
                });
        results.forEach((result, n) -> figure("chaos.pipelines." + result, n, "builds"));
        assertEquals(
                once,
                count,
                () ->
                        "each trigger of the Pipeline has one build"
                                + evidence(
                                        controllers.get(0).client(),
                                        trigger ->
                                                !Objects.equals(
                                                        once.get(trigger), count.get(trigger))));
    }

    /** However its builds came, no two that came to their own end ran at once. */
    private static void checkTurns(JenkinsClient on) {
        List<JsonNode> builds = new ArrayList<>();
        on.json("job/" + TURNS + "/api/json?tree=allBuilds[number,result,timestamp,duration]")
                .path("allBuilds")
                .forEach(
                        build -> {
                            if (build.path("result").asText().equals("SUCCESS")) {
                                builds.add(build);
                            }
                        });
        builds.sort(Comparator.comparingLong(build -> build.path("timestamp").asLong()));
        figure("chaos.turns", builds.size(), "builds");
        for (int i = 1; i < builds.size(); i++) {
            JsonNode before = builds.get(i - 1);
            long end = before.path("timestamp").asLong() + before.path("duration").asLong();
            assertTrue(
                    builds.get(i).path("timestamp").asLong() >= end,
                    before + " and " + builds.get(i) + " ran at once");
        }
    }

    private static void assertAllShow(
            List<Controller> controllers, String job, List<JsonNode> seen) {
        for (Controller other : controllers) {
            Eventually.until(
                    other.name() + " shows the same builds of " + job,
                    TwoControllers.SOON,
                    () -> builds(other.client(), job).toString().equals(seen.toString()));
        }
    }

    private static List<JsonNode> builds(JenkinsClient on, String job) {
        List<JsonNode> result = new ArrayList<>();
        on.json(
                        "job/"
                                + job
                                + "/api/json?tree=allBuilds[number,result,building,actions[parameters[value]]]")
                .path("allBuilds")
                .forEach(result::add);
        return result;
    }
}
