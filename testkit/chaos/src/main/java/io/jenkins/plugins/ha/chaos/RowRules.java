package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.chaos.Verdict.Violation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the database says of the builds at the end: of each effective build one row, with its item
 * and its result; nothing that a controller wrote which had lost the build; nothing that runs.
 */
final class RowRules {
    private static final int RUNNING = 0;
    private static final int ENDED = 1;
    private static final int DELETED = 2;
    private static final Set<String> NOT_EFFECTIVE = Set.of("ABORTED", "NOT_BUILT");

    private final QueueReplay replay;
    private final List<Violation> violations;
    private final Map<String, JsonNode> rows = new HashMap<>();

    RowRules(QueueReplay replay, List<Violation> violations) {
        this.replay = replay;
        this.violations = violations;
    }

    void check(List<JsonNode> found, List<JsonNode> refused, List<JsonNode> outboxes) {
        for (JsonNode row : found) {
            if (rows.put(build(row), row) != null) {
                fail("%s has two rows".formatted(build(row)));
            }
        }
        for (QueueReplay.Course course : replay.courses()) {
            if (course.state.equals("D")) {
                effective(course, rows.get(course.build()));
            }
        }
        Map<Long, JsonNode> items = new HashMap<>();
        for (JsonNode row : rows.values()) {
            if (row.path("state").asInt() == DELETED) {
                continue;
            }
            JsonNode other = items.put(row.path("item").asLong(), row);
            if (other != null && row.path("item").asLong() != 0) {
                fail("two builds of one item: %s, %s".formatted(row, other));
            }
            QueueReplay.Course course = replay.course(row.path("item").asLong());
            if (course == null || !course.numbers.contains(row.path("number").asInt())) {
                fail("has a number that was not given: " + row);
            } else if (!course.build().equals(build(row))
                    && !NOT_EFFECTIVE.contains(row.path("result").asText())) {
                fail("is not effective, but says that it is: " + row);
            }
            if (row.path("state").asInt() == RUNNING) {
                fail("runs for ever: " + row);
            }
        }
        for (JsonNode line : refused) {
            if (line.path("why").asText().contains("built twice")) {
                fail("an admin was told of a build that is not: " + line);
            }
        }
        for (JsonNode outbox : outboxes) {
            violations.add(new Violation(Rule.DRAINED, "an outbox is not empty: " + outbox));
        }
    }

    private void effective(QueueReplay.Course course, JsonNode row) {
        if (row == null) {
            fail(course + " has no row");
        } else if (row.path("state").asInt() != ENDED
                || row.path("item").asLong() != course.id
                || !row.path("result").asText().equals(course.result)) {
            fail("%s ended as %s, but its row is %s".formatted(course, course.result, row));
        }
    }

    private static String build(JsonNode row) {
        return row.path("job").asText() + "#" + row.path("number").asInt();
    }

    private void fail(String text) {
        violations.add(new Violation(Rule.ROW, text));
    }
}
