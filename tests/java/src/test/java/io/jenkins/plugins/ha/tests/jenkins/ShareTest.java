package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Many builds triggered on a alone: both controllers run them, once each, in order. */
class ShareTest {
    private static final int EXECUTORS = 2;
    private static final Duration DRAINED = Duration.ofMinutes(5);

    private static TwoControllers two;

    /**
     * A build, as the job's history tells it.
     *
     * @param parameter the value of P
     * @param causes all short descriptions
     */
    private record Built(
            int number,
            long item,
            String parameter,
            List<String> causes,
            String controller,
            String result,
            long duration) {}

    @BeforeAll
    static void start() {
        two = TwoControllers.start("share", EXECUTORS);
    }

    @AfterAll
    static void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void threeHundredBuildsAreSharedAndRunOnceEachInOrder() throws IOException {
        int count = 300;
        Path ran = job("many", new FreestyleJob().concurrent(), "");
        // What a JVM does for the first time takes longer than later.
        trigger("warm", "many", 20);
        awaitAll("many", 20);

        long start = System.nanoTime();
        List<Long> items = trigger("one of many", "many", count);
        double triggered = seconds(start);
        List<Built> builds = awaitAll("many", 20 + count).subList(20, 20 + count);
        double done = seconds(start);
        figure("300 builds: triggers", triggered, "s");
        figure("300 builds: first trigger to last end", done, "s");
        figure("300 builds: builds per second", count / done, "1/s");

        assertOnceEach(builds, items, "one of many", 20);
        assertOnceEach(ran, count);
        Map<String, Integer> shares = new TreeMap<>();
        builds.forEach(build -> shares.merge(build.controller(), 1, Integer::sum));
        shares.forEach((name, share) -> figure("300 builds: share of " + name, share, "builds"));
        assertEquals(2, shares.size(), shares::toString);
        shares.forEach((name, share) -> assertTrue(share >= count * 0.3, shares::toString));

        // Numbers are given at the start. Both controllers start what they took at the same time,
        // so a build may start before older ones, but never before more than the executors hold.
        int most = 0;
        for (int i = 0; i < count; i++) {
            long item = builds.get(i).item();
            int overtaken =
                    (int) builds.stream().skip(i).filter(later -> later.item() < item).count();
            most = Math.max(most, overtaken);
        }
        figure("300 builds: most older ones that a build overtook", most, "builds");
        assertTrue(most < 2 * EXECUTORS, "a build was started before " + most + " older ones");
    }

    @Test
    void buildsOfAJobThatForbidsConcurrentOnesStartExactlyInTheOrderOfTheirTriggers()
            throws IOException {
        int count = 60;
        // Takes turns with itself: the folder can only be made while nobody else has it.
        Path alone = two.folder("alone");
        Path ran =
                job(
                        "strict",
                        new FreestyleJob(),
                        "mkdir '" + alone + "' && sleep 0.1 && rmdir '" + alone + "'");
        long start = System.nanoTime();
        List<Long> items = trigger("strictly", "strict", count);
        List<Built> builds = awaitAll("strict", count);
        figure("60 builds one after the other: first trigger to last end", seconds(start), "s");
        long busy = builds.stream().mapToLong(Built::duration).sum();
        figure(
                "60 builds one after the other: between the end of one and the start of the next",
                (seconds(start) * 1000 - busy) / count,
                "ms");
        assertOnceEach(builds, items, "strictly", 0);
        assertOnceEach(ran, count);
        for (int i = 0; i < count; i++) {
            assertEquals(items.get(i), builds.get(i).item(), "build " + (i + 1));
        }
        List<String> order = Files.readAllLines(ran);
        assertEquals(IntStream.rangeClosed(1, count).mapToObj(i -> i + " " + i).toList(), order);
        Map<String, Integer> shares = new TreeMap<>();
        builds.forEach(build -> shares.merge(build.controller(), 1, Integer::sum));
        shares.forEach((name, share) -> figure("60 builds: share of " + name, share, "builds"));
    }

    /** A job with parameter P whose builds leave a line each in the file that is returned. */
    private static Path job(String name, FreestyleJob job, String shell) throws IOException {
        Path ran = Files.createFile(two.folder(name + ".ran"));
        String record = "echo \"$P $BUILD_NUMBER\" >> '" + ran + "'";
        two.createJob(
                name,
                job.parameter("P")
                        .shell(shell.isEmpty() ? record : record + " && " + shell)
                        .xml()
                        .replace("<builders>", "<authToken>tok</authToken><builders>"));
        return ran;
    }

    /** Triggers builds on a, one after the other, and returns their queue ids. */
    private static List<Long> trigger(String cause, String job, int count) {
        JenkinsClient a = two.a();
        List<Long> items = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            String cause1 = (cause + " " + i).replace(' ', '+');
            HttpResponse<String> answer =
                    a.get(
                            "job/%s/buildWithParameters?token=tok&cause=%s&P=%d"
                                    .formatted(job, cause1, i));
            assertEquals(201, answer.statusCode());
            String location = answer.headers().firstValue("Location").orElseThrow();
            items.add(Long.valueOf(location.replaceAll(".*/item/(\\d+)/", "$1")));
        }
        assertEquals(items.stream().sorted().distinct().toList(), items);
        return items;
    }

    /** Waits until so many have ended, as both controllers see it; in the order of numbers. */
    private static List<Built> awaitAll(String job, int count) {
        List<Built> onA = awaitAll(two.a(), job, count);
        List<Built> onB = awaitAll(two.b(), job, count);
        assertEquals(onA, onB, "both controllers tell the same history");
        return onA;
    }

    private static List<Built> awaitAll(JenkinsClient client, String job, int count) {
        Eventually.until(
                count + " builds of " + job + " have ended on " + client.url(),
                DRAINED,
                () ->
                        TwoControllers.permalink(client, job, "lastBuild") >= count
                                && ended(client, job, count));
        List<Built> builds = new ArrayList<>(history(client, job));
        assertEquals(count, builds.size());
        return builds;
    }

    private static boolean ended(JenkinsClient client, String job, int count) {
        JsonNode builds =
                client.json("job/" + job + "/api/json?tree=allBuilds[building]").path("allBuilds");
        for (JsonNode build : builds) {
            if (build.path("building").asBoolean()) {
                return false;
            }
        }
        return builds.size() >= count;
    }

    private static List<Built> history(JenkinsClient client, String job) {
        String fields =
                "allBuilds[number,queueId,result,duration,actions[haController,parameters[name,value],causes[shortDescription]]]";
        List<Built> builds = new ArrayList<>();
        for (JsonNode build :
                client.json("job/" + job + "/api/json?tree=" + fields).path("allBuilds")) {
            List<String> parameters = new ArrayList<>();
            List<String> causes = new ArrayList<>();
            for (JsonNode action : build.path("actions")) {
                for (JsonNode parameter : action.path("parameters")) {
                    parameters.add(
                            parameter.path("name").asText()
                                    + "="
                                    + parameter.path("value").asText());
                }
                for (JsonNode cause : action.path("causes")) {
                    causes.add(cause.path("shortDescription").asText());
                }
            }
            builds.add(
                    0,
                    new Built(
                            build.path("number").asInt(),
                            build.path("queueId").asLong(),
                            String.join(",", parameters),
                            causes,
                            JenkinsClient.controllerOf(build),
                            build.path("result").asText(),
                            build.path("duration").asLong()));
        }
        return builds;
    }

    /** Every trigger has one build with its parameter and cause, and every number is used once. */
    private static void assertOnceEach(
            List<Built> builds, List<Long> items, String cause, int before) {
        Map<Long, Integer> triggers = new TreeMap<>();
        for (int i = 0; i < items.size(); i++) {
            triggers.put(items.get(i), i + 1);
        }
        for (int i = 0; i < builds.size(); i++) {
            Built build = builds.get(i);
            assertEquals(before + i + 1, build.number());
            assertEquals("SUCCESS", build.result(), build::toString);
            Integer trigger = triggers.remove(build.item());
            assertFalse(trigger == null, () -> build + " has no trigger, or a second build");
            assertEquals("P=" + trigger, build.parameter());
            assertEquals(
                    List.of("Started by remote host 127.0.0.1 with note: " + cause + " " + trigger),
                    build.causes());
        }
        assertTrue(triggers.isEmpty(), triggers::toString);
    }

    /** What the builds themselves did. */
    private static void assertOnceEach(Path ran, int count) throws IOException {
        List<String> lines = Files.readAllLines(ran);
        List<String> last = lines.subList(lines.size() - count, lines.size());
        assertEquals(count, last.stream().map(line -> line.split(" ")[0]).distinct().count());
        assertEquals(
                lines.size(), lines.stream().map(line -> line.split(" ")[1]).distinct().count());
    }

    private static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }
}
