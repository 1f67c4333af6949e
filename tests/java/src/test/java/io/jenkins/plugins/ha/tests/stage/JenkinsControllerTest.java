package io.jenkins.plugins.ha.tests.stage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The stage's own tools, tried on a plain Jenkins: what fails here is no fault of the plugin. */
class JenkinsControllerTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @Test
    void aPlainJenkinsIsDrivenOverRestAndCli() {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        try (Stage stage = Stage.open("plain-jenkins")) {
            JenkinsController controller = stage.addJenkins(search.war().orElseThrow(), "a");
            controller.haPlugin(Optional.empty()).user("admin");
            stage.startControllers();
            assertTrue(Files.isSymbolicLink(controller.home().resolve("jobs")));

            JenkinsClient nobody = controller.client();
            assertEquals(403, nobody.get("api/json").statusCode());
            for (String secret : new String[] {"admin", JenkinsController.token("admin")}) {
                JenkinsClient admin = nobody.as("admin", secret);
                String job = secret.equals("admin") ? "by password" : "by-token";
                admin.createJob(
                        job, new FreestyleJob().parameter("P").shell("echo got $P; sleep 1").xml());
                long id = admin.trigger(job, Map.of("P", "x&y"));
                int number = admin.awaitBuildNumber(id, SOON);
                assertEquals(1, number);
                assertEquals("SUCCESS", admin.awaitResult(job, number, SOON));
                assertTrue(admin.console(job, number).contains("got x&y"));
                assertFalse(admin.log(job, number, 0).more());
                assertEquals(
                        "", JenkinsClient.controllerOf(admin.build(job, number).orElseThrow()));
                assertTrue(admin.deleteBuild(job, number) < 400);
                assertTrue(admin.build(job, number).isEmpty());
            }

            JenkinsClient admin = nobody.as("admin", JenkinsController.token("admin"));
            admin.createJob("slow", new FreestyleJob().shell("sleep 60").xml());
            JenkinsClient.CliRun run =
                    admin.cli(stage.root().resolve("cli"), "build", "slow", "-s", "-v");
            Eventually.until(
                    "build runs",
                    SOON,
                    () ->
                            admin.build("slow", 1)
                                    .map(b -> b.path("building").asBoolean())
                                    .orElse(false));
            assertTrue(run.running());
            assertTrue(admin.stop("slow", 1) < 400);
            // Jenkins' code for ABORTED.
            assertEquals(4, run.await(SOON), run.output());

            admin.createJob("later", new FreestyleJob().quietSeconds(300).xml());
            long id = admin.trigger("later");
            assertEquals(1, admin.queue().path("items").size());
            assertTrue(admin.cancel(id) < 400);
            assertTrue(admin.queueItem(id).orElseThrow().path("cancelled").asBoolean());

            controller.kill9();
            assertFalse(nobody.reachable());
            controller.start();
            controller.awaitUp(Stage.UP);
            assertTrue(admin.hasJob("slow"));
        }
    }
}
