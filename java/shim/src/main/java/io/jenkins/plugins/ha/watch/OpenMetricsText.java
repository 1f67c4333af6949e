package io.jenkins.plugins.ha.watch;

import java.util.Locale;
import java.util.Map;

/**
 * Writes metrics as OpenMetrics text, version 1.0.0 (<a
 * href="https://github.com/prometheus/OpenMetrics">specification</a>), each under the prefix {@code
 * ha_jenkins_}. A family is begun once and all its samples follow. One thread.
 */
final class OpenMetricsText {
    /** For the response's header. */
    static final String CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private static final String PREFIX = "ha_jenkins_";

    private final StringBuilder text = new StringBuilder();

    /** What a family counts in. */
    enum Type {
        GAUGE,
        COUNTER,
        HISTOGRAM,
        INFO
    }

    /**
     * Begins a family.
     *
     * @param name without the prefix; ends with the unit where there is one, never with {@code
     *     _total}
     * @param unit such as {@code seconds}, or ""
     * @param help a sentence
     */
    OpenMetricsText family(String name, Type type, String unit, String help) {
        String typeName = type.name().toLowerCase(Locale.ROOT);
        text.append("# TYPE ")
                .append(PREFIX)
                .append(name)
                .append(' ')
                .append(typeName)
                .append('\n');
        if (!unit.isEmpty()) {
            text.append("# UNIT ").append(PREFIX).append(name).append(' ').append(unit);
            text.append('\n');
        }
        text.append("# HELP ").append(PREFIX).append(name).append(' ').append(escape(help));
        text.append('\n');
        return this;
    }

    /** A gauge alone, with its only sample. */
    OpenMetricsText gauge(String name, String unit, String help, double value) {
        return family(name, Type.GAUGE, unit, help).sample(name, Map.of(), value);
    }

    /** A counter alone, with its only sample. */
    OpenMetricsText counter(String name, String help, double value) {
        return family(name, Type.COUNTER, "", help).sample(name + "_total", Map.of(), value);
    }

    /**
     * A sample of the family that was begun last.
     *
     * @param name with the suffix that its type asks for
     * @param labels in the order in which they are to stand
     */
    OpenMetricsText sample(String name, Map<String, String> labels, double value) {
        text.append(PREFIX).append(name);
        char before = '{';
        for (Map.Entry<String, String> label : labels.entrySet()) {
            text.append(before).append(label.getKey()).append("=\"");
            text.append(escape(label.getValue())).append('"');
            before = ',';
        }
        if (before == ',') {
            text.append('}');
        }
        text.append(' ').append(number(value)).append('\n');
        return this;
    }

    /** All of it, with the mark of its end. */
    String end() {
        return text.append("# EOF\n").toString();
    }

    /** As the text format wants it: whole numbers without a fraction. */
    static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\"", "\\\"");
    }
}
