package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Who finds which builds, where no database is configured: two controllers of one host share a
 * SQLite file beside the jobs.
 */
class BuildSearchTest {
    private static SecuredPair pair;
    private static boolean withGit;

    /** Leaves out what other tests build later. */
    private static String atFirst;

    @BeforeAll
    static void start() {
        withGit =
                SingleController.war()
                        .plugins()
                        .map(folder -> Files.exists(folder.resolve("git.jpi")))
                        .orElse(false);
        pair = SecuredPair.open("build-search", withGit ? new String[] {"git"} : new String[0]);
        pair.createJob("open", new FreestyleJob().parameter("P").xml());
        pair.createJob("closed", new FreestyleJob().parameter("P").xml());
        // One job that reads who may read nothing else, as a matrix for each project has it.
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            SecuredPair.groovy(
                    client,
                    """
                    import hudson.security.*
                    def strategy = new ProjectMatrixAuthorizationStrategy()
                    ['admin': [Jenkins.ADMINISTER], 'eve': [Jenkins.READ], 'bob': [Jenkins.READ, Item.READ],
                     'dora': [Jenkins.READ, Item.DISCOVER]].each { user, all ->
                        all.each { strategy.add(it, user) }
                    }
                    ['alice': [Jenkins.READ]].each { user, all -> all.each { strategy.add(it, user) } }
                    Jenkins.get().authorizationStrategy = strategy
                    def job = Jenkins.get().getItem('open')
                    def matrix = new AuthorizationMatrixProperty([:])
                    [Item.READ, Item.BUILD].each { matrix.add(it, 'alice') }
                    job.removeProperty(AuthorizationMatrixProperty)
                    job.addProperty(matrix)
                    ''
                    """);
        }
        ran(pair.onA, "open", "one");
        ran(SecuredPair.as(pair.b, "alice"), "open", "two");
        ran(pair.onB, "closed", "three");
        atFirst = "to=" + (System.currentTimeMillis() + 1);
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void theRecordsAreInAFileBesideTheJobsThatOnlyJenkinsReads() throws Exception {
        Path file = pair.stage.shared().jobs().resolve(".ha-jenkins/builds.db");
        assertTrue(Files.isRegularFile(file));
        assertFalse(
                Files.getPosixFilePermissions(file).toString().contains("OTHERS"),
                Files.getPosixFilePermissions(file).toString());
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertFalse(client.hasJob(".ha-jenkins"));
        }
    }

    @Test
    void aUserFindsBuildsOfTheJobsHeMayReadAndHearsOfNoOthers() {
        for (JenkinsController controller : List.of(pair.a, pair.b)) {
            assertEquals(
                    List.of("closed#1", "open#2", "open#1"), found(controller, "admin", atFirst));
            assertEquals(
                    List.of("closed#1", "open#2", "open#1"), found(controller, "bob", atFirst));
            assertEquals(List.of("open#2", "open#1"), found(controller, "alice", atFirst));
            assertEquals(List.of(), found(controller, "eve", ""));
            assertEquals(List.of(), found(controller, "dora", ""));
            // By name, too; and a job that is hidden answers as one that is not there.
            assertEquals(List.of("closed#1"), found(controller, "bob", "job=closed"));
            for (String user : List.of("alice", "eve", "dora")) {
                assertEquals(List.of(), found(controller, user, "job=closed"), user);
            }
            assertEquals(List.of(), found(controller, "alice", "parameter=P&value=three"));
            for (String user : List.of("alice", "eve")) {
                String page = SecuredPair.as(controller, user).text("ha-builds/");
                assertFalse(page.contains("closed"), page);
            }
            assertEquals(403, controller.client().get("ha-builds/api/json").statusCode());
            assertEquals(403, controller.client().get("ha-builds/").statusCode());
        }
    }

    @Test
    void buildsAreFoundByWhoStartedThem() {
        for (JenkinsController controller : List.of(pair.a, pair.b)) {
            assertEquals(List.of("open#2"), found(controller, "admin", "user=alice"));
            assertEquals(
                    List.of("closed#1", "open#1"),
                    found(controller, "admin", "user=admin&" + atFirst));
            assertEquals(List.of("open#1"), found(controller, "alice", "user=admin"));
            assertEquals(
                    List.of("open#2"),
                    found(controller, "admin", "cause=started%20by%20user%20alice"));
            assertEquals(List.of(), found(controller, "admin", "user=nobody"));
        }
    }

    @Test
    void buildsOfACommitAreFoundByIt() throws Exception {
        assumeTrue(withGit, "no git.jpi beside the war");
        Path repository = Files.createDirectory(pair.stage.root().resolve("repository"));
        git(repository, "init", "-q", "-b", "main");
        List<String> commits = new ArrayList<>();
        for (String text : List.of("first", "second")) {
            Files.writeString(repository.resolve("file"), text);
            git(repository, "add", "file");
            git(repository, "commit", "-q", "-m", text);
            commits.add(git(repository, "rev-parse", "HEAD").trim());
            if (text.equals("first")) {
                for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
                    SecuredPair.groovy(
                            client, "hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT = true; ''");
                }
                pair.createJob(
                        "code",
                        new FreestyleJob()
                                .parameter("P")
                                .xml()
                                .replace(
                                        "<scm class=\"hudson.scm.NullSCM\"/>",
                                        "<scm class=\"hudson.plugins.git.GitSCM\"><configVersion>2</configVersion>"
                                            + "<userRemoteConfigs><hudson.plugins.git.UserRemoteConfig><url>"
                                                + repository
                                                + "</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs>"
                                                + "<branches><hudson.plugins.git.BranchSpec><name>*/main</name>"
                                                + "</hudson.plugins.git.BranchSpec></branches></scm>"));
            }
            ran(pair.onA, "code", text);
        }
        for (JenkinsController controller : List.of(pair.a, pair.b)) {
            for (int i = 0; i < commits.size(); i++) {
                List<String> build = List.of("code#" + (i + 1));
                String commit = commits.get(i);
                assertEquals(build, found(controller, "admin", "commit=" + commit));
                assertEquals(build, found(controller, "admin", "commit=" + commit.substring(0, 9)));
            }
            assertEquals(List.of(), found(controller, "alice", "commit=" + commits.get(0)));
        }
    }

    private static String git(Path folder, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("git", "-c", "user.name=Ada"));
        command.addAll(List.of("-c", "user.email=ada@example.com"));
        command.addAll(List.of(arguments));
        Process git =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, git.waitFor(), said);
        return said;
    }

    private static void ran(JenkinsClient as, String job, String value) {
        int number = as.awaitBuildNumber(as.trigger(job, Map.of("P", value)), SecuredPair.SOON);
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals("SUCCESS", client.awaitResult(job, number, SecuredPair.SOON));
        }
    }

    private static List<String> found(JenkinsController on, String user, String question) {
        List<String> found = new ArrayList<>();
        JsonNode answer = SecuredPair.as(on, user).json("ha-builds/api/json?" + question);
        answer.path("builds")
                .forEach(
                        row ->
                                found.add(
                                        row.path("job").asText()
                                                + "#"
                                                + row.path("number").asInt()));
        return found;
    }
}
