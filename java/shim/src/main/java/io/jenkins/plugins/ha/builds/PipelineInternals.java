package io.jenkins.plugins.ha.builds;

import hudson.model.Executor;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.TaskListener;
import java.io.Closeable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * What the Pipeline plugins offer no way to do, by reflection: to have a Pipeline that runs here go
 * on elsewhere. Looked for once; where a member is missing, in another version of the plugins, no
 * Pipeline is taken over and each waits for its own controller. Thread-safe.
 */
final class PipelineInternals {
    private static final Logger LOGGER = Logger.getLogger(PipelineInternals.class.getName());
    private static final String FLOW = "org.jenkinsci.plugins.workflow.flow.";
    private static final String CPS = "org.jenkinsci.plugins.workflow.cps.";
    private static final String PLACEHOLDER =
            "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

    /** The timers of steps: of sh and sleep, and of timeout. */
    private static final List<String> TIMERS = List.of("task", "killer");

    private static volatile PipelineInternals found;
    private static volatile boolean looked;

    private final Field execution;
    private final Field listener;
    private final Field storageDir;
    private final Field owner;
    private final Field program;
    private final Method shutdown;
    private final Method threads;
    private final Method step;
    private final Method noOwner;
    private final Method list;
    private final Method unregister;
    private final Method executionOf;
    private final Method id;
    private final Method currentHeads;
    private final Class<?> eachHead;
    private final Class<?> heads;

    private PipelineInternals(ClassLoader loader) throws ReflectiveOperationException {
        Class<?> run = named(loader, "org.jenkinsci.plugins.workflow.job.WorkflowRun");
        execution = field(run, "execution");
        listener = field(run, "listener");
        Class<?> flow = named(loader, CPS + "CpsFlowExecution");
        storageDir = field(flow, "storageDir");
        owner = field(flow, "owner");
        program = field(flow, "programPromise");
        Class<?> group = named(loader, CPS + "CpsThreadGroup");
        shutdown = method(group, "shutdown");
        threads = method(group, "getThreads");
        step = method(named(loader, CPS + "CpsThread"), "getStep");
        Class<?> flowOwner = named(loader, FLOW + "FlowExecutionOwner");
        noOwner = method(flowOwner, "dummyOwner");
        Class<?> executions = named(loader, FLOW + "FlowExecutionList");
        list = method(executions, "get");
        unregister = method(executions, "unregister", flowOwner);
        Class<?> node = named(loader, "org.jenkinsci.plugins.workflow.graph.FlowNode");
        executionOf = method(node, "getExecution");
        id = method(node, "getId");
        currentHeads = method(named(loader, FLOW + "FlowExecution"), "getCurrentHeads");
        heads = named(loader, FLOW + "GraphListener");
        eachHead = named(loader, FLOW + "GraphListener$Synchronous");
    }

    /** Null where the Pipeline plugins are not installed, or lack something; that is logged. */
    static PipelineInternals find() {
        if (!looked) {
            synchronized (PipelineInternals.class) {
                if (!looked) {
                    found = look();
                    looked = true;
                }
            }
        }
        return found;
    }

    private static PipelineInternals look() {
        ClassLoader loader = Jenkins.get().getPluginManager().uberClassLoader;
        try {
            Class.forName("org.jenkinsci.plugins.workflow.job.WorkflowRun", false, loader);
        } catch (ClassNotFoundException | LinkageError e) {
            return null; // no Pipelines here
        }
        try {
            return new PipelineInternals(loader);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            LOGGER.warning(
                    "Pipelines are not taken over when their controller dies; each waits until its"
                            + " controller is back: this version of the Pipeline plugins lacks "
                            + e.getMessage());
            return null;
        }
    }

    /** The interface of those that are told of each new step, on the Pipeline's own thread. */
    Class<?> eachHead() {
        return eachHead;
    }

    /** The extension point of which {@link #eachHead} is one. */
    Class<?> heads() {
        return heads;
    }

    /** The program whose step this is; null when it cannot be told. */
    Object programOf(Object flowNode) {
        try {
            return executionOf.invoke(flowNode);
        } catch (ReflectiveOperationException e) {
            LOGGER.log(Level.FINE, "A step of no Pipeline that runs", e);
            return null;
        }
    }

    /** The program of a Pipeline; null where there is none that could make a step. */
    Object programOf(Run<?, ?> run) {
        try {
            return execution.get(run);
        } catch (IllegalAccessException e) {
            return null;
        }
    }

    /** Ids of the steps at which the Pipeline stands; empty where it does not run here. */
    Set<String> standsAt(Run<?, ?> run) {
        Set<String> ids = new HashSet<>();
        try {
            Object program = programOf(run);
            if (program != null) {
                for (Object head : (Iterable<?>) currentHeads.invoke(program)) {
                    ids.add((String) id.invoke(head));
                }
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, "Where " + run + " stands is not known", e);
        }
        return ids;
    }

    /** Just read from disk, it will take its graph from this folder and store it there. */
    void graph(Run<?, ?> run, String folder) {
        try {
            Object flow = execution.get(run);
            if (flow != null && storageDir.getDeclaringClass().isInstance(flow)) {
                storageDir.set(flow, folder);
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Ends what goes on here of a Pipeline that another controller has taken over: its program
     * makes no further step, and whatever it still tries reaches no file of the build. Its agents'
     * processes go on.
     */
    void letGo(Run<?, ?> run) {
        try {
            Object flow = execution.get(run);
            if (flow == null || !owner.getDeclaringClass().isInstance(flow)) {
                return;
            }
            Object flowOwner = owner.get(flow);
            // from here on the program has no folder to write into
            owner.set(flow, noOwner.invoke(null));
            Object group = groupOf(flow);
            if (group != null) {
                shutdown.invoke(group);
                stopTimers(group);
            }
            unregister.invoke(list.invoke(null), flowOwner);
            execution.set(run, null);
            Object log = listener.get(run);
            listener.set(run, null);
            if (log instanceof Closeable closeable) {
                closeable.close();
            } else if (log instanceof AutoCloseable closeable) {
                closeable.close();
            } else if (log instanceof TaskListener text) {
                text.getLogger().close();
            }
        } catch (Exception e) {
            LOGGER.log(Level.WARNING, run + " could not be let go of completely", e);
        }
    }

    /** What runs the program; null where it does not run. */
    Object groupOf(Object flow) throws IllegalAccessException {
        try {
            return program.get(flow) instanceof Future<?> promise && promise.isDone()
                    ? promise.get()
                    : null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } catch (java.util.concurrent.ExecutionException e) {
            return null; // it never was a program here
        }
    }

    private void stopTimers(Object group) throws ReflectiveOperationException {
        for (Object thread : (Iterable<?>) threads.invoke(group)) {
            Object running = step.invoke(thread);
            for (Field field : timersOf(running)) {
                if (field.get(running) instanceof Future<?> timer) {
                    timer.cancel(false);
                }
            }
        }
    }

    /** Where a step keeps its timers. */
    static List<Field> timersOf(Object step) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> type = step == null ? null : step.getClass();
                type != null;
                type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (TIMERS.contains(field.getName())
                        && Future.class.isAssignableFrom(field.getType())) {
                    field.setAccessible(true);
                    fields.add(field);
                }
            }
        }
        return fields;
    }

    /** Whether the executor is held for one of the Pipeline's {@code node} blocks. */
    static boolean isHeldFor(Executor executor, Run<?, ?> run) {
        Queue.Executable held = executor.getCurrentExecutable();
        return held != null && holdsFor(held.getParent(), run);
    }

    /**
     * Whether this is the task by which the Pipeline holds an executor for one of its {@code node}
     * blocks.
     */
    static boolean holdsFor(Object task, Run<?, ?> run) {
        if (task == null || !task.getClass().getName().equals(PLACEHOLDER)) {
            return false;
        }
        try {
            return run.getExternalizableId().equals(field(task.getClass(), "runId").get(task));
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    private static Class<?> named(ClassLoader loader, String name) throws ClassNotFoundException {
        return Class.forName(name, false, loader);
    }

    static Field field(Class<?> type, String name) throws NoSuchFieldException {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    static Method method(Class<?> type, String name, Class<?>... parameters)
            throws NoSuchMethodException {
        Method method = type.getDeclaredMethod(name, parameters);
        method.setAccessible(true);
        return method;
    }
}
