package io.jenkins.plugins.ha.extensions;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the extensions shall do, set by tests through the script console: {@code
 * io.jenkins.plugins.ha.extensions.Switches.set("veto", "job")}, or from the start on by the system
 * property {@code switch.veto}. Any thread.
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
        String set = SWITCHES.get(name);
        return set == null ? System.getProperty("switch." + name, "") : set;
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
