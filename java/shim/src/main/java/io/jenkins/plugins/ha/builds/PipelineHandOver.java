package io.jenkins.plugins.ha.builds;

import hudson.model.Computer;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Gives Pipelines that run here to other controllers, between two of their steps or in one that
 * survives it: all of them while this controller is drained, quieted down or about to stop, and one
 * when somebody asks for it. A Pipeline is suspended, stored and let go of here; its folder says so
 * ({@link PipelineOwner#letGo}), then the queue says who is to go on with it, and that one does
 * ({@link PipelineAdoption}). Whoever dies in between, it is an orphan like any other; when nobody
 * takes it, it goes on here.
 *
 * <p>Pipelines that are on the same agent go together, since an agent serves one controller at a
 * time. What cannot go stays and runs on, and {@link #staying} says why. Thread-safe.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class PipelineHandOver {
    private static final Logger LOGGER = Logger.getLogger(PipelineHandOver.class.getName());
    private static final long LOOK_MILLIS = 200;
    private static final long FIRST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** How long a Pipeline that the queue knows nothing of may take to be taken. */
    private static final long UNTAKEN_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final PipelineFence fence;
    private final PipelineAdoption adoption;
    private final Takers takers;

    /** Let go of here and not taken yet. */
    private final Map<BuildKey, Given> given = new ConcurrentHashMap<>();

    /** Those that could not go, as it was found last. */
    private final Map<BuildKey, Stay> stays = new ConcurrentHashMap<>();

    public PipelineHandOver(
            Cluster cluster,
            ControllerIdentity identity,
            PipelineFence fence,
            PipelineAdoption adoption) {
        this.cluster = cluster;
        this.identity = identity;
        this.fence = fence;
        this.adoption = adoption;
        this.takers = new Takers(cluster, identity, adoption);
    }

    /**
     * @param generation which one it was when this controller let go of it
     * @param agents those that are not of a cloud
     * @param ofClouds names of those that are: they go to the taker once it goes on
     */
    private record Given(
            long item,
            String taker,
            int generation,
            long since,
            Run<?, ?> run,
            Set<Computer> agents,
            List<String> ofClouds) {}

    private record Stay(String why, boolean passing, long until, long pause) {}

    /** It stays where it is, and runs on; the message says why, as the end of a sentence. */
    public static final class Stays extends Exception {
        private static final long serialVersionUID = 1L;

        /** It may be otherwise in a second. */
        private final boolean passing;

        Stays(String why) {
            this(why, false);
        }

        Stays(String why, boolean passing) {
            super(why);
            this.passing = passing;
        }
    }

    /** From now on Pipelines go when this controller is to run none. The jobs are loaded. */
    public void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-hand-over", LOOK_MILLIS, this::look);
    }

    /** Who takes a Pipeline of another controller. */
    public Takers takers() {
        return takers;
    }

    /** A sentence for each Pipeline that should go and could not, by name. From memory. */
    public List<String> staying() {
        List<String> result = new ArrayList<>();
        if (isLeft()) {
            new TreeMap<>(byName(stays))
                    .forEach((name, stay) -> result.add(name + " stays: " + stay.why));
        }
        return result;
    }

    private static Map<String, Stay> byName(Map<BuildKey, Stay> stays) {
        Map<String, Stay> result = new TreeMap<>();
        stays.forEach((key, stay) -> result.put(key.job() + " #" + key.number(), stay));
        return result;
    }

    /**
     * Gives one away. Blocks for some seconds.
     *
     * @param to name or id of the controller that is to have it; "" for whichever takes it
     * @return the name of the controller that goes on with it
     * @throws Stays when it cannot go, and why
     */
    public String give(Run<?, ?> run, String to) throws Stays {
        if (!fence.here().contains(run)) {
            throw new Stays("it does not run here");
        }
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            return give(List.of(run), to);
        }
    }

    /** This controller is about to stop: what can go goes. Blocks no longer than that. */
    public void giveAll(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        stays.clear();
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            do {
                giveDue();
            } while (fence.here().stream().anyMatch(this::mayYetGo)
                    && System.nanoTime() < deadline
                    && rest());
        }
    }

    private boolean mayYetGo(Run<?, ?> run) {
        Stay stay = stays.get(BuildKey.of(run));
        return stay == null || stay.passing;
    }

    private static boolean rest() {
        try {
            Thread.sleep(LOOK_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static boolean isLeft() {
        Membership membership = Membership.active().orElse(null);
        return membership != null
                && (membership.claimer().isDraining() || Jenkins.get().isQuietingDown());
    }

    private void look() {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            given.forEach(this::follow);
            if (isLeft() && fence.open()) {
                giveDue();
            } else if (!stays.isEmpty()) {
                stays.clear();
            }
        }
    }

    private synchronized void giveDue() {
        List<Run<?, ?>> here = fence.here();
        Set<BuildKey> keys = ConcurrentHashMap.newKeySet();
        here.forEach(run -> keys.add(BuildKey.of(run)));
        stays.keySet().retainAll(keys);
        for (List<Run<?, ?>> group : SharedAgents.groups(here)) {
            if (group.stream().allMatch(this::isDue)) {
                try {
                    give(group, "");
                } catch (Stays e) {
                    group.forEach(run -> stay(run, e));
                }
            }
        }
    }

    private boolean isDue(Run<?, ?> run) {
        Stay stay = stays.get(BuildKey.of(run));
        return stay == null || stay.until - System.nanoTime() <= 0;
    }

    private void stay(Run<?, ?> run, Stays reason) {
        String why = reason.getMessage();
        Stay before = stays.get(BuildKey.of(run));
        long pause =
                before == null
                        ? FIRST_PAUSE_NANOS
                        : Math.min(before.pause * 2, LONGEST_PAUSE_NANOS);
        stays.put(
                BuildKey.of(run), new Stay(why, reason.passing, System.nanoTime() + pause, pause));
        if (before == null || !before.why.equals(why)) {
            LOGGER.info(() -> run + " stays on this controller for now: " + why);
        }
    }

    /** All of them, or none. */
    private synchronized String give(List<Run<?, ?>> group, String to) throws Stays {
        if (!fence.open()) {
            throw new Stays("this controller is no member of the cluster just now");
        }
        List<PipelineSuspension> suspended = new ArrayList<>();
        for (Run<?, ?> run : group) {
            PipelineSuspension one = PipelineSuspension.of(run);
            String why =
                    one == null
                            ? "this version of the Pipeline plugins does not allow it"
                            : one.obstacle();
            if (!why.isEmpty()) {
                throw new Stays(of(run, group) + why);
            }
            suspended.add(one);
        }
        Set<Computer> agents = SharedAgents.of(group);
        Takers.Taker taker = takers.find(to, agents, group);
        long began = System.nanoTime();
        List<PipelineSuspension> asleep = new ArrayList<>();
        Map<BuildKey, Integer> generations = new HashMap<>();
        try {
            for (PipelineSuspension one : suspended) {
                String why = one.pause();
                if (!why.isEmpty()) {
                    throw new Stays(of(one.run(), group) + why, true);
                }
                asleep.add(one);
            }
            if (!SharedAgents.of(group).equals(agents)) {
                throw new Stays("it has just moved on to another agent", true);
            }
            for (PipelineSuspension one : asleep) {
                String why = one.store();
                if (!why.isEmpty()) {
                    throw new Stays(of(one.run(), group) + why, true);
                }
                generations.put(BuildKey.of(one.run()), generation(one.run()));
            }
            if (!fence.open()) {
                throw new Stays("this controller is no member of the cluster just now");
            }
        } catch (Stays e) {
            asleep.forEach(PipelineSuspension::goOn);
            throw e;
        }
        List<BuildKey> gone = new ArrayList<>();
        Set<Computer> permanent = new HashSet<>(agents);
        permanent.removeIf(PipelineHandOver::isOfCloud);
        List<String> ofClouds =
                agents.stream().filter(a -> !permanent.contains(a)).map(Computer::getName).toList();
        for (Run<?, ?> run : group) {
            BuildKey key = BuildKey.of(run);
            ClusterItemAction action = run.getAction(ClusterItemAction.class);
            letGo(
                    key,
                    new Given(
                            action == null ? 0 : action.itemId(),
                            taker.id(),
                            generations.get(key),
                            System.nanoTime(),
                            run,
                            permanent,
                            ofClouds));
            gone.add(key);
        }
        // needed there now; whatever else was on them has gone with these
        SentAgents.get().send(permanent, taker.id());
        LOGGER.info(
                () ->
                        group
                                + " handed over to '"
                                + taker.name()
                                + "', stopped for "
                                + millisSince(began)
                                + " ms here");
        gone.forEach(stays::remove);
        return taker.name();
    }

    private static int generation(Run<?, ?> run) throws Stays {
        try {
            return PipelineOwner.generation(run.getRootDir().toPath());
        } catch (IOException e) {
            throw new Stays("its folder cannot be read (" + e.getMessage() + ")", true);
        }
    }

    /** Which one is meant, where several go together. */
    static String of(Run<?, ?> run, List<Run<?, ?>> group) {
        return group.size() == 1 ? "" : "of " + run + ", on the same agent: ";
    }

    private static boolean isOfCloud(Computer agent) {
        return Membership.active().flatMap(m -> m.clouds().cloudOf(agent)).isPresent();
    }

    private void letGo(BuildKey key, Given one) {
        Run<?, ?> run = one.run;
        fence.letGo(run, one.taker);
        given.put(key, one);
        PipelineFence.freeExecutors(run, false);
        try {
            PipelineOwner.letGo(run.getRootDir().toPath(), identity);
            tellTaker(key, one);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, run + " waits until its folder can be written", e);
        }
    }

    /** False when that one cannot have it. What fails is tried again. */
    private boolean tellTaker(BuildKey key, Given one) {
        try {
            return one.item > 0
                    ? cluster.handOver(one.item, one.taker)
                    : takers.take(one.taker, key);
        } catch (HaException.Closed e) {
            throw e;
        } catch (HaException e) {
            LOGGER.log(Level.FINE, key + " is looked at again in a moment", e);
            return true;
        }
    }

    /** Until somebody goes on with it, it must not be forgotten here. */
    private void follow(BuildKey key, Given one) {
        Path folder = one.run.getRootDir().toPath();
        try {
            if (!Files.isDirectory(folder)) {
                given.remove(key, one); // deleted
                return;
            }
            if (PipelineOwner.generation(folder) > one.generation) {
                giveAgentsOfClouds(one);
                given.remove(key, one);
                LOGGER.info(() -> one.run + " was taken " + millisSince(one.since) + " ms later");
                return;
            }
            if (PipelineOwner.letGoBy(folder) == null) {
                PipelineOwner.letGo(folder, identity);
            }
            if (one.item > 0) {
                followItem(key, one);
            } else if (System.nanoTime() - one.since > UNTAKEN_NANOS) {
                Given next = elsewhere(key, one);
                if (next == null) {
                    adoption.considerUnqueued(key);
                } else {
                    tellTaker(key, next);
                }
            }
        } catch (HaException.Closed e) {
            throw e;
        } catch (IOException | HaException e) {
            LOGGER.log(Level.FINE, key + " is looked at again in a moment", e);
        }
    }

    private static void giveAgentsOfClouds(Given one) {
        Membership.active()
                .map(Membership::clouds)
                .ifPresent(clouds -> one.ofClouds.forEach(agent -> clouds.give(agent, one.taker)));
    }

    private void followItem(BuildKey key, Given one) {
        Item item = cluster.item(one.item).orElse(null);
        if (item == null || item.state().ended()) {
            given.remove(key, one);
        } else if (item.state() == ItemState.RUNNING
                && item.owner().equals(identity.id())
                && !tellTaker(key, one)
                && elsewhere(key, one) == null) {
            adoption.takeBack(item);
        } // else it waits for its taker, or for who comes after that one
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /** Null when no other controller takes it. */
    private Given elsewhere(BuildKey key, Given one) {
        try {
            Takers.Taker taker = takers.find("", one.agents, List.of(one.run));
            Given next =
                    new Given(
                            one.item,
                            taker.id(),
                            one.generation,
                            System.nanoTime(),
                            one.run,
                            one.agents,
                            one.ofClouds);
            given.put(key, next);
            return next;
        } catch (Stays e) {
            LOGGER.warning(() -> one.run + " goes on here again: " + e.getMessage());
            SentAgents.get().comeBack(one.agents);
            return null;
        }
    }
}
