package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Three real controllers behind a balancer, with three agents by WebSocket, three by TCP, two by
 * SSH and two of a cloud: builds and Pipelines over labels, while agents and controllers are
 * killed, stalled and moved. {@code AGENTS_BUILDS}, {@code AGENTS_PIPELINES} and {@code CHAOS_SEED}
 * set how many and what; {@code AGENTS_CALM=1} leaves the faults out.
 */
@LongTest
class AgentsUnderLoadTest {
    private static final int BUILDS = LongRun.number("AGENTS_BUILDS", 300);
    private static final int PIPELINES = LongRun.number("AGENTS_PIPELINES", 60);
    private static final long SEED = LongRun.number("CHAOS_SEED", 14);
    private static final boolean CALM = LongRun.number("AGENTS_CALM", 0) == 1;
    private static final int USERS = 6;
    private static final Duration LONG = Duration.ofMinutes(10);

    /** An agent's own label is the first letters of its name. */
    private static final List<String> LABELS =
            List.of("any", "any", "any", "any", "any", "ws", "ws", "tcp", "tcp", "ssh", "made");

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final Map<String, String> accepted = new ConcurrentHashMap<>(); // trigger to job
    private final LongRun run = new LongRun();

    @Test
    void eachBuildIsOnceNoneWaitsForAnIdleAgentNoAgentWorksForTwoAndNothingIsLeft()
            throws Exception {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        int port = FreePort.next();
        int agentPort = FreePort.next();
        Map<String, Integer> agentPorts = new HashMap<>();
        try (Stage stage = Stage.open("agents-under-load")) {
            stage.redis().start();
            for (String name : List.of("a", "b", "c")) {
                agentPorts.put(name, FreePort.next());
                var controller = stage.addJenkins(search.war().get(), name);
                controller
                        .executors(0)
                        .extensions()
                        .plugins(
                                "workflow-job",
                                "workflow-cps",
                                "workflow-basic-steps",
                                "workflow-durable-task-step",
                                "instance-identity",
                                "ssh-slaves")
                        .environment("HA_JENKINS_URL", controller.url().toString())
                        .property("switch.cloud-url", "http://127.0.0.1:" + port + "/")
                        .property("switch.cloud-folder", stage.root().resolve("cloud").toString())
                        .property(
                                "jenkins.model.Jenkins.slaveAgentPort",
                                agentPorts.get(name).toString())
                        .property("jenkins.model.Jenkins.slaveAgentPortEnforce", "true")
                        .property("hudson.TcpSlaveAgentListener.port", String.valueOf(agentPort));
            }
            stage.startControllers();
            stage.awaitMembers(3, TwoControllers.SOON);
            try (HaProxy balancer = new HaProxy(stage, false, port, agentPort, agentPorts);
                    Sshd sshd = new Sshd(stage);
                    LoadedAgents agents = new LoadedAgents(stage, balancer, sshd)) {
                AgentLedger ledger = new AgentLedger(stage);
                createJobs(stage, ledger);
                AgentSampler sampler = new AgentSampler(stage, agents);
                List<Thread> users = new ArrayList<>();
                long began = System.nanoTime();
                Thread sampling = run.start("sampler", () -> sampler.run(stop));
                AtomicBoolean asked = new AtomicBoolean();
                Thread nemesis =
                        CALM
                                ? run.start("no nemesis", () -> {})
                                : run.start("nemesis", () -> disturb(stage, agents, asked));
                AtomicInteger next = new AtomicInteger();
                JenkinsClient front = new JenkinsClient(balancer.url());
                for (int i = 0; i < USERS; i++) {
                    int user = i;
                    users.add(run.start("user " + i, () -> use(front, next, user)));
                }
                for (Thread user : users) {
                    user.join();
                }
                asked.set(true);
                nemesis.join();
                assertEquals(List.of(), run.failures());
                for (Controller controller : stage.controllers()) {
                    controller.awaitUp(Stage.UP);
                }
                stage.awaitMembers(3, TwoControllers.SOON);
                TwoControllers.awaitNoItems(stage.controllers().get(0).client(), LONG);
                figure("agents.all_built_after", (System.nanoTime() - began) / 1e9, "s");
                stop.set(true);
                sampling.join();
                figure("agents.asked_again", unanswered.get(), "times");
                agents.faults().forEach((f, n) -> figure("agents.fault." + f, n, "times"));
                List<String> wrong = new ArrayList<>(ledger.check(accepted));
                wrong.addAll(sampler.wrong());
                wrong.addAll(agents.left());
                assertEquals(List.of(), wrong, () -> String.join("\n", wrong));
            }
        }
    }

    private static void createJobs(Stage stage, AgentLedger ledger) {
        JenkinsClient first = stage.controllers().get(0).client();
        List<String> jobs = new ArrayList<>();
        for (String label : LABELS.stream().distinct().toList()) {
            first.createJob(
                    "b-" + label,
                    new FreestyleJob()
                            .concurrent()
                            .parameter("P")
                            .label(label)
                            .shell(ledger.shell("$BUILD_NUMBER"))
                            .xml());
            first.createJob(
                    "p-" + label,
                    JobXml.pipeline(
                            "node('"
                                    + label
                                    + "') { sh '''"
                                    + ledger.shell("$BUILD_NUMBER")
                                    + "''' }",
                            JobXml.parameter()));
            jobs.addAll(List.of("b-" + label, "p-" + label));
        }
        for (Controller controller : stage.controllers()) {
            Eventually.until(
                    controller.name() + " has the jobs",
                    TwoControllers.SOON,
                    () -> jobs.stream().allMatch(controller.client()::hasJob));
        }
    }

    /** Triggers its share, each until it is answered. */
    private void use(JenkinsClient front, AtomicInteger next, int user) {
        Random random = new Random(SEED * 31 + user);
        for (int i = next.getAndIncrement(); i < BUILDS + PIPELINES; i = next.getAndIncrement()) {
            boolean pipeline = i % ((BUILDS + PIPELINES) / Math.max(1, PIPELINES)) == 0;
            String label = LABELS.get(random.nextInt(LABELS.size()));
            String job = (pipeline ? "p-" : "b-") + label;
            String trigger = "t" + i;
            while (!ask(front, job, trigger)) {
                unanswered.incrementAndGet();
                LongRun.sleep(200);
            }
            accepted.put(trigger, job);
            LongRun.sleep(1500 + random.nextInt(2500));
        }
    }

    private static boolean ask(JenkinsClient client, String job, String trigger) {
        try {
            int code =
                    client.post(
                                    "job/" + job + "/buildWithParameters",
                                    "application/x-www-form-urlencoded",
                                    "P=" + trigger,
                                    Map.of("Idempotency-Key", trigger))
                            .statusCode();
            return code == 201 || code == 303;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /** At least one controller is left alone at any time. */
    private static void disturb(Stage stage, LoadedAgents agents, AtomicBoolean over) {
        Random random = new Random(SEED);
        while (!over.get()) {
            LongRun.sleep(3000 + random.nextInt(5000));
            int fault = random.nextInt(8);
            List<Controller> up =
                    stage.controllers().stream().filter(c -> c.client().reachable()).toList();
            Controller victim = up.get(random.nextInt(up.size()));
            if (fault < 2) {
                agents.kill(random);
            } else if (fault < 4) {
                agents.stall(random);
            } else if (fault < 6) {
                agents.move(random, up);
            } else if (up.size() < 3) {
                continue;
            } else if (fault == 6) {
                agents.count("controller killed");
                victim.kill9();
                victim.start();
            } else {
                agents.count("controller stalled");
                victim.pause();
                LongRun.sleep(8000);
                victim.resume();
            }
        }
    }
}
