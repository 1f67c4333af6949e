package io.jenkins.plugins.ha.stage;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A queue item as Redis holds it, for those who look past the controllers. */
public final class StoredItem {
    /**
     * In the order in which {@code src/lua/item.lua} numbers them; the last is there where it is
     * not empty.
     */
    private static final List<String> PARTS =
            List.of(
                    "job",
                    "state",
                    "version",
                    "jobrev",
                    "lane",
                    "priority",
                    "enqueued",
                    "due",
                    "blocked",
                    "concurrent",
                    "pinned",
                    "origin",
                    "owner",
                    "epoch",
                    "attempts",
                    "number",
                    "result",
                    "why",
                    "reaper",
                    "deaths",
                    "again",
                    "score",
                    "cancelwanted",
                    "last",
                    "format");

    private StoredItem() {}

    /** A part of the item by its name there, "" if it has none or there is no such item. */
    public static String part(RedisServer redis, String cluster, long id, String name) {
        if (!PARTS.contains(name)) {
            throw new IllegalArgumentException("An item has no " + name);
        }
        String text = (String) redis.call("HGET", "{haj:" + cluster + "}:item:" + id, "v");
        return text == null ? "" : parts(text).getOrDefault(name, "");
    }

    /** The parts that are not empty, by name; the lines of later versions are left out. */
    public static Map<String, String> parts(String text) {
        String[] lines = text.split("\n", -1);
        if (lines.length < PARTS.size() - 1) {
            throw new IllegalArgumentException("This is no item: " + text);
        }
        Map<String, String> parts = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(lines.length, PARTS.size()); i++) {
            if (!lines[i].isEmpty()) {
                parts.put(PARTS.get(i), lines[i]);
            }
        }
        return parts;
    }
}
