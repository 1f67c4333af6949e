package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.NOTICED;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.SharedFolder;
import io.jenkins.plugins.ha.stage.Stage;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A build triggered on a, which takes none itself, runs on b; nobody who asked a can tell. */
class TriggerTest {
    private static TwoControllers two;

    @BeforeAll
    static void start() {
        two =
                TwoControllers.start(
                        "trigger",
                        2,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "pipeline-build-step",
                        "matrix-project");
        two.onlyOn("b");
    }

    @AfterAll
    static void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void theQueueItemIsTheSameOnBothFromTheAnswerOnUntilItIsABuild() throws Exception {
        two.createJob("quiet", new FreestyleJob().parameter("P").shell("sleep 1").xml());
        // What a JVM does for the first time takes longer than what is measured here.
        two.a().awaitBuildNumber(two.a().trigger("quiet", Map.of("P", "cold")), SOON);
        two.b().awaitResult("quiet", 1, SOON);

        long triggered = System.nanoTime();
        HttpResponse<String> answer =
                two.a()
                        .post(
                                "job/quiet/buildWithParameters",
                                Map.of("P", "x & y", "delay", "3sec"));
        assertEquals(201, answer.statusCode());
        String location = answer.headers().firstValue("Location").orElseThrow();
        String item = two.a().url() + "queue/item/";
        assertTrue(location.matches(item + "\\d+/"), location);
        long id = Long.parseLong(location.substring(item.length(), location.length() - 1));
        List<List<QueueItemWatch.Answer>> seen = watch(id);

        assertSame(seen);
        List<String> phases = phases(seen.get(0));
        assertEquals("WaitingItem 'In the quiet period. Expires in N'", phases.get(0));
        assertEquals("LeftItem executable #2", phases.get(phases.size() - 1));
        for (List<QueueItemWatch.Answer> one : seen) {
            long quiet = one.get(1).from() - triggered;
            assertTrue(quiet >= 2_900_000_000L, "left its quiet period after " + quiet + " ns");
            assertTrue(one.get(0).identity().contains("\"value\":\"x & y\""), one::toString);
        }
        assertEquals("SUCCESS", two.a().awaitResult("quiet", 2, SOON));
    }

    @Test
    void anItemThatWaitsForAnExecutorIsTheSameOnBothUntilItIsABuild() throws Exception {
        two.createJob(
                "busy",
                new FreestyleJob().concurrent().parameter("P").shell("sleep ${P:-3}").xml());
        two.a().awaitBuildNumber(two.a().trigger("busy", Map.of("P", "4")), SOON);
        two.a().awaitBuildNumber(two.a().trigger("busy", Map.of("P", "4.1")), SOON);
        long id = two.a().trigger("busy", Map.of("P", "0"));
        List<List<QueueItemWatch.Answer>> seen = watch(id);
        assertSame(seen);
        List<String> phases = phases(seen.get(0));
        assertEquals(
                List.of(
                        "BuildableItem buildable 'Waiting for next available executor'",
                        "LeftItem executable #3"),
                phases);
        assertEquals("SUCCESS", two.a().awaitResult("busy", 3, SOON));
        two.b().awaitResult("busy", 2, SOON);
    }

    @Test
    void theCommandLineWaitsForABuildOfTheOtherControllerAndEndsWithItsResult() throws Exception {
        String xml =
                new FreestyleJob()
                        .concurrent()
                        .parameter("CODE")
                        .shell("echo works on $CODE; sleep 1; exit $CODE")
                        .xml()
                        .replace(
                                "</command></hudson.tasks.Shell>",
                                "</command><unstableReturn>7</unstableReturn></hudson.tasks.Shell>");
        two.createJob("code", xml);
        Path folder = two.folder("cli");
        Map<String, Integer> exit = new LinkedHashMap<>();
        // What core's command answers: 0 success, 1 unstable, 2 failure, 4 aborted.
        exit.put("0", 0);
        exit.put("7", 1);
        exit.put("5", 2);
        int number = 0;
        for (Map.Entry<String, Integer> expected : exit.entrySet()) {
            number++;
            JenkinsClient.CliRun run =
                    two.a()
                            .cli(
                                    folder,
                                    "build",
                                    "code",
                                    "-s",
                                    "-v",
                                    "-p",
                                    "CODE=" + expected.getKey());
            assertEquals(expected.getValue(), run.await(SOON), run::output);
            assertTrue(run.output().contains("Started code #" + number), run::output);
            assertTrue(run.output().contains("works on " + expected.getKey()), run::output);
            assertTrue(run.output().contains("Completed code #" + number), run::output);
            assertOnB("code", number);
        }
        JenkinsClient.CliRun quietly = two.a().cli(folder, "build", "code", "-s", "-p", "CODE=5");
        assertEquals(2, quietly.await(SOON), quietly::output);
        assertFalse(quietly.output().contains("works on"), quietly::output);

        two.createJob("long", new FreestyleJob().shell("sleep 600").xml());
        JenkinsClient.CliRun started = two.a().cli(folder, "build", "long", "-w");
        assertEquals(0, started.await(SOON), started::output);
        assertTrue(two.a().build("long", 1).orElseThrow().path("building").asBoolean());
        JenkinsClient.CliRun waits = two.a().cli(folder, "build", "long", "-f");
        long second =
                Eventually.get(
                        "the second is queued",
                        SOON,
                        () -> {
                            JsonNode items = two.b().queue().path("items");
                            return items.isEmpty()
                                    ? Optional.<Long>empty()
                                    : Optional.of(items.get(0).path("id").asLong());
                        });
        assertTrue(two.b().stop("long", 1) < 400);
        two.a().awaitBuildNumber(second, SOON);
        assertTrue(waits.running());
        assertTrue(two.b().stop("long", 2) < 400);
        assertEquals(4, waits.await(SOON), waits::output);
    }

    @Test
    void parametersAndCausesAreThoseOfAPlainJenkins() throws Exception {
        String definitions =
                """
                <hudson.model.BooleanParameterDefinition><name>FLAG</name><defaultValue>true</defaultValue>\
                </hudson.model.BooleanParameterDefinition>
                <hudson.model.ChoiceParameterDefinition><name>CHOICE</name><choices class="java.util.Arrays$ArrayList">\
                <a class="string-array"><string>one</string><string>two</string></a></choices></hudson.model.ChoiceParameterDefinition>
                <hudson.model.TextParameterDefinition><name>TEXT</name><defaultValue>a
                b</defaultValue></hudson.model.TextParameterDefinition>
                <hudson.model.PasswordParameterDefinition><name>SECRET</name><defaultValue></defaultValue>\
                </hudson.model.PasswordParameterDefinition>
                </parameterDefinitions>\
                """;
        String xml =
                new FreestyleJob()
                        .concurrent()
                        .parameter("P")
                        .shell(
                                "test \"$SECRET\" = s3cret-of-nobody && echo \"$P $FLAG $CHOICE"
                                        + " $TEXT\"")
                        .xml()
                        .replace("</parameterDefinitions>", definitions)
                        .replace("<builders>", "<authToken>tok</authToken><builders>");
        two.createJob("param", xml);
        Path home = two.folder("plain");
        JenkinsWar war = JenkinsWar.search().war().orElseThrow();
        try (JenkinsController plain =
                new JenkinsController(war, "plain", home, new SharedFolder(two.folder("alone")))) {
            plain.haPlugin(Optional.empty()).start();
            plain.awaitUp(Stage.UP);
            plain.client().createJob("param", xml);
            for (JenkinsClient client : List.of(plain.client(), two.a())) {
                Map<String, String> form = new LinkedHashMap<>();
                form.put("P", "<ü> & \"x\"");
                form.put("FLAG", "false");
                form.put("CHOICE", "two");
                form.put("TEXT", "1\n2\n");
                form.put("SECRET", "s3cret-of-nobody");
                form.put("delay", "2sec");
                long byRest = client.trigger("param", form);
                if (client != plain.client()) {
                    assertNoSecretInRedis("s3cret-of-nobody");
                }
                assertEquals(1, client.awaitBuildNumber(byRest, SOON));
                String token =
                        "job/param/buildWithParameters?token=tok&cause=because+I+can&P=q"
                                + "&SECRET=s3cret-of-nobody";
                assertEquals(201, client.get(token).statusCode());
                client.awaitBuild("param", 2, "is there", SOON, build -> true);
                JenkinsClient.CliRun run =
                        client.cli(
                                two.folder("cli"),
                                "build",
                                "param",
                                "-s",
                                "-p",
                                "P=cli",
                                "-p",
                                "SECRET=s3cret-of-nobody");
                assertEquals(0, run.await(SOON), run::output);
            }
            for (int number = 1; number <= 3; number++) {
                for (JenkinsClient client : List.of(plain.client(), two.a(), two.b())) {
                    assertEquals("SUCCESS", client.awaitResult("param", number, SOON));
                }
                JsonNode expected = plain.client().build("param", number).orElseThrow();
                String log = plain.client().console("param", number);
                for (JenkinsClient client : List.of(two.a(), two.b())) {
                    JsonNode build = client.build("param", number).orElseThrow();
                    assertEquals(QueueItemWatch.actions(expected), QueueItemWatch.actions(build));
                    assertEquals(inOwnWords(log), inOwnWords(client.console("param", number)));
                }
                assertOnB("param", number);
            }
        }
    }

    @Test
    void aFileParameterStaysWhereTheFileIs() {
        String definition =
                "<hudson.model.FileParameterDefinition><name>in.txt</name></hudson.model.FileParameterDefinition>"
                    + "</parameterDefinitions>";
        two.createJob(
                "file",
                new FreestyleJob()
                        .parameter("P")
                        .shell("cat in.txt")
                        .xml()
                        .replace("</parameterDefinitions>", definition));
        String part = "--B\r\nContent-Disposition: form-data; name=\"in.txt\"; filename=\"f\"\r\n";
        HttpResponse<String> answer =
                two.a()
                        .post(
                                "job/file/buildWithParameters",
                                "multipart/form-data; boundary=B",
                                part + "Content-Type: text/plain\r\n\r\nbytes of a\r\n--B--\r\n");
        assertEquals(201, answer.statusCode(), answer.body());
        assertEquals("SUCCESS", two.a().awaitResult("file", 1, SOON));
        assertTrue(two.a().console("file", 1).contains("bytes of a"));
        assertEquals("SUCCESS", two.b().awaitResult("file", 1, SOON));
        assertEquals("a", JenkinsClient.controllerOf(two.b().build("file", 1).orElseThrow()));
    }

    @Test
    void pipelinesAndMatrixParentsTravelLikeOtherJobs() throws Exception {
        two.createJob("flow", JobXml.pipeline("echo 'in the flow'; sleep 1"));
        two.createJob("matrix", JobXml.matrix("COLOR", "test $COLOR = red", "red", "blue"));
        for (String job : List.of("flow", "matrix")) {
            String expected = job.equals("flow") ? "SUCCESS" : "FAILURE";
            // The first one in a JVM takes longer than what is measured here.
            two.a().awaitBuildNumber(two.a().trigger(job), SOON);
            assertEquals(expected, two.a().awaitResult(job, 1, SOON));
            HttpResponse<String> answer =
                    two.a().post("job/" + job + "/build?delay=1sec", Map.of());
            assertEquals(201, answer.statusCode());
            String location = answer.headers().firstValue("Location").orElseThrow();
            long id = Long.parseLong(location.replaceAll(".*/item/(\\d+)/", "$1"));
            List<List<QueueItemWatch.Answer>> seen = watch(id);
            assertSame(seen);
            List<String> phases = phases(seen.get(0));
            assertEquals("LeftItem executable #2", phases.get(phases.size() - 1));
            assertEquals(expected, two.a().awaitResult(job, 2, SOON));
            assertOnB(job, 1);
            assertOnB(job, 2);
            JenkinsClient.CliRun run = two.a().cli(two.folder("cli"), "build", job, "-s", "-v");
            assertEquals(job.equals("flow") ? 0 : 2, run.await(SOON), run::output);
            assertTrue(run.output().contains("Started " + job + " #3"), run::output);
            assertOnB(job, 3);
        }
        assertTrue(two.a().console("flow", 1).contains("in the flow"));
    }

    @Test
    void aPipelineThatBuildsAnotherJobHearsOfItsEnd() {
        two.createJob("down", new FreestyleJob().parameter("CODE").shell("exit $CODE").xml());
        String call =
                "build(job: 'down', propagate: false, parameters: [string(name: 'CODE', value:"
                        + " '%d')])";
        two.createJob(
                "up",
                JobXml.pipeline(
                        "echo 'first ' + "
                                + call.formatted(0)
                                + ".result\n"
                                + "echo 'second ' + "
                                + call.formatted(1)
                                + ".result"));
        two.a().awaitBuildNumber(two.a().trigger("up"), SOON);
        assertEquals("SUCCESS", two.a().awaitResult("up", 1, SOON));
        String log = two.a().console("up", 1);
        assertTrue(log.contains("first SUCCESS"), log);
        assertTrue(log.contains("second FAILURE"), log);
        assertOnB("up", 1);
        assertOnB("down", 1);
        assertOnB("down", 2);
    }

    @Test
    void lastBuildIsTheSameOnBothAsSoonAsTheCommandLineHasReturned() {
        two.createJob("last", new FreestyleJob().parameter("CODE").shell("exit $CODE").xml());
        int[] codes = {0, 1, 0, 1, 1};
        int good = 0;
        int bad = 0;
        for (int i = 0; i < codes.length; i++) {
            int number = i + 1;
            good = codes[i] == 0 ? number : good;
            bad = codes[i] == 0 ? bad : number;
            JenkinsClient.CliRun run =
                    two.a().cli(two.folder("cli"), "build", "last", "-s", "-p", "CODE=" + codes[i]);
            assertEquals(codes[i] == 0 ? 0 : 2, run.await(SOON), run::output);
            for (JenkinsClient client : List.of(two.a(), two.b())) {
                assertEquals(number, TwoControllers.permalink(client, "last", "lastBuild"));
                assertEquals(
                        number, TwoControllers.permalink(client, "last", "lastCompletedBuild"));
                assertEquals(good, TwoControllers.permalink(client, "last", "lastSuccessfulBuild"));
                assertEquals(bad, TwoControllers.permalink(client, "last", "lastFailedBuild"));
            }
        }
    }

    /** Both controllers' answers about the item until both have shown its build. */
    private static List<List<QueueItemWatch.Answer>> watch(long id) throws InterruptedException {
        try (QueueItemWatch onB = new QueueItemWatch(two.b(), id);
                QueueItemWatch onA = new QueueItemWatch(two.a(), id)) {
            Eventually.until(
                    "queue item " + id + " is a build on both",
                    SOON,
                    () -> onA.executable() & onB.executable());
            Thread.sleep(200); // an answer once given must not be taken back
            return List.of(onA.stop(), onB.stop());
        }
    }

    private static List<String> phases(List<QueueItemWatch.Answer> answers) {
        List<String> phases = new ArrayList<>();
        for (QueueItemWatch.Answer answer : answers) {
            String phase = answer.phase();
            if (!passing(phase)) {
                phases.add(phase);
            }
        }
        return phases;
    }

    /** The moments between being taken from the queue and being a build: seen by who looks then. */
    private static boolean passing(String phase) {
        return phase.equals("LeftItem")
                || phase.startsWith("WaitingItem") && !phase.contains("quiet")
                || phase.equals("BuildableItem buildable")
                || phase.startsWith("WaitingItem") && phase.contains("Expires in 0");
    }

    private static void assertSame(List<List<QueueItemWatch.Answer>> seen) {
        List<QueueItemWatch.Answer> a = seen.get(0);
        List<QueueItemWatch.Answer> b = seen.get(1);
        String both = "on a " + a + "\non b " + b;
        String identity = a.get(0).identity();
        a.forEach(answer -> assertEquals(identity, answer.identity(), both));
        b.forEach(answer -> assertEquals(identity, answer.identity(), both));
        List<String> common = phases(a);
        common.retainAll(phases(b));
        List<String> onB = phases(b);
        onB.retainAll(common);
        assertEquals(common, onB, both);
        assertPassing(a, common, both);
        assertPassing(b, common, both);
        double worst = 0;
        for (String phase : common) {
            double apart = Math.abs(first(a, phase) - first(b, phase)) / 1e6;
            worst = Math.max(worst, apart);
            assertTrue(apart < NOTICED.toMillis(), phase + " " + apart + " ms apart\n" + both);
        }
        figure("queue item: longest time between both controllers' answers", worst, "ms");
    }

    /** What was seen on one only must have been over before anybody could miss it. */
    private static void assertPassing(
            List<QueueItemWatch.Answer> seen, List<String> common, String both) {
        for (int i = 0; i + 1 < seen.size(); i++) {
            if (!common.contains(seen.get(i).phase())) {
                long lasted = seen.get(i + 1).from() - seen.get(i).from();
                assertTrue(
                        lasted < NOTICED.toNanos(),
                        seen.get(i).phase() + " for " + lasted / 1e6 + " ms\n" + both);
            }
        }
    }

    private static long first(List<QueueItemWatch.Answer> answers, String phase) {
        return answers.stream().filter(a -> a.phase().equals(phase)).findFirst().get().from();
    }

    private static void assertOnB(String job, int number) {
        for (JenkinsClient client : List.of(two.a(), two.b())) {
            assertEquals("b", JenkinsClient.controllerOf(client.build(job, number).orElseThrow()));
        }
    }

    private static void assertNoSecretInRedis(String secret) {
        Object keys = two.stage().redis().call("KEYS", "*:item:*");
        for (Object key : (List<?>) keys) {
            String all = two.stage().redis().call("HGETALL", key.toString()).toString();
            assertFalse(all.contains(secret), "the password is in Redis");
        }
    }

    /** A log without what differs from home to home. */
    private static String inOwnWords(String log) {
        return log.replaceAll("(Building in workspace ).*", "$1")
                .replaceAll("\\[param(@\\d)?] \\$ .*", "shell")
                .replaceAll("\u001B\\[8m.*?\u001B\\[0m", "");
    }
}
