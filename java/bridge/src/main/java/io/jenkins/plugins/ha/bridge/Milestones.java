package io.jenkins.plugins.ha.bridge;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which milestones the builds of a job have passed.
 *
 * @param before what was noted of the build that was asked about; null when it had passed none
 * @param passed by build number; a null value for a build that has passed none
 */
public record Milestones(Integer before, Map<Integer, Integer> passed) {
    static Milestones ofLines(List<String> lines) {
        Map<Integer, Integer> passed = new TreeMap<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] parts = line.split("\n", -1);
            passed.put(Integer.valueOf(parts[0]), number(parts[1]));
        }
        return new Milestones(number(lines.get(0)), passed);
    }

    private static Integer number(String word) {
        return word.isEmpty() || word.equals("-") ? null : Integer.valueOf(word);
    }
}
