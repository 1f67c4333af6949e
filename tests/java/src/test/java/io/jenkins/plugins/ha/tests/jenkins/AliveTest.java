package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * No controller only looks alive: what fails in one of its threads costs nothing, or it leaves the
 * cluster and says why; and nothing of ours holds the queue's lock for longer than about a second.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AliveTest {
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

    /** What a busy machine adds to the second that a number may take. */
    private static final double LOCKED_SECONDS = 2.5;

    private static final String MEMBERSHIP =
            "def m = io.jenkins.plugins.ha.Membership.active().get()\n";

    /** Puts a map into a field that throws an Error so many times when something is put into it. */
    private static final String POISON =
            """
            class Poisoned extends java.util.concurrent.ConcurrentHashMap {
              static int times
              static void error() { if (times-- > 0) throw new StackOverflowError('injected') }
              Object put(Object k, Object v) { error(); super.put(k, v) }
              Object merge(Object k, Object v, java.util.function.BiFunction f) {
                error(); super.merge(k, v, f)
              }
            }
            """;

    private TwoControllers two;
    private FaultyLine line;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "alive",
                        2,
                        (stage, added) -> {
                            added.extensions();
                            added.property("io.jenkins.plugins.ha.restMillis", "2000");
                            added.property("io.jenkins.plugins.ha.orphanTries", "2");
                            // a job that a script takes out of memory stays away
                            added.property(
                                    "io.jenkins.plugins.ha.itemsComparedEverySeconds", "3600");
                            if (added.name().equals("b")) {
                                line = new FaultyLine(stage.redis().port());
                                added.cluster(stage.cluster(), "redis://127.0.0.1:" + line.port());
                            }
                        });
        two.createJob("quick", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
        two.createJob("long", new FreestyleJob().concurrent().shell("sleep 300").xml());
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
            line.close();
        }
    }

    @BeforeEach
    void alive() {
        two.bothAlive();
        poisonEventsOfB(0);
        set("b", "save", "");
        Eventually.until("both are well", TwoControllers.SOON, () -> ready("a") && ready("b"));
    }

    @Test
    void eachThreadIsNamedAndShownWithItsLife() {
        for (String name : List.of("a", "b")) {
            JsonNode health = health(name);
            List<String> threads = health.path("threads").findValuesAsText("name");
            assertTrue(
                    threads.containsAll(
                            List.of(
                                    "ha-jenkins-watchdog",
                                    "ha-jenkins-events",
                                    "ha-jenkins-outbound",
                                    "ha-jenkins-claimer",
                                    "ha-jenkins-claim-check",
                                    "ha-jenkins-stand-down",
                                    "ha-jenkins-fence",
                                    "ha-jenkins-own-pipelines",
                                    "ha-jenkins-orphaned-pipelines",
                                    "ha-jenkins-others",
                                    "ha-jenkins-heartbeat",
                                    "ha-jenkins-reader")),
                    threads::toString);
            health.path("threads")
                    .forEach(life -> assertTrue(life.path("well").asBoolean(), life::toString));
            assertTrue(health.has("oldestUntoldMillis"), health::toString);
        }
    }

    @Test
    void anErrorInATellingCostsNothingOfWhatIsToldAfterIt() {
        script(
                two.a(),
                MEMBERSHIP
                        + "m.outbound().tell('poison', { c -> throw new StackOverflowError("
                        + "'injected') } as io.jenkins.plugins.ha.Outbound.Telling)");
        runsOn("a", "after-error");
        Eventually.until("all is told", TEN_SECONDS, () -> health("a").path("untold").asInt() == 0);
        assertTrue(restarts("a", "ha-jenkins-outbound") >= 1);
        assertTrue(ready("a"));
    }

    @Test
    void aThreadThatEndsIsMadeAnew() {
        int before = restarts("b", "ha-jenkins-outbound");
        // the handler of the Error fails itself: the thread ends
        script(
                two.b(),
                MEMBERSHIP
                        + """
                        def log = java.util.logging.Logger.getLogger('io.jenkins.plugins.ha.life.Loop')
                        int times = 1
                        log.filter = { r ->
                          if (times-- > 0) throw new OutOfMemoryError('injected')
                          true
                        } as java.util.logging.Filter
                        m.outbound().tell('poison', { c -> throw new StackOverflowError('injected') }
                          as io.jenkins.plugins.ha.Outbound.Telling)
                        """);
        Eventually.until(
                "the thread is made anew",
                TEN_SECONDS,
                () -> two.controller("b").logText().contains("has ended and is made anew"));
        runsOn("b", "after-death");
        assertTrue(restarts("b", "ha-jenkins-outbound") > before);
        assertTrue(ready("b"));
    }

    @Test
    void anErrorOverAnEventIsMadeGood() {
        for (int times : List.of(1, 3)) { // tried again; given up, and the whole queue read anew
            poisonEventsOfB(times);
            two.takes("a", false);
            two.takes("b", false);
            long id = two.a().trigger("quick", Map.of("P", "event" + times));
            Eventually.until(
                    "b shows what waits",
                    TEN_SECONDS,
                    () -> two.b().queue().path("items").findValuesAsText("id").contains("" + id));
            two.onBoth();
            int number = two.a().awaitBuildNumber(id, TwoControllers.SOON);
            assertEquals("SUCCESS", two.b().awaitResult("quick", number, TwoControllers.SOON));
            assertTrue(ready("b"));
        }
    }

    @Test
    void whoCannotFollowTheEventsLeavesTheClusterWithinTenSecondsAndSaysWhy() {
        two.takes("a", false);
        two.takes("b", false); // what waits is in each snapshot that b reads, and fails over
        poisonEventsOfB(1_000_000);
        long id = two.a().trigger("quick", Map.of("P", "leaves"));
        long begun = System.nanoTime();
        Eventually.until("b has left", TEN_SECONDS, () -> !ready("b"));
        Eventually.until("b is out", TEN_SECONDS, () -> phase("b").equals("refused"));
        figure("alive.left_after", (System.nanoTime() - begun) / 1e9, "s");
        String why = "The thread ha-jenkins-events fails again and again";
        assertTrue(SingleController.warning(two.b()).contains(why), "the monitor says why");
        Eventually.until(
                "its log says why",
                TEN_SECONDS,
                () -> two.controller("b").logText().contains("cannot do its part: " + why));
        two.takes("a", true);
        int number = two.a().awaitBuildNumber(id, TwoControllers.SOON);
        assertEquals("SUCCESS", two.a().awaitResult("quick", number, TwoControllers.SOON));
        poisonEventsOfB(0);
        Eventually.until("b is back", TwoControllers.SOON, () -> ready("b"));
        runsOn("b", "back");
    }

    @Test
    void anErrorWhileABuildIsTakenLosesNone() {
        script(
                two.b(),
                POISON
                        + MEMBERSHIP
                        + "def f = m.claimer().class.getDeclaredField('claimedAt')\n"
                        + "f.accessible = true\n"
                        + "def p = new Poisoned(); p.putAll(f.get(m.claimer()))\n"
                        + "Poisoned.times = 2\n"
                        + "f.set(m.claimer(), p)");
        runsOn("b", "taken1");
        runsOn("b", "taken2");
        assertTrue(ready("b"));
    }

    @Test
    void whoAloneIsCutOffGetsNoRequestsAndWhenRedisIsAwayForAllEverybodyDoes() {
        line.refuse(true);
        line.cut();
        Eventually.until(
                "b alone is cut off",
                TwoControllers.SOON,
                () -> status("b") == 503 && health("b").path("cutOff").asBoolean());
        assertEquals(200, status("a"));
        two.stage().redis().kill9();
        Eventually.until(
                "all are, and b is as good as any",
                TwoControllers.SOON,
                () -> !phase("a").equals("joined") && status("b") == 200 && status("a") == 200);
        two.stage().redis().start();
        Eventually.until("b alone again", TwoControllers.SOON, () -> status("b") == 503);
        line.refuse(false);
        Eventually.until("both are members", TwoControllers.SOON, () -> ready("a") && ready("b"));
        assertEquals("joined", phase("b"));
    }

    @Test
    void aPluginThatFailsOverADeadControllersBuildDoesNotKeepItFromEnding() {
        two.createJob(
                "stubborn",
                new FreestyleJob().property(RerunTest.NOT_AGAIN).shell("sleep 300").xml());
        two.onlyOn("a");
        int number = two.a().awaitBuildNumber(two.a().trigger("stubborn"), TwoControllers.SOON);
        TwoControllers.awaitRunning(two.b(), "stubborn", number);
        script(
                two.a(),
                "def r = jenkins.model.Jenkins.get().getItemByFullName('stubborn').lastBuild\n"
                        + "r.addAction(new io.jenkins.plugins.ha.extensions.StubbornAction())\n"
                        + "r.save()");
        set("b", "save", "fails");
        two.controller("a").kill9();
        Eventually.until(
                "it has ended on b",
                TwoControllers.SOON,
                () -> "ABORTED".equals(result(two.b(), "stubborn", number)));
        Eventually.until(
                "in the queue, too", TwoControllers.SOON, () -> !held("b").contains("stubborn"));
        String log = two.controller("b").logText();
        assertTrue(log.contains("it is ended without"), log);
        assertTrue(log.contains("a defect of the plugin of StubbornAction"), "and why");
        assertTrue(two.b().console("stubborn", number).contains("died while it ran this build"));
        set("b", "save", "");
    }

    @Test
    void aBuildWhoseJobTheSurvivorDoesNotHaveIsLeftUntilItHasIt() {
        two.createJob(
                "homeless",
                new FreestyleJob().property(RerunTest.NOT_AGAIN).shell("sleep 300").xml());
        two.onlyOn("a");
        int number = two.a().awaitBuildNumber(two.a().trigger("homeless"), TwoControllers.SOON);
        TwoControllers.awaitRunning(two.b(), "homeless", number);
        two.controller("a").kill9();
        Eventually.until(
                "b says that it leaves it",
                TwoControllers.SOON,
                () -> {
                    // again and again: b finds the job on the shared folder when it looks there
                    script(
                            two.b(),
                            "def j = jenkins.model.Jenkins.get()\n"
                                    + "def job = j.getItem('homeless')\n"
                                    + "if (job != null) j.remove(job)");
                    return SingleController.warning(two.b()).contains("has their job: homeless");
                });
        assertTrue(held("b").startsWith("ORPHANED homeless"), held("b"));
        two.b().reload(TwoControllers.SOON);
        Eventually.until(
                "it has ended", TwoControllers.SOON, () -> !held("b").contains("homeless"));
        assertEquals("ABORTED", two.b().awaitResult("homeless", number, TwoControllers.SOON));
        assertTrue(
                !SingleController.warning(two.b()).contains("homeless"), "it is no news any more");
    }

    @Test
    void theQueuesLockIsFreeWithinAboutASecondWhileRedisStalls() {
        two.createJob("tied", FileParameter.job("cat upload.txt"));
        two.onlyOn("b");
        watchLock();
        line.stall(true);
        // before anybody notices: the build is given an executor, and asks for its number
        assertEquals(201, FileParameter.trigger(two.b(), "tied", "content", 0));
        Eventually.until("b has lost Redis", TEN_SECONDS, () -> !phase("b").equals("joined"));
        double worst = worstLock();
        figure("alive.lock_with_redis_stalled", worst, "s");
        line.stall(false);
        assertTrue(worst < LOCKED_SECONDS, "the queue was locked for " + worst + " s");
        Eventually.until(
                "the local build is not lost",
                TwoControllers.SOON,
                () -> TwoControllers.permalink(two.b(), "tied", "lastSuccessfulBuild") > 0);
    }

    @Test
    void aSettingThatIsSavedUnderTheQueuesLockKeepsNobodyWaitingForRedis() {
        line.stall(true);
        String millis =
                script(
                        two.b(),
                        "hudson.model.Queue.withLock({ def began = System.nanoTime();"
                                + " def j = jenkins.model.Jenkins.get();"
                                + " j.systemMessage = 'under the lock'; j.save();"
                                + " print((long) ((System.nanoTime() - began) / 1000000)) }"
                                + " as Runnable)");
        line.stall(false);
        assertTrue(Long.parseLong(millis.strip()) < 300, "it took " + millis.strip() + " ms");
    }

    @Test
    void aFolderThatStallsKeepsNeitherQueueNorStopsNorStatusWaiting() throws Exception {
        Path folder = Files.createDirectories(two.stage().shared().jobs().resolve("stalled"));
        Path fifo = folder.resolve("config.xml"); // who opens it waits, as on a dead mount
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        try {
            two.onlyOn("b");
            int number = two.a().awaitBuildNumber(two.a().trigger("long"), TwoControllers.SOON);
            TwoControllers.awaitRunning(two.a(), "long", number);
            watchLock();
            script(
                    two.a(),
                    MEMBERSHIP
                            + "m.cluster().announce('job', 'stalled', 0,"
                            + " 'created\\njobs/stalled\\n\\n\\nfalse\\nadmin'.bytes)");
            Eventually.until(
                    "a thread of b waits for the folder",
                    TEN_SECONDS,
                    () -> stack("b", "ha-jenkins-items").contains("ItemApplying"));
            runsOn("b", "while-stalled");
            long begun = System.nanoTime();
            JsonNode overview = two.a().json("ha/api/json");
            assertEquals(2, overview.path("controllers").size());
            assertEquals(200, stop(number));
            Eventually.until(
                    "b has stopped it",
                    TEN_SECONDS,
                    () -> "ABORTED".equals(result(two.b(), "long", number)));
            figure("alive.stop_with_folder_stalled", (System.nanoTime() - begun) / 1e9, "s");
            double worst = worstLock();
            figure("alive.lock_with_folder_stalled", worst, "s");
            assertTrue(worst < LOCKED_SECONDS, "the queue was locked for " + worst + " s");
            assertTrue(ready("b"));
        } finally {
            release(fifo);
        }
    }

    /** Whoever waits for it gets an empty file. */
    private static void release(Path fifo) throws IOException {
        try (OutputStream end = Files.newOutputStream(fifo)) {
            end.write('\n');
        } finally {
            Files.delete(fifo);
            Files.delete(fifo.getParent());
        }
    }

    private int stop(int number) {
        int status = two.a().stop("long", number);
        return status < 400 ? 200 : status;
    }

    private void runsOn(String name, String parameter) {
        two.onlyOn(name);
        JenkinsClient other = name.equals("a") ? two.b() : two.a();
        long id = other.trigger("quick", Map.of("P", parameter));
        int number = other.awaitBuildNumber(id, TwoControllers.SOON);
        assertEquals("SUCCESS", other.awaitResult("quick", number, TwoControllers.SOON));
    }

    /** So many times from now on, b cannot follow news of what waits. */
    private void poisonEventsOfB(int times) {
        script(
                two.b(),
                POISON
                        + MEMBERSHIP
                        + "def f = m.view().class.getDeclaredField('revisions')\n"
                        + "f.accessible = true\n"
                        + "def p = new Poisoned(); p.putAll(f.get(m.view()))\n"
                        + "Poisoned.times = "
                        + times
                        + "\nf.set(m.view(), p)");
    }

    private void set(String name, String key, String value) {
        script(
                two.controller(name).client(),
                "io.jenkins.plugins.ha.extensions.Switches.set('%s', '%s')".formatted(key, value));
    }

    /** State and job of what some controller holds, as this one knows it. */
    private String held(String name) {
        return script(
                two.controller(name).client(),
                MEMBERSHIP
                        + "m.view().held().each { println \"${it.state()} ${it.job()}\" }; null");
    }

    private static String result(JenkinsClient on, String job, int number) {
        return on.build(job, number).map(b -> b.path("result").asText()).orElse("");
    }

    private String stack(String name, String thread) {
        return script(
                two.controller(name).client(),
                "Thread.allStackTraces.find { it.key.name == '"
                        + thread
                        + "' }?.value?.each { println it }");
    }

    /** Begins to take the queue's lock of b again and again, and to note how long that takes. */
    private void watchLock() {
        script(
                two.b(),
                """
                def p = System.properties
                p.put('lock.worst', 0L); p.put('lock.on', true)
                Thread.start('lock-watch') {
                  while (p.get('lock.on')) {
                    long begun = System.nanoTime()
                    hudson.model.Queue.withLock({ } as Runnable)
                    long took = System.nanoTime() - begun
                    if (took > p.get('lock.worst')) p.put('lock.worst', took)
                    Thread.sleep(10)
                  }
                }
                """);
    }

    /** Ends that; the longest, seconds. */
    private double worstLock() {
        return Long.parseLong(
                        script(
                                        two.b(),
                                        "def p = System.properties; p.put('lock.on', false)\n"
                                                + "hudson.model.Queue.withLock({ } as Runnable)\n"
                                                + "Thread.sleep(50); print p.get('lock.worst')")
                                .trim())
                / 1e9;
    }

    private int restarts(String name, String thread) {
        for (JsonNode life : health(name).path("threads")) {
            if (life.path("name").asText().equals(thread)) {
                return life.path("restarts").asInt();
            }
        }
        return -1;
    }

    private boolean ready(String name) {
        return status(name) == 200 && phase(name).equals("joined");
    }

    private int status(String name) {
        return answer(name).statusCode();
    }

    private String phase(String name) {
        return health(name).path("cluster").asText();
    }

    private JsonNode health(String name) {
        try {
            return new ObjectMapper().readTree(answer(name).body());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private HttpResponse<String> answer(String name) {
        return two.controller(name).client().get("ha-health/");
    }
}
