package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How an admin tells a controller where it belongs and what it takes. */
class SettingsTest {
    private static final String PASSWORD = "correct horse & battery";
    private static final String TEST_CONNECTION =
            "descriptorByName/io.jenkins.plugins.ha.settings.HaConfiguration/testConnection";

    @Test
    void whatThePageSavesIsKeptEncryptedAndJoinsAtTheNextBoot() throws IOException {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("settings-page")) {
            stage.redis().password(PASSWORD).start();
            JenkinsController controller =
                    SingleController.unconfigured(stage.addJenkins(war, "a"));
            controller.environment("HA_JENKINS_NAME", "");
            JenkinsClient client = SingleController.up(controller);
            SingleController.assertPlain(client);
            assertEquals("", SingleController.warning(client));

            int logged = controller.logText().length();
            String builds = client.text("ha-builds/");
            assertTrue(builds.contains("This Jenkins is in no cluster"), builds);
            assertEquals(503, client.get("ha-builds/api/json").statusCode());
            assertEquals("", controller.logText().substring(logged));

            String address = "redis://127.0.0.1:" + stage.redis().port();
            save(client, "paged", address, PASSWORD, "controller one", 3);
            String overview = client.text("manage/ha/");
            assertTrue(overview.contains("restart it to join"), overview);
            assertTrue(
                    SingleController.warning(client).contains("restart"),
                    SingleController.warning(client));
            SingleController.assertPlain(client);
            String page = client.text("manage/configure");
            for (String value : List.of("paged", address, "controller one")) {
                assertTrue(page.contains(value), value);
            }
            assertFalse(page.contains(PASSWORD));
            assertFalse(page.contains("battery"));
            Path file =
                    controller.home().resolve("io.jenkins.plugins.ha.settings.HaConfiguration.xml");
            String saved = Files.readString(file);
            assertFalse(saved.contains("battery"), saved);
            assertTrue(saved.contains("<redisPassword>{"), saved);

            // What a boot would refuse is refused while the admin is there to mend it.
            String refused =
                    client.post("scriptText", Map.of("script", saving("a b", address, "", "n", 0)))
                            .body();
            assertTrue(refused.contains("The cluster name may have"), refused);
            refused =
                    client.post(
                                    "scriptText",
                                    Map.of("script", saving("c", "127.0.0.1:1", "", "n", 0)))
                            .body();
            assertTrue(refused.contains("The Redis URL must look like"), refused);
            assertEquals(saved, Files.readString(file));

            controller.stop();
            client = SingleController.up(controller);
            assertEquals(
                    "io.jenkins.plugins.ha.queue.HaQueue", SingleController.queueClass(client));
            assertEquals(List.of("controller one"), members(client));
            assertEquals("", SingleController.warning(client));
            assertEquals(
                    "paged|" + address + "|" + PASSWORD + "|controller one|true|3",
                    settings(client));
            // The page sends back what it was given: the password as it stands there, encrypted.
            String encrypted =
                    script(
                                    client,
                                    "print io.jenkins.plugins.ha.settings.HaConfiguration.get()"
                                            + ".redisPassword.encryptedValue")
                            .trim();
            save(client, "paged", address, encrypted, "controller one", 3);
            assertEquals(
                    "paged|" + address + "|" + PASSWORD + "|controller one|true|3",
                    settings(client));
            assertEquals("", SingleController.warning(client));
            save(client, "other", address, encrypted, "controller one", 3);
            assertTrue(SingleController.warning(client).contains("restart"));
            assertFalse(controller.logText().contains("battery"));
        }
    }

    @Test
    void environmentWinsOverThePageAndPropertiesOverTheEnvironment() throws IOException {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("settings-order")) {
            stage.redis().start();
            JenkinsController controller = stage.addJenkins(war, "a");
            controller.property("io.jenkins.plugins.ha.name", "by-property");
            controller.environment("HA_JENKINS_NAME", "by-environment");
            Files.createDirectories(controller.home());
            Files.writeString(
                    controller.home().resolve("io.jenkins.plugins.ha.settings.HaConfiguration.xml"),
                    "<io.jenkins.plugins.ha.settings.HaConfiguration><cluster>by-page</cluster>"
                            + "<redisUrl>redis://127.0.0.1:1</redisUrl><name>by-page</name>"
                            + "<capacity>7</capacity>"
                            + "</io.jenkins.plugins.ha.settings.HaConfiguration>");
            JenkinsClient client = SingleController.up(controller);
            stage.awaitMembers(1, TwoControllers.SOON);
            assertEquals(List.of("by-property"), members(client));
            assertEquals("", SingleController.warning(client));
            String page = client.text("manage/configure");
            assertTrue(page.contains("They win over what is entered here"));
            assertTrue(settings(client).endsWith("|true|7"), settings(client));
        }
    }

    @Test
    void testConnectionAnswersWhatIsWrongToWhoMayAsk() {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("settings-test")) {
            stage.redis().password(PASSWORD).start();
            JenkinsController controller =
                    SingleController.unconfigured(stage.addJenkins(war, "a"))
                            .user("admin")
                            .user("bob", "hudson.model.Hudson.Read");
            SingleController.up(controller);
            JenkinsClient admin = controller.client().as("admin", JenkinsController.token("admin"));
            String address = "redis://127.0.0.1:" + stage.redis().port();
            long before = System.nanoTime();
            String answer = test(admin, "c", address, PASSWORD);
            figure("settings.test_connection", (System.nanoTime() - before) / 1e9, "s");
            assertTrue(
                    answer.contains("class=\"ok\"") && answer.matches("(?s).*Redis.*\\d+\\.\\d+.*"),
                    answer);
            answer = test(admin, "c", address, "wrong");
            assertTrue(
                    answer.contains("class=\"error\"") && answer.contains("refused the password"),
                    answer);
            answer = test(admin, "c", address, "");
            assertTrue(
                    answer.contains("class=\"error\"") && answer.contains("wants a password"),
                    answer);
            answer = test(admin, "c", "redis://127.0.0.1:" + FreePort.next(), "");
            assertTrue(
                    answer.contains("class=\"error\"") && answer.contains("connection refused"),
                    answer);
            answer = test(admin, "c", "nonsense", "");
            assertTrue(answer.contains("class=\"error\""), answer);
            answer = test(admin, "", "", "");
            assertTrue(answer.contains("class=\"warning\""), answer);
            // It joined nothing.
            assertEquals(0L, stage.redis().call("EXISTS", "{haj:c}:members"));

            JenkinsClient bob = controller.client().as("bob", JenkinsController.token("bob"));
            assertEquals(403, bob.post(TEST_CONNECTION, Map.of("cluster", "c")).statusCode());
            assertEquals(
                    404,
                    admin.get(TEST_CONNECTION + "?cluster=c&redisUrl=" + address).statusCode());
            assertFalse(controller.logText().contains("battery"));
        }
    }

    @Test
    void configurationAsCodeIsAppliedExportedAndJoinsAtTheNextBoot() throws IOException {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        assumeTrue(
                war.plugins()
                        .map(p -> Files.exists(p.resolve("configuration-as-code.jpi")))
                        .orElse(false),
                "no configuration-as-code.jpi beside the war");
        try (Stage stage = Stage.open("settings-casc")) {
            stage.redis().password(PASSWORD).start();
            Path yaml = stage.root().resolve("jenkins.yaml");
            Files.writeString(
                    yaml,
                    """
                    unclassified:
                      haCluster:
                        cluster: "casc"
                        redisUrl: "redis://127.0.0.1:%d"
                        redisPassword: "%s"
                        name: "as code"
                        takesBuilds: false
                        capacity: 5
                    """
                            .formatted(stage.redis().port(), PASSWORD));
            JenkinsController controller =
                    SingleController.unconfigured(stage.addJenkins(war, "a"))
                            .plugins("configuration-as-code")
                            .environment("HA_JENKINS_NAME", "")
                            .environment("CASC_JENKINS_CONFIG", yaml.toString());
            JenkinsClient client = SingleController.up(controller);
            SingleController.assertPlain(client);
            String warning = SingleController.warning(client);
            assertTrue(warning.contains("not in the cluster yet: restart it"), warning);
            assertTrue(client.text("manage/").contains(warning.substring(0, 30)));

            controller.stop();
            client = SingleController.up(controller);
            assertEquals(
                    "io.jenkins.plugins.ha.queue.HaQueue", SingleController.queueClass(client));
            assertEquals(List.of("as code"), members(client));
            assertEquals("", SingleController.warning(client));
            assertTrue(settings(client).endsWith("|" + PASSWORD + "|as code|false|5"));
            String export = client.post("manage/configuration-as-code/export", Map.of()).body();
            assertTrue(export.contains("haCluster:"), export);
            assertTrue(export.contains("cluster: \"casc\""), export);
            assertTrue(export.contains("takesBuilds: false"), export);
            assertTrue(export.contains("capacity: 5"), export);
            assertTrue(export.contains("redisPassword: \"{"), export);
            assertFalse(export.contains("battery"), export);
        }
    }

    @Test
    void aControllerStartsWithTheExampleOfConfigurationAsCode() throws IOException {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        assumeTrue(
                war.plugins()
                        .map(p -> Files.exists(p.resolve("configuration-as-code.jpi")))
                        .orElse(false),
                "no configuration-as-code.jpi beside the war");
        try (Stage stage = Stage.open("settings-example")) {
            stage.redis().start();
            Path yaml = stage.root().resolve("jenkins.yaml");
            String example =
                    Files.readString(Checkout.root().resolve("examples/jcasc/jenkins.yaml"));
            Files.writeString(
                    yaml,
                    example.replace(
                            "redis://redis:6379", "redis://127.0.0.1:" + stage.redis().port()));
            JenkinsController controller =
                    SingleController.unconfigured(stage.addJenkins(war, "a"))
                            .plugins("configuration-as-code")
                            .environment("CASC_JENKINS_CONFIG", yaml.toString());
            SingleController.up(controller);
            controller.stop();
            JenkinsClient client = SingleController.up(controller);
            assertEquals(
                    "io.jenkins.plugins.ha.queue.HaQueue", SingleController.queueClass(client));
            assertEquals(
                    "main 2 http://jenkins.example.com/",
                    TwoControllers.script(
                            client,
                            """
                            print(io.jenkins.plugins.ha.settings.HaConfiguration.get().cluster
                              + ' ' + Jenkins.get().numExecutors + ' ' + Jenkins.get().rootUrl)
                            """));
        }
    }

    @Test
    void takesBuildsAndCapacityAreRespectedAtOnce() {
        try (TwoControllers two = TwoControllers.start("settings-capacity", 4)) {
            JenkinsClient a = two.a();
            JenkinsClient b = two.b();
            two.createJob(
                    "slow",
                    new FreestyleJob()
                            .concurrent()
                            .parameter("P")
                            .parameter("S")
                            .shell("sleep $S")
                            .xml());
            two.onlyOn("a");
            set(a, "capacity = 2");
            List<Long> ids = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                ids.add((i % 2 == 0 ? a : b).trigger("slow", Map.of("P", "p" + i, "S", "2")));
            }
            int most = 0;
            while (builds(a).size() < 8 || running(a) > 0) {
                most = Math.max(most, running(a));
                assertTrue(most <= 2, most + " at once");
            }
            assertEquals(2, most);
            for (long id : ids) {
                int number = b.awaitBuildNumber(id, TwoControllers.SOON);
                assertEquals("SUCCESS", b.awaitResult("slow", number, TwoControllers.SOON));
                assertEquals(
                        "a", JenkinsClient.controllerOf(b.build("slow", number).orElseThrow()));
            }

            // Nobody takes builds; then one does, at once.
            set(a, "takesBuilds = false");
            List<Long> waiting = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                waiting.add(b.trigger("slow", Map.of("P", "w" + i, "S", "30")));
            }
            Eventually.until(
                    "a shows them", TwoControllers.SOON, () -> a.queue().path("items").size() == 4);
            sleep(3000);
            assertEquals(8, builds(a).size());
            save(a, null, null, null, null, 0);
            long before = System.nanoTime();
            for (long id : waiting) {
                assertTrue(a.awaitBuildNumber(id, TwoControllers.SOON) > 8);
            }
            figure("settings.takes_builds_applies", (System.nanoTime() - before) / 1e9, "s");
            Eventually.until("all four at once", TwoControllers.SOON, () -> running(a) == 4);
        }
    }

    private static void set(JenkinsClient on, String assignment) {
        script(on, "io.jenkins.plugins.ha.settings.HaConfiguration.get()." + assignment);
    }

    private static List<JsonNode> builds(JenkinsClient on) {
        List<JsonNode> builds = new ArrayList<>();
        on.json("job/slow/api/json?tree=builds[number,building]")
                .path("builds")
                .forEach(builds::add);
        return builds;
    }

    private static int running(JenkinsClient on) {
        return (int) builds(on).stream().filter(b -> b.path("building").asBoolean()).count();
    }

    /** As the page saves: the form's JSON through Jenkins' own binding. */
    private static void save(
            JenkinsClient on,
            String cluster,
            String redisUrl,
            String password,
            String name,
            int capacity) {
        script(on, saving(cluster, redisUrl, password, name, capacity));
    }

    private static String saving(
            String cluster, String redisUrl, String password, String name, int capacity) {
        StringBuilder script = new StringBuilder("def json = new net.sf.json.JSONObject()\n");
        put(script, "cluster", cluster);
        put(script, "redisUrl", redisUrl);
        put(script, "redisPassword", password);
        put(script, "name", name);
        return script.append("json.put('takesBuilds', true)\njson.put('capacity', '")
                .append(capacity)
                .append("')\nio.jenkins.plugins.ha.settings.HaConfiguration.get().configure(")
                .append("org.kohsuke.stapler.Stapler.getCurrentRequest2(), json)\n")
                .toString();
    }

    private static void put(StringBuilder script, String key, String value) {
        if (value != null) {
            script.append("json.put('").append(key).append("', '").append(value).append("')\n");
        }
    }

    private static String settings(JenkinsClient on) {
        return script(
                        on,
                        "def s = io.jenkins.plugins.ha.settings.HaConfiguration.get()\n"
                            + "print([s.cluster, s.redisUrl, s.redisPassword?.plainText, s.name,"
                            + " s.takesBuilds, s.capacity].join('|'))")
                .trim();
    }

    private static List<String> members(JenkinsClient on) {
        return script(
                        on,
                        "print io.jenkins.plugins.ha.Membership.active().get().cluster()"
                                + ".members().collect { it.name() }.join('\\n')")
                .lines()
                .toList();
    }

    private static String test(JenkinsClient on, String cluster, String url, String password) {
        return on.post(
                        TEST_CONNECTION,
                        Map.of("cluster", cluster, "redisUrl", url, "redisPassword", password))
                .body();
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
