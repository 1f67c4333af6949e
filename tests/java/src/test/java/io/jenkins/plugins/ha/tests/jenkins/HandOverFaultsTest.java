package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Who dies, or is stopped, while a Pipeline goes from b to a: it is lost by nobody and no step runs
 * twice. Each step that counts is {@code build 'tick'}, a build that adds a line to a ledger.
 */
@LongTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HandOverFaultsTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "hand-over-faults",
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
        takesNothingOver(two.a(), false);
    }

    @Test
    void theGiverDiesBeforeTheOtherHasIt() {
        asks("given");
        two.takes("a", true);
        takesNothingOver(two.a(), true);
        assertEquals(200, two.b().post("job/given/1/ha-move/", Map.of()).statusCode());
        assertEquals(List.of("ORPHANED b"), items(two.a()));
        two.controller("b").kill9();
        takesNothingOver(two.a(), false);
        finishesOn(two.a(), "a", "given", "Handed over by 'b'; 'a' goes on");
        two.bothAlive();
        assertEquals("SUCCESS", two.b().awaitResult("given", 1, LONG));
        assertEquals(List.of("given-1", "given-2"), ledger());
    }

    @Test
    void theTakerDiesBeforeItHasItAndItGoesOnWhereItWas() {
        asks("taken");
        asksAsDownstream("upstream", "unqueued");
        two.takes("a", true);
        takesNothingOver(two.a(), true);
        assertEquals(200, two.a().post("job/taken/1/ha-move/", Map.of()).statusCode());
        assertEquals(200, two.b().post("job/unqueued/1/ha-move/", Map.of()).statusCode());
        two.controller("a").kill9();
        long killed = System.nanoTime();
        finishesOn(two.b(), "b", "taken", "Nobody else took it; 'b' goes on");
        figure("handover.taker_dies_done", (System.nanoTime() - killed) / 1e6, "ms");
        finishesOn(two.b(), "b", "unqueued", "Nobody else took it; 'b' goes on");
        assertEquals("SUCCESS", two.b().awaitResult("upstream", 1, LONG));
        two.bothAlive();
        assertEquals("SUCCESS", two.a().awaitResult("taken", 1, LONG));
        assertEquals(List.of("taken-1", "taken-2", "unqueued-1", "unqueued-2"), ledger());
    }

    @Test
    void theGiverDiesAtAnyMomentOfIt() throws Exception {
        for (int moment = 0; moment < 4; moment++) {
            String job = "moment" + moment;
            two.bothAlive();
            two.onlyOn("b");
            asks(job);
            PipelineState.awaitStored(PipelineState.folder(two, job, 1));
            two.takes("a", true);
            CompletableFuture<?> move =
                    CompletableFuture.runAsync(
                            () -> two.b().post("job/" + job + "/1/ha-move/", Map.of()));
            Path folder = PipelineState.folder(two, job, 1);
            String until =
                    switch (moment) {
                        case 0 -> "program.dat"; // there from the beginning: as it is asked for
                        case 1 -> "ha-let-go.1";
                        case 2 -> "ha-owner.2";
                        default -> "workflow.2";
                    };
            Eventually.until(until + " is there", LONG, () -> Files.exists(folder.resolve(until)));
            two.controller("b").kill9();
            finishesOn(two.a(), "a", job, "'a' goes on with this Pipeline");
            move.handle((done, failed) -> null).join();
            assertEquals(List.of(job + "-1", job + "-2"), ledger());
            Files.delete(two.folder("ledger"));
        }
    }

    @Test
    void aControllerThatStopsGivesAwayWhatItRuns() {
        asks("stopped");
        two.createJob(
                "local", JobXml.pipeline("node { input 'goes on?' }\n" + tick("local-after")));
        two.b().trigger("local");
        Eventually.until(
                "local asks",
                LONG,
                () ->
                        two.b().build("local", 1).isPresent()
                                && two.b().console("local", 1).contains("goes on?"));
        two.takes("a", true);
        long stop = System.nanoTime();
        CompletableFuture<Void> stopped =
                CompletableFuture.runAsync(() -> two.controller("b").stop());
        finishesOn(two.a(), "a", "stopped", "Handed over by 'b'; 'a' goes on");
        figure("handover.stop_to_done", (System.nanoTime() - stop) / 1e6, "ms");
        stopped.join();
        // what could not go waits for its own controller, as ever
        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        two.stage().awaitMembers(2, TwoControllers.SOON);
        PipelineState.proceed(two.b(), "local", 1);
        assertEquals("SUCCESS", two.a().awaitResult("local", 1, LONG), two.a().console("local", 1));
        assertEquals(List.of("local-after", "stopped-1", "stopped-2"), ledger());
    }

    @Test
    void anAgentThatAlsoRunsABuildThatCannotGoKeepsBoth() {
        try (RoamingAgent agent = RoamingAgent.start(two, "near", 2, two.controller("b"))) {
            two.createJob(
                    "mixed",
                    JobXml.pipeline("node('near') { input 'goes on?' }\n" + tick("mixed-2")));
            two.createJob(
                    "plain",
                    new FreestyleJob()
                            .label("near")
                            .shell("while [ ! -e " + two.folder("go") + " ]; do sleep 0.2; done")
                            .xml());
            two.b().trigger("mixed");
            two.b().trigger("plain");
            Eventually.until(
                    "mixed asks",
                    LONG,
                    () ->
                            two.b().build("mixed", 1).isPresent()
                                    && two.b().console("mixed", 1).contains("goes on?"));
            TwoControllers.awaitRunning(two.b(), "plain", 1);
            two.takes("a", true);
            agent.goesTo(two.controller("a"));
            HttpResponse<String> answer = two.b().post("job/mixed/1/ha-move/", Map.of());
            assertEquals(409, answer.statusCode(), answer.body());
            assertTrue(answer.body().contains("its agent near also runs plain #1"), answer.body());
            Files.createFile(two.folder("go"));
            assertEquals("SUCCESS", two.b().awaitResult("plain", 1, LONG));
            Eventually.until(
                    "it goes now",
                    LONG,
                    () -> two.b().post("job/mixed/1/ha-move/", Map.of()).statusCode() == 200);
            finishesOn(two.a(), "a", "mixed", "Handed over by 'b'; 'a' goes on");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The threads that take Pipelines over have something else to do. */
    private static void takesNothingOver(JenkinsClient on, boolean busy) {
        TwoControllers.script(
                on,
                busy
                        ? """
                        System.setProperty('test.busy', 'yes')
                        def pool = io.jenkins.plugins.ha.Membership.active().get().@adoption.@worker
                        2.times {
                          pool.execute({ while (System.getProperty('test.busy') == 'yes') sleep(50) } as Runnable)
                        }
                        """
                        : "System.clearProperty('test.busy')");
    }

    private static List<String> items(JenkinsClient on) {
        return TwoControllers.script(
                        on,
                        """
                        def m = io.jenkins.plugins.ha.Membership.active().get()
                        def names = m.cluster().members().collectEntries { [it.controllerId(), it.name()] }
                        print m.cluster().items().collect { it.state().toString() + ' ' + names[it.owner()] }.join('\\n')
                        """)
                .lines()
                .toList();
    }

    private void asks(String job) {
        two.createJob(
                job, JobXml.pipeline(tick(job + "-1") + "input 'goes on?'\n" + tick(job + "-2")));
        two.b().trigger(job);
        awaitAsking(job);
    }

    private void asksAsDownstream(String upstream, String job) {
        two.createJob(
                job, JobXml.pipeline(tick(job + "-1") + "input 'goes on?'\n" + tick(job + "-2")));
        two.createJob(upstream, JobXml.pipeline("build '" + job + "'"));
        two.b().trigger(upstream);
        awaitAsking(job);
    }

    private void awaitAsking(String job) {
        Eventually.until(
                job + " asks",
                LONG,
                () ->
                        two.b().build(job, 1).isPresent()
                                && two.b().console(job, 1).contains("goes on?"));
        TwoControllers.awaitRunning(two.a(), job, 1);
        PipelineState.awaitStored(PipelineState.folder(two, job, 1));
    }

    private void finishesOn(JenkinsClient on, String name, String job, String line) {
        Eventually.until(
                job + " goes on at " + name, LONG, () -> on.console(job, 1).contains(line));
        PipelineState.proceed(on, job, 1);
        assertEquals("SUCCESS", on.awaitResult(job, 1, LONG), on.console(job, 1));
        assertEquals(name, JenkinsClient.controllerOf(on.build(job, 1).orElseThrow()));
        assertEquals(1, on.job(job).path("builds").size(), job + " has one build");
        String log = on.console(job, 1);
        assertEquals(1, log.split(Pattern.quote("Finished: "), -1).length - 1, log);
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
}
