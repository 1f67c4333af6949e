package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.builtPerParameter;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.RedisSentinel;
import io.jenkins.plugins.ha.stage.RedisServer;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The primary of two Redis dies, and Sentinel promotes its replica. */
class FailoverTest {
    private static final Duration LONG = Duration.ofMinutes(3);

    @TempDir private Path folder;

    private RedisServer replica;
    private RedisSentinel sentinel;

    private record Asked(String job, long id, JenkinsClient by) {}

    @AfterEach
    void stop() {
        if (sentinel != null) {
            sentinel.close();
        }
        if (replica != null) {
            replica.close();
        }
    }

    @Test
    void whatRunsGoesOnAndEveryTriggerHasExactlyOneBuildOnThePromotedReplica() {
        try (TwoControllers two =
                TwoControllers.start(
                        "failover",
                        3,
                        (stage, controller) -> {
                            watch(stage.redis());
                            controller.cluster(stage.cluster(), sentinel.url());
                        })) {
            two.createJob(
                    "long", new FreestyleJob().concurrent().parameter("P").shell("sleep 20").xml());
            two.createJob(
                    "short",
                    new FreestyleJob().concurrent().parameter("P").shell("sleep 0.3").xml());
            two.createJob("single", new FreestyleJob().parameter("P").shell("sleep 1").xml());
            List<Asked> asked = new ArrayList<>();
            ask(two, asked, "long", 2);
            for (int number = 1; number <= 2; number++) {
                TwoControllers.awaitRunning(two.a(), "long", number);
            }
            ask(two, asked, "single", 4);
            ask(two, asked, "short", 10);

            two.stage().redis().kill9();

            long killed = System.nanoTime();
            ask(two, asked, "short", 6); // accepted all the same
            Eventually.until(
                    "the replica is promoted",
                    TwoControllers.SOON,
                    () -> sentinel.primaryPort() == replica.port());
            figure("failover.promoted", (System.nanoTime() - killed) / 1e9, "s");
            for (JenkinsClient on : List.of(two.a(), two.b())) {
                Eventually.until(on.url() + " is in it", TwoControllers.SOON, () -> healthy(on));
            }
            figure("failover.both_members_again", (System.nanoTime() - killed) / 1e9, "s");
            ask(two, asked, "short", 4);
            for (Asked one : asked) {
                int number = one.by.awaitBuildNumber(one.id, LONG);
                assertEquals("SUCCESS", one.by.awaitResult(one.job, number, LONG), one.toString());
            }
            figure("failover.all_built", (System.nanoTime() - killed) / 1e9, "s");
            for (JenkinsClient on : List.of(two.a(), two.b())) {
                for (String job : List.of("long", "single", "short")) {
                    long triggers = asked.stream().filter(one -> one.job.equals(job)).count();
                    Map<String, Integer> built = builtPerParameter(on, job);
                    assertEquals(triggers, built.size(), on.url() + " " + built);
                    assertTrue(built.values().stream().allMatch(n -> n == 1), built::toString);
                }
            }

            // Back as a replica, it is good for the next time.
            two.stage().redis().start();
            Eventually.until(
                    "the old primary follows the new one",
                    TwoControllers.SOON,
                    () -> replica.call("WAIT", "1", "100").equals(1L));
            ask(two, asked, "short", 1);
            Asked last = asked.get(asked.size() - 1);
            int number = last.by.awaitBuildNumber(last.id, LONG);
            assertEquals("SUCCESS", two.b().awaitResult("short", number, LONG));
        }
    }

    private void watch(RedisServer primary) {
        if (sentinel != null) {
            return;
        }
        replica =
                new RedisServer(folder.resolve("replica"))
                        .setting("replicaof", "127.0.0.1 " + primary.port())
                        .start();
        Eventually.until(
                "it replicates",
                TwoControllers.SOON,
                () -> primary.call("WAIT", "1", "100").equals(1L));
        sentinel = RedisSentinel.start(folder.resolve("sentinel"), primary);
    }

    private static boolean healthy(JenkinsClient on) {
        try {
            return on.get("ha-health/").statusCode() == 200;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    private static void ask(TwoControllers two, List<Asked> asked, String job, int times) {
        for (int i = 0; i < times; i++) {
            JenkinsClient by = i % 2 == 0 ? two.a() : two.b();
            asked.add(new Asked(job, by.trigger(job, Map.of("P", job + asked.size())), by));
        }
    }
}
