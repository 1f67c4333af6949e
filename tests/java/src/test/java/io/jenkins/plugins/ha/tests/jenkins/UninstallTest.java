package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The plugin's file is taken away between two boots: what is left is a plain Jenkins. */
class UninstallTest {
    @ParameterizedTest(name = "killed: {0}")
    @ValueSource(booleans = {false, true})
    void aPlainJenkinsBootsWithTheLocalQueueAndEveryBuild(boolean killed) throws IOException {
        JenkinsWar war = SingleController.war();
        Path plugin = SingleController.plugin();
        assumeTrue(
                war.plugins().map(p -> Files.exists(p.resolve("matrix-project.jpi"))).orElse(false),
                "no matrix-project.jpi beside the war");
        try (Stage stage = Stage.open("uninstall")) {
            stage.redis().start();
            JenkinsController controller =
                    stage.addJenkins(war, "a").executors(4).plugins("matrix-project");
            controller.haPlugin(Optional.of(plugin));
            JenkinsClient client = SingleController.up(controller);
            stage.awaitMembers(1, TwoControllers.SOON);

            // Builds of the cluster's queue, with parameters and an action of ours in their files.
            client.createJob("done", new FreestyleJob().parameter("P").shell("echo got $P").xml());
            for (int i = 1; i <= 3; i++) {
                long id = client.trigger("done", Map.of("P", "value" + i));
                assertEquals(i, client.awaitBuildNumber(id, TwoControllers.SOON));
                assertEquals("SUCCESS", client.awaitResult("done", i, TwoControllers.SOON));
            }

            // In the local queue: waiting, blocked behind its job's build, and blocked by a gate.
            client.createJob("tied", FileParameter.job("cat upload.txt; sleep 30"));
            client.createJob("later", FileParameter.job("cat upload.txt"));
            client.createJob("matrix", JobXml.matrix("AXIS", "true", "one", "two"));
            closeGate(client);
            assertEquals(201, FileParameter.trigger(client, "tied", "first", 0));
            Eventually.until(
                    "the first tied build runs",
                    TwoControllers.SOON,
                    () ->
                            client.build("tied", 1)
                                    .map(b -> b.path("building").asBoolean())
                                    .orElse(false));
            assertEquals(201, FileParameter.trigger(client, "tied", "second", 0));
            assertEquals(201, FileParameter.trigger(client, "later", "third", 3600));
            long parent = client.trigger("matrix");
            assertEquals(1, client.awaitBuildNumber(parent, TwoControllers.SOON));
            Map<String, Boolean> blocked =
                    Map.of("tied", true, "later", false, "AXIS=one", true, "AXIS=two", true);
            Eventually.until("all wait", TwoControllers.SOON, () -> queue(client).equals(blocked));

            // In the cluster's queue, which a plain Jenkins knows nothing of.
            client.createJob("travels", new FreestyleJob().quietSeconds(3600).xml());
            long travels = client.trigger("travels");
            assertTrue(client.queueItem(travels).isPresent());

            if (killed) {
                script(client, "hudson.model.Queue.getInstance().save()");
                controller.kill9();
            } else {
                controller.stop();
            }
            String saved = Files.readString(controller.home().resolve("queue.xml"));
            assertTrue(saved.contains("Queue_-BlockedItem"), saved);
            assertFalse(saved.contains("io.jenkins.plugins.ha"), saved);
            assertFalse(saved.contains("travels"), saved);

            controller.haPlugin(Optional.empty());
            JenkinsClient plain = SingleController.up(controller);
            SingleController.assertPlain(plain);
            Map<String, Boolean> left = queue(plain);
            assertTrue(left.containsKey("later"), left::toString);
            assertTrue(
                    left.containsKey("tied") || plain.build("tied", 2).isPresent(), left::toString);
            assertFalse(left.containsKey("travels"), left::toString);
            assertMatrixEnds(plain, left);
            for (int i = 1; i <= 3; i++) {
                JsonNode build = plain.build("done", i).orElseThrow();
                assertEquals("SUCCESS", build.path("result").asText());
                assertTrue(build.toString().contains("\"value" + i + "\""), build::toString);
                assertTrue(plain.console("done", i).contains("got value" + i));
            }
            assertEquals(3, TwoControllers.permalink(plain, "done", "lastSuccessfulBuild"));
            assertTrue(plain.build("tied", 1).isPresent());
            assertTrue(plain.build("matrix", 1).isPresent());

            // It goes on: numbers and queue ids are not used again.
            long id = plain.trigger("done", Map.of("P", "alone"));
            assertTrue(id > travels, id + " after " + travels);
            assertEquals(4, plain.awaitBuildNumber(id, TwoControllers.SOON));
            assertEquals("SUCCESS", plain.awaitResult("done", 4, TwoControllers.SOON));
            Eventually.until(
                    "the second tied build has come",
                    TwoControllers.SOON,
                    () -> plain.build("tied", 2).isPresent());

            // And back: what waits in the cluster is still there.
            controller.stop();
            controller.haPlugin(Optional.of(plugin));
            JenkinsClient again = SingleController.up(controller);
            assertEquals("io.jenkins.plugins.ha.queue.HaQueue", SingleController.queueClass(again));
            Eventually.until(
                    "the cluster's item is shown",
                    TwoControllers.SOON,
                    () -> queue(again).keySet().containsAll(List.of("travels", "later")));
            long next = again.trigger("done", Map.of("P", "back"));
            assertTrue(next > id, next + " after " + id);
            assertEquals(5, again.awaitBuildNumber(next, TwoControllers.SOON));
            assertEquals("SUCCESS", again.awaitResult("done", 5, TwoControllers.SOON));
        }
    }

    /** Its configurations went with the parent that was cut off, or ran. */
    private static void assertMatrixEnds(JenkinsClient client, Map<String, Boolean> left) {
        TreeSet<String> configurations = new TreeSet<>(left.keySet());
        configurations.removeIf(name -> !name.contains("AXIS="));
        Eventually.until(
                "of the matrix nothing hangs: " + configurations,
                TwoControllers.SOON,
                () -> queue(client).keySet().stream().noneMatch(n -> n.contains("AXIS=")));
    }

    /** Whether each waiting item is blocked, by the name of its task. */
    private static Map<String, Boolean> queue(JenkinsClient client) {
        Map<String, Boolean> items = new java.util.TreeMap<>();
        for (JsonNode item : client.queue().path("items")) {
            items.put(item.path("task").path("name").asText(), item.path("blocked").asBoolean());
        }
        return items;
    }

    /** No configuration of a matrix starts. */
    private static void closeGate(JenkinsClient client) {
        script(
                client,
                """
                class Closed extends hudson.model.queue.CauseOfBlockage {
                    String getShortDescription() { 'the gate is closed' }
                }
                class Gate extends hudson.model.queue.QueueTaskDispatcher {
                    hudson.model.queue.CauseOfBlockage canRun(hudson.model.Queue.Item item) {
                        item.task.class.name == 'hudson.matrix.MatrixConfiguration'
                            ? new Closed() : null
                    }
                }
                hudson.ExtensionList.lookup(hudson.model.queue.QueueTaskDispatcher).add(new Gate())
                """);
    }
}
