package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Which of two survivors goes on with a Pipeline. */
@LongTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdoptionOfThreeTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private Stage stage;

    @BeforeAll
    void start() {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        stage = Stage.open("adoption-of-three");
        stage.redis().start();
        for (String name : List.of("a", "b", "c")) {
            stage.addJenkins(search.war().get(), name)
                    .executors(3)
                    .plugins(
                            "workflow-job",
                            "workflow-cps",
                            "workflow-basic-steps",
                            "pipeline-build-step",
                            "pipeline-input-step");
        }
        stage.startControllers();
        stage.awaitMembers(3, TwoControllers.SOON);
        createJob(
                "tick",
                new FreestyleJob()
                        .concurrent()
                        .parameter("STEP")
                        .shell("echo $STEP >> " + ledgerFile())
                        .xml());
    }

    @AfterAll
    void stop() {
        if (stage != null) {
            stage.close();
        }
    }

    @BeforeEach
    void allAlive() throws IOException {
        for (Controller each : stage.controllers()) {
            if (!each.alive()) {
                each.start();
                each.awaitUp(Stage.UP);
            }
        }
        stage.awaitMembers(3, TwoControllers.SOON);
        Files.deleteIfExists(ledgerFile());
        for (String name : List.of("a", "b", "c")) {
            takes(name, name.equals("b"));
        }
    }

    @Test
    void whoTakesNoBuildsLeavesItToTheOther() {
        begun("left");
        String taker = reaperTakesNothing("left");
        JenkinsClient on = controller(taker).client();
        Eventually.until(
                taker + " goes on with it",
                LONG,
                () -> on.console("left", 1).contains("'" + taker + "' goes on with this Pipeline"));
        PipelineState.proceed(on, "left", 1);
        assertEquals("SUCCESS", on.awaitResult("left", 1, LONG));
        assertEquals(List.of("left-1", "left-2"), ledger());
        assertEquals(taker, JenkinsClient.controllerOf(on.build("left", 1).orElseThrow()));
    }

    @Test
    void nobodyGoesOnWhereNobodyTakesBuildsUntilSomebodyDoes() {
        begun("held");
        controller("b").kill9();
        for (String name : List.of("a", "c")) {
            Eventually.until(
                    name + " was asked",
                    LONG,
                    () ->
                            controller(name)
                                    .logText()
                                    .contains("held #1 is not taken over: this controller takes"));
        }
        JenkinsClient a = controller("a").client();
        assertFalse(a.console("held", 1).contains("goes on with this Pipeline"));
        takes("a", true);
        Eventually.until(
                "a goes on with it",
                LONG,
                () -> a.console("held", 1).contains("'a' goes on with this Pipeline"));
        PipelineState.proceed(a, "held", 1);
        assertEquals("SUCCESS", a.awaitResult("held", 1, LONG));
        assertEquals(List.of("held-1", "held-2"), ledger());
    }

    @Test
    void whoDiesWhileItTakesItOverIsFollowedByTheNext() {
        begun("passed");
        takes("a", true);
        takes("c", true);
        controller("b").kill9();
        Path claim = folder("passed").resolve("ha-owner.2");
        String first =
                Eventually.get(
                        "one of them takes it over",
                        LONG,
                        () ->
                                Files.exists(claim)
                                        ? java.util.Optional.of(lines(claim).get(2))
                                        : java.util.Optional.empty());
        controller(first).kill9();
        String next = first.equals("a") ? "c" : "a";
        JenkinsClient on = controller(next).client();
        Eventually.until(
                next + " goes on with it",
                LONG,
                () ->
                        on.console("passed", 1)
                                .contains("'" + next + "' goes on with this Pipeline"));
        PipelineState.proceed(on, "passed", 1);
        assertEquals("SUCCESS", on.awaitResult("passed", 1, LONG), on.console("passed", 1));
        assertEquals(List.of("passed-1", "passed-2"), ledger());
        allShow("passed", "SUCCESS");
    }

    @Test
    void whoDiesWhileItIsHandedOverToItIsFollowedByAnother() {
        begun("given");
        takes("a", true);
        takes("c", true);
        TwoControllers.script(
                controller("a").client(),
                """
                def pool = io.jenkins.plugins.ha.Membership.active().get().@adoption.@worker
                2.times { pool.execute({ sleep(600000) } as Runnable) }
                """);
        JenkinsClient b = controller("b").client();
        // by way of c, which does not run it either
        assertEquals(
                200,
                controller("c")
                        .client()
                        .post("job/given/1/ha-move/?to=a", java.util.Map.of())
                        .statusCode());
        controller("a").kill9();
        Eventually.until(
                "another goes on with it",
                LONG,
                () -> b.console("given", 1).contains("goes on with this Pipeline"));
        String next = JenkinsClient.controllerOf(b.build("given", 1).orElseThrow());
        assertTrue(List.of("b", "c").contains(next), next);
        PipelineState.proceed(controller(next).client(), "given", 1);
        assertEquals("SUCCESS", b.awaitResult("given", 1, LONG), b.console("given", 1));
        assertEquals(List.of("given-1", "given-2"), ledger());
        allShow("given", "SUCCESS");
    }

    /** Kills b; the survivor to which it falls takes no builds, the other one does. Its name. */
    private String reaperTakesNothing(String job) {
        // whose beat comes first is not known before: both take none until one was asked
        controller("b").kill9();
        String asked =
                Eventually.get(
                        "one is asked",
                        LONG,
                        () ->
                                List.of("a", "c").stream()
                                        .filter(
                                                name ->
                                                        controller(name)
                                                                .logText()
                                                                .contains(
                                                                        job
                                                                                + " #1 is not taken"
                                                                                + " over"))
                                        .findFirst());
        String other = asked.equals("a") ? "c" : "a";
        takes(other, true);
        return other;
    }

    private void allShow(String job, String result) {
        for (Controller each : stage.controllers()) {
            if (each.alive()) {
                assertEquals(result, each.client().awaitResult(job, 1, LONG), each.name());
            }
        }
    }

    /** It runs on b, and waits for an answer after its first step. */
    private void begun(String job) {
        createJob(job, JobXml.pipeline(tick(job + "-1") + "input 'goes on?'\n" + tick(job + "-2")));
        JenkinsClient b = controller("b").client();
        long item = b.trigger(job);
        assertEquals(1, b.awaitBuildNumber(item, LONG));
        Eventually.until("it asks", LONG, () -> b.console(job, 1).contains("goes on?"));
        PipelineState.awaitStored(folder(job));
        for (Controller each : stage.controllers()) {
            TwoControllers.awaitRunning(each.client(), job, 1);
        }
    }

    private void createJob(String job, String xml) {
        controller("a").client().createJob(job, xml);
        for (Controller each : stage.controllers()) {
            Eventually.until(
                    each.name() + " has " + job,
                    TwoControllers.SOON,
                    () -> each.client().hasJob(job));
        }
    }

    private void takes(String name, boolean takes) {
        TwoControllers.script(
                controller(name).client(),
                "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = " + takes);
    }

    private Controller controller(String name) {
        return stage.controllers().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private Path folder(String job) {
        return stage.shared().jobs().resolve(job + "/builds/1");
    }

    private Path ledgerFile() {
        return stage.root().resolve("ledger");
    }

    private List<String> ledger() {
        return lines(ledgerFile()).stream().sorted().toList();
    }

    private static String tick(String step) {
        return "build job: 'tick', parameters: [string(name: 'STEP', value: '" + step + "')]\n";
    }

    private static List<String> lines(Path file) {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
