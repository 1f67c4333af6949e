package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Steps on a real agent, and what Declarative Pipelines do around steps, over a death. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdoptedStepsTest {
    private static final Duration LONG = Duration.ofMinutes(3);
    private static final int TICKS = 40;

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "adopted-steps",
                        4,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "pipeline-build-step",
                        "pipeline-model-definition");
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
    void aProcessOnAnAgentThatLivesGoesOnAndNothingOfItsLogIsMissing() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        try (RoamingAgent agent = RoamingAgent.start(two, "far", 2, two.controller("b"))) {
            two.createJob(
                    "scripted",
                    JobXml.pipeline(
                            "node('far') {\n"
                                    + shell("scripted")
                                    + "\n}\n"
                                    + tick("scripted-after")));
            two.createJob(
                    "declared",
                    JobXml.pipeline(
                            """
                            pipeline {
                              agent none
                              options { timeout(time: 5, unit: 'MINUTES') }
                              stages {
                                stage('left out') {
                                  when { expression { return false } }
                                  steps { %s }
                                }
                                stage('far') {
                                  agent { label 'far' }
                                  steps { %s }
                                  post { always { echo 'after the stage' } }
                                }
                                stage('asked for') {
                                  when { expression { return true } }
                                  steps { %s }
                                }
                              }
                              post {
                                success { echo 'after all: good' }
                                failure { echo 'after all: bad' }
                              }
                            }
                            """
                                    .formatted(
                                            tick("declared-never"),
                                            shell("declared"),
                                            tick("declared-after"))));
            List<String> jobs = List.of("scripted", "declared");
            for (String job : jobs) {
                b.trigger(job);
            }
            for (String job : jobs) {
                Eventually.until(
                        job + " ticks",
                        LONG,
                        () ->
                                b.build(job, 1).isPresent()
                                        && b.console(job, 1).contains("tick 5\n"));
                TwoControllers.awaitRunning(a, job, 1);
            }
            two.takes("a", true);
            agent.goesTo(two.controller("a"));
            two.controller("b").kill9();
            long killed = System.nanoTime();
            for (String job : jobs) {
                Eventually.until(
                        job + " goes on",
                        LONG,
                        () -> a.console(job, 1).contains("goes on with this Pipeline"));
            }
            figure("adoption.agent_kill_to_going_on", (System.nanoTime() - killed) / 1e6, "ms");
            agent.awaitConnected(two.controller("a"));
            figure("adoption.agent_kill_to_connected", (System.nanoTime() - killed) / 1e6, "ms");
            for (String job : jobs) {
                assertEquals("SUCCESS", a.awaitResult(job, 1, LONG), a.console(job, 1));
                List<String> all = ticks(job);
                assertEquals(all, lines(two.folder(job + ".ticks")), "one process, once");
                assertEquals(
                        all,
                        a.console(job, 1)
                                .lines()
                                .filter(line -> line.startsWith("tick "))
                                .map(line -> job + " " + line)
                                .toList(),
                        "each line of its log, in order, once");
                assertEquals(1, lines(two.folder(job + ".pids")).size(), "it began once");
            }
            assertEquals(
                    List.of("declared-after", "scripted-after"),
                    lines(two.folder("ledger")).stream().sorted().toList());
            String log = a.console("declared", 1);
            assertTrue(log.contains("after the stage\n"), log);
            assertTrue(log.contains("after all: good\n"), log);
            assertTrue(log.contains("\"left out\" skipped"), log);
        }
    }

    /** A process that says what it does in a file, too, out of the reach of any controller. */
    private String shell(String job) {
        return "sh 'set +x; echo $$ >> "
                + two.folder(job + ".pids")
                + "; for i in $(seq "
                + TICKS
                + "); do echo tick $i; echo "
                + job
                + " tick $i >> "
                + two.folder(job + ".ticks")
                + "; sleep 0.5; done'";
    }

    private static List<String> ticks(String job) {
        return new ArrayList<>(
                IntStream.rangeClosed(1, TICKS).mapToObj(i -> job + " tick " + i).toList());
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
