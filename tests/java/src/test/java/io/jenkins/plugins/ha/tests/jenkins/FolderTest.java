package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Folders, what is in them, their deletion, and the branches of a multibranch project. */
class FolderTest {
    private static final String FOLDER =
            "<com.cloudbees.hudson.plugins.folder.Folder>%s</com.cloudbees.hudson.plugins.folder.Folder>";

    private static final int BRANCHES = 4;

    private static TwoControllers both;

    @BeforeAll
    static void start() {
        both =
                TwoControllers.start(
                        "folders",
                        2,
                        "cloudbees-folder",
                        "workflow-multibranch",
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "pipeline-model-definition",
                        "git",
                        "credentials",
                        "plain-credentials");
    }

    @AfterAll
    static void stop() {
        if (both != null) {
            both.close();
        }
    }

    @Test
    void aFolderItsJobsViewsAndCredentialsAreTheSameOnBoth() {
        both.a().createJob("team", FOLDER.formatted("<description>ours</description>"));
        both.a().createJob("team/inner", FOLDER.formatted(""));
        both.createJob("team/inner/job", new FreestyleJob().shell("sleep 2").xml());
        JobForms.awaitSame(both, "team");
        int number =
                both.b().awaitBuildNumber(both.b().trigger("team/inner/job"), TwoControllers.SOON);
        JobForms.on(both.a(), "team", "item.addView(new ListView('mine', item))");
        JobForms.awaitSame(both, "team");
        assertEquals(200, both.b().get("job/team/view/mine/").statusCode());
        assertEquals(
                "true", JobForms.on(both.b(), "team", "print item.getView('mine').owner.is(item)"));
        JobForms.on(
                both.a(),
                "team",
                """
                def c = new org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl(
                  com.cloudbees.plugins.credentials.CredentialsScope.GLOBAL, 'key', '', hudson.util.Secret.fromString('s3cret'))
                com.cloudbees.plugins.credentials.CredentialsProvider.lookupStores(item).find { it.context.is(item) }
                  .addCredentials(com.cloudbees.plugins.credentials.domains.Domain.global(), c)
                """);
        Eventually.until(
                "b has the credentials",
                JobForms.IN_FORCE,
                () ->
                        JobForms.on(
                                        both.b(),
                                        "team",
                                        """
                                        print com.cloudbees.plugins.credentials.CredentialsProvider.lookupCredentialsInItem(
                                          org.jenkinsci.plugins.plaincredentials.StringCredentials,
                                          Jenkins.get().getItemByFullName('team/inner/job'), hudson.security.ACL.SYSTEM2)*.secret*.plainText
                                        """)
                                .equals("[s3cret]"));
        JobForms.post(both.b(), "team/inner/job", new FreestyleJob().shell("echo new").xml());
        JobForms.awaitSame(both, "team/inner/job");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals(
                    "SUCCESS", client.awaitResult("team/inner/job", number, TwoControllers.SOON));
        }
        JobForms.post(both.a(), "team", FOLDER.formatted("<description>bare</description>"));
        JobForms.awaitSame(both, "team"); // without what the new form does not mention
        assertEquals("[]", JobForms.on(both.b(), "team", "print item.properties"));
        assertEquals(302, both.b().deleteJob("team"));
        Eventually.until(
                "a has no folder", JobForms.IN_FORCE, () -> !both.a().hasJob("team/inner/job"));
        assertEquals(404, both.a().get("job/team/").statusCode());
    }

    @Test
    void branchesAreFoundOnceAndAreOnBothAndGoFromBoth() {
        Path repository = both.folder("repository");
        GitRepository.make(repository);
        GitRepository.git(repository, "checkout", "-q", "-b", "feature/x-y");
        GitRepository.commit(repository, "two");
        GitRepository.git(repository, "checkout", "-q", "main");
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            TwoControllers.script(client, "hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT = true");
        }
        both.a().createJob("mb", multibranch(repository));
        both.a().post("job/mb/build?delay=0", Map.of());
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            for (String branch : List.of("mb/main", "mb/feature%2Fx-y")) {
                Eventually.until(
                        branch + " was built",
                        TwoControllers.SOON,
                        () -> {
                            try {
                                return numbers(client, branch).equals("1 SUCCESS");
                            } catch (AssertionError e) {
                                return false;
                            }
                        });
            }
        }
        Eventually.until(
                "b knows that the scan ended",
                JobForms.IN_FORCE,
                () ->
                        JobForms.on(both.b(), "mb", "print item.computation.result")
                                .equals("SUCCESS"));
        // again, on the other: nothing is new
        scan(both.b());
        for (String branch : List.of("mb/main", "mb/feature%2Fx-y")) {
            assertEquals("1 SUCCESS", numbers(both.a(), branch));
        }
        GitRepository.commit(repository, "three");
        GitRepository.git(repository, "branch", "-q", "-D", "feature/x-y");
        scan(both.b());
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            Eventually.until(
                    "main was built again",
                    TwoControllers.SOON,
                    () -> numbers(client, "mb/main").equals("2 SUCCESS"));
            Eventually.until(
                    "the branch is gone",
                    TwoControllers.SOON,
                    () -> JobForms.on(client, "mb", "print item.items*.name").equals("[main]"));
        }
        assertTrue(both.a().console("mb/main", 2).contains("hello"));
    }

    @Test
    void oneControllerAtATimeScansAndEachHeadIsBuiltOnce() {
        Path repository = both.folder("scanned-twice");
        GitRepository.make(repository);
        for (int i = 1; i < BRANCHES; i++) {
            GitRepository.git(repository, "branch", "b" + i);
        }
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            TwoControllers.script(client, "hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT = true");
        }
        String turn = "io.jenkins.plugins.ha.Membership.active().get().cluster()";
        TwoControllers.script(both.a(), turn + ".begin('scan:twice', 60000)"); // as if a scanned it
        both.createJob("twice", multibranch(repository));
        both.b().post("job/twice/build?delay=0", Map.of());
        Eventually.until(
                "b waits",
                TwoControllers.SOON,
                () ->
                        JobForms.on(
                                        both.b(),
                                        "twice",
                                        "print Jenkins.get().queue.getItem(item)?.why")
                                .contains("no other controller"));
        TwoControllers.script(both.a(), turn + ".notDone('scan:twice')");
        for (int round = 1; round <= 3; round++) {
            for (JenkinsClient client : List.of(both.a(), both.b())) {
                assertTrue(client.post("job/twice/build?delay=0", Map.of()).statusCode() < 400);
            }
            for (JenkinsClient client : List.of(both.a(), both.b())) {
                Eventually.until(
                        "the scans and builds of round " + round + " are done",
                        TwoControllers.SOON,
                        () ->
                                JobForms.on(
                                                client,
                                                "twice",
                                                "print(Jenkins.get().queue.items.length + ' ' +"
                                                    + " item.computation.building + ' ' +"
                                                    + " item.items.count { it.builds.any { b ->"
                                                    + " b.result == hudson.model.Result.SUCCESS }"
                                                    + " })")
                                        .equals("0 false " + BRANCHES));
            }
        }
        for (JenkinsClient client : List.of(both.a(), both.b())) {
            assertEquals(
                    "[1]",
                    JobForms.on(client, "twice", "print item.items*.lastBuild*.number.unique()"));
        }
    }

    private static String multibranch(Path repository) {
        return """
        <org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject>
          <sources class="jenkins.branch.MultiBranchProject$BranchSourceList"><data><jenkins.branch.BranchSource>
            <source class="jenkins.plugins.git.GitSCMSource"><id>s</id><remote>%s</remote>
              <traits><jenkins.plugins.git.traits.BranchDiscoveryTrait/></traits></source>
          </jenkins.branch.BranchSource></data></sources>
        </org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject>
        """
                .formatted(repository);
    }

    private static void scan(JenkinsClient on) {
        JobForms.on(
                on,
                "mb",
                "def before = item.computation.timestamp; item.scheduleBuild2(0).future.get();"
                        + " assert item.computation.timestamp != before");
    }

    private static String numbers(JenkinsClient on, String branch) {
        return JobForms.on(
                on,
                branch,
                "def b = item?.lastBuild; print(b == null ? '' : b.number + ' ' + b.result)");
    }
}
