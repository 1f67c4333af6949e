package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Asks each controller, again and again, what waits there and who is idle there. For each pair of
 * what waits and an agent that could run it, it keeps how long both held without a break.
 */
final class AgentSampler {
    private static final long PAUSE_MILLIS = 200;

    /** What is longer is wrong. */
    private static final double TOO_LONG =
            Double.parseDouble(System.getenv().getOrDefault("AGENTS_IDLE_SECONDS", "10"));

    private static final long TWO_AT_ONCE_NANOS = 8_000_000_000L;

    private static final String SCRIPT =
            """
            def m = io.jenkins.plugins.ha.Membership.active().orElse(null)
            if (m == null || !m.link().joined()) return
            Jenkins.get().queue.buildableItems.each {
                if (!it.pending && !(it.task instanceof hudson.model.Queue.FlyweightTask))
                    println "W ${it.id} ${it.assignedLabel} ${it.task.class.simpleName}"
            }
            m.view().unclaimed().each {
                def label = Jenkins.get().getItemByFullName(it.job())?.assignedLabel
                if (label) println "W ${it.id()} ${label} cluster"
            }
            Jenkins.get().computers.each { c ->
                if (c.name && c.online)
                    println "A ${c.name} ${c.countIdle()} ${c.acceptingTasks} ${c.node?.labelString?.replace(' ', ',')}"
            }
            """;

    private final Stage stage;
    private final LoadedAgents agents;

    /** By what waits and the idle agent since when, ns. */
    private final Map<String, Long> since = new HashMap<>();

    private final Map<String, Double> longest = new TreeMap<>();
    private final Map<String, Long> twice = new HashMap<>();
    private final Set<String> workedForTwo = new HashSet<>();
    private final Set<String> waited = new HashSet<>();
    private final List<Double> spans = new ArrayList<>();
    private int samples;
    private double slowest;

    AgentSampler(Stage stage, LoadedAgents agents) {
        this.stage = stage;
        this.agents = agents;
    }

    void run(AtomicBoolean stop) {
        while (!stop.get()) {
            long before = System.nanoTime();
            List<CompletableFuture<String>> answers = new ArrayList<>();
            for (Controller each : stage.controllers()) {
                answers.add(CompletableFuture.supplyAsync(() -> ask(each)));
            }
            List<String> all = new ArrayList<>();
            try {
                for (CompletableFuture<String> answer : answers) {
                    all.add(answer.get());
                }
            } catch (ExecutionException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
            double took = (System.nanoTime() - before) / 1e9;
            slowest = Math.max(slowest, took);
            samples++;
            look(all, before);
            LongRun.sleep(PAUSE_MILLIS);
        }
    }

    private static String ask(Controller on) {
        try {
            if (!on.alive()) {
                return "";
            }
            var answer = on.client().post("scriptText", Map.of("script", SCRIPT));
            return answer.statusCode() == 200 && !answer.body().contains("Exception")
                    ? answer.body()
                    : "";
        } catch (UncheckedIOException e) {
            return "";
        }
    }

    private void look(List<String> answers, long now) {
        Map<String, String> waiting = new HashMap<>();
        Map<String, List<String>> idle = new HashMap<>();
        Map<String, Integer> places = new HashMap<>();
        for (String answer : answers) {
            for (String line : answer.lines().toList()) {
                String[] words = line.split(" ");
                if (words[0].equals("W") && words.length > 3) {
                    waiting.put(words[1] + " " + words[3], words[2]);
                } else if (words[0].equals("A") && words.length > 4) {
                    places.merge(words[1], 1, Integer::sum);
                    if (!words[2].equals("0") && !agents.isDisturbed(words[1])) {
                        idle.put(words[1], List.of(words[4].split(",")));
                    }
                }
            }
        }
        waited.addAll(waiting.keySet());
        Set<String> hold = new HashSet<>();
        waiting.forEach(
                (item, label) ->
                        idle.forEach(
                                (agent, labels) -> {
                                    if (labels.contains(label)) {
                                        String pair = item + " " + agent;
                                        hold.add(pair);
                                        long first = since.computeIfAbsent(pair, p -> now);
                                        longest.merge(pair, (now - first) / 1e9, Math::max);
                                    }
                                }));
        since.keySet().retainAll(hold);
        places.forEach(
                (agent, count) -> {
                    if (count > 1) {
                        long first = twice.computeIfAbsent(agent, a -> now);
                        if (now - first > TWO_AT_ONCE_NANOS) {
                            workedForTwo.add(agent);
                        }
                    } else {
                        twice.remove(agent);
                    }
                });
    }

    /** What is wrong, when it has run. */
    List<String> wrong() {
        figure("agents.samples", samples, "samples");
        figure("agents.slowest_sample", slowest, "s");
        Map<String, Double> byItem = new TreeMap<>();
        Map<String, String> worst = new TreeMap<>();
        longest.forEach(
                (pair, seconds) -> {
                    String item = pair.substring(0, pair.lastIndexOf(' '));
                    if (byItem.getOrDefault(item, -1.0) < seconds) {
                        byItem.put(item, seconds);
                        worst.put(item, pair);
                    }
                });
        waited.forEach(item -> byItem.putIfAbsent(item, 0.0));
        spans.addAll(byItem.values());
        spans.sort(null);
        figure("agents.items_seen_waiting", spans.size(), "items");
        for (int percent : new int[] {50, 90, 99}) {
            figure("agents.waits_while_idle.p" + percent, at(percent), "s");
        }
        figure("agents.waits_while_idle.longest", at(100), "s");
        figure(
                "agents.waits_while_idle.over_2s",
                spans.stream().filter(span -> span > 2).count(),
                "items");
        List<String> wrong = new ArrayList<>();
        byItem.forEach(
                (item, seconds) -> {
                    if (seconds > 2) {
                        System.out.println(
                                "waited beside an idle agent: " + worst.get(item) + " " + seconds);
                    }
                    if (seconds > TOO_LONG) {
                        wrong.add("WAITED BESIDE AN IDLE AGENT " + worst.get(item) + " " + seconds);
                    }
                });
        workedForTwo.forEach(agent -> wrong.add("WORKED FOR TWO " + agent));
        return wrong;
    }

    private double at(int percent) {
        return spans.isEmpty() ? 0 : spans.get((spans.size() - 1) * percent / 100);
    }
}
