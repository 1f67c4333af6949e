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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Running builds of a controller that dies, or that is only held dead, run again once. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RerunTest {
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final String DIED = "The controller 'b' died while it ran this build.";

    /** A job that wants none of its builds run again. */
    static final String NOT_AGAIN =
            "<io.jenkins.plugins.ha.settings.RerunProperty><policy>not</policy>"
                    + "</io.jenkins.plugins.ha.settings.RerunProperty>";

    private TwoControllers two;

    @BeforeAll
    void start() {
        two = TwoControllers.start("rerun", 4, "matrix-project");
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
    void buildsOfAKilledControllerRunAgainOnceUnlessTheirJobSaysNo() {
        JenkinsClient a = two.a();
        String first = "echo begun; [ $BUILD_NUMBER -gt 1 ] || sleep 100; ";
        two.createJob(
                "again", new FreestyleJob().parameter("P").shell(first + "echo got $P").xml());
        two.createJob("never", new FreestyleJob().property(NOT_AGAIN).shell(first).xml());
        two.createJob("matrix", JobXml.matrix("COLOR", first + "echo $COLOR", "red", "blue"));
        two.onlyOn("b");
        long id = a.trigger("again", Map.of("P", "p 1"));
        a.trigger("never");
        a.trigger("matrix");
        for (String job : List.of("again", "never", "matrix")) {
            TwoControllers.awaitRunning(a, job, 1);
        }
        begun(a, "again", "never");
        Eventually.until(
                "the matrix has begun",
                TwoControllers.SOON,
                () -> two.b().get("job/matrix/COLOR=red/1/consoleText").body().contains("begun\n"));

        two.controller("b").kill9();
        long killed = System.nanoTime();
        two.takes("a", true);
        assertEquals("ABORTED", a.awaitResult("again", 1, LONG));
        figure("rerun.aborted_after_kill", (System.nanoTime() - killed) / 1e9, "s");
        a.awaitBuild("again", 2, "runs again", LONG, build -> true);
        figure("rerun.running_again_after_kill", (System.nanoTime() - killed) / 1e9, "s");
        assertEquals("SUCCESS", a.awaitResult("again", 2, LONG));
        assertEquals("SUCCESS", a.awaitResult("matrix", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("matrix", 1, LONG));
        assertEquals("ABORTED", a.awaitResult("never", 1, LONG));

        List<String> causes = causes(a, "again", 1);
        assertFalse(causes.isEmpty());
        causes.add("Restarted after controller b died while it ran #1");
        assertEquals(causes, causes(a, "again", 2));
        assertTrue(a.console("again", 2).contains("got p 1"), a.console("again", 2));
        assertEquals(1, a.queueItem(id).orElseThrow().path("executable").path("number").asInt());
        assertLog(a, "again", "It runs again as queue item ");
        assertLog(a, "matrix", "It runs again as queue item ");
        assertLog(a, "never", "It is not run again: its job");
        assertTrue(a.text("job/again/1/").contains("stopped answering"), "its page says why");

        bothAlive();
        Eventually.until(
                "nothing is left to do",
                TwoControllers.SOON,
                () -> a.queue().path("items").isEmpty());
        for (JenkinsClient on : List.of(a, two.b())) {
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "again"));
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "matrix"));
            assertEquals(List.of("ABORTED"), results(on, "never"));
        }
        assertTrue(a.text("job/never/configure").contains("When the controller dies"));
        assertTrue(a.text("manage/configure").contains("Run builds again whose controller died"));
    }

    @Test
    void whoWaitsForABuildOfAKilledControllerGetsTheResultOfItsReRun() {
        JenkinsClient a = two.a();
        two.createJob(
                "awaited",
                new FreestyleJob()
                        .parameter("P")
                        .shell("echo begun; [ $BUILD_NUMBER -gt 1 ] || sleep 100")
                        .xml());
        two.onlyOn("b");
        var commandLine = a.cli(two.folder("cli"), "build", "awaited", "-s", "-p", "P=x");
        TwoControllers.awaitRunning(a, "awaited", 1);
        String future =
                "io.jenkins.plugins.ha.Membership.active().get().view().items.values()"
                        + ".find { it.item().job() == 'awaited' }.waiting().future";
        script(a, "System.properties['test.future'] = " + future);
        begun(a, "awaited");
        two.controller("b").kill9();
        two.takes("a", true);
        assertEquals("SUCCESS", a.awaitResult("awaited", 2, LONG));
        assertEquals(0, commandLine.await(LONG), "the exit code of build -s");
        assertEquals(
                "2 SUCCESS",
                script(
                        a,
                        "def run = System.properties.remove('test.future').get();"
                                + " print run.number + ' ' + run.result"));
    }

    @Test
    void buildsOfAControllerThatIsShutDownRunAgainElsewhereOnceItHasStoppedThem() {
        JenkinsClient a = two.a();
        String first =
                "if [ $BUILD_NUMBER = 1 ]; then echo $$ > ../$JOB_NAME.pid; echo begun; sleep 100;"
                        + " fi; ! kill -0 $(cat ../$JOB_NAME.pid)";
        two.createJob("handed", new FreestyleJob().parameter("P").shell(first).xml());
        two.createJob("aborted", new FreestyleJob().property(NOT_AGAIN).shell(first).xml());
        two.onlyOn("b");
        long id = a.trigger("handed", Map.of("P", "p 1"));
        a.trigger("aborted");
        for (String job : List.of("handed", "aborted")) {
            TwoControllers.awaitRunning(a, job, 1);
            begun(a, job);
        }

        long told = System.nanoTime();
        two.controller("b").stop();
        figure("rerun.shut_down", (System.nanoTime() - told) / 1e9, "s");
        two.takes("a", true);
        assertEquals("SUCCESS", a.awaitResult("handed", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("handed", 1, LONG));
        assertEquals("ABORTED", a.awaitResult("aborted", 1, LONG));
        assertEquals(1, a.queueItem(id).orElseThrow().path("executable").path("number").asInt());

        String log = logOf(a, "handed");
        assertOnce(log, "The controller 'b' was shut down while it ran this build.");
        assertOnce(log, "It runs again as queue item ");
        assertOnce(log, "Finished: ");
        assertTrue(a.text("job/handed/1/").contains("b was shut down"), "its page says why");
        List<String> causes = causes(a, "handed", 1);
        causes.add("Restarted after controller b was shut down while it ran #1");
        assertEquals(causes, causes(a, "handed", 2));
        assertTrue(logOf(a, "aborted").contains("b was shut down"), logOf(a, "aborted"));

        bothAlive();
        for (JenkinsClient on : List.of(a, two.b())) {
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "handed"));
            assertEquals(List.of("ABORTED"), results(on, "aborted"));
        }
    }

    /** Core interrupts what runs without a word when all have been asked to stop. */
    @Test
    void aBuildThatWasBeingMadeWhenItsControllerStoppedTheOthersRunsElsewhere() {
        JenkinsClient a = two.a();
        two.createJob(
                "overtaken",
                new FreestyleJob().shell("[ $BUILD_NUMBER -gt 1 ] || sleep 100").xml());
        two.onlyOn("b");
        script(
                two.b(),
                "def mixIn = Jenkins.get().getItem('overtaken').lazyBuildMixIn\n"
                        + "System.setProperty('test.held', '')\n"
                        + "Thread.start { synchronized (mixIn) { System.setProperty('test.held',"
                        + " 'yes'); while (System.getProperty('test.held') == 'yes')"
                        + " Thread.sleep(10) } }\n"
                        + "while (System.getProperty('test.held') != 'yes') Thread.sleep(10)");
        a.trigger("overtaken");
        String executors = "Jenkins.get().computers*.executors.flatten()";
        Eventually.until(
                "an executor of b makes the build",
                TwoControllers.SOON,
                () ->
                        script(
                                        two.b(),
                                        "print "
                                                + executors
                                                + ".any { it.currentWorkUnit != null &&"
                                                + " it.currentExecutable == null }")
                                .equals("true"));
        script(
                two.b(),
                "def membership = io.jenkins.plugins.ha.Membership.active().get()\n"
                    + "membership.@leaving = true\n"
                    + "membership.fence().stopBuilds()\n"
                    + "System.setProperty('test.held', 'no')\n"
                    + "def build = null\n"
                    + "while ((build = Jenkins.get().getItem('overtaken').getBuildByNumber(1)) =="
                    + " null || build.building && !build.log.contains('sleep 100'))"
                    + " Thread.sleep(10)\n"
                        + executors
                        + ".each { it.interrupt(hudson.model.Result.ABORTED) }");
        two.controller("b").stop();
        two.takes("a", true);
        assertEquals("SUCCESS", a.awaitResult("overtaken", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("overtaken", 1, LONG));
        String log = logOf(a, "overtaken");
        assertOnce(log, "The controller 'b' was shut down while it ran this build.");
        assertOnce(log, "It runs again as queue item ");
        bothAlive();
        for (JenkinsClient on : List.of(a, two.b())) {
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "overtaken"));
        }
    }

    /** Its queue item stands for another build by then, whose end says nothing of this one. */
    @Test
    void aBuildWhoseControllerStalledBeforeItWasSavedIsShownAsEndedByAll() throws Exception {
        JenkinsClient a = two.a();
        two.createJob("unbegun", new FreestyleJob().concurrent().shell("true").xml());
        two.onlyOn("b");
        script(
                two.b(),
                """
                System.setProperty('test.held', 'yes')
                def holding = new hudson.model.listeners.RunListener<hudson.model.Run>() {
                    void onInitialize(hudson.model.Run run) {
                        if (run.parent.name == 'unbegun') {
                            System.setProperty('test.reached', 'yes')
                            while (System.getProperty('test.held') == 'yes') Thread.sleep(10)
                        }
                    }
                }
                def list = hudson.ExtensionList.lookup(hudson.model.listeners.RunListener)
                list.size()
                list.@extensions = new java.util.concurrent.CopyOnWriteArrayList(
                    [new hudson.ExtensionComponent(holding, 5000d)] + list.@extensions)
                """);
        a.trigger("unbegun");
        Eventually.until(
                "b has a number and has not saved the build",
                TwoControllers.SOON,
                () -> script(two.b(), "print System.getProperty('test.reached')").equals("yes"));
        two.controller("b").pause();
        two.stage().awaitMembers(1, LONG);
        two.takes("a", true);
        assertEquals("SUCCESS", a.awaitResult("unbegun", 2, LONG));
        two.controller("b").resume();
        script(two.b(), "System.setProperty('test.held', 'no')");
        for (JenkinsClient on : List.of(a, two.b())) {
            assertEquals("ABORTED", on.awaitResult("unbegun", 1, LONG));
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "unbegun"));
        }
        assertOnce(logOf(a, "unbegun"), "before the build began, and its queue item went back");
    }

    @Test
    void aBuildOfAJobThatTheSurvivorHasNotHeardOfYetRunsAgainWhenItHas() {
        JenkinsClient a = two.a();
        two.createJob(
                "late", new FreestyleJob().shell("[ $BUILD_NUMBER -gt 1 ] || sleep 100").xml());
        two.onlyOn("b");
        a.trigger("late");
        TwoControllers.awaitRunning(a, "late", 1);
        String items =
                "f = jenkins.model.Jenkins.getDeclaredField('items'); f.accessible = true;"
                        + " items = f.get(jenkins.model.Jenkins.get()); ";
        script(a, items + "System.properties.put('late', items.remove('late'))");
        two.controller("b").kill9();
        two.stage().awaitMembers(1, LONG);
        script(a, items + "items.put('late', System.properties.remove('late'))");
        two.takes("a", true);
        assertEquals("SUCCESS", a.awaitResult("late", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("late", 1, LONG));
    }

    @Test
    void aStalledControllerStopsWhatOthersTookOverAndWritesNoMoreOfIt() throws Exception {
        JenkinsClient a = two.a();
        Path pids = two.folder("pids");
        Files.createDirectories(pids);
        String first =
                "echo begun; [ $BUILD_NUMBER -gt 1 ] && exit 0; echo $$ > "
                        + pids
                        + "/$JOB_NAME; echo line; ";
        String ticks = "for i in $(seq 1 500); do echo tick $i; sleep 0.2; done";
        two.createJob("ticking", new FreestyleJob().shell(first + ticks).xml());
        two.createJob("ending", new FreestyleJob().shell(first + "sleep 5; echo over").xml());
        two.createJob("unwanted", new FreestyleJob().shell(first + ticks).xml());
        two.onlyOn("b");
        List<String> jobs = List.of("ticking", "ending", "unwanted");
        jobs.forEach(a::trigger);
        jobs.forEach(job -> TwoControllers.awaitRunning(a, job, 1));
        begun(a, "ticking", "ending", "unwanted");

        two.controller("b").pause();
        long paused = System.nanoTime();
        two.takes("a", true);
        assertEquals(503, a.stop("unwanted", 1), "b cannot stop it");
        assertEquals("SUCCESS", a.awaitResult("ticking", 2, LONG));
        figure("rerun.done_again_after_stall", (System.nanoTime() - paused) / 1e9, "s");
        assertEquals("SUCCESS", a.awaitResult("ending", 2, LONG));
        assertEquals("ABORTED", a.awaitResult("unwanted", 1, LONG));
        Eventually.until(
                "the log of each says what became of it",
                TwoControllers.SOON,
                () ->
                        jobs.stream()
                                .allMatch(
                                        job -> a.console(job, 1).endsWith("Finished: ABORTED\n")));
        List<String> logs = logs(jobs);
        long ticking = Long.parseLong(Files.readString(pids.resolve("ticking")).strip());
        assertTrue(ProcessHandle.of(ticking).isPresent(), "its process runs on, unseen");
        Eventually.until(
                "the one that is to end has ended",
                TwoControllers.SOON,
                () -> System.nanoTime() - paused > Duration.ofSeconds(6).toNanos());

        two.controller("b").resume();
        long resumed = System.nanoTime();
        Eventually.until(
                "b has stopped what is not its own any more",
                TwoControllers.SOON,
                () ->
                        ProcessHandle.of(ticking).isEmpty()
                                && jobs.stream()
                                        .allMatch(
                                                job ->
                                                        two.controller("b")
                                                                .logText()
                                                                .contains(
                                                                        job
                                                                                + " #1 is stopped"
                                                                                + " here")));
        figure("rerun.stopped_after_stall", (System.nanoTime() - resumed) / 1e9, "s");
        Thread.sleep(7000); // longer than whatever b puts off
        assertEquals(logs, logs(jobs), "b wrote nothing more into them");
        for (JenkinsClient on : List.of(a, two.b())) {
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "ticking"));
            assertEquals(List.of("SUCCESS", "ABORTED"), results(on, "ending"));
            assertEquals(List.of("ABORTED"), results(on, "unwanted"));
        }
        for (String job : jobs) {
            String xml = Files.readString(folder(job).resolve("build.xml"));
            assertTrue(xml.contains("<result>ABORTED</result>"), xml);
        }
        assertLog(a, "ticking", "It runs again as queue item ");
        assertLog(a, "unwanted", "anonymous wanted it ended, so it is not run again.");

        two.onlyOn("b");
        a.trigger("ticking");
        assertEquals("SUCCESS", a.awaitResult("ticking", 3, LONG));
        assertEquals("b", JenkinsClient.controllerOf(a.build("ticking", 3).orElseThrow()));
    }

    @Test
    void anAdminSeesWhichBuildsAreNotRunAgainAnyMore() {
        JenkinsClient a = two.a();
        script(
                a,
                "io.jenkins.plugins.ha.builds.Reruns.followed(new"
                    + " io.jenkins.plugins.ha.bridge.Item(7, 'deadly',"
                    + " io.jenkins.plugins.ha.bridge.ItemState.DONE, 1, 1, '', 1, 1, 1, false,"
                    + " true, '', '', '', 1, 1, 5, 'ABORTED', 'Not run again: <b>', 4, 0, null))");
        String page = a.text("manage/");
        assertTrue(page.contains("deadly #5: Not run again: &lt;b>"), "the page lists it");
        String monitor = "administrativeMonitor/io.jenkins.plugins.ha.health.RerunMonitor/";
        assertEquals(302, a.post(monitor + "forget", Map.of()).statusCode());
        assertFalse(a.text("manage/").contains("deadly"));
    }

    private static void begun(JenkinsClient on, String... jobs) {
        for (String job : jobs) {
            Eventually.until(
                    job + " has begun",
                    TwoControllers.SOON,
                    () -> on.console(job, 1).contains("begun\n"));
        }
    }

    private static void assertLog(JenkinsClient on, String job, String sentence) {
        String log = logOf(on, job);
        assertOnce(log, DIED);
        assertOnce(log, "\n" + sentence);
        assertOnce(log, "Finished: ");
    }

    /** The log of #1, whose last lines follow its result. */
    private static String logOf(JenkinsClient on, String job) {
        return Eventually.get(
                "the last lines of " + job,
                TwoControllers.SOON,
                () ->
                        Optional.of(on.console(job, 1))
                                .filter(text -> text.endsWith("Finished: ABORTED\n")));
    }

    private static void assertOnce(String log, String sentence) {
        assertEquals(2, log.split(Pattern.quote(sentence), -1).length, "said once: " + log);
    }

    private static List<String> causes(JenkinsClient on, String job, int number) {
        List<String> causes = new ArrayList<>();
        JsonNode build = on.build(job, number).orElseThrow();
        build.findValues("causes")
                .forEach(
                        list ->
                                list.forEach(
                                        cause ->
                                                causes.add(
                                                        cause.path("shortDescription").asText())));
        return causes;
    }

    /** Newest first. */
    private static List<String> results(JenkinsClient on, String job) {
        JsonNode builds =
                on.json(JenkinsClient.jobPath(job) + "api/json?tree=builds[number,result,building]")
                        .path("builds");
        List<String> results = new ArrayList<>();
        builds.forEach(build -> results.add(build.path("result").asText()));
        return results;
    }

    private Path folder(String job) {
        return two.stage().shared().jobs().resolve(job).resolve("builds/1");
    }

    private List<String> logs(List<String> jobs) throws IOException {
        List<String> logs = new ArrayList<>();
        for (String job : jobs) {
            logs.add(Files.readString(folder(job).resolve("log")));
        }
        return logs;
    }
}
