package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.builtPerParameter;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Redis loses everything while there is work. */
class RedisLossTest {
    private static final Duration LONG = Duration.ofMinutes(3);

    /** A trigger: its job, the value of its parameter, its queue id, and who was asked. */
    private record Asked(String job, String value, long id, JenkinsClient by) {}

    @Test
    void emptiedWhileBuildsWaitAndRunEveryTriggerHasExactlyOneBuild() {
        try (TwoControllers two = TwoControllers.start("redis-loss", 2)) {
            String sleep = "sleep 12; echo done";
            two.createJob(
                    "long", new FreestyleJob().concurrent().parameter("P").shell(sleep).xml());
            two.createJob(
                    "short", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
            two.createJob("single", new FreestyleJob().parameter("P").shell("sleep 1").xml());
            two.createJob(
                    "quiet", new FreestyleJob().parameter("P").quietSeconds(9).shell("true").xml());
            List<Asked> asked = new ArrayList<>();
            ask(two, asked, "short", 3); // with an end before
            asked.forEach(one -> one.by.awaitBuildNumber(one.id, LONG));
            ask(two, asked, "long", 4);
            for (int number = 1; number <= 4; number++) {
                TwoControllers.awaitRunning(two.a(), "long", number);
            }
            ask(two, asked, "single", 4);
            ask(two, asked, "short", 6);
            ask(two, asked, "quiet", 2);

            two.stage().redis().flush();

            long flushed = System.nanoTime();
            ask(two, asked, "short", 4); // accepted all the same
            for (JenkinsClient on : List.of(two.a(), two.b())) {
                Eventually.until(
                        on.url() + " tells of the loss",
                        TwoControllers.SOON,
                        () -> SingleController.warning(on).contains("was emptied"));
            }
            figure("loss.told", (System.nanoTime() - flushed) / 1e9, "s");
            for (int number = 1; number <= 4; number++) {
                assertTrue(
                        two.b().build("long", number).orElseThrow().path("building").asBoolean(),
                        "what runs goes on");
            }
            Map<String, Set<Integer>> numbers = new HashMap<>();
            for (Asked one : asked) {
                int number = one.by.awaitBuildNumber(one.id, LONG);
                assertTrue(
                        numbers.computeIfAbsent(one.job, j -> new HashSet<>()).add(number),
                        one.job + " #" + number + " is the build of two triggers");
                assertEquals("SUCCESS", one.by.awaitResult(one.job, number, LONG), one.toString());
            }
            figure("loss.all_built", (System.nanoTime() - flushed) / 1e9, "s");
            for (JenkinsClient on : List.of(two.a(), two.b())) {
                Eventually.until(
                        "the queue of " + on.url() + " is empty",
                        TwoControllers.SOON,
                        () -> on.queue().path("items").isEmpty());
                for (String job : numbers.keySet()) {
                    Map<String, Integer> built = builtPerParameter(on, job);
                    assertEquals(numbers.get(job).size(), built.size(), on.url() + " " + built);
                    assertTrue(built.values().stream().allMatch(n -> n == 1), built::toString);
                }
            }
        }
    }

    private static void ask(TwoControllers two, List<Asked> asked, String job, int times) {
        for (int i = 0; i < times; i++) {
            JenkinsClient by = i % 2 == 0 ? two.a() : two.b();
            String value = job + asked.size();
            asked.add(new Asked(job, value, by.trigger(job, Map.of("P", value)), by));
        }
    }
}
