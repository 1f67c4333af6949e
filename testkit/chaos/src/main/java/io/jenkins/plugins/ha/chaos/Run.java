package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import io.jenkins.plugins.ha.stage.StandinController;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One run by a {@link Plan}: three controllers, a Redis, users, a nemesis; then the verdict. */
final class Run {
    private static final Duration JOINED = Duration.ofSeconds(60);
    private static final Duration DRAINED = Duration.ofSeconds(60);

    /** A cluster with a defect may never be done. */
    private static final Duration DRAINED_MUTANT = Duration.ofSeconds(10);

    private static final long TOLD_MILLIS = 15_000;

    private final Plan plan;
    private final Path file;

    Run(Plan plan) {
        this.plan = plan;
        this.file =
                Checkout.target()
                        .resolve("chaos")
                        .resolve(plan.name() + "-" + plan.seed() + ".jsonl");
    }

    /** Where its history is written. */
    Path history() {
        return file;
    }

    /** Plays it and judges it. */
    Verdict play() throws IOException, InterruptedException {
        List<FaultyLine> lines = new ArrayList<>();
        try (History history = new History(file);
                Stage stage = Stage.open("chaos")) {
            play(stage, history, lines);
        } finally {
            lines.forEach(FaultyLine::close);
        }
        if (plan.mutant() != null && !plan.mutant().sown()) {
            throw new IllegalStateException(plan.mutant() + " fits none of the scripts");
        }
        return Checker.check(History.read(file));
    }

    private void play(Stage stage, History history, List<FaultyLine> lines)
            throws IOException, InterruptedException {
        stage.redis().setting("appendfsync", plan.durable() ? "always" : "everysec").start();
        stage.postgres().start();
        List<Fault> faults = new ArrayList<>(Fault.of(stage.redis()));
        faults.addAll(Fault.of(stage.postgres()));
        faults.addAll(Fault.of(stage.shared()));
        for (int i = 0; i < Plan.CONTROLLERS; i++) {
            FaultyLine line =
                    plan.mutant() == null
                            ? new FaultyLine(stage.redis().port())
                            : new FaultyLine(stage.redis().port(), plan.mutant()::sow);
            lines.add(line);
            FaultyLine database = new FaultyLine(stage.postgres().port());
            lines.add(database);
            StandinController controller =
                    stage.addStandin(Character.toString('a' + i))
                            .redis("redis://127.0.0.1:" + line.port())
                            .executors(Plan.EXECUTORS)
                            .claimAhead(Plan.CLAIM_AHEAD)
                            .lease(Plan.HEARTBEAT_MILLIS, Plan.LEASE_MILLIS)
                            .database(
                                    stage.postgres().url(database.port()),
                                    stage.postgres().password());
            if (plan.mutant() != null) {
                controller.defect(plan.mutant().ofStandin());
            }
            faults.addAll(Fault.of(controller, line));
            faults.addAll(Fault.ofDatabaseLine(controller, database));
        }
        faults.removeIf(fault -> !plan.faults().contains(fault.kind()));
        stage.startControllers();
        stage.awaitMembers(Plan.CONTROLLERS, JOINED);
        Path ledger = stage.root().resolve("ledger");
        createJobs(stage, ledger);
        history.write(describe());
        introduce(stage, history);
        Observer observer = new Observer(stage.redis(), stage.cluster(), history);
        Workload workload = new Workload(stage.controllers(), observer, history, plan.seed());
        Nemesis nemesis = new Nemesis(faults, history, plan.seed());
        observer.start();
        workload.start();
        nemesis.start();
        try {
            Thread.sleep(plan.seconds() * 1000L);
        } finally {
            workload.stop();
            nemesis.stop();
        }
        for (Controller controller : stage.controllers()) {
            if (!controller.alive()) {
                history.write(History.line("crash").put("controller", controller.name()));
            }
        }
        stage.controllers().forEach(c -> c.awaitUp(Stage.UP));
        Duration patience = plan.mutant() == null ? DRAINED : DRAINED_MUTANT;
        String left = drain(stage, observer, patience);
        if (left.isEmpty()) {
            left = recorded(stage, patience);
        }
        stage.controllers().forEach(Controller::stop);
        awaitTold(stage, observer);
        observer.stop();
        Aftermath.write(stage, ledger, history);
        history.write(History.line("end").put("drained", left.isEmpty()).put("left", left));
    }

    /** Which name stands for which id. */
    static void introduce(Stage stage, History history) throws IOException {
        for (Controller controller : stage.controllers()) {
            Path id = controller.home().resolve("ha-controller-id");
            history.write(
                    History.line("controller")
                            .put("name", controller.name())
                            .put("id", Files.readString(id)));
        }
    }

    private ObjectNode describe() {
        ObjectNode run =
                History.line("run")
                        .put("seed", plan.seed())
                        .put("seconds", plan.seconds())
                        .put("mutant", plan.mutant() == null ? null : plan.mutant().name())
                        .put("lease", Plan.LEASE_MILLIS)
                        .put("heartbeat", Plan.HEARTBEAT_MILLIS);
        ObjectNode floors = run.putObject("floors");
        Plan.floors().forEach(floors::put);
        return run;
    }

    private static void createJobs(Stage stage, Path ledger) throws IOException {
        JenkinsClient client = stage.controllers().get(0).client();
        for (Plan.Kind kind : Plan.Kind.values()) {
            for (int i = 0; i < kind.jobs; i++) {
                client.createJob(kind.job(i), kind.xml(ledger));
            }
        }
        for (Map.Entry<String, Integer> floor : Plan.floors().entrySet()) {
            Files.writeString(
                    stage.shared().jobs().resolve(floor.getKey()).resolve("nextBuildNumber"),
                    Integer.toString(floor.getValue() + 1));
        }
    }

    /** What is left in the queue when the time is over; empty when nothing is. */
    private static String drain(Stage stage, Observer observer, Duration patience) {
        String key = "{haj:" + stage.cluster() + "}:live";
        try {
            Eventually.until(
                    "the queue is empty",
                    patience,
                    () -> Long.valueOf(0).equals(stage.redis().call("ZCARD", key)));
            return "";
        } catch (AssertionError e) {
            return observer.live(i -> true).toString();
        }
    }

    /** What of the builds is not yet recorded when the time is over; empty when all is. */
    private static String recorded(Stage stage, Duration patience) {
        try {
            Eventually.until(
                    "all builds are recorded",
                    patience,
                    () -> Aftermath.unrecorded(stage).isEmpty());
            return "";
        } catch (AssertionError e) {
            return Aftermath.unrecorded(stage);
        }
    }

    /** Waits until the observer has read all that Redis has to tell. */
    static void awaitTold(Stage stage, Observer observer) {
        String key = "{haj:" + stage.cluster() + "}:eventno";
        long deadline = System.currentTimeMillis() + TOLD_MILLIS;
        while (observer.number() < Long.parseLong((String) stage.redis().call("GET", key))
                && System.currentTimeMillis() < deadline) {
            Thread.onSpinWait();
        }
    }
}
