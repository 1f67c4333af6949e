package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Changes of jobs, folders, views, messages, users and agents, each by a way and on a controller
 * drawn by lot, one after the other, while controllers and Redis are killed; in the end all
 * controllers have the same in memory, build the same, and it is what was accepted last.
 */
final class ConfigurationChaos {
    private static final String FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>";
    private static final Duration LONG = Duration.ofMinutes(2);

    /**
     * What a controller has of the settings that are changed here, as {@link #settings} says it.
     */
    private static final String SETTINGS =
            """
            def j = Jenkins.get()
            print(j.views*.viewName.findAll { it.startsWith('rc') }.sort())
            print(j.systemMessage)
            print(['rc1', 'rc2'].collect { User.getById(it, false)?.fullName })
            def own = j.nodes.findAll { it.nodeName.startsWith('rc') }
            print(own.collect { it.nodeName + '=' + it.labelString }.sort())
            """;

    private final Stage stage;
    private final Random random;
    private final List<String> jobs = new ArrayList<>();
    private final Map<String, String> descriptions = new HashMap<>();
    private final TreeSet<String> views = new TreeSet<>();
    private final TreeMap<String, String> agents = new TreeMap<>();
    private final TreeMap<String, String> people = new TreeMap<>();
    private String message = "null";
    private final List<String> done = new ArrayList<>();
    private int made;
    private int kills;
    private int redisKills;

    ConfigurationChaos(Stage stage, Random random) {
        this.stage = stage;
        this.random = random;
        people.put("rc1", "null");
        people.put("rc2", "null");
    }

    /**
     * @param every a fault after every so many changes on average
     */
    void run(int steps, int every) {
        List<Controller> all = stage.controllers();
        all.get(0).client().createJob("rc", FOLDER);
        for (Controller each : all) {
            Eventually.until(
                    each.name() + " has the folder", LONG, () -> each.client().hasJob("rc"));
        }
        Controller dead = null;
        int until = 0;
        for (int step = 0; step < steps; step++) {
            if (dead != null && step >= until) {
                dead.start();
                dead.awaitUp(Stage.UP);
                done.add(step + ": " + dead.name() + " is back");
                dead = null;
            } else if (dead == null && step > 0 && random.nextInt(every) == 0) {
                if (random.nextInt(3) == 0) {
                    stage.redis().kill9();
                    stage.redis().start();
                    stage.awaitMembers(all.size(), LONG);
                    redisKills++;
                    done.add(step + ": Redis killed");
                } else {
                    // whoever made the last change, too: what was answered must not be lost
                    dead = all.get(random.nextInt(all.size()));
                    dead.kill9();
                    done.add(step + ": " + dead.name() + " killed");
                    until = step + 1 + random.nextInt(every);
                    kills++;
                }
            }
            Controller on;
            do {
                on = all.get(random.nextInt(all.size()));
            } while (on == dead);
            done.add(step + ": change on " + on.name());
            change(on.client(), step);
        }
        if (dead != null) {
            dead.start();
            dead.awaitUp(Stage.UP);
        }
        assertTrue(kills > 0, "no controller was killed: take another seed, or more steps");
        System.out.println(
                steps + " changes, " + kills + " controllers killed, Redis killed " + redisKills);
        assertSame();
    }

    private void assertSame() {
        JenkinsClient first = stage.controllers().get(0).client();
        for (Controller each : stage.controllers()) {
            JenkinsClient client = each.client();
            awaitJobs(each);
            for (String job : jobs) {
                JobForms.awaitSame(first, client, job);
                assertEquals(
                        descriptions.getOrDefault(job, "null"),
                        JobForms.on(client, job, "print item.description"),
                        job + " on " + each.name());
            }
            awaitSettings(client);
        }
        for (Controller each : stage.controllers()) {
            for (Controller other : stage.controllers()) {
                takes(other, other == each);
            }
            String job = jobs.get(random.nextInt(jobs.size()));
            if (!JobForms.on(first, job, "print item.disabled").equals("true")) {
                int number = first.awaitBuildNumber(first.trigger(job), LONG);
                assertEquals("SUCCESS", first.awaitResult(job, number, LONG));
                String command = JobForms.on(first, job, "print item.builders[0].command");
                assertTrue(first.console(job, number).contains("+ " + command), command);
                assertEquals(
                        each.name(),
                        JenkinsClient.controllerOf(first.build(job, number).orElseThrow()));
            }
        }
        stage.controllers().forEach(each -> takes(each, true));
    }

    private void awaitJobs(Controller on) {
        String wanted = jobs.stream().sorted().toList().toString();
        String[] last = {""};
        try {
            Eventually.until(
                    on.name() + " has all jobs and no more",
                    LONG,
                    () -> {
                        last[0] =
                                JobForms.on(
                                        on.client(),
                                        "rc",
                                        "print item.allItems()*.fullName.sort()");
                        return last[0].equals(wanted);
                    });
        } catch (AssertionError e) {
            assertEquals(wanted, last[0], e.getMessage() + "; " + done);
            throw e;
        }
    }

    private static void takes(Controller controller, boolean takes) {
        TwoControllers.script(
                controller.client(),
                "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = " + takes);
    }

    private String settings() {
        return views + message + people.values() + agents.entrySet();
    }

    private void awaitSettings(JenkinsClient on) {
        String[] last = {""};
        try {
            Eventually.until(
                    "settings of " + on.url(),
                    LONG,
                    () -> {
                        last[0] = TwoControllers.script(on, SETTINGS).strip();
                        return last[0].equals(settings());
                    });
        } catch (AssertionError e) {
            StringBuilder others = new StringBuilder(e.getMessage() + "; " + done);
            for (Controller each : stage.controllers()) {
                if (each.alive()) {
                    String has = TwoControllers.script(each.client(), SETTINGS).strip();
                    others.append("\n").append(each.name()).append(" has ").append(has);
                }
            }
            assertEquals(settings(), last[0], others.toString());
        }
    }

    private void change(JenkinsClient on, int step) {
        int way = jobs.size() < 3 ? 0 : random.nextInt(15);
        String job = jobs.isEmpty() ? "" : jobs.get(random.nextInt(jobs.size()));
        String text = "step " + step;
        if (way > 9) {
            awaitSettings(on); // a person looks before he changes
            setting(on, way, step);
            return;
        }
        done.add("way " + way + " of " + job + ", next j" + made);
        if (way != 0) {
            Eventually.until(job + " is on " + on.url(), LONG, () -> on.hasJob(job));
        }
        switch (way) {
            case 0 -> {
                String name = "rc/j" + made++;
                on.createJob(name, new FreestyleJob().shell("echo " + step).xml());
                jobs.add(name);
            }
            case 1 -> {
                if (on.deleteJob(job) >= 400) {
                    return; // refused, with a sentence
                }
                jobs.remove(job);
                descriptions.remove(job);
            }
            case 2 -> {
                String name = "rc/j" + made++;
                int status =
                        on.post(
                                        JenkinsClient.jobPath(job) + "confirmRename",
                                        Map.of("newName", name.substring(3)))
                                .statusCode();
                if (status >= 400) {
                    return; // refused, with a sentence
                }
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
                    JobForms.on(on, job, "item.quietPeriod = " + step % 3 + "; item.save()");
                } catch (AssertionError e) { // another changed the same a moment ago
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

    private void setting(JenkinsClient on, int way, int step) {
        switch (way) {
            case 10 -> {
                String view = "rc" + step;
                TwoControllers.script(
                        on, "Jenkins.get().addView(new ListView('%s'))".formatted(view));
                views.add(view);
            }
            case 11 -> {
                message = "at " + step;
                TwoControllers.script(
                        on,
                        "def j = Jenkins.get(); j.systemMessage = '%s'; j.save()"
                                .formatted(message));
            }
            case 12 -> {
                String who = "rc" + (1 + random.nextInt(2));
                String name = "Person " + step;
                TwoControllers.script(
                        on,
                        "def u = User.getById('%s', true); u.fullName = '%s'; u.save()"
                                .formatted(who, name));
                people.put(who, name);
            }
            case 13 -> {
                String name = "rc" + random.nextInt(3);
                TwoControllers.script(
                        on,
                        """
                        def n = new hudson.slaves.DumbSlave('%s', '/tmp', new hudson.slaves.JNLPLauncher())
                        n.labelString = 'l%d'
                        Jenkins.get().addNode(n)
                        """
                                .formatted(name, step));
                agents.put(name, "l" + step);
            }
            default -> {
                if (views.isEmpty()) {
                    return;
                }
                String view = views.pollFirst();
                TwoControllers.script(
                        on, "def j = Jenkins.get(); j.deleteView(j.getView('%s'))".formatted(view));
            }
        }
    }
}
