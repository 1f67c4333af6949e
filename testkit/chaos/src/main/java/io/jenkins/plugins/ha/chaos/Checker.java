package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.chaos.Verdict.Violation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Decides from a {@link History} alone whether the cluster kept its promises.
 *
 * <p>Four witnesses are held against each other: what users asked and heard, what the queue says it
 * did (its stream of changes, followed step by step by {@link QueueReplay}), what the builds'
 * scripts did (each writes when it begins and ends), and what is left at the end in Redis, in the
 * shared folder and in the database.
 *
 * <p><em>Effective</em> is the build that stands in the outcome of its item: item DONE, with that
 * number. A controller that is paused beyond its lease cannot recall a script that already runs; so
 * a script may go on, and at worst begin, after its controller was declared dead. It is not
 * effective: its item ended as ABORTED by a survivor's word, or was run again, and the checker
 * counts it apart.
 */
final class Checker {
    /** Two clocks of one machine, read one after the other. */
    private static final long CLOCK_MILLIS = 50;

    private static final long DAY_SECONDS = 86_400;

    private final List<Violation> violations = new ArrayList<>();
    private final Map<String, String> figures = new LinkedHashMap<>();
    private final Map<String, List<JsonNode>> lines;
    private final QueueReplay replay;
    private final Map<Long, JsonNode> items = new HashMap<>();
    private final Map<String, JsonNode> records = new HashMap<>();
    private final Map<String, List<JsonNode>> shells = new HashMap<>();

    private Checker(Collection<JsonNode> history) {
        lines = history.stream().collect(Collectors.groupingBy(l -> l.path("type").asText()));
        replay = new QueueReplay(lines("fault"), floors(), vetoedOn(), violations);
    }

    /** The verdict on a whole history. */
    static Verdict check(Collection<JsonNode> history) {
        Checker checker = new Checker(history);
        checker.run();
        return new Verdict(List.copyOf(checker.violations), checker.figures);
    }

    private void run() {
        if (lines("end").isEmpty()) {
            fail(Rule.LIFE, "the history has no end");
        }
        for (JsonNode crash : lines("crash")) {
            fail(Rule.LIFE, "controller ended by itself: " + crash.path("controller").asText());
        }
        lines("event").forEach(replay::event);
        lines("item").forEach(item -> items.put(item.path("id").asLong(), item));
        lines("record").forEach(record -> records.put(build(record), record));
        lines("shell")
                .forEach(s -> shells.computeIfAbsent(build(s), b -> new ArrayList<>()).add(s));
        outcomes();
        Map<String, List<QueueReplay.Course>> builtFor = builtFor();
        triggers(builtFor);
        acceptOrder();
        cancels();
        scripts();
        places();
        overlaps();
        results();
        abortedForGood();
        records();
        if (!lines("database").isEmpty()) {
            new RowRules(replay, violations).check(lines("row"), lines("refused"), lines("outbox"));
        }
        lines("snapshot").forEach(s -> new IndexRules(s, violations).check());
        drained();
        figures(builtFor);
    }

    /** By item, the id of the controller on which it must not run. */
    private Map<Long, String> vetoedOn() {
        Map<String, String> ids = new HashMap<>();
        for (JsonNode controller : lines("controller")) {
            ids.put(controller.path("name").asText(), controller.path("id").asText());
        }
        Map<Long, String> vetoedOn = new HashMap<>();
        for (JsonNode trigger : lines("trigger")) {
            if (trigger.has("item") && trigger.has("not")) {
                String name = trigger.path("not").asText();
                vetoedOn.put(trigger.path("item").asLong(), ids.getOrDefault(name, name));
            }
        }
        return vetoedOn;
    }

    // ---- outcomes

    /** What Redis holds at the end is what the stream of changes led to. */
    private void outcomes() {
        for (QueueReplay.Course course : replay.courses()) {
            JsonNode item = items.get(course.id);
            if (item == null) {
                fail(Rule.LOST, course + " is no longer in Redis");
                continue;
            }
            String state = item.path("state").asText();
            if (!state.equals(course.state)
                    || item.path("number").asInt() != course.number
                    || item.path("version").asLong() != course.version) {
                fail(
                        Rule.LIFE,
                        "%s was told, but Redis has %s #%s version %s"
                                .formatted(
                                        course,
                                        state,
                                        item.path("number").asText(),
                                        item.path("version").asText()));
            }
            String last = item.path("last").asText();
            if (state.equals("D") && !last.equals(course.mayEnd)) {
                fail(
                        Rule.STALE,
                        "%s was ended by %s, when only %s might"
                                .formatted(course, last, course.mayEnd));
            }
            boolean ended = state.equals("D") || state.equals("X");
            if (!ended) {
                fail(Rule.LOST, course + " has not ended");
            } else if (item.path("ttl").asLong() <= 0
                    || item.path("ttl").asLong() > DAY_SECONDS
                    || item.has("payload")
                    || item.has("mac")) {
                fail(Rule.DRAINED, course + " has ended, but is kept for ever or with its payload");
            }
        }
        for (long id : items.keySet()) {
            if (replay.course(id) == null) {
                fail(Rule.LIFE, "item " + id + " is in Redis, but was never told of");
            }
        }
    }

    /** By token, the items whose effective build was made for that trigger. */
    private Map<String, List<QueueReplay.Course>> builtFor() {
        Map<String, List<QueueReplay.Course>> builtFor = new HashMap<>();
        for (QueueReplay.Course course : replay.courses()) {
            JsonNode record = records.get(course.build());
            if (course.state.equals("D") && course.successor == null && record != null) {
                for (JsonNode token : record.path("causes")) {
                    builtFor.computeIfAbsent(token.asText(), t -> new ArrayList<>()).add(course);
                }
            }
        }
        return builtFor;
    }

    private void triggers(Map<String, List<QueueReplay.Course>> builtFor) {
        Set<Long> askedToCancel =
                lines("cancel").stream()
                        .map(c -> c.path("item").asLong())
                        .collect(Collectors.toSet());
        // Whoever wants a build ended gets it cancelled, should it turn out not to have begun.
        Set<String> askedToAbort =
                lines("abort").stream().map(Checker::build).collect(Collectors.toSet());
        for (QueueReplay.Course course : replay.missing()) {
            fail(Rule.LOST, course + " was to run again, but does not");
        }
        for (JsonNode trigger : lines("trigger")) {
            String token = trigger.path("token").asText();
            List<QueueReplay.Course> builds = builtFor.getOrDefault(token, List.of());
            if (builds.size() > 1) {
                fail(Rule.DOUBLED, "trigger " + token + " has builds " + builds);
            }
            if (answered(trigger, "refused") && !builds.isEmpty()) {
                fail(Rule.REFUSED, "trigger " + token + " was refused, but has builds " + builds);
            }
            if (!answered(trigger, "accepted")) {
                continue;
            }
            QueueReplay.Course course = replay.course(trigger.path("item").asLong());
            if (course == null) {
                fail(Rule.LOST, "trigger " + trigger + " was accepted, but is no item");
                continue;
            }
            course = course.last();
            if (course.state.equals("X")
                    && !(course.stays && course.why.contains("controller"))
                    && !askedToCancel.contains(course.id)
                    && Collections.disjoint(course.builds(), askedToAbort)) {
                fail(Rule.LOST, course + " was cancelled, but nobody asked: " + course.why);
            } else if (course.state.equals("D") && builds.isEmpty()) {
                fail(Rule.LOST, "trigger " + token + " is not among the causes of " + course);
            } else if (course.state.equals("D") && !builds.contains(course)) {
                fail(Rule.LIFE, "trigger %s became %s, not %s".formatted(token, builds, course));
            }
        }
    }

    /** Whose trigger was answered before another of the same job was asked stands before it. */
    private void acceptOrder() {
        Map<String, List<JsonNode>> byJob = new TreeMap<>();
        Set<Long> stored = new HashSet<>();
        List<JsonNode> byBegin = new ArrayList<>(lines("trigger"));
        byBegin.sort(Comparator.comparingLong(t -> t.path("begin").asLong()));
        for (JsonNode trigger : byBegin) {
            QueueReplay.Course course = replay.course(trigger.path("item").asLong());
            // Not those folded into what others had triggered before.
            if (answered(trigger, "accepted")
                    && course != null
                    && !course.rerun
                    && course.enqueued >= trigger.path("begin").asLong()
                    && course.enqueued <= trigger.path("end").asLong()
                    && stored.add(course.id)) {
                byJob.computeIfAbsent(course.job, j -> new ArrayList<>()).add(trigger);
            }
        }
        byJob.forEach(
                (job, triggers) -> {
                    List<JsonNode> byEnd = new ArrayList<>(triggers);
                    byEnd.sort(Comparator.comparingLong(t -> t.path("end").asLong()));
                    long highest = -1;
                    int answered = 0;
                    for (JsonNode trigger : triggers) {
                        while (byEnd.get(answered).path("end").asLong()
                                < trigger.path("begin").asLong()) {
                            highest =
                                    Math.max(
                                            highest,
                                            replay.course(byEnd.get(answered).path("item").asLong())
                                                    .sequence);
                            answered++;
                        }
                        QueueReplay.Course course = replay.course(trigger.path("item").asLong());
                        if (course.sequence < highest) {
                            fail(
                                    Rule.ORDER,
                                    course + " stands before one that was accepted earlier");
                        }
                    }
                });
    }

    private void cancels() {
        for (JsonNode cancel : lines("cancel")) {
            QueueReplay.Course course = replay.course(cancel.path("item").asLong());
            if (answered(cancel, "cancelled") && (course == null || !course.state.equals("X"))) {
                fail(Rule.CANCELLED_RAN, "was said to be cancelled: " + course);
            }
        }
    }

    // ---- scripts

    private void scripts() {
        Map<Long, List<JsonNode>> runs = new TreeMap<>();
        for (JsonNode shell : lines("shell")) {
            if (shell.path("phase").asText().equals("begin")) {
                runs.computeIfAbsent(shell.path("item").asLong(), i -> new ArrayList<>())
                        .add(shell);
            }
        }
        runs.forEach(
                (id, begins) -> {
                    QueueReplay.Course course = replay.course(id);
                    if (course == null) {
                        fail(Rule.LIFE, "a script ran for an unknown item: " + begins);
                        return;
                    }
                    if (course.state.equals("X")) {
                        fail(Rule.CANCELLED_RAN, "%s ran: %s".formatted(course, begins));
                    }
                    Set<Integer> numbers = new HashSet<>();
                    for (JsonNode begin : begins) {
                        int number = begin.path("number").asInt();
                        if (!numbers.add(number)) {
                            fail(Rule.DOUBLED, "%s ran twice: %s".formatted(course, begins));
                        }
                        Long running = course.running.get(number);
                        if (running == null) {
                            fail(
                                    Rule.STALE,
                                    "%s: a script ran that the queue had not let start: %s"
                                            .formatted(course, begin));
                        } else if (begin.path("at").asLong() < running - CLOCK_MILLIS) {
                            fail(
                                    Rule.STALE,
                                    "%s: its script began before the queue let it: %s"
                                            .formatted(course, begin));
                        }
                        if (number != course.number && !course.orphaned.containsKey(number)) {
                            fail(
                                    Rule.DOUBLED,
                                    "%s ran again, though its first run was not cut short: %s"
                                            .formatted(course, begins));
                        }
                    }
                });
    }

    /** Where the scripts ran, and where they were to. */
    private void places() {
        Map<Long, JsonNode> asked = new HashMap<>();
        for (JsonNode trigger : lines("trigger")) {
            if (answered(trigger, "accepted")) {
                asked.putIfAbsent(trigger.path("item").asLong(), trigger);
            }
        }
        for (QueueReplay.Course course : replay.courses()) {
            JsonNode trigger = asked.get(course.id);
            if (trigger != null && course.successor != null) {
                asked.putIfAbsent(course.successor.id, trigger);
            }
        }
        for (JsonNode shell : lines("shell")) {
            JsonNode trigger = asked.get(shell.path("item").asLong());
            String controller = shell.path("controller").asText();
            if (trigger != null
                    && (trigger.has("only") && !trigger.path("only").asText().equals(controller)
                            || trigger.has("not")
                                    && trigger.path("not").asText().equals(controller))) {
                fail(Rule.PLACE, "ran in the wrong place: " + shell + " for " + trigger);
            }
        }
    }

    /**
     * By the scripts' own times: two at once only when the first one's controller was held dead.
     */
    private void overlaps() {
        Map<String, List<JsonNode>> byJob =
                lines("shell").stream()
                        .filter(s -> s.path("phase").asText().equals("begin"))
                        .filter(
                                s -> {
                                    QueueReplay.Course course =
                                            replay.course(s.path("item").asLong());
                                    return course != null && !course.concurrent;
                                })
                        .sorted(Comparator.comparingLong(s -> s.path("at").asLong()))
                        .collect(Collectors.groupingBy(s -> s.path("job").asText()));
        byJob.forEach(
                (job, begins) -> {
                    for (int i = 0; i + 1 < begins.size(); i++) {
                        JsonNode first = begins.get(i);
                        JsonNode next = begins.get(i + 1);
                        QueueReplay.Course course = replay.course(first.path("item").asLong());
                        Long dead = course.orphaned.get(first.path("number").asInt());
                        if (dead != null && dead <= next.path("at").asLong() + CLOCK_MILLIS) {
                            continue;
                        }
                        long end = endOf(first);
                        if (end > next.path("at").asLong() + CLOCK_MILLIS) {
                            fail(
                                    Rule.OVERLAP,
                                    "%s ran twice at once: %s, %s".formatted(job, first, next));
                        }
                    }
                });
    }

    /** When a script said that it ended; 0 when it never did. */
    private long endOf(JsonNode begin) {
        return shells.get(build(begin)).stream()
                .filter(s -> !s.path("phase").asText().equals("begin"))
                .mapToLong(s -> s.path("at").asLong())
                .max()
                .orElse(0);
    }

    private void results() {
        Map<String, Long> aborts = new HashMap<>();
        for (JsonNode abort : lines("abort")) {
            if (!answered(abort, "refused")) {
                aborts.merge(build(abort), abort.path("begin").asLong(), Math::min);
            }
        }
        Set<String> vanish =
                lines("trigger").stream()
                        .filter(t -> t.path("vanishes").asBoolean())
                        .map(t -> t.path("token").asText())
                        .collect(Collectors.toSet());
        for (QueueReplay.Course course : replay.courses()) {
            if (!course.state.equals("D")) {
                continue;
            }
            Set<String> said =
                    shells.getOrDefault(course.build(), List.of()).stream()
                            .map(s -> s.path("phase").asText())
                            .collect(Collectors.toSet());
            boolean fits =
                    switch (course.result) {
                        case "SUCCESS" -> said.contains("end");
                        case "FAILURE" ->
                                said.contains("fail")
                                        || isFor(course, vanish) && !said.contains("end");
                        case "ABORTED" ->
                                cutShort(course)
                                        || aborts.getOrDefault(course.build(), Long.MAX_VALUE)
                                                <= course.ended + CLOCK_MILLIS
                                        || stopped(controller(course), course.ended);
                        default -> false;
                    };
            if (!fits) {
                fail(
                        Rule.RESULT,
                        "%s ended as %s without a reason, its script said %s"
                                .formatted(course, course.result, said));
            }
        }
    }

    /** Whether its build was made for one of these triggers, answered or not. */
    private boolean isFor(QueueReplay.Course course, Set<String> tokens) {
        JsonNode record = records.get(course.build());
        if (record != null) {
            for (JsonNode token : record.path("causes")) {
                if (tokens.contains(token.asText())) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Whether its controller died with it, and it runs again, or the queue says why it does not:
     * because somebody wanted it ended, or because too many have died.
     */
    private static boolean cutShort(QueueReplay.Course course) {
        return course.orphaned.containsKey(course.number)
                && (course.successor != null
                        || course.stays
                        || course.why.contains("wanted it ended")
                        || course.why.contains("Not run again"));
    }

    /** What a user was told is being ended does not run again. */
    private void abortedForGood() {
        Map<String, Long> told = new HashMap<>();
        for (JsonNode abort : lines("abort")) {
            if (answered(abort, "sent")) {
                told.merge(build(abort), abort.path("end").asLong(), Math::min);
            }
        }
        for (QueueReplay.Course course : replay.courses()) {
            if (course.successor != null
                    && told.getOrDefault(course.build(), Long.MAX_VALUE)
                            < course.ended - CLOCK_MILLIS) {
                fail(Rule.RESULT, course + " runs again, though somebody was told that it ends");
            }
        }
    }

    /** Whether a controller was being stopped at that time, as by an admin. */
    private boolean stopped(String controller, long at) {
        long begin = Long.MAX_VALUE;
        for (JsonNode fault : lines("fault")) {
            if (!fault.path("fault").asText().equals("stop")
                    || !fault.path("target").asText().equals(controller)) {
                continue;
            }
            if (fault.path("phase").asText().equals("begin")) {
                begin = fault.path("at").asLong();
            } else if (begin <= at + CLOCK_MILLIS
                    && at <= fault.path("at").asLong() + CLOCK_MILLIS) {
                return true;
            } else {
                begin = Long.MAX_VALUE;
            }
        }
        return begin <= at + CLOCK_MILLIS;
    }

    private String controller(QueueReplay.Course course) {
        return records.containsKey(course.build())
                ? records.get(course.build()).path("controller").asText()
                : "";
    }

    private void records() {
        for (QueueReplay.Course course : replay.courses()) {
            JsonNode record = records.get(course.build());
            if (!course.state.equals("D")) {
                continue;
            }
            if (record == null) {
                fail(Rule.RECORD, course + " has no record");
            } else if (record.path("item").asLong() != course.id
                    || !record.path("result").asText().equals(course.result)) {
                fail(
                        Rule.RECORD,
                        "%s ended as %s, but its record is %s"
                                .formatted(course, course.result, record));
            }
        }
        for (JsonNode record : records.values()) {
            QueueReplay.Course course = replay.course(record.path("item").asLong());
            if (record.path("result").isNull()) {
                fail(Rule.RECORD, "was never closed: " + record);
            } else if (course == null || !course.numbers.contains(record.path("number").asInt())) {
                fail(Rule.RECORD, "has a number that was not given: " + record);
            } else if (!course.build().equals(build(record))
                    && !Set.of("ABORTED", "NOT_BUILT").contains(record.path("result").asText())) {
                fail(Rule.RECORD, "is not effective, but says that it is: " + record);
            }
        }
    }

    // ---- the end

    private void drained() {
        for (JsonNode end : lines("end")) {
            if (!end.path("drained").asBoolean()) {
                fail(Rule.DRAINED, "not all items ended in time: " + end.path("left").asText());
            }
        }
        for (JsonNode key : lines("key")) {
            String name = key.path("key").asText();
            String noun = name.contains(":") ? name.substring(0, name.indexOf(':')) : name;
            boolean lasting =
                    switch (noun) {
                        // Of the controllers that are members at the end, or were a while ago.
                        case "meta", "seq", "ids", "epoch", "eventno", "events" ->
                                !name.contains(":");
                        // Who waits for work, at the end all of them.
                        case "waiting", "idle", "roused", "wake" -> true;
                        case "number" -> true;
                        case "inbox", "cursor", "homes", "home", "reran" -> true;
                        case "settings", "settings-text", "timeline" -> true;
                        case "done", "turn", "vouch", "trace" -> key.path("ttl").asLong() > 0;
                        default -> false;
                    };
            if (!lasting) {
                fail(Rule.DRAINED, "key " + name + " is left");
            }
        }
    }

    private void figures(Map<String, List<QueueReplay.Course>> builtFor) {
        JsonNode run = lines("run").isEmpty() ? null : lines("run").get(0);
        if (run != null) {
            figures.put("seed", run.path("seed").asText());
            figures.put("seconds", run.path("seconds").asText());
        }
        figures.put("triggers accepted", count("trigger", "accepted"));
        figures.put("triggers unanswered", count("trigger", "unknown"));
        figures.put("triggers refused", count("trigger", "refused"));
        figures.put("items", Integer.toString(replay.courses().size()));
        figures.put("builds", Long.toString(inState("D")));
        figures.put("cancelled", Long.toString(inState("X")));
        figures.put("aborts", count("abort", "sent"));
        figures.put("lost", Long.toString(violated(Rule.LOST)));
        figures.put("doubled", Long.toString(violated(Rule.DOUBLED)));
        figures.put("handed back by a death", Long.toString(replay.handedBackByDeath()));
        figures.put("ended as ABORTED by a death", Long.toString(diedWith("ABORTED")));
        figures.put(
                "run again after it",
                Long.toString(replay.courses().stream().filter(c -> c.successor != null).count()));
        figures.put(
                "had come to their own end, untold",
                Long.toString(diedWith("SUCCESS") + diedWith("FAILURE")));
        if (!lines("database").isEmpty()) {
            figures.put("rows", Integer.toString(lines("row").size()));
            figures.put(
                    "builds whose row was kept from who had lost them",
                    Long.toString(
                            lines("refused").stream().map(Checker::build).distinct().count()));
        }
        figures.put("scripts that outlived their lease", Long.toString(zombies()));
        Map<String, Long> kinds =
                lines("fault").stream()
                        .filter(f -> f.path("phase").asText().equals("begin"))
                        .collect(
                                Collectors.groupingBy(
                                        f -> f.path("fault").asText(),
                                        TreeMap::new,
                                        Collectors.counting()));
        figures.put(
                "faults",
                kinds.values().stream().mapToLong(n -> n).sum()
                        + (kinds.isEmpty()
                                ? ""
                                : kinds.entrySet().stream()
                                        .map(k -> k.getKey() + " " + k.getValue())
                                        .collect(Collectors.joining(", ", " (", ")"))));
        TakeOver.figures(lines("fault"), lines("controller"), replay, figures);
    }

    /** How many builds have that result, and their controller died with them. */
    private long diedWith(String result) {
        return replay.courses().stream()
                .filter(c -> c.state.equals("D") && c.result.equals(result))
                .filter(c -> c.orphaned.containsKey(c.number))
                .count();
    }

    private long zombies() {
        return lines("shell").stream()
                .filter(
                        s -> {
                            QueueReplay.Course course = replay.course(s.path("item").asLong());
                            Long dead =
                                    course == null
                                            ? null
                                            : course.orphaned.get(s.path("number").asInt());
                            return dead != null && s.path("at").asLong() > dead;
                        })
                .map(Checker::build)
                .distinct()
                .count();
    }

    private String count(String type, String answer) {
        return Long.toString(lines(type).stream().filter(l -> answered(l, answer)).count());
    }

    private long inState(String state) {
        return replay.courses().stream().filter(c -> c.state.equals(state)).count();
    }

    private long violated(Rule rule) {
        return violations.stream().filter(v -> v.rule() == rule).count();
    }

    // ---- lines

    private List<JsonNode> lines(String type) {
        return lines.getOrDefault(type, List.of());
    }

    private Map<String, Integer> floors() {
        Map<String, Integer> floors = new HashMap<>();
        for (JsonNode run : lines("run")) {
            run.path("floors")
                    .fields()
                    .forEachRemaining(f -> floors.put(f.getKey(), f.getValue().asInt()));
        }
        return floors;
    }

    private static boolean answered(JsonNode line, String answer) {
        return Objects.equals(line.path("answer").asText(), answer);
    }

    private static String build(JsonNode line) {
        return line.path("job").asText() + "#" + line.path("number").asInt();
    }

    private void fail(Rule rule, String text) {
        violations.add(new Violation(rule, text));
    }
}
