package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The queue looks alike on all controllers, to each user as he may see it. */
class QueuePageTest {
    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        pair = SecuredPair.open("queue-page");
        pair.createJob("quiet", new FreestyleJob().quietSeconds(300).parameter("P").xml());
        pair.createJob("waiting", new FreestyleJob().xml());
        pair.createJob("held", new FreestyleJob().xml());
        pair.createJob("single", new FreestyleJob().parameter("P").shell("sleep 600").xml());
    }

    @AfterEach
    void tidy() {
        pair.tidy(true, true);
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void whatWaitsOnBIsOnTheQueuePageAndInTheApiOfA() {
        pair.takes(false, true);
        SecuredPair.hold(pair.onB, "held");
        long quiet = pair.onB.trigger("quiet", Map.of("P", "visible value"));
        long held = pair.onB.trigger("held");
        long runs = pair.onB.trigger("single", Map.of("P", "1"));
        pair.onA.awaitBuildNumber(runs, SecuredPair.SOON);
        long blocked = pair.onB.trigger("single", Map.of("P", "2"));
        pair.awaitState(held, "C");
        Eventually.until(
                "it is blocked", SecuredPair.SOON, () -> pair.item(blocked, "blocked").equals("1"));
        pair.takes(false, false);
        long waiting = pair.onB.trigger("waiting");
        List<Long> all = List.of(quiet, held, blocked, waiting);

        for (JenkinsController controller : List.of(pair.a, pair.b)) {
            JenkinsClient alice = SecuredPair.as(controller, "alice");
            for (long id : all) {
                Eventually.until(
                        "alice sees item " + id + " on " + controller.name(),
                        SecuredPair.SOON,
                        () -> ids(alice).contains(id));
            }
            assertEquals(new TreeSet<>(all), ids(alice));
            assertEquals(new TreeSet<>(all), ids(SecuredPair.as(controller, "bob")));
            // The pages.
            String page = alice.text("");
            String ajax = widget(alice);
            for (long id : all) {
                assertTrue(page.contains("queue/cancelItem?id=" + id), controller.name());
                assertTrue(ajax.contains("queue/cancelItem?id=" + id), controller.name());
            }
            String bobs = widget(SecuredPair.as(controller, "bob"));
            String eves = widget(SecuredPair.as(controller, "eve"));
            for (String job : List.of("quiet", "held", "single", "waiting")) {
                assertTrue(bobs.contains("job/" + job + "/"), job + " on " + controller.name());
                assertFalse(eves.contains(job + "<"), job + " on " + controller.name());
                // Each job's own page says that it waits.
                String own = alice.text("job/" + job + "/buildHistory/ajax");
                long id = all.get(List.of("quiet", "held", "single", "waiting").indexOf(job));
                assertTrue(
                        own.contains("cancelItem?id=" + id),
                        job + " on " + controller.name() + "\n" + own);
            }
            assertFalse(bobs.contains("cancelItem"));
            // Who may discover jobs learns that something of theirs waits, and no more.
            JsonNode dora = SecuredPair.as(controller, "dora").queue();
            assertEquals(0, dora.path("items").size());
            assertEquals(4, dora.path("discoverableItems").size(), dora.toString());
            assertFalse(dora.toString().contains("visible value"));
            JsonNode eve = SecuredPair.as(controller, "eve").queue();
            assertEquals(0, eve.path("items").size());
            assertEquals(0, eve.path("discoverableItems").size());
            for (long id : all) {
                String item = "queue/item/" + id + "/api/json";
                assertEquals(404, SecuredPair.as(controller, "eve").get(item).statusCode());
                assertEquals(200, SecuredPair.as(controller, "bob").get(item).statusCode());
            }
        }
        // What each says of an item is the same.
        for (long id : all) {
            JsonNode a = pair.onA.queueItem(id).orElseThrow();
            JsonNode b = pair.onB.queueItem(id).orElseThrow();
            for (String field :
                    List.of(
                            "id",
                            "inQueueSince",
                            "params",
                            "blocked",
                            "buildable",
                            "stuck",
                            "_class",
                            "url")) {
                assertEquals(
                        b.path(field),
                        a.path(field),
                        field + " of item " + id + "\n" + a + "\n" + b);
            }
            assertEquals(b.path("task").path("name"), a.path("task").path("name"));
        }
        assertTrue(
                pair.onA
                        .queueItem(quiet)
                        .orElseThrow()
                        .path("params")
                        .asText()
                        .contains("visible value"));
        String dora = "queue/item/" + quiet + "/api/json";
        assertEquals(
                SecuredPair.as(pair.b, "dora").get(dora).statusCode(),
                SecuredPair.as(pair.a, "dora").get(dora).statusCode());
    }

    @Test
    void aControllerProvisionsNoAgentsForWhatAnotherHolds() {
        pair.takes(false, true);
        SecuredPair.hold(pair.onB, "held");
        long held = pair.onA.trigger("held");
        pair.awaitState(held, "C");
        long quiet = pair.onA.trigger("quiet", Map.of("P", "x"));
        String demand =
                """
                def q = Queue.instance
                [q.buildableItems.size(), q.countBuildableItems(), q.countBuildableItemsFor(null), q.strictCountBuildableItemsFor(null),
                 q.getBuildableItems(Jenkins.get().toComputer()).size(), q.pendingItems.size(),
                 Jenkins.get().unlabeledLoad.computeSnapshot().queueLength, Jenkins.get().unlabeledLoad.computeQueueLength()]
                """;
        Eventually.until(
                "A shows both",
                SecuredPair.SOON,
                () -> ids(pair.onA).equals(new TreeSet<>(List.of(held, quiet))));
        for (int i = 0; i < 20; i++) {
            assertEquals("[0, 0, 0, 0, 0, 0, 0, 0]", SecuredPair.groovy(pair.onA, demand));
        }
        assertEquals("[1, 1, 1, 1, 1, 0, 1, 1]", SecuredPair.groovy(pair.onB, demand));
        SecuredPair.letGo(pair.onB, "held");
        pair.onA.awaitBuildNumber(held, SecuredPair.SOON);
    }

    @Test
    void clearingTheQueueClearsItEverywhere() {
        pair.takes(false, true);
        SecuredPair.hold(pair.onB, "held");
        long held = pair.onA.trigger("held");
        pair.awaitState(held, "C");
        long quiet = pair.onB.trigger("quiet", Map.of("P", "x"));
        SecuredPair.groovy(pair.onA, "Queue.instance.clear()");
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            Eventually.until("the queue is empty", SecuredPair.SOON, () -> ids(client).isEmpty());
        }
        assertEquals("X", pair.item(held, "state"));
        assertEquals("X", pair.item(quiet, "state"));
    }

    /** The queue as the page reloads it every few seconds. */
    private static String widget(JenkinsClient client) {
        Matcher address =
                Pattern.compile("data-url=\"/([^\"]*BuildQueueWidget/ajax)\"")
                        .matcher(client.text(""));
        assertTrue(address.find());
        return client.text(address.group(1));
    }

    private static TreeSet<Long> ids(JenkinsClient client) {
        TreeSet<Long> ids = new TreeSet<>();
        for (JsonNode item : client.queue().path("items")) {
            ids.add(item.path("id").asLong());
        }
        return ids;
    }
}
