package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Who deletes a job ends its builds and queue items, wherever they are; a new one starts as new.
 */
class JobDeletionTest {
    private static BesidePlain jenkins;

    @BeforeAll
    static void start() {
        jenkins =
                BesidePlain.start(
                        "job-deletion", 2, "workflow-job", "workflow-cps", "workflow-basic-steps");
    }

    @AfterAll
    static void stop() {
        if (jenkins != null) {
            jenkins.close();
        }
    }

    @Test
    void aJobIsDeletedWhileBuildsOfItRunAndWaitOnTheOther() {
        for (String kind : List.of("free", "pipe")) {
            jenkins.sameAsPlain(
                    side -> {
                        String xml =
                                kind.equals("free")
                                        ? new FreestyleJob().shell("sleep 60").xml()
                                        : JobXml.pipeline("sleep 60", JobXml.oneAtATime(false));
                        if (side.isCluster()) {
                            jenkins.cluster().onlyOn("b");
                        }
                        side.createJob(kind, xml);
                        trigger(side.first(), kind, "1");
                        Eventually.until(
                                "it runs",
                                TwoControllers.SOON,
                                () ->
                                        JobForms.on(
                                                        side.second(),
                                                        kind,
                                                        "print item.lastBuild?.executor != null")
                                                .equals("true"));
                        trigger(side.first(), kind, "2"); // waits for the first
                        Eventually.until(
                                "the next one waits",
                                TwoControllers.SOON,
                                () -> side.first().queue().path("items").size() == 1);
                        int status = side.first().deleteJob(kind);
                        Eventually.until(
                                "gone",
                                JobForms.IN_FORCE,
                                () -> side.each().stream().noneMatch(on -> on.hasJob(kind)));
                        Eventually.until(
                                "nothing runs or waits",
                                TwoControllers.SOON,
                                () -> side.each().stream().allMatch(JobDeletionTest::idle));
                        String folder =
                                TwoControllers.script(
                                        side.first(),
                                        "print new File(Jenkins.get().rootDir, 'jobs/%s').exists()"
                                                .formatted(kind));
                        side.createJob(kind, new FreestyleJob().shell("echo anew").xml());
                        long id = side.second().trigger(kind);
                        int number = side.first().awaitBuildNumber(id, TwoControllers.SOON);
                        String result = side.first().awaitResult(kind, number, TwoControllers.SOON);
                        side.first().deleteJob(kind);
                        return List.of(status, folder.strip(), number, result);
                    });
        }
        assertFalse(
                Files.exists(
                        jenkins.cluster()
                                .stage()
                                .shared()
                                .jobs()
                                .resolve("free")
                                .resolve("builds")));
    }

    @Test
    void whatListenersForbidIsNotDeletedAndIsBuiltOnBothAsBefore() {
        TwoControllers both = jenkins.cluster();
        both.onBoth();
        both.createJob("kept", new FreestyleJob().xml());
        TwoControllers.script(
                both.a(),
                """
                ExtensionList.lookup(hudson.model.listeners.ItemListener).add(
                  new hudson.model.listeners.ItemListener() {
                    void onCheckDelete(Item i) { if (i.fullName == 'kept') throw new Failure('not this one') }
                  })
                """);
        both.a().deleteJob("kept");
        for (String taker : List.of("a", "b")) {
            both.onlyOn(taker);
            Eventually.until(
                    taker + " builds it again",
                    TwoControllers.SOON,
                    () ->
                            JobForms.on(
                                            taker.equals("a") ? both.a() : both.b(),
                                            "kept",
                                            "print jenkins.model.queue.ItemDeletion.contains(item)")
                                    .equals("false"));
            int number = both.a().awaitBuildNumber(both.a().trigger("kept"), TwoControllers.SOON);
            assertEquals("SUCCESS", both.b().awaitResult("kept", number, TwoControllers.SOON));
        }
        both.onBoth();
    }

    private static void trigger(JenkinsClient on, String job, String parameter) {
        if (job.equals("free")) {
            on.trigger(job);
        } else {
            on.trigger(job, java.util.Map.of("P", parameter));
        }
    }

    private static boolean idle(JenkinsClient on) {
        return on.queue().path("items").isEmpty()
                && TwoControllers.script(
                                on,
                                "print Jenkins.get().computers.collectMany { it.allExecutors"
                                        + " }.count { it.busy }")
                        .strip()
                        .equals("0");
    }
}
