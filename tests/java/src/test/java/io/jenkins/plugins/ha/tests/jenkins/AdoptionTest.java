package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Pipelines go on when their controller dies: on the other one, after their last step, and nowhere
 * else. Each step that counts is {@code build 'tick'}, a build that adds a line to a ledger.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdoptionTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "adoption",
                        4,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "pipeline-build-step",
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

    @Test
    void eachGoesOnAfterItsLastStepAndNoStepRunsTwice() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        pipeline("asleep", tick("asleep-1") + "sleep 10\n" + tick("asleep-2"));
        pipeline("asked", tick("asked-1") + "input 'asked goes on?'\n" + tick("asked-2"));
        pipeline(
                "both",
                "parallel l: { "
                        + tick("l-1")
                        + "sleep 12; "
                        + tick("l-2")
                        + "}, r: { input 'both goes on?'; "
                        + tick("r-2")
                        + " }");
        pipeline("late", "timeout(time: 15) { input 'late goes on?' }\n" + tick("late-2"));
        two.createJob( // one at a time: it waits for its turn in the cluster, and holds it
                "deep",
                JobXml.pipeline(
                        "if (params.P) return\n" + tick("deep-1") + "sleep 20\n" + tick("deep-2"),
                        JobXml.oneAtATime(false)));
        pipeline("calls", "build 'deep'\n" + tick("calls-2"));
        pipeline("queued", tick("queued-1") + "node('nowhere') { echo 'in the node' }");
        List<String> jobs = List.of("asleep", "asked", "both", "late", "calls", "queued");
        List<Long> items = new ArrayList<>();
        jobs.forEach(job -> items.add(begun(b, job)));
        for (String said :
                List.of(
                        "asleep Sleeping",
                        "asked goes",
                        "both goes",
                        "both Sleeping",
                        "late goes",
                        "deep Sleeping")) {
            String job = said.split(" ")[0];
            String what = said.contains("goes") ? "goes on?" : "Sleeping for";
            Eventually.until(
                    said,
                    LONG,
                    () -> b.build(job, 1).isPresent() && b.console(job, 1).contains(what));
        }
        Eventually.until(
                "a node block waits", LONG, () -> b.queue().toString().contains("PlaceholderTask"));
        Eventually.until("all have ticked", LONG, () -> ledger().size() == 5);
        TwoControllers.awaitRunning(a, "calls", 1);
        TwoControllers.awaitRunning(a, "deep", 1);

        for (String job : List.of("asked", "both", "late", "calls", "queued", "deep")) {
            awaitStored(job);
        }
        two.takes("a", true);
        two.controller("b").kill9();
        long killed = System.nanoTime();
        Eventually.until(
                "the first goes on",
                LONG,
                () -> a.console("asked", 1).contains("goes on with this Pipeline"));
        figure("adoption.kill_to_first_going_on", (System.nanoTime() - killed) / 1e6, "ms");
        for (String job : jobs) {
            Eventually.until(
                    job + " is resumed", LONG, () -> a.console(job, 1).contains("Ready to run"));
        }
        figure("adoption.kill_to_six_going_on", (System.nanoTime() - killed) / 1e6, "ms");
        for (String job : List.of("asked", "both", "late")) {
            assertEquals("a", JenkinsClient.controllerOf(a.build(job, 1).orElseThrow()));
            PipelineState.proceed(a, job, 1);
        }
        assertEquals("SUCCESS", a.awaitResult("deep", 1, LONG), a.console("deep", 1));
        figure("adoption.kill_to_downstream_done", (System.nanoTime() - killed) / 1e6, "ms");
        for (String job : List.of("asleep", "asked", "both", "late", "calls")) {
            assertEquals("SUCCESS", a.awaitResult(job, 1, LONG), a.console(job, 1));
            assertEquals(1, a.job(job).path("builds").size(), job + " has one build");
            assertEquals(1, count(a.console(job, 1), "Finished: "), job);
        }
        long next = a.trigger("deep", Map.of("P", "nothing but its turn"));
        assertEquals(2, a.awaitBuildNumber(next, LONG), "the turn of #1 is over");
        assertEquals("SUCCESS", a.awaitResult("deep", 2, LONG));
        assertTrue(a.queue().toString().contains("PlaceholderTask"), "its node block waits here");
        assertEquals(302, a.stop("queued", 1));
        assertEquals("ABORTED", a.awaitResult("queued", 1, LONG));
        for (int i = 0; i < jobs.size(); i++) { // whoever waits by queue item finds the build
            assertEquals(1, a.awaitBuildNumber(items.get(i), LONG), jobs.get(i));
        }
        List<String> all =
                List.of(
                        "asked-1",
                        "asked-2",
                        "asleep-1",
                        "asleep-2",
                        "calls-2",
                        "deep-1",
                        "deep-2",
                        "l-1",
                        "l-2",
                        "late-2",
                        "queued-1",
                        "r-2");
        assertEquals(all, ledger());

        // the dead one is back, with an old queue and an old list of Pipelines
        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        two.stage().awaitMembers(2, TwoControllers.SOON);
        for (String job : List.of("asleep", "asked", "both", "late", "calls", "deep")) {
            assertEquals("SUCCESS", b.awaitResult(job, 1, LONG));
        }
        Eventually.until("nothing waits on b", LONG, () -> b.queue().path("items").isEmpty());
        assertEquals(all, ledger());
    }

    @Test
    void aControllerThatWasAsleepWritesNothingOfWhatItHasLost() throws IOException {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        pipeline(
                "stalled",
                tick("s-1") + "sleep 6\n" + tick("s-2") + "input 'goes on?'\n" + tick("s-3"));
        pipeline("own", tick("o-1") + "input 'goes on?'\n" + tick("o-2"));
        begun(b, "stalled");
        Eventually.until("it sleeps", LONG, () -> b.console("stalled", 1).contains("Sleeping for"));
        awaitStored("stalled");
        two.takes("a", true);
        two.controller("b").pause();
        long stalled = System.nanoTime();
        Path unfinished = folder("stalled").resolve("atomic1.tmp"); // as if it was about to store
        Files.createFile(unfinished);
        Eventually.until(
                "the other goes on with it",
                LONG,
                () -> a.console("stalled", 1).contains("Ready to run"));
        figure("adoption.stall_to_going_on", (System.nanoTime() - stalled) / 1e6, "ms");
        Eventually.until(
                "it stands at its input", LONG, () -> a.console("stalled", 1).contains("goes on?"));
        Eventually.until("it ticked", LONG, () -> ledger().equals(List.of("s-1", "s-2")));
        Path folder = folder("stalled");
        assertFalse(Files.exists(unfinished), "it has nothing to put over the other's program");
        awaitStored("stalled");
        Map<String, Long> before = PipelineState.stamps(folder);

        two.controller("b").resume();
        two.stage().awaitMembers(2, TwoControllers.SOON);
        Eventually.until(
                "b has let go of it",
                LONG,
                () -> two.controller("b").logText().contains("is let go of here"));
        figure(
                "adoption.back_to_let_go",
                (System.nanoTime() - stalled) / 1e6,
                "ms after the stall");
        assertEquals(before, PipelineState.stamps(folder), "not a byte was written");
        Eventually.until(
                "b shows it as the other's",
                LONG,
                () -> {
                    JsonNode build = b.build("stalled", 1).orElseThrow();
                    return build.path("building").asBoolean()
                            && JenkinsClient.controllerOf(build).equals("a");
                });
        Eventually.until(
                "its threads are free",
                LONG,
                () ->
                        TwoControllers.script(
                                        b,
                                        "print Jenkins.get().toComputer().allExecutors.count {"
                                                + " it.busy }")
                                .equals("0"));
        PipelineState.proceed(a, "stalled", 1);
        assertEquals("SUCCESS", a.awaitResult("stalled", 1, LONG), a.console("stalled", 1));
        assertEquals("SUCCESS", b.awaitResult("stalled", 1, LONG));
        assertEquals(List.of("s-1", "s-2", "s-3"), ledger());
        assertEquals(1, count(a.console("stalled", 1), "Finished: "));

        // a stall that nobody took note of changes nothing
        two.onlyOn("b");
        begun(b, "own");
        Eventually.until("it asks", LONG, () -> b.console("own", 1).contains("goes on?"));
        two.controller("b").pause();
        pause(Duration.ofMillis(1500));
        two.controller("b").resume();
        PipelineState.proceed(b, "own", 1);
        assertEquals("SUCCESS", b.awaitResult("own", 1, LONG));
        assertFalse(b.console("own", 1).contains("Ready to run"), b.console("own", 1));
    }

    @Test
    void whatNobodyCanGoOnWithSaysWhyAndRunsAgain() throws IOException {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        pipeline("local", "node { sleep 20 }");
        two.createJob(
                "fast",
                JobXml.pipeline(
                        "sleep 20",
                        "<org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty>"
                            + "<hint>PERFORMANCE_OPTIMIZED</hint>"
                            + "</org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty>"));
        two.createJob(
                "unresumable",
                JobXml.pipeline(
                        "sleep 20",
                        "<org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty/>"));
        pipeline("garbled", "sleep 20");
        List<String> jobs = List.of("local", "fast", "unresumable", "garbled");
        jobs.forEach(job -> begun(b, job));
        for (String job : jobs) {
            Eventually.until(job, LONG, () -> b.console(job, 1).contains("Sleeping for"));
            TwoControllers.awaitRunning(a, job, 1);
            awaitStored(job);
        }
        two.takes("a", true);
        two.controller("b").kill9();
        Files.writeString(folder("garbled").resolve("program.dat"), "what a full disk leaves");
        Map<String, String> why =
                Map.of(
                        "garbled", "its program cannot be read",
                        "local", "built-in node",
                        "fast", "PERFORMANCE_OPTIMIZED",
                        "unresumable", "forbids");
        for (String job : jobs) {
            assertEquals("ABORTED", a.awaitResult(job, 1, LONG), a.console(job, 1));
            Eventually.until(
                    job + " runs again",
                    LONG,
                    () -> a.build(job, 2).map(x -> x.path("building").asBoolean()).orElse(false));
            Eventually.until( // which is written once the new item is in the queue
                    job + " has its last line",
                    LONG,
                    () -> a.console(job, 1).endsWith("Finished: ABORTED\n"));
            String log = a.console(job, 1);
            assertTrue(log.contains("No other controller can go on"), log);
            assertTrue(log.contains(why.get(job)), log);
            assertTrue(log.contains("It runs again as queue item"), log);
        }
        for (String job : jobs) {
            assertEquals("SUCCESS", a.awaitResult(job, 2, LONG));
        }
        two.bothAlive();
        for (String job : jobs) {
            JsonNode builds = b.json("job/" + job + "/api/json?tree=builds[number,result]");
            assertEquals(2, builds.path("builds").size(), builds::toString);
            assertEquals("ABORTED", b.awaitResult(job, 1, LONG));
        }
    }

    @Test
    void aPipelineThatWasNotSavedYetIsBuiltOnceWhenItsControllerStallsOrDies() throws IOException {
        Path released = two.folder("released");
        for (String job : List.of("unsaved-s", "unsaved-k")) {
            pipeline(job, tick("t-" + job));
        }
        TwoControllers.script(
                two.b(),
                "hudson.model.listeners.RunListener.all().add("
                        + "new hudson.model.listeners.RunListener(hudson.model.Run) {"
                        + " void onInitialize(run) { if (run.parent.name.startsWith('unsaved'))"
                        + " while (!new File('"
                        + released
                        + "').exists()) Thread.sleep(10) } })");
        heldUnsaved("unsaved-s");
        two.takes("a", true);
        two.controller("b").pause();
        assertEquals("SUCCESS", two.a().awaitResult("unsaved-s", 2, LONG));
        two.controller("b").resume();
        two.stage().awaitMembers(2, LONG);
        Files.createFile(released);
        Eventually.until(
                "b has let go of it",
                LONG,
                () -> two.controller("b").logText().contains("unsaved-s #1 is let go of here"));

        Files.delete(released);
        two.takes("a", false);
        heldUnsaved("unsaved-k");
        two.takes("a", true);
        two.controller("b").kill9();
        assertEquals("SUCCESS", two.a().awaitResult("unsaved-k", 2, LONG));
        two.bothAlive();
        for (JenkinsClient on : List.of(two.a(), two.b())) {
            for (String job : List.of("unsaved-s", "unsaved-k")) {
                JsonNode builds = on.json("job/" + job + "/api/json?tree=builds[number,result]");
                assertEquals(1, builds.path("builds").size(), builds::toString);
                assertEquals("SUCCESS", on.awaitResult(job, 2, LONG));
            }
        }
        assertEquals(List.of("t-unsaved-k", "t-unsaved-s"), ledger());
    }

    private void heldUnsaved(String job) {
        two.b().trigger(job);
        Eventually.until(job + " is being made", LONG, () -> Files.isDirectory(folder(job)));
        assertFalse(Files.exists(folder(job).resolve("build.xml")));
    }

    @Test
    void aSurvivorThatDiesTooIsFollowedByTheNext() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        pipeline("twice", tick("t-1") + "input 'goes on?'\n" + tick("t-2"));
        begun(b, "twice");
        Eventually.until("it asks", LONG, () -> b.console("twice", 1).contains("goes on?"));
        awaitStored("twice");
        two.takes("a", true);
        two.controller("b").kill9();
        Eventually.until(
                "a goes on with it", LONG, () -> a.console("twice", 1).contains("Ready to run"));
        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        two.stage().awaitMembers(2, TwoControllers.SOON);
        TwoControllers.awaitRunning(b, "twice", 1);
        awaitStored("twice");
        two.controller("a").kill9();
        Eventually.until(
                "b goes on with it", LONG, () -> count(b.console("twice", 1), "Ready to run") == 2);
        PipelineState.proceed(b, "twice", 1);
        two.takes("b", true);
        assertEquals("SUCCESS", b.awaitResult("twice", 1, LONG), b.console("twice", 1));
        assertEquals(List.of("t-1", "t-2"), ledger());
        assertEquals("b", JenkinsClient.controllerOf(b.build("twice", 1).orElseThrow()));
    }

    private void pipeline(String job, String script) {
        two.createJob(job, JobXml.pipeline(script));
    }

    /** Triggers its first build, which others can see when this returns; the queue item. */
    private static long begun(JenkinsClient on, String job) {
        long item = on.trigger(job);
        assertEquals(1, on.awaitBuildNumber(item, LONG));
        TwoControllers.awaitRunning(on, job, 1);
        return item;
    }

    private static String tick(String step) {
        return "build job: 'tick', parameters: [string(name: 'STEP', value: '" + step + "')]\n";
    }

    private List<String> ledger() {
        Path file = two.folder("ledger");
        try {
            return Files.exists(file)
                    ? Files.readAllLines(file).stream().sorted().toList()
                    : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path folder(String job) {
        return PipelineState.folder(two, job, 1);
    }

    private void awaitStored(String job) {
        PipelineState.awaitStored(folder(job));
    }

    private static int count(String text, String what) {
        return text.split(Pattern.quote(what), -1).length - 1;
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
