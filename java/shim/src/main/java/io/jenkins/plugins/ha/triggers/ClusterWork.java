package io.jenkins.plugins.ha.triggers;

import hudson.Extension;
import hudson.ExtensionComponent;
import hudson.model.PeriodicWork;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Turn;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jenkins.ExtensionFilter;

/**
 * Periodic work on what all controllers share, once per cluster and period: core's discarding of
 * old builds, and classes of plugins that an admin names. All other periodic work is about what a
 * controller has for itself (agents, workspaces, fingerprints, memory) and goes on on each.
 */
@Extension
public final class ClusterWork extends PeriodicWork {
    private static final Logger LOGGER = Logger.getLogger(ClusterWork.class.getName());
    private static final long LOOK_MILLIS = TimeUnit.MINUTES.toMillis(1);

    /** Names of classes. */
    private static final Set<String> SHARED =
            Stream.concat(
                            Stream.of("jenkins.model.BackgroundGlobalBuildDiscarder"),
                            Arrays.stream(
                                    System.getProperty(
                                                    "io.jenkins.plugins.ha.workOncePerCluster", "")
                                            .split(",")))
                    .map(String::strip)
                    .filter(name -> !name.isEmpty())
                    .collect(Collectors.toUnmodifiableSet());

    /** What is kept from core's own timer, by class. */
    private static final Map<String, PeriodicWork> HELD = new ConcurrentHashMap<>();

    /** The period in which each was done last, as far as is known here. */
    private final Map<String, Long> seen = new ConcurrentHashMap<>();

    @Override
    public long getRecurrencePeriod() {
        return LOOK_MILLIS;
    }

    @Override
    protected void doRun() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.link().joined()) {
            return;
        }
        try {
            HELD.forEach((name, work) -> look(membership, name, work));
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Put off until Redis is back: {0}", e.getMessage());
        }
    }

    private void look(Membership membership, String name, PeriodicWork work) {
        long period = Math.max(1, work.getRecurrencePeriod());
        long now = membership.cluster().clockMillis() / period;
        if (seen.getOrDefault(name, -1L) == now) {
            return;
        }
        String what = "work:" + name + ":" + now;
        Turn turn = membership.cluster().begin(what, 2 * period);
        if (turn.mine()) {
            work.run(); // says itself what goes wrong
            membership.cluster().done(what, "", 2 * period);
        }
        if (turn.mine() || turn.state() == Turn.State.DONE) {
            seen.put(name, now);
        }
    }

    /** Takes it from core's timer, where this one runs. */
    @Extension
    public static final class Filter extends ExtensionFilter {
        @Override
        public <T> boolean allows(Class<T> type, ExtensionComponent<T> component) {
            if (Membership.active().isPresent()
                    && component.getInstance() instanceof PeriodicWork work
                    && SHARED.contains(work.getClass().getName())) {
                HELD.put(work.getClass().getName(), work);
                return false;
            }
            return true;
        }
    }
}
