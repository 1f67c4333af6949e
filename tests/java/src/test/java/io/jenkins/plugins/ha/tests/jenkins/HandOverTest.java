package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A controller that is drained or stopped gives its Pipelines to the other, in the middle of what
 * they do. Each step that counts is {@code build 'tick'}, a build that adds a line to a ledger.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HandOverTest {
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final int TICKS = 40;

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "hand-over",
                        6,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "pipeline-build-step",
                        "lockable-resources",
                        "pipeline-input-step");
        two.createJob(
                "tick",
                new FreestyleJob()
                        .concurrent()
                        .parameter("STEP")
                        .shell("echo $STEP >> " + two.folder("ledger"))
                        .xml());
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void bothAlive() throws IOException {
        two.bothAlive();
        Files.deleteIfExists(two.folder("ledger"));
        two.onlyOn("b");
    }

    @AfterEach
    void undrained() {
        if (two != null && two.controller("b").alive()) {
            two.b().post("ha/undrain", Map.of());
        }
    }

    @Test
    void allThatIsBetweenStepsOrInOneThatSurvivesGoesOnAtTheOtherWithinSeconds() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        pipeline("asleep", tick("asleep-1") + "sleep 25\n" + tick("asleep-2"));
        pipeline("asked", tick("asked-1") + "input 'asked goes on?'\n" + tick("asked-2"));
        pipeline(
                "both",
                "parallel l: { "
                        + tick("l-1")
                        + "sleep 25; "
                        + tick("l-2")
                        + "}, r: { input 'both goes on?'; "
                        + tick("r-2")
                        + " }");
        pipeline("late", "timeout(time: 60) { input 'late goes on?' }\n" + tick("late-2"));
        two.createJob(
                "fast",
                JobXml.pipeline(tick("fast-1") + "sleep 25\n" + tick("fast-2"), optimized()));
        pipeline("deep", tick("deep-1") + "sleep 25\n" + tick("deep-2"));
        pipeline("calls", "build 'deep'\n" + tick("calls-2"));
        pipeline("queued", tick("queued-1") + "node('nowhere') { echo 'in the node' }");
        List<String> jobs =
                List.of("asleep", "asked", "both", "late", "fast", "calls", "deep", "queued");
        Map<String, Long> items = new HashMap<>();
        jobs.stream().filter(job -> !job.equals("deep")).forEach(j -> items.put(j, b.trigger(j)));
        for (String job : List.of("asleep", "both", "fast", "deep")) {
            awaitLine(b, job, "Sleeping for");
        }
        for (String job : List.of("asked", "both", "late")) {
            awaitLine(b, job, job + " goes on?");
        }
        Eventually.until(
                "a node block waits", LONG, () -> b.queue().toString().contains("PlaceholderTask"));
        Eventually.until("all have ticked", LONG, () -> ledger().size() == 6);
        for (String job : jobs) {
            TwoControllers.awaitRunning(a, job, 1);
        }
        two.takes("a", true);
        long drained = System.nanoTime();
        assertEquals(200, a.post("ha/drain?controller=b", Map.of()).statusCode());
        for (String job : jobs) {
            Eventually.until(
                    job + " goes on at a",
                    LONG,
                    () -> a.console(job, 1).contains("Handed over by 'b'; 'a' goes on"));
        }
        figure("handover.eight_handed_over", (System.nanoTime() - drained) / 1e6, "ms");
        for (String job : jobs) {
            awaitLine(a, job, "Ready to run");
        }
        figure("handover.eight_going_on", (System.nanoTime() - drained) / 1e6, "ms");
        Eventually.until("b is drained", LONG, () -> state("b").equals("drained"));
        figure("handover.drained", (System.nanoTime() - drained) / 1e6, "ms");
        for (String job : List.of("asked", "both", "late")) {
            PipelineState.proceed(a, job, 1);
        }
        assertTrue(a.queue().toString().contains("PlaceholderTask"), "its block waits at a");
        assertFalse(b.queue().toString().contains("PlaceholderTask"), "and no more at b");
        for (String job : List.of("asleep", "asked", "both", "late", "fast", "deep", "calls")) {
            assertEquals("SUCCESS", a.awaitResult(job, 1, LONG), a.console(job, 1));
            assertEquals("SUCCESS", b.awaitResult(job, 1, LONG));
            assertEquals("a", JenkinsClient.controllerOf(a.build(job, 1).orElseThrow()), job);
            assertEquals(1, a.job(job).path("builds").size(), job + " has one build");
            assertEquals(1, count(a.console(job, 1), "Finished: "), job);
        }
        assertEquals(302, b.stop("queued", 1));
        assertEquals("ABORTED", a.awaitResult("queued", 1, LONG));
        items.forEach((job, item) -> assertEquals(1, a.awaitBuildNumber(item, LONG), job));
        assertEquals(
                List.of(
                        "asked-1",
                        "asked-2",
                        "asleep-1",
                        "asleep-2",
                        "calls-2",
                        "deep-1",
                        "deep-2",
                        "fast-1",
                        "fast-2",
                        "l-1",
                        "l-2",
                        "late-2",
                        "queued-1",
                        "r-2"),
                ledger());
    }

    @Test
    void aProcessOnAnAgentGoesOnAndWhatCannotGoStaysAndSaysWhy() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        try (RoamingAgent agent = RoamingAgent.start(two, "far", 2, two.controller("b"))) {
            List<String> jobs = List.of("one", "other");
            for (String job : jobs) {
                pipeline(job, "node('far') {\n" + shell(job) + "\n}\n" + tick(job + "-after"));
            }
            pipeline(
                    "local",
                    "node('!far') {\ninput 'goes on?'\n}\ninput 'and then?'\n"
                            + tick("local-after"));
            two.createJob(
                    "unresumable",
                    JobXml.pipeline(
                            "input 'goes on?'",
                            "<org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty/>"));
            pipeline("locked", "lock('one') { input 'goes on?' }");
            for (String job : List.of("one", "other", "local", "unresumable", "locked")) {
                b.trigger(job);
            }
            jobs.forEach(job -> awaitLine(b, job, "tick 5\n"));
            awaitLine(b, "local", "goes on?");
            awaitLine(b, "unresumable", "goes on?");
            awaitLine(b, "locked", "goes on?");
            for (String job : jobs) {
                TwoControllers.awaitRunning(a, job, 1);
            }
            two.takes("a", true);
            agent.goesTo(two.controller("a"));
            long drained = System.nanoTime();
            assertEquals(200, b.post("ha/drain", Map.of()).statusCode());
            for (String job : jobs) {
                awaitLine(a, job, "Handed over by 'b'; 'a' goes on");
            }
            figure("handover.agent_handed_over", (System.nanoTime() - drained) / 1e6, "ms");
            agent.awaitConnected(two.controller("a"));
            figure("handover.agent_connected", (System.nanoTime() - drained) / 1e6, "ms");
            Eventually.until(
                    "b says who stays",
                    LONG,
                    () -> controllerOf(a, "b").path("staying").size() == 2);
            String stays = controllerOf(a, "b").path("staying").toString();
            assertTrue(stays.contains("local #1 stays: it is in a node block on this"), stays);
            assertTrue(stays.contains("unresumable #1 stays: its job forbids"), stays);
            assertEquals("draining", state("b"));
            assertTrue(b.text("ha/").contains("unresumable #1 stays: its job forbids"));
            for (String job : jobs) {
                assertEquals("SUCCESS", a.awaitResult(job, 1, LONG), a.console(job, 1));
                List<String> all =
                        IntStream.rangeClosed(1, TICKS).mapToObj(i -> "tick " + i).toList();
                assertEquals(all, lines(two.folder(job + ".ticks")), "one process, once");
                assertEquals(
                        all,
                        a.console(job, 1).lines().filter(line -> line.startsWith("tick ")).toList(),
                        "each line of its log, in order, once: " + a.console(job, 1));
                assertEquals(1, lines(two.folder(job + ".pids")).size(), "it began once");
            }
            // its block over, it goes as well
            PipelineState.proceed(b, "local", 1);
            awaitLine(a, "local", "Handed over by 'b'; 'a' goes on");
            PipelineState.proceed(a, "local", 1);
            PipelineState.proceed(b, "unresumable", 1);
            awaitLine(a, "locked", "Handed over by 'b'; 'a' goes on");
            PipelineState.proceed(a, "locked", 1);
            assertEquals("SUCCESS", a.awaitResult("local", 1, LONG));
            assertEquals("SUCCESS", a.awaitResult("unresumable", 1, LONG));
            assertEquals("SUCCESS", a.awaitResult("locked", 1, LONG));
            assertEquals("b", JenkinsClient.controllerOf(a.build("unresumable", 1).orElseThrow()));
            assertEquals(List.of("local-after", "one-after", "other-after"), ledger());
            Eventually.until("b is drained", LONG, () -> state("b").equals("drained"));
        }
    }

    @Test
    void oneIsMovedByWhoMayAndGoesBackAndForth() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        pipeline("moved", tick("m-1") + "input 'goes on?'\n" + tick("m-2"));
        b.trigger("moved");
        awaitLine(b, "moved", "goes on?");
        TwoControllers.awaitRunning(a, "moved", 1);
        HttpResponse<String> refused = b.post("job/moved/1/ha-move/", Map.of());
        assertEquals(409, refused.statusCode(), refused.body());
        assertTrue(refused.body().contains("'a': this controller takes no builds"), refused.body());
        assertEquals(409, b.post("job/moved/1/ha-move/?to=nobody", Map.of()).statusCode());
        assertEquals(405, b.get("job/moved/1/ha-move/").statusCode());
        assertTrue(b.text("job/moved/1/").contains("Move to another controller"));
        two.takes("a", true);
        List<Double> took = new ArrayList<>();
        String at = "b";
        for (int i = 0; i < 10; i++) {
            String to = at.equals("b") ? "a" : "b";
            // from either, whoever runs it
            JenkinsClient from = i % 3 == 0 ? a : b;
            long asked = System.nanoTime();
            HttpResponse<String> answer = from.post("job/moved/1/ha-move/?to=" + to, Map.of());
            assertEquals(200, answer.statusCode(), answer.body());
            int times = i + 1;
            Eventually.until(
                    "it goes on at " + to,
                    LONG,
                    () -> count(from.console("moved", 1), "Ready to run") == times);
            took.add((System.nanoTime() - asked) / 1e6);
            JenkinsClient on = to.equals("a") ? a : b;
            TwoControllers.awaitRunning(on, "moved", 1);
            at = to;
        }
        took.sort(null);
        figure("handover.one_moved_p50", took.get(took.size() / 2), "ms");
        figure("handover.one_moved_most", took.get(took.size() - 1), "ms");
        PipelineState.proceed(b, "moved", 1);
        assertEquals("SUCCESS", a.awaitResult("moved", 1, LONG), a.console("moved", 1));
        assertEquals(List.of("m-1", "m-2"), ledger());
        assertEquals("b", JenkinsClient.controllerOf(a.build("moved", 1).orElseThrow()));
    }

    private void pipeline(String job, String script) {
        two.createJob(job, JobXml.pipeline(script));
    }

    private static String optimized() {
        return "<org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty>"
                + "<hint>PERFORMANCE_OPTIMIZED</hint>"
                + "</org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty>";
    }

    private static void awaitLine(JenkinsClient on, String job, String line) {
        Eventually.until(
                job + " says " + line,
                LONG,
                () -> on.build(job, 1).isPresent() && on.console(job, 1).contains(line));
    }

    private JsonNode controllerOf(JenkinsClient from, String name) {
        for (JsonNode each : from.json("ha/api/json?depth=2").path("controllers")) {
            if (each.path("name").asText().equals(name)) {
                return each;
            }
        }
        throw new AssertionError(name + " is no member");
    }

    private String state(String name) {
        return controllerOf(two.a(), name).path("state").asText();
    }

    /** A process that says what it does in a file, too, out of the reach of any controller. */
    private String shell(String job) {
        return "sh 'set +x; echo $$ >> "
                + two.folder(job + ".pids")
                + "; for i in $(seq "
                + TICKS
                + "); do echo tick $i; echo tick $i >> "
                + two.folder(job + ".ticks")
                + "; sleep 0.5; done'";
    }

    private static String tick(String step) {
        return "build job: 'tick', parameters: [string(name: 'STEP', value: '" + step + "')]\n";
    }

    private List<String> ledger() {
        return lines(two.folder("ledger")).stream().sorted().toList();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int count(String text, String what) {
        return text.split(Pattern.quote(what), -1).length - 1;
    }
}
