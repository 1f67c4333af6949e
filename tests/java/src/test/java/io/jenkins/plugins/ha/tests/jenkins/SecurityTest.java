package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.RedisServer;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A cluster whose controllers have the least rights in Redis: what builds, visitors without a login
 * and a full Redis can see and do.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SecurityTest {
    private static final String PASSWORD = "correct-horse-battery";
    private static final String RIGHTS = "~{haj:<cluster>}:*";
    private static final int ANONYMOUS_IDS = 1000;

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "security",
                        2,
                        (stage, added) -> {
                            giveLeastRights(stage);
                            added.cluster(
                                    stage.cluster(),
                                    "redis://jenkins@127.0.0.1:" + stage.redis().port());
                            if (added.name().equals("a")) {
                                added.environment("HA_JENKINS_REDIS_PASSWORD", PASSWORD);
                            } else {
                                added.environment(
                                        "HA_JENKINS_REDIS_PASSWORD_FILE",
                                        passwordFile(stage, added).toString());
                            }
                            added.environment("HA_JENKINS_DATABASE_PASSWORD", "of-the-database");
                        });
        two.createJob("env", new FreestyleJob().shell("env; echo the end").xml());
        two.createJob("hooked", new FreestyleJob().concurrent().parameter("P").shell("true").xml());
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void buildsOnTheBuiltInNodeDoNotFindThePasswordsInTheirEnvironment() {
        for (String name : List.of("a", "b")) {
            two.onlyOn(name);
            int number = two.a().awaitBuildNumber(two.a().trigger("env"), SOON);
            assertEquals("SUCCESS", two.a().awaitResult("env", number, SOON));
            String log = two.a().console("env", number);
            assertTrue(log.contains("HA_JENKINS_CLUSTER=") && log.contains("the end"), log);
            assertFalse(log.contains(PASSWORD), log);
            assertFalse(log.contains("of-the-database"), log);
            assertFalse(log.contains("HA_JENKINS_REDIS_URL"), log);
        }
        two.onBoth();
    }

    @Test
    void theClusterRunsWithTheRightsThatTheManualGivesIt() {
        RedisServer redis = two.stage().redis();
        int number = two.b().awaitBuildNumber(two.a().trigger("env"), SOON);
        assertEquals("SUCCESS", two.b().awaitResult("env", number, SOON));
        two.b().deleteBuild("env", number);
        Eventually.until("a, too", SOON, () -> two.a().build("env", number).isEmpty());
        assertEquals(List.of(), redis.call("ACL", "LOG"), "what Redis forbade the controllers");
        for (String name : List.of("a", "b")) {
            assertFalse(two.controller(name).logText().contains(PASSWORD));
        }
    }

    @Test
    void visitorsWithoutALoginFillRedisOnlySoFar() {
        String prefix = "{haj:security}:turn:delivery:";
        long before = keys(prefix).size();
        for (int i = 0; i < ANONYMOUS_IDS + 100; i++) {
            var answer =
                    two.a()
                            .post(
                                    "api/json",
                                    "application/json",
                                    "{}",
                                    Map.of("X-GitHub-Delivery", UUID.randomUUID().toString()));
            assertEquals(200, answer.statusCode(), answer.body());
        }
        Eventually.until(
                "what was under way has ended", SOON, () -> keys(prefix).size() > before + 900);
        assertTrue(
                keys(prefix).size() <= before + ANONYMOUS_IDS, keys(prefix).size() + " ids kept");
        long longest =
                keys(prefix).stream()
                        .filter(key -> key.indexOf(':', prefix.length()) < 0)
                        .mapToLong(key -> (Long) two.stage().redis().call("PTTL", key))
                        .filter(millis -> millis <= 60_000)
                        .max()
                        .orElse(-1);
        assertTrue(longest > 0 && longest <= 30_000, longest + " ms");
        // What triggers a build is still dealt with once.
        assertTrue(accepted("after"));
    }

    /** A delivery to both makes one build. */
    private boolean accepted(String value) {
        Map<String, String> id = Map.of("X-GitHub-Delivery", UUID.randomUUID().toString());
        String form = "P=" + value;
        String type = "application/x-www-form-urlencoded";
        String path = "job/hooked/buildWithParameters";
        return two.a().post(path, type, form, id).statusCode() == 201
                && two.b().post(path, type, form, id).statusCode() == 200;
    }

    private List<String> keys(String prefix) {
        List<String> keys = new ArrayList<>();
        for (Object key : (List<?>) two.stage().redis().call("KEYS", prefix + "*")) {
            keys.add(key.toString());
        }
        return keys;
    }

    @Test
    void aBodyThatNeverComesKeepsNobodyElseWaiting() throws IOException {
        String id = UUID.randomUUID().toString();
        URI a = two.a().url();
        script(two.a(), "Jenkins.get().setCrumbIssuer(null)");
        try (Socket silent = new Socket(a.getHost(), a.getPort())) {
            silent.getOutputStream()
                    .write(
                            ("POST /api/json HTTP/1.1\r\nHost: x\r\nX-GitHub-Delivery: "
                                            + id
                                            + "\r\nContent-Type: application/json\r\n"
                                            + "Content-Length: 100\r\n\r\n{")
                                    .getBytes(StandardCharsets.UTF_8));
            silent.getOutputStream().flush();
            Eventually.until(
                    "a waits for the rest of it",
                    SOON,
                    () ->
                            script(
                                            two.a(),
                                            "print Thread.allStackTraces.values().any { it.any {"
                                                    + " it.className.endsWith('ArrivedRequest') }"
                                                    + " }")
                                    .contains("true"));
            long before = System.nanoTime();
            var answer =
                    two.a()
                            .post(
                                    "api/json",
                                    "application/json",
                                    "{}",
                                    Map.of("X-GitHub-Delivery", id));
            assertEquals(200, answer.statusCode(), answer.body());
            long millis = (System.nanoTime() - before) / 1_000_000;
            assertTrue(millis < 5000, "waited " + millis + " ms");
        } finally {
            script(
                    two.a(),
                    "Jenkins.get().setCrumbIssuer(new"
                            + " hudson.security.csrf.DefaultCrumbIssuer(false))");
        }
    }

    @Test
    void aPasswordInsideAUrlIsKeptAsAPasswordAndShownNowhere() throws IOException {
        String said =
                script(
                        two.a(),
                        """
                        def c = io.jenkins.plugins.ha.settings.HaConfiguration.get()
                        c.redisUrl = 'rediss+sentinel://me:p%40ss+w@one:1,two:2/3?master=m'
                        c.databaseUrl = 'postgresql://you@db/ha?sslmode=require&password=s3cret'
                        println c.redisUrl + ' ' + c.redisPassword.plainText
                        println c.databaseUrl + ' ' + c.databasePassword.plainText
                        c.redisUrl = 'redis://:only@one'
                        println c.redisUrl + ' ' + c.redisPassword.plainText
                        """);
        assertEquals(
                List.of(
                        "rediss+sentinel://me@one:1,two:2/3?master=m p@ss+w",
                        "postgresql://you@db/ha?sslmode=require s3cret",
                        "redis://one only"),
                said.lines().toList());
        String page = two.a().text("manage/configure");
        String file =
                Files.readString(
                        two.stage()
                                .root()
                                .resolve("a/io.jenkins.plugins.ha.settings.HaConfiguration.xml"));
        for (String shown : List.of(page, file)) {
            assertTrue(shown.contains("postgresql://you@db/ha"), shown);
            assertFalse(shown.contains("s3cret"), shown);
            assertFalse(shown.contains(":only"), shown);
        }
        String refused =
                script(
                        two.a(),
                        """
                        def c = io.jenkins.plugins.ha.settings.HaConfiguration.get()
                        c.redisUrl = ''; c.redisPassword = null
                        c.databaseUrl = ''; c.databasePassword = null
                        try { c.name = 'a\\nb' } catch (IllegalArgumentException e) { println e.message }
                        println c.name
                        """);
        assertTrue(refused.contains("one line"), refused);
    }

    @Test
    void anAdminIsToldOfAnOutageAsItIs() {
        RedisServer redis = two.stage().redis();
        redis.stop();
        try {
            Eventually.until(
                    "a knows",
                    SOON,
                    () ->
                            two.a()
                                    .json("manage/ha/api/json")
                                    .path("controllers")
                                    .path(0)
                                    .path("state")
                                    .asText()
                                    .startsWith("cut off"));
            two.a().trigger("hooked", Map.of("P", "kept"));
            JsonNode overview = two.a().json("manage/ha/api/json");
            assertEquals(1, overview.path("waiting").asInt(), overview.toString());
            assertFalse(overview.path("problem").asText().isEmpty());
        } finally {
            redis.start();
            giveLeastRights(two.stage());
            two.stage().awaitMembers(2, SOON);
        }
    }

    @Test
    void theCommandLineClientOverABalancerSaysWhatToDoInstead() throws Exception {
        script(two.a(), "jenkins.util.FullDuplexHttpService.CONNECTION_TIMEOUT = 2000");
        script(two.b(), "jenkins.util.FullDuplexHttpService.CONNECTION_TIMEOUT = 2000");
        Path jar = two.folder("jenkins-cli.jar");
        try (var in = URI.create(two.a().url() + "jnlpJars/jenkins-cli.jar").toURL().openStream()) {
            Files.copy(in, jar);
        }
        try (Turns turns = new Turns(List.of(two.controller("a"), two.controller("b")))) {
            Process client =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-jar",
                                    jar.toString(),
                                    "-http",
                                    "-s",
                                    "http://127.0.0.1:" + turns.port() + "/",
                                    "version")
                            .redirectErrorStream(true)
                            .start();
            String said =
                    new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(said.contains("-webSocket"), said);
            assertEquals(255, client.waitFor(), said);
        }
    }

    /** Sends each connection to the next controller, as a balancer does. */
    private static final class Turns implements AutoCloseable {
        private final ServerSocket server;

        Turns(List<Controller> controllers) throws IOException {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            daemon(
                    () -> {
                        for (int turn = 0; ; turn++) {
                            Socket from = server.accept();
                            URI to = controllers.get(turn % controllers.size()).url();
                            Socket behind = new Socket(to.getHost(), to.getPort());
                            daemon(() -> pump(from, behind));
                            daemon(() -> pump(behind, from));
                        }
                    });
        }

        int port() {
            return server.getLocalPort();
        }

        private interface Work {
            void run() throws IOException;
        }

        private static void daemon(Work work) {
            Thread thread =
                    new Thread(
                            () -> {
                                try {
                                    work.run();
                                } catch (IOException closed) {
                                    // as both ends see
                                }
                            });
            thread.setDaemon(true);
            thread.start();
        }

        private static void pump(Socket from, Socket to) throws IOException {
            try (from;
                    to) {
                from.getInputStream().transferTo(to.getOutputStream());
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }

    /** As docs/security.md has it. */
    private static void giveLeastRights(Stage stage) {
        String manual;
        try {
            manual = Files.readString(Checkout.root().resolve("docs/security.md"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String line = manual.substring(manual.indexOf(RIGHTS)).lines().findFirst().orElseThrow();
        List<String> command = new ArrayList<>(List.of("ACL", "SETUSER", "jenkins", "reset", "on"));
        command.add(">" + PASSWORD);
        command.addAll(
                List.of(line.replace("`", "").replace("<cluster>", stage.cluster()).split(" ")));
        stage.redis().call(command.toArray(String[]::new));
    }

    private static Path passwordFile(Stage stage, JenkinsController controller) {
        try {
            return Files.writeString(
                    Files.createDirectories(stage.root()).resolve(controller.name() + ".password"),
                    PASSWORD + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
