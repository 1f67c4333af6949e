package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.tests.jenkins.BesidePlain.Side;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What the {@code lock} step can be told, and what people do on the page of the locks, comes to the
 * same in a cluster, where those who want them run on both controllers, as on one plain Jenkins.
 */
@LongTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LockOptionsTest {
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final String LOCKS =
            "def m = org.jenkins.plugins.lockableresources.LockableResourcesManager.get()\n";

    private BesidePlain beside;

    @BeforeAll
    void start() {
        beside =
                BesidePlain.start(
                        "lock-options",
                        4,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "lockable-resources",
                        "pipeline-input-step");
    }

    @AfterAll
    void stop() {
        if (beside != null) {
            beside.close();
        }
    }

    /** Who has entered a lock and has not left it, in the order of entering. */
    private final class Play {
        final Side side;
        final Map<String, String> got = new LinkedHashMap<>();
        private final Map<String, Boolean> jobs = new LinkedHashMap<>(); // whether on the second

        Play(Side side) {
            this.side = side;
        }

        /** Begins on one controller or the other; what it says then is awaited. */
        void begin(boolean second, String job, String lock, String says) {
            side.createJob(
                    job,
                    JobXml.pipeline(
                            "lock("
                                    + lock
                                    + ") { echo \"has [${env.GOT}]\"; input 'goes on?' }\n"
                                    + "echo 'after it'"));
            if (side.isCluster()) {
                beside.cluster().onlyOn(second ? "b" : "a");
            }
            jobs.put(job, second);
            on(job).trigger(job);
            Eventually.until(
                    job + " says " + says,
                    LONG,
                    () ->
                            on(job).build(job, 1).isPresent()
                                    && on(job).console(job, 1).contains(says));
        }

        void waits(boolean second, String job, String lock) {
            begin(second, job, lock, "waiting for execution");
        }

        void enters(boolean second, String job, String lock) {
            begin(second, job, lock, "goes on?");
            entered(job);
        }

        private void entered(String job) {
            String log = on(job).console(job, 1);
            got.put(
                    job,
                    log.substring(
                            log.indexOf("has [") + 5, log.indexOf("]", log.indexOf("has ["))));
        }

        /** It leaves; who enters thereby, {@code number} of them, is noted. */
        void leaves(String job, int number) {
            PipelineState.proceed(on(job), job, 1);
            assertEquals("SUCCESS", on(job).awaitResult(job, 1, LONG));
            enter(number);
        }

        /** So many who have waited enter. */
        void enter(int number) {
            int before = got.size();
            Eventually.until(
                    number + " more enter, after " + got,
                    LONG,
                    () -> {
                        for (String job : jobs.keySet()) {
                            if (!got.containsKey(job)
                                    && on(job).hasJob(job)
                                    && on(job).console(job, 1).contains("goes on?")) {
                                entered(job);
                            }
                        }
                        return got.size() >= before + number;
                    });
        }

        JenkinsClient on(String job) {
            return jobs.get(job) ? side.second() : side.first();
        }

        /** Each of these resources as all controllers show it once they show the same. */
        Map<String, String> resources(String prefix) {
            List<Map<String, String>> last = new ArrayList<>();
            Eventually.until(
                    "all show the same",
                    LONG,
                    () -> {
                        last.clear();
                        side.each().forEach(each -> last.add(shown(each, prefix)));
                        return last.stream().distinct().count() == 1;
                    });
            return last.get(0);
        }

        private Map<String, String> shown(JenkinsClient each, String prefix) {
            Map<String, String> all = new TreeMap<>();
            for (JsonNode one : each.json("lockable-resources/api/json").path("resources")) {
                if (one.path("name").asText().startsWith(prefix)) {
                    all.put(
                            one.path("name").asText(),
                            one.path("buildName").asText("")
                                    + " / "
                                    + one.path("reservedBy").asText("")
                                    + " / "
                                    + one.path("note").asText(""));
                }
            }
            return all;
        }

        /** On the second controller, as a script of an admin. */
        String script(String groovy) {
            return TwoControllers.script(side.second(), LOCKS + groovy);
        }

        /** A button of the page, pressed on the first controller. */
        void press(String button, Map<String, String> fields) {
            int status = side.first().post("lockable-resources/" + button, fields).statusCode();
            assertEquals(true, status < 400, button + ": " + status);
        }
    }

    @Test
    void theOrderIsThatOfPrioritiesAndInversePrecedence() {
        Map<String, String> order =
                beside.sameAsPlain(
                        side -> {
                            Play play = new Play(side);
                            play.enters(true, "o-h", "resource: 'o'");
                            play.waits(false, "o-1", "resource: 'o'");
                            play.waits(true, "o-2", "resource: 'o', priority: 5");
                            play.waits(false, "o-3", "resource: 'o', priority: -1");
                            play.waits(true, "o-4", "resource: 'o', inversePrecedence: true");
                            play.waits(false, "o-5", "resource: 'o', priority: 5");
                            play.waits(true, "o-6", "resource: 'o'");
                            play.begin(
                                    false,
                                    "o-7",
                                    "resource: 'o', skipIfLocked: true, priority: 9",
                                    "skipping execution");
                            for (int i = 0; i < 6; i++) {
                                List<String> so = new ArrayList<>(play.got.keySet());
                                play.leaves(so.get(so.size() - 1), 1);
                            }
                            List<String> so = new ArrayList<>(play.got.keySet());
                            play.leaves(so.get(so.size() - 1), 0);
                            return numbered(play.got);
                        });
        assertEquals(
                List.of("1 o-h", "2 o-4", "3 o-2", "4 o-5", "5 o-1", "6 o-6", "7 o-3"),
                List.copyOf(order.keySet()));
    }

    @Test
    void quantitiesOfALabelAndExtraResourcesAreGivenTogetherOrNotAtAll() {
        beside.sameAsPlain(
                side -> {
                    Play play = new Play(side);
                    play.script(
                            "(1..3).each { m.createResourceWithLabel('q' + it, 'q') }\n"
                                    + "(1..2).each { m.createResourceWithLabel('x' + it, 'x') }");
                    Eventually.until("they are there", LONG, () -> play.resources("x").size() == 2);
                    play.enters(true, "q-h", "label: 'q', quantity: 2, variable: 'GOT'");
                    play.waits(false, "q-two", "label: 'q', quantity: 2, variable: 'GOT'");
                    play.enters(
                            true,
                            "q-one",
                            "label: 'q', quantity: 1, variable: 'GOT', skipIfLocked: true");
                    play.waits(false, "q-all", "label: 'q', variable: 'GOT'");
                    play.waits(
                            true,
                            "q-extra",
                            "resource: 'x1', extra: [[label: 'q', quantity: 1], [resource: 'x2']],"
                                    + " variable: 'GOT'");
                    play.enters(false, "q-x2", "resource: 'x2', variable: 'GOT'");
                    Map<String, String> first = play.resources("q");
                    play.leaves("q-one", 0);
                    play.leaves("q-x2", 1);
                    play.leaves("q-extra", 0);
                    play.leaves("q-h", 1);
                    play.leaves("q-two", 1);
                    Map<String, String> all = play.resources("q");
                    play.leaves("q-all", 0);
                    return List.of(
                            numbered(play.got),
                            first,
                            all,
                            play.resources("q"),
                            play.resources("x"));
                });
    }

    @Test
    void theButtonsOfThePageDoTheSameWhoeverHolds() {
        beside.sameAsPlain(
                side -> {
                    Play play = new Play(side);
                    List<Object> seen = new ArrayList<>();
                    play.script("m.createResourceWithLabel('p', 'pp')");
                    play.enters(true, "p-h", "resource: 'p', variable: 'GOT'");
                    play.waits(false, "p-1", "resource: 'p', variable: 'GOT'");
                    play.waits(true, "p-2", "resource: 'p', variable: 'GOT'");
                    play.waits(false, "p-3", "resource: 'p', variable: 'GOT'");
                    seen.add(play.script("print m.reserve([m.fromName('p')], 'alice')"));
                    play.press("saveNote", Map.of("resource", "p", "note", "is slow"));
                    seen.add(play.resources("p"));
                    String third =
                            play.script(
                                    "print m.currentQueuedContext.find { it.build.parent.name =="
                                            + " 'p-3' }.id");
                    play.press("changeQueueOrder", Map.of("id", third, "index", "1"));
                    play.press("unlock", Map.of("resource", "p"));
                    play.enter(1);
                    seen.add(play.resources("p"));
                    play.leaves("p-h", 0); // which holds it no more
                    seen.add(play.resources("p"));
                    seen.add(play.script("print m.steal([m.fromName('p')], 'alice')"));
                    seen.add(play.resources("p"));
                    play.leaves("p-3", 0);
                    seen.add(play.script("m.reassign([m.fromName('p')], 'bob'); print 'done'"));
                    seen.add(play.resources("p"));
                    play.script("m.unreserve([m.fromName('p')])");
                    play.enter(1);
                    seen.add(play.resources("p"));
                    play.press("reset", Map.of("resource", "p"));
                    seen.add(play.resources("p"));
                    String last = new ArrayList<>(play.got.keySet()).get(2);
                    play.leaves(last, 1);
                    String rest = new ArrayList<>(play.got.keySet()).get(3);
                    play.leaves(rest, 0);
                    seen.add(play.resources("p"));
                    seen.add(numbered(play.got));
                    return seen;
                });
    }

    @Test
    void whatABuildHeldOrWaitedForThatIsDeletedIsNobodys() {
        beside.sameAsPlain(
                side -> {
                    Play play = new Play(side);
                    play.enters(true, "d-h", "resource: 'd', variable: 'GOT'");
                    play.waits(false, "d-gone", "resource: 'd', variable: 'GOT'");
                    play.waits(true, "d-1", "resource: 'd', variable: 'GOT'");
                    play.waits(false, "d-2", "resource: 'd', variable: 'GOT'");
                    side.second().deleteJob("d-gone");
                    Eventually.until(
                            "it is gone",
                            LONG,
                            () -> side.each().stream().noneMatch(one -> one.hasJob("d-gone")));
                    side.first().deleteJob("d-h");
                    play.enter(1);
                    Map<String, String> held = play.resources("d");
                    side.second().stop("d-2", 1);
                    side.first().awaitResult("d-2", 1, LONG);
                    play.leaves("d-1", 0);
                    return List.of(numbered(play.got), held, play.resources("d"));
                });
    }

    /** Entries in their order, which a map does not compare. */
    private static Map<String, String> numbered(Map<String, String> got) {
        Map<String, String> result = new LinkedHashMap<>();
        got.forEach((job, what) -> result.put((result.size() + 1) + " " + job, what));
        return result;
    }
}
