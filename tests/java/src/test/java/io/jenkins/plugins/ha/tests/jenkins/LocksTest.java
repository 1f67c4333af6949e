package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Locks and milestones of two controllers that are one cluster. What is in a lock says so in a
 * ledger when it enters and when it leaves, and waits for an input in between.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LocksTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "locks",
                        8,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "lockable-resources",
                        "pipeline-milestone-step",
                        "throttle-concurrents",
                        "pipeline-input-step");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void bothAlive() throws IOException {
        two.bothAlive();
        Files.deleteIfExists(ledger());
    }

    @Test
    void oneAtATimeIsInALockInTheOrderOfAskingWhereverTheyRun() {
        for (String job : List.of("h", "w1", "w2", "w3")) {
            inLock(job, "lock('one')");
        }
        inLock("skips", "lock(resource: 'one', skipIfLocked: true)");
        begin("b", "h", "h goes on?");
        begin("a", "w1", "waiting for execution");
        begin("b", "w2", "waiting for execution");
        begin("a", "w3", "waiting for execution");
        String refused = two.a().console("w1", 1);
        assertTrue(refused.contains("The resource [one] is locked by build h #1"), refused);
        for (JenkinsClient on : List.of(two.a(), two.b())) {
            Eventually.until("it is held by h", LONG, () -> holder(on, "one").equals("h #1"));
            assertTrue(on.text("lockable-resources/").contains("w2"), "who waits is shown");
        }
        begin("a", "skips", "is not free, skipping execution");
        assertEquals("SUCCESS", two.a().awaitResult("skips", 1, LONG));
        String before = "h";
        for (String next : List.of("w1", "w2", "w3")) {
            JenkinsClient from = before.equals("h") || before.equals("w2") ? two.b() : two.a();
            long asked = System.nanoTime();
            PipelineState.proceed(from, before, 1);
            awaitLine(two.a(), next, next + " goes on?");
            figure("locks.next_of_another", (System.nanoTime() - asked) / 1e6, "ms");
            before = next;
        }
        PipelineState.proceed(two.a(), "w3", 1);
        for (String job : List.of("h", "w1", "w2", "w3")) {
            assertEquals("SUCCESS", two.a().awaitResult(job, 1, LONG), two.a().console(job, 1));
            assertEquals(1, count(two.a().console(job, 1), "Lock acquired on [Resource: one]"));
            assertEquals(1, count(two.a().console(job, 1), "Lock released on resource"));
        }
        assertEquals(entered("h", "w1", "w2", "w3"), lines());
        for (JenkinsClient on : List.of(two.a(), two.b())) {
            Eventually.until("it is gone again", LONG, () -> resource(on, "one") == null);
        }
    }

    @Test
    void whoHoldsAndWhoWaitsGoesOnHoldingAndWaitingWhenItsControllerDies() {
        for (String job : List.of("killed", "first", "second")) {
            inLock(job, "lock('two')");
        }
        begin("b", "killed", "killed goes on?");
        begin("b", "first", "waiting for execution");
        begin("a", "second", "waiting for execution");
        stored("killed");
        stored("first");
        two.takes("a", true);
        two.controller("b").kill9();
        awaitLine(two.a(), "killed", "Ready to run");
        awaitLine(two.a(), "first", "Ready to run");
        assertEquals("killed #1", holder(two.a(), "two"));
        assertEquals(List.of("enter killed"), lines());
        PipelineState.proceed(two.a(), "killed", 1);
        awaitLine(two.a(), "first", "first goes on?");
        PipelineState.proceed(two.a(), "first", 1);
        awaitLine(two.a(), "second", "second goes on?");
        PipelineState.proceed(two.a(), "second", 1);
        for (String job : List.of("killed", "first", "second")) {
            assertEquals("SUCCESS", two.a().awaitResult(job, 1, LONG), two.a().console(job, 1));
        }
        assertEquals(entered("killed", "first", "second"), lines());
    }

    @Test
    void aHolderThatStallsBeyondItsLeaseIsNotInTheLockBesideAnother() {
        for (String job : List.of("stalls", "after")) {
            inLock(job, "lock('three')");
        }
        begin("b", "stalls", "stalls goes on?");
        begin("a", "after", "waiting for execution");
        stored("stalls");
        two.takes("a", true);
        two.controller("b").pause();
        try {
            awaitLine(two.a(), "stalls", "Ready to run");
            assertEquals(List.of("enter stalls"), lines());
            PipelineState.proceed(two.a(), "stalls", 1);
            awaitLine(two.a(), "after", "after goes on?");
        } finally {
            two.controller("b").resume();
        }
        two.stage().awaitMembers(2, LONG);
        Eventually.until("b sees it", LONG, () -> holder(two.b(), "three").equals("after #1"));
        assertEquals("SUCCESS", two.b().awaitResult("stalls", 1, LONG));
        PipelineState.proceed(two.a(), "after", 1);
        assertEquals("SUCCESS", two.b().awaitResult("after", 1, LONG));
        assertEquals(entered("stalls", "after"), lines());
    }

    @Test
    void whatABuildHeldThatIsGoneWithItsControllerIsFree() {
        String once = "[ -e %1$s ] || { touch %1$s; sleep 600; }";
        two.createJob(
                "dies",
                new FreestyleJob()
                        .property(required("five"))
                        .shell(once.formatted(two.folder("dies-once")))
                        .xml());
        // in a node block on the built-in node it cannot be adopted
        two.createJob(
                "ends",
                JobXml.pipeline(
                        "lock('six') { node { sh '%s' } }"
                                .formatted(once.formatted(two.folder("ends-once")))));
        inLock("five", "lock('five')");
        inLock("six", "lock('six')");
        begin("b", "dies", "acquired lock on [five]");
        begin("b", "ends", "Lock acquired on");
        begin("a", "five", "waiting for execution");
        begin("a", "six", "waiting for execution");
        stored("ends");
        Eventually.until("both are at work", LONG, () -> begunOnce("dies") && begunOnce("ends"));
        long killed = System.nanoTime();
        two.controller("b").kill9();
        for (String job : List.of("five", "six")) {
            awaitLine(two.a(), job, job + " goes on?");
        }
        figure("locks.free_after_a_kill", (System.nanoTime() - killed) / 1e6, "ms");
        for (String job : List.of("five", "six")) {
            PipelineState.proceed(two.a(), job, 1);
        }
        assertEquals("SUCCESS", two.a().awaitResult("dies", 2, LONG));
        assertEquals("SUCCESS", two.a().awaitResult("ends", 2, LONG));
    }

    private boolean begunOnce(String job) {
        return Files.exists(two.folder(job + "-once"));
    }

    private static String required(String resource) {
        return ("<%1$s><resourceNames>%2$s</resourceNames><resourceNamesVar>GOT</resourceNamesVar>"
                        + "</%1$s>")
                .formatted(
                        "org.jenkins.plugins.lockableresources.RequiredResourcesProperty",
                        resource);
    }

    @Test
    void aPipelineInALockAndOneThatWaitsForItAreHandedOver() {
        inLock("given", "lock('four')");
        inLock("gets", "lock('four')");
        begin("b", "given", "given goes on?");
        begin("b", "gets", "waiting for execution");
        TwoControllers.awaitRunning(two.a(), "gets", 1);
        two.takes("a", true);
        for (String job : List.of("gets", "given")) {
            var answer = two.b().post("job/" + job + "/1/ha-move/?to=a", Map.of());
            assertEquals(200, answer.statusCode(), answer.body());
            awaitLine(two.a(), job, "Ready to run");
        }
        assertEquals("given #1", holder(two.b(), "four"));
        PipelineState.proceed(two.a(), "given", 1);
        awaitLine(two.a(), "gets", "gets goes on?");
        PipelineState.proceed(two.a(), "gets", 1);
        assertEquals("SUCCESS", two.b().awaitResult("gets", 1, LONG), two.a().console("gets", 1));
        assertEquals(entered("given", "gets"), lines());
    }

    @Test
    void whatIsDeclaredReservedAndFreedOnOneIsSoOnTheOther() {
        String declared =
                "def m ="
                    + " org.jenkins.plugins.lockableresources.LockableResourcesManager.get();m.createResourceWithLabel('x1',"
                    + " 'x'); m.createResourceWithLabel('x2', 'x')";
        TwoControllers.script(two.a(), declared);
        Eventually.until("b has both", LONG, () -> resource(two.b(), "x2") != null);
        TwoControllers.script(
                two.b(),
                "def m = org.jenkins.plugins.lockableresources.LockableResourcesManager.get();"
                        + "m.reserve([m.fromName('x1')], 'alice')");
        Eventually.until(
                "a sees it reserved",
                LONG,
                () -> resource(two.a(), "x1").path("reservedBy").asText().equals("alice"));
        inLock("both", "lock(label: 'x', quantity: 2, variable: 'GOT')");
        two.createJob(
                "free",
                new FreestyleJob()
                        .property(required("x1"))
                        .shell("echo \"enter free\nleave free\" >> " + ledger())
                        .xml());
        begin("a", "both", "waiting for execution");
        two.onBoth();
        two.b().trigger("free");
        TwoControllers.script(
                two.a(),
                "def m = org.jenkins.plugins.lockableresources.LockableResourcesManager.get();"
                        + "m.unreserve([m.fromName('x1')])");
        awaitLine(two.a(), "both", "both goes on?");
        assertFalse(two.a().build("free", 1).isPresent(), "x1 is locked");
        assertEquals("both #1", holder(two.b(), "x1"));
        assertEquals("both #1", holder(two.b(), "x2"));
        PipelineState.proceed(two.a(), "both", 1);
        assertEquals("SUCCESS", two.b().awaitResult("both", 1, LONG));
        assertEquals("SUCCESS", two.b().awaitResult("free", 1, LONG));
        assertTrue(two.b().console("free", 1).contains("acquired lock on [x1]"));
        assertEquals(entered("both", "free"), lines());
        Eventually.until("x1 is free", LONG, () -> holder(two.a(), "x1").isEmpty());
    }

    @Test
    void anOlderBuildIsOvertakenAtAMilestoneOnTheOtherControllerAndAfterADeath() {
        two.createJob(
                "passes",
                JobXml.pipeline(
                        "milestone 1\ninput 'passes goes on?'\nmilestone 2\necho 'has passed'"));
        begin("b", "passes", 1, "passes goes on?");
        begin("a", "passes", 2, "passes goes on?");
        begin("b", "passes", 3, "passes goes on?");
        PipelineState.proceed(two.a(), "passes", 2);
        assertEquals("SUCCESS", two.a().awaitResult("passes", 2, LONG));
        assertEquals("NOT_BUILT", two.a().awaitResult("passes", 1, LONG));
        String overtaken = two.b().console("passes", 1);
        assertTrue(overtaken.contains("Superseded by passes#2"), overtaken);
        assertFalse(overtaken.contains("has passed"));
        begin("a", "passes", 4, "passes goes on?");
        PipelineState.awaitStored(PipelineState.folder(two, "passes", 3));
        two.controller("b").kill9();
        PipelineState.proceed(two.a(), "passes", 4);
        assertEquals("SUCCESS", two.a().awaitResult("passes", 4, LONG));
        assertEquals("NOT_BUILT", two.a().awaitResult("passes", 3, LONG));
        assertTrue(two.a().console("passes", 3).contains("Superseded by passes#4"));
    }

    @Test
    void whoHoldsAndWhoWaitsStaysSoWhenRedisLosesItsDataAndIsAway() {
        for (String job : List.of("r-holds", "r-first", "r-second")) {
            inLock(job, "lock('seven')");
        }
        begin("b", "r-holds", "r-holds goes on?");
        begin("a", "r-first", "waiting for execution");
        begin("b", "r-second", "waiting for execution");
        two.stage().redis().flush();
        two.stage().redis().kill9();
        two.stage().redis().start();
        two.stage().awaitMembers(2, LONG);
        assertEquals(List.of("enter r-holds"), lines());
        for (JenkinsClient on : List.of(two.a(), two.b())) {
            assertEquals("r-holds #1", holder(on, "seven"));
        }
        PipelineState.proceed(two.b(), "r-holds", 1);
        awaitLine(two.a(), "r-first", "r-first goes on?");
        PipelineState.proceed(two.a(), "r-first", 1);
        awaitLine(two.b(), "r-second", "r-second goes on?");
        PipelineState.proceed(two.b(), "r-second", 1);
        for (String job : List.of("r-holds", "r-first", "r-second")) {
            assertEquals("SUCCESS", two.a().awaitResult(job, 1, LONG), two.a().console(job, 1));
        }
        assertEquals(entered("r-holds", "r-first", "r-second"), lines());
    }

    @Test
    void aTotalOfThrottlingHoldsOverBothControllers() {
        categories();
        String property =
                "<hudson.plugins.throttleconcurrents.ThrottleJobProperty>"
                        + "<maxConcurrentPerNode>0</maxConcurrentPerNode>"
                        + "<maxConcurrentTotal>0</maxConcurrentTotal><categories>"
                        + "<string>two</string></categories>"
                        + "<throttleEnabled>true</throttleEnabled>"
                        + "<throttleOption>category</throttleOption>"
                        + "</hudson.plugins.throttleconcurrents.ThrottleJobProperty>";
        List<String> jobs = List.of("t1", "t2", "t3", "t4", "t5", "t6");
        for (String job : jobs) {
            two.createJob(
                    job,
                    new FreestyleJob()
                            .property(property)
                            .shell("echo + >> %1$s; sleep 1; echo - >> %1$s".formatted(ledger()))
                            .xml());
        }
        for (String job : jobs) {
            (job.equals("t2") || job.equals("t4") ? two.b() : two.a()).trigger(job);
        }
        for (String job : jobs) {
            assertEquals("SUCCESS", two.a().awaitResult(job, 1, LONG));
        }
        int now = 0;
        int most = 0;
        for (String line : lines()) {
            now += line.equals("+") ? 1 : -1;
            most = Math.max(most, now);
        }
        assertEquals(12, lines().size());
        assertEquals(2, most, lines().toString());
    }

    @Test
    void aThrottledNodeBlockHasItsPlaceInTheClusterAlsoWhenItsControllerDies() throws IOException {
        categories();
        Path ends = two.folder("held-ends");
        String wait =
                "while [ -e %s ] && [ ! -e %s ]; do sleep 0.1; done; ".formatted(ledger(), ends);
        throttled("held", "node('far')", wait);
        throttled("next", "node", "");
        throttled("last", "node", "");
        try (RoamingAgent agent = RoamingAgent.start(two, "far", 1, two.controller("b"))) {
            begin("b", "held", "throttle");
            Eventually.until("it is in its block", LONG, () -> lines().size() == 1);
            begin("a", "next", "throttle");
            begin("b", "last", "throttle");
            for (JenkinsClient on : List.of(two.a(), two.b())) { // as ours or the plugin says
                Eventually.until(
                        "another one waits for its turn",
                        LONG,
                        () -> on.queue().toString().contains("PlaceholderTask"));
            }
            stored("held");
            stored("last");
            two.takes("a", true);
            agent.goesTo(two.controller("a"));
            two.controller("b").kill9();
            awaitLine(two.a(), "held", "Ready to run");
            awaitLine(two.a(), "last", "Ready to run");
            agent.awaitConnected(two.controller("a"));
            assertEquals(List.of("enter held"), lines());
            Files.createFile(ends);
            for (String job : List.of("held", "next", "last")) {
                assertEquals("SUCCESS", two.a().awaitResult(job, 1, LONG), two.a().console(job, 1));
            }
        }
        String second = lines().get(2).substring("enter ".length());
        String third = second.equals("next") ? "last" : "next";
        assertEquals(entered("held", second, third), lines());
    }

    private void throttled(String job, String node, String shell) {
        two.createJob(
                job,
                JobXml.pipeline(
                        "throttle(['one']) { %1$s { sh 'echo enter %2$s >> %3$s; %4$secho leave %2$s >> %3$s' } }"
                                .formatted(node, job, ledger(), shell)));
    }

    /** One that allows two builds at once, and one that allows one. */
    private void categories() {
        String groovy =
                "import hudson.plugins.throttleconcurrents.*;"
                        + "def d = ThrottleJobProperty.fetchDescriptor();"
                        + "d.setCategories([new ThrottleJobProperty.ThrottleCategory("
                        + "'two', 0, 2, null), new ThrottleJobProperty.ThrottleCategory("
                        + "'one', 0, 1, null)]); d.save()";
        TwoControllers.script(two.a(), groovy);
        TwoControllers.script(two.b(), groovy);
    }

    private void begin(String on, String job, int number, String line) {
        two.onlyOn(on);
        JenkinsClient there = on.equals("a") ? two.a() : two.b();
        there.trigger(job);
        Eventually.until(
                job + " " + number + " says " + line,
                LONG,
                () ->
                        there.build(job, number).isPresent()
                                && there.console(job, number).contains(line));
    }

    private void inLock(String job, String lock) {
        String script =
                "%s {\n node { sh 'echo enter %s >> %s' }\n input '%s goes on?'\n"
                        + " node { sh 'echo leave %s >> %s' }\n}";
        two.createJob(
                job, JobXml.pipeline(script.formatted(lock, job, ledger(), job, job, ledger())));
    }

    private void begin(String on, String job, String line) {
        begin(on, job, 1, line);
    }

    private void stored(String job) {
        PipelineState.awaitStored(PipelineState.folder(two, job, 1));
    }

    private static List<String> entered(String... jobs) {
        List<String> all = new ArrayList<>();
        for (String job : jobs) {
            all.add("enter " + job);
            all.add("leave " + job);
        }
        return all;
    }

    private Path ledger() {
        return two.folder("ledger");
    }

    private List<String> lines() {
        try {
            return Files.exists(ledger()) ? Files.readAllLines(ledger()) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Null where there is none of this name. */
    private static JsonNode resource(JenkinsClient on, String name) {
        for (JsonNode each : on.json("lockable-resources/api/json").path("resources")) {
            if (each.path("name").asText().equals(name)) {
                return each;
            }
        }
        return null;
    }

    /** The build that holds it, as a controller shows it; "" for none. */
    private static String holder(JenkinsClient on, String name) {
        JsonNode resource = resource(on, name);
        return resource == null || resource.path("buildName").isNull()
                ? ""
                : resource.path("buildName").asText();
    }

    private static void awaitLine(JenkinsClient on, String job, String line) {
        Eventually.until(
                job + " says " + line,
                LONG,
                () -> on.build(job, 1).isPresent() && on.console(job, 1).contains(line));
    }

    private static int count(String text, String part) {
        return text.split(java.util.regex.Pattern.quote(part), -1).length - 1;
    }
}
