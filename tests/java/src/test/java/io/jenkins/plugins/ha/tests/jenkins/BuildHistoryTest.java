package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * One history, shown by a plain Jenkins, by one with records (in SQLite, as where no database is
 * configured), and by a plain one again. Field by field it is the same.
 */
class BuildHistoryTest {
    private static final int MANY = 4000;
    private static final int PART = 300;
    private static final List<String> JOBS = List.of("lib", "matrix", "pipe");

    @Test
    void aHistoryIsTakenOverShownAsPlainJenkinsShowsItAndLeftBehind() throws IOException {
        JenkinsWar war = SingleController.war();
        Path plugin = SingleController.plugin();
        for (String name : List.of("junit", "matrix-project", "workflow-durable-task-step")) {
            assumeTrue(
                    war.plugins().map(p -> Files.exists(p.resolve(name + ".jpi"))).orElse(false),
                    "no " + name + ".jpi beside the war");
        }
        try (Stage stage = Stage.open("build-history")) {
            stage.redis().start();
            JenkinsController controller =
                    stage.addJenkins(war, "a")
                            .executors(2)
                            .plugins(
                                    "junit",
                                    "matrix-project",
                                    "workflow-job",
                                    "workflow-cps",
                                    "workflow-basic-steps",
                                    "workflow-durable-task-step")
                            .property("io.jenkins.plugins.ha.reconcileAfterMillis", "3000")
                            .haPlugin(Optional.empty());
            JenkinsClient plain = SingleController.up(controller);
            SingleController.assertPlain(plain);
            makeHistory(plain);
            Path many = stage.shared().jobs().resolve("many/builds");
            multiply(many);
            plain.reload(Stage.UP);
            Eventually.until(
                    "it has read all builds",
                    SOON,
                    () ->
                            plain.jsonIfPresent("job/many/api/json?tree=lastBuild[number]")
                                            .map(job -> job.findPath("number").asInt())
                                            .orElse(0)
                                    == MANY);
            Map<String, String> before = shown(plain);
            controller.stop();

            controller.haPlugin(Optional.of(plugin));
            JenkinsClient clustered = SingleController.up(controller);
            stage.awaitMembers(1, SOON);
            Eventually.until(
                    "the admin is told",
                    SOON,
                    () -> progress(clustered).matches("(?s).* [1-9]\\d* builds taken over\\."));
            Eventually.until(
                    "a part is taken over", SOON, () -> recorded(clustered, "many") >= PART);
            controller.kill9();
            JenkinsClient again = SingleController.up(controller);
            stage.awaitMembers(1, SOON);
            long since = System.nanoTime();
            Eventually.until(
                    "all are taken over",
                    SOON,
                    () -> progress(again).isEmpty() && recorded(again, "many") == MANY);
            figure("records.taken_over", (System.nanoTime() - since) / 1e9, "s");
            assertTrue(taken(again) <= MANY - PART, "it goes on where it was stopped");
            Map<String, String> after = shown(again);
            before.forEach((what, text) -> assertEquals(text, after.get(what), what));
            JsonNode unreadable =
                    again.json("ha-builds/api/json?job=many&limit=1&after=n" + (MANY / 2 + 1))
                            .path("builds")
                            .path(0);
            assertEquals(MANY / 2, unreadable.path("number").asInt());
            assertTrue(unreadable.path("unreadable").asBoolean(), unreadable::toString);
            assertTrue(unreadable.path("damage").asText().contains("cannot be read"));
            assertEquals("", unreadable.path("description").asText());
            assertEquals("<build><half", Files.readString(many.resolve(MANY / 2 + "/build.xml")));
            assertRecordsSayTheSame(again);

            // It grows in the cluster, and the plugin is taken away.
            for (int number = 7; number <= 9; number++) {
                run(again, "lib", number);
            }
            run(again, "pipe", 4);
            run(again, "matrix", 3);
            edit(again, "lib", 8, "from the cluster");
            assertEquals(302, again.deleteBuild("lib", 6));
            Map<String, String> grown = shown(again);
            assertRecordsSayTheSame(again);
            controller.stop();
            SingleController.unconfigured(controller).haPlugin(Optional.empty());
            JenkinsClient left = SingleController.up(controller);
            SingleController.assertPlain(left);
            Map<String, String> leftBehind = shown(left);
            grown.forEach((what, text) -> assertEquals(text, leftBehind.get(what), what));
        }
    }

    // ---- the history

    private static void makeHistory(JenkinsClient on) {
        String tests =
                "rm -rf r; mkdir r; n=$BUILD_NUMBER; f=; [ $((n % 3)) = 0 ] && f='<failure"
                        + " message=\"no\"/>'; echo \"<testsuite name='s'><testcase classname='c'"
                        + " name='stable'/><testcase classname='c' name='shaky'>$f</testcase>"
                        + "<testcase classname='c' name='n$n'/></testsuite>\" > r/t.xml;"
                        + " [ $n != 4 ]";
        on.createJob(
                "lib",
                new FreestyleJob()
                        .shell(tests)
                        .xml()
                        .replace(
                                "<publishers/>",
                                "<publishers><hudson.tasks.junit.JUnitResultArchiver><testResults>r/*.xml"
                                    + "</testResults></hudson.tasks.junit.JUnitResultArchiver></publishers>"));
        on.createJob("many", new FreestyleJob().xml());
        on.createJob("matrix", JobXml.matrix("AXIS", "true", "one", "two"));
        on.createJob(
                "pipe",
                JobXml.pipeline(
                        "node { sh 'true' }\nif (currentBuild.number % 2 == 0) { error 'even' }"));
        for (int number = 1; number <= 6; number++) {
            run(on, "lib", number);
        }
        for (int number = 1; number <= 3; number++) {
            run(on, "pipe", number);
        }
        for (int number = 1; number <= 2; number++) {
            run(on, "matrix", number);
        }
        run(on, "many", 1);
        edit(on, "lib", 2, "described");
        on.post("job/lib/4/toggleLogKeep", Map.of());
        on.post(
                "job/pipe/2/configSubmit",
                Map.of("json", "{\"displayName\":\"named\",\"description\":\"\"}"));
        assertEquals(302, on.deleteBuild("lib", 5));
    }

    private static void run(JenkinsClient on, String job, int number) {
        assertEquals(number, on.awaitBuildNumber(on.trigger(job), SOON));
        on.awaitResult(job, number, SOON);
    }

    private static void edit(JenkinsClient on, String job, int number, String description) {
        on.post(
                "job/" + job + "/" + number + "/submitDescription",
                Map.of("description", description));
    }

    /** As if it had been built often; one of the files is broken. */
    private static void multiply(Path builds) throws IOException {
        byte[] xml = Files.readAllBytes(builds.resolve("1/build.xml"));
        for (int number = 2; number <= MANY; number++) {
            Path folder = Files.createDirectory(builds.resolve(Integer.toString(number)));
            Files.write(
                    folder.resolve("build.xml"),
                    number == MANY / 2 ? "<build><half".getBytes(StandardCharsets.UTF_8) : xml);
        }
        Files.writeString(builds.resolveSibling("nextBuildNumber"), (MANY + 1) + "\n");
    }

    // ---- what is compared

    /** All that Jenkins tells of the history, by what it is. */
    private static Map<String, String> shown(JenkinsClient on) {
        Map<String, String> shown = new TreeMap<>();
        for (String job : JOBS) {
            JsonNode whole = on.json("job/" + job + "/api/json?depth=2");
            withoutOurs(whole);
            flatten(job, whole, shown);
            for (String feed : List.of("rssAll", "rssFailed")) {
                shown.put(job + " " + feed, on.text("job/" + job + "/" + feed));
            }
            shown.put(job + " chains", chains(on, job));
        }
        flatten("tests", on.json("job/lib/3/testReport/api/json"), shown);
        shown.put(
                "many",
                on.json("job/many/api/json?tree=allBuilds[number,result,duration]").toString());
        assertTrue(shown.size() > 500, shown::toString);
        return shown;
    }

    /** Each build, who comes before and after it, its tests, and where the permalinks lead. */
    private static String chains(JenkinsClient on, String job) {
        return script(
                on,
                """
                def job = jenkins.model.Jenkins.get().getItem('%s')
                for (def b = job.lastBuild; b != null; b = b.previousBuild) {
                    def t = b.getAction(hudson.tasks.test.AbstractTestResultAction)
                    println([b.number, b.result, b.duration, b.timeInMillis, b.startTimeInMillis,
                        b.nextBuild, b.previousBuild, b.previousBuiltBuild, b.previousCompletedBuild,
                        b.previousSuccessfulBuild, b.previousFailedBuild, b.previousNotFailedBuild,
                        b.buildStatusSummary.message, b.description, b.displayName, b.keepLog,
                        t == null ? '' : [t.totalCount, t.failCount, t.previousResult?.owner,
                            t.failedTests*.age, t.failedTests*.failedSince]])
                }
                job.permalinks.each { println([it.id, it.resolve(job)?.number]) }
                def trend = job.allActions.find { it.class.simpleName == 'TestResultProjectAction' }
                println([trend?.lastTestResultAction?.owner, trend?.buildTrendModel])
                """
                        .formatted(job));
    }

    /** Our own action tells which controller ran a build: nothing a plain Jenkins knows. */
    private static void withoutOurs(JsonNode node) {
        if (node.path("actions") instanceof ArrayNode actions) {
            for (Iterator<JsonNode> all = actions.iterator(); all.hasNext(); ) {
                JsonNode action = all.next();
                if (action.isEmpty() || action.has("haController")) {
                    all.remove();
                }
            }
        }
        node.forEach(BuildHistoryTest::withoutOurs);
    }

    private static void flatten(String path, JsonNode node, Map<String, String> into) {
        if (path.endsWith(".estimatedDuration")) {
            return; // out of those builds that happen to be in memory
        }
        if (node instanceof ObjectNode object) {
            object.fields()
                    .forEachRemaining(
                            field -> flatten(path + "." + field.getKey(), field.getValue(), into));
        } else if (node instanceof ArrayNode array) {
            into.put(path + ".size", Integer.toString(array.size()));
            for (int i = 0; i < array.size(); i++) {
                flatten(path + "[" + i + "]", array.get(i), into);
            }
        } else {
            into.put(path, node.asText());
        }
    }

    private static void assertRecordsSayTheSame(JenkinsClient on) {
        for (String job : JOBS) {
            JsonNode builds =
                    on.json(
                                    "job/"
                                            + job
                                            + "/api/json?tree=allBuilds[number,result,duration,description,keepLog]")
                            .path("allBuilds");
            JsonNode rows = on.json("ha-builds/api/json?limit=1000&job=" + job).path("builds");
            assertEquals(builds.size(), rows.size(), job);
            for (int i = 0; i < builds.size(); i++) {
                JsonNode build = builds.get(i);
                JsonNode row = rows.get(i);
                for (String field : List.of("number", "result", "duration")) {
                    assertEquals(build.path(field), row.path(field), job + " " + field);
                }
                assertEquals(build.path("keepLog"), row.path("keep"));
                assertEquals(
                        build.path("description").asText("").replace("null", ""),
                        row.path("description").asText());
            }
        }
    }

    private static String progress(JenkinsClient on) {
        return script(
                        on,
                        "print hudson.ExtensionList.lookupSingleton("
                                + "io.jenkins.plugins.ha.health.RecordsMonitor).progress")
                .trim();
    }

    private static int recorded(JenkinsClient on, String job) {
        return Integer.parseInt(
                script(
                                on,
                                "print io.jenkins.plugins.ha.records.BuildRecords.active().get()"
                                        + ".numbers('"
                                        + job
                                        + "').length / 2")
                        .trim());
    }

    private static int taken(JenkinsClient on) {
        return Integer.parseInt(
                script(
                                on,
                                "print"
                                    + " io.jenkins.plugins.ha.Membership.active().get().@reconciling.taken()")
                        .trim());
    }
}
