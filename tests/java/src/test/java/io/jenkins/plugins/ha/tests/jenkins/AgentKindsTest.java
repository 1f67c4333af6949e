package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Agents that come by TCP through a balancer that leads them to any controller, and agents that a
 * controller launches by SSH.
 */
@LongTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("try") // agents are there as long as they are needed
class AgentKindsTest {
    private static final Duration LONG = Duration.ofMinutes(3);

    private static final int TICKS = 40;

    private final int agentPort = FreePort.next();
    private final Map<String, Integer> agentPorts = new HashMap<>();
    private TwoControllers two;
    private HaProxy balancer;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "agent-kinds",
                        0,
                        (stage, each) -> {
                            int port = FreePort.next();
                            agentPorts.put(each.name(), port);
                            each.environment("HA_JENKINS_URL", each.url().toString())
                                    .property(
                                            "jenkins.model.Jenkins.slaveAgentPort",
                                            String.valueOf(port))
                                    .property("jenkins.model.Jenkins.slaveAgentPortEnforce", "true")
                                    .property(
                                            "hudson.TcpSlaveAgentListener.port",
                                            String.valueOf(agentPort));
                        },
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "instance-identity",
                        "ssh-slaves");
        balancer = new HaProxy(two.stage(), false, FreePort.next(), agentPort, agentPorts);
    }

    @AfterAll
    void stop() {
        if (balancer != null) {
            balancer.close();
        }
        if (two != null) {
            two.close();
        }
    }

    @AfterEach
    void alive() {
        two.bothAlive();
    }

    @Test
    void anAgentByTcpWorksForWhicheverControllerNeedsItWhereverTheBalancerLeadsIt() {
        long began = System.nanoTime();
        try (RoamingAgent agent = RoamingAgent.through(balancer, two.stage(), "tcp", 1)) {
            await("it is online", () -> !whereIs("tcp").isEmpty());
            figure("an agent by TCP is online after", seconds(began), "s");
            goesWhereItIsNeeded("tcp");
            isBackAtASurvivor("tcp");
            assertTrue(agent.process().alive());
        }
    }

    @Test
    void anAgentBySshIsLaunchedByTheControllerThatNeedsItAndByASurvivor() {
        try (Sshd sshd = new Sshd(two.stage())) {
            sshd.node(two.stage(), "ssh", 1);
            await("it is online", () -> !whereIs("ssh").isEmpty());
            goesWhereItIsNeeded("ssh");
            isBackAtASurvivor("ssh");
            script(two.a(), "Jenkins.get().removeNode(Jenkins.get().getNode('ssh'))");
        }
    }

    @Test
    void whatRunsOnThemGoesOnInTheSameProcessWhenItsPipelineIsAdopted() throws IOException {
        try (RoamingAgent agent = RoamingAgent.through(balancer, two.stage(), "tcp2", 1);
                Sshd sshd = new Sshd(two.stage())) {
            sshd.node(two.stage(), "ssh2", 1);
            two.onlyOn("b");
            for (String kind : List.of("tcp2", "ssh2")) {
                two.createJob(kind + "-goes-on", JobXml.pipeline(ticking(kind)));
                two.b().trigger(kind + "-goes-on");
            }
            for (String kind : List.of("tcp2", "ssh2")) {
                await(kind + " ticks", () -> ticks(kind).size() > 5);
            }
            two.takes("a", true);
            two.controller("b").kill9();
            long killed = System.nanoTime();
            for (String kind : List.of("tcp2", "ssh2")) {
                await(kind + " is at a", () -> isOnline("a", kind));
                figure(kind + " is at the survivor of its Pipeline after", seconds(killed), "s");
            }
            for (String kind : List.of("tcp2", "ssh2")) {
                String job = kind + "-goes-on";
                assertEquals("SUCCESS", two.a().awaitResult(job, 1, LONG), two.a().console(job, 1));
                List<String> all =
                        IntStream.rangeClosed(1, TICKS).mapToObj(n -> "tick " + n).toList();
                assertEquals(all, ticks(kind), "one process, once");
                List<String> log = two.a().console(job, 1).lines().toList();
                assertEquals(all, log.stream().filter(line -> line.startsWith("tick ")).toList());
                assertEquals(1, Files.readAllLines(two.folder(kind + ".pids")).size());
            }
            assertTrue(agent.process().alive());
            script(two.a(), "Jenkins.get().removeNode(Jenkins.get().getNode('ssh2'))");
        }
    }

    @Test
    void whoComesByTcpWithAWrongSecretIsRefusedAndChangesNothing() {
        try (RoamingAgent agent = RoamingAgent.through(balancer, two.stage(), "true", 1);
                RoamingAgent wrong =
                        RoamingAgent.through(
                                balancer, two.stage(), "false", 1, "-secret", "0".repeat(64))) {
            await("the right one is online", () -> !whereIs("true").isEmpty());
            await(
                    "the wrong one is told so",
                    () -> wrong.process().output().contains("Authorization failure"));
            assertTrue(
                    two.controller("a").logText().contains("with a wrong secret")
                            || two.controller("b").logText().contains("with a wrong secret"));
            assertEquals("", whereIs("false"));
            assertEquals(1, whereIs("true").length());
            assertTrue(agent.process().alive());
        }
    }

    private void goesWhereItIsNeeded(String agent) {
        String job = agent + "-block";
        two.createJob(job, JobXml.pipeline("node('" + agent + "') { sh 'echo on $NODE_NAME' }"));
        for (int round = 1; round <= 3; round++) {
            String to = whereIs(agent).equals("a") ? "b" : "a";
            two.onlyOn(to);
            long asked = System.nanoTime();
            JenkinsClient on = two.controller(to).client();
            on.trigger(job);
            assertEquals("SUCCESS", on.awaitResult(job, round, SOON));
            figure("a node block on another controller, " + agent, seconds(asked), "s");
            assertEquals(to, JenkinsClient.controllerOf(on.build(job, round).orElseThrow()));
            assertEquals(to, whereIs(agent));
            Eventually.until("counted once", SOON, () -> totalExecutors() == 1);
        }
        two.onBoth();
    }

    private void isBackAtASurvivor(String agent) {
        String dead = whereIs(agent);
        String survivor = dead.equals("a") ? "b" : "a";
        long killed = System.nanoTime();
        two.controller(dead).kill9();
        await("it is back", () -> isOnline(survivor, agent));
        figure(agent + " is back at a survivor after", seconds(killed), "s");
        two.bothAlive();
    }

    private String ticking(String agent) {
        return "node('%1$s') { sh 'set +x; echo $$ >> %2$s.pids; for i in $(seq %3$d); do echo tick $i; echo tick $i >> %2$s.ticks; sleep 0.5; done' }"
                .formatted(agent, two.folder(agent), TICKS);
    }

    private List<String> ticks(String agent) {
        Path file = two.folder(agent + ".ticks");
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int totalExecutors() {
        return two.a().json("computer/api/json").path("totalExecutors").asInt();
    }

    /** The name of the controller where the agent is online; "" for none. */
    private String whereIs(String agent) {
        StringBuilder where = new StringBuilder();
        for (String each : List.of("a", "b")) {
            if (two.controller(each).alive() && isOnline(each, agent)) {
                where.append(each);
            }
        }
        return where.toString();
    }

    private boolean isOnline(String controller, String agent) {
        return script(
                        two.controller(controller).client(),
                        "print Jenkins.get().getComputer('" + agent + "')?.online")
                .strip()
                .equals("true");
    }

    private static void await(String what, BooleanSupplier holds) {
        Eventually.until(what, LONG, holds::getAsBoolean);
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
