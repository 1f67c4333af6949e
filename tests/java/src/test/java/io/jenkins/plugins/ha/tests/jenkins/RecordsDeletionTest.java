package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What is deleted while the database is away stays deleted, though the controller that deleted it
 * is gone before it could say so; and what is made under an old name meanwhile is not taken for it.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RecordsDeletionTest {
    private TwoControllers two;

    @BeforeAll
    void start() {
        two = TwoControllers.start("records-deletion", 2, RecordsDeletionTest::onPostgres);
    }

    private static void onPostgres(Stage stage, JenkinsController controller) {
        if (stage.controllers().size() == 1) {
            stage.postgres().start();
        }
        controller
                .environment("HA_JENKINS_DATABASE_URL", stage.postgres().url())
                .environment("HA_JENKINS_DATABASE_PASSWORD", stage.postgres().password())
                .property("io.jenkins.plugins.ha.reconcileAfterMillis", "500");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void whatWasDeletedWithoutTheDatabaseDoesNotComeBackAtAnothersStart() {
        JenkinsClient a = two.a();
        for (String job : List.of("pruned", "remade")) {
            two.createJob(job, new FreestyleJob().xml());
            for (int number = 1; number <= 3; number++) {
                run(job, number);
            }
            await(two.b(), job, List.of(3, 2, 1));
        }
        two.stage().postgres().kill9();
        Eventually.until("a knows that it is away", SOON, () -> away(a));
        assertEquals(302, a.deleteBuild("pruned", 2));
        a.deleteJob("remade");
        Eventually.until("b follows", SOON, () -> !two.b().hasJob("remade"));
        two.controller("a").kill9();
        two.controller("b").kill9();
        two.stage().postgres().start();

        // a has it in its outbox, and is not there to say so.
        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        JenkinsClient b = two.b();
        b.createJob("remade", new FreestyleJob().xml());
        b.trigger("remade");
        b.awaitResult("remade", 1, SOON);
        await(b, "pruned", List.of(3, 1));
        await(b, "remade", List.of(1));
        Path builds = two.stage().shared().jobs().resolve("pruned/builds");
        assertFalse(Files.exists(builds.resolve("2")), "its file was made again");
        assertEquals(List.of(3, 1), history(b, "pruned"));
        assertEquals(List.of(1), history(b, "remade"));

        // Its outbox says what everybody knows, and nothing about the new job.
        two.controller("a").start();
        two.controller("a").awaitUp(Stage.UP);
        JenkinsClient again = two.a();
        Eventually.until("a has said so", SOON, () -> settled(again));
        run("remade", 2);
        for (JenkinsClient client : List.of(again, b)) {
            await(client, "pruned", List.of(3, 1));
            await(client, "remade", List.of(2, 1));
        }
        Eventually.until(
                "no tombstone is left", SOON, () -> !Files.exists(builds.resolve(".ha-deleted/2")));
        assertFalse(Files.exists(builds.resolve("2")));
    }

    private void run(String job, int number) {
        two.a().trigger(job);
        assertEquals("SUCCESS", two.a().awaitResult(job, number, SOON));
    }

    private static void await(JenkinsClient on, String job, List<Integer> numbers) {
        Eventually.until(
                "the records of " + job + " are " + numbers,
                SOON,
                () -> numbers.equals(recorded(on, job)));
    }

    private static List<Integer> recorded(JenkinsClient on, String job) {
        List<Integer> numbers = new ArrayList<>();
        on.jsonIfPresent("ha-builds/api/json?job=" + job)
                .ifPresent(
                        found -> {
                            for (JsonNode build : found.path("builds")) {
                                numbers.add(build.path("number").asInt());
                            }
                        });
        return numbers;
    }

    private static List<Integer> history(JenkinsClient on, String job) {
        List<Integer> numbers = new ArrayList<>();
        for (JsonNode build : on.job(job).path("builds")) {
            numbers.add(build.path("number").asInt());
        }
        return numbers;
    }

    private static boolean away(JenkinsClient on) {
        return state(on).startsWith("AWAY");
    }

    private static boolean settled(JenkinsClient on) {
        return state(on).equals("READY 0");
    }

    private static String state(JenkinsClient on) {
        return script(
                        on,
                        "def state ="
                            + " io.jenkins.plugins.ha.records.BuildRecords.active().get().state();print"
                            + " state.phase().name() + ' ' + state.waiting()")
                .trim();
    }
}
