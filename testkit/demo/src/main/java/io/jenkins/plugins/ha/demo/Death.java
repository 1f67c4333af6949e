package io.jenkins.plugins.ha.demo;

import static io.jenkins.plugins.ha.demo.Promises.demand;
import static io.jenkins.plugins.ha.demo.Promises.seconds;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.InboundAgent;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A controller is killed while it runs a Pipeline on an agent and a freestyle build: the other one
 * goes on with the Pipeline, runs the build again, and takes triggers all the time.
 */
final class Death implements AutoCloseable {
    /** What its Pipeline needs. */
    static final List<String> PLUGINS =
            List.of(
                    "workflow-job",
                    "workflow-cps",
                    "workflow-basic-steps",
                    "workflow-durable-task-step");

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String PIPELINE = "pipeline";
    private static final String WORK = "work";
    private static final int STEPS = 15;
    private static final String AGENT = "demo-agent";

    private final Promises promises;
    private final Board board;
    private final Runnable shown;
    private final Path folder;
    private final Controller dies;
    private final Controller lives;
    private final JenkinsClient survivor;
    private InboundAgent agent;
    private long killed;

    /**
     * @param shown called when the board has changed
     */
    Death(Stage stage, Promises promises, Board board, Runnable shown) {
        this.promises = promises;
        this.board = board;
        this.shown = shown;
        this.folder = stage.root().resolve("agent");
        this.dies = stage.controllers().get(0);
        this.lives = stage.controllers().get(1);
        this.survivor = lives.client();
    }

    /** Plays it, and starts the killed controller again. */
    void play(String triggered) {
        String steps = "for s in $(seq %d); do echo \"step $s\"; sleep 1; done".formatted(STEPS);
        boolean under =
                promises.check(
                        "a Pipeline on an agent and a freestyle build run on " + dies.name(),
                        () -> begin(steps));
        if (!under) {
            return;
        }
        board.seeFrom(survivor);
        dies.kill9();
        killed = System.nanoTime();
        System.out.println("  " + dies.name() + " is killed (kill -9)");
        promises.check("triggers and pages go on at once", () -> trigger(triggered));
        promises.check("the Pipeline goes on in the middle of its step", this::wentOn);
        promises.check("the freestyle build runs again, once", this::ranAgain);
        promises.check("the controller comes back and is a member again", this::back);
    }

    private String begin(String steps) {
        agent = InboundAgent.start(lives, AGENT, AGENT, folder);
        agent.awaitOnline(PATIENCE);
        survivor.createJob(
                PIPELINE,
                """
                <flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">
                <script>node('%s') { sh '%s' }</script><sandbox>true</sandbox></definition></flow-definition>
                """
                        .formatted(AGENT, steps));
        survivor.createJob(WORK, new FreestyleJob().shell(steps).xml());
        JenkinsClient first = dies.client();
        Eventually.until(
                "jobs on " + dies.name(),
                PATIENCE,
                () -> first.hasJob(PIPELINE) && first.hasJob(WORK));
        drains("drain");
        for (String job : List.of(WORK, PIPELINE)) {
            board.add(job, survivor.trigger(job));
        }
        for (String job : List.of(WORK, PIPELINE)) {
            JsonNode build =
                    survivor.awaitBuild(
                            job,
                            1,
                            "tells its controller",
                            PATIENCE,
                            b -> !JenkinsClient.controllerOf(b).isEmpty());
            demand(
                    JenkinsClient.controllerOf(build).equals(dies.name()),
                    job + " runs on " + JenkinsClient.controllerOf(build));
            Eventually.until(
                    job + " is at work",
                    PATIENCE,
                    () -> survivor.console(job, 1).contains("\nstep 3"));
        }
        drains("undrain");
        show();
        return "seen from " + lives.name();
    }

    private void drains(String how) {
        int status = survivor.post("ha/" + how, Map.of()).statusCode();
        demand(status < 400, how + " answers " + status);
    }

    private String trigger(String job) {
        long start = System.nanoTime();
        long id = survivor.trigger(job, Map.of("N", "13"));
        Duration accepted = since(start);
        board.add(job, id);
        String page = survivor.text("job/" + PIPELINE + "/1/console");
        demand(page.contains("Console"), "no page of the Pipeline");
        int number = survivor.awaitBuildNumber(id, PATIENCE);
        String result = survivor.awaitResult(job, number, PATIENCE);
        demand(result.equals("SUCCESS"), result);
        show();
        return "accepted after " + seconds(accepted) + ", built on " + lives.name();
    }

    private String wentOn() {
        String result = survivor.awaitResult(PIPELINE, 1, PATIENCE);
        Duration took = since(killed);
        String log = survivor.console(PIPELINE, 1);
        demand(result.equals("SUCCESS"), result);
        for (int step = 1; step <= STEPS; step++) {
            String line = "step " + step;
            long times = log.lines().filter(line::equals).count();
            demand(times == 1, line + " is there " + times + " times");
        }
        show();
        return "#1, each of its %d steps once, ended %s after the kill"
                .formatted(STEPS, seconds(took));
    }

    private String ranAgain() {
        JsonNode again =
                survivor.awaitBuild(
                        WORK,
                        2,
                        "has ended",
                        PATIENCE,
                        b -> !b.path("building").asBoolean() && !b.path("result").isNull());
        demand(again.path("result").asText().equals("SUCCESS"), again.path("result").asText());
        int builds = survivor.job(WORK).path("builds").size();
        demand(builds == 2, builds + " builds");
        String cause = "";
        for (String text : again.findValuesAsText("shortDescription")) {
            cause = text.startsWith("Restarted") ? text : cause;
        }
        show();
        return "#2 on " + JenkinsClient.controllerOf(again) + ": " + cause;
    }

    private String back() {
        long start = System.nanoTime();
        dies.start();
        dies.awaitUp(Stage.UP);
        Eventually.until(
                dies.name() + " is ready",
                PATIENCE,
                () -> dies.client().get("ha-health/").statusCode() == 200);
        return "after " + seconds(since(start));
    }

    private void show() {
        board.refresh();
        shown.run();
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    @Override
    public void close() {
        if (agent != null) {
            agent.close();
        }
    }
}
