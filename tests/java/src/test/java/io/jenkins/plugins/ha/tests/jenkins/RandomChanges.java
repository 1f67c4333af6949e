package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Changes of jobs and folders, each by a way and on a controller drawn by lot, with one controller
 * killed in the middle; in the end both controllers have the same in memory, and it is what was
 * accepted last.
 */
final class RandomChanges {
    private static final String FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>";

    private final TwoControllers both;
    private final Random random;
    private final List<String> jobs = new ArrayList<>();
    private final Map<String, String> descriptions = new java.util.HashMap<>();
    private int made;

    RandomChanges(TwoControllers both, Random random) {
        this.both = both;
        this.random = random;
    }

    void run(int steps) {
        both.createJob("rc", FOLDER);
        for (int step = 0; step < steps; step++) {
            if (step == steps / 2) {
                both.controller("b").kill9();
            } else if (step == steps / 2 + steps / 6) {
                both.controller("b").start();
                both.controller("b").awaitUp(Stage.UP);
            }
            boolean onlyA = !both.controller("b").alive();
            change(onlyA || random.nextBoolean() ? both.a() : both.b(), step);
        }
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "all jobs are on " + client.url() + ": " + jobs,
                    TwoControllers.SOON,
                    () ->
                            JobForms.on(client, "rc", "print item.allItems()*.fullName.sort()")
                                    .equals(jobs.stream().sorted().toList().toString()));
        }
        for (String job : jobs) {
            JobForms.awaitSame(both, job);
            String expected = descriptions.getOrDefault(job, "null");
            Eventually.until(
                    job + " has " + expected,
                    JobForms.IN_FORCE,
                    () -> JobForms.on(both.b(), job, "print item.description").equals(expected));
        }
    }

    private void change(JenkinsClient on, int step) {
        int way = jobs.size() < 3 ? 0 : random.nextInt(10);
        String job = jobs.isEmpty() ? "" : jobs.get(random.nextInt(jobs.size()));
        String text = "step " + step;
        if (way != 0) { // a person opens it before he changes it
            Eventually.until(job + " is on " + on.url(), TwoControllers.SOON, () -> on.hasJob(job));
        }
        switch (way) {
            case 0 -> {
                String name = "rc/j" + made++;
                on.createJob(name, new FreestyleJob().shell("echo " + step).xml());
                jobs.add(name);
            }
            case 1 -> {
                on.deleteJob(job);
                jobs.remove(job);
                descriptions.remove(job);
            }
            case 2 -> {
                String name = "rc/j" + made++;
                on.post(
                        JenkinsClient.jobPath(job) + "confirmRename",
                        Map.of("newName", name.substring(3)));
                jobs.set(jobs.indexOf(job), name);
                String described = descriptions.remove(job);
                if (described != null) {
                    descriptions.put(name, described);
                }
            }
            case 3 -> {
                JobForms.post(on, job, new FreestyleJob().shell("echo " + text).xml());
                descriptions.remove(job);
            }
            case 4 -> on.post(JenkinsClient.jobPath(job) + "disable", Map.of());
            case 5 -> on.post(JenkinsClient.jobPath(job) + "enable", Map.of());
            case 6 -> {
                try {
                    JobForms.on(on, job, "item.quietPeriod = " + step + "; item.save()");
                } catch (AssertionError e) { // the other changed the same a moment ago
                    assertTrue(e.getMessage().contains("is not saved"), e.getMessage());
                }
            }
            default -> {
                int status =
                        on.post(
                                        JenkinsClient.jobPath(job) + "submitDescription",
                                        Map.of("description", text))
                                .statusCode();
                if (status < 400) {
                    descriptions.put(job, text);
                }
            }
        }
    }
}
