package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Figures with 10,000 jobs in 100 folders, beside a plain Jenkins with the same. */
@LongTest
class ManyJobsTest {
    private static final int FOLDERS = 100;
    private static final int JOBS = 100;
    private static final int SAMPLES = 100;
    private static final int STARTS = 3;
    private static final Duration LONG = Duration.ofMinutes(3);

    /** How many milliseconds a comparison of all items takes, among whatever else there is. */
    private static final String COMPARE =
            """
            def c = io.jenkins.plugins.ha.Membership.active().get().items().@comparison
            while (c.@rounding || c.@demanded) Thread.sleep(5)
            def start = System.nanoTime()
            c.demand()
            while (c.@rounding || c.@demanded) Thread.sleep(1)
            print((System.nanoTime() - start).intdiv(1000000))
            """;

    @Test
    void tenThousandJobsStartAndChangeAndAreComparedInReasonableTime() throws IOException {
        double plain;
        try (Stage stage = Stage.open("many-jobs-plain")) {
            write(stage);
            JenkinsController alone =
                    stage.addJenkins(SingleController.war(), "plain")
                            .haPlugin(Optional.empty())
                            .plugins("cloudbees-folder");
            plain = started(alone, "plain");
        }
        try (Stage stage = Stage.open("many-jobs")) {
            write(stage);
            stage.redis().start();
            JenkinsController a = stage.addJenkins(SingleController.war(), "a");
            JenkinsController b = stage.addJenkins(SingleController.war(), "b");
            a.plugins("cloudbees-folder");
            b.plugins("cloudbees-folder");
            double ours = started(a, "cluster");
            assertTrue(ours < plain * 2 + 10, "starts in " + ours + " s, plain in " + plain);
            b.start();
            b.awaitUp(Stage.UP);
            stage.awaitMembers(2, LONG);
            for (String round : List.of("first", "second", "third")) {
                figure(
                        "many_jobs.comparison_" + round,
                        Long.parseLong(script(b.client(), COMPARE).strip()) / 1e3,
                        "s");
            }
            inForce(a.client(), b.client());
        }
    }

    /** Starts it some times; the middle of the seconds until it serves pages. */
    private static double started(JenkinsController controller, String name) {
        List<Double> times = new ArrayList<>();
        for (int i = 0; i <= STARTS; i++) {
            long begun = System.nanoTime();
            controller.start();
            controller.awaitUp(Stage.UP);
            if (i > 0) { // the first start unpacks the plugins
                times.add((System.nanoTime() - begun) / 1e9);
            }
            String all = "print Jenkins.get().allItems(FreeStyleProject).size()";
            Eventually.until(
                    "all jobs are there",
                    LONG,
                    () ->
                            script(controller.client(), all)
                                    .strip()
                                    .equals(String.valueOf(FOLDERS * JOBS)));
            if (i < STARTS) {
                controller.stop();
            }
        }
        if (!name.equals("plain")) {
            script(controller.client(), COMPARE); // has read each form once
        }
        String heap =
                "3.times { System.gc() }; def r = Runtime.runtime;"
                        + " print((r.totalMemory() - r.freeMemory()) >> 10)";
        figure(
                "many_jobs.heap_" + name,
                Long.parseLong(script(controller.client(), heap).strip()) / 1024.0,
                "MiB");
        double middle = times.stream().sorted().toList().get(STARTS / 2);
        figure("many_jobs.start_" + name, middle, "s");
        return middle;
    }

    private static void inForce(JenkinsClient a, JenkinsClient b) {
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < SAMPLES; i++) {
            String job = "f" + (i * 37 % FOLDERS) + "/j" + (i * 53 % JOBS);
            String text = "change " + i;
            JobForms.on(a, job, "item.description = '" + text + "'");
            long start = System.nanoTime();
            Eventually.until(
                    text + " is in force",
                    JobForms.IN_FORCE,
                    () -> JobForms.on(b, job, "print item.description").equals(text));
            times.add((System.nanoTime() - start) / 1_000_000);
        }
        JobForms.figures("many_jobs.in_force", times);
    }

    private static void write(Stage stage) throws IOException {
        Path jobs = stage.root().resolve("shared").resolve("jobs");
        for (int f = 0; f < FOLDERS; f++) {
            Path folder = Files.createDirectories(jobs.resolve("f" + f));
            Files.writeString(
                    folder.resolve("config.xml"), "<com.cloudbees.hudson.plugins.folder.Folder/>");
            for (int j = 0; j < JOBS; j++) {
                Path job = Files.createDirectories(folder.resolve("jobs").resolve("j" + j));
                Files.writeString(
                        job.resolve("config.xml"), new FreestyleJob().shell("true").xml());
            }
        }
    }
}
