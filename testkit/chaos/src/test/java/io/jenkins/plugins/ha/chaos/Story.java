package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A history by hand. Each step is 100 ms after the one before. Items are of job "job", which
 * forbids concurrent builds unless told otherwise; controllers are "a:1" and the like.
 */
final class Story {
    private static final long STEP_MILLIS = 100;
    private static final long START = 1_000_000;

    private final List<JsonNode> lines = new ArrayList<>();
    private final Map<Long, ObjectNode> items = new HashMap<>();
    private long now = START;
    private long changes;
    private int floor;
    private boolean concurrent;
    private boolean drained = true;
    private String ranOn = "a";

    Story concurrent() {
        concurrent = true;
        return this;
    }

    /** Numbers up to it were used before. */
    Story floor(int number) {
        floor = number;
        return this;
    }

    // ---- users

    /** An accepted trigger, and the item it became. */
    Story triggered(long id, String token) {
        long begin = now;
        queued(id);
        return says(
                History.line("trigger")
                        .put("job", "job")
                        .put("token", token)
                        .put("begin", begin)
                        .put("end", now)
                        .put("answer", "accepted")
                        .put("item", id));
    }

    Story accepted(long id, String token) {
        return says(
                History.line("trigger")
                        .put("job", "job")
                        .put("token", token)
                        .put("begin", now)
                        .put("end", now)
                        .put("answer", "accepted")
                        .put("item", id));
    }

    /** A trigger that a handler refused. */
    Story refused(String token) {
        return says(
                History.line("trigger")
                        .put("job", "job")
                        .put("token", token)
                        .put("begin", now)
                        .put("end", now)
                        .put("answer", "refused"));
    }

    /** The agent of the last trigger's build vanishes. */
    Story vanishes() {
        ((ObjectNode) lines.get(lines.size() - 1)).put("vanishes", true);
        return this;
    }

    Story cancel(long id, String answer) {
        return says(
                History.line("cancel")
                        .put("item", id)
                        .put("begin", now)
                        .put("end", now)
                        .put("answer", answer));
    }

    Story abort(int number) {
        return says(
                History.line("abort")
                        .put("job", "job")
                        .put("number", number)
                        .put("begin", now)
                        .put("end", now)
                        .put("answer", "sent"));
    }

    // ---- the queue

    Story queued(long id) {
        return queued(id, "", 0);
    }

    private Story queued(long id, String why, int deaths) {
        ObjectNode item =
                History.line("event")
                        .put("id", Long.toString(id))
                        .put("job", "job")
                        .put("version", "0")
                        .put("jobrev", Long.toString(changes + 1))
                        .put("lane", "")
                        .put("priority", "1000")
                        .put("enqueued", Long.toString(now + STEP_MILLIS))
                        .put("due", Long.toString(now + STEP_MILLIS))
                        .put("blocked", "0")
                        .put("concurrent", concurrent ? "1" : "0")
                        .put("pinned", "")
                        .put("owner", "")
                        .put("epoch", "0")
                        .put("number", "0")
                        .put("result", "")
                        .put("why", why)
                        .put("reaper", "")
                        .put("deaths", Integer.toString(deaths))
                        .put("again", "")
                        .put("last", "");
        items.put(id, item);
        return change(id, "Q");
    }

    Story blocked(long id) {
        items.get(id).put("blocked", "1");
        return change(id, "Q");
    }

    Story unblocked(long id) {
        items.get(id).put("blocked", "0");
        return change(id, "Q");
    }

    Story claimed(long id, String who) {
        own(id, who);
        return change(id, "C");
    }

    Story numbered(long id, int number) {
        items.get(id).put("number", Integer.toString(number));
        return change(id, "S");
    }

    Story running(long id) {
        return change(id, "R");
    }

    /** Ended by who is expected to: its owner, or its reaper. */
    Story done(long id, String result) {
        ObjectNode item = items.get(id);
        String who =
                item.path("state").asText().equals("O")
                        ? item.path("reaper").asText()
                        : item.path("owner").asText() + ":" + item.path("epoch").asText();
        return done(id, result, who);
    }

    Story done(long id, String result, String by) {
        items.get(id).put("result", result).put("last", by);
        return change(id, "D");
    }

    /** Its build ended with its controller, and is not to run again: somebody wanted it ended. */
    Story cutShort(long id) {
        items.get(id).put("why", "c wanted it ended, so it is not run again");
        return done(id, "ABORTED");
    }

    /** Its build ended with its controller, and a new item runs it again. */
    Story runsAgain(long id, long again) {
        ObjectNode item = items.get(id);
        item.put("again", Long.toString(again));
        item.put("deaths", Integer.toString(item.path("deaths").asInt() + 1));
        done(id, "ABORTED");
        return queued(again, "Runs again what was", item.path("deaths").asInt());
    }

    /** Its controller, held dead in between, goes on with it under a new membership. */
    Story takenBack(long id, String who) {
        own(id, who);
        return change(id, "R");
    }

    Story cancelled(long id) {
        return change(id, "X");
    }

    Story orphaned(long id, String reaper) {
        items.get(id).put("reaper", reaper);
        return change(id, "O");
    }

    Story returned(long id, String why) {
        items.get(id)
                .put("why", why)
                .put("owner", "")
                .put("epoch", "0")
                .put("number", "0")
                .put("reaper", "");
        return change(id, "Q");
    }

    /** A change was not told. */
    Story gap() {
        changes++;
        return this;
    }

    private void own(long id, String who) {
        String[] parts = who.split(":");
        items.get(id).put("owner", parts[0]).put("epoch", parts[1]);
    }

    private Story change(long id, String state) {
        ObjectNode item = items.get(id);
        now += STEP_MILLIS;
        changes++;
        item.put("state", state).put("at", now).put("n", changes);
        item.put("version", Long.toString(item.path("version").asLong() + 1));
        return says(item.deepCopy());
    }

    // ---- scripts and records

    Story shell(String phase, long id, int number) {
        now += STEP_MILLIS;
        return says(
                History.line("shell")
                        .put("phase", phase)
                        .put("at", now)
                        .put("job", "job")
                        .put("number", number)
                        .put("item", id)
                        .put("controller", ranOn));
    }

    /** Where the scripts run from here on. */
    Story on(String controller) {
        ranOn = controller;
        return this;
    }

    /** The last trigger was for this controller ({@code only}), or for any but it ({@code not}). */
    Story asked(String where, String controller) {
        ((ObjectNode) lines.get(lines.size() - 1)).put(where, controller);
        return this;
    }

    Story record(long id, int number, String result, String... tokens) {
        ObjectNode record =
                History.line("record")
                        .put("job", "job")
                        .put("number", number)
                        .put("item", id)
                        .put("controller", "a")
                        .put("result", result);
        ArrayNode causes = record.putArray("causes");
        List.of(tokens).forEach(causes::add);
        return says(record);
    }

    /** From claim to record, all as it should be. */
    Story built(long id, int number, String who, String... tokens) {
        return claimed(id, who)
                .numbered(id, number)
                .running(id)
                .shell("begin", id, number)
                .shell("end", id, number)
                .done(id, "SUCCESS")
                .record(id, number, "SUCCESS", tokens);
    }

    // ---- the database

    /** There is one. */
    Story database() {
        return says(History.line("database"));
    }

    /** A build's row: state 0 runs, 1 has ended, 2 was deleted. */
    Story row(long id, int number, int state, String result) {
        return says(
                History.line("row")
                        .put("job", "job")
                        .put("number", number)
                        .put("state", state)
                        .put("item", id)
                        .put("result", result));
    }

    /** A write of a row that was refused, as a controller's log tells it. */
    Story refused(int number, String why) {
        return says(
                History.line("refused").put("job", "job").put("number", number).put("why", why));
    }

    // ---- the end

    Story left(String key, long ttl) {
        return says(History.line("key").put("key", key).put("ttl", ttl));
    }

    Story notDrained() {
        drained = false;
        return this;
    }

    Story says(ObjectNode line) {
        lines.add(line);
        return this;
    }

    Story fault(String kind, String target) {
        return says(
                History.line("fault")
                        .put("phase", "begin")
                        .put("fault", kind)
                        .put("target", target)
                        .put("at", now));
    }

    /** Redis' word at the end differs from what was told. */
    ObjectNode item(long id) {
        return items.get(id);
    }

    Verdict judged() {
        List<JsonNode> all = new ArrayList<>();
        ObjectNode run = History.line("run");
        run.putObject("floors").put("job", floor);
        all.add(run);
        all.addAll(lines);
        items.forEach(
                (id, item) -> {
                    ObjectNode end = item.deepCopy();
                    end.put("type", "item").put("id", id);
                    String state = item.path("state").asText();
                    boolean ended = state.equals("D") || state.equals("X");
                    all.add(end.put("ttl", ended ? 86_000 : -1));
                });
        all.add(History.line("end").put("drained", drained).put("left", ""));
        return Checker.check(all);
    }
}
