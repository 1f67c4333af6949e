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
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Jobs that are changed on two controllers, by hand, and while one is away. */
class TwoAuthorsTest {
    private static TwoControllers both;

    @BeforeAll
    static void start() {
        both =
                TwoControllers.start(
                        "two-authors",
                        2,
                        (stage, added) -> {
                            added.property("io.jenkins.plugins.ha.itemsComparedEverySeconds", "2");
                            if (added.name().equals("a")) {
                                added.plugins("build-timeout");
                            }
                        },
                        "cloudbees-folder");
    }

    @AfterAll
    static void stop() {
        if (both != null) {
            both.close();
        }
    }

    /** What a controller does when it has not heard of the other's change yet. */
    private static void writtenElsewhere(String job, String xml) throws IOException {
        Path file = both.stage().shared().jobs().resolve(job).resolve("config.xml");
        Path draft = file.resolveSibling("config.draft");
        Files.writeString(draft, xml);
        Files.move(draft, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void twoChangesOfDifferentElementsAreBothKept() throws IOException {
        both.createJob("merge", new FreestyleJob().shell("echo one").xml());
        writtenElsewhere("merge", file("merge").replace("echo one", "echo two"));
        JobForms.on(both.b(), "merge", "item.description = 'mine'");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "both changes are in force",
                    JobForms.IN_FORCE,
                    () ->
                            JobForms.on(
                                            client,
                                            "merge",
                                            "print item.description + ' ' +"
                                                    + " item.buildersList[0].command")
                                    .equals("mine echo two"));
        }
        assertTrue(file("merge").contains("echo two"), file("merge"));
        assertTrue(file("merge").contains("mine"), file("merge"));
    }

    /** On two controllers, within some milliseconds of each other. */
    @Test
    void noneOfTwoChangesThatAreMadeAtOnceIsLost() throws Exception {
        both.createJob("at-once", new FreestyleJob().xml());
        List<String> lost = new ArrayList<>();
        for (int round = 0; round < 24; round++) {
            JenkinsClient first = round % 2 == 0 ? both.a() : both.b();
            JenkinsClient second = round % 2 == 0 ? both.b() : both.a();
            String text = "round " + round;
            String state = round % 2 == 0 ? "disable" : "enable";
            int apart = List.of(0, 0, 3, 10).get(round / 2 % 4);
            CompletableFuture<Integer> switched =
                    CompletableFuture.supplyAsync(
                            () -> first.post("job/at-once/" + state, Map.of()).statusCode());
            CompletableFuture<Integer> described =
                    CompletableFuture.supplyAsync(
                            () ->
                                    second.post(
                                                    "job/at-once/submitDescription",
                                                    Map.of("description", text))
                                            .statusCode(),
                            CompletableFuture.delayedExecutor(apart, TimeUnit.MILLISECONDS));
            assertTrue(switched.get() < 400 && described.get() < 400, "both are accepted");
            JobForms.awaitSame(both, "at-once");
            String file = file("at-once");
            if (!file.contains(text)
                    || !file.contains("<disabled>" + state.equals("disable") + "</disabled>")) {
                lost.add(text + ", " + apart + " ms apart: " + file);
            }
        }
        assertEquals(List.of(), lost);
    }

    @Test
    void whereBothChangedTheSameTheLaterOneIsToldAndTheEarlierStays() throws IOException {
        both.createJob("conflict", new FreestyleJob().shell("echo one").xml());
        JobForms.on(both.b(), "conflict", "item.description = 'first'");
        JobForms.awaitSame(both, "conflict");
        writtenElsewhere("conflict", file("conflict").replace("first", "theirs"));
        var answer =
                both.b()
                        .post(
                                "scriptText",
                                Map.of(
                                        "script",
                                        "Jenkins.get().getItemByFullName('conflict').description ="
                                                + " 'mine'"));
        assertTrue(answer.body().contains("another controller has changed it"), answer.body());
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "the first stays",
                    JobForms.IN_FORCE,
                    () ->
                            JobForms.on(client, "conflict", "print item.description")
                                    .equals("theirs"));
        }
    }

    @Test
    void anEditByHandIsFoundWithoutReload() throws IOException {
        both.createJob("by-hand", new FreestyleJob().shell("echo one").xml());
        writtenElsewhere("by-hand", file("by-hand").replace("echo one", "echo by hand"));
        Path folder = both.stage().shared().jobs().resolve("copied-in");
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.xml"), new FreestyleJob().xml());
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "the edit is in force",
                    TwoControllers.SOON,
                    () ->
                            JobForms.on(client, "by-hand", "print item.buildersList[0].command")
                                    .equals("echo by hand"));
            Eventually.until(
                    "what was copied in is there",
                    TwoControllers.SOON,
                    () -> client.hasJob("copied-in"));
        }
    }

    @Test
    void whatAControllerCannotReadStaysThereAsItWasAndIsNotSavedOver() throws IOException {
        both.createJob("unreadable", new FreestyleJob().shell("echo one").xml());
        String odd =
                file("unreadable")
                        .replace(
                                "<publishers/>",
                                "<publishers><org.example.NotHere><x>1</x></org.example.NotHere></publishers>");
        writtenElsewhere("unreadable", odd);
        Eventually.until(
                "b says so",
                TwoControllers.SOON,
                () ->
                        TwoControllers.script(
                                        both.b(),
                                        "print"
                                            + " io.jenkins.plugins.ha.Membership.active().get().items().problem()")
                                .contains("org.example.NotHere"));
        assertEquals(
                "echo one",
                JobForms.on(both.b(), "unreadable", "print item.buildersList[0].command"));
        var answer =
                both.b()
                        .post(
                                "scriptText",
                                Map.of(
                                        "script",
                                        "Jenkins.get().getItemByFullName('unreadable').description"
                                                + " = 'x'"));
        assertTrue(answer.body().contains("is not saved"), answer.body());
        assertEquals(odd, file("unreadable"));
        writtenElsewhere(
                "unreadable", odd.replaceAll("<publishers>.*</publishers>", "<publishers/>"));
        Eventually.until(
                "b reads it again",
                TwoControllers.SOON,
                () ->
                        TwoControllers.script(
                                        both.b(),
                                        "print"
                                            + " io.jenkins.plugins.ha.Membership.active().get().items().problem()")
                                .isBlank());
    }

    @Test
    void whatOnlyAHasThePluginForIsNotSavedOverByB() {
        String xml = new FreestyleJob().shell("echo one").xml();
        String timed =
                xml.replace(
                        "<buildWrappers/>",
                        "<buildWrappers><hudson.plugins.build__timeout.BuildTimeoutWrapper>"
                            + "<strategy"
                            + " class=\"hudson.plugins.build_timeout.impl.AbsoluteTimeOutStrategy\">"
                            + "<timeoutMinutes>3</timeoutMinutes></strategy><operationList/>"
                            + "</hudson.plugins.build__timeout.BuildTimeoutWrapper></buildWrappers>");
        both.createJob("timed", xml);
        JobForms.post(both.b(), "timed", timed); // to whom it says less than to a
        String ofA = "print item.buildWrappers.size() + ' ' + item.description";
        for (boolean restarted : new boolean[] {false, true}) {
            if (restarted) { // it has loaded what it can of it
                both.controller("b").kill9();
                both.bothAlive();
            }
            int status =
                    both.b()
                            .post("job/timed/submitDescription", Map.of("description", "of b"))
                            .statusCode();
            assertEquals(409, status, problem(both.b()));
            assertEquals("1 null", JobForms.on(both.a(), "timed", ofA));
            assertTrue(file("timed").contains("<timeoutMinutes>3<"), file("timed"));
            Eventually.until(
                    "b says so",
                    TwoControllers.SOON,
                    () -> problem(both.b()).contains("timed (the class hudson.plugins"));
        }
        JobForms.post(both.a(), "timed", xml);
        Eventually.until(
                "b reads it again", TwoControllers.SOON, () -> problem(both.b()).isBlank());
        JobForms.on(both.b(), "timed", "item.description = 'of b'");
        Eventually.until(
                "a has it",
                JobForms.IN_FORCE,
                () -> JobForms.on(both.a(), "timed", ofA).equals("0 of b"));
    }

    @Test
    void ofTwoNamesThatDifferByCaseTheFirstStaysAndTheSecondIsTold() throws IOException {
        both.createJob("Case", new FreestyleJob().shell("echo first").xml());
        Path folder = both.stage().shared().jobs().resolve("case");
        Files.createDirectories(folder);
        Files.writeString(
                folder.resolve("config.xml"), new FreestyleJob().shell("echo second").xml());
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "it is told on " + client.url(),
                    TwoControllers.SOON,
                    () -> problem(client).contains("its name is that of Case"));
            assertEquals(
                    "echo first",
                    JobForms.on(client, "Case", "print item.buildersList[0].command"));
        }
        assertEquals(1, both.a().awaitBuildNumber(both.a().trigger("Case"), TwoControllers.SOON));
        assertTrue(Files.isRegularFile(folder.resolve("config.xml")), "nothing of it is lost");
        Files.delete(folder.resolve("config.xml"));
        Files.delete(folder);
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "all is well on " + client.url(),
                    TwoControllers.SOON,
                    () -> problem(client).isBlank());
        }
    }

    @Test
    void aConfigurationOfFiveMegabytesIsInForceOnBoth() {
        int length = 5 << 20;
        both.createJob("large", new FreestyleJob().shell("true #" + "x".repeat(length)).xml());
        JobForms.on(both.b(), "large", "item.description = 'of b'");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "all of it is in force on " + client.url(),
                    JobForms.IN_FORCE,
                    () ->
                            JobForms.on(
                                            client,
                                            "large",
                                            "print item.description + ' ' +"
                                                    + " item.buildersList[0].command.length()")
                                    .equals("of b " + (length + 6)));
        }
        both.a().deleteJob("large");
    }

    @Test
    void whateverIsChangedWhereverBothHoldTheSameInTheEnd() {
        new ConfigurationChaos(both.stage(), new Random(20261127)).run(60, 15);
    }

    private static String problem(JenkinsClient on) {
        return TwoControllers.script(
                on, "print io.jenkins.plugins.ha.Membership.active().get().items().problem()");
    }

    private static String file(String job) {
        try {
            return Files.readString(
                    both.stage().shared().jobs().resolve(job).resolve("config.xml"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
