package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.chaos.Verdict.Violation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The invariant of the queue's scripts over all keys at one moment: each live item is in exactly
 * the indexes of its state, and each slot has its one holder.
 */
final class IndexRules {
    private final JsonNode snapshot;
    private final List<Violation> violations;
    private final Map<String, List<String>> places = new TreeMap<>();
    private final Map<String, JsonNode> items = new TreeMap<>();
    private final Map<String, String> queued = new HashMap<>();
    private final Map<String, String> slots = new HashMap<>();
    private final Map<String, String> orphans = new HashMap<>();
    private final Set<String> members = new HashSet<>();
    private final Set<String> parked = new HashSet<>();

    IndexRules(JsonNode snapshot, List<Violation> violations) {
        this.snapshot = snapshot;
        this.violations = violations;
    }

    void check() {
        for (JsonNode key : snapshot.path("keys")) {
            read(key.get(0).asText(), key.get(2));
        }
        Map<String, Set<String>> holders = new HashMap<>();
        items.forEach((id, item) -> item(id, item, holders));
        for (String id : places.keySet()) {
            if (!items.containsKey(id)) {
                fail("item %s does not live, but is in %s".formatted(id, places.get(id)));
            }
        }
        for (String id : queued.keySet()) {
            if (!items.containsKey(id)) {
                fail("item %s does not live, but is queued".formatted(id));
            }
        }
        holders.forEach(
                (job, ids) -> {
                    if (ids.size() != 1 || !ids.contains(slots.get(job))) {
                        fail("slot of %s is %s, holders %s".formatted(job, slots.get(job), ids));
                    }
                });
        for (String job : slots.keySet()) {
            if (!holders.containsKey(job)) {
                fail("slot of %s is held by %s, which does nothing".formatted(job, slots.get(job)));
            }
        }
        for (String job : parked) {
            if (!slots.containsKey(job)) {
                fail("parked behind a free slot of " + job);
            }
        }
    }

    private void read(String key, JsonNode value) {
        String noun = key.contains(":") ? key.substring(0, key.indexOf(':')) : key;
        String rest = key.substring(Math.min(key.length(), noun.length() + 1));
        switch (noun) {
            case "ready", "delayed", "parked" -> {
                for (int i = 0; i < value.size(); i += 2) {
                    place(value.get(i).asText(), key);
                }
                if (noun.equals("parked")) {
                    parked.add(rest);
                }
            }
            case "owned" -> value.forEach(id -> place(id.asText(), key));
            case "orphan" -> {
                for (int i = 0; i < value.size(); i += 2) {
                    place(value.get(i).asText(), key);
                    orphans.put(value.get(i).asText(), value.get(i + 1).asText());
                }
            }
            case "queued" -> {
                for (int i = 0; i < value.size(); i += 2) {
                    queued.put(value.get(i).asText(), rest + " " + value.get(i + 1).asText());
                }
            }
            case "members" -> {
                for (int i = 0; i < value.size(); i += 2) {
                    members.add(value.get(i).asText());
                }
            }
            case "slot" -> slots.put(rest, value.get(0).asText());
            case "item" -> items.put(rest, value);
            default -> {}
        }
    }

    /** Fields: job, state, blocked, concurrent, pinned, lane, owner, epoch, reaper, jobrev. */
    private void item(String id, JsonNode item, Map<String, Set<String>> holders) {
        String job = item.path(0).asText();
        String state = item.path(1).asText();
        String owner = item.path(6).asText() + ":" + item.path(7).asText();
        List<String> place = places.getOrDefault(id, List.of());
        String wanted =
                switch (state) {
                    case "Q" -> {
                        if (item.path(2).asText().equals("1")) {
                            yield "parked:" + job;
                        }
                        yield place.equals(List.of("delayed"))
                                ? "delayed"
                                : "ready:" + item.path(4).asText() + ":" + item.path(5).asText();
                    }
                    case "C", "S", "R" -> "owned:" + owner;
                    case "O" -> "orphan";
                    default -> "";
                };
        if (!place.equals(wanted.isEmpty() ? List.of() : List.of(wanted))) {
            fail("item %s, %s, is in %s, not in %s".formatted(id, state, place, wanted));
        }
        if (state.equals("D") || state.equals("X") || job.isEmpty()) {
            fail("item %s, '%s', lives".formatted(id, state));
        }
        String entry = "QC".contains(state) ? job + " " + item.path(9).asText() : null;
        if (!java.util.Objects.equals(entry, queued.get(id))) {
            fail("item %s, %s, is queued as %s".formatted(id, state, queued.get(id)));
        }
        if (wanted.startsWith("owned:") && !members.contains(owner)) {
            fail("item %s, %s, is held by %s, which is no member".formatted(id, state, owner));
        }
        if (state.equals("O") && !item.path(8).asText().equals(orphans.get(id))) {
            fail("item %s is for %s, and for %s".formatted(id, item.path(8), orphans.get(id)));
        }
        if (item.path(3).asText().equals("0")
                && ("CSRO".contains(state)
                        || place.stream().anyMatch(p -> p.startsWith("ready:")))) {
            holders.computeIfAbsent(job, j -> new HashSet<>()).add(id);
        }
    }

    private void place(String id, String key) {
        places.computeIfAbsent(id, i -> new ArrayList<>()).add(key);
    }

    private void fail(String text) {
        violations.add(
                new Violation(Rule.INDEX, "at " + snapshot.path("at").asLong() + ": " + text));
    }
}
