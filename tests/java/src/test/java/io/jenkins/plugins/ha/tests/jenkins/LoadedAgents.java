package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.ServerProcess;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Ten agents of all kinds with one executor each, all with the label {@code any} but those of the
 * cloud, and what is done to them.
 */
final class LoadedAgents implements AutoCloseable {
    /** What an agent that was disturbed needs until it is at work again. */
    private static final long RECOVERS_MILLIS = 12_000;

    private static final int STALLED_MILLIS = 6000;
    private static final int OF_CLOUD = 2;

    private final Stage stage;
    private final HaProxy balancer;
    private final Map<String, RoamingAgent> inbound = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final Map<String, Long> disturbedUntil = new ConcurrentHashMap<>();
    private final Map<String, Integer> faults = new TreeMap<>();

    /** As last seen. */
    private List<ProcessHandle> ofCloud = List.of();

    /** All that are permanent are online when this returns. */
    LoadedAgents(Stage stage, HaProxy balancer, Sshd sshd) {
        this.stage = stage;
        this.balancer = balancer;
        for (int i = 1; i <= 3; i++) {
            add("ws" + i, "-webSocket");
            add("tcp" + i);
        }
        for (int i = 1; i <= 2; i++) {
            sshd.node(stage, "ssh" + i, 1);
            names.add("ssh" + i);
        }
        JenkinsClient first = stage.controllers().get(0).client();
        script(
                first,
                """
                Jenkins.get().nodes.each {
                    it.labelString = 'any ' + it.nodeName.replaceAll(/\\d/, '')
                    Jenkins.get().updateNode(it)
                }
                Jenkins.get().clouds.add(new io.jenkins.plugins.ha.extensions.ProcessCloud('made', %d))
                """
                        .formatted(OF_CLOUD));
        Eventually.until("all are online", Duration.ofMinutes(3), () -> online().size() >= 8);
        for (Controller each : stage.controllers()) {
            Eventually.until(
                    each.name() + " knows their labels",
                    TwoControllers.SOON,
                    () ->
                            script(
                                            each.client(),
                                            "print Jenkins.get().nodes.count {"
                                                    + " it.labelString.startsWith('any ') } + ' ' +"
                                                    + " Jenkins.get().clouds.size()")
                                    .strip()
                                    .equals("8 1"));
        }
    }

    private void add(String name, String... how) {
        inbound.put(name, RoamingAgent.through(balancer, stage, name, 1, how));
        names.add(name);
    }

    /** By agent the controllers where it is online. */
    private Map<String, List<String>> online() {
        Map<String, List<String>> online = new TreeMap<>();
        for (Controller each : stage.controllers()) {
            script(
                            each.client(),
                            "Jenkins.get().computers.each { if (it.name && it.online) println"
                                    + " it.name }")
                    .lines()
                    .forEach(
                            name ->
                                    online.computeIfAbsent(name, n -> new ArrayList<>())
                                            .add(each.name()));
        }
        return online;
    }

    synchronized void count(String fault) {
        faults.merge(fault, 1, Integer::sum);
    }

    synchronized Map<String, Integer> faults() {
        return new TreeMap<>(faults);
    }

    /** Whether what it does now is due to a fault of its own. */
    boolean isDisturbed(String agent) {
        return disturbedUntil.getOrDefault(agent, 0L) > System.nanoTime();
    }

    private void disturb(String agent, long millis) {
        disturbedUntil.put(agent, System.nanoTime() + (millis + RECOVERS_MILLIS) * 1_000_000);
    }

    /** Its process is killed; who comes by itself is started again. */
    void kill(Random random) {
        String name = names.get(random.nextInt(names.size()));
        disturb(name, 0);
        RoamingAgent agent = inbound.get(name);
        if (agent != null) {
            count("agent killed");
            agent.process().kill9();
            agent.startAgain();
        } else {
            sshProcesses(name).forEach(ProcessHandle::destroyForcibly);
            count("agent by SSH killed");
        }
    }

    /** Its process is stopped for some seconds. */
    void stall(Random random) {
        List<String> some = new ArrayList<>(inbound.keySet());
        some.sort(null);
        String name = some.get(random.nextInt(some.size()));
        count("agent stalled");
        disturb(name, STALLED_MILLIS);
        ServerProcess process = inbound.get(name).process();
        process.pause();
        LongRun.sleep(STALLED_MILLIS);
        process.resume();
    }

    /** Whoever has one gives it to another, as if a build waited there. */
    void move(Random random, List<Controller> up) {
        String name = names.get(random.nextInt(names.size()));
        Controller to = up.get(random.nextInt(up.size()));
        for (Controller each : up) {
            String moved =
                    attempt(
                            each,
                            """
                            def c = Jenkins.get().getComputer('%1$s')
                            def m = io.jenkins.plugins.ha.Membership.active().get()
                            def other = m.cluster().members().find { it.name() == '%2$s' }
                            if (other != null && m.identity().id() != other.controllerId() && c.online && c.idle
                                    && m.agents().give('%1$s', other.controllerId())) {
                                c.disconnect(null)
                                print 'moved'
                            }
                            """
                                    .formatted(name, to.name()));
            if (moved.contains("moved")) {
                disturb(name, 0);
                count("agent moved");
            }
        }
    }

    private static String attempt(Controller on, String groovy) {
        try {
            return on.client().post("scriptText", Map.of("script", groovy)).body();
        } catch (UncheckedIOException e) {
            return "";
        }
    }

    private List<ProcessHandle> sshProcesses(String name) {
        String folder = stage.root().resolve("agent-" + name).toString();
        return ProcessHandle.allProcesses()
                .filter(
                        process ->
                                process.info()
                                        .arguments()
                                        .map(List::of)
                                        .filter(
                                                words ->
                                                        words.contains("remoting.jar")
                                                                && words.contains(folder))
                                        .isPresent())
                .toList();
    }

    /** What there is that should not be, when nothing is asked for any more. */
    List<String> left() {
        List<String> wrong = new ArrayList<>();
        await("no agent of the cloud is left", () -> cloudProcesses() == 0, wrong);
        await("no slot is left", () -> slots() == 0, wrong);
        await(
                "no node of the cloud is left",
                () ->
                        stage.controllers().stream()
                                .allMatch(
                                        each ->
                                                script(
                                                                each.client(),
                                                                "print Jenkins.get().nodes.size()")
                                                        .strip()
                                                        .equals(String.valueOf(names.size()))),
                wrong);
        await(
                "each agent is online at one controller",
                () -> {
                    Map<String, List<String>> online = online();
                    return names.stream()
                            .allMatch(name -> online.getOrDefault(name, List.of()).size() == 1);
                },
                wrong);
        await(
                "an agent by SSH has one process",
                () ->
                        names.stream()
                                .filter(name -> name.startsWith("ssh"))
                                .allMatch(name -> sshProcesses(name).size() <= 2),
                wrong);
        return wrong;
    }

    private static void await(
            String what, java.util.function.BooleanSupplier holds, List<String> wrong) {
        try {
            Eventually.until(what, Duration.ofMinutes(2), holds);
        } catch (AssertionError e) {
            wrong.add("NOT TRUE AT THE END: " + what + ": " + e.getMessage());
        }
    }

    private int slots() {
        return ((Long) stage.redis().call("HLEN", "{haj:" + stage.cluster() + "}:clouds"))
                .intValue();
    }

    private int cloudProcesses() {
        Path folder = stage.root().resolve("cloud");
        List<ProcessHandle> alive = new ArrayList<>();
        if (Files.exists(folder)) {
            try (Stream<Path> all = Files.list(folder)) {
                for (Path agent : all.toList()) {
                    Path pid = agent.resolve("pid");
                    if (Files.exists(pid)) {
                        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                                .filter(ProcessHandle::isAlive)
                                .ifPresent(alive::add);
                    }
                }
            } catch (IOException | NumberFormatException e) {
                return 1; // one is being ended just now
            }
        }
        ofCloud = alive;
        return alive.size();
    }

    @Override
    public void close() {
        inbound.values().forEach(RoamingAgent::close);
        cloudProcesses();
        ofCloud.forEach(ProcessHandle::destroyForcibly);
    }
}
