package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A build that runs on B is stopped on A as it would be on B. */
class StopTest {
    private static final String CANCEL_NOTE = "Aborted by ";

    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        List<String> plugins = new ArrayList<>(List.of(SecuredPair.PIPELINES));
        plugins.add("cloudbees-folder");
        pair = SecuredPair.open("stop", plugins.toArray(String[]::new));
        pair.takes(false, true);
        pair.createJob("sleeper", new FreestyleJob().concurrent().shell(sleeper()).xml());
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
    void theStopButtonOnAEndsABuildOnBAtOnce() {
        TreeSet<Long> times = new TreeSet<>();
        TreeSet<Long> seen = new TreeSet<>();
        JenkinsClient alice = SecuredPair.byPassword(pair.a, "alice");
        for (int i = 0; i < 10; i++) {
            int number = pair.running("sleeper");
            Path pid = awaitPid(number);
            long start = System.nanoTime();
            assertEquals(302, alice.stop("sleeper", number));
            awaitEnd(pair.onB, "sleeper", number);
            times.add((System.nanoTime() - start) / 1_000_000);
            awaitEnd(pair.onA, "sleeper", number);
            seen.add((System.nanoTime() - start) / 1_000_000);
            assertStopped("sleeper", number, "Alice Liddell", "alice");
            assertProcessGone(pid);
        }
        SecuredPair.figure("stop-on-A-ends-build-on-B-ms", spread(times));
        SecuredPair.figure("stop-on-A-seen-ended-on-A-ms", spread(seen));
        assertTrue(median(times) < SecuredPair.AT_ONCE.toMillis(), times.toString());
    }

    @Test
    void anyAddressOfTheBuildStopsIt() {
        pair.onA.createJob("team", folder());
        Eventually.until("the folder is on B", SecuredPair.SOON, () -> pair.onB.hasJob("team"));
        pair.createJob("team/deep down", new FreestyleJob().shell(sleeper()).xml());
        String view =
                pair.onA.json("job/team/api/json").path("views").path(0).path("name").asText();
        Map<String, String> addresses =
                Map.of(
                        "job/sleeper/lastBuild/stop", "sleeper",
                        "view/all/job/sleeper/%1$d/stop", "sleeper",
                        "job/sleeper/%1$d/stop/", "sleeper",
                        "user/alice/my-views/view/all/job/sleeper/%1$d/stop", "sleeper",
                        "job/team/job/deep%%20down/%1$d/stop", "team/deep down",
                        "view/all/job/team/view/%2$s/job/deep%%20down/lastBuild/stop",
                                "team/deep down");
        JenkinsClient alice = SecuredPair.byPassword(pair.a, "alice");
        addresses.forEach(
                (address, job) -> {
                    int number = pair.running(job);
                    String path = address.formatted(number, view);
                    assertEquals(302, alice.post(path, Map.of()).statusCode(), path);
                    awaitEnd(pair.onA, job, number);
                    assertStopped(job, number, "Alice Liddell", "alice");
                });
    }

    @Test
    void theAnswerIsThatOfTheControllerThatRunsIt() {
        List<HttpResponse<String>> answers = new ArrayList<>();
        for (JenkinsController asked : List.of(pair.b, pair.a)) {
            int number = pair.running("sleeper");
            answers.add(
                    SecuredPair.as(asked, "alice")
                            .post("job/sleeper/" + number + "/stop", Map.of()));
            awaitEnd(pair.onA, "sleeper", number);
            awaitEnd(pair.onB, "sleeper", number);
            // Stopped again, when there is nothing left to stop.
            answers.add(
                    SecuredPair.as(asked, "alice")
                            .post("job/sleeper/" + number + "/stop", Map.of()));
        }
        for (int i = 0; i < 2; i++) {
            assertEquals(answers.get(i).statusCode(), answers.get(i + 2).statusCode());
            assertEquals(location(answers.get(i)), location(answers.get(i + 2)));
        }
    }

    @Test
    void whoMayNotCancelStopsNothing() {
        int number = pair.running("sleeper");
        String path = "job/sleeper/" + number + "/stop";
        assertEquals(403, SecuredPair.as(pair.a, "bob").post(path, Map.of()).statusCode());
        assertEquals(403, SecuredPair.byPassword(pair.a, "bob").post(path, Map.of()).statusCode());
        // Without a crumb.
        assertEquals(403, SecuredPair.send(pair.a, "POST", "alice", path).statusCode());
        assertEquals(403, SecuredPair.send(pair.a, "POST", "", path).statusCode());
        // Who may not see the job gets what B would say.
        for (String user : List.of("eve", "dora")) {
            for (JenkinsController asked : List.of(pair.a, pair.b)) {
                assertEquals(
                        user.equals("eve") ? 404 : 403,
                        SecuredPair.as(asked, user).post(path, Map.of()).statusCode(),
                        user);
            }
        }
        for (JenkinsController asked : List.of(pair.a, pair.b)) {
            assertEquals(
                    405, SecuredPair.send(asked, "GET", "alice", path).statusCode(), asked.name());
        }
        SecuredPair.as(pair.a, "bob")
                .cli(pair.stage.root().resolve("cli"), "stop-builds", "sleeper")
                .await(SecuredPair.SOON);
        pause(2000);
        assertTrue(pair.onB.build("sleeper", number).orElseThrow().path("building").asBoolean());
        assertTrue(pair.onA.build("sleeper", number).orElseThrow().path("building").asBoolean());
        assertFalse(pair.onB.console("sleeper", number).contains(CANCEL_NOTE));
        pair.onA.stop("sleeper", number);
        awaitEnd(pair.onA, "sleeper", number);
        assertStopped("sleeper", number, "admin", "admin");
    }

    @Test
    void theCommandLinesStopBuildsStopsAllBuildsOfAJobInTheCluster() {
        List<String> outputs = new ArrayList<>();
        pair.createJob(
                "many", new FreestyleJob().concurrent().parameter("P").shell(sleeper()).xml());
        for (JenkinsController asked : List.of(pair.b, pair.a)) {
            pair.takes(true, true);
            List<Integer> numbers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                long id = pair.onA.trigger("many", Map.of("P", asked.name() + i));
                numbers.add(pair.onA.awaitBuildNumber(id, SecuredPair.SOON));
            }
            for (int number : numbers) {
                awaitRunning(pair.onA, "many", number);
                awaitRunning(pair.onB, "many", number);
            }
            JenkinsClient.CliRun run =
                    SecuredPair.as(asked, "alice")
                            .cli(pair.stage.root().resolve("cli"), "stop-builds", "many");
            assertEquals(0, run.await(SecuredPair.SOON), run.output());
            for (int number : numbers) {
                awaitEnd(pair.onA, "many", number);
                awaitEnd(pair.onB, "many", number);
                assertStopped("many", number, "Alice Liddell", "alice");
                assertTrue(
                        run.output().contains("Build '#" + number + "' stopped for job 'many'"),
                        run.output());
            }
            outputs.add(run.output().replaceAll("#\\d+", "#"));
        }
        assertEquals(outputs.get(0), outputs.get(1));
        JenkinsClient.CliRun nothing =
                pair.onA.cli(pair.stage.root().resolve("cli"), "stop-builds", "many");
        assertEquals(0, nothing.await(SecuredPair.SOON));
        assertTrue(nothing.output().contains("No builds stopped"), nothing.output());
    }

    @Test
    void aPipelineOnBIsStoppedTerminatedAndKilledFromA() {
        pair.createJob(
                "pipe",
                JobXml.pipeline("echo 'begun'\ntry { sleep 600 } finally { echo 'tidied' }"));
        // Does not let itself be stopped softly.
        pair.createJob(
                "stubborn",
                JobXml.pipeline(
                        "echo 'begun'\n"
                                + "while (true) { try { sleep 600 } catch (e) { echo 'no' } }"));
        JenkinsClient alice = SecuredPair.byPassword(pair.a, "alice");
        TreeSet<Long> times = new TreeSet<>();
        for (int i = 0; i < 5; i++) {
            int number = begun("pipe");
            long start = System.nanoTime();
            assertEquals(302, alice.stop("pipe", number));
            awaitEnd(pair.onB, "pipe", number);
            times.add((System.nanoTime() - start) / 1_000_000);
            awaitEnd(pair.onA, "pipe", number);
            assertStopped("pipe", number, "Alice Liddell", "alice");
            assertTrue(pair.onA.console("pipe", number).contains("tidied"));
        }
        SecuredPair.figure("stop-on-A-ends-pipeline-on-B-ms", spread(times));
        assertTrue(median(times) < SecuredPair.AT_ONCE.toMillis(), times.toString());

        int number = begun("stubborn");
        assertEquals(302, alice.stop("stubborn", number));
        awaitLog("stubborn", number, "\nno\n");
        assertEquals(
                403,
                SecuredPair.as(pair.a, "bob")
                        .post("job/stubborn/" + number + "/term", Map.of())
                        .statusCode());
        assertEquals(
                403,
                SecuredPair.as(pair.a, "bob")
                        .post("job/stubborn/" + number + "/kill", Map.of())
                        .statusCode());
        assertEquals(302, alice.post("job/stubborn/" + number + "/term", Map.of()).statusCode());
        awaitLog("stubborn", number, "Terminating sleep");
        long start = System.nanoTime();
        assertEquals(302, alice.post("job/stubborn/lastBuild/kill", Map.of()).statusCode());
        awaitEnd(pair.onB, "stubborn", number);
        SecuredPair.figure(
                "kill-on-A-ends-pipeline-on-B-ms", (System.nanoTime() - start) / 1_000_000);
        awaitEnd(pair.onA, "stubborn", number);
        assertEquals("ABORTED", result(pair.onA, "stubborn", number));
        assertTrue(pair.onA.console("stubborn", number).contains("Hard kill!"));
        Eventually.until(
                "no one-off executor of B is left",
                SecuredPair.SOON,
                () ->
                        SecuredPair.groovy(
                                        pair.onB,
                                        "Jenkins.get().toComputer().oneOffExecutors.count { it.busy"
                                                + " }")
                                .equals("0"));
    }

    @Test
    void aUserThatOnlyAKnowsIsNamedInTheLog() {
        SecuredPair.groovy(
                pair.onA,
                """
                def j = Jenkins.get()
                def u = j.securityRealm.createAccount('carol', 'carol')
                u.fullName = 'Carol Carlsen'
                u.save()
                ['hudson.model.Hudson.Read', 'hudson.model.Item.Read', 'hudson.model.Item.Cancel'].each {
                  j.authorizationStrategy.add(hudson.security.Permission.fromId(it), 'carol')
                }
                j.save()
                """);
        int number = pair.running("sleeper");
        assertEquals(302, SecuredPair.byPassword(pair.a, "carol").stop("sleeper", number));
        awaitEnd(pair.onA, "sleeper", number);
        assertStopped("sleeper", number, "Carol Carlsen", "carol");
    }

    @Test
    void stoppedFromBothSidesAtOnceItEndsOnce() {
        for (int i = 0; i < 5; i++) {
            int number = pair.running("sleeper");
            CompletableFuture<Integer> left =
                    CompletableFuture.supplyAsync(() -> pair.onA.stop("sleeper", number));
            CompletableFuture<Integer> right =
                    CompletableFuture.supplyAsync(() -> pair.onB.stop("sleeper", number));
            assertEquals(302, left.join());
            assertEquals(302, right.join());
            awaitEnd(pair.onA, "sleeper", number);
            assertStopped("sleeper", number, "admin", "admin");
        }
    }

    @Test
    void aBuildIsStoppedInItsFirstMoment() {
        for (int i = 0; i < 10; i++) {
            long id = pair.onA.trigger("sleeper");
            int number = pair.onA.awaitBuildNumber(id, SecuredPair.SOON);
            // As soon as A can name it, and no later.
            assertEquals(302, pair.onA.stop("sleeper", number));
            awaitEnd(pair.onA, "sleeper", number);
            assertEquals("ABORTED", result(pair.onA, "sleeper", number));
            awaitEnd(pair.onB, "sleeper", number);
        }
    }

    // ---- below

    /** Leaves its process id where the test finds it. */
    private static String sleeper() {
        return "echo $$ > \"$JENKINS_HOME/pid-$BUILD_NUMBER\"\nexec sleep 600";
    }

    private static Path awaitPid(int number) {
        Path file = pair.b.home().resolve("pid-" + number);
        Eventually.until(file + " is written", SecuredPair.SOON, () -> Files.exists(file));
        return file;
    }

    private static void assertProcessGone(Path pidFile) {
        Eventually.until(
                "the build's process is gone",
                SecuredPair.SOON,
                () -> {
                    try {
                        String pid = Files.readString(pidFile).trim();
                        return !pid.isEmpty()
                                && ProcessHandle.of(Long.parseLong(pid))
                                        .map(p -> !p.isAlive())
                                        .orElse(true);
                    } catch (java.io.IOException e) {
                        return false;
                    }
                });
    }

    private static int begun(String job) {
        int number = pair.running(job);
        awaitLog(job, number, "begun");
        awaitLog(job, number, "Sleeping for");
        return number;
    }

    private static void awaitLog(String job, int number, String text) {
        Eventually.until(
                job + " #" + number + " logs " + text,
                SecuredPair.SOON,
                () -> pair.onA.console(job, number).contains(text));
    }

    private static void awaitRunning(JenkinsClient client, String job, int number) {
        client.awaitBuild(
                job, number, "runs", SecuredPair.SOON, x -> x.path("building").asBoolean());
    }

    private static void awaitEnd(JenkinsClient client, String job, int number) {
        client.awaitBuild(
                job,
                number,
                "has ended",
                SecuredPair.SOON,
                x -> !x.path("building").asBoolean() && !x.path("result").isNull());
    }

    private static String result(JenkinsClient client, String job, int number) {
        return client.build(job, number).orElseThrow().path("result").asText();
    }

    /** What core leaves of a stopped build, on both. */
    private static void assertStopped(String job, int number, String fullName, String user) {
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals("ABORTED", result(client, job, number));
            assertTrue(
                    client.console(job, number).contains(CANCEL_NOTE + fullName + "\n"),
                    client.console(job, number));
            assertTrue(client.console(job, number).endsWith("Finished: ABORTED\n"));
            JsonNode causes =
                    client.json(
                            JenkinsClient.jobPath(job)
                                    + number
                                    + "/api/json?tree=actions[causes[shortDescription,user[absoluteUrl,fullName]]]&depth=2");
            assertTrue(causes.toString().contains("Aborted by " + user), causes.toString());
            assertEquals(
                    "[" + user + "]",
                    SecuredPair.groovy(
                            client,
                            "Jenkins.get().getItemByFullName('%s').getBuildByNumber(%d)"
                                            .formatted(job, number)
                                    + ".getActions(jenkins.model.InterruptedBuildAction).collectMany"
                                    + " { it.causes.collect { c -> c.userId } }.unique()"));
        }
    }

    private static String location(HttpResponse<String> answer) {
        return answer.headers()
                .firstValue("Location")
                .orElse("")
                .replaceAll("^http://[^/]+", "")
                .replaceAll("/\\d+/", "/N/");
    }

    private static String folder() {
        return "<?xml version='1.1' encoding='UTF-8'?>\n"
                + "<com.cloudbees.hudson.plugins.folder.Folder/>\n";
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long median(TreeSet<Long> times) {
        return new ArrayList<>(times).get(times.size() / 2);
    }

    private static String spread(TreeSet<Long> times) {
        return "min %d median %d max %d".formatted(times.first(), median(times), times.last());
    }
}
