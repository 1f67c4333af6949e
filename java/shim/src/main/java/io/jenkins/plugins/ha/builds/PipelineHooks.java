package io.jenkins.plugins.ha.builds;

import hudson.ExtensionList;
import hudson.model.Run;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Puts {@link PipelineFence} into the ways of the Pipeline plugins: before each step, and before
 * each line of a log. As objects made at run time, since the plugins may be absent.
 */
final class PipelineHooks {
    private static final Logger LOGGER = Logger.getLogger(PipelineHooks.class.getName());
    private static final String DECORATOR =
            "org.jenkinsci.plugins.workflow.log.TaskListenerDecorator";

    private PipelineHooks() {}

    static void install(PipelineInternals internals, PipelineFence fence) {
        extend(
                internals.heads(),
                answering(
                        internals.eachHead(),
                        "onNewHead",
                        step -> {
                            fence.beforeStep(step);
                            return null;
                        }));
        ClassLoader loader = Jenkins.get().getPluginManager().uberClassLoader;
        try {
            Class<?> decorator = Class.forName(DECORATOR, false, loader);
            Method of =
                    decorator.getMethod(
                            "fromConsoleLogFilter", hudson.console.ConsoleLogFilter.class);
            Class<?> factory = Class.forName(DECORATOR + "$Factory", false, loader);
            Method executable =
                    Class.forName(
                                    "org.jenkinsci.plugins.workflow.flow.FlowExecutionOwner",
                                    false,
                                    loader)
                            .getMethod("getExecutable");
            extend(
                    factory,
                    answering(
                            factory,
                            "of",
                            owner ->
                                    executable.invoke(owner) instanceof Run<?, ?> run
                                            ? of.invoke(
                                                    null,
                                                    new PipelineFence.Log(
                                                            run.getParent().getFullName(),
                                                            run.getNumber()))
                                            : null));
        } catch (ReflectiveOperationException | LinkageError e) {
            LOGGER.log(
                    Level.WARNING,
                    "A controller that was held dead may add lines to logs of Pipelines that others"
                            + " have taken over: this version of the Pipeline plugins lacks {0}",
                    e.getMessage());
        }
    }

    @FunctionalInterface
    private interface Answer {
        Object to(Object argument) throws ReflectiveOperationException;
    }

    private static Object answering(Class<?> type, String name, Answer answer) {
        InvocationHandler handler =
                (self, method, arguments) -> {
                    if (method.getName().equals(name)) {
                        try {
                            return answer.to(arguments[0]);
                        } catch (ReflectiveOperationException e) {
                            LOGGER.log(Level.FINE, "A Pipeline that is not here any more", e);
                            return null;
                        }
                    }
                    return switch (method.getName()) {
                        case "equals" -> self == arguments[0];
                        case "hashCode" -> System.identityHashCode(self);
                        case "toString" -> "HA Jenkins, at " + name;
                        default -> method.getReturnType() == boolean.class ? Boolean.FALSE : null;
                    };
                };
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // of a plugin that is not compiled against
    private static void extend(Class<?> point, Object extension) {
        ExtensionList.lookup((Class) point).add(extension);
    }
}
