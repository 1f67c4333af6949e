package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What a killed controller's queue.xml, up to a minute old, says of what has begun since. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QueueAfterAKillTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "queue-after-a-kill",
                        1,
                        (stage, added) ->
                                added.property("io.jenkins.plugins.ha.adoptPipelines", "false"),
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "pipeline-build-step",
                        "pipeline-input-step");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void whatHasBegunDoesNotBeginAgainAndAPipelineOfTheDeadIsKilledForGood() throws IOException {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        Path ledger = two.folder("ledger");
        two.createJob("busy", waits("go"));
        two.createJob("down", new FreestyleJob().shell("echo down >> " + ledger).xml());
        two.createJob("down-flow", JobXml.pipeline("sleep 600"));
        two.createJob("up", JobXml.pipeline("build 'down'\ninput 'up goes on?'"));
        two.createJob("up-flow", JobXml.pipeline("build 'down-flow'"));
        two.createJob(
                "block",
                JobXml.pipeline(
                        "node { sh 'echo block >> " + ledger + "' }\ninput 'block goes on?'"));
        two.onlyOn("b");
        b.trigger("busy");
        TwoControllers.awaitRunning(b, "busy", 1);
        for (String job : List.of("up", "block", "up-flow")) {
            b.trigger(job);
        }
        TwoControllers.awaitRunning(b, "down-flow", 1);
        Eventually.until(
                "what is to be built waits for the executor",
                LONG,
                () -> waiting(b).contains("down") && waiting(b).contains("ExecutorStepExecution"));
        TwoControllers.script(b, "Jenkins.get().queue.save()");
        Path queue = two.controller("b").home().resolve("queue.xml");
        Path old = Files.copy(queue, two.folder("queue.xml"));

        Files.createFile(two.folder("go"));
        assertEquals("SUCCESS", b.awaitResult("down", 1, LONG));
        for (String job : List.of("up", "block")) {
            Eventually.until(
                    job + " waits for an answer",
                    LONG,
                    () -> b.console(job, 1).contains("goes on?"));
        }
        for (String job : List.of("up", "block", "up-flow", "down-flow")) {
            PipelineState.awaitStored(PipelineState.folder(two, job, 1));
        }
        two.controller("b").kill9();
        Files.copy(old, queue, StandardCopyOption.REPLACE_EXISTING);
        assertEquals(List.of("block", "down"), ledger(ledger));

        // meanwhile: a Pipeline of a build step has no queue item, and is ended all the same
        Eventually.until(
                "the survivor ends it",
                LONG,
                () ->
                        List.of(200, 302)
                                .contains(a.post(flow("kill"), java.util.Map.of()).statusCode()));
        assertEquals("ABORTED", a.awaitResult("down-flow", 1, LONG));
        assertTrue(a.console("down-flow", 1).endsWith("Finished: ABORTED\n"));

        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        two.stage().awaitMembers(2, TwoControllers.SOON);
        two.onlyOn("b");
        for (String job : List.of("up", "block")) {
            Eventually.until(
                    job + " is resumed", LONG, () -> b.console(job, 1).contains("Ready to run"));
        }
        long next = b.trigger("down");
        assertEquals(2, b.awaitBuildNumber(next, LONG), "no other build took the number");
        assertEquals("SUCCESS", b.awaitResult("down", 2, LONG));
        Eventually.until("nothing waits", LONG, () -> b.queue().path("items").isEmpty());
        assertEquals(List.of("block", "down", "down"), ledger(ledger));
        assertEquals("ABORTED", b.awaitResult("down-flow", 1, LONG));
        assertEquals("ABORTED", b.awaitResult("up-flow", 1, LONG), "it hears of that");
        for (String job : List.of("up", "block")) {
            PipelineState.proceed(b, job, 1);
            assertEquals("SUCCESS", b.awaitResult(job, 1, LONG));
        }
        assertEquals(List.of("block", "down", "down"), ledger(ledger));
    }

    private static String flow(String verb) {
        return "job/down-flow/1/" + verb;
    }

    private String waits(String file) {
        return new FreestyleJob()
                .shell("while [ ! -e " + two.folder(file) + " ]; do sleep 0.2; done")
                .xml();
    }

    private static String waiting(JenkinsClient on) {
        return TwoControllers.script(
                on,
                "Jenkins.get().queue.items.each { println it.task.class.name + ' ' + it.task.name"
                        + " }");
    }

    private static List<String> ledger(Path file) {
        try {
            return Files.readAllLines(file).stream().sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
