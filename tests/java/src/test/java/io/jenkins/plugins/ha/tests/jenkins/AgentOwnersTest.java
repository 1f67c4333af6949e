package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * An agent that connects to any controller works for one of them, and for the next when it dies.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("try") // agents are there as long as they are needed
class AgentOwnersTest {
    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "agent-owners",
                        0,
                        (stage, each) -> each.environment("HA_JENKINS_URL", each.url().toString()));
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @AfterEach
    void alive() {
        two.bothAlive();
    }

    @Test
    void anAgentThatReachesAnotherControllerIsPassedOnToItsOwnAndCountedOnce() {
        try (RoamingAgent agent = RoamingAgent.start(two, "passed", 2, two.controller("a"))) {
            Eventually.until(
                    "b says where it is",
                    SOON,
                    () ->
                            print(two.b(), "Jenkins.get().getComputer('passed').offlineCauseReason")
                                    .equals("It is connected to the controller a"));
            for (JenkinsClient each : List.of(two.a(), two.b())) {
                awaitExecutors(each, 2, 0);
            }

            // Given to b while its connection goes to a still.
            script(two.a(), give("passed", "b"));
            agent.awaitConnected(two.controller("b"));
            assertEquals("1", print(two.a(), relays()));
            assertEquals("false", print(two.a(), online("passed")));
            two.createJob(
                    "relayed",
                    new FreestyleJob().label("passed").shell("head -c 3000000 /dev/zero").xml());
            two.a().trigger("relayed");
            assertEquals("SUCCESS", two.a().awaitResult("relayed", 1, SOON));
            assertEquals(
                    "b", JenkinsClient.controllerOf(two.a().build("relayed", 1).orElseThrow()));
            relayCost(two.b(), "passed", "relayed");

            script(two.b(), give("passed", "a"));
            agent.awaitConnected(two.controller("a"));
            assertEquals("0", print(two.a(), relays()));
            relayCost(two.a(), "passed", "direct");
        }
    }

    @Test
    void executorsOfTheWholeClusterAreOnThePagesOfEachAndAreStoppedThere() {
        try (RoamingAgent agent = RoamingAgent.start(two, "shown", 1, two.controller("b"))) {
            two.createJob("shown", new FreestyleJob().label("shown").shell("sleep 300").xml());
            two.a().trigger("shown");
            agent.awaitConnected(two.controller("b"));
            // before that core's shell step swallows an interrupt, on one Jenkins too
            Eventually.until(
                    "its process runs",
                    SOON,
                    () ->
                            two.a().build("shown", 1).isPresent()
                                    && two.a().console("shown", 1).contains("+ sleep 300"));
            for (JenkinsClient each : List.of(two.a(), two.b())) {
                awaitExecutors(each, 1, 1);
                JsonNode shown = computer(each, "shown");
                assertFalse(shown.path("offline").asBoolean(), shown.toString());
                assertEquals(
                        1,
                        shown.path("executors")
                                .path(0)
                                .path("currentExecutable")
                                .path("number")
                                .asInt(),
                        shown.toString());
            }
            assertTrue(two.a().get("computer/").body().contains("shown (b)"));
            String pane = two.a().get("").body();
            assertTrue(pane.contains("shown (b)"), pane);
            Matcher stop =
                    Pattern.compile("\"(/computer/shown/[^\"]*stopBuild[^\"]*)\"").matcher(pane);
            assertTrue(stop.find(), pane);
            String address =
                    URI.create(stop.group(1).replace("&amp;", "&"))
                            .normalize()
                            .toString()
                            .substring(1);
            assertEquals(302, two.a().post(address, Map.of()).statusCode(), address);
            assertEquals("ABORTED", two.a().awaitResult("shown", 1, SOON));
            for (JenkinsClient each : List.of(two.a(), two.b())) {
                awaitExecutors(each, 1, 0);
            }
        }
    }

    private static void awaitExecutors(JenkinsClient on, int total, int busy) {
        Eventually.until(
                total + " executors, of which " + busy + " are busy",
                SOON,
                () -> {
                    JsonNode all = on.json("computer/api/json?depth=2");
                    return all.path("totalExecutors").asInt() == total
                            && all.path("busyExecutors").asInt() == busy;
                });
    }

    private static JsonNode computer(JenkinsClient on, String name) {
        for (JsonNode one : on.json("computer/api/json?depth=2").path("computer")) {
            if (one.path("displayName").asText().equals(name)) {
                return one;
            }
        }
        throw new AssertionError("no computer " + name);
    }

    @Test
    void whenItsControllerDiesAnAgentIsBackAtASurvivorWithinSecondsAlsoBehindARelay() {
        try (RoamingAgent direct = RoamingAgent.start(two, "direct", 1, two.controller("a"));
                RoamingAgent relayed = RoamingAgent.start(two, "through", 1, two.controller("b"))) {
            script(two.b(), give("through", "a"));
            relayed.awaitConnected(two.controller("a"));
            assertEquals("1", print(two.b(), relays()));
            direct.goesTo(two.controller("b"));
            long killed = System.nanoTime();
            two.controller("a").kill9();
            direct.awaitConnected(two.controller("b"));
            relayed.awaitConnected(two.controller("b"));
            figure("agents back at a survivor after", seconds(killed), "s");
            assertEquals("0", print(two.b(), relays()));
        }
    }

    @Test
    void aRelayIsClosedWhenTheOwnersLeaseLapsesAndTheOwnerLetsGoWhenItIsBack() {
        try (RoamingAgent agent = RoamingAgent.start(two, "frozen", 1, two.controller("b"))) {
            script(two.b(), give("frozen", "a"));
            agent.awaitConnected(two.controller("a"));
            long stopped = System.nanoTime();
            two.controller("a").pause();
            try {
                agent.awaitConnected(two.controller("b"));
                figure("agent back from a stopped owner after", seconds(stopped), "s");
            } finally {
                two.controller("a").resume();
            }
            two.stage().awaitMembers(2, SOON);
            Eventually.until(
                    "a has it no more",
                    SOON,
                    () -> print(two.a(), online("frozen")).equals("false"));
            assertEquals("true", print(two.b(), online("frozen")));
        }
    }

    @Test
    void whomCoreRefusesIsRefusedAndChangesNothing() {
        try (RoamingAgent agent = RoamingAgent.start(two, "real", 1, two.controller("a"))) {
            String secret = print(two.a(), "Jenkins.get().getComputer('real').jnlpMac");
            assertEquals(403, connect(two.b(), "real", "0".repeat(64)));
            assertEquals(400, connect(two.b(), "unknown", secret));
            // Another one of this name: by way of either controller as core answers it.
            assertEquals(400, connect(two.a(), "real", secret));
            assertEquals(400, connect(two.b(), "real", secret));
            assertTrue(two.controller("b").logText().contains("The agent real is refused by the"));
            assertTrue(two.controller("a").logText().contains("real is already connected"));
            assertFalse(two.controller("b").logText().contains(secret));
            assertEquals("true", print(two.a(), online("real")));
        }
    }

    /** The status of the answer to an agent that wants to connect. */
    private static int connect(JenkinsClient to, String name, String secret) {
        URI address =
                URI.create(to.url().toString().replaceFirst("^http", "ws")).resolve("wsagents/");
        try {
            HttpClient.newHttpClient()
                    .newWebSocketBuilder()
                    .header("Node-Name", name)
                    .header("Secret-Key", secret)
                    .header("X-Remoting-Capability", "rO0ABQ==")
                    .connectTimeout(Duration.ofSeconds(30))
                    .buildAsync(address, new WebSocket.Listener() {})
                    .join()
                    .abort();
            return 101;
        } catch (CompletionException e) {
            return ((WebSocketHandshakeException) e.getCause()).getResponse().statusCode();
        }
    }

    private static void relayCost(JenkinsClient on, String agent, String how) {
        String measured =
                print(
                        on,
                        """
                        { ->
                            def root = Jenkins.get().getNode('%s').rootPath
                            10.times { root.exists() }
                            def start = System.nanoTime()
                            100.times { root.exists() }
                            def call = (System.nanoTime() - start) / 1e8
                            def file = root.child('big')
                            start = System.nanoTime()
                            file.copyFrom(new ByteArrayInputStream(new byte[40 << 20]))
                            def to = (System.nanoTime() - start) / 1e9
                            file.delete()
                            return call + ' ' + to
                        }()
                        """
                                .formatted(agent));
        String[] parts = measured.split(" ");
        figure("a call to an agent, " + how, Double.parseDouble(parts[0]), "ms");
        figure("40 MiB to an agent, " + how, Double.parseDouble(parts[1]), "s");
    }

    static String give(String agent, String to) {
        return """
        def m = io.jenkins.plugins.ha.Membership.active().get()
        def other = m.cluster().members().find { it.name() == '%2$s' }
        assert m.agents().give('%1$s', other.controllerId())
        Jenkins.get().getComputer('%1$s').disconnect(null)
        """
                .formatted(agent, to);
    }

    private static String relays() {
        return "io.jenkins.plugins.ha.Membership.active().get().agents().relays().count()";
    }

    private static String online(String agent) {
        return "Jenkins.get().getComputer('" + agent + "').online";
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static String print(JenkinsClient on, String expression) {
        return script(on, "print(" + expression + ")").strip();
    }
}
