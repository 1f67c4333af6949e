package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.tests.jenkins.BesidePlain.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** An organization folder is scanned once per cluster, and what that found is everywhere. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OrganizationFolderTest {
    private static BesidePlain beside;

    @BeforeAll
    static void start() {
        beside =
                BesidePlain.start(
                        "organization",
                        2,
                        "workflow-multibranch",
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "git");
        for (JenkinsClient each : List.of(cluster().a(), cluster().b(), beside.plain().first())) {
            TwoControllers.script(each, "hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT = true");
        }
    }

    @AfterAll
    static void stop() {
        if (beside != null) {
            beside.close();
        }
    }

    @Test
    @Order(1)
    void whatAScanFindsOrphansAndRemovesIsOnBothAsOnOneJenkins() {
        assertEquals(
                List.of(
                        "one/feature%2Fx #1 SUCCESS, one/main #1 SUCCESS, two/main #1 SUCCESS",
                        "one/feature%2Fx #1 SUCCESS, one/main #1 SUCCESS, two/main #1 SUCCESS",
                        "one/feature%2Fx off #1 SUCCESS, one/main #1 SUCCESS,"
                                + " three/main #1 SUCCESS, two off, two/main #1 SUCCESS",
                        "one/main #1 SUCCESS, three/main #1 SUCCESS",
                        "one/main #1 SUCCESS, three/main #1 SUCCESS"),
                beside.sameAsPlain(OrganizationFolderTest::life));
    }

    private static List<String> life(Side side) {
        Path repositories = cluster().folder(side.isCluster() ? "cluster" : "plain");
        GitRepository.make(repositories.resolve("two"));
        Path one = GitRepository.make(repositories.resolve("one"));
        GitRepository.git(one, "branch", "feature/x");
        side.createJob("org", organization(repositories, false));
        List<String> seen = new ArrayList<>();
        scan(side.first(), "org");
        seen.add(settled(side, text -> text.split("SUCCESS", -1).length == 4));
        scan(side.second(), "org");
        seen.add(settled(side, text -> true));
        GitRepository.make(repositories.resolve("three"));
        GitRepository.delete(repositories.resolve("two"));
        GitRepository.git(one, "branch", "-D", "feature/x");
        scan(side.second(), "org");
        scan(side.first(), "org/one");
        seen.add(
                settled(
                        side,
                        text ->
                                text.contains("x off")
                                        && text.contains("two off")
                                        && text.contains("three/main #1 SUCCESS")));
        JobForms.post(side.first(), "org", organization(repositories, true));
        JobForms.awaitSame(side.first(), side.second(), "org");
        scan(side.second(), "org"); // what is to be removed is the projects' from then on
        scan(side.first(), "org/one");
        seen.add(settled(side, text -> !text.contains("off")));
        scan(side.first(), "org");
        seen.add(settled(side, text -> true));
        for (JenkinsClient client : side.each()) {
            for (String page :
                    List.of("job/org/", "job/org/job/one/", "job/org/job/one/api/json")) {
                assertEquals(200, client.get(page).statusCode(), page + " of " + client.url());
            }
        }
        return seen;
    }

    @Test
    @Order(2)
    void twoScansAtOnceMakeEachHeadsBuildOnce() {
        Path repositories = cluster().folder("at-once");
        for (String name : List.of("p", "q", "r")) {
            GitRepository.git(GitRepository.make(repositories.resolve(name)), "branch", "b");
        }
        Side pair = beside.pair();
        pair.createJob("at-once", organization(repositories, true));
        for (int i = 0; i < 2; i++) {
            for (JenkinsClient each : pair.each()) {
                assertTrue(each.post("job/at-once/build?delay=0", Map.of()).statusCode() < 400);
            }
        }
        assertEquals(
                "p/b #1 SUCCESS, p/main #1 SUCCESS, q/b #1 SUCCESS, q/main #1 SUCCESS,"
                        + " r/b #1 SUCCESS, r/main #1 SUCCESS",
                settled(pair, "at-once", text -> text.split("SUCCESS", -1).length == 7));
    }

    /** The last: a is dead from then on. */
    @Test
    @Order(3)
    void aScanThatDiedWithItsControllerIsMadeRightByTheNext() throws IOException {
        Path repositories = cluster().folder("killed");
        for (String name : List.of("p", "q", "r")) {
            GitRepository.make(repositories.resolve(name));
        }
        Path hold = Files.createFile(repositories.resolve("hold-r"));
        Side pair = beside.pair();
        pair.createJob("killed", organization(repositories, true));
        assertTrue(pair.first().post("job/killed/build?delay=0", Map.of()).statusCode() < 400);
        Eventually.until(
                "a is in the middle of it",
                SOON,
                () -> Files.exists(repositories.resolve("held-r")));
        // one that b is asked for waits until a has ended
        assertTrue(pair.second().post("job/killed/build?delay=0", Map.of()).statusCode() < 400);
        GitRepository.delete(repositories.resolve("q"));
        cluster().controller("a").kill9();
        Files.delete(hold);
        // b's scan waited; what a had made and not scanned is scanned, too
        Side alone = new Side(pair.second(), pair.second(), false);
        String right = "p/main #1 SUCCESS, r/main #1 SUCCESS";
        settled(alone, "killed", right::equals);
        scan(pair.second(), "killed");
        settled(alone, "killed", right::equals);
    }

    private static String settled(Side side, Predicate<String> when) {
        return settled(side, "org", when);
    }

    /** What both have once nothing waits or runs any more and they have this. */
    private static String settled(Side side, String name, Predicate<String> when) {
        String[] last = {""};
        for (JenkinsClient client : side.each()) {
            try {
                Eventually.until(
                        name + " is scanned and built on " + client.url(),
                        SOON,
                        () -> {
                            last[0] = seen(client, name);
                            return !last[0].contains("busy") && when.test(last[0]);
                        });
            } catch (AssertionError e) {
                throw new AssertionError(e.getMessage() + "; there is " + last[0], e);
            }
        }
        return last[0];
    }

    private static String seen(JenkinsClient on, String name) {
        return JobForms.on(
                on,
                name,
                """
                def all = []
                item.items.sort { it.name }.each { p ->
                  if (p.disabled) all << p.name + ' off'
                  if (p.computation.building) all << 'busy'
                  p.items.sort { it.name }.each { j ->
                    all << p.name + '/' + j.name + (j.disabled ? ' off' : '') + j.builds.reverse().collect {
                      ' #' + it.number + ' ' + (it.building ? 'busy' : it.result) }.join('')
                  }
                }
                if (item.computation.building || Jenkins.get().queue.items.length > 0) all << 'busy'
                print all.join(', ')
                """);
    }

    /** Scans, and says when it is done. */
    private static void scan(JenkinsClient on, String name) {
        assertEquals(
                "SUCCESS",
                JobForms.on(
                        on,
                        name,
                        "item.scheduleBuild2(0).future.get(); print item.computation.result"));
    }

    private static String organization(Path repositories, boolean removesAtOnce) {
        return """
        <jenkins.branch.OrganizationFolder>
          <navigators><io.jenkins.plugins.ha.extensions.FolderNavigator>
            <folder>%s</folder>
          </io.jenkins.plugins.ha.extensions.FolderNavigator></navigators>
          <projectFactories>
            <org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProjectFactory>
              <scriptPath>Jenkinsfile</scriptPath>
            </org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProjectFactory>
          </projectFactories>
          <orphanedItemStrategy class="com.cloudbees.hudson.plugins.folder.computed.DefaultOrphanedItemStrategy">
            <pruneDeadBranches>%s</pruneDeadBranches><daysToKeep>-1</daysToKeep><numToKeep>-1</numToKeep>
          </orphanedItemStrategy>
        </jenkins.branch.OrganizationFolder>
        """
                .formatted(repositories, removesAtOnce);
    }

    private static TwoControllers cluster() {
        return beside.cluster();
    }
}
