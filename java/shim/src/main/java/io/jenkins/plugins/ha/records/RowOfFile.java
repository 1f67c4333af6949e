package io.jenkins.plugins.ha.records;

import io.jenkins.plugins.ha.bridge.BuildRow;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Makes the record of a build from its build.xml, without making the build: taking over a hundred
 * thousand of them must not load them. What only the plugins' classes could tell (the wording of a
 * cause) stays out.
 */
final class RowOfFile {
    private static final XMLInputFactory FACTORY = factory();

    private RowOfFile() {}

    /** Whether these bytes are XML at all. */
    static boolean readable(byte[] xml) {
        try {
            found(xml);
            return true;
        } catch (XMLStreamException e) {
            return false;
        }
    }

    /** Whether the build has ended, by its file: then it says how long it took, or just that. */
    static boolean saysEnded(byte[] xml) {
        try {
            Found found = found(xml);
            return found.duration > 0 || "true".equals(found.completed);
        } catch (XMLStreamException e) {
            return false;
        }
    }

    /** A Pipeline that has not ended: it goes on when its controller is back. */
    static boolean isResumed(byte[] xml) {
        try {
            return "false".equals(found(xml).completed);
        } catch (XMLStreamException e) {
            return false;
        }
    }

    /**
     * @throws IOException when it is not the XML of a build; its bytes are to be kept nevertheless
     */
    static BuildRow of(String job, int number, byte[] xml) throws IOException {
        Found found;
        try {
            found = found(xml);
        } catch (XMLStreamException e) {
            throw new IOException(
                    "The build.xml of "
                            + job
                            + " #"
                            + number
                            + " cannot be read: "
                            + e.getMessage().replaceAll("\\s+", " "),
                    e);
        }
        boolean ended = !found.result.isEmpty() || !"false".equals(found.completed);
        return BuildRow.of(
                job,
                number,
                "controllerId",
                found.controllerId,
                "controllerName",
                found.controllerName,
                "result",
                found.result.isEmpty() && ended ? "ABORTED" : found.result,
                "startedMillis",
                found.startTime != 0 ? found.startTime : found.timestamp,
                "durationMillis",
                found.duration,
                "displayName",
                found.displayName,
                "description",
                found.description,
                "keep",
                found.keep,
                "agent",
                found.agent,
                "causes",
                new ArrayList<>(found.causes),
                "users",
                new ArrayList<>(found.users),
                "parameters",
                found.parameters,
                "commits",
                new ArrayList<>(found.commits),
                "xml",
                xml);
    }

    /** A record that keeps the bytes of a file nobody can read. */
    static BuildRow unreadable(String job, int number, byte[] xml, String why) {
        return BuildRow.of(job, number, "xml", xml, "damage", why);
    }

    private static final class Found {
        private String result = "";
        private String completed = "";
        private String controllerId = "";
        private String controllerName = "";
        private String displayName = "";
        private String description = "";
        private String agent = "";
        private long timestamp;
        private long startTime;
        private long duration;
        private boolean keep;
        private String parameterName = "";
        private final Set<String> causes = new LinkedHashSet<>();
        private final Set<String> users = new LinkedHashSet<>();
        private final Set<String> commits = new LinkedHashSet<>();
        private final Map<String, String> parameters = new LinkedHashMap<>();
    }

    private static Found found(byte[] xml) throws XMLStreamException {
        Found found = new Found();
        XMLStreamReader reader = FACTORY.createXMLStreamReader(new ByteArrayInputStream(xml));
        try {
            read(reader, found);
        } finally {
            reader.close();
        }
        return found;
    }

    private static void read(XMLStreamReader reader, Found found) throws XMLStreamException {
        Deque<String> path = new ArrayDeque<>();
        StringBuilder text = new StringBuilder();
        while (reader.hasNext()) {
            switch (reader.next()) {
                case XMLStreamConstants.START_ELEMENT -> {
                    path.push(reader.getLocalName());
                    text.setLength(0);
                }
                case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA ->
                        text.append(reader.getText());
                case XMLStreamConstants.END_ELEMENT -> {
                    String name = path.pop();
                    take(found, path, name, text.toString());
                    text.setLength(0);
                }
                default -> {
                    // comments and the like say nothing
                }
            }
        }
    }

    private static void take(Found found, Deque<String> path, String name, String text) {
        if (path.size() == 1) {
            switch (name) {
                case "result" -> found.result = text;
                case "completed" -> found.completed = text;
                case "timestamp" -> found.timestamp = number(text);
                case "startTime" -> found.startTime = number(text);
                case "duration" -> found.duration = number(text);
                case "displayName" -> found.displayName = text;
                case "description" -> found.description = text;
                case "keepLog" -> found.keep = Boolean.parseBoolean(text);
                case "builtOn" -> found.agent = text;
                default -> {
                    // not of the record
                }
            }
            return;
        }
        String above = path.isEmpty() ? "" : path.peek();
        if (name.equals("userId") && above.contains("UserIdCause")) {
            found.users.add(text);
            found.causes.add("Started by user " + text);
        } else if (name.endsWith("Cause")
                && path.contains("causeBag")
                && !name.contains("UserIdCause")) {
            found.causes.add(name.substring(name.lastIndexOf('.') + 1).replaceFirst("^.*_-", ""));
        } else if (above.endsWith("ClusterItemAction")) {
            if (name.equals("controllerId")) {
                found.controllerId = text;
            } else if (name.equals("controllerName")) {
                found.controllerName = text;
            }
        } else if (above.endsWith("ParameterValue") && path.contains("parameters")) {
            if (name.equals("name")) {
                found.parameterName = text;
                found.parameters.putIfAbsent(text, above.contains("Password") ? RowOfRun.MASK : "");
            } else if (name.equals("value") && !found.parameterName.isEmpty()) {
                boolean sensitive = above.contains("Password") || text.startsWith("{AQAAAB");
                found.parameters.put(found.parameterName, sensitive ? RowOfRun.MASK : text);
            }
        } else if (name.equals("sha1") && path.contains("lastBuild")) {
            found.commits.add(text);
        }
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text.trim());
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static XMLInputFactory factory() {
        XMLInputFactory factory = XMLInputFactory.newInstance();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        return factory;
    }
}
