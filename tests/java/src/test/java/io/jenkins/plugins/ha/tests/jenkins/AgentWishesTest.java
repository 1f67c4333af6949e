package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What stays with its controller gets the agents of the others, in the order of waiting. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("try") // agents are there as long as they are needed
class AgentWishesTest {
    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "agent-wishes",
                        0,
                        (stage, each) -> each.environment("HA_JENKINS_URL", each.url().toString()),
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "command-launcher");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @AfterEach
    void both() {
        two.bothAlive();
    }

    @Test
    void aNodeBlockGetsTheAgentThatIsIdleAtAnotherController() {
        two.createJob("p", JobXml.pipeline("node('idle') { sh 'echo on $NODE_NAME' }"));
        two.onlyOn("a");
        List<Double> waited = new ArrayList<>();
        try (RoamingAgent agent = RoamingAgent.start(two, "idle", 1, two.controller("b"))) {
            for (int round = 1; round <= 5; round++) {
                if (round > 1) {
                    script(two.a(), AgentOwnersTest.give("idle", "b"));
                    agent.awaitConnected(two.controller("b"));
                }
                // It reaches b in odd rounds, and a itself in even ones.
                agent.goesTo(two.controller(round % 2 == 1 ? "b" : "a"));
                two.a().trigger("p");
                assertEquals("SUCCESS", two.a().awaitResult("p", round, SOON));
                assertEquals(
                        "a", JenkinsClient.controllerOf(two.a().build("p", round).orElseThrow()));
                waited.add(waited(two.a(), round));
            }
        }
        waited.sort(null);
        figure("a node block waits for an agent idle elsewhere, median", waited.get(2), "s");
        figure("a node block waits for an agent idle elsewhere, longest", waited.get(4), "s");
    }

    @Test
    void whenItIsBusyTheLongestWaitingGetsItWhereverItWaits() throws IOException {
        Path go = two.folder("go");
        Path order = two.folder("order");
        String hold = "while [ ! -e " + go + " ]; do sleep 0.05; done";
        String said = " >> " + order;
        two.createJob("holds", new FreestyleJob().label("busy").shell(hold).xml());
        two.createJob("block", JobXml.pipeline("node('busy') { sh 'echo block" + said + "' }"));
        two.createJob("build", new FreestyleJob().label("busy").shell("echo build" + said).xml());
        try (RoamingAgent agent = RoamingAgent.start(two, "busy", 1, two.controller("b"))) {
            for (int round = 1; round <= 2; round++) {
                Files.deleteIfExists(go);
                Files.deleteIfExists(order);
                two.onlyOn("b");
                two.b().trigger("holds");
                TwoControllers.awaitRunning(two.b(), "holds", round);
                if (round == 1) {
                    blockWaitsOnA(round);
                    buildWaits();
                } else {
                    buildWaits();
                    blockWaitsOnA(round);
                }
                two.onlyOn("b");
                Files.createFile(go);
                assertEquals("SUCCESS", two.a().awaitResult("block", round, SOON));
                // In the first round the agent is at a then, which takes nothing.
                assertEquals("SUCCESS", two.a().awaitResult("build", round, SOON));
                List<String> first = List.of("block", "build");
                assertEquals(
                        round == 1 ? first : List.of("build", "block"), Files.readAllLines(order));
            }
        }
    }

    private void buildWaits() {
        two.a().trigger("build");
        Eventually.until("it waits", SOON, () -> two.b().queue().toString().contains("build"));
    }

    /** Its node block waits when this returns. */
    private void blockWaitsOnA(int number) {
        two.onlyOn("a");
        two.a().trigger("block");
        Eventually.until(
                "a node block waits for its agent",
                SOON,
                () ->
                        print(two.a(), "Jenkins.get().queue.buildableItems*.task*.toString()")
                                .matches("(?s).*\\bblock ?#" + number + "\\b.*"));
    }

    @Test
    void aControllerThatTakesNoBuildsGivesItsIdleAgentsToThoseThatDo() {
        two.createJob("anywhere", new FreestyleJob().label("drained").xml());
        try (RoamingAgent agent = RoamingAgent.start(two, "drained", 1, two.controller("b"))) {
            script(
                    two.b(),
                    "io.jenkins.plugins.ha.Membership.active().get().claimer().drain(true)");
            two.b().trigger("anywhere");
            assertEquals("SUCCESS", two.b().awaitResult("anywhere", 1, SOON));
            assertEquals(
                    "a", JenkinsClient.controllerOf(two.b().build("anywhere", 1).orElseThrow()));
        } finally {
            script(
                    two.b(),
                    "io.jenkins.plugins.ha.Membership.active().get().claimer().drain(false)");
        }
    }

    @Test
    void anAgentThatItsControllerLaunchesIsLaunchedByOneAndByTheOneThatNeedsIt() {
        Path jar = two.folder("launched.jar");
        script(
                two.a(),
                """
                new File('%1$s').bytes = new URL('%2$sjnlpJars/agent.jar').bytes
                def c = "java -Xmx64m -jar %1$s -workDir %3$s"
                def launcher = new hudson.slaves.CommandLauncher(c)
                def n = new hudson.slaves.DumbSlave('launched', '%3$s', launcher)
                n.mode = hudson.model.Node.Mode.EXCLUSIVE
                Jenkins.get().addNode(n)
                """
                        .formatted(jar, two.a().url(), two.folder("launched")));
        two.createJob("l", JobXml.pipeline("node('launched') { sh 'true' }"));
        Eventually.until("a has launched it", SOON, () -> online(two.a(), "launched"));
        Eventually.until(
                "b says where it is",
                SOON,
                () ->
                        print(two.b(), "Jenkins.get().getComputer('launched').offlineCauseReason")
                                .equals("It is connected to the controller a"));
        two.onlyOn("b");
        two.b().trigger("l");
        assertEquals("SUCCESS", two.b().awaitResult("l", 1, SOON));
        assertTrue(online(two.b(), "launched"));
        assertTrue(!online(two.a(), "launched"));
        two.onBoth();
        two.controller("b").kill9();
        Eventually.until("a has launched it again", SOON, () -> online(two.a(), "launched"));
    }

    private static boolean online(JenkinsClient on, String agent) {
        return print(on, "Jenkins.get().getComputer('" + agent + "')?.online").equals("true");
    }

    /** From when the node block waits until it has its executor, s. */
    private static double waited(JenkinsClient on, int number) {
        String millis =
                print(
                        on,
                        """
                        { ->
                            def run = Jenkins.get().getItemByFullName('p').getBuildByNumber(%d)
                            def nodes = new org.jenkinsci.plugins.workflow.graph.FlowGraphWalker(run.execution).toList()
                            def at = { org.jenkinsci.plugins.workflow.actions.TimingAction.getStartTime(it) }
                            def begins = nodes.findAll { it instanceof org.jenkinsci.plugins.workflow.graph.BlockStartNode && it.hasProperty('descriptor') && it.descriptor?.functionName == 'node' }
                            return begins.collect(at).max() - begins.collect(at).min()
                        }()
                        """
                                .formatted(number));
        return Double.parseDouble(millis) / 1000;
    }

    private static String print(JenkinsClient on, String expression) {
        return script(on, "print(" + expression + ")").strip();
    }
}
