package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
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
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What an admin can get wrong when a second controller is put beside a first one is refused, or
 * told, in words that say what to do; what is right joins without a complaint. Controller a is
 * right throughout; b and c come again and again, each time with something else wrong.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TopologyTest {
    /** A password as the page stores it, encrypted with secrets that nobody has. */
    private static final String FOREIGN =
            "{AQAAABAAAAAQ" + "mJ2Zs1vVbq0Yx7pT4kqk8dC0l3nUeWm5a6Rr9oHhGgE=" + "}";

    private JenkinsWar war;
    private Path plugin;
    private Stage stage;
    private JenkinsController a;
    private JenkinsController b;
    private JenkinsClient onA;
    private JenkinsClient onB;

    @BeforeAll
    void start() {
        war = SingleController.war();
        plugin = SingleController.plugin();
        stage = Stage.open("topology");
        stage.redis().start();
        a = stage.addJenkins(war, "a").user("admin");
        b = stage.addJenkins(war, "b").user("admin");
        onA = admin(a);
        onB = admin(b);
        stage.startControllers();
        stage.awaitMembers(2, TwoControllers.SOON);
    }

    @AfterAll
    void stop() {
        if (stage != null) {
            stage.close();
        }
    }

    @Test
    @Order(1)
    void whatIsRightJoinsWithoutAComplaint() throws IOException {
        for (JenkinsClient on : List.of(onA, onB)) {
            assertEquals(List.of(), differences(on));
            assertEquals("", SingleController.warning(on));
            assertEquals("", told(on));
            assertEquals(0, on.json("ha/api/json").path("gone").size());
        }
        String mark = Files.readString(stage.shared().jobs().resolve(".ha-jenkins/cluster"));
        assertTrue(mark.contains("cluster=topology"), mark);
        String page = onA.text("manage/ha/");
        assertTrue(page.contains("Differs"), page);
        HttpResponse<String> unknown = onA.post("ha/forget?controller=nobody", Map.of());
        assertEquals(404, unknown.statusCode(), unknown.body());
        HttpResponse<String> lives = onA.post("ha/forget?controller=" + id("b"), Map.of());
        assertEquals(409, lives.statusCode(), lives.body());
    }

    @Test
    @Order(2)
    void anotherSecurityOrAnOpenOneIsToldOnBothControllers() {
        String[] strategies = {
            "new FullControlOnceLoggedInAuthorizationStrategy()",
            "new AuthorizationStrategy.Unsecured()"
        };
        String[] words = {"the authorization: ", "lets anybody administer it"};
        // Else it would be the cluster's a moment later.
        String settings = "io.jenkins.plugins.ha.settings.HaConfiguration.get()";
        TwoControllers.script(onB, settings + ".notCarried = 'config.xml'");
        for (int i = 0; i < 2; i++) {
            TwoControllers.script(
                    onB,
                    "import hudson.security.*\njenkins.model.Jenkins.get().authorizationStrategy = "
                            + strategies[i]);
            String word = words[i];
            for (JenkinsClient on : List.of(onA, onB)) {
                Eventually.until(
                        on.url() + " tells: " + word,
                        TwoControllers.SOON,
                        () -> {
                            look(onB);
                            look(on);
                            return told(on).contains(word);
                        });
                assertTrue(
                        told(on).matches("(?s).*\\(since \\d{4}-\\d\\d-\\d\\d .* UTC\\).*"),
                        told(on));
            }
        }
        TwoControllers.script(
                onB,
                "import hudson.security.*\n"
                        + "def s = new FullControlOnceLoggedInAuthorizationStrategy()\n"
                        + "s.allowAnonymousRead = false\n"
                        + "jenkins.model.Jenkins.get().authorizationStrategy = s");
        TwoControllers.script(onB, settings + ".notCarried = ''");
    }

    @Test
    @Order(3)
    void settingsOfRedisThatLoseBuildsAreToldWhileItRuns() {
        assertTrue(test(onA, "topology", "").contains("class=\"ok\""));
        stage.redis().call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
        stage.redis().call("CONFIG", "SET", "appendonly", "no");
        try {
            for (String word : List.of("maxmemory-policy allkeys-lru", "appendonly yes")) {
                Eventually.until(
                        "the admin is told of " + word,
                        TwoControllers.SOON,
                        () -> SingleController.warning(onA).contains(word));
            }
            String tested = test(onA, "topology", "");
            assertTrue(tested.contains("class=\"warning\""), tested);
            assertTrue(tested.contains("append-only"), tested);
        } finally {
            stage.redis().call("CONFIG", "SET", "maxmemory-policy", "noeviction");
            stage.redis().call("CONFIG", "SET", "appendonly", "yes");
        }
        Eventually.until(
                "the admin is told no more",
                TwoControllers.SOON,
                () -> SingleController.warning(onA).isEmpty());
    }

    @Test
    @Order(4)
    void testConnectionTellsOfAnotherClustersFolderAndOfAPasswordOfOtherSecrets() {
        String typo = test(onA, "topolgy", "");
        for (String word :
                List.of("class=\"error\"", "topology", "topolgy", "the system property")) {
            assertTrue(typo.contains(word), typo);
        }
        String password = test(onA, "topology", FOREIGN);
        assertTrue(password.contains("class=\"error\""), password);
        assertTrue(password.contains("other secrets than this one"), password);
        assertFalse(password.contains("refused the password"), password);
    }

    @Test
    @Order(5)
    void otherVersionsAndPluginsAreToldAndTwoOfOneNameAreToldApart() {
        b.stop();
        b.haPlugin(
                Optional.of(
                        PluginVariant.ofVersion(
                                "0.0.7", plugin, stage.root().resolve("variant.hpi"))));
        b.plugins("structs").environment("HA_JENKINS_NAME", "a");
        SingleController.up(b);
        stage.awaitMembers(2, TwoControllers.SOON);
        Eventually.until(
                "a tells", TwoControllers.SOON, () -> told(onA).contains("Two controllers"));
        String told = told(onA);
        for (String word :
                List.of(
                        "plugin structs is missing here",
                        "plugin ha-jenkins: ",
                        "0.0.7 there",
                        "Two controllers are called a",
                        a.home().toString(),
                        b.home().toString())) {
            assertTrue(told.contains(word), word + " is not in " + told);
        }
        assertTrue(told(onB).contains("plugin structs is missing there"), told(onB));
        assertTrue(onA.text("manage/ha/").contains("plugin structs is missing here"));

        List<String> ids = new ArrayList<>();
        for (JsonNode one : onA.json("ha/api/json").path("controllers")) {
            ids.add(one.path("id").asText());
        }
        assertEquals(2, ids.size());
        for (JenkinsClient on : List.of(onA, onB)) {
            HttpResponse<String> answer = on.post("ha/drain?controller=a", Map.of());
            assertEquals(409, answer.statusCode(), answer.body());
            ids.forEach(id -> assertTrue(answer.body().contains(id), answer.body()));
            assertEquals(200, on.get("ha-health/").statusCode());
        }
        for (String id : ids) {
            assertEquals(200, onA.post("ha/drain?controller=" + id, Map.of()).statusCode());
            assertEquals(200, onA.post("ha/undrain?controller=" + id, Map.of()).statusCode());
        }
        b.haPlugin(Optional.of(plugin)).environment("HA_JENKINS_NAME", "b");
    }

    @Test
    @Order(6)
    void aJobsFolderThatIsNotSharedIsRefusedAlsoWhenItIsACopy() throws IOException {
        b.stop();
        Path jobs = b.home().resolve("jobs");
        Path local = Files.createDirectories(stage.root().resolve("local-jobs"));
        Files.delete(jobs);
        Files.createSymbolicLink(jobs, local);
        SingleController.up(b);
        awaitWarning(onB, "is not the one of the cluster 'topology'");
        assertTrue(SingleController.warning(onB).contains(local.toString()));
        assertTrue(SingleController.warning(onB).contains("restart this controller"));
        assertEquals(503, onB.get("ha-health/").statusCode(), "nobody is to be sent to it");
        // The cluster's records are not about this folder.
        assertEquals("false", records(onB));
        b.kill9();
        Path mark = Path.of(".ha-jenkins/cluster");
        Files.createDirectories(local.resolve(".ha-jenkins"));
        Files.copy(stage.shared().jobs().resolve(mark), local.resolve(mark));
        SingleController.up(b);
        awaitWarning(onB, "does not find there what this controller has just written");
        assertEquals(1L, stage.redis().call("ZCARD", "{haj:topology}:members"));
        b.kill9();
        Files.delete(jobs);
        Files.createSymbolicLink(jobs, stage.shared().jobs());
        SingleController.up(b);
        stage.awaitMembers(2, TwoControllers.SOON);
        assertEquals("true", records(onB));
    }

    @Test
    @Order(6)
    void whoHasTheSecretsOfAJenkinsThatWasInNoClusterJoins() throws IOException {
        b.stop();
        Path secrets = b.home().resolve("secrets");
        Files.delete(secrets);
        Files.createDirectories(secrets);
        for (String file : List.of("master.key", "hudson.util.Secret")) {
            Path from = stage.shared().secrets().resolve(file);
            if (Files.exists(from)) {
                Files.copy(from, secrets.resolve(file));
            }
        }
        try {
            SingleController.up(b);
            stage.awaitMembers(2, TwoControllers.SOON);
            assertEquals(200, onB.get("ha-health/").statusCode());
        } finally {
            b.kill9();
            try (Stream<Path> own = Files.list(secrets)) {
                for (Path file : own.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(secrets);
        }
        // With the others' again.
        SingleController.up(b);
        stage.awaitMembers(2, TwoControllers.SOON);
    }

    @Test
    @Order(7)
    void aControllerThatDiedIsShownUntilItIsForgotten() {
        if (!b.alive()) {
            SingleController.up(b);
        }
        stage.awaitMembers(2, TwoControllers.SOON);
        onA.createJob("long", new FreestyleJob().shell("sleep 3").xml());
        Eventually.until("b has the job", TwoControllers.SOON, () -> onB.hasJob("long"));
        takes(onA, false);
        long item = onA.trigger("long");
        int number = onA.awaitBuildNumber(item, TwoControllers.SOON);
        onA.awaitBuild("long", number, "runs", TwoControllers.SOON, TopologyTest::building);
        String id = id("b");
        takes(onA, true);
        b.kill9();
        Eventually.until(
                "a shows that b is gone, and that its build runs again",
                TwoControllers.SOON,
                () -> {
                    JsonNode gone = onA.json("ha/api/json").path("gone");
                    return gone.size() == 1
                            && gone.get(0).path("id").asText().equals(id)
                            && gone.get(0).path("reran").asInt() == 1;
                });
        assertTrue(onA.text("manage/ha/").contains("of its builds run again"));
        assertTrue(onA.text("manage/").contains("1 build of it run"), told(onA));
        HttpResponse<String> get = onA.get("ha/forget?controller=" + id);
        assertEquals(405, get.statusCode());
        assertEquals(200, onA.post("ha/forget?controller=" + id, Map.of()).statusCode());
        assertEquals(0, onA.json("ha/api/json").path("gone").size());
        assertFalse(onA.text("manage/").contains("HA controllers:"));
        assertEquals(404, onA.post("ha/forget?controller=" + id, Map.of()).statusCode());
    }

    @Test
    @Order(8)
    void aCopiedIdIsRefusedAndItsHolderGoesOn() throws IOException {
        b.kill9();
        Path copy = b.home().resolve("ha-jenkins/controller-id");
        Files.copy(
                a.home().resolve("ha-jenkins/controller-id"),
                copy,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        int epoch = epoch(onA);
        SingleController.up(b);
        awaitWarning(onB, "has the same id as this one");
        String warning = SingleController.warning(onB);
        for (String word :
                List.of(copy.toString(), ":" + a.home(), ":" + b.home(), "The other one goes on")) {
            assertTrue(warning.contains(word), word + " is not in " + warning);
        }
        assertEquals("", SingleController.warning(onA));
        assertEquals(epoch, epoch(onA));
        b.kill9();
        Files.delete(copy);
    }

    @Test
    @Order(9)
    void aTypoInTheClustersNameIsRefusedWithBothNamesAndWhereItWasSet() {
        JenkinsController c = stage.addJenkins(war, "c").user("admin");
        c.cluster("topolgy", stage.redis().url());
        SingleController.up(c);
        awaitWarning(admin(c), "'topolgy'");
        String warning = SingleController.warning(admin(c));
        for (String word :
                List.of(
                        "'topology'",
                        "the environment variable HA_JENKINS_CLUSTER",
                        ".ha-jenkins/cluster")) {
            assertTrue(warning.contains(word), word + " is not in " + warning);
        }
        assertEquals(0L, stage.redis().call("EXISTS", "{haj:topolgy}:members"));
        c.kill9();
    }

    @Test
    @Order(10)
    void oneWithoutSecurityIsNotLetInWhereOthersHaveIt() {
        JenkinsController open = stage.addJenkins(war, "open");
        String page = text(SingleController.failedBoot(open));
        for (String word :
                List.of(
                        "does not let this controller into the cluster",
                        "a (",
                        ":" + a.home(),
                        "Copy config.xml and the folder users/")) {
            assertTrue(page.contains(word), word + " is not in " + page);
        }
        Eventually.until(
                "it is no member",
                TwoControllers.SOON,
                () -> stage.redis().call("ZCARD", "{haj:topology}:members").equals(1L));
        open.kill9();
        // Whoever left, or was refused, is not held dead.
        assertEquals(0, onA.json("ha/api/json").path("gone").size());
    }

    @Test
    @Order(11)
    void aPasswordOfOtherSecretsIsToldForWhatItIsAndNotForAWrongOne() throws IOException {
        JenkinsController c = stage.addJenkins(war, "secret").user("admin");
        Files.createDirectories(c.home());
        Path file = c.home().resolve("io.jenkins.plugins.ha.settings.HaConfiguration.xml");
        Files.writeString(
                file,
                "<io.jenkins.plugins.ha.settings.HaConfiguration><redisPassword>"
                        + FOREIGN
                        + "</redisPassword></io.jenkins.plugins.ha.settings.HaConfiguration>");
        String page = text(SingleController.failedBoot(c));
        for (String word :
                List.of(
                        "The password of Redis in " + file + " cannot be decrypted",
                        "copy its folder secrets/",
                        "HA_JENKINS_REDIS_PASSWORD")) {
            assertTrue(page.contains(word), word + " is not in " + page);
        }
        c.kill9();
    }

    private static JenkinsClient admin(JenkinsController controller) {
        return controller.client().as("admin", JenkinsController.token("admin"));
    }

    private static boolean building(JsonNode build) {
        return build.path("building").asBoolean();
    }

    private static String text(String page) {
        return page.replace("&#39;", "'").replace("&#039;", "'");
    }

    private static void takes(JenkinsClient on, boolean takes) {
        TwoControllers.script(
                on, "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = " + takes);
    }

    private static String records(JenkinsClient on) {
        return TwoControllers.script(
                        on, "print io.jenkins.plugins.ha.records.BuildRecords.active().isPresent()")
                .trim();
    }

    private static void look(JenkinsClient on) {
        TwoControllers.script(
                on,
                "def t = io.jenkins.plugins.ha.Membership.active().get().topology()\n"
                        + "t.poke()");
    }

    private static int epoch(JenkinsClient on) {
        return on.json("ha/api/json").path("controllers").get(0).path("epoch").asInt();
    }

    private String id(String name) {
        for (JsonNode one : onA.json("ha/api/json").path("controllers")) {
            if (one.path("name").asText().equals(name)) {
                return one.path("id").asText();
            }
        }
        throw new AssertionError("no controller " + name);
    }

    private static List<String> differences(JenkinsClient on) {
        List<String> all = new ArrayList<>();
        for (JsonNode one : on.json("ha/api/json").path("controllers")) {
            one.path("differences").forEach(difference -> all.add(difference.asText()));
        }
        return all;
    }

    /** What the admin is told of the controllers. */
    private static String told(JenkinsClient on) {
        return TwoControllers.script(
                        on,
                        "def m = hudson.ExtensionList.lookupSingleton("
                                + "io.jenkins.plugins.ha.health.TopologyMonitor)\n"
                                + "print((m.problems + m.gone.collect { it.text }).join('\\n'))")
                .trim();
    }

    private static void awaitWarning(JenkinsClient on, String word) {
        Eventually.until(
                on.url() + " warns: " + word,
                TwoControllers.SOON,
                () -> SingleController.warning(on).contains(word));
    }

    /**
     * What <i>Test connection</i> answers for this cluster; the property wins over the environment.
     */
    private static String test(JenkinsClient on, String cluster, String password) {
        return TwoControllers.script(
                on,
                "System.setProperty('io.jenkins.plugins.ha.cluster', '"
                        + cluster
                        + "')\n"
                        + "try {\n"
                        + "  print io.jenkins.plugins.ha.settings.HaConfiguration.get()"
                        + ".doTestConnection('', '', '"
                        + password
                        + "').renderHtml()\n"
                        + "} finally { System.clearProperty('io.jenkins.plugins.ha.cluster') }");
    }
}
