package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A job that is changed on one controller is changed on both, at once and as a whole. */
class JobChangesTest {
    private static TwoControllers both;

    @BeforeAll
    static void start() {
        both =
                TwoControllers.start(
                        "job-changes",
                        2,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-multibranch",
                        "workflow-durable-task-step",
                        "matrix-project");
    }

    @AfterAll
    static void stop() {
        if (both != null) {
            both.close();
        }
    }

    @Test
    void aChangeByAnyWayIsInForceOnTheOther() {
        both.createJob("ways", new FreestyleJob().shell("echo one").xml());
        JobForms.listen(both.b());
        Map<String, Runnable> ways = new LinkedHashMap<>();
        ways.put(
                "REST",
                () -> JobForms.post(both.a(), "ways", new FreestyleJob().shell("echo two").xml()));
        ways.put(
                "page",
                () ->
                        JobForms.submit(
                                both.a(),
                                "job/ways/submitDescription",
                                Map.of("description", "d")));
        ways.put("save", () -> JobForms.on(both.a(), "ways", "item.quietPeriod = 7; item.save()"));
        ways.put("disable", () -> both.a().post("job/ways/disable", Map.of()));
        ways.put("enable", () -> both.a().post("job/ways/enable", Map.of()));
        ways.put(
                "command",
                () ->
                        assertEquals(
                                0,
                                both.a()
                                        .cli(both.folder("cli"), "disable-job", "ways")
                                        .await(TwoControllers.SOON)));
        ways.put(
                "trigger",
                () ->
                        JobForms.on(
                                both.a(),
                                "ways",
                                "item.addTrigger(new hudson.triggers.TimerTrigger('H 3 1 1 *'))"));
        ways.put(
                "less",
                () -> JobForms.post(both.a(), "ways", new FreestyleJob().shell("echo 3").xml()));
        for (Map.Entry<String, Runnable> way : ways.entrySet()) {
            String before = JobForms.of(both.b(), "ways");
            way.getValue().run();
            Eventually.until(
                    way.getKey() + " is in force on b",
                    JobForms.IN_FORCE,
                    () -> !JobForms.of(both.b(), "ways").equals(before));
            JobForms.awaitSame(both, "ways");
        }
        assertEquals(List.of(), JobForms.heard(both.b(), "ways"), "no listener fires on the other");
        assertEquals(1, both.a().awaitBuildNumber(both.b().trigger("ways"), TwoControllers.SOON));
        both.a().awaitResult("ways", 1, TwoControllers.SOON);
        assertTrue(both.b().console("ways", 1).contains("echo 3"), both.b().console("ways", 1));
    }

    @Test
    void runningBuildsGoOnHoweverOftenTheirJobIsChanged() {
        both.createJob("busy", new FreestyleJob().concurrent().shell("sleep 0.2").xml());
        both.createJob(
                "busy-pipe",
                JobXml.pipeline(
                        "for (int i = 0; i < 20; i++) { sleep(time: 100, unit: 'MILLISECONDS') }"));
        List<Long> builds = new ArrayList<>();
        int pipe = both.a().awaitBuildNumber(both.b().trigger("busy-pipe"), TwoControllers.SOON);
        both.createJob(
                "busy-parameter",
                new FreestyleJob().concurrent().parameter("N").shell("sleep 0.1").xml());
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            builds.add(both.b().trigger("busy-parameter", Map.of("N", "" + i)));
            JenkinsClient from = i % 2 == 0 ? both.a() : both.b();
            JenkinsClient other = i % 2 == 0 ? both.b() : both.a();
            String text = "change " + i;
            for (String job : List.of("busy-parameter", "busy-pipe")) {
                JobForms.on(from, job, "item.description = '" + text + "'");
            }
            long start = System.nanoTime();
            Eventually.until(
                    text + " is in force",
                    JobForms.IN_FORCE,
                    () ->
                            JobForms.on(other, "busy-parameter", "print item.description")
                                    .equals(text));
            times.add((System.nanoTime() - start) / 1_000_000);
            Eventually.until(
                    text + " is in force",
                    JobForms.IN_FORCE,
                    () -> JobForms.on(other, "busy-pipe", "print item.description").equals(text));
        }
        for (long build : builds) {
            int number = both.a().awaitBuildNumber(build, TwoControllers.SOON);
            for (JenkinsClient client : List.of(both.a(), both.b())) {
                assertEquals(
                        "SUCCESS",
                        client.awaitResult("busy-parameter", number, TwoControllers.SOON));
            }
        }
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals("SUCCESS", client.awaitResult("busy-pipe", pipe, TwoControllers.SOON));
        }
        JobForms.figures("from save to in force on the other", times);
    }

    @Test
    void aChangeIsInForceAmongAHundredJobs() {
        int jobs = 100;
        long begun = System.nanoTime();
        TwoControllers.script(
                both.a(),
                "(1..%d).each { Jenkins.get().createProjectFromXML('many' + it, new ByteArrayInputStream('''%s'''.bytes)) }"
                        .formatted(jobs, new FreestyleJob().shell("true").xml()));
        String count = "print Jenkins.get().items.count { it.name.startsWith('many') }";
        Eventually.until(
                "b has all",
                TwoControllers.SOON,
                () -> TwoControllers.script(both.b(), count).strip().equals("" + jobs));
        TwoControllers.figure(
                "jobs.hundred_made_and_on_the_other", (System.nanoTime() - begun) / 1e9, "s");
        List<Long> times = new ArrayList<>();
        for (int i = 1; i <= jobs; i++) {
            String job = "many" + i;
            JobForms.on(both.a(), job, "item.description = 'new'");
            long start = System.nanoTime();
            Eventually.until(
                    job + " is changed",
                    JobForms.IN_FORCE,
                    () -> JobForms.on(both.b(), job, "print item.description").equals("new"));
            times.add((System.nanoTime() - start) / 1_000_000);
        }
        JobForms.figures("jobs.in_force_among_a_hundred", times);
    }

    @Test
    void aCopyOfAJobIsBuiltNowhereBeforeItsFirstSave() {
        both.createJob("original", new FreestyleJob().xml());
        both.a().post("createItem?name=held&mode=copy&from=original", Map.of());
        assertEquals("false", JobForms.on(both.a(), "held", "print item.buildable"));
        // Jenkins makes an empty job, which can be built, before it copies into it
        Eventually.until(
                "b has the copy",
                JobForms.IN_FORCE,
                () ->
                        both.b().hasJob("held")
                                && JobForms.on(both.b(), "held", "print item.buildable")
                                        .equals("false"));
        JobForms.on(both.a(), "held", "item.save()");
        Eventually.until(
                "it can be built",
                JobForms.IN_FORCE,
                () -> JobForms.on(both.b(), "held", "print item.buildable").equals("true"));
    }

    @Test
    void newsThatIsTriedAgainDoesNotUndoWhatWasToldAfterIt() {
        both.createJob("told", new FreestyleJob().xml());
        Eventually.until("b has it", JobForms.IN_FORCE, () -> both.b().hasJob("told"));
        String tell =
                "io.jenkins.plugins.ha.Membership.active().get().cluster().announce('job', 'told',"
                        + " 0, 'changed\\njobs/told\\n%s\\n\\n%s\\nadmin'.bytes)\n";
        // of a form that the file never has: looked for ten times, while the second is in force
        TwoControllers.script(both.a(), tell.formatted("0123", true) + tell.formatted("", false));
        JobForms.on(both.a(), "told", "item.description = 'later'; item.save()");
        Eventually.until(
                "what came after all that is in force",
                JobForms.IN_FORCE,
                () -> JobForms.on(both.b(), "told", "print item.description").equals("later"));
        long tried = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        while (System.nanoTime() < tried) {
            assertEquals("true", JobForms.on(both.b(), "told", "print item.buildable"));
        }
    }

    @Test
    void aPipelineThatSavesItsPropertiesFromInsideABuildChangesTheJobEverywhere() {
        both.createJob(
                "inside",
                JobXml.pipeline(
                        "properties([parameters([string(name: 'WHO', defaultValue: 'you')]),"
                                + " pipelineTriggers([cron('H 4 1 1 *')])])"));
        int number = both.a().awaitBuildNumber(both.a().trigger("inside"), TwoControllers.SOON);
        assertEquals("SUCCESS", both.b().awaitResult("inside", number, TwoControllers.SOON));
        // which controller's build set them is in memory alone, on one Jenkins too
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "both have the properties",
                    JobForms.IN_FORCE,
                    () ->
                            JobForms.on(
                                            client,
                                            "inside",
                                            "print item.getProperty(ParametersDefinitionProperty)"
                                                    + "?.parameterDefinitionNames?.getAt(0) + ' ' +"
                                                    + " item.triggers.values()*.spec")
                                    .equals("WHO [H 4 1 1 *]"));
        }
    }

    @Test
    void aMatrixGainsAnAxisWhileItRuns() {
        both.createJob("matrix", JobXml.matrix("X", "sleep 1", "one", "two"));
        int first = both.a().awaitBuildNumber(both.b().trigger("matrix"), TwoControllers.SOON);
        JobForms.post(both.a(), "matrix", JobXml.matrix("X", "sleep 0.1", "one", "two", "three"));
        JobForms.awaitSame(both, "matrix");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals("SUCCESS", client.awaitResult("matrix", first, TwoControllers.SOON));
        }
        int second = both.b().awaitBuildNumber(both.b().trigger("matrix"), TwoControllers.SOON);
        assertEquals("SUCCESS", both.b().awaitResult("matrix", second, TwoControllers.SOON));
        assertEquals(3, both.a().build("matrix", second).orElseThrow().path("runs").size());
    }
}
