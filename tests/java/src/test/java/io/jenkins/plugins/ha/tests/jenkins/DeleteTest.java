package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A build that ran on B is deleted on A, and stays deleted. */
class DeleteTest {
    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        pair = SecuredPair.open("delete", SecuredPair.PIPELINES);
        pair.takes(false, true);
    }

    @AfterEach
    void tidy() {
        pair.tidy(false, true);
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void aDeletedBuildIsGoneOnBothAndItsNumberIsNotUsedAgain() {
        for (String job : List.of("free", "pipe")) {
            pair.createJob(
                    job,
                    job.equals("free")
                            ? new FreestyleJob().xml()
                            : JobXml.pipeline("echo 'hello'"));
            List<Long> times = new ArrayList<>();
            for (int i = 1; i <= 3; i++) {
                assertEquals(i, ran(job));
            }
            // The first, never looked at on A beyond its list; the last; all that is left.
            for (int number : new int[] {1, 3, 2}) {
                times.add(deleted(job, number));
            }
            for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
                assertEquals(0, client.job(job).path("builds").size());
                assertTrue(client.job(job).path("lastBuild").isNull());
                assertTrue(client.job(job).path("lastSuccessfulBuild").isNull());
            }
            assertEquals(4, ran(job));
            times.add(deleted(job, 4));
            // The other one counts on as well.
            pair.takes(true, false);
            assertEquals(5, ran(job));
            times.add(deleted(job, 5));
            pair.takes(false, true);
            assertEquals(6, ran(job));
            SecuredPair.figure("delete-on-A-gone-on-both-ms " + job, times);
        }
    }

    @Test
    void numbersOfDeletedBuildsAreNotUsedAgainAfterARestart() {
        pair.createJob("counts", new FreestyleJob().xml());
        assertEquals(1, ran("counts"));
        assertEquals(2, ran("counts"));
        deleted("counts", 2);
        for (JenkinsController controller : List.of(pair.a, pair.b)) {
            controller.stop();
            controller.start();
            controller.awaitUp(io.jenkins.plugins.ha.stage.Stage.UP);
        }
        pair.stage.awaitMembers(2, SecuredPair.SOON);
        pair.takes(false, true);
        assertEquals(3, ran("counts"));
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertTrue(client.build("counts", 2).isEmpty());
            assertEquals(2, client.job("counts").path("builds").size());
        }
    }

    @Test
    void aRunningBuildIsNotDeleted() {
        pair.createJob("runs", new FreestyleJob().shell("sleep 600").xml());
        int number = pair.running("runs");
        String path = "job/runs/" + number + "/doDelete";
        int onB = SecuredPair.as(pair.b, "alice").post(path, Map.of()).statusCode();
        var answer = SecuredPair.as(pair.a, "alice").post(path, Map.of());
        assertEquals(onB, answer.statusCode());
        assertTrue(answer.body().contains("still running"), answer.body());
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertTrue(client.build("runs", number).orElseThrow().path("building").asBoolean());
        }
        assertTrue(Files.isDirectory(pair.builds("runs").resolve(Integer.toString(number))));
        pair.onA.stop("runs", number);
        pair.onB.awaitResult("runs", number, SecuredPair.SOON);
        pair.onA.awaitResult("runs", number, SecuredPair.SOON);
        deleted("runs", number);
    }

    @Test
    void whoMayNotDeleteDeletesNothing() {
        pair.createJob("kept", new FreestyleJob().xml());
        int number = ran("kept");
        String path = "job/kept/" + number + "/doDelete";
        assertEquals(403, SecuredPair.as(pair.a, "bob").post(path, Map.of()).statusCode());
        assertEquals(404, SecuredPair.as(pair.a, "eve").post(path, Map.of()).statusCode());
        assertEquals(403, SecuredPair.send(pair.a, "POST", "alice", path).statusCode());
        assertEquals(405, SecuredPair.send(pair.a, "GET", "alice", path).statusCode());
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertTrue(client.build("kept", number).isPresent());
        }
    }

    @Test
    void deletedOnBothAtOnceItIsGone() {
        pair.createJob("twice", new FreestyleJob().xml());
        for (int i = 1; i <= 5; i++) {
            int number = ran("twice");
            assertEquals(i, number);
            CompletableFuture<Integer> left =
                    CompletableFuture.supplyAsync(() -> pair.onA.deleteBuild("twice", number));
            CompletableFuture<Integer> right =
                    CompletableFuture.supplyAsync(() -> pair.onB.deleteBuild("twice", number));
            // One of them may find nothing, or a folder that vanishes under its hands.
            assertTrue(left.join() == 302 || right.join() == 302, left.join() + " " + right.join());
            awaitGone("twice", number);
        }
    }

    @Test
    void theCommandLineDeletesBuildsOfAnyController() {
        pair.createJob("cli", new FreestyleJob().xml());
        for (int i = 1; i <= 4; i++) {
            pair.takes(i % 2 == 0, i % 2 == 1);
            assertEquals(i, ran("cli"));
        }
        JenkinsClient.CliRun run =
                SecuredPair.as(pair.a, "alice")
                        .cli(pair.stage.root().resolve("cli"), "delete-builds", "cli", "1-3");
        assertEquals(0, run.await(SecuredPair.SOON), run.output());
        assertTrue(run.output().contains("Deleted 3 builds"), run.output());
        for (int i = 1; i <= 3; i++) {
            awaitGone("cli", i);
        }
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals(4, client.job("cli").path("lastBuild").path("number").asInt());
        }
    }

    @Test
    void oldBuildsAreDiscardedWhoeverRanThem() {
        pair.createJob(
                "few",
                new FreestyleJob()
                        .property(
                                "<jenkins.model.BuildDiscarderProperty><strategy"
                                        + " class=\"hudson.tasks.LogRotator\">"
                                        + "<daysToKeep>-1</daysToKeep><numToKeep>2</numToKeep>"
                                        + "<artifactDaysToKeep>-1</artifactDaysToKeep>"
                                        + "<artifactNumToKeep>-1</artifactNumToKeep></strategy>"
                                        + "</jenkins.model.BuildDiscarderProperty>")
                        .xml());
        for (int i = 1; i <= 6; i++) {
            pair.takes(i % 2 == 0, i % 2 == 1);
            assertEquals(i, ran("few"));
        }
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            Eventually.until(
                    "two builds are left on " + client.url(),
                    SecuredPair.SOON,
                    () -> numbers(client, "few").equals(List.of(6, 5)));
        }
        for (int i = 1; i <= 4; i++) {
            awaitGone("few", i);
        }
    }

    // ---- below

    /** Runs a build; both controllers know its end when this returns. */
    private static int ran(String job) {
        long id = pair.onA.trigger(job);
        int number = pair.onA.awaitBuildNumber(id, SecuredPair.SOON);
        assertEquals("SUCCESS", pair.onB.awaitResult(job, number, SecuredPair.SOON));
        assertEquals("SUCCESS", pair.onA.awaitResult(job, number, SecuredPair.SOON));
        return number;
    }

    private static long deleted(String job, int number) {
        long start = System.nanoTime();
        assertEquals(302, SecuredPair.as(pair.a, "alice").deleteBuild(job, number));
        awaitGone(job, number);
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis < SecuredPair.AT_ONCE.toMillis(), millis + " ms");
        return millis;
    }

    private static void awaitGone(String job, int number) {
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            Eventually.until(
                    job + " #" + number + " is gone from " + client.url(),
                    SecuredPair.SOON,
                    () ->
                            client.build(job, number).isEmpty()
                                    && !numbers(client, job).contains(number));
        }
        assertFalse(Files.exists(pair.builds(job).resolve(Integer.toString(number))));
    }

    private static List<Integer> numbers(JenkinsClient client, String job) {
        List<Integer> numbers = new ArrayList<>();
        for (JsonNode build :
                client.json(JenkinsClient.jobPath(job) + "api/json?tree=allBuilds[number]")
                        .path("allBuilds")) {
            numbers.add(build.path("number").asInt());
        }
        return numbers;
    }
}
