package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Ten thousand jobs in folders: both controllers have them all, changes arrive, and edits by hand
 * are found. What start-up, memory and comparison cost beside a plain Jenkins is told, not judged.
 */
@LongTest
class TenThousandJobsTest {
    private static final int FOLDERS = 100;
    private static final int IN_EACH = 100;
    private static final int CHANGES = 100;

    /** A round over all jobs, and the pause before it. */
    private static final Duration COMPARED = Duration.ofMinutes(2);

    @Test
    void bothHaveThemAllAndEachChangeIsInForceOnTheOther() throws IOException {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("plain-10000")) {
            write(stage.shared().jobs());
            JenkinsController plain = controller(stage, war, "plain").haPlugin(Optional.empty());
            measured("plain", plain);
        }
        try (Stage stage = Stage.open("cluster-10000")) {
            write(stage.shared().jobs());
            stage.redis().start();
            JenkinsController a = controller(stage, war, "a");
            JenkinsController b = controller(stage, war, "b");
            for (JenkinsController one : List.of(a, b)) {
                one.property("io.jenkins.plugins.ha.itemsComparedEverySeconds", "1");
                measured(one.name(), one);
            }
            stage.awaitMembers(2, TwoControllers.SOON);
            List<Long> times = new ArrayList<>();
            for (int i = 0; i < CHANGES; i++) {
                changed(a.client(), b.client(), times, name(i, i));
            }
            JobForms.figures("jobs.in_force_among_ten_thousand", times);
            foundByHand(stage, b.client());
        }
    }

    private static JenkinsController controller(Stage stage, JenkinsWar war, String name) {
        JenkinsController controller = stage.addJenkins(war, name);
        controller.plugins("cloudbees-folder");
        return controller;
    }

    private static void changed(
            JenkinsClient on, JenkinsClient other, List<Long> times, String job) {
        JobForms.on(on, job, "item.description = 'new'");
        long start = System.nanoTime();
        Eventually.until(
                job + " is changed",
                JobForms.IN_FORCE,
                () -> JobForms.on(other, job, "print item.description").equals("new"));
        times.add((System.nanoTime() - start) / 1_000_000);
    }

    private static void foundByHand(Stage stage, JenkinsClient on) throws IOException {
        String last = name(FOLDERS - 1, IN_EACH - 1);
        Path file = folder(stage.shared().jobs(), FOLDERS - 1, IN_EACH - 1).resolve("config.xml");
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst("<project>", "<project><description>by hand</description>"));
        long start = System.nanoTime();
        Eventually.until(
                "the edit by hand is found",
                COMPARED,
                () -> JobForms.on(on, last, "print item.description").equals("by hand"));
        TwoControllers.figure("jobs.ten_thousand_compared", (System.nanoTime() - start) / 1e9, "s");
    }

    /** Starts it; its time to the first page and its heap when it is idle. */
    private static void measured(String who, JenkinsController controller) {
        long start = System.nanoTime();
        JenkinsClient client = SingleController.up(controller);
        TwoControllers.figure(
                "jobs.ten_thousand_up " + who, (System.nanoTime() - start) / 1e9, "s");
        String count =
                TwoControllers.script(
                        client, "print Jenkins.get().getAllItems(FreeStyleProject).size()");
        assertEquals(FOLDERS * IN_EACH, Integer.parseInt(count.strip()), who);
        String heap =
                TwoControllers.script(
                        client,
                        "3.times { System.gc() }; def r = Runtime.runtime;"
                                + " print((r.totalMemory() - r.freeMemory()) >> 20)");
        TwoControllers.figure(
                "jobs.ten_thousand_heap " + who, Double.parseDouble(heap.strip()), "MiB");
    }

    private static void write(Path jobs) throws IOException {
        String xml = new FreestyleJob().shell("true").xml();
        String folder =
                "<?xml version='1.1' encoding='UTF-8'?>\n"
                        + "<com.cloudbees.hudson.plugins.folder.Folder>"
                        + "</com.cloudbees.hudson.plugins.folder.Folder>\n";
        for (int i = 0; i < FOLDERS; i++) {
            for (int j = 0; j < IN_EACH; j++) {
                Path job = folder(jobs, i, j);
                Files.createDirectories(job);
                Files.writeString(job.resolve("config.xml"), xml);
            }
            Files.writeString(jobs.resolve("f" + i).resolve("config.xml"), folder);
        }
    }

    private static Path folder(Path jobs, int folder, int job) {
        return jobs.resolve("f" + folder).resolve("jobs").resolve("j" + job);
    }

    private static String name(int folder, int job) {
        return "f" + folder + "/j" + job;
    }
}
