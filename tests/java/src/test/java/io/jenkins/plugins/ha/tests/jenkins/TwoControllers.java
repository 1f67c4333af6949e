package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * Two real controllers, a and b, of one cluster. Where no Jenkins is at hand, whoever asks for them
 * is skipped.
 */
final class TwoControllers implements AutoCloseable {
    /** For what must come, on a machine that does other things too. */
    static final Duration SOON = Duration.ofSeconds(60);

    /** What a user may notice at the most between two controllers. */
    static final Duration NOTICED = Duration.ofSeconds(1);

    private final Stage stage;

    private TwoControllers(Stage stage) {
        this.stage = stage;
    }

    /** Both are up, and members of the cluster, when this returns. */
    static TwoControllers start(String name, int executors, String... plugins) {
        return start(name, executors, (stage, controller) -> {}, plugins);
    }

    /** As {@link #start(String, int, String...)}, with something to be set on each before. */
    static TwoControllers start(
            String name,
            int executors,
            BiConsumer<Stage, JenkinsController> more,
            String... plugins) {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        Stage stage = Stage.open(name);
        try {
            stage.redis().start();
            for (String controller : List.of("a", "b")) {
                JenkinsController added = stage.addJenkins(search.war().get(), controller);
                added.executors(executors).plugins(plugins);
                more.accept(stage, added);
            }
            stage.startControllers();
            stage.awaitMembers(2, SOON);
            return new TwoControllers(stage);
        } catch (RuntimeException | Error e) {
            stage.close();
            throw e;
        }
    }

    Stage stage() {
        return stage;
    }

    JenkinsClient a() {
        return stage.controllers().get(0).client();
    }

    JenkinsClient b() {
        return stage.controllers().get(1).client();
    }

    Controller controller(String name) {
        return stage.controllers().get(name.equals("a") ? 0 : 1);
    }

    /** A folder of the test's own, removed in the end. */
    Path folder(String name) {
        return stage.root().resolve(name);
    }

    /** Creates the job on a and waits until b has it. */
    void createJob(String job, String xml) {
        a().createJob(job, xml);
        Eventually.until("b has " + job, SOON, () -> b().hasJob(job));
    }

    /** From when this returns on, builds are taken by this controller alone. */
    void onlyOn(String name) {
        takes("a", name.equals("a"));
        takes("b", name.equals("b"));
    }

    /** What was killed runs again, and both take builds. */
    void bothAlive() {
        for (String name : List.of("a", "b")) {
            if (!controller(name).alive()) {
                controller(name).start();
                controller(name).awaitUp(Stage.UP);
            }
        }
        stage.awaitMembers(2, SOON);
        onBoth();
    }

    /** Both take builds again. */
    void onBoth() {
        takes("a", true);
        takes("b", true);
    }

    /** Whether this controller takes builds, from when this returns on. */
    void takes(String name, boolean takes) {
        script(
                controller(name).client(),
                "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = " + takes);
    }

    /** Runs a Groovy script on one controller and returns what it printed. */
    static String script(JenkinsClient on, String groovy) {
        var answer = on.post("scriptText", Map.of("script", groovy));
        if (answer.statusCode() != 200 || answer.body().contains("Exception:")) {
            throw new AssertionError(answer.statusCode() + ": " + answer.body());
        }
        return answer.body();
    }

    /** Until the cluster's queue has no item that waits or runs. */
    static void awaitNoItems(JenkinsClient on, Duration limit) {
        Eventually.until(
                "nothing waits or runs",
                limit,
                () ->
                        script(
                                        on,
                                        "print io.jenkins.plugins.ha.Membership.active().get()"
                                                + ".cluster().items().size()")
                                .equals("0"));
    }

    /** A build of this job that runs on {@code controller}, as seen from {@code from}. */
    static JsonNode awaitRunning(JenkinsClient from, String job, int number) {
        return from.awaitBuild(
                job, number, "runs", SOON, build -> build.path("building").asBoolean());
    }

    /** The permalink's number as a client sees it; 0 for none. */
    static int permalink(JenkinsClient from, String job, String link) {
        Optional<JsonNode> build =
                from.jsonIfPresent(JenkinsClient.jobPath(job) + link + "/api/json?tree=number");
        return build.map(b -> b.path("number").asInt()).orElse(0);
    }

    /** How many builds of the job there are with each value of its parameter. */
    static Map<String, Integer> builtPerParameter(JenkinsClient on, String job) {
        String tree = "/api/json?tree=allBuilds[number,actions[parameters[value]]]";
        Map<String, Integer> count = new TreeMap<>();
        for (JsonNode build : on.json("job/" + job + tree).path("allBuilds")) {
            build.findValuesAsText("value").forEach(value -> count.merge(value, 1, Integer::sum));
        }
        return count;
    }

    /** A measured value, for whoever reads the log of the tests. */
    static void figure(String name, double value, String unit) {
        System.out.printf(Locale.ROOT, "figure: %s %.3f %s%n", name, value, unit);
    }

    @Override
    public void close() {
        stage.close();
    }
}
