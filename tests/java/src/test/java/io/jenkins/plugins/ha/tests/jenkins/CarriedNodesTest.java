package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.InboundAgent;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Permanent agents are the cluster's: what is done to one on a is so on b. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarriedNodesTest {
    private static final String ALL = "Jenkins.get().nodes*.nodeName.sort()";

    private TwoControllers two;

    @BeforeAll
    void start() {
        two = TwoControllers.start("carried-nodes", 1);
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void anAgentIsMadeChangedRenamedAndDeletedOnAnyForAll() {
        script(two.a(), make("made", "first"));
        awaitOn(two.b(), "Jenkins.get().getNode('made')?.labelString", "first");
        assertEquals(
                print(two.a(), "Jenkins.get().getComputer('made').jnlpMac"),
                print(two.b(), "Jenkins.get().getComputer('made').jnlpMac"));

        script(
                two.b(),
                """
                def n = Jenkins.get().getNode('made')
                n.labelString = 'second'
                n.numExecutors = 3
                n.nodeProperties.add(new hudson.slaves.EnvironmentVariablesNodeProperty(
                    new hudson.slaves.EnvironmentVariablesNodeProperty.Entry('K', 'v')))
                n.save()
                """);
        awaitOn(
                two.a(),
                "Jenkins.get().getNode('made').with { it.labelString + ' ' + it.numExecutors + ' '"
                        + " + it.nodeProperties[0]?.envVars }",
                "second 3 [K:v]");
        awaitOn(two.a(), "Jenkins.get().getLabel('first').nodes*.nodeName", "[]");
        awaitOn(two.a(), "Jenkins.get().getLabel('second').nodes*.nodeName", "[made]");
        awaitOn(two.a(), "Jenkins.get().getComputer('made').numExecutors", "3");

        script(
                two.a(),
                """
                def old = Jenkins.get().getNode('made')
                def n = new hudson.slaves.DumbSlave('renamed', '/tmp', new hudson.slaves.JNLPLauncher())
                Jenkins.get().nodesObject.replaceNode(old, n)
                """);
        awaitOn(two.b(), ALL + ".findAll { it in ['made', 'renamed'] }", "[renamed]");

        two.b().post("computer/renamed/doDelete", Map.of());
        awaitOn(two.a(), ALL + ".findAll { it in ['made', 'renamed'] }", "[]");
        assertFalse(Files.exists(two.stage().root().resolve("a/nodes/renamed")));
    }

    @Test
    void whoIsTakenOfflineIsSoOnAllWithTheReasonUntilHeIsPutOnline() {
        script(two.a(), make("resting", "r"));
        awaitOn(two.b(), "Jenkins.get().getNode('resting') != null", "true");
        two.a()
                .post(
                        "computer/resting/toggleOffline",
                        Map.of("offlineMessage", "the disk is being changed"));
        awaitOn(
                two.b(),
                "Jenkins.get().getComputer('resting').with { '' + it.temporarilyOffline + ' ' +"
                        + " it.offlineCauseReason }",
                "true the disk is being changed");
        two.b().post("computer/resting/toggleOffline", Map.of());
        awaitOn(two.a(), "Jenkins.get().getComputer('resting').temporarilyOffline", "false");
    }

    @Test
    void aBuildGoesOnWhileItsAgentIsChangedElsewhere() throws Exception {
        try (InboundAgent agent =
                InboundAgent.start(
                        two.controller("a"), "busy", "busy-label", two.folder("busy-agent"))) {
            agent.awaitOnline(SOON);
            awaitOn(two.b(), "Jenkins.get().getNode('busy') != null", "true");
            two.createJob(
                    "long",
                    new FreestyleJob()
                            .label("busy-label")
                            .shell("while [ ! -e " + two.folder("go") + " ]; do sleep 0.1; done")
                            .xml());
            two.b().trigger("long");
            TwoControllers.awaitRunning(two.a(), "long", 1);
            script(
                    two.b(),
                    "def n = Jenkins.get().getNode('busy'); n.nodeDescription = 'changed';"
                            + " n.labelString = 'busy-label more'; n.save()");
            awaitOn(two.a(), "Jenkins.get().getNode('busy').nodeDescription", "changed");
            assertEquals("true", print(two.a(), "Jenkins.get().getComputer('busy').online"));
            Files.createFile(two.folder("go"));
            assertEquals("SUCCESS", two.b().awaitResult("long", 1, SOON));
        }
    }

    @Test
    void anAgentOfACloudIsItsControllersOwn() {
        script(
                two.a(),
                """
                class Own extends hudson.slaves.AbstractCloudSlave implements hudson.slaves.EphemeralNode {
                    Own(String n) { super(n, '/tmp', new hudson.slaves.JNLPLauncher()) }
                    hudson.slaves.AbstractCloudComputer createComputer() {
                        return new hudson.slaves.AbstractCloudComputer(this)
                    }
                    void _terminate(hudson.model.TaskListener l) { }
                    hudson.model.Node asNode() { this }
                }
                Jenkins.get().addNode(new Own('of-a-cloud'))
                """);
        script(two.a(), make("after", "r"));
        awaitOn(two.b(), ALL + ".findAll { it in ['after', 'of-a-cloud'] }", "[after]");
        script(two.a(), "io.jenkins.plugins.ha.Membership.active().get().carrying().lookSoon()");
        script(two.a(), make("last", "r"));
        awaitOn(two.b(), ALL + ".findAll { it in ['last', 'of-a-cloud'] }", "[last]");
    }

    private static String make(String name, String label) {
        return """
        def node = new hudson.slaves.DumbSlave('%s', '/tmp', new hudson.slaves.JNLPLauncher())
        node.labelString = '%s'
        Jenkins.get().addNode(node)
        """
                .formatted(name, label);
    }

    private static void awaitOn(JenkinsClient on, String expression, String value) {
        Eventually.until(
                expression + " is " + value,
                SecuredPair.AT_ONCE,
                () -> print(on, expression).equals(value));
    }

    private static String print(JenkinsClient on, String expression) {
        return script(on, "print(" + expression + ")").strip();
    }
}
