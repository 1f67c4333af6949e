package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What scripts of builds say themselves, in one file on the disk, when they begin and end; held
 * against what was asked for and what the controllers say.
 */
final class AgentLedger {
    private static final int RERUNS = 3;

    private final Stage stage;
    private final Path file;

    /** A line of the file. */
    private record Line(String what, String trigger, int number, String agent, long nanos) {}

    private record Work(String build, String agent, long begin, long end) {}

    AgentLedger(Stage stage) {
        this.stage = stage;
        this.file = stage.root().resolve("ledger");
    }

    /** Takes part of a second to two seconds. */
    String shell(String number) {
        String say = "echo \"%s $P " + number + " $NODE_NAME $(date +%%s%%N)\" >> " + file;
        return say.formatted("begin")
                + "; sleep $(("
                + number
                + " % 2)).$(("
                + number
                + " % 7 + 2)); "
                + say.formatted("end");
    }

    /** What is wrong once all has ended. */
    List<String> check(Map<String, String> accepted) throws IOException {
        Map<String, List<Line>> lines = new HashMap<>();
        List<String> wrong = new ArrayList<>();
        for (String text : Files.readAllLines(file)) {
            String[] words = text.split(" ");
            Line line =
                    new Line(
                            words[0],
                            words[1],
                            Integer.parseInt(words[2]),
                            words[3],
                            Long.parseLong(words[4]));
            lines.computeIfAbsent(words[1], trigger -> new ArrayList<>()).add(line);
        }
        Map<String, List<JsonNode>> builds = new HashMap<>();
        for (String job : new TreeSet<>(accepted.values())) {
            for (JsonNode build : builds(job)) {
                builds.computeIfAbsent(build.findValue("value").asText(), t -> new ArrayList<>())
                        .add(build);
            }
        }
        int ended = 0;
        int aborted = 0;
        int failed = 0;
        int again = 0;
        List<Work> works = new ArrayList<>();
        for (Map.Entry<String, String> trigger : accepted.entrySet()) {
            List<JsonNode> of = builds.getOrDefault(trigger.getKey(), List.of());
            List<Line> said = lines.getOrDefault(trigger.getKey(), List.of());
            String what = trigger + " " + of + " " + said;
            List<JsonNode> effective =
                    of.stream().filter(b -> !b.path("result").asText().equals("ABORTED")).toList();
            aborted += of.size() - effective.size();
            if (of.isEmpty()) {
                wrong.add("LOST " + what);
            } else if (effective.size() > 1) {
                wrong.add("DOUBLED " + what);
            } else if (effective.isEmpty() && of.size() <= RERUNS) {
                wrong.add("NOT RUN AGAIN " + what);
            }
            for (JsonNode build : effective) {
                int number = build.path("number").asInt();
                String result = build.path("result").asText();
                List<Line> its = said.stream().filter(line -> line.number == number).toList();
                long begins = its.stream().filter(line -> line.what.equals("begin")).count();
                if (begins > 1) {
                    again++;
                    if (!trigger.getValue().startsWith("p-")) {
                        wrong.add("RAN TWICE " + what);
                    }
                }
                if (result.equals("SUCCESS")) {
                    ended++;
                    works.addAll(works(trigger.getValue() + " " + number, its));
                    if (its.stream().noneMatch(line -> line.what.equals("end"))) {
                        wrong.add("DID NOT RUN " + what);
                    }
                } else if (result.equals("FAILURE") && lostItsAgent(trigger.getValue(), number)) {
                    failed++;
                } else {
                    wrong.add("RESULT " + what);
                }
            }
            if (said.stream().filter(line -> line.what.equals("begin")).count()
                    > of.size() + (trigger.getValue().startsWith("p-") ? 1 : 0)) {
                wrong.add("RAN TOO OFTEN " + what);
            }
        }
        wrong.addAll(overlaps(works));
        figure("agents.succeeded", ended, "builds");
        figure("agents.aborted_by_death", aborted, "builds");
        figure("agents.failed_with_its_agent", failed, "builds");
        figure("agents.steps_made_again", again, "builds");
        return wrong;
    }

    private static List<Work> works(String build, List<Line> its) {
        List<Work> works = new ArrayList<>();
        Line begin = null;
        for (Line line : its) {
            if (line.what.equals("begin")) {
                begin = line;
            } else if (begin != null) {
                works.add(new Work(build, line.agent, begin.nanos, line.nanos));
                begin = null;
            }
        }
        return works;
    }

    /** Each agent has one executor. */
    private static List<String> overlaps(List<Work> works) {
        List<String> wrong = new ArrayList<>();
        Map<String, Work> last = new HashMap<>();
        works.sort(Comparator.comparingLong(Work::begin));
        for (Work work : works) {
            Work before = last.get(work.agent);
            if (before != null && before.end > work.begin) {
                wrong.add("TWO AT ONCE ON AN AGENT " + before + " " + work);
            }
            if (before == null || before.end < work.end) {
                last.put(work.agent, work);
            }
        }
        return wrong;
    }

    /** As on one Jenkins: its agent was killed under it. */
    private boolean lostItsAgent(String job, int number) {
        String log = stage.controllers().get(0).client().console(job, number);
        return List.of(
                        "ChannelClosedException",
                        "went offline",
                        "Unexpected termination",
                        "closed",
                        "RequestAbortedException",
                        "removed",
                        "Agent was removed")
                .stream()
                .anyMatch(log::contains);
    }

    private List<JsonNode> builds(String job) {
        List<JsonNode> result = new ArrayList<>();
        JenkinsClient on = stage.controllers().get(0).client();
        on.json("job/" + job + "/api/json?tree=allBuilds[number,result,actions[parameters[value]]]")
                .path("allBuilds")
                .forEach(result::add);
        return result;
    }
}
