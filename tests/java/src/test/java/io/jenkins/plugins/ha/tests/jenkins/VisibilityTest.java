package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.NOTICED;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What runs on b is on a too, within a second and without a reload. */
class VisibilityTest {
    private static final List<String> LINKS =
            List.of(
                    "lastBuild",
                    "lastStableBuild",
                    "lastSuccessfulBuild",
                    "lastFailedBuild",
                    "lastUnstableBuild",
                    "lastUnsuccessfulBuild",
                    "lastCompletedBuild");

    private static TwoControllers two;

    @BeforeAll
    static void start() {
        two =
                TwoControllers.start(
                        "visible",
                        2,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "matrix-project");
    }

    @AfterAll
    static void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void onlyOnB() {
        two.onlyOn("b");
    }

    @Test
    void aFreestyleBuildIsSeenFromItsStartToItsEnd() throws Exception {
        two.createJob("free", new FreestyleJob().shell(ticks(6)).xml());
        warmUp("free", "SUCCESS");
        follow("free", 2, 6, "SUCCESS");
        two.createJob("fails", new FreestyleJob().shell(ticks(2) + "exit 3").xml());
        warmUp("fails", "FAILURE");
        follow("fails", 2, 2, "FAILURE");
    }

    @Test
    void aPipelineIsSeenFromItsStartToItsEndAndNeverResumed() throws Exception {
        Path once = Files.createFile(two.folder("once"));
        two.createJob(
                "flow",
                JobXml.pipeline(
                        "node { sh 'echo $BUILD_NUMBER >> "
                                + once
                                + "' }\n"
                                + "for (int i = 1; i <= 6; i++) { echo \"tick $i\"; sleep 1 }\n"
                                + "echo 'last'"));
        warmUp("flow", "SUCCESS");
        long triggered = System.nanoTime();
        two.a().trigger("flow");
        TwoControllers.awaitRunning(two.a(), "flow", 2);
        figure(
                "flow: the first that a sees running, after the trigger",
                (System.nanoTime() - triggered) / 1e6,
                "ms");
        assertEquals(200, two.a().get("job/flow/2/").statusCode());
        two.a().awaitResult("flow", 2, SOON);
        follow("flow", 3, 6, "SUCCESS");

        two.a().awaitBuildNumber(two.a().trigger("flow"), SOON);
        TwoControllers.awaitRunning(two.a(), "flow", 4);
        // Everything that makes a controller read a Pipeline, on the one that does not run it.
        for (String page :
                List.of(
                        "job/flow/",
                        "job/flow/4/",
                        "job/flow/4/console",
                        "job/flow/4/consoleFull",
                        "job/flow/4/flowGraphTable/",
                        "job/flow/4/execution/api/json",
                        "job/flow/4/api/json?depth=2",
                        "job/flow/4/wfapi/describe",
                        "job/flow/4/replay/",
                        "job/flow/4/changes",
                        "job/flow/api/json?depth=2",
                        "job/flow/buildHistory/ajax",
                        "job/flow/rssAll",
                        "api/json?depth=3")) {
            int status = two.a().get(page).statusCode();
            assertTrue(status == 200 || status == 404 || status / 100 == 3, page + " " + status);
        }
        script(two.a(), "Jenkins.instance.getItem('flow').getBuildByNumber(4).reload()");
        script(two.a(), "Jenkins.instance.getItem('flow')._getRuns().purgeCache()");
        assertTrue(two.a().build("flow", 4).orElseThrow().path("building").asBoolean());
        assertTrue(two.b().build("flow", 4).orElseThrow().path("building").asBoolean());
        assertNobodyWroteThatItEnded("flow", 4);
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            assertEquals("SUCCESS", client.awaitResult("flow", 4, SOON));
            String log = client.console("flow", 4);
            assertFalse(log.contains("Resuming build"), log);
            assertEquals(1, log.split("last\n", -1).length - 1, log);
            for (int i = 1; i <= 6; i++) {
                assertEquals(1, log.split("tick " + i + "\n", -1).length - 1, log);
            }
        }
        assertEquals(List.of("1", "2", "3", "4"), Files.readAllLines(once));
        for (String name : List.of("a", "b")) {
            assertFalse(two.controller(name).logText().contains("Resuming"), name);
        }
    }

    @Test
    void aMatrixBuildIsSeenWithItsConfigurations() throws Exception {
        two.createJob(
                "matrix", JobXml.matrix("COLOR", ticks(3) + "test $COLOR = red", "red", "blue"));
        warmUp("matrix", "FAILURE");
        follow("matrix", 2, 0, "FAILURE");
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            Map<String, String> results = new TreeMap<>();
            for (String color : List.of("red", "blue")) {
                String path = "job/matrix/2/COLOR=" + color + "/";
                Eventually.until(
                        path + " has ended on " + client.url(),
                        SOON,
                        () ->
                                client.jsonIfPresent(path + "api/json")
                                        .filter(b -> !b.path("building").asBoolean())
                                        .isPresent());
                results.put(color, client.json(path + "api/json").path("result").asText());
                assertTrue(client.text(path + "consoleText").contains("tick 3"));
                assertEquals(
                        2,
                        client.json("job/matrix/COLOR=" + color + "/lastBuild/api/json")
                                .path("number")
                                .asInt());
            }
            assertEquals(Map.of("blue", "FAILURE", "red", "SUCCESS"), results);
            JsonNode runs = client.json("job/matrix/2/api/json?tree=runs[number,result]");
            assertEquals(2, runs.path("runs").size());
        }
    }

    @Test
    void thePermalinksAreRightOnBothAfterEveryBuildWhereverItRan() {
        String xml =
                new FreestyleJob()
                        .parameter("CODE")
                        .shell("exit $CODE")
                        .xml()
                        .replace(
                                "</command></hudson.tasks.Shell>",
                                "</command><unstableReturn>7</unstableReturn></hudson.tasks.Shell>");
        two.createJob("links", xml);
        // 0 success, 1 failure, 7 unstable; on which controller
        String[] builds = {"0b", "1b", "0a", "7b", "1a", "0b", "7a", "1b", "1a", "0a", "0b"};
        Map<String, Integer> expected = new LinkedHashMap<>();
        LINKS.forEach(link -> expected.put(link, 0));
        for (int i = 0; i < builds.length; i++) {
            int number = i + 1;
            two.onlyOn(builds[i].substring(1));
            JenkinsClient by = i % 2 == 0 ? two.a() : two.b();
            String code = builds[i].substring(0, 1);
            by.awaitBuildNumber(by.trigger("links", Map.of("CODE", code)), SOON);
            expected.put("lastBuild", number);
            expected.put("lastCompletedBuild", number);
            switch (code) {
                case "0" -> expected.put("lastStableBuild", number);
                case "7" -> expected.put("lastUnstableBuild", number);
                default -> expected.put("lastFailedBuild", number);
            }
            if (!code.equals("1")) {
                expected.put("lastSuccessfulBuild", number);
            }
            if (!code.equals("0")) {
                expected.put("lastUnsuccessfulBuild", number);
            }
            two.controller(builds[i].substring(1)).client().awaitResult("links", number, SOON);
            for (JenkinsClient client : List.of(two.a(), two.b())) {
                client.awaitResult("links", number, NOTICED);
                assertEquals(expected, links(client, "links"), client.url() + " after " + number);
                JsonNode job = client.job("links");
                for (String link : LINKS) {
                    assertEquals(
                            expected.get(link),
                            job.path(link).path("number").asInt(),
                            link + " in the job's api/json after " + number);
                }
                String color =
                        switch (code) {
                            case "0" -> "blue";
                            case "7" -> "yellow";
                            default -> "red";
                        };
                assertEquals(color, job.path("color").asText());
            }
        }
    }

    /**
     * Whoever stops builds interrupts their threads, at any moment: an interrupt closes a file
     * under whoever writes to it.
     */
    @Test
    void anInterruptAtTheWrongMomentTakesNeitherTheBeginningNorTheEndOfABuildFromTheOthers()
            throws Exception {
        two.createJob("interrupted", new FreestyleJob().shell("true").xml());
        warmUp("interrupted", "SUCCESS");
        script(
                two.b(),
                """
                hudson.ExtensionList.lookup(hudson.model.listeners.RunListener).add(
                    new hudson.model.listeners.RunListener<hudson.model.Run>() {
                        void onInitialize(hudson.model.Run run) {
                            if (run.parent.name == 'interrupted') {
                                def flag = Thread.currentThread().isInterrupted()
                                def file = new File(run.rootDir, 'build.xml').exists()
                                System.setProperty('test.begun', (flag as String) + ' ' + file)
                            }
                        }
                        void onCompleted(hudson.model.Run run, hudson.model.TaskListener listener) {
                            if (run.parent.name == 'interrupted') Thread.currentThread().interrupt()
                        }
                    })
                """);
        two.a().awaitBuildNumber(two.a().trigger("interrupted"), SOON);
        assertEquals("SUCCESS", two.a().awaitResult("interrupted", 2, SOON));
        assertTrue(
                Files.readString(buildXml("interrupted", 2)).contains("<result>SUCCESS</result>"));
        assertEquals("false true", script(two.b(), "print System.getProperty('test.begun')"));

        script(
                two.b(),
                """
                def mixIn = Jenkins.get().getItem('interrupted').lazyBuildMixIn
                System.setProperty('test.held', '')
                Thread.start { synchronized (mixIn) {
                    System.setProperty('test.held', 'yes')
                    def making = null
                    while (making == null) {
                        Thread.sleep(10)
                        making = Jenkins.get().computers*.executors.flatten().find {
                            it.currentWorkUnit != null && it.currentExecutable == null &&
                                it.state == Thread.State.BLOCKED }
                    }
                    making.interrupt(hudson.model.Result.ABORTED)
                } }
                while (System.getProperty('test.held') != 'yes') Thread.sleep(10)
                """);
        two.a().awaitBuildNumber(two.a().trigger("interrupted"), SOON);
        assertEquals("ABORTED", two.a().awaitResult("interrupted", 3, SOON));
        assertEquals("true true", script(two.b(), "print System.getProperty('test.begun')"));
        assertTrue(
                Files.readString(buildXml("interrupted", 3)).contains("<result>ABORTED</result>"));
    }

    private static Path buildXml(String job, int number) {
        return two.stage().shared().jobs().resolve(job).resolve("builds/" + number + "/build.xml");
    }

    @Test
    void aBuildHereDoesNotSpinBehindOneThatRunsElsewhere() throws Exception {
        two.createJob(
                "behind", new FreestyleJob().concurrent().parameter("S").shell("sleep $S").xml());
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            script(client, WAITS_FOR_THE_ONE_BEFORE.formatted("behind"));
        }
        two.a().awaitBuildNumber(two.a().trigger("behind", Map.of("S", "25")), SOON);
        TwoControllers.awaitRunning(two.a(), "behind", 1);
        two.onlyOn("a");
        two.a().awaitBuildNumber(two.a().trigger("behind", Map.of("S", "3")), SOON);
        two.a().awaitBuildNumber(two.a().trigger("behind", Map.of("S", "0")), SOON);
        // The third waits for the second, as on one controller. The second has only the first
        // before it, whose checkpoints are in another process: it must not wait for them.
        Thread.sleep(1000);
        long before = cpuMillis("a");
        long start = System.nanoTime();
        assertTrue(two.a().build("behind", 3).orElseThrow().path("building").asBoolean());
        Thread.sleep(6000);
        double share = (cpuMillis("a") - before) * 1e6 / (System.nanoTime() - start);
        figure("processor used while a build waits for the one before it", share, "cores");
        assertTrue(share < 0.4, "a burns " + share + " of a core");
        for (int number : List.of(2, 3)) {
            assertEquals("SUCCESS", two.a().awaitResult("behind", number, SOON));
            assertEquals(
                    "a", JenkinsClient.controllerOf(two.b().build("behind", number).orElseThrow()));
        }
        assertTrue(two.b().build("behind", 1).orElseThrow().path("building").asBoolean());
        assertTrue(two.b().stop("behind", 1) < 400);
        assertEquals("ABORTED", two.a().awaitResult("behind", 1, SOON));
    }

    /** A publisher that waits, as the default is, for the build before; only in memory. */
    private static final String WAITS_FOR_THE_ONE_BEFORE =
            """
            class Waits extends hudson.tasks.Recorder {
                public hudson.tasks.BuildStepMonitor getRequiredMonitorService() { hudson.tasks.BuildStepMonitor.BUILD }
                public boolean perform(hudson.model.AbstractBuild b, hudson.Launcher l, hudson.model.BuildListener t) { true }
                public hudson.tasks.BuildStepDescriptor getDescriptor() { new hudson.tasks.ArtifactArchiver.DescriptorImpl() }
            }
            def list = Jenkins.instance.getItem('%s').publishersList
            def data = hudson.util.PersistedList.getDeclaredField('data')
            data.accessible = true
            data.get(list).add(new Waits())
            """;

    private static String ticks(int count) {
        return "for i in $(seq " + count + "); do echo tick $i; sleep 1; done\n";
    }

    /** What a JVM does for the first time takes longer than what is measured here. */
    private static void warmUp(String job, String result) {
        two.a().awaitBuildNumber(two.a().trigger(job), SOON);
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            assertEquals(result, client.awaitResult(job, 1, SOON));
        }
    }

    /** Triggers a build and compares when everything about it is seen on a and on b. */
    private static void follow(String job, int number, int ticks, String result)
            throws InterruptedException {
        Moments onA = watch("a", two.a(), job, number, ticks, result);
        Moments onB = watch("b", two.b(), job, number, ticks, result);
        long triggered = System.nanoTime();
        two.a().trigger(job);
        figure(
                job + ": from the trigger on a to the build on b",
                (onB.of("running") - triggered) / 1e6,
                "ms");
        List<String> late = new ArrayList<>();
        for (String what : questions(ticks)) {
            double behind = (onA.of(what) - onB.of(what)) / 1e6;
            figure(job + ": " + what + ", a after b", behind, "ms");
            if (behind > NOTICED.toMillis()) {
                late.add(what + " " + behind + " ms");
            }
        }
        assertEquals(List.of(), late, "later than a second on a");
        JsonNode a = two.a().build(job, number).orElseThrow();
        JsonNode b = two.b().build(job, number).orElseThrow();
        assertEquals("b", JenkinsClient.controllerOf(a));
        assertEquals(plain(b), plain(a));
        assertEquals(two.b().console(job, number), two.a().console(job, number));
        assertEquals(links(two.b(), job), links(two.a(), job));
        assertEquals(number, links(two.a(), job).get("lastCompletedBuild"));
    }

    private static List<String> questions(int ticks) {
        List<String> questions =
                new ArrayList<>(
                        List.of(
                                "in the history",
                                "running",
                                "lastBuild",
                                "stop button on the job's page",
                                "stop button on the build's page"));
        for (int i = 1; i <= ticks; i++) {
            questions.add("log line " + i);
        }
        questions.addAll(
                List.of(
                        "end and result",
                        "end on the job's page",
                        "lastCompletedBuild",
                        "end of log"));
        return questions;
    }

    private static Moments watch(
            String where, JenkinsClient client, String job, int number, int ticks, String result) {
        String jobPath = JenkinsClient.jobPath(job);
        String buildPath = jobPath + number + "/";
        Moments moments = new Moments(where, SOON);
        moments.ask(
                () -> client.job(job),
                Map.of(
                        "in the history",
                        of -> of.path("builds").path(0).path("number").asInt() == number,
                        "lastBuild",
                        of -> of.path("lastBuild").path("number").asInt() == number,
                        "lastCompletedBuild",
                        of -> of.path("lastCompletedBuild").path("number").asInt() == number));
        moments.ask(
                () -> client.build(job, number),
                Map.of(
                        "running",
                        build ->
                                build.isPresent()
                                        && build.get().path("building").asBoolean()
                                        && build.get().path("result").isNull(),
                        "end and result",
                        build ->
                                build.isPresent()
                                        && !build.get().path("building").asBoolean()
                                        && build.get().path("result").asText().equals(result)
                                        && build.get().path("duration").asLong() > 0));
        moments.ask(
                () -> client.text(jobPath + "buildHistory/ajax"),
                Map.of(
                        "stop button on the job's page",
                        page -> page.contains("href=\"/" + buildPath + "stop\""),
                        "end on the job's page",
                        page ->
                                page.contains("/" + buildPath)
                                        && !page.contains(buildPath + "stop")));
        moments.ask(
                () -> client.get(buildPath).body(),
                Map.of("stop button on the build's page", page -> page.contains("href=\"stop\"")));
        StringBuilder log = new StringBuilder();
        long[] next = {0};
        Map<String, Predicate<Boolean>> lines = new HashMap<>();
        for (int i = 1; i <= ticks; i++) {
            String line = "tick " + i + "\n";
            lines.put("log line " + i, whole -> log.indexOf(line) >= 0);
        }
        lines.put("end of log", whole -> whole && log.indexOf("Finished: " + result) >= 0);
        moments.ask(() -> readOn(client, job, number, log, next), lines);
        return moments;
    }

    /** Reads on as the console page does; whether it was told that this is all. */
    private static boolean readOn(
            JenkinsClient client, String job, int number, StringBuilder log, long[] next) {
        if (client.build(job, number).isEmpty()) {
            return false;
        }
        JenkinsClient.LogPiece piece = client.log(job, number, next[0]);
        log.append(piece.text().replace("\r", ""));
        next[0] = piece.next();
        return !piece.more();
    }

    /** Without what is each controller's own address. */
    private static String plain(JsonNode build) {
        return build.toString().replaceAll("http://127.0.0.1:\\d+/", "/");
    }

    private static Map<String, Integer> links(JenkinsClient client, String job) {
        Map<String, Integer> links = new LinkedHashMap<>();
        LINKS.forEach(link -> links.put(link, TwoControllers.permalink(client, job, link)));
        return links;
    }

    /** A controller that takes a Pipeline for a broken one writes into its file that it ended. */
    private static void assertNobodyWroteThatItEnded(String job, int number) throws IOException {
        Path folder = two.stage().shared().jobs().resolve(job + "/builds/" + number);
        String xml = Files.readString(folder.resolve("build.xml"));
        assertTrue(xml.contains("<completed>false</completed>"), xml);
    }

    /** Processor time of a controller so far; 10 ms steps. */
    private static long cpuMillis(String controller) throws IOException {
        Path stat = Path.of("/proc", Long.toString(two.controller(controller).pid()), "stat");
        String[] fields = Files.readString(stat).replaceAll(".*\\) ", "").split(" ");
        long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        return Duration.ofSeconds(ticks).toMillis() / 100;
    }
}
