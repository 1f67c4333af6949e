package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.permalink;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.PostgresServer;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Build records in PostgreSQL, as two real controllers write and show them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BuildRecordsTest {
    private static final Duration LONG = Duration.ofMinutes(3);

    /** The promise "within a second", with the room that a busy machine needs. */
    private static final Duration AT_ONCE = Duration.ofSeconds(3);

    private TwoControllers two;
    private PostgresServer postgres;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "records",
                        3,
                        BuildRecordsTest::onPostgres,
                        "matrix-project",
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step");
        postgres = two.stage().postgres();
    }

    private static void onPostgres(Stage stage, JenkinsController controller) {
        if (stage.controllers().size() == 1) {
            stage.postgres().start();
        }
        controller
                .environment("HA_JENKINS_DATABASE_URL", stage.postgres().url())
                .environment("HA_JENKINS_DATABASE_PASSWORD", stage.postgres().password())
                .property("io.jenkins.plugins.ha.reconcileAfterMillis", "500");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void bothTakeBuilds() {
        two.bothAlive();
    }

    @Test
    void everyKindOfBuildHasItsRecordWhileItRunsAndWhenItHasEnded() throws IOException {
        JenkinsClient a = two.a();
        Path gate = two.folder("gate");
        String shell = "until [ -e " + gate + " ]; do sleep 0.1; done";
        two.createJob(
                "free",
                new FreestyleJob()
                        .parameter("P")
                        .shell(shell)
                        .xml()
                        .replace(
                                "</parameterDefinitions>",
                                "<hudson.model.PasswordParameterDefinition><name>SECRET</name>"
                                    + "</hudson.model.PasswordParameterDefinition></parameterDefinitions>"));
        two.createJob("matrix", JobXml.matrix("AXIS", shell, "one", "two"));
        two.createJob("pipe", JobXml.pipeline("node { sh '" + shell + "' }"));
        two.onlyOn("b");
        long before = System.currentTimeMillis();
        a.trigger("free", Map.of("P", "value", "SECRET", "hunter2"));
        a.trigger("matrix");
        a.trigger("pipe");
        for (String job : List.of("free", "matrix", "pipe")) {
            JsonNode row = awaitRow(a, job, 1, "RUNNING");
            assertEquals("b", row.path("controller").asText());
            assertEquals("", row.path("result").asText());
            assertTrue(row.path("started").asLong() >= before - 5000, row::toString);
            assertTrue(row.path("queueId").asLong() > 0, row::toString);
        }
        assertEquals(3, rows(a, "result=RUNNING").stream().filter(topLevel()).count());
        JsonNode parameters = awaitRow(a, "free", 1, "RUNNING").path("parameters");
        assertEquals(Map.of("P", "value", "SECRET", "****"), pairs(parameters));
        assertFalse(
                (sql("SELECT * FROM ha_build") + sql("SELECT * FROM ha_build_tag"))
                        .contains("hunter2"));
        Files.createFile(gate);
        for (String job : List.of("free", "matrix", "pipe")) {
            a.awaitResult(job, 1, LONG);
            assertRowIsTheBuild(a, awaitRow(a, job, 1, "ENDED"));
        }
        for (String axis : List.of("one", "two")) {
            JsonNode row = awaitRow(a, "matrix/AXIS=" + axis, 1, "ENDED");
            assertEquals("SUCCESS", row.path("result").asText());
        }
        // The very bytes: what is stored is what lies on the shared folder.
        String digests =
                sql(
                        "SELECT encode(x.sha256, 'hex') FROM ha_build_xml x JOIN ha_job j ON j.id ="
                                + " x.job_id WHERE j.full_name = 'pipe'");
        assertEquals(sha256(build("pipe", 1)), digests);
    }

    @Test
    void editsOfAnEndedBuildAreSeenOnTheOtherControllerWithinASecond() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        two.createJob("edited", new FreestyleJob().xml());
        run("edited", 1);
        b.build("edited", 1); // it is in b's memory as it was
        assertEquals(302, edit(a, "edited", 1, "submitDescription", "description", "from a"));
        long since = System.nanoTime();
        Eventually.until(
                "b shows it", AT_ONCE, () -> shown(b, "edited", 1, "description", "from a"));
        figure("records.description_seen_elsewhere", (System.nanoTime() - since) / 1e9, "s");
        assertEquals(302, edit(b, "edited", 1, "toggleLogKeep", "", ""));
        Eventually.until("a keeps it", AT_ONCE, () -> shown(a, "edited", 1, "keepLog", "true"));
        edit(
                b,
                "edited",
                1,
                "configSubmit",
                "json",
                "{\"displayName\":\"named\",\"description\":\"both\"}");
        Eventually.until(
                "a shows its name", AT_ONCE, () -> shown(a, "edited", 1, "displayName", "named"));
        JsonNode row =
                Eventually.get(
                        "the record has all of it",
                        AT_ONCE,
                        () ->
                                rows(a, "job=edited").stream()
                                        .filter(r -> r.path("description").asText().equals("both"))
                                        .findFirst());
        assertEquals("named", row.path("displayName").asText());
        assertTrue(row.path("keep").asBoolean());
        // Nobody became its owner by editing it.
        assertEquals(
                JenkinsClient.controllerOf(a.build("edited", 1).orElseThrow()),
                row.path("controller").asText());
    }

    @Test
    void aRunningBuildIsEditedOnAnyControllerAndKeepsTheEdits() throws IOException {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        Path gate = two.folder("gate-of-edits");
        String shell = "until [ -e " + gate + " ]; do sleep 0.1; done";
        two.createJob("free-edits", new FreestyleJob().shell(shell).xml());
        two.createJob("pipe-edits", JobXml.pipeline("node { sh '" + shell + "' }"));
        two.onlyOn("b");
        List<String> jobs = List.of("free-edits", "pipe-edits");
        jobs.forEach(a::trigger);
        for (String job : jobs) {
            TwoControllers.awaitRunning(a, job, 1);
            awaitRow(a, job, 1, "RUNNING");
            // By its owner, a script or a step for instance.
            script(
                    b,
                    "jenkins.model.Jenkins.get().getItem('"
                            + job
                            + "').getBuildByNumber(1).setDisplayName('step 2')");
            Eventually.until(
                    "a shows the name of " + job,
                    AT_ONCE,
                    () -> shown(a, job, 1, "displayName", "step 2"));
            // By somebody who looks at it elsewhere.
            edit(a, job, 1, "submitDescription", "description", "two\nlines");
            edit(a, job, 1, "toggleLogKeep", "", "");
            for (JenkinsClient client : List.of(a, b)) {
                Eventually.until(
                        client.url() + " shows the description of " + job,
                        AT_ONCE,
                        () ->
                                shown(client, job, 1, "description", "two\nlines")
                                        && shown(client, job, 1, "keepLog", "true")
                                        && shown(client, job, 1, "building", "true"));
            }
        }
        Files.createFile(gate);
        for (String job : jobs) {
            assertEquals("SUCCESS", b.awaitResult(job, 1, LONG));
            assertEquals("SUCCESS", a.awaitResult(job, 1, SOON));
            JsonNode row = awaitRow(a, job, 1, "ENDED");
            assertEquals("two\nlines", row.path("description").asText());
            assertEquals("step 2", row.path("displayName").asText());
            assertTrue(row.path("keep").asBoolean());
            for (JenkinsClient client : List.of(a, b)) {
                assertTrue(shown(client, job, 1, "description", "two\nlines"));
                assertTrue(shown(client, job, 1, "displayName", "step 2"));
            }
        }
    }

    @Test
    void aDeletedBuildIsGoneFromHistoryChainsLinksAndFeedsAndItsNumberStaysUsed() {
        JenkinsClient a = two.a();
        JenkinsClient b = two.b();
        two.createJob("shrinks", new FreestyleJob().xml());
        IntStream.rangeClosed(1, 4).forEach(number -> run("shrinks", number));
        assertEquals(List.of(4, 3, 2, 1), history(b, "shrinks"));
        assertTrue(b.text("job/shrinks/rssAll").contains("/job/shrinks/4/"));
        for (int number : new int[] {2, 4}) {
            assertEquals(302, a.deleteBuild("shrinks", number));
        }
        Eventually.until(
                "b has forgotten them", AT_ONCE, () -> history(b, "shrinks").equals(List.of(3, 1)));
        for (JenkinsClient client : List.of(a, b)) {
            assertEquals(
                    "1",
                    script(
                            client,
                            "print"
                                + " jenkins.model.Jenkins.get().getItem('shrinks').getBuildByNumber(3)"
                                + ".previousBuild.number"));
            assertEquals(3, permalink(client, "shrinks", "lastBuild"));
            assertEquals(3, permalink(client, "shrinks", "lastStableBuild"));
            String feed = client.text("job/shrinks/rssAll");
            assertTrue(feed.contains("/job/shrinks/3/"), feed);
            assertFalse(feed.contains("/job/shrinks/4/"), feed);
        }
        Eventually.until("the records as well", AT_ONCE, () -> rows(b, "job=shrinks").size() == 2);
        assertEquals(
                "2|2\n4|2",
                sql(
                        "SELECT b.number, b.state FROM ha_build b JOIN ha_job j ON j.id = b.job_id"
                                + " WHERE j.full_name = 'shrinks' AND b.state <> 1 ORDER BY 1"));
        run("shrinks", 5);
        assertEquals(List.of(5, 3, 1), history(b, "shrinks"));
    }

    @Test
    void aPipelineGoesOnOverARestartOfItsControllerAndWhatWaitsBehindItFollows() {
        Controller b = two.controller("b");
        goesOn(
                "restarted-pipe",
                () -> {
                    b.stop();
                    b.start();
                    b.awaitUp(Stage.UP);
                });
    }

    @Test
    void aPipelineGoesOnOverAStallOfItsControllerAndWhatWaitsBehindItFollows() {
        Controller b = two.controller("b");
        goesOn(
                "stalled-pipe",
                () -> {
                    b.pause();
                    two.stage().awaitMembers(1, LONG);
                    b.resume();
                });
    }

    @Test
    void whatAStoppedControllerRanAndWhatRunsAgainHaveOneRowEach() {
        JenkinsClient a = two.a();
        two.createJob(
                "handed", new FreestyleJob().shell("[ $BUILD_NUMBER -gt 1 ] || sleep 100").xml());
        two.onlyOn("b");
        a.trigger("handed");
        awaitRow(a, "handed", 1, "RUNNING");
        two.controller("b").stop();
        two.takes("a", true);
        assertEquals("SUCCESS", a.awaitResult("handed", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("handed", 1, LONG));
        for (int number : List.of(1, 2)) {
            assertRowIsTheBuild(a, awaitRow(a, "handed", number, "ENDED"));
        }
        assertEquals(2, rows(a, "job=handed").size());
    }

    @Test
    void aPipelineWhoseControllerIsGoneIsKilledFromAnotherAndStaysDead() {
        JenkinsClient a = two.a();
        adopts(a, false);
        String job = "killed-pipe";
        long first = runsOnB(job, "if (params.P == '1') { sleep 600 }");
        a.trigger(job, Map.of("P", "2"));
        String kill = "job/" + job + "/1/kill";
        two.controller("b").kill9();
        two.stage().awaitMembers(1, LONG);
        two.takes("a", true);
        HttpResponse<String> stopped = a.post("job/" + job + "/1/stop", Map.of());
        assertEquals(503, stopped.statusCode());
        assertTrue(stopped.body().contains("/kill"), stopped.body());
        assertTrue(a.build(job, 1).orElseThrow().path("building").asBoolean());

        assertEquals(302, a.post(kill, Map.of()).statusCode());
        assertEquals("ABORTED", a.awaitResult(job, 1, AT_ONCE));
        assertEquals("SUCCESS", a.awaitResult(job, 2, LONG), "what waited behind it goes on");
        assertRowIsTheBuild(a, awaitRow(a, job, 1, "ENDED"));
        assertEquals("DONE ABORTED", state(first));
        String log = a.console(job, 1);
        assertTrue(log.contains("while its controller b was gone\nFinished: ABORTED\n"), log);

        bothTakeBuilds();
        JenkinsClient b = two.b();
        assertEquals("ABORTED", b.awaitResult(job, 1, LONG));
        assertRowIsTheBuild(b, awaitRow(b, job, 1, "ENDED"));
        assertEquals(log, b.console(job, 1), "b did not resume it");
        adopts(a, true);
    }

    @Test
    void aPipelineWhoseFileSaysThatItHasEndedKeepsNobodyWaitingWhenItsControllerIsGone()
            throws IOException {
        JenkinsClient a = two.a();
        adopts(a, false);
        String job = "ended-pipe";
        long first = runsOnB(job, "if (params.P == '1') { sleep 600 }");
        a.trigger(job, Map.of("P", "2"));
        two.controller("b").kill9();
        two.stage().awaitMembers(1, LONG);
        two.takes("a", true);
        // As its controller writes it, that dies before it can tell.
        Path file = two.stage().shared().jobs().resolve(job + "/builds/1/build.xml");
        String going = "<completed>false</completed>";
        String xml = Files.readString(file);
        assertTrue(xml.contains(going), xml);
        Files.writeString(
                file, xml.replace(going, "<result>UNSTABLE</result><completed>true</completed>"));
        assertEquals("SUCCESS", a.awaitResult(job, 2, LONG));
        assertEquals("UNSTABLE", a.awaitResult(job, 1, LONG));
        assertEquals("UNSTABLE", awaitRow(a, job, 1, "ENDED").path("result").asText());
        assertEquals("DONE UNSTABLE", state(first));
        adopts(a, true);
    }

    /** Whether this controller goes on with Pipelines whose controller is gone. */
    private static void adopts(JenkinsClient on, boolean adopts) {
        TwoControllers.script(
                on,
                "io.jenkins.plugins.ha.settings.HaConfiguration.get().adoptPipelines = " + adopts);
    }

    private void goesOn(String job, Runnable between) {
        JenkinsClient a = two.a();
        long first = runsOnB(job, "sleep 12; echo 'over'");
        // what is not stored yet when its controller goes is not gone on with, but runs again
        Path program = two.stage().shared().jobs().resolve(job + "/builds/1/program.dat");
        Eventually.until(
                "it sleeps, and that is stored",
                LONG,
                () -> {
                    long stored = written(program);
                    return a.console(job, 1).contains("Sleeping for")
                            && stored > 0
                            && stored < System.currentTimeMillis() - 500;
                });
        long second = a.trigger(job, Map.of("P", "2"));

        between.run();
        two.onlyOn("b");
        assertEquals("SUCCESS", a.awaitResult(job, 1, LONG));
        assertTrue(a.console(job, 1).contains("over\n"), a.console(job, 1));
        assertEquals("SUCCESS", a.awaitResult(job, 2, LONG));
        for (int number : List.of(1, 2)) {
            assertRowIsTheBuild(a, awaitRow(a, job, number, "ENDED"));
        }
        for (long id : List.of(first, second)) {
            assertEquals("DONE SUCCESS", state(id), "the queue says so too");
        }
    }

    /** In ms since 1970; 0 where there is no such file. */
    private static long written(Path file) {
        return file.toFile().lastModified();
    }

    /** The queue item of the first build, under way on b, of a Pipeline built one at a time. */
    private long runsOnB(String job, String script) {
        JenkinsClient a = two.a();
        two.createJob(job, JobXml.pipeline("echo 'begun'; " + script, JobXml.oneAtATime(false)));
        two.onlyOn("b");
        long id = a.trigger(job, Map.of("P", "1"));
        awaitRow(a, job, 1, "RUNNING");
        TwoControllers.awaitRunning(a, job, 1);
        Eventually.until("it has begun", AT_ONCE, () -> a.console(job, 1).contains("begun\n"));
        return id;
    }

    /** What the queue says of an item. */
    private String state(long id) {
        return TwoControllers.script(
                        two.a(),
                        "def i = io.jenkins.plugins.ha.Membership.active().get().cluster().item("
                                + id
                                + "L).get(); print i.state().toString() + ' ' + i.result()")
                .strip();
    }

    @Test
    void aBuildFileThatIsGoneIsMadeAgainFromTheRecord() throws IOException {
        two.createJob("eaten", new FreestyleJob().shell("echo content").xml());
        run("eaten", 1);
        run("eaten", 2);
        byte[] was = Files.readAllBytes(build("eaten", 1));
        Files.delete(build("eaten", 1));
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            script(
                    client,
                    "jenkins.model.Jenkins.get().getItem('eaten').lazyBuildMixIn.runMap.purgeCache()");
        }
        long since = System.nanoTime();
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            Eventually.until(
                    client.url() + " shows it", SOON, () -> client.build("eaten", 1).isPresent());
            assertEquals(List.of(2, 1), history(client, "eaten"));
            assertEquals("SUCCESS", client.awaitResult("eaten", 1, SOON));
        }
        figure("records.missing_file_made_again", (System.nanoTime() - since) / 1e9, "s");
        assertEquals(text(was), text(Files.readAllBytes(build("eaten", 1))));
    }

    @Test
    void buildsAreFoundByWhatIsKnownOfThemPageByPageNewestFirst() {
        JenkinsClient a = two.a();
        two.createJob("found", new FreestyleJob().parameter("P").shell("[ $P != bad ]").xml());
        two.createJob("found-too", new FreestyleJob().concurrent().parameter("P").xml());
        String[] values = {"x", "bad", "y", "x", "bad"};
        for (int i = 0; i < values.length; i++) {
            two.onlyOn(i % 2 == 0 ? "a" : "b");
            long id = a.trigger("found", Map.of("P", values[i]));
            assertEquals(i + 1, a.awaitBuildNumber(id, SOON));
            a.awaitResult("found", i + 1, SOON);
            awaitRow(a, "found", i + 1, "ENDED");
        }
        two.onBoth();
        run("found-too", Map.of("P", "x"), 1);
        for (JenkinsClient on : List.of(a, two.b())) {
            assertEquals(
                    List.of("found#5", "found#4", "found#3", "found#2", "found#1"),
                    found(on, "job=found"));
            assertEquals(List.of("found#5", "found#2"), found(on, "job=found&result=FAILURE"));
            assertEquals(
                    List.of("found-too#1", "found#4", "found#1"), found(on, "parameter=P&value=x"));
            assertEquals(List.of("found#4", "found#2"), found(on, "job=found&controller=b"));
            assertEquals(5, found(on, "job=found&cause=STARTED%20by").size());
            assertEquals(List.of(), found(on, "job=found&cause=nonsense"));
            assertEquals(List.of(), found(on, "job=found&agent=nowhere"));
            assertEquals(List.of(), found(on, "job=nowhere"));
        }
        long third = rows(a, "job=found").get(2).path("started").asLong();
        assertEquals(List.of("found#5", "found#4", "found#3"), found(a, "job=found&from=" + third));
        assertEquals(List.of("found#2", "found#1"), found(a, "job=found&to=" + third));
        for (String question : List.of("job=found", "parameter=P")) {
            List<String> paged = new ArrayList<>();
            String after = "";
            do {
                JsonNode page =
                        a.json("ha-builds/api/json?limit=2&" + question + "&after=" + after);
                assertTrue(page.path("builds").size() <= 2);
                page.path("builds").forEach(row -> paged.add(name(row)));
                after = page.path("next").asText();
            } while (!after.isEmpty());
            assertEquals(found(a, question), paged);
        }
        assertEquals(400, a.get("ha-builds/api/json?after=nonsense").statusCode());
        assertEquals(400, a.get("ha-builds/api/json?from=yesterday").statusCode());
        String page = a.text("ha-builds/?parameter=P&value=x");
        assertTrue(page.contains("job/found/4/") && !page.contains("job/found/3/"), page);
    }

    @Test
    void whileTheDatabaseIsAwayBuildsGoOnTheMonitorSaysSoAndTheRecordsCatchUp() {
        JenkinsClient a = two.a();
        two.createJob(
                "outage", new FreestyleJob().concurrent().parameter("P").shell("sleep 0.2").xml());
        int triggers = builds(40);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < triggers; i++) {
            ids.add((i % 2 == 0 ? a : two.b()).trigger("outage", Map.of("P", "p" + i)));
            if (i == triggers / 3) {
                a.awaitBuildNumber(ids.get(3), SOON);
                postgres.kill9();
            }
        }
        for (long id : ids) {
            int number = a.awaitBuildNumber(id, LONG);
            assertEquals("SUCCESS", a.awaitResult("outage", number, LONG));
        }
        for (JenkinsClient client : List.of(a, two.b())) {
            Eventually.until(
                    "the monitor says so on " + client.url(),
                    SOON,
                    () -> recordsProblem(client).contains("writes wait on this controller's disk"));
            assertEquals(503, client.get("ha-builds/api/json").statusCode());
            assertEquals(200, client.get("ha-builds/").statusCode());
            assertEquals(triggers, history(client, "outage").size());
        }
        assertTrue(a.text("manage/").contains("HA build records:"));
        postgres.start();
        long back = System.nanoTime();
        Eventually.until(
                "all records are there",
                SOON,
                () ->
                        recordsProblem(a).isEmpty()
                                && recordsProblem(two.b()).isEmpty()
                                && rows(a, "job=outage&result=SUCCESS&limit=1000").size()
                                        == triggers);
        figure("records.caught_up_after_outage", (System.nanoTime() - back) / 1e9, "s");
        rows(a, "job=outage&limit=1000").forEach(row -> assertRowIsTheBuild(a, row));
    }

    @Test
    void aRecordThatCannotBeReadIsShownAsSuchAndHidesNoOther() {
        JenkinsClient a = two.a();
        two.createJob("damaged", new FreestyleJob().xml());
        IntStream.rangeClosed(1, 3).forEach(number -> run("damaged", number));
        awaitRow(a, "damaged", 3, "ENDED");
        String where =
                " WHERE number = 2 AND job_id = (SELECT id FROM ha_job WHERE full_name ="
                        + " 'damaged')";
        sql("UPDATE ha_build SET parameters = '[[\"P' " + where);
        List<JsonNode> rows = rows(a, "job=damaged");
        assertEquals(3, rows.size());
        assertTrue(rows.get(1).path("unreadable").asBoolean(), rows::toString);
        assertFalse(rows.get(0).path("unreadable").asBoolean());
        assertEquals("its parameters cannot be read", rows.get(1).path("damage").asText());
        assertEquals("", rows.get(1).path("description").asText());
        assertTrue(a.text("ha-builds/?job=damaged").contains("its parameters cannot be read"));
        assertEquals("[[\"P", sql("SELECT parameters FROM ha_build" + where));
        assertEquals("SUCCESS", a.awaitResult("damaged", 2, SOON));
        assertEquals(List.of(3, 2, 1), history(two.b(), "damaged"));
    }

    @Test
    void aControllerKilledAmidManyBuildsLeavesARightRecordOfEachAndMendsFilesWhenItIsBack()
            throws IOException {
        JenkinsClient a = two.a();
        two.createJob("spoilt", new FreestyleJob().xml());
        IntStream.rangeClosed(1, 3).forEach(number -> run("spoilt", number));
        awaitRow(a, "spoilt", 3, "ENDED");
        byte[] third = Files.readAllBytes(build("spoilt", 3));
        int triggers = builds(150);
        two.createJob(
                "busy", new FreestyleJob().concurrent().parameter("P").shell("sleep 0.1").xml());
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < triggers; i++) {
            ids.add((i % 2 == 0 ? a : two.b()).trigger("busy", Map.of("P", "p" + i)));
        }
        Eventually.until("a part is done", LONG, () -> history(a, "busy").size() > triggers / 3);
        two.controller("b").kill9();
        Files.write(build("spoilt", 1), "<build><broken".getBytes(StandardCharsets.UTF_8));
        delete(build("spoilt", 2).getParent());
        Files.writeString(
                build("spoilt", 3),
                text(third)
                        .replaceAll("<result>.*</result>", "")
                        .replaceAll("<duration>\\d+</duration>", "<duration>0</duration>"));
        Map<Integer, String> results = new TreeMap<>();
        for (long id : ids) {
            int number = a.awaitBuildNumber(id, LONG);
            results.put(number, a.awaitResult("busy", number, LONG));
        }
        assertEquals(triggers, results.size(), "each has a build of its own");
        Eventually.until(
                "those that b was running have run again, and no record says that one runs",
                LONG,
                () ->
                        rows(a, "job=busy&result=SUCCESS&limit=1000").size() == triggers
                                && rows(a, "result=RUNNING").isEmpty());
        List<JsonNode> rows = rows(a, "job=busy&limit=1000");
        Map<Integer, String> recorded = new TreeMap<>();
        Set<String> built = new HashSet<>();
        for (JsonNode row : rows) {
            recorded.put(row.path("number").asInt(), row.path("result").asText());
            if (row.path("result").asText().equals("SUCCESS")) {
                assertTrue(built.add(row.path("parameters").toString()), () -> "twice: " + row);
            }
            assertRowIsTheBuild(a, row);
        }
        results.forEach((number, result) -> assertEquals(result, recorded.get(number)));
        assertEquals(
                history(a, "busy"), rows.stream().map(row -> row.path("number").asInt()).toList());
        assertEquals(
                "0",
                sql(
                        "SELECT COUNT(*) FROM (SELECT queue_id FROM ha_build WHERE queue_id > 0"
                                + " GROUP BY queue_id HAVING COUNT(*) > 1) AS doubled"));
        figure(
                "records.aborted_by_the_kill",
                results.values().stream().filter("ABORTED"::equals).count(),
                "builds");

        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        JenkinsClient b = two.b();
        Eventually.until(
                "b shows all three",
                SOON,
                () ->
                        history(b, "spoilt").equals(List.of(3, 2, 1))
                                && shown(b, "spoilt", 3, "result", "SUCCESS"));
        assertEquals(
                "<build><broken",
                Files.readString(build("spoilt", 1).resolveSibling("build.xml.unreadable")));
        assertEquals(text(third), Files.readString(build("spoilt", 3)));
        IntStream.rangeClosed(1, 3)
                .forEach(number -> assertTrue(shown(b, "spoilt", number, "result", "SUCCESS")));
        assertEquals(history(a, "busy"), history(b, "busy"));
    }

    // ---- below

    /** How many builds the kills come into; {@code -Dha.records.builds=500} for more. */
    private static int builds(int usual) {
        return Integer.getInteger("ha.records.builds", usual);
    }

    private void run(String job, int number) {
        run(job, Map.of(), number);
    }

    private void run(String job, Map<String, String> parameters, int number) {
        long id = parameters.isEmpty() ? two.a().trigger(job) : two.a().trigger(job, parameters);
        assertEquals(number, two.a().awaitBuildNumber(id, SOON));
        assertEquals("SUCCESS", two.a().awaitResult(job, number, SOON));
        assertEquals("SUCCESS", two.b().awaitResult(job, number, SOON));
    }

    /** Number, result, times and name are those that Jenkins' own API tells. */
    private static void assertRowIsTheBuild(JenkinsClient on, JsonNode row) {
        JsonNode build =
                on.build(row.path("job").asText(), row.path("number").asInt()).orElseThrow();
        for (String field : List.of("result", "duration")) {
            assertEquals(
                    build.path(field).asText(),
                    row.path(field).asText(),
                    () -> field + " of " + row + "\n" + build);
        }
        // Jenkins tells when it was made; the record, when it began to run.
        long waited = row.path("started").asLong() - build.path("timestamp").asLong();
        assertTrue(waited >= 0 && waited < 30_000, () -> row + "\n" + build);
        assertEquals("ENDED", row.path("state").asText());
        assertEquals(JenkinsClient.controllerOf(build), row.path("controller").asText());
    }

    private static JsonNode awaitRow(JenkinsClient on, String job, int number, String state) {
        return Eventually.get(
                job + " #" + number + " is recorded as " + state,
                SOON,
                () ->
                        rows(on, "job=" + job.replace("=", "%3D")).stream()
                                .filter(row -> row.path("number").asInt() == number)
                                .filter(row -> row.path("state").asText().equals(state))
                                .findFirst());
    }

    /** What it answers, a row each line. */
    private String sql(String sql) {
        return String.join("\n", postgres.rows(sql));
    }

    private static List<JsonNode> rows(JenkinsClient on, String question) {
        List<JsonNode> rows = new ArrayList<>();
        on.json("ha-builds/api/json?" + question).path("builds").forEach(rows::add);
        return rows;
    }

    private static List<String> found(JenkinsClient on, String question) {
        return rows(on, question).stream().map(BuildRecordsTest::name).toList();
    }

    private static String name(JsonNode row) {
        return row.path("job").asText() + "#" + row.path("number").asInt();
    }

    private static java.util.function.Predicate<JsonNode> topLevel() {
        return row -> !row.path("job").asText().contains("/");
    }

    private static Map<String, String> pairs(JsonNode pairs) {
        Map<String, String> map = new TreeMap<>();
        pairs.forEach(pair -> map.put(pair.path("name").asText(), pair.path("value").asText()));
        return map;
    }

    private static List<Integer> history(JenkinsClient on, String job) {
        List<Integer> numbers = new ArrayList<>();
        on.json(JenkinsClient.jobPath(job) + "api/json?tree=allBuilds[number]")
                .path("allBuilds")
                .forEach(build -> numbers.add(build.path("number").asInt()));
        return numbers;
    }

    private static boolean shown(
            JenkinsClient on, String job, int number, String field, String value) {
        Optional<JsonNode> build = on.build(job, number);
        return build.map(b -> b.path(field).asText()).orElse("").equals(value);
    }

    private static int edit(
            JenkinsClient on, String job, int number, String how, String name, String value) {
        return on.post(
                        JenkinsClient.jobPath(job) + number + "/" + how,
                        name.isEmpty() ? Map.of() : Map.of(name, value))
                .statusCode();
    }

    private static String recordsProblem(JenkinsClient on) {
        return script(
                        on,
                        "print hudson.ExtensionList.lookupSingleton("
                                + "io.jenkins.plugins.ha.health.RecordsMonitor).problem")
                .trim();
    }

    private Path build(String job, int number) {
        return two.stage().shared().jobs().resolve(job + "/builds/" + number + "/build.xml");
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String sha256(Path file) throws IOException {
        try {
            return java.util.HexFormat.of()
                    .formatHex(
                            java.security.MessageDigest.getInstance("SHA-256")
                                    .digest(Files.readAllBytes(file)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
