package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** One controller's clock is an hour fast; nothing that the cluster decides depends on it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@LongTest
class ClockTest {
    private static final int QUIET_SECONDS = 6;

    @TempDir private static Path folder;

    private TwoControllers two;
    private long timed;

    @BeforeAll
    void start() throws IOException, InterruptedException {
        Path library = folder.resolve("skewed_clock.so");
        assumeTrue(compiled(library), "no C compiler: apt-get install build-essential");
        two =
                TwoControllers.start(
                        "clock",
                        2,
                        (stage, controller) -> {
                            if (controller.name().equals("b")) {
                                controller
                                        .environment("LD_PRELOAD", library.toString())
                                        .environment("SKEW_SECONDS", "3600");
                            }
                        });
        Eventually.until(
                "this minute is done, and its end is not near",
                Duration.ofSeconds(100),
                () ->
                        secondOfRedis() < 45
                                && Long.valueOf(1)
                                        .equals(
                                                two.stage()
                                                        .redis()
                                                        .call(
                                                                "EXISTS",
                                                                "{haj:clock}:turn:minute:"
                                                                        + minuteOfRedis())));
        // Its minutes pass while the other tests run.
        two.createJob(
                "timed",
                new FreestyleJob()
                        .concurrent()
                        .shell("true")
                        .xml()
                        .replace(
                                "  <builders>",
                                "  <triggers><hudson.triggers.TimerTrigger><spec>* * * *"
                                        + " *</spec></hudson.triggers.TimerTrigger></triggers>\n"
                                        + "  <builders>"));
        timed = minuteOfRedis();
    }

    private static boolean compiled(Path library) throws IOException, InterruptedException {
        Path source = library.resolveSibling("skewed_clock.c");
        try (InputStream text = ClockTest.class.getResourceAsStream("/skewed_clock.c")) {
            Files.copy(text, source);
        }
        try {
            return new ProcessBuilder(
                                    "cc",
                                    "-shared",
                                    "-fPIC",
                                    "-O2",
                                    "-o",
                                    "" + library,
                                    "" + source)
                            .inheritIO()
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void bsClockIsReallyFastAndBothStayMembersNevertheless() throws InterruptedException {
        String millis = TwoControllers.script(two.b(), "print System.currentTimeMillis()");
        assertTrue(Long.parseLong(millis) > System.currentTimeMillis() + 3_000_000, millis);
        Map<String, Long> before = epochs();
        assertEquals(2, before.size());
        Thread.sleep(12_000);
        assertEquals(before, epochs(), "a lease of 5 s has been renewed in time by both");
    }

    @Test
    void aQuietPeriodLastsWhatItSaysWhicheverControllerAcceptsOrRuns() {
        two.createJob("quiet", new FreestyleJob().quietSeconds(QUIET_SECONDS).shell("true").xml());
        int number = 0;
        for (String runsOn : List.of("a", "b")) {
            for (JenkinsClient to : List.of(two.a(), two.b())) {
                two.onlyOn(runsOn);
                long start = System.nanoTime();
                long id = to.trigger("quiet");
                // The same again on the other controller: one build, and no later.
                (to == two.a() ? two.b() : two.a()).post("job/quiet/build", Map.of());
                assertEquals(++number, two.a().awaitBuildNumber(id, TwoControllers.SOON));
                Duration waited = Duration.ofNanos(System.nanoTime() - start);
                TwoControllers.figure("clock.quiet_period", waited.toMillis() / 1e3, "s");
                assertTrue(waited.toMillis() >= QUIET_SECONDS * 1000 - 200, waited.toString());
                assertTrue(waited.toSeconds() < QUIET_SECONDS + 20, waited.toString());
                assertEquals("SUCCESS", two.a().awaitResult("quiet", number, TwoControllers.SOON));
                assertEquals(
                        runsOn,
                        JenkinsClient.controllerOf(two.a().build("quiet", number).orElseThrow()));
            }
        }
        two.onBoth();
        assertEquals(number, two.a().job("quiet").path("builds").size());
    }

    @Test
    void aMinuteComesOnceAndWhenItIsThere() {
        Eventually.until(
                "a full minute has begun since the job was there, and its builds have run",
                Duration.ofSeconds(150),
                () -> minuteOfRedis() > timed && secondOfRedis() > 20 && secondOfRedis() < 50);
        assertEquals(minuteOfRedis() - timed, timedBuilds(), "one each minute");
    }

    private int timedBuilds() {
        return two.a().json("job/timed/api/json?tree=allBuilds[number]").path("allBuilds").size();
    }

    private long minuteOfRedis() {
        return Long.parseLong(((List<?>) two.stage().redis().call("TIME")).get(0).toString()) / 60;
    }

    private long secondOfRedis() {
        return Long.parseLong(((List<?>) two.stage().redis().call("TIME")).get(0).toString()) % 60;
    }

    private Map<String, Long> epochs() {
        Map<String, Long> epochs = new HashMap<>();
        for (JsonNode one : two.a().json("ha/api/json").path("controllers")) {
            epochs.put(one.path("name").asText(), one.path("epoch").asLong());
        }
        return epochs;
    }
}
