package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is triggered twice while it waits becomes one build, wherever the two came from. */
class FoldTest {
    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        pair = SecuredPair.open("fold");
        pair.createJob("plain", new FreestyleJob().quietSeconds(4).xml());
        pair.createJob("long", new FreestyleJob().quietSeconds(300).xml());
        pair.createJob(
                "parameters", new FreestyleJob().quietSeconds(4).concurrent().parameter("P").xml());
        pair.createJob("storm", new FreestyleJob().concurrent().parameter("P").xml());
        pair.createJob("stormy", new FreestyleJob().quietSeconds(3).xml());
    }

    @AfterEach
    void tidy() {
        pair.tidy(true, true);
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void triggeredOnBothInsideTheQuietPeriodItIsOneBuildWithBothCauses() {
        long onA = SecuredPair.as(pair.a, "alice").trigger("plain");
        long onB = pair.onB.trigger("plain");
        assertEquals(onA, onB);
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals(1, client.queue().path("items").size());
            Eventually.until(
                    "the item shows both causes on " + client.url(),
                    SecuredPair.SOON,
                    () -> users(client.queueItem(onA).orElseThrow()).equals(of("admin", "alice")));
        }
        int number = pair.onA.awaitBuildNumber(onA, SecuredPair.SOON);
        assertEquals(number, pair.onB.awaitBuildNumber(onA, SecuredPair.SOON));
        for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
            assertEquals("SUCCESS", client.awaitResult("plain", number, SecuredPair.SOON));
            assertEquals(of("admin", "alice"), users(client.build("plain", number).orElseThrow()));
            assertEquals(number, client.job("plain").path("builds").size());
        }
    }

    @Test
    void theSameUserTwiceIsCountedAsCoreCounts() {
        long first = SecuredPair.as(pair.a, "alice").trigger("plain");
        assertEquals(first, SecuredPair.as(pair.b, "alice").trigger("plain"));
        assertEquals(first, SecuredPair.as(pair.a, "alice").trigger("plain"));
        int number = pair.onA.awaitBuildNumber(first, SecuredPair.SOON);
        pair.onB.awaitResult("plain", number, SecuredPair.SOON);
        assertEquals(
                "3",
                SecuredPair.groovy(
                        pair.onB,
                        ("Jenkins.get().getItemByFullName('plain').getBuildByNumber(%d)"
                                        + ".getAction(CauseAction).causeBag.values().sum()")
                                .formatted(number)));
    }

    @Test
    void anEarlierTimeOnTheOtherControllerShortensTheWait() {
        long id = pair.onA.trigger("long");
        HttpResponse<String> now = pair.onB.post("job/long/build?delay=0sec", Map.of());
        assertEquals(201, now.statusCode());
        assertTrue(
                now.headers().firstValue("Location").orElseThrow().endsWith("/item/" + id + "/"));
        assertTrue(pair.onA.awaitBuildNumber(id, SecuredPair.SOON) > 0);
    }

    @Test
    void otherParametersAreAnotherBuildAndTheSameAreNot() {
        long one = pair.onA.trigger("parameters", Map.of("P", "one"));
        long two = pair.onB.trigger("parameters", Map.of("P", "two"));
        assertNotEquals(one, two);
        HttpResponse<String> again =
                SecuredPair.as(pair.b, "alice")
                        .post("job/parameters/buildWithParameters", Map.of("P", "one"));
        assertEquals(303, again.statusCode());
        assertTrue(
                again.headers()
                        .firstValue("Location")
                        .orElseThrow()
                        .endsWith("/item/" + one + "/"));
        for (long id : new long[] {one, two}) {
            int number = pair.onA.awaitBuildNumber(id, SecuredPair.SOON);
            pair.onB.awaitResult("parameters", number, SecuredPair.SOON);
            JsonNode build = pair.onB.build("parameters", number).orElseThrow();
            assertEquals(id == one ? of("admin", "alice") : of("admin"), users(build));
            assertTrue(build.toString().contains(id == one ? "\"one\"" : "\"two\""));
        }
        assertEquals(2, pair.onA.job("parameters").path("builds").size());
    }

    @Test
    void triggeredInTheSameMomentItIsOneBuildWithBothCauses() {
        pair.takes(false, false);
        TreeMap<Long, String> items = new TreeMap<>();
        int found = 0;
        for (int i = 0; i < 30; i++) {
            String value = "round " + i;
            long[] both =
                    atOnce(
                            () -> parameterized(SecuredPair.as(pair.a, "alice"), value),
                            () -> parameterized(pair.onB, value));
            assertEquals(both[0], both[1], value);
            items.put(both[0], value);
            found++;
        }
        assertEquals(30, items.size());
        pair.takes(true, true);
        for (Map.Entry<Long, String> item : items.entrySet()) {
            int number = pair.onA.awaitBuildNumber(item.getKey(), SecuredPair.SOON);
            pair.onB.awaitResult("storm", number, SecuredPair.SOON);
            JsonNode build = pair.onB.build("storm", number).orElseThrow();
            assertEquals(of("admin", "alice"), users(build), item.getValue());
            assertTrue(build.toString().contains("\"" + item.getValue() + "\""));
        }
        assertEquals(
                30,
                pair.onB
                        .json("job/storm/api/json?tree=allBuilds[number]")
                        .path("allBuilds")
                        .size());
        SecuredPair.figure("simultaneous-double-triggers-folded-of-30", found);
    }

    @Test
    void withoutParametersTooTriggeredInTheSameMoment() {
        for (int i = 0; i < 5; i++) {
            // Into a build that has begun nothing is folded, as on one Jenkins.
            pair.takes(false, false);
            long[] both =
                    atOnce(
                            () -> SecuredPair.as(pair.a, "alice").trigger("stormy"),
                            () -> pair.onB.trigger("stormy"));
            assertEquals(both[0], both[1]);
            pair.takes(true, true);
            int number = pair.onA.awaitBuildNumber(both[0], SecuredPair.SOON);
            pair.onA.awaitResult("stormy", number, SecuredPair.SOON);
            assertEquals(i + 1, number);
            assertEquals(
                    of("admin", "alice"), users(pair.onA.build("stormy", number).orElseThrow()));
        }
    }

    // ---- below

    /** The id out of the answer for a new item as well as for one that was there. */
    private static long parameterized(JenkinsClient client, String value) {
        HttpResponse<String> answer =
                client.post("job/storm/buildWithParameters", Map.of("P", value));
        return answer.headers()
                .firstValue("Location")
                .map(l -> Long.parseLong(l.replaceAll(".*/item/(\\d+)/?", "$1")))
                .orElseThrow(() -> new AssertionError(answer.statusCode() + " " + answer.body()));
    }

    private static long[] atOnce(LongSupplier left, LongSupplier right) {
        CyclicBarrier barrier = new CyclicBarrier(2);
        List<CompletableFuture<Long>> both =
                List.of(left, right).stream()
                        .map(
                                one ->
                                        CompletableFuture.supplyAsync(
                                                () -> {
                                                    try {
                                                        barrier.await();
                                                    } catch (Exception e) {
                                                        throw new IllegalStateException(e);
                                                    }
                                                    return one.getAsLong();
                                                }))
                        .toList();
        return both.stream().mapToLong(CompletableFuture::join).toArray();
    }

    private static TreeSet<String> of(String... users) {
        return new TreeSet<>(List.of(users));
    }

    /** Who is named as a cause. */
    private static TreeSet<String> users(JsonNode bearer) {
        TreeSet<String> users = new TreeSet<>();
        for (JsonNode action : bearer.path("actions")) {
            for (JsonNode cause : action.path("causes")) {
                users.add(cause.path("userId").asText());
            }
        }
        return users;
    }
}
