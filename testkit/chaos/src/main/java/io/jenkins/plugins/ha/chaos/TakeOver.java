package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How long it takes after a kill until what the dead controller had claimed runs elsewhere, and
 * until what it ran is ended and runs again.
 */
final class TakeOver {
    private static final long WITHIN_MILLIS = 60_000;
    private static final long SETTLED_MILLIS = Plan.LEASE_MILLIS;

    private TakeOver() {}

    static void figures(
            List<JsonNode> faults,
            List<JsonNode> controllers,
            QueueReplay replay,
            Map<String, String> figures) {
        Map<String, String> ids = new HashMap<>();
        controllers.forEach(c -> ids.put(c.path("name").asText(), c.path("id").asText()));
        List<Long> back = new ArrayList<>();
        List<Long> alone = new ArrayList<>();
        List<Long> amid = new ArrayList<>();
        List<Long> endedAlone = new ArrayList<>();
        List<Long> endedAmid = new ArrayList<>();
        List<Long> againAlone = new ArrayList<>();
        List<Long> againAmid = new ArrayList<>();
        for (int i = 0; i < faults.size(); i++) {
            JsonNode kill = faults.get(i);
            if (!kill.path("fault").asText().equals("kill")
                    || !kill.path("phase").asText().equals("begin")) {
                continue;
            }
            long at = kill.path("at").asLong();
            String id = ids.getOrDefault(kill.path("target").asText(), "");
            boolean undisturbed = undisturbed(faults, kill);
            for (QueueReplay.Course course : replay.courses()) {
                claimed(course, id, at, "R", undisturbed ? alone : amid);
                if (undisturbed) {
                    claimed(course, id, at, "Q", back);
                }
                running(
                        course,
                        id,
                        at,
                        undisturbed ? endedAlone : endedAmid,
                        undisturbed ? againAlone : againAmid);
            }
        }
        figures.put("ms from kill to back in the queue", percentiles(back));
        figures.put("ms from kill to running again", percentiles(alone));
        figures.put("ms to running again, amid other faults", percentiles(amid));
        figures.put("ms from kill to ABORTED of what ran", percentiles(endedAlone));
        figures.put("ms to ABORTED, amid other faults", percentiles(endedAmid));
        figures.put("ms from kill until what ran runs again", percentiles(againAlone));
        figures.put("ms until it runs again, amid other faults", percentiles(againAmid));
    }

    /** Adds how long an item that it held unstarted took to be in that state, without it. */
    private static void claimed(
            QueueReplay.Course course, String id, long at, String state, List<Long> times) {
        QueueReplay.Step held = stateAt(course, at);
        if (held == null || !held.state().equals("C") || !held.owner().startsWith(id + ":")) {
            return;
        }
        for (QueueReplay.Step step : course.steps) {
            if (step.at() >= at
                    && step.state().equals(state)
                    && !step.owner().equals(held.owner())) {
                times.add(step.at() - at);
                return;
            }
        }
    }

    /** Adds how long a build that it ran took to be ended, and to run again. */
    private static void running(
            QueueReplay.Course course, String id, long at, List<Long> ended, List<Long> again) {
        QueueReplay.Step held = stateAt(course, at);
        if (held != null
                && held.state().equals("R")
                && held.owner().startsWith(id + ":")
                && course.orphaned.containsKey(course.number)
                && course.ended >= at) {
            ended.add(course.ended - at);
            if (course.successor != null) {
                course.successor.running.values().stream()
                        .min(Long::compare)
                        .ifPresent(begun -> again.add(begun - at));
            }
        }
    }

    private static QueueReplay.Step stateAt(QueueReplay.Course course, long at) {
        QueueReplay.Step found = null;
        for (QueueReplay.Step step : course.steps) {
            if (step.at() > at) {
                break;
            }
            found = step;
        }
        return found;
    }

    /** Whether nothing else was broken from a lease before it to long after it. */
    private static boolean undisturbed(List<JsonNode> faults, JsonNode kill) {
        long from = kill.path("at").asLong() - SETTLED_MILLIS;
        long to = kill.path("at").asLong() + 2 * SETTLED_MILLIS;
        Map<String, Long> begun = new HashMap<>();
        for (JsonNode fault : faults) {
            String who = fault.path("fault").asText() + fault.path("target").asText();
            long at = fault.path("at").asLong();
            if (fault.path("phase").asText().equals("begin")) {
                begun.put(who, at);
            } else if (begun.get(who) != null
                    && begun.get(who) != kill.path("at").asLong()
                    && begun.get(who) <= to
                    && at >= from
                    && at - begun.get(who) < WITHIN_MILLIS) {
                return false;
            }
        }
        return true;
    }

    private static String percentiles(List<Long> times) {
        if (times.isEmpty()) {
            return "none";
        }
        Collections.sort(times);
        return "p50 %d, p99 %d, max %d of %d"
                .formatted(
                        times.get(times.size() / 2),
                        times.get(Math.min(times.size() - 1, times.size() * 99 / 100)),
                        times.get(times.size() - 1),
                        times.size());
    }
}
