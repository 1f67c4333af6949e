package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The figures for a monitoring system. */
class MetricsTest {
    private static final Pattern SAMPLE =
            Pattern.compile("(ha_jenkins_[a-z_]+(?:\\{[^}]*})?) (-?[0-9.E]+|\\+Inf)");
    private static final int BUILDS = 12;

    @Test
    void theSumOverTheControllersIsWhatTheClusterDid() throws IOException {
        try (TwoControllers two = TwoControllers.start("metrics", 2)) {
            JenkinsClient a = two.a();
            JenkinsClient b = two.b();
            two.createJob("many", new FreestyleJob().concurrent().parameter("P").xml());
            two.createJob("fails", new FreestyleJob().shell("exit 1").xml());
            for (int i = 0; i < BUILDS; i++) {
                (i % 2 == 0 ? a : b).trigger("many", Map.of("P", "p" + i));
            }
            long failing = b.trigger("fails");
            a.awaitResult(
                    "fails", a.awaitBuildNumber(failing, TwoControllers.SOON), TwoControllers.SOON);
            long cancelled = a.trigger("many", Map.of("P", "never", "delay", "60sec"));
            a.cancel(cancelled);
            for (JenkinsClient on : List.of(a, b)) {
                String own = on == a ? "a" : "b";
                assertEquals(1.0, of(on).get("ha_jenkins_link{phase=\"joined\"}"), own);
                assertEquals(1.0, of(on).get("ha_jenkins_lease_held"), own);
                assertEquals(1.0, of(on).get("ha_jenkins_records_ready"), own);
            }
            Map<String, Double> expected =
                    Map.of(
                            "ha_jenkins_builds_ended_total{result=\"SUCCESS\"}",
                            1.0 * BUILDS,
                            "ha_jenkins_builds_ended_total{result=\"FAILURE\"}",
                            1.0,
                            "ha_jenkins_builds_started_total",
                            BUILDS + 1.0,
                            "ha_jenkins_items_accepted_total",
                            BUILDS + 2.0,
                            "ha_jenkins_items_cancelled_total",
                            1.0,
                            "ha_jenkins_item_wait_seconds_count",
                            BUILDS + 1.0,
                            "ha_jenkins_reruns_total",
                            0.0,
                            "ha_jenkins_takeovers_total",
                            0.0);
            expected.forEach(
                    (name, value) ->
                            Eventually.until(
                                    name + " is " + value + " in sum",
                                    TwoControllers.SOON,
                                    () -> value == sum(name, a, b)));
            assertEquals(0, promtoolSays(two.folder("metrics.txt"), text(a)));

            // a controller dies: the survivor counts what it took over
            two.createJob("long", new FreestyleJob().shell("sleep 600").xml());
            two.onlyOn("b");
            long id = a.trigger("long");
            TwoControllers.awaitRunning(a, "long", a.awaitBuildNumber(id, TwoControllers.SOON));
            two.controller("b").kill9();
            Eventually.until(
                    "a took it over",
                    TwoControllers.SOON,
                    () -> of(a).get("ha_jenkins_takeovers_total") == 1);
            two.takes("a", false);
        }
    }

    @Test
    void areForWhomThePermissionIsGranted() {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("metrics-permission")) {
            stage.redis().start();
            JenkinsController controller =
                    stage.addJenkins(war, "a")
                            .user("admin")
                            .user(
                                    "monitor",
                                    "hudson.model.Hudson.Read",
                                    "io.jenkins.plugins.ha.watch.MetricsPage.Metrics")
                            .user("reader", "hudson.model.Hudson.Read");
            stage.startControllers();
            assertEquals(200, asked(controller, "admin"));
            assertEquals(200, asked(controller, "monitor"), "known when the settings were read");
            assertEquals(403, asked(controller, "reader"));
            assertEquals(403, controller.client().get("ha/metrics/").statusCode(), "no login");
        }
    }

    private static int asked(JenkinsController controller, String user) {
        return SecuredPair.as(controller, user).get("ha/metrics/").statusCode();
    }

    @Test
    void theExamplesForPrometheusAreWellFormed() throws IOException, InterruptedException {
        assumeTrue(promtool(), "no promtool: apt-get install prometheus");
        Path folder = Checkout.root().resolve("examples/monitoring");
        assertEquals(0, run("promtool", "check", "rules", folder.resolve("alerts.yml").toString()));
        assertEquals(
                0,
                run(
                        "promtool",
                        "check",
                        "config",
                        "--syntax-only",
                        folder.resolve("prometheus.yml").toString()));
    }

    /** What alerts and board ask for is what a controller offers. */
    @Test
    void theExamplesAskForFiguresThatExist() throws IOException {
        try (TwoControllers two = TwoControllers.start("metrics-names", 1)) {
            String offered = text(two.a());
            Path folder = Checkout.root().resolve("examples/monitoring");
            List<String> unknown = new ArrayList<>();
            for (String file : List.of("alerts.yml", "grafana-board.json")) {
                Matcher asked =
                        Pattern.compile("ha_jenkins_[a-z_]+")
                                .matcher(Files.readString(folder.resolve(file)));
                while (asked.find()) {
                    String family = asked.group().replaceAll("_(total|bucket|count|sum|info)$", "");
                    if (!offered.contains("# TYPE " + family + " ")) {
                        unknown.add(file + ": " + asked.group());
                    }
                }
            }
            assertEquals(List.of(), unknown);
        }
    }

    private static String text(JenkinsClient on) {
        HttpResponse<String> answer = on.get("ha/metrics/");
        assertEquals(200, answer.statusCode());
        String type = answer.headers().firstValue("Content-Type").orElse("");
        assertTrue(type.startsWith("application/openmetrics-text"), type);
        assertTrue(answer.body().endsWith("\n# EOF\n"), answer.body());
        return answer.body();
    }

    private static Map<String, Double> of(JenkinsClient on) {
        Map<String, Double> result = new TreeMap<>();
        text(on).lines()
                .filter(line -> !line.startsWith("#"))
                .forEach(
                        line -> {
                            Matcher sample = SAMPLE.matcher(line);
                            assertTrue(sample.matches(), line);
                            assertEquals(
                                    null,
                                    result.put(
                                            sample.group(1), Double.parseDouble(sample.group(2))),
                                    line + " is there twice");
                        });
        return result;
    }

    private static double sum(String name, JenkinsClient... controllers) {
        double result = 0;
        for (JenkinsClient on : controllers) {
            result += of(on).getOrDefault(name, 0.0);
        }
        return result;
    }

    /**
     * 0 where there is no promtool, too: the pattern of a sample is checked by this test itself.
     */
    private static int promtoolSays(Path file, String metrics) throws IOException {
        if (!promtool()) {
            return 0;
        }
        // promtool reads the older text format: without units, an end and infos, and with a
        // counter's suffix in its name
        String older =
                metrics.replaceAll("(?m)^# (UNIT|EOF).*\n", "")
                        .replaceAll("(?m)^# TYPE (\\w+) info$", "# TYPE $1_info gauge")
                        .replaceAll("(?m)^# TYPE (\\w+) counter$", "# TYPE $1_total counter");
        Matcher suffixed = Pattern.compile("# TYPE (\\w+)(_total|_info) ").matcher(older);
        for (String family : suffixed.results().map(found -> found.group(1)).toList()) {
            String suffix = older.contains("# TYPE " + family + "_info ") ? "_info" : "_total";
            older = older.replace("# HELP " + family + " ", "# HELP " + family + suffix + " ");
        }
        Files.writeString(file, older);
        try {
            Process process =
                    new ProcessBuilder("promtool", "check", "metrics")
                            .inheritIO()
                            .redirectInput(file.toFile())
                            .start();
            return process.waitFor(30, TimeUnit.SECONDS) ? process.exitValue() : -1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    private static boolean promtool() {
        return Files.isExecutable(Path.of("/usr/bin/promtool"));
    }

    private static int run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        return process.waitFor(30, TimeUnit.SECONDS) ? process.exitValue() : -1;
    }
}
