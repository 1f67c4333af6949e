package io.jenkins.plugins.ha.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The builds that were triggered, as one controller shows them, drawn as a table that changes in
 * place.
 */
final class Board {
    private static final String FORMAT = "  %-8s %-8s %-6s %-12s %-10s %8s%n";

    /** A build, or what is to become one. */
    record Row(String job, long queueId, int number, String controller, String state, long millis) {
        boolean ended() {
            return !state.equals("waiting") && !state.equals("running");
        }
    }

    private JenkinsClient seenFrom;
    private final Map<Long, Row> rows = new LinkedHashMap<>();
    private final boolean inPlace = System.console() != null && System.getenv("TERM") != null;
    private int drawn;

    Board(JenkinsClient seenFrom) {
        this.seenFrom = seenFrom;
    }

    /** From now on as this controller shows them. */
    void seeFrom(JenkinsClient controller) {
        seenFrom = controller;
    }

    void add(String job, long queueId) {
        rows.put(queueId, new Row(job, queueId, 0, "", "waiting", 0));
    }

    List<Row> rows() {
        return new ArrayList<>(rows.values());
    }

    /** Asks the controller again; true when anything changed. */
    boolean refresh() {
        boolean changed = false;
        for (Row row : rows()) {
            if (!row.ended()) {
                Row now = look(row);
                changed |=
                        !now.state().equals(row.state())
                                || !now.controller().equals(row.controller());
                rows.put(row.queueId(), now);
            }
        }
        return changed;
    }

    /**
     * Draws the table: over the last one in a terminal, else only the changed state of it all at
     * the end.
     */
    void draw() {
        if (inPlace) {
            if (drawn > 0) {
                System.out.print("\u001b[" + drawn + "A\u001b[J");
            }
            print();
            drawn = rows.size() + 1;
        }
    }

    /** Leaves the table standing; what is drawn later comes below. */
    void finish() {
        if (!inPlace) {
            print();
        }
        drawn = 0;
    }

    private void print() {
        System.out.printf(FORMAT, "job", "queue", "build", "ran on", "state", "took");
        for (Row row : rows.values()) {
            System.out.printf(
                    FORMAT,
                    row.job(),
                    row.queueId(),
                    row.number() == 0 ? "" : "#" + row.number(),
                    row.controller(),
                    row.state(),
                    row.ended() && row.millis() > 0
                            ? String.format(Locale.ROOT, "%.1f s", row.millis() / 1000.0)
                            : "");
        }
    }

    private Row look(Row row) {
        Optional<JsonNode> item = seenFrom.queueItem(row.queueId());
        if (item.map(i -> i.path("cancelled").asBoolean()).orElse(false)) {
            return new Row(row.job(), row.queueId(), 0, "", "cancelled", 0);
        }
        int number =
                item.map(i -> i.path("executable").path("number").asInt()).orElse(row.number());
        Optional<JsonNode> build =
                number == 0 ? Optional.empty() : seenFrom.build(row.job(), number);
        return build.map(
                        b ->
                                new Row(
                                        row.job(),
                                        row.queueId(),
                                        number,
                                        JenkinsClient.controllerOf(b),
                                        b.path("building").asBoolean() || b.path("result").isNull()
                                                ? "running"
                                                : b.path("result").asText(),
                                        b.path("duration").asLong()))
                .orElse(row);
    }
}
