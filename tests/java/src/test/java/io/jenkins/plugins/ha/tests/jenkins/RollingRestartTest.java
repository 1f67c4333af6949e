package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** All controllers are restarted, one after the other, behind a load balancer and under load. */
@LongTest
class RollingRestartTest {
    private static final long PAUSE_MILLIS = 200;

    @Test
    void noRequestFailsNoBuildFailsNoneIsLostOrDoubled() throws Exception {
        restartAll(stage -> new Balancer(stage.controllers()));
    }

    @Test
    void asLittleFailsBehindTheHaProxyOfTheExamples() throws Exception {
        restartAll(HaProxy::new);
    }

    private static void restartAll(Function<Stage, FrontDoor> open) throws Exception {
        try (TwoControllers two =
                        TwoControllers.start(
                                "rolling", 2, (stage, controller) -> controller.user("admin"));
                FrontDoor balancer = open.apply(two.stage())) {
            JenkinsClient a = admin(two.controller("a"));
            a.createJob(
                    "load",
                    new FreestyleJob().concurrent().parameter("P").shell("sleep 0.3").xml());
            JenkinsClient b = admin(two.controller("b"));
            Eventually.until("b has it", TwoControllers.SOON, () -> b.hasJob("load"));
            Load load = new Load(new JenkinsClient(balancer.url()).as("admin", token()));
            load.start();
            long start = System.nanoTime();

            outOfService(balancer, two.controller("a"), b);
            two.controller("a").stop();
            two.controller("a").start();
            two.controller("a").awaitUp(Stage.UP);
            backInService(balancer, two.controller("a"), two);

            // In place, in the same process, and not drained before: it quiets down by itself.
            long epoch = epoch(a, "b");
            b.post("safeRestart", Map.of());
            Eventually.until(
                    "nothing is sent to b",
                    TwoControllers.SOON,
                    () -> !balancer.sendsTo(two.controller("b")));
            Eventually.until("b has restarted", Stage.UP, () -> epoch(a, "b") > epoch && up(b));
            backInService(balancer, two.controller("b"), two);

            TwoControllers.figure("rolling.restart", (System.nanoTime() - start) / 1e9, "s");
            load.stop();
            assertEquals(List.of(), List.copyOf(load.failures));
            assertEquals(Set.of("a", "b"), load.served);
            TwoControllers.figure("rolling.triggers", load.triggered.size(), "triggers");
            TwoControllers.figure("rolling.pages", load.pages, "pages");
            assertTrue(load.triggered.size() > 20, "a load: " + load.triggered.size());
            assertEachBuiltOnce(a, load.triggered);
        }
    }

    private static void outOfService(FrontDoor balancer, Controller which, JenkinsClient other) {
        assertEquals(200, other.post("ha/drain?controller=" + which.name(), Map.of()).statusCode());
        Eventually.until(
                "nothing is sent to " + which.name(),
                TwoControllers.SOON,
                () -> !balancer.sendsTo(which));
        Eventually.until(
                which.name() + " runs nothing any more",
                TwoControllers.SOON,
                () -> state(other, which.name()).equals("drained"));
    }

    private static void backInService(FrontDoor balancer, Controller which, TwoControllers two) {
        two.stage().awaitMembers(2, TwoControllers.SOON);
        Eventually.until(
                "requests go to " + which.name() + " again",
                TwoControllers.SOON,
                () -> balancer.sendsTo(which));
    }

    private static void assertEachBuiltOnce(JenkinsClient on, ConcurrentLinkedQueue<String> all) {
        TwoControllers.awaitNoItems(on, TwoControllers.SOON);
        Map<String, Integer> count = new TreeMap<>();
        Set<Integer> numbers = new TreeSet<>();
        JsonNode builds =
                on.json(
                                "job/load/api/json?tree=allBuilds[number,result,actions[parameters[value]]]")
                        .path("allBuilds");
        for (JsonNode build : builds) {
            assertEquals("SUCCESS", build.path("result").asText(), build::toString);
            count.merge(build.findValue("value").asText(), 1, Integer::sum);
            numbers.add(build.path("number").asInt());
        }
        assertEquals(builds.size(), numbers.size());
        assertEquals(new TreeSet<>(all), count.keySet());
        assertTrue(count.values().stream().allMatch(n -> n == 1), count::toString);
    }

    /** Triggers and looks at pages, all the time; each must succeed at the first try. */
    private static final class Load {
        private final JenkinsClient client;
        private final AtomicBoolean stop = new AtomicBoolean();
        private final ConcurrentLinkedQueue<String> triggered = new ConcurrentLinkedQueue<>();
        private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
        private final Set<String> served = new TreeSet<>();
        private final Thread thread = new Thread(this::run, "load");
        private int pages;

        Load(JenkinsClient client) {
            this.client = client;
            thread.setUncaughtExceptionHandler((t, e) -> failures.add(e.toString()));
        }

        void start() {
            thread.setDaemon(true);
            thread.start();
        }

        void stop() throws InterruptedException {
            stop.set(true);
            thread.join();
        }

        private void run() {
            for (int i = 0; !stop.get(); i++) {
                String p = "p" + i;
                check(201, client.post("job/load/buildWithParameters", Map.of("P", p)), p);
                HttpResponse<String> page = client.get("job/load/api/json?tree=nextBuildNumber");
                check(200, page, "a page");
                pages++;
                try {
                    Thread.sleep(PAUSE_MILLIS);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }

        private void check(int wanted, HttpResponse<String> answer, String what) {
            served.add(answer.headers().firstValue("X-Sent-To").orElse("nobody"));
            if (answer.statusCode() != wanted) {
                failures.add(what + ": " + answer.statusCode() + " " + answer.body());
            } else if (wanted == 201) {
                triggered.add(what);
            }
        }
    }

    private static boolean up(JenkinsClient client) {
        try {
            return client.get("ha-health/").statusCode() == 200;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    private static long epoch(JenkinsClient from, String name) {
        return member(from, name).path("epoch").asLong();
    }

    private static String state(JenkinsClient from, String name) {
        return member(from, name).path("state").asText();
    }

    private static JsonNode member(JenkinsClient from, String name) {
        for (JsonNode one : from.json("ha/api/json").path("controllers")) {
            if (one.path("name").asText().equals(name)) {
                return one;
            }
        }
        return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
    }

    private static JenkinsClient admin(Controller controller) {
        return controller.client().as("admin", token());
    }

    private static String token() {
        return JenkinsController.token("admin");
    }
}
