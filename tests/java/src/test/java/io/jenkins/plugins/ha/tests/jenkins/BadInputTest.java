package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.StoredItem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What a controller cannot make a build of harms nothing else, is not lost, and is told of in one
 * line.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoControllers two;

    @BeforeAll
    void start() {
        two = TwoControllers.start("bad-input", 2);
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void bothTakeBuilds() {
        two.onBoth();
    }

    @Test
    void changedContentIsSetAsideShownAndCancellable() {
        two.createJob("changed", new FreestyleJob().parameter("P").shell("true").xml());
        nobody();
        long content = two.a().trigger("changed", Map.of("P", "content"));
        long seal = two.b().trigger("changed", Map.of("P", "seal"));
        long good = two.a().trigger("changed", Map.of("P", "good"));
        awaitQueued(3);
        two.stage().redis().call("HSET", key(content), "payload", "garbage");
        two.stage().redis().call("HSET", key(seal), "mac", "0123456789abcdef0123456789abcdef");
        two.onBoth();

        assertEquals(1, two.a().awaitBuildNumber(good, LONG));
        assertEquals("SUCCESS", two.b().awaitResult("changed", 1, LONG));
        for (long id : List.of(content, seal)) {
            assertShownAsUnreadable(id, "Its stored content was changed by somebody");
            assertOneLineOnEach("Queue item " + id + " of changed cannot be read");
        }
        assertEquals("garbage", two.stage().redis().call("HGET", key(content), "payload"));
        // The job is not held up: no concurrent builds are allowed, yet the next one runs.
        long next = two.b().trigger("changed", Map.of("P", "next"));
        assertEquals(2, two.b().awaitBuildNumber(next, LONG));
        assertEquals("SUCCESS", two.a().awaitResult("changed", 2, LONG));
        cancelEverywhere(content, two.b());
        cancelEverywhere(seal, two.a());
    }

    @Test
    void contentOfAMissingPluginIsSetAsideShownAndCancellable() {
        two.createJob("sealed", new FreestyleJob().parameter("P").shell("true").xml());
        nobody();
        // Sealed by a controller that has a plugin which neither a nor b has.
        long action =
                enqueue(
                        "<hudson.model.Queue_-WaitingItem><actions>"
                                + "<org.example.missing.PluginAction><what>x</what>"
                                + "</org.example.missing.PluginAction></actions><id>%d</id>"
                                + "<task class=\"hudson.model.FreeStyleProject\">sealed</task>"
                                + "<inQueueSince>0</inQueueSince><timestamp><time>0</time>"
                                + "<timezone>UTC</timezone></timestamp>"
                                + "</hudson.model.Queue_-WaitingItem>");
        long other = enqueue("<org.example.missing.Item/>");
        long broken = enqueue("<hudson.model.Queue_-WaitingItem><actions>");
        awaitQueued(3);
        two.onBoth();
        for (long id : List.of(action, other, broken)) {
            assertShownAsUnreadable(id, "");
            assertOneLineOnEach("Queue item " + id + " of sealed cannot be read and is set aside");
            assertEquals(1L, two.stage().redis().call("HEXISTS", key(id), "payload"));
        }
        assertShownAsUnreadable(action, "org.example.missing.PluginAction");
        long good = two.b().trigger("sealed", Map.of("P", "good"));
        assertEquals(1, two.a().awaitBuildNumber(good, LONG));
        assertEquals("SUCCESS", two.a().awaitResult("sealed", 1, LONG));
        cancelEverywhere(action, two.a());
        cancelEverywhere(other, two.b());
        cancelEverywhere(broken, two.b());
    }

    @Test
    void aJobThatOnlyOneControllerHasIsBuiltThere() throws IOException {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        Path folder = two.stage().shared().jobs().resolve("only-here");
        Files.createDirectories(folder);
        Files.writeString(
                folder.resolve("config.xml"),
                new FreestyleJob().concurrent().parameter("P").shell("sleep 0.2").xml());
        a.reload(LONG);
        assertTrue(a.hasJob("only-here"));
        assertFalse(b.hasJob("only-here"));
        two.onBoth();
        long before = System.nanoTime();
        long cpu = Processes.cpuMillis(two.controller("b").pid());
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            ids.add(a.trigger("only-here", Map.of("P", "p" + i)));
        }
        for (long id : ids) {
            int number = a.awaitBuildNumber(id, LONG);
            assertEquals("SUCCESS", a.awaitResult("only-here", number, LONG));
            assertEquals(
                    "a", JenkinsClient.controllerOf(a.build("only-here", number).orElseThrow()));
        }
        figure("missing_job.20_builds_done", (System.nanoTime() - before) / 1e9, "s");

        // While the one that has it takes nothing, the other tries on, slowly and quietly.
        two.onlyOn("b");
        long waiting = a.trigger("only-here", Map.of("P", "waits"));
        long attemptsBefore = attempts(waiting);
        sleep(10_000);
        long attempts = attempts(waiting) - attemptsBefore;
        figure("missing_job.claims_in_10_s", attempts, "claims");
        figure("missing_job.cpu_of_b", Processes.cpuMillis(two.controller("b").pid()) - cpu, "ms");
        assertTrue(attempts <= 12, attempts + " claims in 10 s");
        assertTrue(a.queueItem(waiting).orElseThrow().path("executable").isMissingNode());
        assertEquals(1, lines("b", "The job 'only-here' does not exist on this controller"));
        two.onBoth();
        int number = a.awaitBuildNumber(waiting, LONG);
        assertEquals("SUCCESS", a.awaitResult("only-here", number, LONG));
        assertEquals(0, lines("b", "SEVERE"));
    }

    private void nobody() {
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            script(
                    client,
                    "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = false");
        }
        sleep(500); // a claim under way may still take something
    }

    private void awaitQueued(int count) {
        Eventually.until(
                "both show what waits",
                TwoControllers.SOON,
                () ->
                        two.a().queue().path("items").size() == count
                                && two.b().queue().path("items").size() == count);
    }

    /** Puts an item with this content into the queue as a controller of the cluster. */
    private long enqueue(String xml) {
        String id =
                script(
                        two.a(),
                        """
                        import io.jenkins.plugins.ha.bridge.NewItem
                        def cluster = io.jenkins.plugins.ha.Membership.active().get().cluster()
                        def id = cluster.nextQueueId()
                        def xml = '%s'.replace('%%d', '' + id).getBytes('UTF-8')
                        def payload = new byte[xml.length + 1]
                        payload[0] = 1
                        System.arraycopy(xml, 0, payload, 1, xml.length)
                        cluster.enqueue(
                            new NewItem(id, 'sealed', 'x:', 1000, 0L, false, '', payload), -1L)
                        print id
                        """
                                .formatted(xml));
        return Long.parseLong(id.trim());
    }

    private void assertShownAsUnreadable(long id, String why) {
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            JsonNode item =
                    Eventually.get(
                            client.url() + " shows item " + id + " as unreadable",
                            LONG,
                            () ->
                                    client.queueItem(id)
                                            .filter(
                                                    i ->
                                                            i.path("why")
                                                                    .asText()
                                                                    .contains("cannot be read")));
            assertTrue(item.path("why").asText().contains(why), item::toString);
            assertTrue(item.path("blocked").asBoolean(), item::toString);
            assertFalse(item.path("cancelled").asBoolean(), item::toString);
            boolean listed = false;
            for (JsonNode listedItem : client.queue().path("items")) {
                listed |= listedItem.path("id").asLong() == id;
            }
            assertTrue(listed, () -> id + " is not in the queue of " + client.url());
        }
    }

    private void cancelEverywhere(long id, JenkinsClient by) {
        assertTrue(by.cancel(id) < 400);
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            Eventually.until(
                    "item " + id + " is gone from " + client.url(),
                    TwoControllers.SOON,
                    () -> {
                        Optional<JsonNode> item = client.queueItem(id);
                        boolean cancelled =
                                item.isEmpty() || item.get().path("cancelled").asBoolean();
                        return cancelled
                                && !client.queue().toString().contains("\"id\":" + id + ",");
                    });
        }
    }

    private void assertOneLineOnEach(String text) {
        for (String name : List.of("a", "b")) {
            Eventually.until(
                    name + " says: " + text, TwoControllers.SOON, () -> lines(name, text) > 0);
            assertEquals(1, lines(name, text), name + ": " + text);
        }
    }

    private long lines(String controller, String text) {
        return two.controller(controller).logText().lines().filter(l -> l.contains(text)).count();
    }

    private long attempts(long id) {
        return Long.parseLong(
                StoredItem.part(two.stage().redis(), two.stage().cluster(), id, "attempts"));
    }

    private String key(long id) {
        return "{haj:" + two.stage().cluster() + "}:item:" + id;
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
