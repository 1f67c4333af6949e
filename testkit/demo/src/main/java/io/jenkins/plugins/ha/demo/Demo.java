package io.jenkins.plugins.ha.demo;

import static io.jenkins.plugins.ha.demo.Promises.demand;
import static io.jenkins.plugins.ha.demo.Promises.seconds;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/**
 * Two controllers, one queue, in under two minutes: builds are triggered on one, run on both, are
 * seen, aborted, cancelled and deleted from the other; then one is killed. Ends with 0 when every
 * promise was kept. {@code --keep} leaves all running until Ctrl-C; {@code --stand-ins} takes
 * stand-ins even where a Jenkins is at hand.
 */
public final class Demo {
    private static final int BUILDS = 8;
    private static final Duration NOTICED = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String HELLO = "hello";
    private static final String LONG = "long";
    private static final String LATER = "later";

    private final Promises promises = new Promises();
    private final Controller first;
    private final Controller second;
    private final JenkinsClient a;
    private final JenkinsClient b;
    private final Board board;
    private final Page page;

    private Demo(Stage stage, String cast) {
        first = stage.controllers().get(0);
        second = stage.controllers().get(1);
        a = first.client();
        b = second.client();
        board = new Board(a);
        page =
                new Page(
                        Checkout.target().resolve("demo").resolve("index.html"),
                        cast,
                        stage.controllers());
    }

    /** See the class. */
    public static void main(String[] args) throws IOException {
        List<String> options = Arrays.asList(args);
        boolean kept = false;
        try (Stage stage = Stage.open("demo")) {
            String cast = cast(stage, options.contains("--stand-ins"));
            System.out.println("HA Jenkins demo: " + cast);
            long start = System.nanoTime();
            stage.redis().start();
            stage.startControllers();
            System.out.println(
                    "Up after " + seconds(Duration.ofNanos(System.nanoTime() - start)) + ":");
            System.out.println("  Redis         " + stage.redis().url());
            for (Controller controller : stage.controllers()) {
                System.out.printf("  controller %-2s %s%n", controller.name(), controller.url());
            }
            Demo demo = new Demo(stage, cast);
            System.out.println("  as a page     file://" + demo.page.file());
            try (Death death = new Death(stage, demo.promises, demo.board, () -> demo.show(true))) {
                demo.play(stage);
                demo.kill(death);
                kept = demo.promises.kept();
                demo.summary();
                System.out.println(
                        "  took " + seconds(Duration.ofNanos(System.nanoTime() - start)));
                if (options.contains("--keep")) {
                    demo.stay();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (AssertionError | RuntimeException e) {
            String.valueOf(e.getMessage()).lines().limit(3).forEach(System.err::println);
            System.err.println("The demo ends here; logs: target/stage-logs/demo");
        }
        System.exit(kept ? 0 : 1);
    }

    /** Puts two controllers on the stage; says in one line which. */
    private static String cast(Stage stage, boolean standins) {
        JenkinsWar.Search search = JenkinsWar.search();
        String reason =
                standins
                        ? "--stand-ins"
                        : search.war().isEmpty()
                                ? search.explanation()
                                : Checkout.plugin().isEmpty()
                                        ? "target/ha-jenkins.hpi is not built (make hpi)"
                                        : "";
        for (String name : List.of("a", "b")) {
            if (reason.isEmpty()) {
                JenkinsController jenkins = stage.addJenkins(search.war().orElseThrow(), name);
                jenkins.executors(2).quietSeconds(0);
                // By it the controllers pass on agents to each other.
                jenkins.environment("HA_JENKINS_URL", jenkins.url().toString());
                if (withPipelines(search)) {
                    jenkins.plugins(Death.PLUGINS.toArray(String[]::new));
                }
            } else {
                stage.addStandin(name).executors(2);
            }
        }
        return reason.isEmpty()
                ? "two of " + search.explanation()
                : "two stand-ins without Jenkins, because: " + reason;
    }

    /** Whether the plugins of Pipelines are beside the war. */
    private static boolean withPipelines(JenkinsWar.Search search) {
        try {
            search.war().orElseThrow().pluginsWithDependencies(Death.PLUGINS);
            return true;
        } catch (IllegalStateException e) { // says which is missing
            return false;
        }
    }

    private void kill(Death death) {
        title(first.name() + " is killed: what do users notice?");
        if (!(first instanceof JenkinsController)) {
            System.out.println("  left out: it takes a real Jenkins");
        } else if (!withPipelines(JenkinsWar.search())) {
            System.out.println(
                    "  left out: the plugins of Pipelines ("
                            + String.join(", ", Death.PLUGINS)
                            + ") are not beside the war");
        } else {
            death.play(HELLO);
        }
        show(false);
    }

    private void show(boolean running) {
        page.write(board.rows(), promises.all(), running);
    }

    /** Until Ctrl-C, which ends what was started. */
    private void stay() throws InterruptedException {
        title("All is still running. Click through it:");
        System.out.println("  the cluster   " + second.url() + "manage/ha/");
        System.out.println("  the jobs      " + first.url() + "  and  " + second.url());
        System.out.println("Ctrl-C ends it.");
        new CountDownLatch(1).await();
    }

    private void play(Stage stage) {
        page.write(board.rows(), promises.all(), true);
        if (!promises.check("both controllers have joined", () -> joined(stage))) {
            return;
        }
        title("Jobs are created on " + first.name());
        a.createJob(
                HELLO,
                new FreestyleJob()
                        .concurrent()
                        .parameter("N")
                        .shell(
                                "for step in 1 2 3 4 5; do echo \"build $N, step $step\"; sleep"
                                        + " 0.5; done")
                        .xml());
        a.createJob(
                LONG,
                new FreestyleJob()
                        .shell("for s in $(seq 120); do echo second $s; sleep 1; done")
                        .xml());
        a.createJob(LATER, new FreestyleJob().quietSeconds(600).xml());
        knownOnBoth(List.of(HELLO, LONG, LATER));

        title(
                BUILDS
                        + " builds are triggered on "
                        + first.name()
                        + ", which controller runs them?");
        List<Long> ids = new ArrayList<>();
        promises.check("each trigger is accepted with a queue id", () -> triggerAll(ids));
        promises.check("each queue item is known on both controllers", () -> knownItems(ids));
        promises.check("all of them end", this::watch);
        promises.check("each trigger became exactly one build", () -> onceEach(ids));
        promises.check("both controllers ran some of them", this::shared);
        promises.check("history, results and logs are the same on both", () -> sameOnBoth(ids));

        title("A running build is followed and aborted from the other controller");
        promises.check(
                "a build is seen running, with a growing log, where it does not run", this::follow);
        promises.check("aborted from the other controller within a second", this::abort);

        title("A waiting build is cancelled on the controller that did not accept it");
        promises.check("cancelled: gone on both, never run", this::cancel);

        title("A build is deleted on the controller that did not run it");
        promises.check("deleted: gone on both", () -> delete(ids));
        show(true);
    }

    private static String joined(Stage stage) {
        stage.awaitMembers(stage.controllers().size(), Duration.ofSeconds(10));
        return "cluster " + stage.cluster();
    }

    private String triggerAll(List<Long> ids) {
        long start = System.nanoTime();
        for (int i = 1; i <= BUILDS; i++) {
            long id = a.trigger(HELLO, Map.of("N", Integer.toString(i)));
            ids.add(id);
            board.add(HELLO, id);
        }
        return BUILDS + " in " + seconds(Duration.ofNanos(System.nanoTime() - start));
    }

    private String knownItems(List<Long> ids) {
        demand(ids.size() == BUILDS, "only " + ids.size() + " items to know");
        Duration slowest = Duration.ZERO;
        for (long id : ids) {
            Duration took =
                    Eventually.until(
                            "item " + id + " on " + second.name(),
                            NOTICED,
                            () -> b.queueItem(id).isPresent());
            demand(a.queueItem(id).isPresent(), "item " + id + " is not on " + first.name());
            slowest = took.compareTo(slowest) > 0 ? took : slowest;
        }
        return "after at most " + seconds(slowest);
    }

    /** Shows the table until all have ended. */
    private String watch() {
        board.draw();
        Duration took =
                Eventually.until(
                        "all builds have ended",
                        PATIENCE,
                        () -> {
                            if (board.refresh()) {
                                board.draw();
                                page.write(board.rows(), promises.all(), true);
                            }
                            return board.rows().stream().allMatch(Board.Row::ended);
                        });
        board.finish();
        return "after " + seconds(took);
    }

    private String onceEach(List<Long> ids) {
        demand(ids.size() == BUILDS, "only " + ids.size() + " triggers");
        List<Integer> numbers =
                board.rows().stream().map(Board.Row::number).sorted().distinct().toList();
        demand(numbers.size() == ids.size(), "numbers " + numbers);
        int builds = a.job(HELLO).path("builds").size();
        demand(builds == ids.size(), builds + " builds");
        demand(
                board.rows().stream().allMatch(row -> row.state().equals("SUCCESS")),
                "not all are SUCCESS");
        return "#" + numbers.get(0) + " to #" + numbers.get(numbers.size() - 1);
    }

    private String shared() {
        Map<String, Long> counts =
                board.rows().stream()
                        .collect(
                                Collectors.groupingBy(
                                        Board.Row::controller, Collectors.counting()));
        demand(
                counts.containsKey(first.name()) && counts.containsKey(second.name()),
                "ran on " + counts);
        return counts.entrySet().stream()
                .map(e -> e.getKey() + " ran " + e.getValue())
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private String sameOnBoth(List<Long> ids) {
        demand(ids.size() == BUILDS, "only " + ids.size() + " builds to compare");
        for (Board.Row row : board.rows()) {
            JsonNode onA = a.build(HELLO, row.number()).orElseThrow();
            JsonNode onB =
                    b.awaitBuild(
                            HELLO,
                            row.number(),
                            "has ended",
                            NOTICED,
                            x -> !x.path("building").asBoolean());
            for (String field : List.of("result", "duration", "queueId", "timestamp")) {
                demand(
                        onA.path(field).equals(onB.path(field)),
                        "#" + row.number() + " differs in " + field);
            }
            demand(
                    a.console(HELLO, row.number()).equals(b.console(HELLO, row.number())),
                    "#" + row.number() + " differs in its log");
        }
        return ids.size() + " compared";
    }

    /** The long build that runs: its number, who runs it, and who does not. */
    private record Running(int number, Controller owner, Controller other) {}

    private Optional<Running> running = Optional.empty();

    private String follow() {
        long id = a.trigger(LONG);
        board.add(LONG, id);
        int number = a.awaitBuildNumber(id, PATIENCE);
        JsonNode build =
                a.awaitBuild(
                        LONG,
                        number,
                        "tells its controller",
                        NOTICED,
                        x -> !JenkinsClient.controllerOf(x).isEmpty());
        boolean onFirst = JenkinsClient.controllerOf(build).equals(first.name());
        Running now = new Running(number, onFirst ? first : second, onFirst ? second : first);
        running = Optional.of(now);
        board.refresh();
        page.write(board.rows(), promises.all(), true);
        JenkinsClient other = now.other().client();
        Duration seen =
                Eventually.until(
                        "seen running on " + now.other().name(),
                        NOTICED,
                        () ->
                                other.build(LONG, number)
                                        .map(x -> x.path("building").asBoolean())
                                        .orElse(false));
        JenkinsClient.LogPiece before = other.log(LONG, number, 0);
        demand(before.more(), "the log is said to be complete");
        Duration grew =
                Eventually.until(
                        "the log grows",
                        Duration.ofSeconds(3),
                        () -> other.log(LONG, number, before.next()).next() > before.next());
        return "runs on %s, seen on %s after %s, next line after %s"
                .formatted(now.owner().name(), now.other().name(), seconds(seen), seconds(grew));
    }

    private String abort() {
        Running now = running.orElseThrow(() -> new AssertionError("no build to abort"));
        long start = System.nanoTime();
        int status = now.other().client().stop(LONG, now.number());
        demand(status < 400, "stop answers " + status);
        for (Controller controller : List.of(now.owner(), now.other())) {
            String result =
                    controller.client().awaitResult(LONG, now.number(), NOTICED.plusMillis(500));
            demand(result.equals("ABORTED"), result + " on " + controller.name());
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        demand(took.compareTo(NOTICED) <= 0, "took " + seconds(took));
        board.refresh();
        return "from %s, ended on both after %s".formatted(now.other().name(), seconds(took));
    }

    private String cancel() {
        long id = a.trigger(LATER);
        board.add(LATER, id);
        Eventually.until("waits on " + second.name(), NOTICED, () -> b.queueItem(id).isPresent());
        long start = System.nanoTime();
        int status = b.cancel(id);
        demand(status < 400, "cancelItem answers " + status);
        for (JenkinsClient client : List.of(b, a)) {
            Eventually.until(
                    "cancelled on " + client.url(),
                    NOTICED,
                    () ->
                            client.queueItem(id)
                                    .map(i -> i.path("cancelled").asBoolean())
                                    .orElse(false));
            for (JsonNode item : client.queue().path("items")) {
                demand(item.path("id").asLong() != id, "still in the queue of " + client.url());
            }
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        demand(a.job(LATER).path("builds").isEmpty(), "it has a build");
        board.refresh();
        return "after " + seconds(took);
    }

    private String delete(List<Long> ids) {
        Board.Row row =
                board.rows().stream()
                        .filter(
                                r ->
                                        ids.contains(r.queueId())
                                                && r.controller().equals(second.name()))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError(second.name() + " ran none"));
        long start = System.nanoTime();
        int status = a.deleteBuild(HELLO, row.number());
        demand(status < 400, "doDelete answers " + status);
        for (JenkinsClient client : List.of(a, b)) {
            Eventually.until(
                    "gone on " + client.url(),
                    NOTICED,
                    () -> client.build(HELLO, row.number()).isEmpty());
        }
        return "#%d of %s, deleted on %s, gone after %s"
                .formatted(
                        row.number(),
                        second.name(),
                        first.name(),
                        seconds(Duration.ofNanos(System.nanoTime() - start)));
    }

    private void knownOnBoth(List<String> jobs) {
        try {
            Duration took =
                    Eventually.until(
                            "jobs on " + second.name(),
                            Duration.ofSeconds(3),
                            () -> jobs.stream().allMatch(b::hasJob));
            System.out.println("  " + second.name() + " knows them after " + seconds(took));
        } catch (AssertionError e) {
            // The folder is shared, but a Jenkins reads it when told to.
            b.reload(PATIENCE);
            System.out.println("  " + second.name() + " was told to read its jobs again");
        }
    }

    private void summary() {
        long kept = promises.all().stream().filter(Promises.Promise::kept).count();
        title("%d of %d promises kept".formatted(kept, promises.all().size()));
        promises.all().forEach(p -> System.out.println("  " + p));
        System.out.println(
                "  page: file://"
                        + page.file()
                        + (promises.kept() ? "" : "  logs: target/stage-logs/demo"));
    }

    private static void title(String text) {
        System.out.println("\n" + text);
    }
}
