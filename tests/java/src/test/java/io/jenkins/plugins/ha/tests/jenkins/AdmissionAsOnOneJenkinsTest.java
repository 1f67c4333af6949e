package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.tests.jenkins.BesidePlain.Side;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What happens to a build between its trigger and its start is what happens on one Jenkins:
 * whatever plugins decide on it, and wherever it waits.
 */
class AdmissionAsOnOneJenkinsTest {
    private static final String EXTENSIONS = "io.jenkins.plugins.ha.extensions.";

    private static BesidePlain beside;

    @BeforeAll
    static void start() {
        beside = BesidePlain.start("admission", 2);
    }

    @AfterEach
    void tidy() {
        for (Side side : List.of(beside.plain(), beside.pair())) {
            side.script(
                    EXTENSIONS
                            + "Switches.clear(); Jenkins.get().numExecutors = 2;"
                            + " Jenkins.get().labelString = ''; Queue.instance.clear()");
        }
        beside.cluster().onBoth();
    }

    @AfterAll
    static void stop() {
        if (beside != null) {
            beside.close();
        }
    }

    // ---- decision handlers

    @Test
    void aHandlerThatRefusesWhatIsQueuedLetsTheFirstTriggerRun() {
        List<String> right =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("limited", new FreestyleJob().xml());
                            side.script(EXTENSIONS + "Deciding.forget()");
                            side.set("one-in-queue", "limited");
                            List<String> story = new ArrayList<>();
                            story.add("" + build(side.first(), "limited", "0sec"));
                            story.add(side.second().awaitResult("limited", 1, SOON));
                            story.addAll(told(side, "Deciding.asked()", "limited"));
                            return story;
                        });
        assertEquals(List.of("201", "SUCCESS", "limited by anonymous"), right);
    }

    @Test
    void itRefusesTheSecondTriggerWhileTheFirstWaitsWhereverItComes() {
        List<Integer> right =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("one", new FreestyleJob().xml());
                            side.set("one-in-queue", "one");
                            List<Integer> answers = new ArrayList<>();
                            answers.add(build(side.first(), "one", "300sec"));
                            awaitItems(side, "one", 1);
                            for (JenkinsClient client : side.each()) {
                                answers.add(build(client, "one", "0sec"));
                            }
                            if (!side.isCluster()) {
                                answers.add(build(side.second(), "one", "0sec"));
                            }
                            answers.add(items(side.first(), "one").size());
                            return answers;
                        });
        assertEquals(List.of(201, 1), List.of(right.get(0), right.get(3)));
    }

    @Test
    void aLabelThatAHandlerAddsSaysWhereTheBuildRuns() {
        beside.sameAsPlain(
                side -> {
                    side.createJob("placed", new FreestyleJob().xml());
                    script(side.second(), "Jenkins.get().labelString = 'apart'");
                    side.set("add-label", "placed=apart");
                    long id = side.first().trigger("placed");
                    int number = side.first().awaitBuildNumber(id, SOON);
                    return number + side.first().awaitResult("placed", number, SOON);
                });
        JsonNode build = beside.pair().second().build("placed", 1).orElseThrow();
        assertEquals("b", JenkinsClient.controllerOf(build));
    }

    @Test
    void whatAHandlerAddsTellsBuildsApartAndComesToTheBuild() {
        List<String> right =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("added", new FreestyleJob().concurrent().xml());
                            List<Long> ids = new ArrayList<>();
                            for (String value : List.of("one", "two", "one", "two")) {
                                side.set("add-parameter", "added=" + value);
                                JenkinsClient by =
                                        ids.size() % 2 == 0 ? side.first() : side.second();
                                var answer = by.post("job/added/build?delay=3sec", Map.of());
                                ids.add(idOf(answer.headers().firstValue("Location").orElse("")));
                            }
                            List<String> builds = new ArrayList<>();
                            builds.add("items " + new TreeSet<>(ids).size());
                            builds.add("again " + ids.get(0).equals(ids.get(2)));
                            for (int number = 1; number <= 2; number++) {
                                side.second().awaitResult("added", number, SOON);
                            }
                            builds.addAll(
                                    new TreeSet<>(
                                            List.of(
                                                    addedTo(side.second(), 1),
                                                    addedTo(side.second(), 2))));
                            return builds;
                        });
        assertEquals(List.of("items 2", "again true", "one", "two"), right);
    }

    // ---- folding

    @Test
    void whatIsTriggeredWhileABuildIsBlockedIsFoldedIntoIt() {
        assertEquals("1 build, 4 causes", beside.sameAsPlain(side -> foldedWhile(side, "block")));
    }

    @Test
    void whatIsTriggeredWhileABuildWaitsForANodeIsFoldedIntoIt() {
        assertEquals("1 build, 4 causes", beside.sameAsPlain(side -> foldedWhile(side, "untaken")));
    }

    @Test
    void otherParametersThanThoseOfABlockedBuildAreAnotherBuild() {
        List<String> right =
                beside.sameAsPlain(
                        side -> {
                            side.createJob(
                                    "other", new FreestyleJob().concurrent().parameter("P").xml());
                            side.set("block", "other");
                            side.first().trigger("other", Map.of("P", "1"));
                            awaitHeld(side, "other", 1);
                            side.second().trigger("other", Map.of("P", "2"));
                            awaitItems(side, "other", 2);
                            for (JenkinsClient client : side.each()) {
                                client.post("job/other/buildWithParameters", Map.of("P", "1"));
                            }
                            side.set("block", "");
                            side.first().awaitResult("other", 1, SOON);
                            side.first().awaitResult("other", 2, SOON);
                            return List.of(
                                    TwoControllers.builtPerParameter(side.first(), "other")
                                            .toString());
                        });
        assertEquals(List.of("{1=1, 2=1}"), right);
    }

    // ---- sorters

    @Test
    void whatTheSorterPutsFirstIsBuiltFirst() {
        Path go = beside.cluster().folder("go");
        beside.cluster().onlyOn("b");
        assertEquals(
                "0,5,3,2,1",
                beside.sameAsPlain(side -> builtInOrder(side, "sorted", true, go)),
                "any number at once");
        assertEquals(
                "0,5,3,2,1",
                beside.sameAsPlain(side -> builtInOrder(side, "in-turn", false, go)),
                "one at a time");
    }

    // ---- quiet periods

    @Test
    void anyQuietPeriodIsTakenAsCoreTakesIt() {
        Map<String, String> right =
                beside.sameAsPlain(
                        side -> {
                            Map<String, String> came = new TreeMap<>();
                            for (String delay :
                                    List.of(
                                            "-5sec",
                                            "0",
                                            "2147483647sec",
                                            "-2147483648sec",
                                            "99999999999999sec",
                                            "1hour",
                                            "soon",
                                            "")) {
                                String job = "quiet" + came.size();
                                side.createJob(job, new FreestyleJob().xml());
                                var answer =
                                        side.first()
                                                .post(
                                                        "job/" + job + "/build?delay=" + delay,
                                                        Map.of());
                                came.put(delay, answer.statusCode() + " " + fate(side, answer));
                            }
                            return came;
                        });
        assertEquals("201 runs", right.get("-5sec"));
        assertEquals("201 waits", right.get("2147483647sec"));
    }

    // ---- listeners

    @Test
    void listenersHearOnceThatABuildWaitsAndOnceThatItLeft() {
        List<String> right =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("heard", new FreestyleJob().xml());
                            side.createJob("undone", new FreestyleJob().xml());
                            side.createJob("held", new FreestyleJob().xml());
                            side.script(EXTENSIONS + "QueueStory.forget()");
                            side.first().awaitResult("heard", number(side, "heard"), SOON);
                            build(side.first(), "undone", "300sec");
                            awaitItems(side, "undone", 1);
                            side.second().cancel(items(side.second(), "undone").get(0));
                            side.set("block", "held");
                            side.first().trigger("held");
                            awaitHeld(side, "held", 1);
                            side.first().cancel(items(side.first(), "held").get(0));
                            return story(side, "heard", "undone", "held");
                        });
        assertEquals(
                List.of(
                        "left heard",
                        "left held cancelled",
                        "left undone cancelled",
                        "waiting heard",
                        "waiting held",
                        "waiting undone"),
                right);
    }

    @Test
    void whatIsHandedFromOneControllerToTheOtherIsHeardOfOnce() {
        List<String> right =
                beside.sameAsPlain(
                        side -> {
                            side.createJob("handed", new FreestyleJob().xml());
                            side.script(EXTENSIONS + "QueueStory.forget()");
                            side.set("block", "handed");
                            long id = side.first().trigger("handed");
                            awaitHeld(side, "handed", 1);
                            if (side.isCluster()) { // whoever has it has to give it to the other
                                String holder = holders(side, "handed").get(0);
                                beside.cluster().onlyOn(holder.equals("a") ? "b" : "a");
                                drain(holder, true);
                                Eventually.until(
                                        "the other has it",
                                        SOON,
                                        () -> !holders(side, "handed").equals(List.of(holder)));
                                awaitHeld(side, "handed", 1);
                                drain(holder, false);
                            }
                            side.set("block", "");
                            int number = side.first().awaitBuildNumber(id, SOON);
                            side.first().awaitResult("handed", number, SOON);
                            return story(side, "handed");
                        });
        assertEquals(List.of("left handed", "waiting handed"), right);
    }

    // ---- what stays

    @Test
    void aBuildWithMoreThanTheClusterHoldsIsBuiltAllTheSame() {
        String groovy =
                """
                def random = new Random(7)
                def text = new StringBuilder()
                25_000_000.times { text.append((char) (33 + random.nextInt(90))) }
                def job = Jenkins.get().getItemByFullName('large')
                println Queue.instance.schedule2(job, 0, [new ParametersAction(
                    new StringParameterValue('LARGE', text.toString()))]).created
                """;
        assertEquals(
                "true SUCCESS",
                beside.sameAsPlain(
                        side -> {
                            side.createJob("large", new FreestyleJob().xml());
                            String created = script(side.first(), groovy).strip();
                            return created + " " + side.first().awaitResult("large", 1, SOON);
                        }));
    }

    @Test
    void aBuildStaysWhereThePluginsParametersHaveTheirFiles() throws IOException {
        beside.cluster().onlyOn("b");
        Path temporary = Files.createTempFile(Path.of("/tmp"), "ha-parameter", ".txt");
        try {
            for (String value :
                    List.of(
                            "FileHeld('F', new File('" + temporary + "'))",
                            "FileNamed('F', '" + temporary + "')")) {
                String job = value.replaceAll("\\W.*", "");
                beside.sameAsPlain(
                        side -> {
                            side.createJob(job, new FreestyleJob().xml());
                            script(
                                    side.first(),
                                    "Queue.instance.schedule2(Jenkins.get().getItemByFullName('"
                                            + job
                                            + "'), 0, [new ParametersAction(new "
                                            + EXTENSIONS
                                            + value
                                            + ")])");
                            return side.first().awaitResult(job, 1, SOON);
                        });
                JsonNode build = beside.pair().second().build(job, 1).orElseThrow();
                assertEquals("a", JenkinsClient.controllerOf(build), job);
            }
        } finally {
            Files.delete(temporary);
        }
    }

    // ---- below

    private static int build(JenkinsClient on, String job, String delay) {
        return on.post("job/" + job + "/build?delay=" + delay, Map.of()).statusCode();
    }

    private static int number(Side side, String job) {
        return side.second().awaitBuildNumber(side.first().trigger(job), SOON);
    }

    private static long idOf(String location) {
        return Long.parseLong(location.replaceAll(".*/item/(\\d+)/?", "$1"));
    }

    /** What an extension wrote down about the job on all controllers, sorted. */
    private static List<String> told(Side side, String what, String... jobs) {
        List<String> lines = new ArrayList<>();
        for (JenkinsClient client : side.each()) {
            script(client, "println " + EXTENSIONS + what + ".join('\\n')")
                    .lines()
                    .filter(line -> List.of(jobs).stream().anyMatch(line::contains))
                    .forEach(lines::add);
        }
        lines.sort(null);
        return lines;
    }

    /** What listeners heard of the jobs, once they have heard the end of each. */
    private static List<String> story(Side side, String... jobs) {
        for (String job : jobs) {
            Eventually.until(
                    "the end of " + job + " is heard",
                    SOON,
                    () ->
                            told(side, "QueueStory.heard()", job).stream()
                                    .anyMatch(line -> line.startsWith("left")));
        }
        return told(side, "QueueStory.heard()", jobs);
    }

    private static String addedTo(JenkinsClient on, int number) {
        return script(
                        on,
                        ("println Jenkins.get().getItemByFullName('added').getBuildByNumber(%d)"
                                        + ".getAction(ParametersAction).allParameters*.value"
                                        + ".join(',')")
                                .formatted(number))
                .strip();
    }

    private static List<Long> items(JenkinsClient on, String job) {
        List<Long> ids = new ArrayList<>();
        for (JsonNode item : on.queue().path("items")) {
            if (item.path("task").path("name").asText().equals(job)) {
                ids.add(item.path("id").asLong());
            }
        }
        return ids;
    }

    private static void awaitItems(Side side, String job, int count) {
        for (JenkinsClient client : side.each()) {
            Eventually.until(
                    count + " of " + job + " wait on " + client.url(),
                    SOON,
                    () -> items(client, job).size() == count);
        }
    }

    /** Waits until so many are in the lists of a Jenkins, past the quiet period. */
    private static void awaitHeld(Side side, String job, int count) {
        Eventually.until(
                count + " of " + job + " are held", SOON, () -> holders(side, job).size() == count);
    }

    /** The controllers in whose own lists the job is, once for each item. */
    private static List<String> holders(Side side, String job) {
        String groovy =
                """
                def mine = hudson.model.Queue.getDeclaredField('snapshot').with {
                    accessible = true
                    get(Queue.instance)
                }
                println((mine.buildables + mine.blockedProjects).count { it.task.name == '%s' })
                """
                        .formatted(job);
        List<String> result = new ArrayList<>();
        for (JenkinsClient client : side.each()) {
            int count = Integer.parseInt(script(client, groovy).strip());
            for (int i = 0; i < count; i++) {
                result.add(client == side.first() ? "a" : "b");
            }
        }
        return result;
    }

    private static void drain(String controller, boolean drained) {
        script(
                beside.cluster().controller(controller).client(),
                "io.jenkins.plugins.ha.Membership.active().get().claimer().drain(" + drained + ")");
    }

    private static String foldedWhile(Side side, String how) {
        String job = "folded-" + how;
        side.createJob(job, new FreestyleJob().concurrent().xml());
        side.set(how, job);
        side.first().trigger(job);
        awaitHeld(side, job, 1);
        awaitItems(side, job, 1);
        side.first().trigger(job);
        side.second().trigger(job);
        side.first().trigger(job);
        side.set(how, "");
        side.second().awaitResult(job, 1, SOON);
        Eventually.until("nothing waits", SOON, () -> items(side.first(), job).isEmpty());
        String causes =
                script(
                                side.second(),
                                "println Jenkins.get().getItemByFullName('"
                                        + job
                                        + "').getBuildByNumber(1).getAction(CauseAction)"
                                        + ".causeBag.values().sum()")
                        .strip();
        int builds = side.first().job(job).path("builds").size();
        return builds + " build, " + causes + " causes";
    }

    /** The parameters, in the order of the builds: while 0 runs, 2, 1, 5 and 3 are triggered. */
    private static String builtInOrder(Side side, String job, boolean concurrent, Path go) {
        FreestyleJob sorted =
                new FreestyleJob()
                        .parameter("P")
                        .shell("[ $P != 0 ] || while [ ! -e " + go + " ]; do sleep 0.1; done");
        side.createJob(job, (concurrent ? sorted.concurrent() : sorted).xml());
        side.script("Jenkins.get().numExecutors = 1");
        for (JenkinsClient client : side.each()) {
            Eventually.until(
                    client.url() + " has one executor",
                    SOON,
                    () ->
                            script(client, "println Jenkins.get().toComputer().executors.size()")
                                    .strip()
                                    .equals("1"));
        }
        side.set("sort", "P");
        side.first().trigger(job, Map.of("P", "0"));
        TwoControllers.awaitRunning(side.second(), job, 1);
        for (String number : List.of("2", "1", "5", "3")) {
            side.first().trigger(job, Map.of("P", number));
        }
        awaitItems(side, job, 4);
        try {
            Files.createFile(go);
            side.second().awaitResult(job, 5, SOON);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            go.toFile().delete();
        }
        return script(
                        side.second(),
                        "println Jenkins.get().getItemByFullName('"
                                + job
                                + "').builds.reverse()*.getAction(ParametersAction)"
                                + "*.getParameter('P')*.value.join(',')")
                .strip();
    }

    /** What has become of what was answered. */
    private static String fate(Side side, HttpResponse<String> answer) {
        String location = answer.headers().firstValue("Location").orElse("");
        if (!location.contains("/item/")) {
            return "nothing";
        }
        long id = idOf(location);
        return Eventually.get(
                "what becomes of " + location,
                SOON,
                () -> {
                    JsonNode item = side.second().queueItem(id).orElse(null);
                    if (item == null) {
                        return Optional.empty();
                    }
                    if (item.path("executable").path("number").asInt() > 0) {
                        return Optional.of("runs");
                    }
                    boolean waits =
                            item.path("timestamp").asLong() > System.currentTimeMillis() + 600_000;
                    return waits ? Optional.of("waits") : Optional.empty();
                });
    }
}
