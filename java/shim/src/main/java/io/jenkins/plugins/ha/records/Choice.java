package io.jenkins.plugins.ha.records;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One of the answers that a field of the search offers. */
public final class Choice {
    private static final Map<String, String> RESULTS = new LinkedHashMap<>();
    private static final Map<Duration, String> TIMES = new LinkedHashMap<>();

    static {
        RESULTS.put("", "Any");
        RESULTS.put("SUCCESS", "Success");
        RESULTS.put("UNSTABLE", "Unstable");
        RESULTS.put("FAILURE", "Failed");
        RESULTS.put("ABORTED", "Aborted");
        RESULTS.put("NOT_BUILT", "Not built");
        RESULTS.put("RUNNING", "Running");
        TIMES.put(Duration.ofHours(1), "In the last hour");
        TIMES.put(Duration.ofDays(1), "In the last day");
        TIMES.put(Duration.ofDays(7), "In the last week");
        TIMES.put(Duration.ofDays(30), "In the last 30 days");
    }

    private final String value;
    private final String text;
    private final boolean chosen;

    private Choice(String value, String text, boolean chosen) {
        this.value = value;
        this.text = text;
        this.chosen = chosen;
    }

    /** The results, and that a build runs. */
    static List<Choice> results(String asked) {
        List<Choice> choices = new ArrayList<>();
        RESULTS.forEach((value, text) -> choices.add(new Choice(value, text, value.equals(asked))));
        return choices;
    }

    /** How long ago a build may have started, in seconds. */
    static List<Choice> times(String asked) {
        List<Choice> choices = new ArrayList<>();
        choices.add(new Choice("", "At any time", asked.isEmpty()));
        TIMES.forEach(
                (time, text) -> {
                    String value = Long.toString(time.toSeconds());
                    choices.add(new Choice(value, text, value.equals(asked)));
                });
        return choices;
    }

    /** How a result is called on the page; of one that is not known, its name. */
    static String textOf(String result) {
        return RESULTS.getOrDefault(result, result);
    }

    /** What is asked for. */
    public String getValue() {
        return value;
    }

    /** What people read. */
    public String getText() {
        return text;
    }

    /** Whether it is what the present request asks for. */
    public boolean isChosen() {
        return chosen;
    }
}
