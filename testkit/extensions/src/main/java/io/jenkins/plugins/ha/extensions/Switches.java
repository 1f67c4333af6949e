package io.jenkins.plugins.ha.extensions;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the extensions shall do, set by tests through the script console: {@code
 * io.jenkins.plugins.ha.extensions.Switches.set("refuse", "job")}. Any thread.
 */
public final class Switches {
    private static final Map<String, String> SWITCHES = new ConcurrentHashMap<>();

    private Switches() {}

    /** Switches something on; what the value means is the extension's to say. */
    public static void set(String name, String value) {
        SWITCHES.put(name, value);
    }

    /** The value, "" when it is off. */
    public static String get(String name) {
        return SWITCHES.getOrDefault(name, "");
    }

    /** Whether the value is this one. */
    public static boolean is(String name, String value) {
        return get(name).equals(value);
    }

    /** Switches all off: between two tests. */
    public static void clear() {
        SWITCHES.clear();
    }
}
