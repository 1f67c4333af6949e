package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.as;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.figure;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.groovy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A Pipeline that runs on b is, on a, like one of its own: b answers, as whoever asked on a. What
 * is right is what b says to somebody who asks it itself.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ForwardingTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    void start() {
        List<String> plugins = new ArrayList<>(List.of(SecuredPair.PIPELINES));
        plugins.addAll(
                List.of(
                        "pipeline-input-step",
                        "pipeline-stage-step",
                        "pipeline-rest-api",
                        "pipeline-graph-view"));
        pair = SecuredPair.open("forwarding", plugins.toArray(String[]::new));
    }

    @AfterAll
    void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @BeforeEach
    void runsOnB() {
        pair.takes(false, true);
    }

    @Test
    void aQuestionIsAnsweredOnTheOtherControllerAndWhoAnsweredIsRecorded() {
        waitingAt(
                "asks",
                "def what = input(id: 'Which', message: 'Which one?', parameters: [string(name:"
                        + " 'WHICH', defaultValue: 'none')])\n"
                        + "echo \"it is ${what}\"");
        Browser alice = new Browser();
        assertEquals("alice", alice.login(pair.a, "alice"));
        long asked = System.nanoTime();
        HttpResponse<String> form = alice.get(pair.a, "job/asks/1/input/");
        figure("forwarding.form_ms", (System.nanoTime() - asked) / 1e6);
        assertEquals(200, form.statusCode(), form.body());
        assertTrue(form.body().contains("Which one?"), form.body());
        assertTrue(form.body().contains("WHICH"), form.body());
        assertFalse(form.headers().firstValue("Set-Cookie").orElse("").contains("JSESSIONID"));

        // its own page leads there, as on b
        for (String page : List.of("job/asks/1/", "job/asks/1/console")) {
            assertTrue(textOf(alice.get(pair.a, page).body()).contains("Paused for Input"), page);
        }

        HttpResponse<String> wrong =
                alice.post(pair.a, "job/asks/1/input/Which/submit", "0".repeat(64), answer("no"));
        assertEquals(403, wrong.statusCode(), wrong.body());
        long answered = System.nanoTime();
        HttpResponse<String> sent =
                alice.post(
                        pair.a,
                        "job/asks/1/input/Which/submit",
                        Browser.crumb(form),
                        answer("ä & b"));
        figure("forwarding.answer_ms", (System.nanoTime() - answered) / 1e6);
        assertTrue(sent.statusCode() < 400, sent.statusCode() + sent.body());
        sent.headers()
                .firstValue("Location")
                .ifPresent(to -> assertFalse(to.contains(":" + pair.b.url().getPort()), to));
        assertEquals("SUCCESS", pair.onA.awaitResult("asks", 1, LONG), pair.onA.console("asks", 1));
        String log = pair.onA.console("asks", 1);
        assertTrue(log.contains("it is ä & b"), log);
        assertTrue(log.contains("Approved by Alice Liddell"), log);
        assertEquals("b", JenkinsClient.controllerOf(pair.onA.build("asks", 1).orElseThrow()));
    }

    @Test
    void whoMayNotIsRefusedInTheSameWordsAsOnTheControllerThatRunsIt() {
        waitingAt("only", "input(id: 'Ok', message: 'Go on?', submitter: 'admin')");
        List<String> requests =
                List.of(
                        "POST job/only/1/input/Ok/proceedEmpty",
                        "POST job/only/1/input/Ok/abort",
                        "GET job/only/1/input/",
                        "GET job/only/1/replay/",
                        "POST job/only/1/pause/toggle",
                        "GET job/only/1/wfapi/describe",
                        "GET job/only/1/flowGraphTable/",
                        "GET job/none/1/input/",
                        "GET job/only/99/input/",
                        "GET job/only/1/input/other/");
        for (String user : List.of("alice", "bob", "dora", "eve", "")) {
            for (String request : requests) {
                if (user.equals("alice") && request.matches(".*(toggle|abort)")) {
                    continue; // she may
                }
                String there = said(pair.b, user, request);
                assertEquals(there, said(pair.a, user, request), user + " " + request);
            }
        }
        assertTrue(
                said(pair.a, "alice", requests.get(0)).contains("You need to be admin to submit"),
                said(pair.a, "alice", requests.get(0)));
        assertTrue(said(pair.a, "bob", requests.get(3)).startsWith("4"));
        for (String user : List.of("dora", "eve")) {
            for (String request : requests) {
                String word = said(pair.a, user, request);
                assertTrue(word.startsWith("404") || word.startsWith("403"), user + word);
            }
        }
        assertTrue(pair.onA.build("only", 1).orElseThrow().path("building").asBoolean());
        assertEquals(200, pair.onA.post("job/only/1/input/Ok/proceedEmpty", Map.of()).statusCode());
        assertEquals("SUCCESS", pair.onB.awaitResult("only", 1, LONG));
        assertTrue(pair.onA.console("only", 1).contains("Approved by admin"));
    }

    @Test
    void permissionsOfOneProjectHoldAndItsOtherUsersSeeNothing() {
        groovy(
                pair.onA,
                """
                import hudson.security.*
                def old = Jenkins.get().authorizationStrategy
                def strategy = new ProjectMatrixAuthorizationStrategy()
                old.grantedPermissionEntries.each { p, who -> who.each { strategy.add(p, it) } }
                Jenkins.get().authorizationStrategy = strategy
                Jenkins.get().save()
                """);
        Eventually.until(
                "b has the strategy",
                SecuredPair.SOON,
                () ->
                        groovy(
                                        pair.onB,
                                        "print"
                                            + " Jenkins.get().authorizationStrategy.class.simpleName")
                                .equals("ProjectMatrixAuthorizationStrategy"));
        String own =
                """
                <hudson.security.AuthorizationMatrixProperty>
                <inheritanceStrategy class="org.jenkinsci.plugins.matrixauth.inheritance.NonInheritingStrategy"/>
                <permission>USER:hudson.model.Item.Read:eve</permission>
                <permission>USER:hudson.model.Item.Build:eve</permission>
                <permission>USER:hudson.model.Item.Read:bob</permission>
                </hudson.security.AuthorizationMatrixProperty>
                """;
        waitingAt("theirs", "input(id: 'Ok', message: 'Go on?')", own);
        for (String user : List.of("alice", "bob", "dora", "eve", "")) {
            for (String request :
                    List.of(
                            "GET job/theirs/1/input/",
                            "GET job/theirs/1/wfapi/describe",
                            "GET job/theirs/1/replay/")) {
                assertEquals(
                        said(pair.b, user, request), said(pair.a, user, request), user + request);
            }
        }
        assertTrue(said(pair.a, "alice", "GET job/theirs/1/input/").startsWith("404"));
        String refused = said(pair.a, "bob", "POST job/theirs/1/input/Ok/proceedEmpty");
        assertEquals(said(pair.b, "bob", "POST job/theirs/1/input/Ok/proceedEmpty"), refused);
        assertTrue(refused.startsWith("40"), refused);
        assertEquals(
                200,
                as(pair.a, "eve")
                        .post("job/theirs/1/input/Ok/proceedEmpty", Map.of())
                        .statusCode());
        assertEquals("SUCCESS", pair.onA.awaitResult("theirs", 1, LONG));
        assertTrue(pair.onA.console("theirs", 1).contains("Approved by eve"));
    }

    @Test
    void stagesGraphAndLogsOfStepsAreTheSameOnBothWhileItRuns() {
        waitingAt(
                "staged",
                "stage('One') { echo 'in one' }\nstage('Two') { echo 'in two'\ninput 'Go on?' }");
        for (String path :
                List.of(
                        "wfapi/describe",
                        "wfapi/pendingInputActions",
                        "wfapi/nextPendingInputAction",
                        "pipeline-overview/tree",
                        "pipeline-overview/allSteps")) {
            HttpResponse<String> there = pair.onB.get("job/staged/1/" + path);
            HttpResponse<String> here = pair.onA.get("job/staged/1/" + path);
            assertEquals(there.statusCode(), here.statusCode(), path);
            if (there.statusCode() == 200) {
                JsonNode right = pair.onB.json("job/staged/1/" + path);
                JsonNode ours = pair.onA.json("job/staged/1/" + path);
                assertEquals(timeless(right), timeless(ours), path);
            }
        }
        JsonNode stages = pair.onA.json("job/staged/1/wfapi/describe").path("stages");
        assertEquals(2, stages.size(), stages::toString);
        assertEquals("PAUSED_PENDING_INPUT", stages.get(1).path("status").asText());
        // by its permalink and through a view, too
        assertEquals(
                "PAUSED_PENDING_INPUT",
                pair.onA
                        .json("view/all/job/staged/lastBuild/wfapi/describe")
                        .path("status")
                        .asText());
        String node = stages.get(0).path("id").asText();
        JsonNode step =
                pair.onA
                        .json("job/staged/1/execution/node/" + node + "/wfapi/describe")
                        .path("stageFlowNodes")
                        .get(0);
        String log = "job/staged/1/execution/node/" + step.path("id").asText() + "/log/";
        assertTrue(pair.onA.text(log).contains("in one"), pair.onA.text(log));
        assertEquals(textOf(pair.onB.text(log)), textOf(pair.onA.text(log)));
        assertTrue(pair.onA.text("job/staged/1/flowGraphTable/").contains("in two"));
        // a page of the plugin's that is there
        assertEquals(200, pair.onA.get("job/staged/1/pipeline-overview/").statusCode());

        assertEquals(200, pair.onA.post("job/staged/1/pause/toggle", Map.of()).statusCode());
        Eventually.until(
                "it pauses", LONG, () -> pair.onB.console("staged", 1).contains("Pausing"));
        assertEquals(200, pair.onA.post("job/staged/1/pause/toggle", Map.of()).statusCode());
        Eventually.until(
                "it goes on", LONG, () -> pair.onB.console("staged", 1).contains("Resuming"));
        assertEquals(302, pair.onA.stop("staged", 1));
        assertEquals("ABORTED", pair.onA.awaitResult("staged", 1, LONG));
        // what has ended is answered from the shared files, by a itself
        assertEquals(
                "ABORTED", pair.onA.json("job/staged/1/wfapi/describe").path("status").asText());
    }

    @Test
    void aRunningPipelineIsReplayedOnTheOtherController() {
        waitingAt("again", "input 'Go on?'");
        HttpResponse<String> form = pair.onA.get("job/again/1/replay/");
        assertEquals(200, form.statusCode());
        assertTrue(form.body().contains("Go on?"), form.body());
        HttpResponse<String> sent =
                pair.onA.post(
                        "job/again/1/replay/run",
                        Map.of("json", "{\"mainScript\":\"echo 'replayed'\"}"));
        assertTrue(sent.statusCode() < 400, sent.statusCode() + sent.body());
        assertEquals("SUCCESS", pair.onA.awaitResult("again", 2, LONG));
        assertTrue(pair.onA.console("again", 2).contains("replayed"));
        assertTrue(pair.onA.console("again", 2).contains("Replayed #1"));
        pair.onA.stop("again", 1);
        assertEquals("ABORTED", pair.onA.awaitResult("again", 1, LONG));
    }

    @Test
    void whatNoControllerHasPassedOnAsItIsIsRefused() {
        waitingAt("sealed", "input(id: 'Ok', message: 'Go on?')");
        String path = "/job/sealed/1/wfapi/describe";
        String good = sealed("GET", path, "admin", "", 0, "");
        assertEquals(200, with(good, "GET", path, "").statusCode());
        refused(403, "received, before", with(good, "GET", path, ""));
        refused(
                403,
                "passed this request on as it is",
                with(sealed("GET", path, "admin", "", 0, ""), "GET", path + "?x", ""));
        refused(
                403,
                "passed this request on as it is",
                with(sealed("GET", path, "admin", "", 0, ""), "POST", path, ""));
        refused(
                403,
                "as it is",
                with(sealed("POST", path, "admin", "", 0, "a"), "POST", path, "b"));
        String other = sealed("GET", path, "admin", "", 0, "");
        String user = sealed("GET", path, "alice", "", 0, "");
        refused(
                403,
                "as it is",
                with(
                        user.substring(0, user.lastIndexOf('.'))
                                + other.substring(other.lastIndexOf('.')),
                        "GET",
                        path,
                        ""));
        refused(403, "as it is", with("nonsense", "GET", path, ""));
        refused(403, "as it is", with("", "GET", path, ""));
        refused(
                403,
                "too long ago",
                with(sealed("GET", path, "admin", "", 60_000, ""), "GET", path, ""));
        refused(
                403,
                "too long ago",
                with(sealed("GET", path, "admin", "", -60_000, ""), "GET", path, ""));
        refused(
                403,
                "another controller",
                with(sealed("GET", path, "admin", "x", 0, ""), "GET", path, ""));
        refused(
                403,
                "joined the cluster, again",
                with(sealed("GET", path, "admin", "earlier", 0, ""), "GET", path, ""));
        refused(
                403,
                "does not know you",
                with(sealed("GET", path, "nobody", "", 0, ""), "GET", path, ""));
        // it opens nothing but what is passed on
        refused(
                503,
                "Nothing was done",
                with(sealed("GET", "/manage/", "admin", "", 0, ""), "GET", "/manage/", ""));
        // nor more than its user may do
        assertEquals(
                404, with(sealed("GET", path, "eve", "", 0, ""), "GET", path, "").statusCode());
        String proceed = "/job/sealed/1/input/Ok/proceedEmpty";
        HttpResponse<String> bob =
                with(sealed("POST", proceed, "bob", "", 0, ""), "POST", proceed, "");
        assertTrue(bob.statusCode() >= 400, bob.statusCode() + bob.body());
        assertTrue(pair.onB.build("sealed", 1).orElseThrow().path("building").asBoolean());
        // and is no login
        assertTrue(
                with(sealed("GET", path, "admin", "", 0, ""), "GET", path, "")
                        .headers()
                        .allValues("Set-Cookie")
                        .isEmpty());
        pair.onB.stop("sealed", 1);
        assertEquals("ABORTED", pair.onA.awaitResult("sealed", 1, LONG));
    }

    @Test
    void aControllerThatCannotBeReachedIsNamedToTheAdminAndReachedAgain() {
        waitingAt("far", "input(id: 'Ok', message: 'Go on?')");
        String right = seen("");
        try {
            for (String address :
                    List.of(
                            "http://127.0.0.1:1",
                            pair.a.url().toString().replaceAll("/$", ""),
                            "no address")) {
                seen(address);
                HttpResponse<String> refused =
                        pair.onA.post("job/far/1/input/Ok/proceedEmpty", Map.of());
                assertEquals(503, refused.statusCode(), refused.body());
                assertTrue(refused.body().contains("The controller b"), refused.body());
                assertTrue(refused.body().contains("Nothing was done"), refused.body());
                String told = pair.onA.text("manage/");
                assertTrue(told.contains(address), address);
                assertTrue(told.contains("HA_JENKINS_ADDRESS"), address);
            }
        } finally {
            seen(right);
        }
        assertEquals(200, pair.onA.post("job/far/1/input/Ok/proceedEmpty", Map.of()).statusCode());
        assertEquals("SUCCESS", pair.onA.awaitResult("far", 1, LONG));
        assertFalse(pair.onA.text("manage/").contains("HA_JENKINS_ADDRESS"));
    }

    /** Has b say that it is reached there, unless it is ""; answers what it said before. */
    private String seen(String address) {
        String before =
                groovy(
                        pair.onB,
                        """
                        def own = io.jenkins.plugins.ha.Membership.active().get().forwarding().reach().own()
                        def before = own.get()
                        if ('%1$s') {
                          def c = own.@seen.get().class.declaredConstructors[0]
                          c.accessible = true
                          own.@seen.set(c.newInstance('%1$s', false))
                        }
                        print before
                        """
                                .formatted(address));
        groovy(
                pair.onA,
                "io.jenkins.plugins.ha.Membership.active().get().forwarding().reach()"
                        + ".@places.clear()");
        return before;
    }

    @Test
    void whileItsControllerIsSilentOrDeadItSaysSoAndOnceAdoptedItIsAnswered() {
        waitingAt("stalled", "input(id: 'Ok', message: 'Go on?')");
        String page = "job/stalled/1/input/";
        try {
            assertEquals(200, pair.onA.get(page).statusCode());
            // a Pipeline's log is written with a second's delay
            Eventually.until(
                    "its log is stored",
                    LONG,
                    () -> pair.onA.console("stalled", 1).contains("Go on?"));
            pair.b.pause();
            long since = System.nanoTime();
            HttpResponse<String> silent = pair.onA.post(page + "Ok/proceedEmpty", Map.of());
            double waited = (System.nanoTime() - since) / 1e6;
            figure("forwarding.silent_503_ms", waited);
            refused(503, "does not answer", silent);
            assertTrue(waited < 20_000, "it took " + waited);
            // what every controller can answer, a answers itself
            assertEquals(200, pair.onA.get("job/stalled/1/").statusCode());
            assertTrue(pair.onA.console("stalled", 1).contains("Go on?"));
            since = System.nanoTime();
            refused(503, "is gone", pair.onA.get("job/stalled/1/wfapi/describe"));
            figure("forwarding.gone_503_ms", (System.nanoTime() - since) / 1e6);

            pair.b.resume();
            pair.stage.awaitMembers(2, LONG);
            Eventually.until(
                    "b still asks: it was not done late",
                    LONG,
                    () -> pair.onA.get(page).body().contains("proceed"));
            assertFalse(pair.onB.console("stalled", 1).contains("Approved"));

            PipelineState.awaitStored(pair.builds("stalled").resolve("1"));
            groovy(
                    pair.onA,
                    "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = true");
            pair.b.pause();
            CompletableFuture<HttpResponse<String>> underWay =
                    CompletableFuture.supplyAsync(
                            () -> pair.onA.post(page + "Ok/proceedEmpty", Map.of()));
            Eventually.until(
                    "a waits for b",
                    LONG,
                    () ->
                            groovy(
                                            pair.onA,
                                            "print io.jenkins.plugins.ha.Membership.active().get()"
                                                    + ".forwarding().@room.availablePermits()")
                                    .equals("63"));
            pair.b.kill9();
            HttpResponse<String> died = underWay.join();
            assertEquals(503, died.statusCode(), died.body());
            assertTrue(died.body().contains("The controller b"), died.body());

            Eventually.until(
                    "a goes on with it and asks itself",
                    LONG,
                    () -> pair.onA.get(page).body().contains("proceed"));
            assertEquals(200, pair.onA.post(page + "Ok/proceedEmpty", Map.of()).statusCode());
            assertEquals("SUCCESS", pair.onA.awaitResult("stalled", 1, LONG));
            String log = pair.onA.console("stalled", 1);
            assertEquals(log.indexOf("Approved by"), log.lastIndexOf("Approved by"), log);
        } finally {
            if (pair.b.alive()) {
                pair.b.resume();
            } else {
                pair.b.start();
            }
            pair.b.awaitUp(Stage.UP);
            pair.stage.awaitMembers(2, LONG);
        }
    }

    private void refused(int status, String words, HttpResponse<String> answer) {
        assertEquals(status, answer.statusCode(), answer.body());
        assertTrue(answer.body().contains(words), answer.body());
    }

    /** What a would say to b of such a request, sent {@code age} ms ago. */
    private String sealed(
            String method, String uri, String user, String to, long age, String body) {
        String b =
                groovy(
                        pair.onB,
                        "print io.jenkins.plugins.ha.Membership.active().get().identity().id()");
        return groovy(
                pair.onA,
                """
                def m = io.jenkins.plugins.ha.Membership.active().get()
                def f = m.forwarding()
                def digest = io.jenkins.plugins.ha.forwarding.Body.of('%s'.bytes).digest()
                def s = new io.jenkins.plugins.ha.forwarding.Statement(m.identity().id(), '%s%s',
                    f.reach().of('%s', true).life() + ('%s' ? '0' : ''), m.cluster().clockMillis() - %dL,
                    UUID.randomUUID().toString(), '%s', '', digest)
                print s.sealed(f.@key, '%s', '%s', '%s')
                """
                        .formatted(
                                body,
                                b,
                                to.equals("earlier") ? "" : to,
                                b,
                                to.equals("earlier") ? to : "",
                                age,
                                user,
                                method,
                                uri,
                                body.isEmpty() ? "" : "text/plain"));
    }

    /** Sends it to b itself, from nobody. */
    private HttpResponse<String> with(String sealed, String method, String path, String body) {
        return Sent.to(pair.b, method, path, body, sealed);
    }

    private static Map<String, String> answer(String value) {
        return Map.of(
                "json",
                "{\"parameter\":[{\"name\":\"WHICH\",\"value\":\"" + value + "\"}]}",
                "proceed",
                "Proceed");
    }

    /** Runs on b and waits at an input there, as both see it, when this returns. */
    private void waitingAt(String job, String script) {
        waitingAt(job, script, "");
    }

    private void waitingAt(String job, String script, String properties) {
        pair.createJob(job, JobXml.pipeline(script, properties));
        assertEquals(1, pair.running(job));
        Eventually.until(
                job + " asks",
                LONG,
                () -> pair.onB.get("job/" + job + "/1/input/").body().contains("proceed"));
    }

    /** Status and text of an answer to this user, without what differs from page to page. */
    private String said(JenkinsController on, String user, String request) {
        String[] parts = request.split(" ", 2);
        JenkinsClient client = user.isEmpty() ? on.client() : as(on, user);
        HttpResponse<String> answer =
                parts[0].equals("GET") ? client.get(parts[1]) : client.post(parts[1], Map.of());
        String body = answer.body();
        if (parts[1].contains("wfapi") && answer.statusCode() == 200) {
            return "200 " + timeless(client.json(parts[1]));
        }
        return answer.statusCode() + " " + textOf(body);
    }

    /** The text of a page, without numbers of its controller and of this moment. */
    private static String textOf(String html) {
        return html.replaceAll("(?s)<head.*?</head>", "")
                .replaceAll("(?s)<script.*?</script>", "")
                .replaceAll("(?s)<svg.*?</svg>", "")
                .replaceAll("<[^>]*>", " ")
                .replaceAll("127.0.0.1:\\d+", "HOST")
                .replaceAll("\\b[0-9.]+ (?:ms|sec|min)\\b", "TIME")
                .replaceAll("[0-9a-f]{8}-[0-9a-f-]{27}", "ID")
                .replaceAll("\\s+", " ")
                .trim();
    }

    private static JsonNode timeless(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.remove(
                    Stream.of(
                                    "durationMillis",
                                    "pauseDurationMillis",
                                    "queueDurationMillis",
                                    "endTimeMillis",
                                    "totalDurationMillis")
                            .toList());
        }
        node.forEach(ForwardingTest::timeless);
        return node;
    }
}
