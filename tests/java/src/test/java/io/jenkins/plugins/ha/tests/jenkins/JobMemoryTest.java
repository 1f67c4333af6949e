package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What a Jenkins remembers of a job beside its configuration and its builds: the next build number,
 * and what polling saw last. Each controller knows what any of them learned.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JobMemoryTest {
    private BesidePlain beside;

    @BeforeAll
    void start() {
        beside = BesidePlain.start("job-memory", 2, "git");
        for (BesidePlain.Side side : List.of(beside.plain(), beside.pair())) {
            side.script("hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT = true; ''");
        }
    }

    @AfterAll
    void stop() {
        if (beside != null) {
            beside.close();
        }
    }

    @BeforeEach
    void bothTakeBuilds() {
        beside.cluster().onBoth();
    }

    @Test
    void aNextBuildNumberHoldsWhicheverControllerBuildsNext() {
        List<Integer> numbers =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("numbered", new FreestyleJob().xml());
                            List<Integer> built = new ArrayList<>();
                            built.add(build(side, "a", "numbered"));
                            setNext(side.first(), "numbered", 100);
                            built.add(build(side, "b", "numbered"));
                            setNext(side.second(), "numbered", 200);
                            setNext(side.first(), "numbered", 150); // lower, and above all built
                            built.add(build(side, "b", "numbered"));
                            built.add(build(side, "a", "numbered"));
                            setNext(side.second(), "numbered", 10); // refused: there is #151
                            built.add(build(side, "a", "numbered"));
                            built.add(build(side, "b", "numbered"));
                            return built;
                        });
        assertEquals(List.of(1, 100, 150, 151, 152, 153), numbers);
    }

    @Test
    void aJobMadeAnewUnderAnOldNameBeginsWithItsFirstBuildAndHasRecords() {
        List<Integer> numbers =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("anew", new FreestyleJob().xml());
                            build(side, "a", "anew");
                            build(side, "b", "anew");
                            side.second().deleteBuild("anew", 1);
                            side.first().deleteJob("anew");
                            for (JenkinsClient client : side.each()) {
                                Eventually.until("it is gone", SOON, () -> !client.hasJob("anew"));
                            }
                            side.createJob("anew", new FreestyleJob().xml());
                            return List.of(build(side, "b", "anew"), build(side, "a", "anew"));
                        });
        assertEquals(List.of(1, 2), numbers);
        for (JenkinsClient client : beside.pair().each()) {
            assertEquals(List.of(1, 2), numbers(client, "anew"));
            assertEquals(
                    2,
                    client.json("ha-builds/api/json?job=anew&result=SUCCESS")
                            .path("builds")
                            .size());
        }
    }

    @Test
    void aCommitIsBuiltOnceHoweverItsPollsRotate() {
        List<Integer> built =
                beside.sameAsPlain(
                        side -> {
                            Path repository = folder(side, "revisions").resolve("latest");
                            return polledInTurns(
                                    side,
                                    "seen-last",
                                    fileScm(repository, false),
                                    text -> Files.writeString(repository, text),
                                    true);
                        });
        assertEquals(List.of(1, 2, 3), built);
    }

    @Test
    void aGitCommitThatIsBeingBuiltIsNotFoundByPollsElsewhere() {
        List<Integer> built =
                beside.sameAsPlain(
                        side -> {
                            Path repository = folder(side, "repository");
                            git(repository, "init", "-q", "-b", "main");
                            String scm =
                                    "<scm class=\"hudson.plugins.git.GitSCM\">"
                                            + "<configVersion>2</configVersion><userRemoteConfigs>"
                                            + "<hudson.plugins.git.UserRemoteConfig><url>"
                                            + repository
                                            + "</url></hudson.plugins.git.UserRemoteConfig>"
                                            + "</userRemoteConfigs><branches>"
                                            + "<hudson.plugins.git.BranchSpec><name>main</name>"
                                            + "</hudson.plugins.git.BranchSpec></branches></scm>";
                            return polledInTurns(
                                    side,
                                    "git",
                                    scm,
                                    text -> {
                                        Files.writeString(repository.resolve("file"), text);
                                        git(repository, "add", "file");
                                        git(repository, "commit", "-q", "-m", text);
                                    },
                                    false);
                        });
        assertEquals(List.of(1, 2, 3), built);
    }

    @Test
    void aPollThatNeedsTheWorkspaceIsDoneByTheControllerThatHasIt() {
        List<Integer> built =
                beside.sameAsPlain(
                        side -> {
                            Path repository = folder(side, "with-workspace").resolve("latest");
                            write(repository, "one");
                            side.createJob("workspace", polled("true", fileScm(repository, true)));
                            build(side, "a", "workspace");
                            side.second().awaitResult("workspace", 1, SOON);
                            poll(side, side.second(), "workspace");
                            write(repository, "two");
                            poll(side, side.second(), "workspace");
                            side.second().awaitResult("workspace", 2, SOON);
                            poll(side, side.second(), "workspace");
                            poll(side, side.first(), "workspace");
                            awaitIdle(side, "workspace");
                            return numbers(side.second(), "workspace");
                        });
        assertEquals(List.of(1, 2), built);
    }

    @FunctionalInterface
    private interface Commit {
        void of(String text) throws IOException;
    }

    /**
     * Polls on both controllers, before a commit's build has begun (if {@code atOnce}), while it
     * runs and when it has ended. Answers which builds there are.
     */
    private List<Integer> polledInTurns(
            BesidePlain.Side side, String job, String scm, Commit commit, boolean atOnce) {
        Path gate = folder(side, "gates-of-" + job).resolve("gate");
        commit(commit, "one");
        write(gate, "");
        side.createJob(
                job, polled("echo working; until [ -e " + gate + " ]; do sleep 0.1; done", scm));
        build(side, "a", job);
        side.second().awaitResult(job, 1, SOON);
        for (int number = 2; number <= 3; number++) {
            poll(side, side.second(), job);
            remove(gate);
            commit(commit, "commit " + number);
            poll(side, side.first(), job);
            if (atOnce) {
                poll(side, side.second(), job);
            }
            int running = number;
            Eventually.until(
                    "it works",
                    SOON,
                    () ->
                            side.first().build(job, running).isPresent()
                                    && side.first().console(job, running).contains("working"));
            TwoControllers.awaitRunning(side.second(), job, number);
            if (!atOnce) {
                awaitRevision(side.second(), job);
            }
            poll(side, side.second(), job);
            poll(side, side.first(), job);
            poll(side, side.second(), job);
            write(gate, "");
            for (JenkinsClient client : side.each()) {
                client.awaitResult(job, number, SOON);
            }
            poll(side, side.second(), job);
            poll(side, side.first(), job);
        }
        awaitIdle(side, job);
        return numbers(side.second(), job);
    }

    /** The running build shows there which revision it builds. */
    private static void awaitRevision(JenkinsClient on, String job) {
        Eventually.until(
                "what is being built is known",
                SOON,
                () ->
                        script(
                                        on,
                                        item(job)
                                                + "print job.lastBuild.getAction("
                                                + "hudson.plugins.git.util.BuildData) != null")
                                .contains("true"));
    }

    /** Polls as core's clock does, and waits until it is known what came of it. */
    private static void poll(BesidePlain.Side side, JenkinsClient on, String job) {
        script(
                on,
                item(job)
                        + "new File(job.rootDir, 'scm-polling.log').delete();"
                        + "new hudson.triggers.SCMTrigger.Runner("
                        + "job.getTrigger(hudson.triggers.SCMTrigger), null).run()");
        Eventually.until(
                "the poll of " + job + " has ended",
                SOON,
                () ->
                        script(
                                        on,
                                        item(job)
                                                + "def log = new File(job.rootDir,"
                                                + " 'scm-polling.log');"
                                                + "print log.exists() ? log.text : ''")
                                .matches("(?s).*(No changes|Changes found).*"));
        for (JenkinsClient client : side.each()) {
            Eventually.until(
                    "nobody polls",
                    SOON,
                    () ->
                            script(
                                            client,
                                            "print jenkins.model.Jenkins.get().getDescriptorByType("
                                                    + "hudson.triggers.SCMTrigger.DescriptorImpl)"
                                                    + ".runners.empty")
                                    .contains("true"));
        }
    }

    /** Builds it on this controller; the number of the build. */
    private int build(BesidePlain.Side side, String on, String job) {
        if (side.isCluster()) {
            beside.cluster().onlyOn(on);
        }
        JenkinsClient asked = on.equals("a") ? side.second() : side.first();
        int number = asked.awaitBuildNumber(asked.trigger(job), SOON);
        for (JenkinsClient client : side.each()) {
            assertEquals("SUCCESS", client.awaitResult(job, number, SOON));
        }
        return number;
    }

    private static void awaitIdle(BesidePlain.Side side, String job) {
        for (JenkinsClient client : side.each()) {
            Eventually.until(
                    "nothing is to be built",
                    SOON,
                    () ->
                            script(client, item(job) + "print job.inQueue || job.building")
                                    .contains("false"));
        }
    }

    private static List<Integer> numbers(JenkinsClient on, String job) {
        List<Integer> numbers = new ArrayList<>();
        for (JsonNode build :
                on.json("job/" + job + "/api/json?tree=allBuilds[number]").path("allBuilds")) {
            numbers.add(0, build.path("number").asInt());
        }
        return numbers;
    }

    private static void setNext(JenkinsClient on, String job, int next) {
        script(on, item(job) + "job.updateNextBuildNumber(" + next + ")");
    }

    private static String item(String job) {
        return "def job = jenkins.model.Jenkins.get().getItem('" + job + "');";
    }

    private static String fileScm(Path repository, boolean inWorkspace) {
        return "<scm class=\"io.jenkins.plugins.ha.extensions.FileScm\"><file>"
                + repository
                + "</file><inWorkspace>"
                + inWorkspace
                + "</inWorkspace></scm>";
    }

    /** A job that is polled, though never by the clock. */
    private static String polled(String shell, String scm) {
        return new FreestyleJob()
                .shell(shell)
                .xml()
                .replace("<scm class=\"hudson.scm.NullSCM\"/>", scm)
                .replace(
                        "<publishers/>",
                        "<triggers><hudson.triggers.SCMTrigger><spec/>"
                                + "</hudson.triggers.SCMTrigger></triggers><publishers/>");
    }

    /** A folder of the scenario's own. */
    private Path folder(BesidePlain.Side side, String name) {
        try {
            return Files.createDirectories(
                    beside.cluster().folder(name + (side.isCluster() ? "-cluster" : "-plain")));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void commit(Commit commit, String text) {
        try {
            commit.of(text);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void write(Path file, String text) {
        commit(content -> Files.writeString(file, content), text);
    }

    private static void remove(Path file) {
        commit(path -> Files.delete(Path.of(path)), file.toString());
    }

    private static void git(Path folder, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git", "-c", "user.name=Ada"));
        command.addAll(List.of("-c", "user.email=ada@example.com"));
        command.addAll(List.of(arguments));
        try {
            Process git =
                    new ProcessBuilder(command)
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .start();
            String said = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, git.waitFor(), said);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
