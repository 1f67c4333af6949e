package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Agents of a cloud that makes processes on this host, which connect through one line, as behind a
 * balancer.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CloudAgentsTest {
    private static final Duration LONG = Duration.ofMinutes(3);
    private static final int CAP = 2;

    private TwoControllers two;
    private FaultyLine line;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "cloud-agents",
                        0,
                        (stage, each) -> {
                            if (line == null) {
                                line = new FaultyLine(each.url().getPort());
                            }
                            each.environment("HA_JENKINS_URL", each.url().toString())
                                    .extensions()
                                    .property(
                                            "switch.cloud-url",
                                            "http://127.0.0.1:" + line.port() + "/")
                                    .property(
                                            "switch.cloud-folder",
                                            stage.root().resolve("cloud").toString());
                        },
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step");
        cloud("made", CAP);
        two.createJob("made", job("made", "sleep 1"));
    }

    @AfterAll
    void stop() {
        if (two != null) {
            agents().forEach(ProcessHandle::destroyForcibly);
            two.close();
        }
        if (line != null) {
            line.close();
        }
    }

    @BeforeEach
    void toA() {
        line.to(two.controller("a").url().getPort());
    }

    @AfterEach
    void noneIsLeft() {
        two.bothAlive();
        Eventually.until("no agent is left", Duration.ofMinutes(1), () -> agents().isEmpty());
        Eventually.until("no slot is left", Duration.ofMinutes(1), () -> slots() == 0);
        for (JenkinsClient each : List.of(two.a(), two.b())) {
            Eventually.until(
                    "no node is left",
                    Duration.ofMinutes(1),
                    () -> script(each, "print Jenkins.get().nodes.size()").strip().equals("0"));
        }
    }

    @Test
    void eachBuildGetsOneAgentAtOnceAndTheCapHoldsInTheClusterAlsoWhenTheCloudFails() {
        int before = asked();
        for (JenkinsClient each : List.of(two.a(), two.b())) {
            script(each, set("cloud-delay", "300"));
        }
        script(two.a(), set("cloud-fails", "1"));
        AtomicInteger most = new AtomicInteger();
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(
                    (i % 2 == 0 ? two.a() : two.b())
                            .trigger("made", Map.of("N", String.valueOf(i))));
        }
        Eventually.until(
                "all are built",
                LONG,
                () -> {
                    most.accumulateAndGet(slots(), Math::max);
                    return two.a()
                                    .json("job/made/api/json?tree=builds[result]")
                                    .toString()
                                    .split("SUCCESS", -1)
                                    .length
                            == 6;
                });
        assertEquals(CAP, most.get(), "agents in the cluster at once");
        int failed =
                script(
                                        two.a(),
                                        "print"
                                            + " io.jenkins.plugins.ha.extensions.Switches.get('cloud-fails')")
                                .strip()
                                .equals("0")
                        ? 1
                        : 0;
        assertEquals(5 + failed, asked() - before, "asked for");
        decisions(two.a());
        decisions(two.b());
    }

    @Test
    void agentsOfAControllerThatDiedAreEndedByASurvivorAndItsBuildsGetNewOnes() {
        cloud("died", 1);
        two.createJob("died", job("died", "test $BUILD_NUMBER -gt 1 || sleep 300"));
        two.onlyOn("a");
        two.a().trigger("died", Map.of("N", "1"));
        Eventually.until(
                "it runs", LONG, () -> two.a().build("died", 1).isPresent() && !agents().isEmpty());
        TwoControllers.awaitRunning(two.b(), "died", 1);
        ProcessHandle agent = agents().get(0);
        two.takes("b", true);
        two.controller("a").kill9();
        line.to(two.controller("b").url().getPort());
        long killed = System.nanoTime();
        Eventually.until("its agent is ended", Duration.ofMinutes(1), () -> !agent.isAlive());
        figure("cloud agent ended after its controller's death", seconds(killed), "s");
        assertEquals("SUCCESS", two.b().awaitResult("died", 2, LONG));
        assertEquals("b", JenkinsClient.controllerOf(two.b().build("died", 2).orElseThrow()));
    }

    @Test
    void anAgentIsAdoptedWithThePipelineThatRunsOnIt() {
        cloud("adopted", 1);
        two.createJob(
                "adopted",
                JobXml.pipeline(
                        "node('adopted') { sh 'echo pid $$; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13"
                                + " 14 15 16 17 18 19 20; do sleep 1; done; echo all' }"));
        two.onlyOn("a");
        two.a().trigger("adopted");
        ProcessHandle agent = agentThatRuns("adopted");
        two.takes("b", true);
        two.controller("a").kill9();
        line.to(two.controller("b").url().getPort());
        long killed = System.nanoTime();
        Eventually.until("b has the agent", LONG, () -> hasAgent(two.b(), "adopted"));
        figure("cloud agent adopted after its controller's death", seconds(killed), "s");
        assertEquals(
                "SUCCESS", two.b().awaitResult("adopted", 1, LONG), two.b().console("adopted", 1));
        assertTrue(two.b().console("adopted", 1).contains("\nall"), two.b().console("adopted", 1));
        Eventually.until("it is ended then", LONG, () -> !agent.isAlive());
    }

    /** Nobody dies: the agent still comes by way of the controller that gave it away. */
    @Test
    void anAgentIsHandedOverWithThePipelineThatRunsOnIt() throws IOException {
        cloud("handed", 1);
        Path go = two.stage().root().resolve("go-on");
        two.createJob(
                "handed",
                JobXml.pipeline(
                        "node('handed') { sh 'echo pid $$; until test -e %s; do sleep 1; done; echo same $$' }"
                                .formatted(go)));
        two.onlyOn("a");
        two.a().trigger("handed");
        ProcessHandle agent = agentThatRuns("handed");
        two.takes("b", true);
        long asked = System.nanoTime();
        assertEquals(200, two.a().post("job/handed/1/ha-move/?to=b", Map.of()).statusCode());
        Eventually.until(
                "b alone has the agent",
                LONG,
                () -> hasAgent(two.b(), "handed") && !hasAgent(two.a(), "handed"));
        figure("cloud agent handed over", seconds(asked), "s");
        Files.writeString(go, "");
        assertEquals(
                "SUCCESS", two.b().awaitResult("handed", 1, LONG), two.b().console("handed", 1));
        String log = two.b().console("handed", 1);
        assertEquals(word(log, "pid "), word(log, "same "), log);
        assertEquals("b", JenkinsClient.controllerOf(two.b().build("handed", 1).orElseThrow()));
        Eventually.until("it is ended then", LONG, () -> !agent.isAlive());
    }

    /** The process on which the first build of the Pipeline runs, by a's word. */
    private ProcessHandle agentThatRuns(String pipeline) {
        Eventually.until(
                "it runs on its agent",
                LONG,
                () ->
                        two.a().build(pipeline, 1).isPresent()
                                && two.a().console(pipeline, 1).matches("(?s).*\npid \\d+.*"));
        return agents().get(0);
    }

    private static boolean hasAgent(JenkinsClient on, String label) {
        return script(
                        on,
                        "print Jenkins.get().computers.any { it.name.startsWith('%s-') && it.online }"
                                .formatted(label))
                .strip()
                .equals("true");
    }

    private static String word(String log, String after) {
        return log.lines()
                .filter(line -> line.startsWith(after))
                .map(line -> line.substring(after.length()).strip())
                .findFirst()
                .orElse("none after " + after);
    }

    private void cloud(String label, int cap) {
        script(
                two.a(),
                "Jenkins.get().clouds.add(new io.jenkins.plugins.ha.extensions.ProcessCloud('%s', %d))"
                        .formatted(label, cap));
        Eventually.until(
                "b has the cloud",
                TwoControllers.SOON,
                () ->
                        script(
                                        two.b(),
                                        "print Jenkins.get().clouds*.name.contains('processes-"
                                                + label
                                                + "')")
                                .strip()
                                .equals("true"));
    }

    private static String job(String label, String shell) {
        return new FreestyleJob().concurrent().parameter("N").label(label).shell(shell).xml();
    }

    private static String set(String name, String value) {
        return "io.jenkins.plugins.ha.extensions.Switches.set('%s', '%s')".formatted(name, value);
    }

    private int slots() {
        return ((Long)
                        two.stage()
                                .redis()
                                .call("HLEN", "{haj:" + two.stage().cluster() + "}:clouds"))
                .intValue();
    }

    private int asked() {
        int count = 0;
        for (JenkinsClient each : List.of(two.a(), two.b())) {
            count +=
                    Integer.parseInt(
                            script(
                                            each,
                                            "print"
                                                + " io.jenkins.plugins.ha.extensions.ProcessCloud.asked().size()")
                                    .strip());
        }
        return count;
    }

    /** How long it took until the cloud was asked, for the items that waited for nothing else. */
    private static void decisions(JenkinsClient on) {
        System.out.println(
                "figure: decisions on "
                        + on.url()
                        + " "
                        + script(
                                on,
                                """
                                def asked = io.jenkins.plugins.ha.extensions.ProcessCloud.asked()
                                io.jenkins.plugins.ha.extensions.BuildableTimes.lines().sort(false).each {
                                    def p = it.split(' ')
                                    def b = p[1] as long
                                    def first = asked.findAll { it >= b }.min()
                                    println p[0] + ' asked after ' + (first == null ? '-' : ((first - b) / 1e6)) + ' ms, left after ' + (((p[2] as long) - b) / 1e6)
                                }
                                """));
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    /** The processes that live. */
    private List<ProcessHandle> agents() {
        Path folder = two.folder("cloud");
        List<ProcessHandle> result = new ArrayList<>();
        if (!Files.exists(folder)) {
            return result;
        }
        try (Stream<Path> agents = Files.list(folder)) {
            for (Path agent : agents.toList()) {
                Path pid = agent.resolve("pid");
                if (Files.exists(pid)) {
                    ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                            .filter(ProcessHandle::isAlive)
                            .ifPresent(result::add);
                }
            }
        } catch (IOException | NumberFormatException e) {
            return List.of(ProcessHandle.current()); // one is being made or ended just now
        }
        return result;
    }
}
