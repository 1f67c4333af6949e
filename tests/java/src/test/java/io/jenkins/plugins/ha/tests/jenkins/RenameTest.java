package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A job with a new name or in another folder has it everywhere, with all that waits and runs. */
class RenameTest {
    private static final String FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>";

    private static TwoControllers both;

    @BeforeAll
    static void start() {
        both =
                TwoControllers.start(
                        "rename",
                        2,
                        "cloudbees-folder",
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps");
    }

    @AfterAll
    static void stop() {
        if (both != null) {
            both.close();
        }
    }

    @Test
    void whatWaitsRunsUnderTheNewNameWithItsNumbers() {
        both.createJob("before", new FreestyleJob().xml());
        both.onBoth();
        assertEquals(1, built("before"));
        assertEquals(2, built("before"));
        both.takes("a", false);
        both.takes("b", false);
        long waiting = both.b().trigger("before");
        Eventually.until(
                "a shows it", TwoControllers.SOON, () -> both.a().queueItem(waiting).isPresent());
        assertEquals(
                302,
                both.a().post("job/before/confirmRename", Map.of("newName", "after")).statusCode());
        awaitGone("before");
        both.onlyOn("b");
        assertEquals(3, both.b().awaitBuildNumber(waiting, TwoControllers.SOON));
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals("SUCCESS", client.awaitResult("after", 3, TwoControllers.SOON));
            assertEquals("SUCCESS", client.awaitResult("after", 1, TwoControllers.SOON));
            assertEquals(3, client.job("after").path("builds").size());
        }
        both.onlyOn("a");
        assertEquals(4, built("after"));
        assertFalse(Files.exists(both.stage().shared().jobs().resolve("before")));
        both.createJob("before", new FreestyleJob().xml());
        assertEquals(1, built("before"));
        both.onBoth();
    }

    @Test
    void aRunningFreestyleBuildEndsUnderTheNewName() {
        both.createJob("running", new FreestyleJob().shell("sleep 4").xml());
        both.onlyOn("b");
        int number = both.a().awaitBuildNumber(both.a().trigger("running"), TwoControllers.SOON);
        TwoControllers.awaitRunning(both.a(), "running", number);
        // core refuses it to people, wherever the build runs
        assertEquals(
                400,
                both.a().post("job/running/confirmRename", Map.of("newName", "no")).statusCode());
        JobForms.on(both.a(), "running", "item.renameTo('ended')");
        awaitGone("running");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals("SUCCESS", client.awaitResult("ended", number, TwoControllers.SOON));
        }
        assertFalse(Files.exists(both.stage().shared().jobs().resolve("running")));
        both.onBoth();
    }

    @Test
    void jobsMoveBetweenFoldersAndFoldersWithThem() {
        both.a().createJob("here", FOLDER);
        both.a().createJob("there", FOLDER);
        both.createJob("here/job", new FreestyleJob().xml());
        Eventually.until("b has both", TwoControllers.SOON, () -> both.b().hasJob("there"));
        assertEquals(1, built("here/job"));
        assertTrue(move(both.a(), "here/job", "/there").statusCode() < 400);
        awaitGone("here/job");
        Eventually.until("b has it there", JobForms.IN_FORCE, () -> both.b().hasJob("there/job"));
        assertTrue(move(both.b(), "there", "/here").statusCode() < 400);
        awaitGone("there");
        Eventually.until(
                "a has it there", JobForms.IN_FORCE, () -> both.a().hasJob("here/there/job"));
        assertEquals(2, built("here/there/job"));
        JobForms.on(both.a(), "here", "item.renameTo('elsewhere')");
        awaitGone("here");
        both.onlyOn("b");
        assertEquals(3, built("elsewhere/there/job"));
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals(
                    "SUCCESS", client.awaitResult("elsewhere/there/job", 1, TwoControllers.SOON));
        }
        both.onBoth();
    }

    @Test
    void aMoveWithARunningPipelineIsRefusedInWords() {
        both.a().createJob("target", FOLDER);
        both.createJob("steps", JobXml.pipeline("sleep 60"));
        both.onlyOn("b");
        int number = both.a().awaitBuildNumber(both.a().trigger("steps"), TwoControllers.SOON);
        TwoControllers.awaitRunning(both.a(), "steps", number);
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            HttpResponse<String> answer = move(client, "steps", "/target");
            assertEquals(409, answer.statusCode());
            assertTrue(answer.body().contains("while a Pipeline of it runs"), answer.body());
        }
        both.a().stop("steps", number);
        both.a().awaitResult("steps", number, TwoControllers.SOON);
        assertTrue(move(both.a(), "steps", "/target").statusCode() < 400);
        awaitGone("steps");
        both.onBoth();
    }

    private static int built(String job) {
        int number = both.a().awaitBuildNumber(both.a().trigger(job), TwoControllers.SOON);
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals("SUCCESS", client.awaitResult(job, number, TwoControllers.SOON));
        }
        return number;
    }

    private static HttpResponse<String> move(JenkinsClient on, String job, String to) {
        return on.post(JenkinsClient.jobPath(job) + "move/move", Map.of("destination", to));
    }

    private static void awaitGone(String job) {
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    job + " is gone from " + client.url(),
                    JobForms.IN_FORCE,
                    () -> !client.hasJob(job));
        }
    }
}
