package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
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
    private static Balancer front;

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
        front = new Balancer(two.stage().controllers());
        setUrl(a, url());
        setUrl(b, url());
    }

    private static String url() {
        return front.url().toString();
    }

    @AfterAll
    static void stop() {
        if (front != null) {
            front.close();
        }
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
        setUrl(a, url());
        Eventually.until("nothing is left", TwoControllers.SOON, () -> steps(a).isEmpty());
    }

    /** As if the last report were old. */
    private static List<String> steps(JenkinsClient on) {
        TwoControllers.script(
                on,
                "io.jenkins.plugins.ha.doctor.LastReport.get().@at = System.nanoTime()"
                        + " - 3600_000_000_000L");
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
        // looked at every 10 s: two at a time
        fault(
                () -> two.stage().redis().call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
                () -> two.stage().redis().call("CONFIG", "SET", "maxmemory-policy", "noeviction"),
                "cluster",
                "maxmemory-policy");
        String memory = String.valueOf(two.stage().redis().call("INFO", "memory"));
        long used = Long.parseLong(memory.replaceAll("(?s).*used_memory:(\\d+).*", "$1"));
        fault(
                () -> {
                    two.stage().redis().call("CONFIG", "SET", "appendonly", "no");
                    maxmemory(used * 100 / 94);
                    Eventually.until(
                            "that Redis keeps no file is found",
                            TwoControllers.SOON,
                            () -> has(report(a), "cluster", "appendonly"));
                },
                () -> {
                    two.stage().redis().call("CONFIG", "SET", "appendonly", "yes");
                    maxmemory(0);
                },
                "cluster",
                "more than nine tenths of its memory");
    }

    private static void maxmemory(long bytes) {
        two.stage().redis().call("CONFIG", "SET", "maxmemory", Long.toString(bytes));
    }

    /** The replica is connected and says nothing more. */
    @Test
    @Order(9)
    void replicasThatDoNotConfirmAreNamed() throws IOException {
        try (Socket replica = new Socket("127.0.0.1", two.stage().redis().port())) {
            replica.getOutputStream().write("PSYNC ? -1\r\n".getBytes(StandardCharsets.US_ASCII));
            a.createJob("small", new FreestyleJob().shell("true").xml());
            Eventually.until(
                    "that nothing is confirmed is found",
                    TwoControllers.SOON,
                    () -> {
                        a.trigger("small");
                        return has(report(a), "cluster", "do not confirm");
                    });
        }
    }

    @Test
    @Order(5)
    void aBalancerThatIsNoneIsNamed() throws IOException {
        address(b.url().toString(), "address-of-one", "of this controller alone", false);
        address("http://127.0.0.1:1/", "address-not-reached", "does not reach", true);
        try (Balancer toOne = new Balancer(List.of(two.controller("a")))) {
            address(toOne.url().toString(), "balancer-one-controller", "One controller", false);
        }
        HttpServer other =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.createContext("/nobody/", exchange -> answer(exchange, 404, "nobody"));
        int[] boot = {0};
        other.createContext(
                "/sticky/",
                exchange -> {
                    exchange.getResponseHeaders().add("Set-Cookie", "SERVERID=s1; path=/");
                    answer(exchange, 200, "{\"boot\":\"boot" + boot[0]++ + "\"}");
                });
        other.start();
        try {
            String place = "http://127.0.0.1:" + other.getAddress().getPort();
            address(place + "/nobody/", "address-elsewhere", "but with 404", false);
            address(place + "/sticky/", "balancer-sticky", "SERVERID", true);
        } finally {
            other.stop(0);
        }
    }

    private static void address(String url, String name, String evidence, boolean healthy) {
        fault(
                () -> {
                    setUrl(a, url);
                    setUrl(b, url);
                },
                () -> {
                    setUrl(a, url());
                    setUrl(b, url());
                },
                name,
                evidence,
                healthy);
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status, text.length());
            exchange.getResponseBody().write(text.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** As the plugin would find them: what makes them is not at hand, or would cost minutes. */
    @Test
    @Order(5)
    void whatTheControllersFoundBeforeIsNamed() {
        String member = "def m = io.jenkins.plugins.ha.Membership.active().get(); ";
        fault(
                member
                        + "m.items().@unreadable.mark('broken', new File(Jenkins.get().rootDir,"
                        + " 'config.xml'), 'hash', new Exception('no such class'))",
                member + "m.items().@unreadable.clear('broken')",
                "items",
                "no such class");
        fault(
                member
                        + "m.forwarding().reach().notReached(m.topology().known().find {"
                        + " it.controllerId() != m.identity().id() }.controllerId(),"
                        + " 'does not answer at http://10.0.0.1/.')",
                member
                        + "m.topology().known().each {"
                        + " m.forwarding().reach().reached(it.controllerId()) }",
                "not-reached",
                "10.0.0.1");
        fault(
                "io.jenkins.plugins.ha.builds.Reruns.setAside("
                        + "new io.jenkins.plugins.ha.builds.Reruns.GivenUp('job', 1, 'died'))",
                "io.jenkins.plugins.ha.builds.Reruns.forget()",
                "builds-not-run-again",
                "1 builds");
        String facts =
                "m.topology().known().find { it.controllerId() == m.identity().id() }.facts()";
        String describe =
                member
                        + "def f = "
                        + facts
                        + "; System.properties.putIfAbsent('facts', f);"
                        + " m.cluster().describe(f.replaceAll('(?m)^java=.*', 'java=99'))";
        String look = member + "m.topology().look()";
        fault(
                () -> {
                    TwoControllers.script(b, describe);
                    TwoControllers.script(a, look);
                },
                () -> {
                    TwoControllers.script(
                            b, member + "m.cluster().describe(System.properties.remove('facts'))");
                    TwoControllers.script(a, look);
                    TwoControllers.script(b, look);
                },
                "controllers-differ",
                "99");
    }

    @Test
    @Order(5)
    void whatPassesALimitIsNamed() {
        fault(limit("clockMillis", "-1"), limit("clockMillis", "5000"), "clock", "Redis'");
        fault(limit("slowMillis", "-1"), limit("slowMillis", "50"), "redis-slow", "Redis takes");
        fault(
                limit("databaseMillis", "-1"),
                limit("databaseMillis", "100"),
                "database-slow",
                "build records takes");
        fault(
                limit("freeBytes", "9000000000000000"),
                limit("freeBytes", "1"),
                "little-room",
                "MiB are free");
    }

    private static String limit(String name, String value) {
        return "System.setProperty('io.jenkins.plugins.ha.doctor." + name + "', '" + value + "')";
    }

    @Test
    @Order(5)
    void filesOfControllersThatNobodyKnowsAreNoted() {
        String file = "new File(Jenkins.get().rootDir, 'jobs/.ha-jenkins/members/stranger')";
        fault(
                () -> TwoControllers.script(b, file + ".text = 'x'"),
                () -> TwoControllers.script(b, file + ".delete()"),
                "leftovers",
                "stranger",
                true);
    }

    /** Its severity is the exit code of the command. */
    @Test
    @Order(4)
    void scriptsAreToldByTheExitCode() {
        String workspace = "${JENKINS_HOME}/workspace/${ITEM_FULL_NAME}";
        TwoControllers.script(b, limit("slowMillis", "-1"));
        assertEquals(10, cli(a));
        TwoControllers.script(b, kept("workspaceDir", "${ITEM_ROOTDIR}/workspace"));
        assertEquals(11, cli(a));
        TwoControllers.script(b, kept("workspaceDir", workspace));
        TwoControllers.script(b, limit("slowMillis", "50"));
        assertEquals(0, cli(a));
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
                () -> setUrl(b, url()),
                "address-differs",
                "other.example.com");
        fault(() -> setUrl(b, null), () -> setUrl(b, url()), "no-address", "URL is not set");
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
                "hinted",
                JobXml.pipeline(
                        "echo 'x'",
                        "<org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty>"
                                + "<hint>PERFORMANCE_OPTIMIZED</hint></org.jenkinsci.plugins"
                                + ".workflow.job.properties.DurabilityHintJobProperty>"));
        Eventually.until(
                "it is noted",
                TwoControllers.SOON,
                () -> names(b).equals(List.of("pipelines-of-less-durability")));
        a.post("job/hinted/doDelete", Map.of());
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
        setUrl(b, url());
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

    private static void fault(Runnable make, Runnable mend, String name, String evidence) {
        fault(make, mend, name, evidence, false);
    }

    /** The fault is made on b, or for both, is named on a, and is gone when it is mended. */
    private static void fault(
            Runnable make, Runnable mend, String name, String evidence, boolean healthy) {
        make.run();
        Eventually.until(
                name + " is found", TwoControllers.SOON, () -> has(report(a), name, evidence));
        assertEquals(healthy, report(a).path("healthy").asBoolean(), () -> report(a).toString());
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
