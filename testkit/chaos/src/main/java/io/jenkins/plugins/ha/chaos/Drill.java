package io.jenkins.plugins.ha.chaos;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Measures the take-over alone: kills a controller that runs a build and holds items it has not
 * started, while the others have executors to spare, so that nothing waits but for the take-over.
 * With the lease and the heartbeat of the product.
 */
final class Drill {
    private static final int VICTIM_EXECUTORS = 1;
    private static final int CLAIM_AHEAD = 4;
    private static final int SURVIVOR_EXECUTORS = 8;
    private static final int BUILDS = 2 * SURVIVOR_EXECUTORS + VICTIM_EXECUTORS + CLAIM_AHEAD;
    private static final Duration SOON = Duration.ofSeconds(60);

    private final int rounds;
    private int tokens;

    Drill(int rounds) {
        this.rounds = rounds;
    }

    Verdict play() throws IOException, InterruptedException {
        Path file = Checkout.target().resolve("chaos").resolve("take-over.jsonl");
        try (History history = new History(file);
                Stage stage = Stage.open("take-over")) {
            stage.redis().setting("appendfsync", "always").start();
            stage.addStandin("victim").executors(VICTIM_EXECUTORS).claimAhead(CLAIM_AHEAD);
            stage.addStandin("b").executors(SURVIVOR_EXECUTORS);
            stage.addStandin("c").executors(SURVIVOR_EXECUTORS);
            stage.startControllers();
            stage.awaitMembers(3, SOON);
            Path ledger = stage.root().resolve("ledger");
            Plan.Kind kind = Plan.Kind.MANY;
            JenkinsClient client = stage.controllers().get(1).client();
            client.createJob(kind.job(0), kind.xml(ledger));
            Run.introduce(stage, history);
            Observer observer = new Observer(stage.redis(), stage.cluster(), history);
            observer.start();
            for (int round = 0; round < rounds; round++) {
                round(stage, client, kind.job(0), observer, history);
            }
            stage.controllers().forEach(Controller::stop);
            Run.awaitTold(stage, observer);
            observer.stop();
            Aftermath.write(stage, ledger, history);
            history.write(History.line("end").put("drained", true).put("left", ""));
        }
        return Checker.check(History.read(file));
    }

    private void round(
            Stage stage, JenkinsClient client, String job, Observer observer, History history)
            throws IOException {
        Controller victim = stage.controllers().get(0);
        List<Thread> users = new ArrayList<>();
        for (int i = 0; i < BUILDS; i++) {
            String token = "t" + tokens++;
            users.add(new Thread(() -> trigger(client, job, token, history)));
        }
        users.forEach(Thread::start);
        String id = Files.readString(victim.home().resolve("ha-controller-id"));
        Eventually.until(
                "the victim runs one and has claimed others",
                SOON,
                () ->
                        held(observer, id, 'R') == VICTIM_EXECUTORS
                                && held(observer, id, 'C') >= CLAIM_AHEAD - 1);
        long at = System.currentTimeMillis();
        victim.kill9();
        history.write(
                History.line("fault")
                        .put("phase", "begin")
                        .put("fault", "kill")
                        .put("target", victim.name())
                        .put("at", at));
        Eventually.until(
                "all is built",
                SOON,
                () ->
                        users.stream().noneMatch(Thread::isAlive)
                                && observer.live(i -> true).isEmpty());
        victim.start();
        victim.awaitUp(Stage.UP);
        stage.awaitMembers(3, SOON);
    }

    private static int held(Observer observer, String controller, char state) {
        return observer.live(i -> i.state() == state && i.owner().equals(controller)).size();
    }

    private static void trigger(JenkinsClient client, String job, String token, History history) {
        long begin = System.currentTimeMillis();
        long id = client.trigger(job, Map.of("P", token, "S", "1.5", "F", "0", "cause", token));
        history.write(
                History.line("trigger")
                        .put("via", "b")
                        .put("job", job)
                        .put("token", token)
                        .put("begin", begin)
                        .put("end", System.currentTimeMillis())
                        .put("answer", "accepted")
                        .put("item", id));
    }
}
