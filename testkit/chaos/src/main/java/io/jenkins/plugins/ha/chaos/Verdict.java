package io.jenkins.plugins.ha.chaos;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the checker says.
 *
 * @param violations of the rules, in the order in which they were found
 * @param figures of the run, by name
 */
record Verdict(List<Violation> violations, Map<String, String> figures) {
    private static final int SHOWN = 10;

    /** One thing that must not be. */
    record Violation(Rule rule, String text) {}

    boolean holds() {
        return violations.isEmpty();
    }

    /** How often each rule was broken. */
    Map<Rule, Long> broken() {
        return violations.stream()
                .collect(
                        Collectors.groupingBy(
                                Violation::rule,
                                () -> new EnumMap<>(Rule.class),
                                Collectors.counting()));
    }

    /** For people: figures, then the first violations of each rule. */
    String report() {
        StringBuilder report = new StringBuilder();
        figures.forEach((name, value) -> report.append("%-42s %s%n".formatted(name, value)));
        broken().forEach(
                        (rule, times) -> {
                            report.append("%n%s, %d times%n".formatted(rule, times));
                            violations.stream()
                                    .filter(v -> v.rule() == rule)
                                    .limit(SHOWN)
                                    .forEach(v -> report.append("  " + v.text() + "\n"));
                        });
        return report.toString();
    }

    /** One line. */
    String summary() {
        String figures =
                this.figures.entrySet().stream()
                        .map(f -> f.getKey() + " " + f.getValue())
                        .collect(Collectors.joining("; "));
        return (holds() ? "PASS: " : "FAIL " + broken() + ": ") + figures;
    }
}
