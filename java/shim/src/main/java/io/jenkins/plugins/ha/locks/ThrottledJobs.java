package io.jenkins.plugins.ha.locks;

import hudson.Extension;
import hudson.model.Job;
import hudson.model.JobProperty;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.queue.ClaimedItems;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * The totals of throttle-concurrents, for a category or a job, hold in the whole cluster, for
 * builds and for {@code node} blocks within a {@code throttle} step; its limits for a node are
 * those of the controller that has the agent. By reflection, since the plugin may be absent.
 */
@Extension
public final class ThrottledJobs extends QueueTaskDispatcher {
    private static final Logger LOGGER = Logger.getLogger(ThrottledJobs.class.getName());
    private static final String PROPERTY = "hudson.plugins.throttleconcurrents.ThrottleJobProperty";

    @Override
    public CauseOfBlockage canRun(Queue.Item item) {
        Throttle throttle = Locks.throttle();
        if (throttle == null || Membership.active().isEmpty()) {
            return null;
        }
        if (!(item.task instanceof Job<?, ?> job)) {
            return canRun(throttle, throttle.blocks().of(item.task));
        }
        long id = ClaimedItems.idOf(item);
        Map<String, Integer> limits = id > 0 ? limits(job) : Map.of();
        return limits.isEmpty() || throttle.may(id, limits) ? null : new Throttled();
    }

    private static CauseOfBlockage canRun(Throttle throttle, ThrottledBlocks.Block block) {
        if (block == null || block.categories().isEmpty()) {
            return null;
        }
        Map<String, Integer> limits = new TreeMap<>();
        try {
            putCategories(limits, block.categories(), descriptor());
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, "Another version of throttle-concurrents", e);
        }
        return limits.isEmpty() || throttle.may(block.name(), limits) ? null : new Throttled();
    }

    private static Object descriptor() throws ReflectiveOperationException {
        return Class.forName(PROPERTY, false, Jenkins.get().getPluginManager().uberClassLoader)
                .getMethod("fetchDescriptor")
                .invoke(null);
    }

    private static Map<String, Integer> limits(Job<?, ?> job) {
        for (JobProperty<?> property : job.getProperties().values()) {
            if (property.getClass().getName().equals(PROPERTY)) {
                try {
                    return limits(job, property);
                } catch (ReflectiveOperationException | RuntimeException e) {
                    LOGGER.log(Level.FINE, "Another version of throttle-concurrents", e);
                }
            }
        }
        return Map.of();
    }

    private static Map<String, Integer> limits(Job<?, ?> job, Object property)
            throws ReflectiveOperationException {
        Map<String, Integer> limits = new TreeMap<>();
        if (!Boolean.TRUE.equals(ask(property, "getThrottleEnabled"))) {
            return limits;
        }
        if ("project".equals(ask(property, "getThrottleOption"))) {
            put(limits, "job " + job.getFullName(), ask(property, "getMaxConcurrentTotal"));
        } else if (ask(property, "getCategories") instanceof List<?> names) {
            putCategories(limits, names, descriptor());
        }
        return limits;
    }

    private static void putCategories(Map<String, Integer> limits, List<?> names, Object descriptor)
            throws ReflectiveOperationException {
        for (Object name : names) {
            Object category =
                    descriptor
                            .getClass()
                            .getMethod("getCategoryByName", String.class)
                            .invoke(descriptor, name);
            if (category != null) {
                put(limits, "category " + name, ask(category, "getMaxConcurrentTotal"));
            }
        }
    }

    private static void put(Map<String, Integer> limits, String name, Object most) {
        if (most instanceof Integer number && number > 0) {
            limits.put(name.replaceAll("\\p{Cntrl}", " "), number);
        }
    }

    private static Object ask(Object of, String method) throws ReflectiveOperationException {
        return of.getClass().getMethod(method).invoke(of);
    }

    private static final class Throttled extends CauseOfBlockage {
        @Override
        public String getShortDescription() {
            return "As many builds as its throttling allows run in the cluster, or it is just"
                    + " asked";
        }
    }
}
