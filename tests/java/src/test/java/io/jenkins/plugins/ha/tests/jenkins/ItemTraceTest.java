package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What happened to a queue item is told at one address, by any controller, to who may know. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ItemTraceTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private SecuredPair pair;

    @BeforeAll
    void start() {
        pair = SecuredPair.open("item-trace", SecuredPair.PIPELINES);
    }

    @AfterAll
    void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void oneAddressLeadsFromTheTriggerOverADeathToTheResult() {
        JenkinsClient alice = SecuredPair.as(pair.a, "alice");
        pair.createJob(
                "long",
                new FreestyleJob()
                        .quietSeconds(2)
                        .shell("echo begun; [ $BUILD_NUMBER -gt 1 ] || sleep 100")
                        .xml());
        pair.createJob("flow", JobXml.pipeline("echo 'begun'; sleep 20; echo 'went on'"));
        pair.takes(false, false);
        long id = alice.trigger("long");
        assertEquals(id, pair.onA.trigger("long"), "the second trigger is taken into the first");
        JsonNode waiting = of(pair.onB, id);
        assertEquals("waiting", waiting.path("state").asText());
        assertFalse(waiting.path("done").asBoolean());
        assertTrue(waiting.path("result").isNull() && waiting.path("build").isNull());
        JsonNode row = overview().path("waitingItems").path(0);
        assertEquals(id + " long", row.path("id").asLong() + " " + row.path("job").asText());
        assertFalse(row.path("why").asText().isEmpty(), "why it waits: " + row);
        long flow = alice.trigger("flow");
        pair.takes(false, true);
        for (String job : List.of("long", "flow")) {
            pair.onA.awaitBuild(
                    job, 1, "runs", SecuredPair.SOON, build -> build.path("building").asBoolean());
            Eventually.until(
                    job + " has begun",
                    SecuredPair.SOON,
                    () -> pair.onB.console(job, 1).contains("begun\n"));
        }
        JsonNode runs = of(pair.onA, id);
        assertEquals(
                "running b", runs.path("state").asText() + " " + runs.path("controller").asText());
        assertEquals(1, runs.path("build").path("number").asInt());

        List<String> running = new ArrayList<>();
        for (JsonNode build : overview().path("builds")) {
            running.add(
                    build.path("job").asText()
                            + build.path("number").asInt()
                            + build.path("controller").asText());
        }
        assertEquals(List.of("long1b", "flow1b"), running);

        pair.b.kill9();
        SecuredPair.groovy(
                pair.onA,
                "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = true");
        for (long one : List.of(id, flow)) {
            Eventually.until(
                    "item " + one + " has ended",
                    LONG,
                    () -> of(alice, one).path("done").asBoolean());
        }

        JsonNode ended = of(alice, id);
        assertEquals("SUCCESS", ended.path("result").asText());
        assertTrue(
                ended.path("build").path("url").asText().endsWith("/job/long/2/"),
                ended.toString());
        long again = ended.path("effectiveItem").asLong();
        assertEquals(again, ended.path("reruns").path(0).asLong());
        assertEquals(id, of(alice, again).path("rerunOf").asLong());
        assertEquals(
                List.of(
                        "accepted a",
                        "quiet ",
                        "folded ",
                        "claimed b",
                        "starting b",
                        "running b",
                        "orphaned b",
                        "finished a",
                        "again a",
                        "runs-again a",
                        "claimed a",
                        "starting a",
                        "running a",
                        "finished a"),
                steps(ended));
        assertTrue(text(ended, 0).contains("Accepted by a: Started by user Alice"), text(ended, 0));
        assertTrue(text(ended, 2).contains("Started by user admin"), text(ended, 2));
        assertTrue(text(ended, 6).contains("b stopped answering"), text(ended, 6));

        JsonNode adopted = of(alice, flow);
        assertEquals("SUCCESS", adopted.path("result").asText());
        assertEquals(
                List.of(
                        "accepted a",
                        "claimed b",
                        "starting b",
                        "running b",
                        "orphaned b",
                        "adopted a",
                        "finished a"),
                steps(adopted));

        List<String> moments = new ArrayList<>();
        for (JsonNode moment : overview().path("moments")) {
            moments.add(moment.path("what").asText() + " " + moment.path("controller").asText());
        }
        assertTrue(
                moments.containsAll(
                        List.of("joined a", "joined b", "ended b", "adopted a", "reran a")),
                moments.toString());
        String overview = pair.onA.text("manage/ha/");
        for (String shown : List.of("b stopped answering", "/ha/item/" + again, "ha-waiting")) {
            assertTrue(overview.contains(shown), "the cluster page shows " + shown);
        }
        assertShows("ha/item/" + id + "/", "Its controller b stopped answering", "/job/long/2/");
        assertShows("job/long/1/", "Ran on controller b.", "/ha/item/" + id + "/");
        assertShows("job/long/2/", "Ran on controller a; it runs again what was", "../1/");
        assertShows("job/flow/1/", "Ran on controller a, which went on with it after");
    }

    @Test
    void onlyWhoMayReadTheJobIsToldAndAllElseIsUnknown() {
        JenkinsClient alice = SecuredPair.as(pair.a, "alice");
        if (!pair.onA.hasJob("secret")) {
            pair.onA.createJob("secret", new FreestyleJob().quietSeconds(300).xml());
        }
        long id = alice.trigger("secret");
        String address = "ha/item/" + id + "/";
        assertTrue(alice.cancel(id) < 400);
        Eventually.until(
                "it is cancelled", SecuredPair.SOON, () -> of(alice, id).path("done").asBoolean());
        JsonNode ended = of(SecuredPair.as(pair.a, "bob"), id);
        assertTrue(ended.path("cancelled").asBoolean() && ended.path("result").isNull());
        assertTrue(ended.path("why").asText().contains("alice"), ended.toString());
        for (String way : List.of("", "api/json")) {
            assertEquals(403, status("dora", address + way));
            assertEquals(404, status("eve", address + way));
            assertEquals(404, status("alice", "ha/item/987654321/" + way));
            assertEquals(404, status("alice", "ha/item/x/" + way));
        }
        pair.onA.deleteJob("secret");
        assertEquals(404, status("bob", address));
        assertEquals(200, status("admin", address));
    }

    private void assertShows(String page, String... texts) {
        String text = SecuredPair.as(pair.a, "alice").text(page);
        for (String one : texts) {
            assertTrue(text.contains(one), page + " shows " + one);
        }
    }

    private JsonNode overview() {
        return pair.onA.json("ha/api/json?depth=1");
    }

    private int status(String user, String path) {
        return SecuredPair.as(pair.a, user).get(path).statusCode();
    }

    private static JsonNode of(JenkinsClient on, long id) {
        return on.json("ha/item/" + id + "/api/json");
    }

    private static List<String> steps(JsonNode item) {
        List<String> steps = new ArrayList<>();
        for (JsonNode step : item.path("steps")) {
            steps.add(step.path("what").asText() + " " + step.path("controller").asText());
        }
        return steps;
    }

    private static String text(JsonNode item, int step) {
        return item.path("steps").path(step).path("text").asText();
    }
}
