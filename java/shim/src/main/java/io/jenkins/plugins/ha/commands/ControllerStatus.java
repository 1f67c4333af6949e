package io.jenkins.plugins.ha.commands;

import hudson.model.Computer;
import hudson.model.Executor;
import io.jenkins.plugins.ha.Membership;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;

/**
 * What a controller says of itself, to an admin's page on any controller. From memory.
 *
 * @param draining whether an admin drained it
 * @param quietingDown whether it was quieted down, or is about to restart
 * @param jenkins version of its core
 * @param busy executors at work, also on what is not the cluster's
 * @param running executors of any kind that run something, one-off ones and local builds among them
 * @param staying a sentence for each Pipeline that cannot go over to another controller yet
 * @param records what is wrong with its build records, or ""
 */
record ControllerStatus(
        boolean draining,
        boolean quietingDown,
        String jenkins,
        int busy,
        int running,
        List<String> staying,
        String records) {
    static final String TOPIC = "status";

    /** Before the number of each such line. */
    private static final String STAYING = "staying.";

    private static final int MOST_STAYING = 100;

    static ControllerStatus here(Membership membership) {
        Jenkins jenkins = Jenkins.get();
        int busy = 0;
        int running = 0;
        for (Computer computer : jenkins.getComputers()) {
            busy += computer.countBusy();
            for (Executor executor : computer.getAllExecutors()) {
                running += executor.isBusy() ? 1 : 0;
            }
        }
        return new ControllerStatus(
                membership.claimer().isDraining(),
                jenkins.isQuietingDown(),
                Jenkins.VERSION,
                busy,
                running,
                membership.handOver().staying(),
                membership.records().problem());
    }

    /** For the bus: a line for each part. */
    String toText() {
        Map<String, Object> parts = new LinkedHashMap<>();
        parts.put("draining", draining);
        parts.put("quietingDown", quietingDown);
        parts.put("jenkins", jenkins);
        parts.put("busy", busy);
        parts.put("running", running);
        parts.put("records", oneLine(records));
        for (int i = 0; i < Math.min(staying.size(), MOST_STAYING); i++) {
            parts.put(STAYING + i, oneLine(staying.get(i)));
        }
        return parts.entrySet().stream()
                .map(part -> part.getKey() + "=" + part.getValue())
                .collect(Collectors.joining("\n"));
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ");
    }

    /** Of any version: what is missing is as if all were well. */
    static ControllerStatus ofText(String text) {
        Map<String, String> parts = new LinkedHashMap<>();
        text.lines()
                .filter(line -> line.contains("="))
                .forEach(
                        line ->
                                parts.put(
                                        line.substring(0, line.indexOf('=')),
                                        line.substring(line.indexOf('=') + 1)));
        int busy = number(parts.getOrDefault("busy", ""));
        return new ControllerStatus(
                Boolean.parseBoolean(parts.get("draining")),
                Boolean.parseBoolean(parts.get("quietingDown")),
                parts.getOrDefault("jenkins", ""),
                busy,
                Math.max(busy, number(parts.getOrDefault("running", ""))),
                parts.entrySet().stream()
                        .filter(part -> part.getKey().startsWith(STAYING))
                        .map(Map.Entry::getValue)
                        .toList(),
                parts.getOrDefault("records", ""));
    }

    private static int number(String text) {
        return text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
    }
}
