package io.jenkins.plugins.ha.commands;

import hudson.model.Computer;
import hudson.model.Executor;
import io.jenkins.plugins.ha.Membership;
import java.util.LinkedHashMap;
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
 * @param records what is wrong with its build records, or ""
 */
record ControllerStatus(
        boolean draining,
        boolean quietingDown,
        String jenkins,
        int busy,
        int running,
        String records) {
    static final String TOPIC = "status";

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
        parts.put("records", records.replaceAll("\\s+", " "));
        return parts.entrySet().stream()
                .map(part -> part.getKey() + "=" + part.getValue())
                .collect(Collectors.joining("\n"));
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
                parts.getOrDefault("records", ""));
    }

    private static int number(String text) {
        return text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
    }
}
