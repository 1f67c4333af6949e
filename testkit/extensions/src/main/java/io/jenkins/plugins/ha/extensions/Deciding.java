package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.Action;
import hudson.model.ParametersAction;
import hudson.model.Queue;
import hudson.model.StringParameterValue;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import jenkins.model.Jenkins;

/**
 * Decides what comes into the queue, and writes down each time it is asked: the task and who
 * triggers. {@code refuse} is the name of a job of which it takes nothing; {@code one-in-queue} is
 * the name of a job of which it refuses what is in the queue already, as plugins do that limit
 * queued builds; {@code add-label} and {@code add-parameter} are {@code job=value}, and it adds the
 * label to run on, or a parameter ADDED.
 */
@Extension
public final class Deciding extends Queue.QueueDecisionHandler {
    private static final List<String> ASKED = new CopyOnWriteArrayList<>();

    /** All that was asked since the start or the last {@link #forget}. */
    public static List<String> asked() {
        return List.copyOf(ASKED);
    }

    /** Begins anew. */
    public static void forget() {
        ASKED.clear();
    }

    @Override
    public boolean shouldSchedule(Queue.Task task, List<Action> actions) {
        ASKED.add(task.getName() + " by " + Jenkins.getAuthentication2().getName());
        if (Switches.is("refuse", task.getName())) {
            return false;
        }
        if (Switches.is("one-in-queue", task.getName())
                && Arrays.stream(Queue.getInstance().getItems())
                        .anyMatch(item -> item.task.equals(task))) {
            return false;
        }
        String label = valueFor("add-label", task);
        if (!label.isEmpty()) {
            actions.add(new RunsOn(label));
        }
        String value = valueFor("add-parameter", task);
        if (!value.isEmpty()) {
            actions.add(new ParametersAction(List.of(new StringParameterValue("ADDED", value))));
        }
        return true;
    }

    private static String valueFor(String name, Queue.Task task) {
        String start = task.getName() + "=";
        String value = Switches.get(name);
        return value.startsWith(start) ? value.substring(start.length()) : "";
    }
}
