package io.jenkins.plugins.ha.clouds;

import hudson.model.Computer;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.slaves.NodeProvisioner;
import hudson.slaves.NodeProvisioner.PlannedNode;
import hudson.slaves.SlaveComputer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import jenkins.model.Jenkins;

/**
 * How many agents this controller lacks: each item that waits here is given an executor that is
 * idle, that comes, or that was asked for, the oldest item first; those that are left lack one.
 */
final class Shortage {
    /** An executor that can serve items, so many times. */
    private static final class Supply {
        private final Node node;
        private int left;

        Supply(Node node, int left) {
            this.node = node;
            this.left = left;
        }
    }

    private Shortage() {}

    /** Of items with just this label; null for those without. */
    static int of(Label label, CloudSlots slots) {
        return all(slots).getOrDefault(name(label), 0);
    }

    /** The labels of items that lack one; null among them for those without. */
    static Set<Label> labels(CloudSlots slots) {
        Set<Label> labels = new LinkedHashSet<>();
        for (String name : all(slots).keySet()) {
            labels.add(name.isEmpty() ? null : Jenkins.get().getLabel(name));
        }
        return labels;
    }

    private static Map<String, Integer> all(CloudSlots slots) {
        List<Queue.BuildableItem> items = new ArrayList<>();
        for (Queue.BuildableItem item : Queue.getInstance().getBuildableItems()) {
            if (!item.isPending() && !(item.task instanceof Queue.FlyweightTask)) {
                items.add(item);
            }
        }
        if (items.isEmpty()) {
            return Map.of();
        }
        items.sort(Comparator.comparingLong(Queue.Item::getInQueueSince));
        List<Supply> supplies = supplies(slots);
        Map<String, Integer> planned = new HashMap<>();
        Map<String, Integer> lacking = new HashMap<>();
        for (Queue.BuildableItem item : items) {
            Label label = item.getAssignedLabel();
            if (serve(label, supplies)) {
                continue;
            }
            int left = planned.computeIfAbsent(name(label), name -> comesFor(label));
            if (left > 0) {
                planned.put(name(label), left - 1);
            } else {
                lacking.merge(name(label), 1, Integer::sum);
            }
        }
        return lacking;
    }

    private static boolean serve(Label label, List<Supply> supplies) {
        for (Supply supply : supplies) {
            boolean fits =
                    label == null
                            ? supply.node.getMode() == Node.Mode.NORMAL
                            : label.matches(supply.node);
            if (supply.left > 0 && fits) {
                supply.left--;
                return true;
            }
        }
        return false;
    }

    private static List<Supply> supplies(CloudSlots slots) {
        List<Supply> supplies = new ArrayList<>();
        for (Computer computer : Jenkins.get().getComputers()) {
            Node node = computer.getNode();
            if (node == null || !computer.isAcceptingTasks() || EndedHere.contains(node)) {
                continue;
            }
            boolean comes =
                    computer.isOffline()
                            && (computer instanceof SlaveComputer agent && agent.isConnecting()
                                    || slots.comes(node.getNodeName()));
            if (computer.isOnline() || comes) {
                supplies.add(
                        new Supply(node, comes ? node.getNumExecutors() : computer.countIdle()));
            }
        }
        return supplies;
    }

    private static int comesFor(Label label) {
        int come = 0;
        for (PlannedNode node : provisioner(label).getPendingLaunches()) {
            come += node.numExecutors;
        }
        return come;
    }

    /** Core's for this label. */
    static NodeProvisioner provisioner(Label label) {
        return label == null ? Jenkins.get().unlabeledNodeProvisioner : label.nodeProvisioner;
    }

    private static String name(Label label) {
        return label == null ? "" : Objects.requireNonNullElse(label.getName(), "");
    }
}
