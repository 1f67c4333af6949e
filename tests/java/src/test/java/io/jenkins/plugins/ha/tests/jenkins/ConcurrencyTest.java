package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A job that forbids concurrent builds runs once in the cluster; one that allows them, everywhere.
 */
class ConcurrencyTest {
    private static final Duration LONG = Duration.ofMinutes(4);
    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        List<String> plugins = new ArrayList<>(List.of(SecuredPair.PIPELINES));
        plugins.add("pipeline-build-step");
        pair = SecuredPair.open("concurrency", plugins.toArray(new String[0]));
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
    void aJobThatForbidsItNeverRunsTwiceAtOnce() {
        pair.createJob(
                "alone", new FreestyleJob().parameter("P").shell(exclusive("freestyle")).xml());
        assertEquals(20, allSucceed("alone", 20).values().stream().mapToInt(n -> n).sum());
    }

    @Test
    void aPipelineThatForbidsItNeverRunsTwiceAtOnce() {
        pair.createJob(
                "alone pipe",
                JobXml.pipeline(
                        "node { sh '" + exclusive("pipeline").replace("\n", "\\n") + "' }",
                        JobXml.oneAtATime(false)));
        assertEquals(10, allSucceed("alone pipe", 10).values().stream().mapToInt(n -> n).sum());
    }

    @Test
    void aJobThatAllowsItRunsOnBothAtOnce() {
        Path meeting = pair.stage.root().resolve("meeting");
        pair.createJob(
                "together",
                new FreestyleJob()
                        .concurrent()
                        .parameter("P")
                        .shell(
                                """
                                mkdir -p "%1$s"; touch "%1$s/$P"
                                for i in $(seq 600); do [ $(ls "%1$s" | wc -l) = 4 ] && exit 0; sleep 0.1; done
                                exit 1
                                """
                                        .formatted(meeting))
                        .xml());
        Map<String, Integer> shares = allSucceed("together", 4);
        // Two executors each: all four at once is both controllers.
        assertEquals(Map.of("a", 2, "b", 2), shares);
    }

    @Test
    void aBuildTiedToOneControllerWaitsForTheOneOnTheOther() {
        pair.createJob("tied", FileParameter.job("sleep 3"));
        pair.takes(false, true);
        long travels = pair.onA.trigger("tied", Map.of());
        int first = pair.onA.awaitBuildNumber(travels, SecuredPair.SOON);
        pair.onA.awaitBuild(
                "tied", first, "runs", SecuredPair.SOON, x -> x.path("building").asBoolean());
        assertEquals(201, FileParameter.trigger(pair.onA, "tied", "content", 0));
        pair.onA.awaitResult("tied", first, SecuredPair.SOON);
        assertEquals("SUCCESS", pair.onA.awaitResult("tied", first + 1, SecuredPair.SOON));
        JsonNode second = pair.onB.build("tied", first + 1).orElseThrow();
        assertEquals("a", JenkinsClient.controllerOf(second));
        JsonNode earlier = pair.onB.build("tied", first).orElseThrow();
        assertTrue(
                second.path("timestamp").asLong()
                        >= earlier.path("timestamp").asLong() + earlier.path("duration").asLong());
    }

    @Test
    void buildsThatStayOnTheirControllersTakeTurnsWithThoseThatTravel() {
        pair.createJob("turns", FileParameter.job(exclusive("turns")));
        for (int i = 0; i < 12; i++) {
            JenkinsClient on = i % 2 == 0 ? pair.onA : pair.onB;
            assertEquals(201, FileParameter.trigger(on, "turns", "content " + i, 0));
            if (i % 3 == 0) {
                // folded into one that waits
                on.post("job/turns/buildWithParameters", Map.of());
            }
        }
        List<JsonNode> builds = allEnded("turns", 13);
        for (JsonNode build : builds) {
            int number = build.path("number").asInt();
            assertEquals(
                    "SUCCESS",
                    build.path("result").asText(),
                    () -> pair.onA.console("turns", number));
        }
    }

    @Test
    void buildStepsOfTwoControllersTakeTurnsInAJobAndInAPipeline() {
        pair.createJob("child", new FreestyleJob().parameter("P").shell(exclusive("child")).xml());
        pair.createJob(
                "child pipe",
                JobXml.pipeline(
                        "node { sh '" + exclusive("child-pipe").replace("\n", "\\n") + "' }",
                        JobXml.oneAtATime(false)));
        String properties = JobXml.oneAtATime(false);
        String parameters =
                properties.substring(
                        properties.indexOf("<hudson.model.ParametersDefinitionProperty>"));
        pair.createJob(
                "parent",
                JobXml.pipeline(
                        "build job: 'child', parameters: [string(name: 'P', value: params.P)]\n"
                                + "build job: 'child pipe', parameters: [string(name: 'P', value:"
                                + " params.P)]",
                        parameters));
        for (String job : List.of("parent", "child", "child pipe")) {
            for (int i = 0; i < 6; i++) {
                (i % 2 == 0 ? pair.onA : pair.onB)
                        .trigger(job, Map.of("P", job.charAt(0) + "v" + i));
            }
        }
        for (String job : List.of("parent", "child", "child pipe")) {
            int expected = job.equals("parent") ? 6 : 12;
            List<JsonNode> builds = allEnded(job, expected);
            assertEquals(expected, builds.size(), job);
            for (JsonNode build : builds) {
                int number = build.path("number").asInt();
                assertEquals(
                        "SUCCESS",
                        build.path("result").asText(),
                        () -> job + ": " + pair.onA.console(job, number));
            }
        }
    }

    @Test
    void aNewerBuildAbortsTheOlderOneOnTheOtherController() {
        pair.createJob(
                "newest",
                JobXml.pipeline(
                        "echo \"begun ${params.P}\"\nif (params.P == 'old') { sleep 600 }",
                        JobXml.oneAtATime(true)));
        pair.takes(false, true);
        int old =
                pair.onA.awaitBuildNumber(
                        pair.onA.trigger("newest", Map.of("P", "old")), SecuredPair.SOON);
        pair.onA.awaitBuild(
                "newest", old, "runs", SecuredPair.SOON, x -> x.path("building").asBoolean());
        Eventually.until(
                "it sleeps",
                SecuredPair.SOON,
                () -> pair.onA.console("newest", old).contains("Sleeping for"));
        pair.takes(true, false);
        int newer =
                pair.onA.awaitBuildNumber(
                        pair.onA.trigger("newest", Map.of("P", "new")), SecuredPair.SOON);
        assertEquals("SUCCESS", pair.onB.awaitResult("newest", newer, SecuredPair.SOON));
        assertEquals("NOT_BUILT", pair.onA.awaitResult("newest", old, SecuredPair.SOON));
        assertTrue(pair.onA.console("newest", old).contains("Superseded by"));
    }

    // ---- below

    /**
     * All builds, once nothing waits and none runs.
     *
     * @param least what has left the queue is no build yet for a moment
     */
    private static List<JsonNode> allEnded(String job, int least) {
        String tree = "api/json?tree=allBuilds[number,building,result]";
        return Eventually.get(
                "all builds of " + job + " have ended",
                LONG,
                () -> {
                    for (JenkinsClient on : List.of(pair.onA, pair.onB)) {
                        if (!on.queue().path("items").isEmpty()) {
                            return Optional.empty();
                        }
                    }
                    List<JsonNode> builds =
                            SecuredPair.list(
                                    pair.onA
                                            .json(JenkinsClient.jobPath(job) + tree)
                                            .path("allBuilds"));
                    return builds.size() < least
                                    || builds.stream().anyMatch(x -> x.path("building").asBoolean())
                            ? Optional.empty()
                            : Optional.of(builds);
                });
    }

    /** Fails when it meets another build of its job. */
    private static String exclusive(String name) {
        Path lock = pair.stage.root().resolve("lock-" + name);
        return "mkdir \"" + lock + "\" || exit 1\nsleep 0.3\nrmdir \"" + lock + "\"";
    }

    /** Triggers builds with different parameters on both; how many ran where. */
    private static Map<String, Integer> allSucceed(String job, int count) {
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ids.add((i % 2 == 0 ? pair.onA : pair.onB).trigger(job, Map.of("P", "v" + i)));
        }
        Map<String, Integer> shares = new TreeMap<>();
        for (long id : ids) {
            int number = pair.onA.awaitBuildNumber(id, LONG);
            assertEquals(
                    "SUCCESS",
                    pair.onB.awaitResult(job, number, LONG),
                    () -> pair.onB.console(job, number));
            shares.merge(
                    JenkinsClient.controllerOf(pair.onB.build(job, number).orElseThrow()),
                    1,
                    Integer::sum);
        }
        SecuredPair.figure("shares-of-" + job.replace(' ', '-'), shares);
        return shares;
    }
}
