package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Agents that come by TCP through a balancer that leads them to any controller, and agents that a
 * controller launches by SSH.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AgentKindsTest {
    private static final Duration LONG = Duration.ofMinutes(3);

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
                                    .property(
                                            "jenkins.model.Jenkins.slaveAgentPortEnforce", "true")
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
        balancer = new HaProxy(two.stage(), false, agentPort, agentPorts);
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
        two.createJob("tcp", new FreestyleJob().label("tcp").shell("echo on $NODE_NAME").xml());
        two.createJob("block", JobXml.pipeline("node('tcp') { sh 'echo on $NODE_NAME' }"));
        long began = System.nanoTime();
        try (RoamingAgent agent = RoamingAgent.through(balancer, two.stage(), "tcp", 1)) {
            await("it is online", () -> !whereIs("tcp").isEmpty());
            figure("an agent by TCP is online after", seconds(began), "s");
            two.a().trigger("tcp");
            assertEquals("SUCCESS", two.a().awaitResult("tcp", 1, SOON));
            for (int round = 1; round <= 4; round++) {
                String from = whereIs("tcp");
                String to = from.equals("a") ? "b" : "a";
                two.onlyOn(to);
                long asked = System.nanoTime();
                JenkinsClient on = two.controller(to).client();
                on.trigger("block");
                assertEquals("SUCCESS", on.awaitResult("block", round, SOON));
                figure("a node block on another controller, agent by TCP", seconds(asked), "s");
                assertEquals(
                        to, JenkinsClient.controllerOf(on.build("block", round).orElseThrow()));
                assertEquals(1, totalExecutors());
            }
            two.onBoth();
            for (int round = 1; round <= 2; round++) {
                String dead = whereIs("tcp");
                String survivor = dead.equals("a") ? "b" : "a";
                long killed = System.nanoTime();
                two.controller(dead).kill9();
                await("it is back", () -> isOnline(survivor, "tcp"));
                figure("an agent by TCP back at a survivor after", seconds(killed), "s");
                two.bothAlive();
            }
            assertEquals(true, agent.process().alive());
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

    private static void await(String what, java.util.function.BooleanSupplier holds) {
        Eventually.until(what, LONG, holds::getAsBoolean);
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
