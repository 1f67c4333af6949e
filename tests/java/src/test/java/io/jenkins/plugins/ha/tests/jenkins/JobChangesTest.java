package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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
                        "pipeline-model-definition",
                        "job-dsl",
                        "configuration-as-code",
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

    @Test
    void whoHasPostedAChangeBuildsThatFormWhicheverControllerHeReachesNext() {
        for (int i = 0; i < 10; i++) {
            JenkinsClient one = i % 2 == 0 ? both.a() : both.b();
            JenkinsClient other = i % 2 == 0 ? both.b() : both.a();
            String xml = new FreestyleJob().shell("echo form " + i).xml();
            if (i == 0) {
                one.createJob("at-once", xml);
            } else {
                JobForms.post(one, "at-once", xml);
            }
            int number = one.awaitBuildNumber(other.trigger("at-once"), TwoControllers.SOON);
            assertEquals("SUCCESS", one.awaitResult("at-once", number, TwoControllers.SOON));
            String log = one.console("at-once", number);
            assertTrue(log.contains("+ echo form " + i), log);
        }
    }

    @Test
    void jobsOfAnyNameAreMadeChangedRenamedAndDeletedOnAnyForAll() {
        for (String name :
                List.of("with space", "ünï ☃ 日本", "a+b", "quote'd, and ~", "x".repeat(200))) {
            String renamed = ("r " + name).substring(0, Math.min(200, name.length() + 2));
            both.a().createJob(name, new FreestyleJob().shell("true one").xml());
            JobForms.post(both.b(), name, new FreestyleJob().shell("true two").xml());
            int number = both.a().awaitBuildNumber(both.a().trigger(name), TwoControllers.SOON);
            for (JenkinsClient client : List.of(both.a(), both.b())) {
                assertEquals("SUCCESS", client.awaitResult(name, number, TwoControllers.SOON));
                assertTrue(client.console(name, number).contains("+ true two"), name);
            }
            both.b()
                    .post(
                            JenkinsClient.jobPath(name) + "confirmRename",
                            Map.of("newName", renamed));
            Eventually.until(
                    name + " has its new name on a",
                    JobForms.IN_FORCE,
                    () -> both.a().hasJob(renamed) && !both.a().hasJob(name));
            assertTrue(both.a().console(renamed, number).contains("+ true two"), name);
            both.a().deleteJob(renamed);
            Eventually.until(
                    name + " is gone on b", JobForms.IN_FORCE, () -> !both.b().hasJob(renamed));
        }
    }

    @Test
    void whatCommandsMakeCopyChangeAndDeleteIsSoOnBoth() {
        String two = new FreestyleJob().shell("echo two").xml();
        command(both.a(), new FreestyleJob().shell("echo one").xml(), "create-job", "by-command");
        command(both.b(), two, "update-job", "by-command");
        command(both.a(), "", "copy-job", "by-command", "command-copy");
        command(both.b(), "", "disable-job", "command-copy");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            for (String job : List.of("by-command", "command-copy")) {
                Eventually.until(
                        job + " on " + client.url(),
                        JobForms.IN_FORCE,
                        () ->
                                JobForms.on(
                                                client,
                                                job,
                                                "print '' + item?.disabled + ' ' +"
                                                        + " item?.builders?.getAt(0)?.command")
                                        .equals(job.endsWith("copy") + " echo two"));
            }
        }
        command(both.a(), "", "enable-job", "command-copy");
        Eventually.until(
                "b has it enabled",
                JobForms.IN_FORCE,
                () -> JobForms.on(both.b(), "command-copy", "print item.disabled").equals("false"));
        command(both.b(), "", "delete-job", "by-command", "command-copy");
        Eventually.until(
                "both are gone on a",
                JobForms.IN_FORCE,
                () -> !both.a().hasJob("by-command") && !both.a().hasJob("command-copy"));
    }

    @Test
    void whatAJobOfJobDslMakesAndRemovesIsSoOnBoth() {
        TwoControllers.script(
                both.a(),
                "def d = Jenkins.get().getDescriptor('javaposse.jobdsl.plugin."
                        + "GlobalJobDslSecurityConfiguration'); d.useScriptSecurity = false;"
                        + " d.save()");
        both.createJob(
                "seed",
                JobXml.seed(
                        "job('grown') { steps { shell('echo one') }; triggers { cron('H 6 1 1 *')"
                                + " } }; job('weed') {}; listView('field') { jobs { name('grown')"
                                + " } }"));
        build(both.a(), "seed");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "made on " + client.url(),
                    JobForms.IN_FORCE,
                    () ->
                            client.hasJob("weed")
                                    && grown(client).equals("echo one [H 6 1 1 *]")
                                    && client.get("view/field/api/json").statusCode() == 200);
        }
        JobForms.post(
                both.b(), "seed", JobXml.seed("job('grown') { steps { shell('echo two') } }"));
        build(both.a(), "seed");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "changed and removed on " + client.url(),
                    JobForms.IN_FORCE,
                    () ->
                            !client.hasJob("weed")
                                    && grown(client).equals("echo two []")
                                    && client.get("view/field/api/json").statusCode() == 404);
        }
    }

    @Test
    void whatConfigurationAsCodeSaysOnOneIsSoOnBoth() throws IOException {
        Path yaml = both.folder("casc.yaml");
        for (int i = 1; i <= 2; i++) {
            Files.writeString(
                    yaml,
                    """
                    jenkins:
                      systemMessage: "said %1$d"
                      views:
                        - all: {name: "all"}
                        - list: {name: "coded-%1$d"}
                    jobs:
                      - script: "job('coded') { steps { shell('echo %1$d') } }"
                    """
                            .formatted(i));
            TwoControllers.script(
                    i == 1 ? both.a() : both.b(),
                    "io.jenkins.plugins.casc.ConfigurationAsCode.get().configure('" + yaml + "')");
            String wanted = "said %1$d [all, coded-%1$d] echo %1$d".formatted(i);
            for (JenkinsClient client : List.of(both.a(), both.b())) {
                Eventually.until(
                        wanted + " on " + client.url(),
                        JobForms.IN_FORCE,
                        () ->
                                JobForms.on(
                                                client,
                                                "coded",
                                                "print Jenkins.get().systemMessage + ' ' +"
                                                        + " Jenkins.get().views*.viewName + ' ' +"
                                                        + " item?.builders?.getAt(0)?.command")
                                        .equals(wanted));
            }
        }
    }

    @Test
    void whatADeclarativePipelineSaysOfItsJobIsSoOnBothUntilItSaysItNoMore() {
        String steps = "stages { stage('s') { steps { echo 'hi' } } } }";
        both.createJob(
                "declared",
                JobXml.pipeline(
                        "pipeline { agent any; options { disableConcurrentBuilds() }; triggers {"
                            + " cron('H 5 1 1 *') }; parameters { string(name: 'W', defaultValue:"
                            + " 'x') }; "
                                + steps));
        build(both.a(), "declared");
        awaitDeclared("false [W] [H 5 1 1 *]");
        String script = "pipeline { agent any; parameters { string(name: 'W2') }; " + steps;
        JobForms.on(
                both.b(),
                "declared",
                "item.definition = new org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition("
                        + "\"\"\"%s\"\"\", true); item.save()".formatted(script));
        int number =
                both.a()
                        .awaitBuildNumber(
                                both.a().trigger("declared", Map.of("W", "y")),
                                TwoControllers.SOON);
        assertEquals("SUCCESS", both.a().awaitResult("declared", number, TwoControllers.SOON));
        awaitDeclared("true [W2] []");
    }

    private static void awaitDeclared(String wanted) {
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    wanted + " on " + client.url(),
                    JobForms.IN_FORCE,
                    () ->
                            JobForms.on(
                                            client,
                                            "declared",
                                            "print '' + item.concurrentBuild + ' ' +"
                                                + " item.getProperty("
                                                + "ParametersDefinitionProperty)?.parameterDefinitionNames"
                                                + " + ' ' + item.triggers.values()*.spec")
                                    .equals(wanted));
        }
    }

    private static String grown(JenkinsClient on) {
        return JobForms.on(
                on,
                "grown",
                "print item?.builders?.getAt(0)?.command + ' ' + item?.triggers?.values()*.spec");
    }

    private static void build(JenkinsClient on, String job) {
        int number = on.awaitBuildNumber(on.trigger(job), TwoControllers.SOON);
        assertEquals("SUCCESS", on.awaitResult(job, number, TwoControllers.SOON));
    }

    /** Runs a command of the CLI in the controller itself. */
    private static void command(JenkinsClient on, String input, String... words) {
        String arguments =
                Arrays.stream(words).skip(1).collect(Collectors.joining("', '", "['", "']"));
        String said =
                TwoControllers.script(
                        on,
                        "def out = new ByteArrayOutputStream(); def p = new PrintStream(out)\n"
                                + "def input = new ByteArrayInputStream(\"\"\"%s\"\"\".bytes)\n"
                                        .formatted(input)
                                + "print hudson.cli.CLICommand.clone('%s').main(%s, Locale.ENGLISH, input, p, p) + out.toString()"
                                        .formatted(words[0], arguments));
        assertEquals("0", said.strip());
    }
}
