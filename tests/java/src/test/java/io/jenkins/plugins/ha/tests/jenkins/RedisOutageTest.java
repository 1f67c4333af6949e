package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.builtPerParameter;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.RedisServer;
import io.jenkins.plugins.ha.stage.Stage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Redis away: before, while and after there is work. */
class RedisOutageTest {
    private static final Duration LONG = Duration.ofMinutes(4);
    private static final int TRIGGERS = 300;
    private static final String BANNER = "cut off from the cluster's queue just now";

    @Test
    void restartedInTheMiddleOf300BuildsEveryTriggerHasExactlyOneBuild() {
        try (TwoControllers two = TwoControllers.start("redis-restart", 4)) {
            JenkinsClient a = two.a();
            JenkinsClient b = two.b();
            RedisServer redis = two.stage().redis();
            two.createJob(
                    "many", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
            two.createJob("single", new FreestyleJob().parameter("P").shell("true").xml());
            Map<Long, String> accepted = new TreeMap<>();
            Map<Long, JenkinsClient> by = new HashMap<>();
            long slowest = 0;
            long down = 0;
            for (int i = 0; i < TRIGGERS; i++) {
                if (i == TRIGGERS / 3) {
                    redis.kill9();
                    down = System.nanoTime();
                }
                if (i == TRIGGERS / 2) {
                    // A whole lease and more: nobody may be taken for dead afterwards.
                    long rest = 8000 - (System.nanoTime() - down) / 1_000_000;
                    sleep(Math.max(0, rest));
                    redis.start();
                    figure("outage.lasted", (System.nanoTime() - down) / 1e9, "s");
                    down = System.nanoTime();
                }
                JenkinsClient to = i % 2 == 0 ? a : b;
                String job = i % 10 == 0 ? "single" : "many";
                long before = System.nanoTime();
                long id = to.trigger(job, Map.of("P", job + i));
                slowest = Math.max(slowest, System.nanoTime() - before);
                assertEquals(null, accepted.put(id, job), "queue id " + id + " is given twice");
                by.put(id, to);
            }
            figure("outage.slowest_trigger", slowest / 1e9, "s");
            Map<String, Set<Integer>> numbers = new HashMap<>();
            accepted.forEach(
                    (id, job) -> {
                        int number = by.get(id).awaitBuildNumber(id, LONG);
                        assertTrue(
                                numbers.computeIfAbsent(job, j -> new HashSet<>()).add(number),
                                job + " #" + number + " is the build of two triggers");
                        assertEquals("SUCCESS", by.get(id).awaitResult(job, number, LONG));
                    });
            figure("outage.all_done_after_redis_is_back", (System.nanoTime() - down) / 1e9, "s");
            for (String job : List.of("many", "single")) {
                for (JenkinsClient on : List.of(a, b)) {
                    Map<String, Integer> built = builtPerParameter(on, job);
                    assertEquals(numbers.get(job).size(), built.size(), on.url() + " " + job);
                    assertTrue(built.values().stream().allMatch(n -> n == 1), built::toString);
                }
            }
            assertEquals(TRIGGERS, accepted.size());
            for (JenkinsClient on : List.of(a, b)) {
                Eventually.until(
                        "the queue of " + on.url() + " is empty",
                        TwoControllers.SOON,
                        () -> on.queue().path("items").isEmpty());
                assertEquals("", SingleController.warning(on));
            }
        }
    }

    @Test
    void anOutageCostsNeitherTimeNorLog() {
        try (TwoControllers two = TwoControllers.start("redis-outage", 2)) {
            RedisServer redis = two.stage().redis();
            two.createJob(
                    "kept", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
            outage(two, "killed", redis::kill9, redis::start);
            outage(two, "stalled", redis::pause, redis::resume);
        }
    }

    @Test
    void aBuildThatWasAboutToStartIsNotLost() {
        try (TwoControllers two = TwoControllers.start("redis-stall", 2)) {
            JenkinsClient a = two.a();
            RedisServer redis = two.stage().redis();
            two.createJob("travels", new FreestyleJob().shell("true").xml());
            two.createJob("tied", FileParameter.job("cat upload.txt"));
            for (int round = 1; round <= 3; round++) {
                int number = round;
                // Redis stalls before anybody notices: the build is given an executor all the same.
                long id = a.trigger("travels");
                redis.pause();
                assertEquals(201, FileParameter.trigger(a, "tied", "content " + round, 0));
                sleep(6000);
                redis.resume();
                // A number may be left out: Redis may have counted without our hearing of it.
                int travelled = a.awaitBuildNumber(id, LONG);
                assertEquals("SUCCESS", a.awaitResult("travels", travelled, LONG));
                assertEquals(round, a.job("travels").path("builds").size());
                Eventually.until(
                        "the tied build " + number + " has run",
                        TwoControllers.SOON,
                        () -> a.job("tied").path("builds").size() == number);
                int tied = TwoControllers.permalink(a, "tied", "lastBuild");
                assertEquals("SUCCESS", a.awaitResult("tied", tied, LONG));
                assertTrue(a.console("tied", tied).contains("content " + round));
            }
        }
    }

    private static void outage(TwoControllers two, String how, Runnable begin, Runnable end) {
        List<Controller> controllers = List.of(two.controller("a"), two.controller("b"));
        sleep(3000);
        begin.run();
        long[] cpu = controllers.stream().mapToLong(c -> Processes.cpuMillis(c.pid())).toArray();
        long[] lines = controllers.stream().mapToLong(c -> c.logText().lines().count()).toArray();
        sleep(10_000);
        for (int i = 0; i < 2; i++) {
            Controller controller = controllers.get(i);
            long used = Processes.cpuMillis(controller.pid()) - cpu[i];
            long logged = controller.logText().lines().count() - lines[i];
            figure("outage." + how + ".cpu_in_10_s." + controller.name(), used, "ms");
            figure("outage." + how + ".log_lines_in_10_s." + controller.name(), logged, "lines");
            assertTrue(used < 1500, controller.name() + " used " + used + " ms in 10 s");
            assertTrue(logged <= 12, controller.name() + " logged " + logged + " lines in 10 s");
            String warning = SingleController.warning(controller.client());
            assertTrue(warning.contains("does not answer"), warning);
            assertTrue(controller.client().text("job/kept/").contains(BANNER), "the page says so");
        }
        // Pages and triggers go on, and what is triggered is kept.
        JenkinsClient a = two.a();
        long before = System.nanoTime();
        a.queue();
        a.text("job/kept/");
        figure("outage." + how + ".pages", (System.nanoTime() - before) / 1e9, "s");
        before = System.nanoTime();
        long id = a.trigger("kept", Map.of("P", how));
        double seconds = (System.nanoTime() - before) / 1e9;
        figure("outage." + how + ".trigger", seconds, "s");
        assertTrue(seconds < 5, "a trigger takes " + seconds + " s");
        assertEquals(id, a.queueItem(id).orElseThrow().path("id").asLong());

        end.run();
        before = System.nanoTime();
        for (Controller controller : controllers) {
            Eventually.until(
                    controller.name() + " is a member again",
                    TwoControllers.SOON,
                    () -> SingleController.warning(controller.client()).isEmpty());
            assertFalse(controller.client().text("job/kept/").contains(BANNER));
        }
        figure("outage." + how + ".joined_again", (System.nanoTime() - before) / 1e9, "s");
        int number = a.awaitBuildNumber(id, LONG);
        figure("outage." + how + ".kept_build_started", (System.nanoTime() - before) / 1e9, "s");
        assertEquals("SUCCESS", two.b().awaitResult("kept", number, LONG));
        assertEquals(1, builtPerParameter(two.b(), "kept").get(how));
    }

    @Test
    void awayAtBootTheControllerWaitsComesUpKeepsAndJoins() {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("redis-boot")) {
            JenkinsController controller = stage.addJenkins(war, "a");
            controller.start();
            long started = System.nanoTime();
            JenkinsClient client = SingleController.up(controller);
            figure("boot.up_without_redis", (System.nanoTime() - started) / 1e9, "s");
            String log = controller.logText();
            long waiting =
                    log.lines().filter(l -> l.contains("is it running? Waiting for it.")).count();
            assertTrue(waiting >= 2 && waiting <= 8, waiting + " lines:\n" + log);
            assertTrue(log.contains("Coming up without it: no builds are taken or run"), log);
            String warning = SingleController.warning(client);
            assertTrue(warning.contains("connection refused"), warning);
            assertTrue(client.text("manage/").contains("connection refused"));

            client.createJob(
                    "early", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
            client.createJob("tied", FileParameter.job("cat upload.txt"));
            long first = onDiskBeforeItIsAnswered(stage, controller);
            long second = client.trigger("early", Map.of("P", "two"));
            assertEquals(201, FileParameter.trigger(client, "tied", "mine", 0));
            for (long id : List.of(first, second)) {
                JsonNode item = client.queueItem(id).orElseThrow();
                assertEquals("early", item.path("task").path("name").asText());
            }
            sleep(5000);
            assertEquals(3, client.queue().path("items").size());
            assertEquals(0, client.job("early").path("builds").size());
            assertEquals(0, client.job("tied").path("builds").size());

            // What the others would have to hear of is not done by half.
            String cancel = "queue/cancelItem?id=" + first;
            assertEquals(503, client.post(cancel, Map.of()).statusCode());
            Map<String, String> late = Map.of("newName", "late");
            assertEquals(503, client.post("job/early/confirmRename", late).statusCode());

            // What was accepted outlives the controller too.
            controller.kill9();
            SingleController.up(controller);
            for (long id : List.of(first, second)) {
                assertTrue(client.queueItem(id).isPresent(), "item " + id + " is shown");
            }
            assertEquals(0, client.job("early").path("builds").size());

            stage.redis().start();
            long back = System.nanoTime();
            Eventually.until(
                    "it is a member",
                    TwoControllers.SOON,
                    () -> SingleController.warning(client).isEmpty());
            figure("boot.joined_after_redis_came", (System.nanoTime() - back) / 1e9, "s");
            Eventually.until(
                    "what was accepted runs",
                    TwoControllers.SOON,
                    () -> builtPerParameter(client, "early").size() == 2);
            figure("boot.kept_builds_ran", (System.nanoTime() - back) / 1e9, "s");
            assertEquals(Map.of("one", 1, "two", 1), builtPerParameter(client, "early"));
            assertEquals("SUCCESS", client.awaitResult("early", 2, TwoControllers.SOON));
            long next = client.trigger("early", Map.of("P", "three"));
            assertTrue(next < 1L << 31, "queue id " + next);
            assertEquals(3, client.awaitBuildNumber(next, TwoControllers.SOON));
        }
    }

    /** A power cut after the answer loses neither the file nor what it is called. */
    private static long onDiskBeforeItIsAnswered(Stage stage, JenkinsController controller) {
        Optional<SystemCalls> calls = SystemCalls.of(controller, stage.root().resolve("calls"));
        long id = controller.client().trigger("early", Map.of("P", "one"));
        if (calls.isEmpty()) {
            System.out.println("Not looked at, for want of strace: what is synced to the disk");
            return id;
        }
        List<String> made = calls.get().stop();
        Path folder = controller.home().resolve("ha-jenkins/outbox");
        int file = SystemCalls.first(made, "fsync|fdatasync", folder + "/");
        int name = SystemCalls.first(made, "fsync|fdatasync", folder + ">");
        int answer = SystemCalls.first(made, "write|writev|sendto|sendmsg", "201 Created");
        assertTrue(
                file >= 0 && name >= 0 && Math.max(file, name) < answer,
                () -> String.join("\n", made));
        return id;
    }

    @Test
    void aWrongPasswordIsToldAndMended() {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("redis-password")) {
            RedisServer redis = stage.redis().password("the right one").start();
            JenkinsController controller = stage.addJenkins(war, "a");
            controller.cluster(stage.cluster(), "redis://127.0.0.1:" + redis.port());
            controller.environment("HA_JENKINS_REDIS_PASSWORD", "the wrong one");
            long started = System.nanoTime();
            JenkinsClient client = SingleController.up(controller);
            figure("boot.up_with_wrong_password", (System.nanoTime() - started) / 1e9, "s");
            String sentence =
                    "refused the password: change it in the environment variable"
                            + " HA_JENKINS_REDIS_PASSWORD";
            String log = controller.logText();
            assertTrue(log.contains(sentence), log);
            assertTrue(SingleController.warning(client).contains(sentence));
            assertTrue(
                    client.text("manage/").replace("&gt;", ">").contains(sentence),
                    "the monitor is shown");
            client.createJob("waits", new FreestyleJob().shell("true").xml());
            long id = client.trigger("waits");
            long lines = controller.logText().lines().count();
            sleep(10_000);
            long logged = controller.logText().lines().count() - lines;
            figure("wrong_password.log_lines_in_10_s", logged, "lines");
            assertTrue(logged <= 6, controller.logText());
            assertEquals(0, client.job("waits").path("builds").size());
            for (String secret : List.of("the right one", "the wrong one")) {
                assertTrue(!controller.logText().contains(secret), secret + " is in the log");
            }

            redis.call("CONFIG", "SET", "requirepass", "the wrong one");
            long mended = System.nanoTime();
            assertEquals(1, client.awaitBuildNumber(id, TwoControllers.SOON));
            figure("wrong_password.built_after_mending", (System.nanoTime() - mended) / 1e9, "s");
            assertEquals("", SingleController.warning(client));
            redis.password("the wrong one");
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
