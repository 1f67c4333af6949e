package io.jenkins.plugins.ha.topology;

import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.KnownController;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The other controllers as this one last saw them: how they differ from it, and which of them are
 * gone. A thread of its own looks, when the members change and twice a minute. Thread-safe.
 */
public final class Topology {
    private static final Logger LOGGER = Logger.getLogger(Topology.class.getName());
    private static final long LOOK_MILLIS = 30_000;
    private static final DateTimeFormatter SEEN =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'").withZone(ZoneOffset.UTC);

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final Thread thread = new Thread(this::run, "ha-jenkins-topology");
    private volatile List<KnownController> known = List.of();
    private volatile ControllerFacts own;
    private volatile String told = "";

    /** By controller and difference: when this controller saw it first. */
    private volatile Map<String, Map<String, String>> since = Map.of();

    /** Ids of members that were still booting, too, when this controller had booted. */
    private final Set<String> unjudged = ConcurrentHashMap.newKeySet();

    private boolean poked;
    private boolean stopped;
    private volatile boolean compared;

    public Topology(Cluster cluster, ControllerIdentity identity) {
        this.cluster = cluster;
        this.identity = identity;
        this.own = ControllerFacts.beforeSecurity();
        thread.setDaemon(true);
    }

    /** Jenkins has booted, and its security is what it will be. */
    void booted() {
        own = ControllerFacts.here();
        try {
            look();
            known.stream()
                    .filter(one -> one.lives() && facts(one).open().isEmpty())
                    .forEach(one -> unjudged.add(one.controllerId()));
        } catch (HaException e) {
            LOGGER.log(
                    Level.INFO,
                    "This controller''s security could not be compared with the others'' yet: {0}",
                    e.getMessage());
        }
        thread.start();
    }

    /** The members have changed. Does not block. */
    public synchronized void poke() {
        poked = true;
        notifyAll();
    }

    /** Looks no more. */
    public synchronized void stop() {
        stopped = true;
        notifyAll();
    }

    /** All that are members, or died and are not back, as last seen. */
    public List<KnownController> known() {
        return known;
    }

    /** Those that died and are not back, as last seen. */
    public List<KnownController> gone() {
        return known.stream().filter(one -> !one.lives()).toList();
    }

    /** How a living controller differs from this one; empty when it does not, or is not known. */
    public List<String> differences(KnownController other) {
        return other.controllerId().equals(identity.id())
                ? List.of()
                : own.differences(facts(other));
    }

    /** The differences to this controller, each with when this one saw it first. */
    private List<String> dated(KnownController other) {
        Map<String, String> seen = since.getOrDefault(other.controllerId(), Map.of());
        return differences(other).stream()
                .map(one -> seen.containsKey(one) ? one + " (since " + seen.get(one) + ")" : one)
                .toList();
    }

    /** Notes when a difference is seen first; one that is gone is forgotten. */
    private void noteDifferences() {
        String now = SEEN.format(Instant.now());
        Map<String, Map<String, String>> all = new HashMap<>();
        for (KnownController one : known) {
            Map<String, String> before = since.getOrDefault(one.controllerId(), Map.of());
            Map<String, String> present = new HashMap<>();
            differences(one).forEach(d -> present.put(d, before.getOrDefault(d, now)));
            all.put(one.controllerId(), present);
        }
        since = all;
    }

    /** What an admin should mend, a sentence each. From memory. */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        Map<String, String> names = new HashMap<>();
        for (KnownController one : known) {
            if (!one.lives()) {
                continue;
            }
            List<String> differences = dated(one);
            if (!differences.isEmpty()) {
                problems.add(
                        called(one)
                                + " differs from this controller ("
                                + identity.name()
                                + "). "
                                + String.join("; ", differences)
                                + ". Jobs may work on one and not on the other: bring both to the"
                                + " same.");
            }
            String other = names.put(one.name(), called(one));
            if (other != null) {
                problems.add(
                        "Two controllers are called "
                                + one.name()
                                + ": "
                                + other
                                + ", and "
                                + called(one)
                                + ". Give each a name of its own (HA_JENKINS_NAME, or on its page"
                                + " Manage Jenkins > System > HA); until then use their ids.");
            }
        }
        return problems;
    }

    /** Whether the others have been seen since this controller has booted. */
    public boolean isCompared() {
        return compared;
    }

    /** Whether a living controller has a plugin that this one has not, or none is known yet. */
    public boolean morePluginsElsewhere() {
        return !compared
                || known.stream()
                        .filter(KnownController::lives)
                        .anyMatch(
                                one ->
                                        !own.plugins()
                                                .keySet()
                                                .containsAll(facts(one).plugins().keySet()));
    }

    /** The living controllers on which visitors must log in where they need not here. */
    List<String> closedElsewhere() {
        return known.stream()
                .filter(KnownController::lives)
                .filter(one -> !one.controllerId().equals(identity.id()))
                .filter(one -> own.opensWhatIsClosedOn(facts(one)))
                .map(Topology::called)
                .toList();
    }

    private static ControllerFacts facts(KnownController one) {
        return ControllerFacts.ofText(one.facts());
    }

    /** Looks now: one or two round trips. */
    public void look() {
        String facts = own.toText();
        if (!facts.equals(told)) {
            cluster.describe(facts);
            told = facts;
        }
        known = cluster.homes();
        noteDifferences();
        compared = !own.open().isEmpty();
    }

    private void run() {
        while (awaitTurn()) {
            try {
                boolean first = !compared;
                own = ControllerFacts.here();
                look();
                boolean judged =
                        unjudged.removeIf(
                                id ->
                                        known.stream()
                                                .noneMatch(
                                                        one ->
                                                                one.controllerId().equals(id)
                                                                        && facts(one)
                                                                                .open()
                                                                                .isEmpty()));
                if (first || judged) {
                    SecurityGate.comparedLate(this);
                }
            } catch (HaException e) {
                LOGGER.log(Level.FINE, "The other controllers are not known: {0}", e.getMessage());
            } catch (RuntimeException | Error e) { // it looks again
                LOGGER.log(Level.WARNING, "The controllers could not be compared", e);
            }
        }
    }

    private synchronized boolean awaitTurn() {
        try {
            if (!poked && !stopped) {
                wait(LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            return false;
        }
        poked = false;
        return !stopped;
    }

    /** Name, host and the beginning of the id. */
    public static String called(KnownController one) {
        String id = one.controllerId().substring(0, Math.min(8, one.controllerId().length()));
        return one.name()
                + " ("
                + (one.host().isEmpty() ? "" : one.host() + ", ")
                + "id "
                + id
                + ")";
    }
}
