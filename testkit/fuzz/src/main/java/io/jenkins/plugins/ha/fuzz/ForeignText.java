package io.jenkins.plugins.ha.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the plugin makes of texts that others wrote: bodies from the bus, headers and addresses from
 * HTTP, files of the shared folder, settings. Each is read, or refused in the way that its readers
 * expect; nothing else is thrown, and nothing hangs. Run by Jazzer, with the plugin and Jenkins'
 * own libraries on the class path.
 */
public final class ForeignText {
    private static final String ROOT = "io.jenkins.plugins.ha.";

    /** A class, a static method of it that reads a text, and by what it refuses one, or "". */
    private static final String[][] READERS = {
        {"computers.ComputersElsewhere", "read", ""},
        {"doctor.Examination", "ofText", "java.lang.RuntimeException"},
        {"jobs.ItemNews", "of", ""},
        {"jobs.TopElements", "of", ROOT + "jobs.TopElements$Conflict"},
        {"records.RowOfFile", "of", "java.io.IOException"},
        {"agents.Wish", "ofText", "java.lang.IllegalArgumentException"},
        {"carried.XmlParts", "of", "java.lang.IllegalArgumentException"},
        {"settings.LoginUrl", "of", ""},
        {"clouds.CloudRules", "parse", "java.lang.IllegalArgumentException"},
        {"forwarding.ForwardedPath", "of", ""},
        {"forwarding.Statement", "ofText", ""},
        {"forwarding.ReceivedRequest", "parse", ""},
        {"topology.ControllerFacts", "ofText", ""},
        {"commands.ControllerStatus", "ofText", ""},
        {"deliveries.InboxEntry", "ofLine", ""},
    };

    private static final List<Reader> FOUND = new ArrayList<>();

    private record Reader(Method method, String refuses) {
        void read(String text) throws Throwable {
            Object[] arguments = new Object[method.getParameterCount()];
            boolean given = false;
            for (int i = arguments.length - 1; i >= 0; i--) {
                Class<?> type = method.getParameterTypes()[i];
                if (type == byte[].class) {
                    arguments[i] = text.getBytes(StandardCharsets.UTF_8);
                    given = true;
                } else if (type == int.class) {
                    arguments[i] = 1;
                } else if (type == Map.class) {
                    arguments[i] = new HashMap<String, List<String>>();
                } else {
                    arguments[i] = "name";
                }
            }
            if (!given) {
                // of several texts, the first is a name only where the last is what was written
                boolean named = method.getDeclaringClass().getSimpleName().startsWith("Computers");
                arguments[named ? 1 : 0] = text;
            }
            try {
                method.invoke(null, arguments);
            } catch (InvocationTargetException e) {
                Throwable thrown = e.getCause();
                if (refuses.isEmpty() || !Class.forName(refuses).isInstance(thrown)) {
                    throw thrown;
                }
            }
        }
    }

    private ForeignText() {}

    /** Called by Jazzer once. */
    public static void fuzzerInitialize() throws ClassNotFoundException {
        for (String[] reader : READERS) {
            for (Method method : Class.forName(ROOT + reader[0]).getDeclaredMethods()) {
                if (method.getName().equals(reader[1]) && !method.isSynthetic()) {
                    method.setAccessible(true);
                    FOUND.add(new Reader(method, reader[2]));
                }
            }
        }
        if (FOUND.size() != READERS.length) {
            throw new IllegalStateException("Of the readers only these are there: " + FOUND);
        }
    }

    /** Called by Jazzer with each input. */
    public static void fuzzerTestOneInput(FuzzedDataProvider data) throws Throwable {
        Reader reader = FOUND.get(data.consumeInt(0, FOUND.size() - 1));
        reader.read(data.consumeRemainingAsString());
    }
}
