package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.InboundAgent;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What stands in the way of builds while controllers die: a handler that refuses a job everywhere,
 * a dispatcher that vetoes one on the first controller, and agents that vanish under the builds of
 * a third, each with its rule.
 */
final class Obstacles implements AutoCloseable {
    /** The handler takes none of its triggers. */
    private static final String REFUSED = "refused";

    /** The first controller's dispatcher lets no node take it. */
    private static final String ELSEWHERE = "elsewhere";

    /** Built one at a time, on agents that vanish. */
    private static final String AWAY = "away";

    /** What core writes into the log of a build whose agent is gone. */
    private static final List<String> GONE =
            List.of("ChannelClosedException", "went offline", "Unexpected termination", "closed");

    private final Stage stage;
    private final List<InboundAgent> agents = new ArrayList<>();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private final Set<String> elsewhere = ConcurrentHashMap.newKeySet();
    private final Set<String> away = ConcurrentHashMap.newKeySet();
    private int vanished;

    Obstacles(Stage stage) {
        this.stage = stage;
    }

    /** Before the start of a controller: which of the obstacles it has. */
    static void configure(JenkinsController controller, boolean first) {
        controller.extensions().property("switch.refuse", REFUSED);
        if (first) {
            controller.property("switch.veto", ELSEWHERE);
        }
    }

    /** Makes the jobs, and an agent for each controller, all of which must be up. */
    List<String> create() {
        JenkinsClient first = stage.controllers().get(0).client();
        FreestyleJob job = new FreestyleJob().concurrent().parameter("P");
        first.createJob(REFUSED, job.shell("true").xml());
        first.createJob(ELSEWHERE, job.shell("sleep 0.2").xml());
        first.createJob(
                AWAY, new FreestyleJob().parameter("P").label("away").shell("sleep 1").xml());
        for (Controller controller : stage.controllers()) {
            InboundAgent agent =
                    InboundAgent.start(
                            controller,
                            "agent-" + controller.name(),
                            "away",
                            stage.root().resolve("agent-" + controller.name()));
            agents.add(agent);
            agent.awaitOnline(TwoControllers.SOON);
        }
        return List.of(REFUSED, ELSEWHERE, AWAY);
    }

    /** One more trigger of one of the jobs; not asked again where nobody answers. */
    void trigger(JenkinsClient on, String name, int kind) {
        String job = kind == 0 ? REFUSED : kind < 3 ? ELSEWHERE : AWAY;
        Set<String> to = kind == 0 ? refused : kind < 3 ? elsewhere : away;
        try {
            int code =
                    on.post("job/" + job + "/buildWithParameters", Map.of("P", name)).statusCode();
            if (code == 201 || code == 303 || kind == 0) {
                to.add(name);
            }
        } catch (UncheckedIOException e) {
            return; // it is down
        }
    }

    /** An agent vanishes, and is started again. */
    void vanish(Random random) {
        InboundAgent agent = agents.get(random.nextInt(agents.size()));
        agent.kill9();
        agent.start();
        vanished++;
    }

    /** What is wrong once the queue is empty; empty when nothing is. */
    List<String> wrong() {
        JenkinsClient on = stage.controllers().get(0).client();
        List<String> wrong = new ArrayList<>();
        for (JsonNode build : builds(on, REFUSED)) {
            wrong.add("BUILT THOUGH REFUSED " + build);
        }
        String vetoing = stage.controllers().get(0).name();
        Map<String, Integer> succeeded = new HashMap<>();
        Set<String> built = new HashSet<>();
        for (JsonNode build : builds(on, ELSEWHERE)) {
            String log = on.console(ELSEWHERE, build.path("number").asInt());
            if (JenkinsClient.controllerOf(build).equals(vetoing)) {
                wrong.add("RAN WHERE IT WAS VETOED " + build + "\n" + log);
            }
            built.add(build.findValue("value").asText());
            if (build.path("result").asText().equals("SUCCESS")) {
                succeeded.merge(build.findValue("value").asText(), 1, Integer::sum);
            }
        }
        elsewhere.stream().filter(p -> !built.contains(p)).forEach(p -> wrong.add("LOST " + p));
        Set<String> gone = new HashSet<>();
        Set<String> left = new HashSet<>(away);
        for (JsonNode build : builds(on, AWAY)) {
            String trigger = build.findValue("value").asText();
            left.remove(trigger);
            switch (build.path("result").asText()) {
                case "SUCCESS" -> succeeded.merge(trigger, 1, Integer::sum);
                case "FAILURE" -> {
                    String log = on.console(AWAY, build.path("number").asInt());
                    if (GONE.stream().noneMatch(log::contains)) {
                        wrong.add("FAILED WITHOUT A REASON " + build + "\n" + log);
                    }
                    gone.add(trigger);
                }
                default -> {}
            }
        }
        // Triggers of this job that wait are folded only where their parameters are equal.
        left.forEach(p -> wrong.add("LOST " + p));
        succeeded.forEach(
                (trigger, times) -> {
                    if (times > 1 || gone.contains(trigger)) {
                        wrong.add("DOUBLED " + trigger + " " + times);
                    }
                });
        figure("chaos.refused", refused.size(), "triggers");
        figure("chaos.vetoed_on_one", elsewhere.size(), "triggers");
        figure("chaos.on_agents", away.size(), "triggers");
        figure("chaos.on_agents.gone", gone.size(), "builds");
        figure("chaos.fault.agent", vanished, "times");
        return wrong;
    }

    @Override
    public void close() {
        agents.forEach(InboundAgent::close);
    }

    private static List<JsonNode> builds(JenkinsClient on, String job) {
        List<JsonNode> result = new ArrayList<>();
        String fields = "[number,result,actions[parameters[value],haController]]";
        on.json("job/" + job + "/api/json?tree=allBuilds" + fields)
                .path("allBuilds")
                .forEach(result::add);
        return result;
    }
}
