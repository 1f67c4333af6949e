package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The controller of Pipelines that stand in every phase is killed, again and again, each time
 * another one: {@code PIPELINE_KILLS} times. None is lost, no step is done twice; how long each
 * stood is told, to be held against lease + 5 s on a machine that has nothing else to do.
 */
@LongTest
class PipelineKillsTest {
    private static final int KILLS = LongRun.number("PIPELINE_KILLS", 4);
    private static final long SEED = LongRun.number("CHAOS_SEED", 7);
    private static final Duration LONG = Duration.ofMinutes(2);

    private final Random random = new Random(SEED);
    private final Map<PipelinePhase, List<Double>> goingOn = new EnumMap<>(PipelinePhase.class);
    private final Map<PipelinePhase, List<Double>> heardOf = new EnumMap<>(PipelinePhase.class);
    private final Map<PipelinePhase, Integer> lost = new EnumMap<>(PipelinePhase.class);
    private final Map<PipelinePhase, Integer> doubled = new EnumMap<>(PipelinePhase.class);
    private final Map<PipelinePhase, Integer> early = new EnumMap<>(PipelinePhase.class);
    private final List<String> wrong = new ArrayList<>();
    private int unstored;
    private TwoControllers two;
    private RoamingAgent agent;

    @Test
    void eachGoesOnInTimeAndNoStepIsLostOrDoneTwice() {
        System.out.println("CHAOS_SEED=" + SEED + " PIPELINE_KILLS=" + KILLS);
        two =
                TwoControllers.start(
                        "pipeline-kills",
                        4,
                        "workflow-job",
                        "workflow-cps",
                        "workflow-basic-steps",
                        "workflow-durable-task-step",
                        "pipeline-build-step",
                        "pipeline-input-step",
                        "lockable-resources");
        try (RoamingAgent started = RoamingAgent.start(two, "far", 12, two.controller("b"))) {
            agent = started;
            for (PipelinePhase phase : PipelinePhase.values()) {
                two.createJob(phase.job(), JobXml.pipeline(phase.pipeline(root())));
            }
            for (int kill = 0; kill < KILLS; kill++) {
                round(kill % 2 == 0 ? "b" : "a", kill % 2 == 0 ? "a" : "b");
            }
        } finally {
            report();
            two.close();
        }
        assertEquals(List.of(), wrong);
    }

    private void round(String victim, String survivor) {
        two.onlyOn(victim);
        Map<PipelinePhase, Integer> numbers = begin(client(victim));
        LongRun.sleep(random.nextInt(2500)); // BETWEEN: at any moment
        for (PipelinePhase phase : PipelinePhase.values()) {
            if (ended(phase, numbers.get(phase))) {
                early.merge(phase, 1, Integer::sum);
            }
        }
        two.takes(survivor, true);
        agent.goesTo(two.controller(survivor));
        two.controller(victim).kill9();
        long killed = System.nanoTime();
        numbers.forEach((phase, number) -> touch("killed-" + phase.job() + "-" + number));
        watch(numbers, killed);
        two.controller(victim).start();
        finish(client(survivor), numbers);
        two.controller(victim).awaitUp(Stage.UP);
        two.stage().awaitMembers(2, TwoControllers.SOON);
    }

    /** Each stands where it is to be killed, and all of that is stored. */
    private Map<PipelinePhase, Integer> begin(JenkinsClient on) {
        Map<PipelinePhase, Integer> numbers = new EnumMap<>(PipelinePhase.class);
        for (PipelinePhase phase : PipelinePhase.values()) {
            if (phase == PipelinePhase.BELOW || phase == PipelinePhase.BETWEEN) {
                continue; // begun by BUILD; at the last moment
            }
            numbers.put(phase, on.awaitBuildNumber(on.trigger(phase.job()), LONG));
            if (phase == PipelinePhase.LOCK) {
                awaitLog(phase, numbers.get(phase), "goes on?");
            }
        }
        numbers.put(PipelinePhase.BELOW, numbers.get(PipelinePhase.BUILD));
        numbers.forEach(
                (phase, number) -> {
                    if (phase.asks()) {
                        awaitLog(phase, number, "goes on?");
                    }
                    if (phase != PipelinePhase.BEFORE
                            && phase != PipelinePhase.WAITS
                            && phase != PipelinePhase.BELOW) {
                        awaitLine(phase.expected(number).get(0));
                    }
                });
        awaitLog(PipelinePhase.WAITS, numbers.get(PipelinePhase.WAITS), "waiting for execution");
        awaitLog(PipelinePhase.BEFORE, numbers.get(PipelinePhase.BEFORE), "node");
        awaitLog(PipelinePhase.BELOW, numbers.get(PipelinePhase.BELOW), "Running on");
        numbers.forEach((phase, number) -> PipelineState.awaitStored(folder(phase, number)));
        int between = on.awaitBuildNumber(on.trigger(PipelinePhase.BETWEEN.job()), LONG);
        numbers.put(PipelinePhase.BETWEEN, between);
        awaitLine(PipelinePhase.BETWEEN.expected(between).get(0));
        return numbers;
    }

    /** Notes when each goes on, and when its process is heard of again. */
    private void watch(Map<PipelinePhase, Integer> numbers, long killed) {
        Set<PipelinePhase> silent = EnumSet.copyOf(numbers.keySet());
        Set<PipelinePhase> unheard = EnumSet.noneOf(PipelinePhase.class);
        silent.stream().filter(PipelinePhase::hasProcess).forEach(unheard::add);
        try {
            Eventually.until(
                    "all go on",
                    LONG,
                    () -> {
                        for (PipelinePhase phase : PipelinePhase.values()) {
                            String log = log(phase, numbers.get(phase));
                            double millis = (System.nanoTime() - killed) / 1e6;
                            if (log.contains("Ready to run") && silent.remove(phase)) {
                                note(goingOn, phase, millis);
                            }
                            if (log.contains("alive 1\n") && unheard.remove(phase)) {
                                note(heardOf, phase, millis);
                            }
                        }
                        return silent.isEmpty() && unheard.isEmpty();
                    });
        } catch (AssertionError e) {
            wrong.add("NOT GOING ON " + silent + " NOT HEARD OF " + unheard + " " + numbers);
        }
    }

    private void finish(JenkinsClient on, Map<PipelinePhase, Integer> numbers) {
        later(on, "later");
        numbers.forEach((phase, number) -> touch("ends-" + phase.job() + "-" + number));
        numbers.forEach(
                (phase, number) -> {
                    if (phase.asks()) {
                        PipelineState.proceed(on, phase.job(), number);
                    }
                });
        numbers.forEach((phase, number) -> judge(on, phase, number));
        later(on, "");
    }

    private void judge(JenkinsClient on, PipelinePhase phase, int number) {
        String result;
        try {
            result = on.awaitResult(phase.job(), number, LONG);
        } catch (AssertionError e) {
            result = "still running";
        }
        List<String> expected = phase.expected(number);
        Map<String, Integer> times = new HashMap<>();
        List<String> done = new ArrayList<>();
        for (String line : lines()) {
            if (line.startsWith(phase.job() + " " + number + " ")) {
                times.merge(line, 1, Integer::sum);
                done.add(line);
            }
        }
        if (!result.equals("SUCCESS") && phase == PipelinePhase.BETWEEN) {
            unstored++; // docs/limits.md: the end of a sh that was not stored, on any Jenkins
            System.out.println("UNSTORED " + number + " is " + result + ": " + tail(phase, number));
        } else if (!result.equals("SUCCESS")) {
            lost.merge(phase, 1, Integer::sum);
            wrong.add(
                    "LOST " + phase + " " + number + " is " + result + ":\n" + tail(phase, number));
        } else if (!done.containsAll(expected)) {
            wrong.add("LEFT OUT " + phase + " " + number + " " + done);
        }
        if (times.values().stream().anyMatch(count -> count > 1)) {
            doubled.merge(phase, 1, Integer::sum);
            wrong.add("DOUBLED " + phase + " " + number + " " + done);
        }
        if (phase.hasProcess()) {
            List<String> said =
                    log(phase, number)
                            .lines()
                            .filter(line -> line.matches(".*alive \\d+"))
                            .toList();
            for (int i = 0; i < said.size(); i++) {
                if (!said.get(i).endsWith("alive " + (i + 1))) {
                    wrong.add("LOG " + phase + " " + number + " " + said);
                    break;
                }
            }
        }
    }

    private void report() {
        for (PipelinePhase phase : PipelinePhase.values()) {
            List<Double> times = goingOn.getOrDefault(phase, List.of()).stream().sorted().toList();
            System.out.printf(
                    "phase: %s: %d kills, going on after p50 %.0f ms, p99 %.0f ms;"
                            + " lost %d, doubled %d, ended before the kill %d%n",
                    phase.title(),
                    times.size(),
                    percentile(times, 50),
                    percentile(times, 99),
                    lost.getOrDefault(phase, 0),
                    doubled.getOrDefault(phase, 0),
                    early.getOrDefault(phase, 0));
            if (phase.hasProcess()) {
                List<Double> heard =
                        heardOf.getOrDefault(phase, List.of()).stream().sorted().toList();
                figure("kills.heard_p50." + phase, percentile(heard, 50), "ms");
                figure("kills.heard_p99." + phase, percentile(heard, 99), "ms");
            }
        }
        figure("kills.end_of_sh_not_stored", unstored, "Pipelines");
        wrong.forEach(System.out::println);
    }

    /** The smallest that so many percent do not exceed. */
    private static double percentile(List<Double> sorted, int percent) {
        return sorted.isEmpty()
                ? Double.NaN
                : sorted.get((int) Math.ceil(percent / 100.0 * sorted.size()) - 1);
    }

    private static void note(
            Map<PipelinePhase, List<Double>> where, PipelinePhase phase, double millis) {
        where.computeIfAbsent(phase, p -> new ArrayList<>()).add(millis);
    }

    private static void later(JenkinsClient on, String label) {
        TwoControllers.script(
                on,
                "Jenkins.get().labelString = '"
                        + label
                        + "'; Jenkins.get().trimLabels(); Queue.instance.scheduleMaintenance();"
                        + " null");
    }

    private boolean ended(PipelinePhase phase, int number) {
        return log(phase, number).contains("Finished: ");
    }

    private void awaitLog(PipelinePhase phase, int number, String part) {
        Eventually.until(
                phase + " " + number + " says " + part,
                LONG,
                () -> log(phase, number).contains(part));
    }

    private void awaitLine(String line) {
        Eventually.until("the ledger has " + line, LONG, () -> lines().contains(line));
    }

    private String log(PipelinePhase phase, int number) {
        return text(folder(phase, number).resolve("log"));
    }

    private String tail(PipelinePhase phase, int number) {
        String log = log(phase, number);
        return log.substring(Math.max(0, log.length() - 2000));
    }

    private Path folder(PipelinePhase phase, int number) {
        return PipelineState.folder(two, phase.job(), number);
    }

    private List<String> lines() {
        return text(root().resolve("ledger")).lines().toList();
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void touch(String name) {
        try {
            Files.createFile(root().resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private JenkinsClient client(String name) {
        return two.controller(name).client();
    }

    private Path root() {
        return two.stage().root();
    }
}
