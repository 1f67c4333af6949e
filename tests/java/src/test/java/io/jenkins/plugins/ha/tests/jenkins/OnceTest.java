package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What triggers builds does so once, whichever controllers hear of it, and whichever dies. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OnceTest {
    private static final String GITHUB = "X-GitHub-Delivery";
    private static final String ANY = "Idempotency-Key";

    private TwoControllers two;

    @BeforeAll
    void start() {
        two = TwoControllers.start("once", 4);
        for (String job : List.of("hooked", "other", "held")) {
            two.createJob(job, new FreestyleJob().concurrent().parameter("P").shell("true").xml());
        }
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void bothAlive() {
        two.bothAlive();
    }

    @Test
    void aDeliveryThatComesToBothControllersAtOnceMakesOneBuild() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        int before = buildsAtRest("hooked");
        int deliveries = 10;
        for (int i = 0; i < deliveries; i++) {
            Map<String, String> id = Map.of(GITHUB, UUID.randomUUID().toString());
            String form = "P=both" + i;
            List<Future<Integer>> answers = new ArrayList<>();
            for (int copy = 0; copy < 4; copy++) {
                JenkinsClient to = copy % 2 == 0 ? two.a() : two.b();
                answers.add(threads.submit(() -> trigger(to, "hooked", form, id).statusCode()));
            }
            List<Integer> codes = new ArrayList<>();
            for (Future<Integer> answer : answers) {
                codes.add(answer.get());
            }
            assertEquals(List.of(200, 200, 200, 201), codes.stream().sorted().toList());
        }
        threads.shutdown();
        assertEquals(before + deliveries, buildsAtRest("hooked"));
    }

    @Test
    void whoNamesHisRequestGetsTheSameQueueItemForItFromEachController() {
        int before = buildsAtRest("hooked");
        Map<String, String> key = Map.of(ANY, "deploy 17");
        HttpResponse<String> first = trigger(two.a(), "hooked", "P=named", key);
        HttpResponse<String> second = trigger(two.b(), "hooked", "P=named", key);
        assertEquals(201, first.statusCode());
        assertEquals(201, second.statusCode(), second.body());
        assertTrue(second.body().contains("delivered before"), second.body());
        assertEquals(item(first), item(second));
        // Another address, another request.
        assertEquals(201, trigger(two.b(), "other", "P=named", key).statusCode());
        HttpResponse<String> third =
                trigger(two.b(), "hooked", "P=named2", Map.of(ANY, "deploy 18"));
        assertNotEquals(item(first), item(third));
        assertEquals(before + 2, buildsAtRest("hooked"));
        assertEquals(1, buildsAtRest("other"));
    }

    @Test
    void whatFailedMayComeAgainAndWhatHasNoIdAlwaysDoes() {
        int before = buildsAtRest("hooked");
        Map<String, String> id = Map.of(GITHUB, UUID.randomUUID().toString());
        for (JenkinsClient to : List.of(two.a(), two.b())) {
            // No such job: refused by each, remembered by none.
            assertEquals(404, trigger(to, "nowhere", "P=x", id).statusCode());
        }
        script(two.a(), "Jenkins.get().getItem('hooked').disable()");
        int refused = trigger(two.a(), "hooked", "P=again", id).statusCode();
        assertTrue(refused >= 400, "disabled: " + refused);
        script(two.a(), "Jenkins.get().getItem('hooked').enable()");
        assertEquals(201, trigger(two.a(), "hooked", "P=again", id).statusCode());
        assertEquals(200, trigger(two.b(), "hooked", "P=again", id).statusCode());
        Map<String, String> event = Map.of("X-Gitlab-Event-UUID", "1", "X-Request-Id", "1");
        assertEquals(201, trigger(two.a(), "hooked", "P=u1", event).statusCode());
        assertEquals(201, trigger(two.b(), "hooked", "P=u2", event).statusCode());
        assertEquals(before + 3, buildsAtRest("hooked"));
    }

    @Test
    void aDeliveryWhoseControllerDiesOverItIsDealtWithByTheNextOne() throws Exception {
        int before = buildsAtRest("held");
        two.onlyOn("a"); // what b ran when it died would run again
        // b takes the request and gets no further.
        script(
                two.b(),
                """
                hudson.ExtensionList.lookup(hudson.model.Queue.QueueDecisionHandler).add(
                  new hudson.model.Queue.QueueDecisionHandler() {
                    boolean shouldSchedule(hudson.model.Queue.Task task, List<hudson.model.Action> actions) {
                      if (task.name == 'held') { System.setProperty('test.reached', 'yes'); Thread.sleep(60000) }
                      true
                    }
                  })
                """);
        Map<String, String> id = Map.of(GITHUB, UUID.randomUUID().toString());
        ExecutorService thread = Executors.newSingleThreadExecutor();
        thread.submit(() -> trigger(two.b(), "held", "P=dies", id));
        Eventually.until(
                "b is at it",
                TwoControllers.SOON,
                () -> script(two.b(), "print System.getProperty('test.reached')").equals("yes"));
        two.controller("b").kill9();
        long killed = System.nanoTime();
        HttpResponse<String> again = trigger(two.a(), "held", "P=dies", id);
        TwoControllers.figure("delivery.taken_over", (System.nanoTime() - killed) / 1e9, "s");
        thread.shutdownNow();
        // Within the patience of the second request, or told to come again.
        if (again.statusCode() == 503) {
            again = trigger(two.a(), "held", "P=dies", id);
        }
        assertEquals(201, again.statusCode(), again.body());
        assertEquals(200, trigger(two.a(), "held", "P=dies", id).statusCode());
        assertEquals(before + 1, buildsAtRest("held"));
    }

    @Test
    void whatWasAcceptedBeforeItsControllerDiedIsNotAcceptedAgain() throws Exception {
        int before = buildsAtRest("held");
        two.onlyOn("a"); // what b ran when it died would run again
        // b accepts the build, and dies before it can answer.
        script(
                two.b(),
                """
                hudson.util.PluginServletFilter.addFilter(new jakarta.servlet.Filter() {
                  void doFilter(jakarta.servlet.ServletRequest q, jakarta.servlet.ServletResponse r, jakarta.servlet.FilterChain c) {
                    c.doFilter(q, r)
                    if (q.getHeader('Idempotency-Key')) { System.setProperty('test.accepted', 'yes'); Thread.sleep(60000) }
                  }
                })
                """);
        Map<String, String> key = Map.of(ANY, "unanswered");
        ExecutorService thread = Executors.newSingleThreadExecutor();
        thread.submit(() -> trigger(two.b(), "held", "P=accepted", key));
        Eventually.until(
                "b has accepted it",
                TwoControllers.SOON,
                () -> script(two.b(), "print System.getProperty('test.accepted')").equals("yes"));
        two.controller("b").kill9();
        HttpResponse<String> again =
                Eventually.get(
                        "a answers for it",
                        TwoControllers.SOON,
                        () ->
                                Optional.of(trigger(two.a(), "held", "P=accepted", key))
                                        .filter(answer -> answer.statusCode() != 503));
        // See other: the item that is there already.
        assertEquals(303, again.statusCode(), again.body());
        assertTrue(item(again).matches("/item/\\d+/?"), item(again));
        thread.shutdownNow();
        assertEquals(before + 1, buildsAtRest("held"));
    }

    @Test
    void aMinuteWhoseControllerDiesOverItIsDoneByTheOtherAndNoJobIsTriggeredTwice() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        two.onlyOn("a");
        int jobs = 12;
        String minute =
                script(
                        a,
                        "print java.util.concurrent.TimeUnit.MILLISECONDS.toMinutes("
                            + "io.jenkins.plugins.ha.Membership.active().get().cluster().clockMillis())"
                            + " - 30");
        String spec =
                script(
                        a,
                        "def c = new GregorianCalendar(); c.timeInMillis = "
                                + minute
                                + "L * 60000; print c.get(Calendar.MINUTE) + ' ' +"
                                + " c.get(Calendar.HOUR_OF_DAY) + ' * * *'");
        for (int i = 0; i < jobs; i++) {
            two.createJob("timed" + i, timed(spec));
        }
        script(
                b,
                """
                hudson.ExtensionList.lookup(hudson.model.Queue.QueueDecisionHandler).add(
                  new hudson.model.Queue.QueueDecisionHandler() {
                    boolean shouldSchedule(hudson.model.Queue.Task task, List<hudson.model.Action> actions) {
                      if (task.name.startsWith('timed')) {
                        def n = Integer.getInteger('test.timed', 0) + 1
                        System.setProperty('test.timed', '' + n)
                        if (n > 6) Thread.sleep(60000)
                      }
                      true
                    }
                  })
                """);
        String does =
                "io.jenkins.plugins.ha.triggers.ClusterCron.done("
                        + "io.jenkins.plugins.ha.Membership.active().get(), "
                        + minute
                        + "L)";
        script(b, "Thread.start { " + does + " }");
        Eventually.until(
                "b is in the middle of it",
                TwoControllers.SOON,
                () -> script(b, "print Integer.getInteger('test.timed', 0)").equals("7"));
        assertEquals("false", script(a, "print " + does), "b is at it");
        two.controller("b").kill9();
        Eventually.until(
                "a has done the minute",
                TwoControllers.SOON,
                () -> script(a, "print " + does).equals("true"));
        for (int i = 0; i < jobs; i++) {
            assertEquals(1, buildsAtRest("timed" + i), "timed" + i);
        }
        assertEquals("true", script(a, "print " + does));
        for (int i = 0; i < jobs; i++) {
            assertEquals(1, buildsAtRest("timed" + i), "timed" + i);
        }
    }

    @Test
    void oldBuildsAreDiscardedByOneController() {
        String held =
                "print io.jenkins.plugins.ha.triggers.ClusterWork.HELD.keySet().join() +"
                        + " hudson.model.PeriodicWork.all().count {"
                        + " it.class.name.contains('BackgroundGlobalBuildDiscarder') }";
        for (JenkinsClient on : List.of(two.a(), two.b())) {
            assertEquals("jenkins.model.BackgroundGlobalBuildDiscarder0", script(on, held));
        }
        String look =
                "def w = hudson.ExtensionList.lookupSingleton("
                        + "io.jenkins.plugins.ha.triggers.ClusterWork); w.doRun(); w.doRun()";
        script(two.a(), look);
        script(two.b(), look);
        long hours = ((List<?>) two.stage().redis().call("KEYS", "*:turn:work:*")).size();
        assertTrue(
                hours == 1 || hours == 2, "one for each hour, not for each controller: " + hours);
    }

    @Test
    void whatCameToOneControllerAndWhatItLedToIsSeenOnTheOtherAlsoWhenTheFirstHasDied() {
        String id = UUID.randomUUID().toString();
        assertEquals(
                201,
                trigger(two.a(), "hooked", "P=inbox&secret=s3cret", Map.of(GITHUB, id))
                        .statusCode());
        two.a().post("git/notifyCommit?url=u&token=s3cret", Map.of());
        assertEquals(
                200,
                trigger(two.a(), "hooked", "P=inbox&secret=s3cret", Map.of(GITHUB, id))
                        .statusCode());
        List<JsonNode> came = inbox(two.b(), entry -> isOf(entry, id), 2);
        JsonNode first = came.get(1);
        assertEquals("a", first.path("controller").asText());
        assertEquals("/job/hooked/buildWithParameters", first.path("address").asText());
        assertEquals("hooked", first.path("items").path(0).path("job").asText(), first.toString());
        long item = first.path("items").path(0).path("id").asLong();
        assertEquals(item, two.b().json("ha/item/" + item + "/api/json").path("id").asLong());
        assertTrue(
                came.get(0).path("outcome").asText().contains("was delivered before"),
                came.get(0).toString());
        JsonNode nobody =
                inbox(two.b(), e -> e.path("address").asText().contains("notifyCommit"), 1).get(0);
        assertEquals("/git/notifyCommit?url=&token=", nobody.path("address").asText());
        assertEquals("Answered with 404", nobody.path("outcome").asText());
        String everything = two.b().text("ha/inbox/api/json");
        assertFalse(everything.contains("s3cret") || everything.contains("request\""), everything);
        assertFalse(first.path("redeliverable").asBoolean(), "bodies are not kept");
        assertEquals(409, redeliver(two.b(), first));
        two.controller("a").kill9();
        assertEquals(2, inbox(two.b(), entry -> isOf(entry, id), 2).size());
        assertTrue(two.b().text("manage/ha/inbox/").contains("item " + item));
    }

    @Test
    void aWebhookWhoseRequestWasKeptIsSentAgainToTheControllerThatIsAsked() {
        String keep = "System.setProperty('io.jenkins.plugins.ha.inboxBodies', '%s')";
        two.createJob(
                "tokened",
                new FreestyleJob()
                        .parameter("P")
                        .shell("true")
                        .xml()
                        .replace("<builders>", "<authToken>s3cret</authToken><builders>"));
        script(two.a(), keep.formatted("true"));
        two.a().get("job/tokened/buildWithParameters?token=s3cret&P=kept");
        script(two.a(), keep.formatted("false"));
        String address = "/job/tokened/buildWithParameters?token=&P=";
        JsonNode first = inbox(two.b(), e -> e.path("address").asText().equals(address), 1).get(0);
        assertTrue(first.path("redeliverable").asBoolean(), first.toString());
        var sent = two.b().post("ha/inbox/redeliver", Map.of("id", first.path("id").asText()));
        assertTrue(sent.body().contains("answered with 201"), sent.statusCode() + sent.body());
        String of = first.path("id").asText();
        JsonNode again = inbox(two.a(), e -> e.path("redeliveryOf").asText().equals(of), 1).get(0);
        assertEquals("b", again.path("controller").asText());
        assertEquals(2, buildsAtRest("tokened"), "it is dealt with anew");
        for (JsonNode build :
                two.a()
                        .json("job/tokened/api/json?tree=builds[actions[parameters[value]]]")
                        .path("builds")) {
            assertEquals("kept", build.findValue("value").asText());
        }
        assertFalse(two.a().text("ha/inbox/api/json").contains("s3cret"));
        assertEquals(404, two.b().post("ha/inbox/redeliver", Map.of("id", "none")).statusCode());
    }

    private static boolean isOf(JsonNode entry, String delivery) {
        return entry.path("delivery").asText().equals(delivery);
    }

    private static int redeliver(JenkinsClient on, JsonNode entry) {
        return on.post("ha/inbox/redeliver", Map.of("id", entry.path("id").asText())).statusCode();
    }

    /** So many entries, newest first, once they are there. */
    private static List<JsonNode> inbox(JenkinsClient on, Predicate<JsonNode> which, int count) {
        List<JsonNode> found = new ArrayList<>();
        Eventually.until(
                "the inbox has it",
                TwoControllers.SOON,
                () -> {
                    found.clear();
                    for (JsonNode entry : on.json("ha/inbox/api/json").path("webhooks")) {
                        if (which.test(entry)) {
                            found.add(entry);
                        }
                    }
                    return found.size() == count;
                });
        return found;
    }

    private static HttpResponse<String> trigger(
            JenkinsClient to, String job, String form, Map<String, String> headers) {
        return to.post(
                "job/" + job + "/buildWithParameters",
                "application/x-www-form-urlencoded",
                form,
                headers);
    }

    private static String item(HttpResponse<String> answer) {
        return answer.headers().firstValue("Location").orElse("").replaceAll(".*/queue", "");
    }

    /** Once nothing waits or runs any more. */
    private int buildsAtRest(String job) {
        JenkinsClient a = two.a();
        TwoControllers.awaitNoItems(a, TwoControllers.SOON);
        return a.json("job/" + job + "/api/json?tree=allBuilds[number]").path("allBuilds").size();
    }

    private static String timed(String spec) {
        return new FreestyleJob()
                .shell("true")
                .xml()
                .replace(
                        "  <builders>",
                        "  <triggers><hudson.triggers.TimerTrigger><spec>"
                                + spec
                                + "</spec></hudson.triggers.TimerTrigger></triggers>\n"
                                + "  <builders>");
    }
}
