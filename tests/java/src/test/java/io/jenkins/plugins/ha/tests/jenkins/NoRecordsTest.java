package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Controllers whose build records cannot be had, by a wrong URL: builds are known from their files.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NoRecordsTest {
    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "no-records",
                        2,
                        (stage, controller) ->
                                controller.environment(
                                        "HA_JENKINS_DATABASE_URL", "mysql://records/are/not/here"),
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void anEditOfABuildThatRunsElsewhereIsMadeByItsOwnerAndHarmsNothing() throws IOException {
        Path gate = two.folder("gate");
        String shell = "until [ -e " + gate + " ]; do sleep 0.1; done";
        two.createJob("pipe", JobXml.pipeline("node { sh '" + shell + "' }"));
        two.createJob("free", new FreestyleJob().shell(shell).xml());
        two.onlyOn("a");
        JenkinsClient b = two.b();
        for (String job : List.of("pipe", "free")) {
            b.trigger(job);
            TwoControllers.awaitRunning(b, job, 1);
            assertEquals(302, describe(b, job, "by b"));
            for (JenkinsClient client : List.of(two.a(), b)) {
                Eventually.until(
                        client.url() + " shows the edit of " + job,
                        SOON,
                        () -> description(client, job).equals("by b"));
            }
        }
        Path file = two.stage().shared().jobs().resolve("pipe/builds/1/build.xml");
        assertTrue(Files.readString(file).contains("<execution"), "the Pipeline can go on");

        // While nobody can make the edit, it is not made, and the Pipeline is as its owner left it.
        two.controller("a").kill9();
        String left = Files.readString(file);
        describe(b, "pipe", "made while the owner is away");
        assertEquals(left, Files.readString(file));
        Files.createFile(gate);
        two.bothAlive();
        for (JenkinsClient client : List.of(two.a(), b)) {
            assertEquals("SUCCESS", client.awaitResult("pipe", 1, SOON));
            assertEquals("by b", description(client, "pipe"));
        }
    }

    private static int describe(JenkinsClient on, String job, String text) {
        return on.post("job/" + job + "/1/submitDescription", Map.of("description", text))
                .statusCode();
    }

    private static String description(JenkinsClient on, String job) {
        return on.build(job, 1)
                .map((JsonNode build) -> build.path("description").asText())
                .orElse("");
    }
}
