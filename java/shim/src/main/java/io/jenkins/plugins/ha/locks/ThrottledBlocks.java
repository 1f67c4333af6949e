package io.jenkins.plugins.ha.locks;

import hudson.model.Action;
import hudson.model.Queue;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.builds.PipelineSteps;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * {@code node} blocks of Pipelines within a {@code throttle} step. One is named by its build and
 * its place in the graph, which it keeps whichever controller goes on with its Pipeline. By
 * reflection, since the Pipeline plugins may be absent.
 */
final class ThrottledBlocks {
    private static final Logger LOGGER = Logger.getLogger(ThrottledBlocks.class.getName());
    private static final String PLACEHOLDER =
            "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";
    private static final String NODE_STEP =
            "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution";
    private static final String THROTTLE =
            "hudson.plugins.throttleconcurrents.pipeline.ThrottleStep$DescriptorImpl";

    /** Node blocks that have been looked at: core asks for each of them again and again. */
    private final Map<Object, Block> known = Collections.synchronizedMap(new WeakHashMap<>());

    private final LockHolders holders = new LockHolders();

    /**
     * A block.
     *
     * @param name of it, in the whole cluster
     * @param categories of the {@code throttle} step that is around it; none where there is none
     */
    record Block(String name, List<String> categories) {}

    /**
     * The block that this task asks an executor for; null where it is no {@code node} block, or
     * cannot be read.
     */
    Block of(Queue.Task task) {
        if (!task.getClass().getName().equals(PLACEHOLDER)) {
            return null;
        }
        Block present = known.get(task);
        if (present == null) {
            try {
                Object node = ask(task, "getNode");
                if (node == null || !(ask(task, "getOwnerExecutable") instanceof Run<?, ?> run)) {
                    return null;
                }
                present = new Block(name(run, node), categories(node));
                known.put(task, present);
            } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
                LOGGER.log(Level.FINE, "Around " + task, e);
                return null;
            }
        }
        return present;
    }

    /** As the plugin does it: those of the innermost step count, and no others. */
    private static List<String> categories(Object node) throws ReflectiveOperationException {
        for (Object around : (List<?>) ask(node, "getEnclosingBlocks")) {
            List<String> categories = isThrottle(around) ? argument(around) : List.of();
            if (!categories.isEmpty()) {
                return categories;
            }
        }
        return List.of();
    }

    private static boolean isThrottle(Object node) {
        try {
            Object descriptor = ask(node, "getDescriptor");
            return descriptor != null && descriptor.getClass().getName().equals(THROTTLE);
        } catch (ReflectiveOperationException e) {
            return false; // the node of no step
        }
    }

    private static List<String> argument(Object node) throws ReflectiveOperationException {
        List<String> categories = new ArrayList<>();
        for (Object action : (List<?>) ask(node, "getActions")) {
            if (action instanceof Action
                    && action.getClass().getSimpleName().startsWith("ArgumentsAction")
                    && ask(action, "getArguments") instanceof Map<?, ?> arguments
                    && arguments.get("categories") instanceof Collection<?> names) {
                names.forEach(name -> categories.add(String.valueOf(name)));
            }
        }
        return categories;
    }

    /**
     * Those of these blocks that have been left, as this controller knows: of Pipelines that it
     * runs, and of builds that have ended or are deleted. For one thread; waits for programs.
     */
    Set<String> over(Set<String> names) {
        Map<String, Set<String>> byBuild = new HashMap<>();
        for (String name : names) {
            byBuild.computeIfAbsent(buildOf(name), build -> new HashSet<>()).add(name);
        }
        Set<String> over = new HashSet<>();
        Set<String> gone = holders.gone(byBuild.keySet());
        Membership membership = Membership.active().orElseThrow();
        for (Run<?, ?> run : membership.pipelines().here()) {
            Set<String> its = byBuild.get(run.getExternalizableId());
            if (its != null && membership.builds().goesOn(run)) {
                Set<String> present = blocksOf(run);
                if (present != null) {
                    over.addAll(its);
                    over.removeAll(present);
                }
            }
        }
        gone.forEach(build -> over.addAll(byBuild.get(build)));
        return over;
    }

    /**
     * Those in which it is, or which it is about to enter; null when that is not known just now.
     */
    private static Set<String> blocksOf(Run<?, ?> run) {
        List<?> steps = PipelineSteps.of(run, false);
        if (steps == null) {
            return null;
        }
        Set<String> names = new HashSet<>();
        try {
            for (Object step : steps) {
                if (step.getClass().getName().equals(NODE_STEP)) {
                    names.add(name(run, nodeOf(step)));
                }
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, "A step of " + run, e);
            return null;
        }
        return names;
    }

    private static Object nodeOf(Object step) throws ReflectiveOperationException {
        ClassLoader loader = step.getClass().getClassLoader();
        Class<?> flowNode =
                Class.forName("org.jenkinsci.plugins.workflow.graph.FlowNode", false, loader);
        return Class.forName("org.jenkinsci.plugins.workflow.steps.StepContext", false, loader)
                .getMethod("get", Class.class)
                .invoke(ask(step, "getContext"), flowNode);
    }

    private static String name(Run<?, ?> run, Object node) throws ReflectiveOperationException {
        return run.getExternalizableId() + " " + ask(node, "getId");
    }

    private static String buildOf(String name) {
        return name.substring(0, name.lastIndexOf(' '));
    }

    private static Object ask(Object of, String method) throws ReflectiveOperationException {
        try {
            return of.getClass().getMethod(method).invoke(of);
        } catch (InvocationTargetException e) {
            throw new ReflectiveOperationException(e.getCause());
        }
    }
}
