package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.StoredItem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What one controller has accepted or claimed and cannot start does not stay with it, and what
 * waits goes by its job as that is now.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HandBackTest {
    private static final long HOLD_MILLIS = 2000;

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "hand-back",
                        2,
                        (stage, added) ->
                                added.extensions()
                                        .property(
                                                "io.jenkins.plugins.ha.holdMillis",
                                                Long.toString(HOLD_MILLIS)));
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @BeforeEach
    void nothingInTheWay() {
        for (JenkinsClient on : new JenkinsClient[] {two.a(), two.b()}) {
            script(
                    on,
                    """
                    io.jenkins.plugins.ha.extensions.Switches.clear()
                    Jenkins.get().toComputer().setTemporarilyOffline(false, null)
                    Queue.instance.scheduleMaintenance()
                    """);
        }
    }

    @Test
    void whatADispatcherVetoesOnOneControllerIsBuiltOnTheOther() {
        two.createJob("vetoed", job());
        assertTrue(goesOver("vetoed", veto("veto", "vetoed")).contains("vetoed by a dispatcher"));
    }

    @Test
    void whatANodePropertyVetoesOnOneControllerIsBuiltOnTheOther() {
        two.createJob("private", job());
        script(
                two.b(),
                "Jenkins.get().nodeProperties.add(new"
                        + " io.jenkins.plugins.ha.extensions.VetoingProperty())");
        assertTrue(
                goesOver("private", veto("propertyVeto", "private"))
                        .contains("vetoed by a node property"));
    }

    @Test
    void whatWasClaimedForAnAgentThatWentOfflineIsBuiltOnTheOther() {
        two.createJob("stranded", job());
        two.onlyOn("b");
        script(two.b(), veto("veto", "stranded"));
        long id = two.a().trigger("stranded");
        awaitClaimed(id);
        script(
                two.b(),
                """
                Jenkins.get().toComputer().setTemporarilyOffline(true, null)
                io.jenkins.plugins.ha.extensions.Switches.clear()
                """);
        two.takes("a", true);
        builtOnA(id, "stranded");
    }

    @Test
    void whatACloudBringsNoAgentForIsBuiltWhereThereIsOne() {
        two.createJob(
                "cloudy",
                job().replace(
                                "<canRoam>true</canRoam>",
                                "<canRoam>false</canRoam><assignedNode>cloudy</assignedNode>"));
        script(two.a(), "Jenkins.get().setLabelString('cloudy'); Jenkins.get().save()");
        String cloud =
                veto("cloud", "cloudy")
                        + "; Jenkins.get().clouds.add(new"
                        + " io.jenkins.plugins.ha.extensions.BarrenCloud())";
        goesOver("cloudy", cloud);
    }

    @Test
    void whatNobodyCanStartIsHeldLongerEachTimeAndStartsOnceItCan() {
        two.createJob("nowhere", job());
        two.onBoth();
        script(two.a(), veto("veto", "nowhere"));
        script(two.b(), veto("veto", "nowhere"));
        long since = System.nanoTime();
        long id = two.a().trigger("nowhere");
        Eventually.until(
                "it was claimed three times", SOON, () -> stored(id, "attempts").equals("3"));
        double seconds = (System.nanoTime() - since) / 1e9;
        figure("handback.third_claim_after", seconds, "s");
        assertTrue(seconds >= 3 * HOLD_MILLIS / 1e3, "held once, then twice as long: " + seconds);
        nothingInTheWay();
        int number = two.b().awaitBuildNumber(id, SOON);
        assertEquals("SUCCESS", two.b().awaitResult("nowhere", number, SOON));
    }

    @Test
    void whatWasAcceptedUnderAnIdThatIsTakenIsBuiltUnderAnother() {
        two.createJob("twice", job());
        two.takes("a", false);
        two.takes("b", false);
        long taken = two.b().trigger("twice");
        script(
                two.a(),
                """
                import io.jenkins.plugins.ha.bridge.NewItem
                def m = io.jenkins.plugins.ha.Membership.active().get()
                def i = m.cluster().item(%d).get()
                io.jenkins.plugins.ha.queue.Outbox.of(m).keep(
                  new NewItem(i.id(), i.job(), i.lane(), i.priority(), 0, true, '', i.payload()))
                """
                        .formatted(taken));
        two.onBoth();
        for (int number = 1; number <= 2; number++) {
            assertEquals("SUCCESS", two.a().awaitResult("twice", number, SOON));
        }
        Eventually.until(
                "nothing is left in the outbox",
                SOON,
                () ->
                        script(
                                        two.a(),
                                        "print new File(Jenkins.get().rootDir,"
                                                + " 'ha-jenkins/outbox').list()"
                                                + ".count{it.endsWith('.journal')}")
                                .equals("0"));
    }

    @Test
    void whatANewerVersionStoredIsLeftToWhoHasThatAndKeepsNothingElseWaiting() {
        two.createJob("newer", job());
        two.takes("a", false);
        two.takes("b", false);
        long later = two.a().trigger("newer");
        // As the next version would mark what this one cannot read.
        String text = "{haj:%s}:item:%d".formatted(two.stage().cluster(), later);
        two.stage()
                .redis()
                .call(
                        "EVAL",
                        "redis.call('HSET', KEYS[1], 'v', redis.call('HGET', KEYS[1], 'v') .. '\\n"
                                + "2\\n"
                                + "more')",
                        "1",
                        text);
        // And the same by its own hand, in a form of the payload that is not known here.
        long form = Long.parseLong(script(two.a(), STORE_IN_ANOTHER_FORM.formatted(later)).trim());
        two.onBoth();
        for (long id : new long[] {later, form}) {
            Eventually.until("it was given back by each", SOON, () -> attempts(id) > GIVEN_BACK);
            assertTrue(two.b().queueItem(id).isPresent(), "it is shown");
        }
        assertTrue(stored(form, "why").contains("newer version of HA Jenkins"));
        assertTrue(
                two.a().text("manage/").contains("A newer version of HA Jenkins"),
                "an admin is told");
        long other = two.b().trigger("newer");
        int number = two.a().awaitBuildNumber(other, SOON);
        assertEquals("SUCCESS", two.a().awaitResult("newer", number, SOON));
        assertEquals("more", lastLine(text), "the rest is as it was");

        two.takes("a", false);
        two.takes("b", false);
        Eventually.until("it waits", SOON, () -> stored(later, "state").equals("Q"));
        two.stage()
                .redis()
                .call(
                        "EVAL",
                        "redis.call('HSET', KEYS[1], 'v', (string.gsub(redis.call('HGET', KEYS[1],"
                                + " 'v'), '\\n"
                                + "2\\n"
                                + "more$', '\\n"
                                + "1\\n"
                                + "more')))",
                        "1",
                        text);
        two.onBoth();
        number = two.b().awaitBuildNumber(later, SOON);
        assertEquals("SUCCESS", two.b().awaitResult("newer", number, SOON));
        two.b().cancel(form);
        Eventually.until("it is cancelled", SOON, () -> stored(form, "state").equals("X"));
    }

    @Test
    void whatGetsNoNumberIsTriedLessOftenEachTimeAndIsBuiltOnceItGetsOne() throws IOException {
        two.createJob("unnumbered", job());
        two.onBoth();
        Path number = two.controller("a").home().resolve("jobs/unnumbered/nextBuildNumber");
        Files.deleteIfExists(number);
        Path inTheWay = Files.createDirectories(number.resolve("in-the-way"));
        long since = System.nanoTime();
        long id = two.a().trigger("unnumbered");
        Eventually.until("it is told why", SOON, () -> stored(id, "why").contains("got no number"));
        Eventually.until("it was tried four times", SOON, () -> attempts(id) >= 4);
        double seconds = (System.nanoTime() - since) / 1e9;
        assertTrue(seconds >= 1.5, "a second after the first, two after the second: " + seconds);
        Files.delete(inTheWay);
        Files.delete(number);
        int built = two.b().awaitBuildNumber(id, SOON);
        assertEquals("SUCCESS", two.b().awaitResult("unnumbered", built, SOON));
    }

    @Test
    void whatWaitsForALabelThatNobodyHasIsBuiltOnceItsJobAsksForAnother() {
        two.onBoth();
        FreestyleJob nowhere = new FreestyleJob().label("nowhere");
        two.createJob("mistyped", nowhere.xml());
        two.createJob("mistyped-quiet", nowhere.quietSeconds(5).xml());
        long id = two.a().trigger("mistyped");
        long quiet = two.a().trigger("mistyped-quiet");
        for (String job : List.of("mistyped", "mistyped-quiet")) {
            configure(two.b(), job, job());
        }
        assertEquals(
                "SUCCESS",
                two.a().awaitResult("mistyped", two.a().awaitBuildNumber(id, SOON), SOON));
        assertEquals(
                "SUCCESS",
                two.b().awaitResult("mistyped-quiet", two.b().awaitBuildNumber(quiet, SOON), SOON));
    }

    @Test
    void whatWaitsOfAJobThatComesToForbidConcurrentBuildsIsBuiltOneAtATimeAndTheOtherWayRound()
            throws IOException {
        String exclusive =
                "mkdir '%1$s' || exit 1; sleep 0.3; rmdir '%1$s'".formatted(two.folder("alone"));
        FreestyleJob form = new FreestyleJob().parameter("P").shell(exclusive);
        two.createJob("turned", new FreestyleJob().parameter("P").concurrent().xml());
        two.takes("a", false);
        two.takes("b", false);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            ids.add(two.a().trigger("turned", Map.of("P", "" + i)));
        }
        configure(two.b(), "turned", form.xml());
        Eventually.until(
                "all know that they take turns",
                SOON,
                () -> ids.stream().allMatch(id -> stored(id, "concurrent").equals("0")));
        two.onBoth();
        for (long id : ids) {
            int number = two.a().awaitBuildNumber(id, SOON);
            assertEquals("SUCCESS", two.b().awaitResult("turned", number, SOON));
        }

        Path go = two.folder("go-on");
        String waits = "while [ ! -e '" + go + "' ]; do sleep 0.1; done";
        FreestyleJob beside = new FreestyleJob().parameter("P").shell(waits);
        two.createJob("beside", beside.xml());
        int first = two.a().awaitBuildNumber(two.a().trigger("beside", Map.of("P", "1")), SOON);
        long second = two.b().trigger("beside", Map.of("P", "2"));
        Eventually.until("it waits", SOON, () -> stored(second, "blocked").equals("1"));
        configure(two.a(), "beside", beside.concurrent().xml());
        two.b().awaitBuildNumber(second, SOON);
        assertTrue(two.b().build("beside", first).orElseThrow().path("building").asBoolean());
        Files.createFile(go);
        for (int number = 1; number <= 2; number++) {
            assertEquals("SUCCESS", two.a().awaitResult("beside", number, SOON));
        }
    }

    private static final int GIVEN_BACK = 2;

    private static final String STORE_IN_ANOTHER_FORM =
            """
            import io.jenkins.plugins.ha.bridge.NewItem
            def c = io.jenkins.plugins.ha.Membership.active().get().cluster()
            def job = Jenkins.get().getItemByFullName('newer')
            def i = c.items().find { it.job() == 'newer' }
            def id = c.nextQueueId()
            def payload = [3, 1, 2] as byte[]
            c.enqueue(new NewItem(id, i.job(), i.lane(), i.priority(), 0, true, '', payload), -1)
            print id
            """;

    private static void configure(JenkinsClient on, String job, String xml) {
        String path = "job/" + job + "/config.xml";
        assertEquals(200, on.post(path, "text/xml", xml).statusCode());
    }

    private int attempts(long id) {
        return Integer.parseInt(stored(id, "attempts"));
    }

    private String lastLine(String key) {
        String text = (String) two.stage().redis().call("HGET", key, "v");
        return text.substring(text.lastIndexOf('\n') + 1);
    }

    /** B cannot start what it claims; what the reason was when it gave it back. */
    private String goesOver(String job, String obstacle) {
        two.onlyOn("b");
        script(two.b(), obstacle);
        long id = two.a().trigger(job);
        awaitClaimed(id);
        two.takes("a", true);
        String[] why = {""};
        Eventually.until(
                job + " went back",
                SOON,
                () -> {
                    why[0] = stored(id, "why");
                    return !why[0].isEmpty();
                });
        builtOnA(id, job);
        return why[0];
    }

    private void builtOnA(long id, String job) {
        int number = two.a().awaitBuildNumber(id, SOON);
        assertEquals("SUCCESS", two.a().awaitResult(job, number, SOON));
        assertEquals(
                "a", JenkinsClient.controllerOf(two.a().build(job, number).orElseThrow()), job);
    }

    private void awaitClaimed(long id) {
        Eventually.until("b holds it", SOON, () -> stored(id, "state").equals("C"));
    }

    private String stored(long id, String part) {
        return StoredItem.part(two.stage().redis(), two.stage().cluster(), id, part);
    }

    private static String veto(String name, String value) {
        return "io.jenkins.plugins.ha.extensions.Switches.set('%s', '%s')".formatted(name, value);
    }

    private static String job() {
        return new FreestyleJob().concurrent().shell("true").xml();
    }
}
