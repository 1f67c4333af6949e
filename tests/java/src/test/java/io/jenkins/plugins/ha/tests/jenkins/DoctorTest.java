package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The doctor names each fault that is made, tells what mends it, and finds nothing else. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DoctorTest {
    private static TwoControllers two;
    private static JenkinsClient a;
    private static JenkinsClient b;

    @BeforeAll
    static void start() {
        two =
                TwoControllers.start(
                        "doctor",
                        2,
                        (stage, controller) ->
                                controller.user("admin").user("reader", "hudson.model.Hudson.Read"),
                        "workflow-job",
                        "workflow-cps");
        a = as("admin", two.a());
        b = as("admin", two.b());
        setUrl(a, "http://jenkins.example.com/");
        setUrl(b, "http://jenkins.example.com/");
    }

    @AfterAll
    static void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    @Order(1)
    void aHealthyClusterHasNoFinding() {
        assertEquals(List.of(), names(a));
        assertEquals(List.of(), names(b));
        JsonNode report = report(a);
        assertTrue(report.path("healthy").asBoolean());
        assertEquals(2, report.path("controllers").size());
        assertEquals(0, cli(a));
        assertTrue(a.text("manage/ha/doctor/").contains("The cluster is healthy"));
    }

    /** On the page of the cluster. */
    @Test
    @Order(2)
    void theCheckListIsThereUntilAllIsDone() {
        Eventually.until("nothing is left", TwoControllers.SOON, () -> steps(a).isEmpty());
        assertFalse(a.text("manage/ha/").contains("ha-steps"));
        setUrl(a, b.url().toString());
        Eventually.until(
                "what is to be done is told",
                TwoControllers.SOON,
                () -> steps(a).containsAll(List.of("address=false", "doctor=false")));
        assertTrue(steps(a).containsAll(List.of("redis=true", "second-controller=true")));
        String page = a.text("manage/ha/");
        assertTrue(page.contains("ha-step-address") && page.contains("load balancer"), page);
        assertTrue(page.contains("href=\"/manage/configure\""), page);
        setUrl(a, "http://jenkins.example.com/");
        Eventually.until("nothing is left", TwoControllers.SOON, () -> steps(a).isEmpty());
    }

    private static List<String> steps(JenkinsClient on) {
        List<String> steps = new ArrayList<>();
        on.json("ha/api/json")
                .path("steps")
                .forEach(s -> steps.add(s.path("name").asText() + "=" + s.path("done").asText()));
        return steps;
    }

    @Test
    @Order(2)
    void onlyWhoMayReadTheSystemsSettingsIsTold() {
        JenkinsClient reader = as("reader", two.a());
        assertEquals(403, reader.get("manage/ha/doctor/api/json").statusCode());
        assertEquals(6, cli(reader));
    }

    /** Its thread that tells the others is not taken for one that hangs. */
    @Test
    @Order(2)
    void aControllerThatHasNothingToTellIsWell() {
        long[] last = {0};
        Eventually.until(
                "a round begins though there is nothing to tell",
                TwoControllers.SOON,
                () -> {
                    long before = last[0];
                    for (JsonNode thread : b.json("ha-health/").path("threads")) {
                        if (thread.path("name").asText().equals("ha-jenkins-outbound")) {
                            last[0] = thread.path("roundMillisAgo").asLong();
                        }
                    }
                    return last[0] < before;
                });
    }

    @Test
    @Order(3)
    void aRedisThatMayForgetIsNamed() {
        fault(
                () -> two.stage().redis().call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
                () -> two.stage().redis().call("CONFIG", "SET", "maxmemory-policy", "noeviction"),
                "cluster",
                "maxmemory-policy");
        fault(
                () -> two.stage().redis().call("CONFIG", "SET", "appendonly", "no"),
                () -> two.stage().redis().call("CONFIG", "SET", "appendonly", "yes"),
                "cluster",
                "appendonly");
    }

    @Test
    @Order(4)
    void whereOneControllerKeepsWhatTheOthersDoNotFindIsNamed() {
        fault(
                kept("workspaceDir", "${ITEM_ROOTDIR}/workspace"),
                kept("workspaceDir", "${JENKINS_HOME}/workspace/${ITEM_FULL_NAME}"),
                "workspace-in-jobs",
                "ITEM_ROOTDIR");
        fault(
                kept("buildsDir", "/elsewhere/${ITEM_FULL_NAME}"),
                kept("buildsDir", "${ITEM_ROOTDIR}/builds"),
                "builds-not-shared",
                "/elsewhere/");
    }

    @Test
    @Order(8)
    void whatDiffersBetweenTheControllersIsNamed() {
        fault(
                () -> setUrl(b, "http://other.example.com/"),
                () -> setUrl(b, "http://jenkins.example.com/"),
                "address-differs",
                "other.example.com");
        fault(
                () -> setUrl(b, null),
                () -> setUrl(b, "http://jenkins.example.com/"),
                "no-address",
                "URL is not set");
        fault(
                "System.properties['zone'] = TimeZone.default;"
                        + " TimeZone.default = TimeZone.getTimeZone('Asia/Tokyo')",
                "TimeZone.default = System.properties.remove('zone')",
                "time-zone-differs",
                "Asia/Tokyo");
        // What is a controller's own was set and unset, and no setting of the others' is in doubt.
        Eventually.until("all is well again", TwoControllers.SOON, () -> names(a).isEmpty());
    }

    @Test
    @Order(6)
    void aPipelineThatDiesWithItsControllerIsNotedAndTheClusterIsHealthy() {
        a.createJob(
                "stopped",
                JobXml.pipeline(
                        "echo 'x'",
                        "<org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty/>"));
        Eventually.until(
                "it is noted",
                TwoControllers.SOON,
                () -> names(b).contains("pipelines-not-resumed"));
        assertEquals(List.of("pipelines-not-resumed"), names(b), () -> report(b).toString());
        assertTrue(report(b).path("healthy").asBoolean());
        a.post("job/stopped/doDelete", Map.of());
    }

    @Test
    @Order(7)
    void aControllerThatIsGoneIsNamedUntilItIsBack() {
        two.controller("b").kill9();
        Eventually.until(
                "b is gone", TwoControllers.SOON, () -> names(a).contains("controller-gone"));
        two.controller("b").start();
        two.controller("b").awaitUp(Stage.UP);
        setUrl(b, "http://jenkins.example.com/");
        Eventually.until("all is well again", TwoControllers.SOON, () -> names(a).isEmpty());
    }

    private static String kept(String what, String where) {
        return "def f = Jenkins.getDeclaredField('%s'); f.accessible = true; f.set(Jenkins.get(), '%s')"
                .formatted(what, where);
    }

    private static void fault(String make, String mend, String name, String evidence) {
        fault(
                () -> TwoControllers.script(b, make),
                () -> TwoControllers.script(b, mend),
                name,
                evidence);
    }

    /** The fault is made on b, or for both, is named on a, and is gone when it is mended. */
    private static void fault(Runnable make, Runnable mend, String name, String evidence) {
        make.run();
        Eventually.until(
                name + " is found", TwoControllers.SOON, () -> has(report(a), name, evidence));
        assertFalse(report(a).path("healthy").asBoolean());
        int code = cli(a);
        assertTrue(code == 10 || code == 11, "exit code " + code);
        mend.run();
        Eventually.until(
                name + " is gone", TwoControllers.SOON, () -> !has(report(a), name, evidence));
    }

    private static boolean has(JsonNode report, String name, String evidence) {
        for (JsonNode finding : report.path("findings")) {
            if (finding.path("name").asText().equals(name)
                    && finding.path("evidence").asText().contains(evidence)
                    && !finding.path("remedy").asText().isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static List<String> names(JenkinsClient on) {
        TreeSet<String> names = new TreeSet<>();
        report(on).path("findings").forEach(f -> names.add(f.path("name").asText()));
        return new ArrayList<>(names);
    }

    private static JsonNode report(JenkinsClient on) {
        return on.json("manage/ha/doctor/api/json");
    }

    private static int cli(JenkinsClient on) {
        return on.cli(two.folder("cli"), "ha-doctor").await(TwoControllers.SOON);
    }

    private static void setUrl(JenkinsClient on, String url) {
        TwoControllers.script(
                on,
                "jenkins.model.JenkinsLocationConfiguration.get().setUrl(%s)"
                        .formatted(url == null ? "null" : "'" + url + "'"));
    }

    private static JenkinsClient as(String user, JenkinsClient client) {
        return client.as(user, JenkinsController.token(user));
    }
}
