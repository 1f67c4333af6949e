package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A queue item as Redis holds it, for those who look past the controllers. */
public final class StoredItem {
    private static final Pattern CONSTANTS =
            Pattern.compile("(?m)^local ([A-Z]+(?:, [A-Z]+)*) = (\\d+(?:, \\d+)*)$");

    /**
     * In their order, as {@code src/lua/item.lua} names and numbers them; those behind {@code last}
     * are there as far as they are not empty.
     */
    private static final List<String> PARTS = named();

    private static final int REQUIRED = PARTS.indexOf("last") + 1;

    private StoredItem() {}

    /** The names of all parts, in their order. */
    public static List<String> names() {
        return PARTS;
    }

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
        if (lines.length < REQUIRED) {
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

    private static List<String> named() {
        List<String> names = new ArrayList<>();
        try {
            Matcher line =
                    CONSTANTS.matcher(
                            Files.readString(Checkout.root().resolve("src/lua/item.lua")));
            while (line.find()) {
                String[] numbers = line.group(2).split(", ");
                for (int i = 0; i < numbers.length; i++) {
                    if (Integer.parseInt(numbers[i]) == names.size() + 1) {
                        names.add(line.group(1).split(", ")[i].toLowerCase(Locale.ROOT));
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return List.copyOf(names.subList(0, names.indexOf("more")));
    }
}
