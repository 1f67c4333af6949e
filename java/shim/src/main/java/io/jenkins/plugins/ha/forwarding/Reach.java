package io.jenkins.plugins.ha.forwarding;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.KnownController;
import io.jenkins.plugins.ha.topology.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where the other controllers are reached. Each is asked by a command of the cluster, which nobody
 * else can answer: who can write to Redis must not be able to have requests sent to himself.
 * Thread-safe.
 */
public final class Reach {
    /** Asks a controller where it is reached; the answer is its life and the address. */
    public static final String TOPIC = "reach";

    private static final long ANSWER_MILLIS = 2000;

    private final Membership membership;
    private final OwnAddress own;
    private final Map<String, Place> places = new ConcurrentHashMap<>();
    private final Map<String, String> problems = new ConcurrentHashMap<>();

    /**
     * A controller as it is reached.
     *
     * @param life its present boot and membership
     * @param address a URL with the context path, without a slash at its end; "" when it does not
     *     know itself
     */
    record Place(String life, String address) {}

    Reach(Membership membership) {
        this.membership = membership;
        this.own = new OwnAddress(membership.settings().url());
    }

    OwnAddress own() {
        return own;
    }

    /** Where this controller itself is reached, without a slash at the end; "" if not known. */
    public String ownAddress() {
        return own.get();
    }

    /** Whether both are the address of the same place. */
    public static boolean isSame(String address, String other) {
        return OwnAddress.withoutSlash(address).equalsIgnoreCase(OwnAddress.withoutSlash(other));
    }

    /** The other side: what this controller answers. */
    public String here() {
        return life() + "\n" + own.get();
    }

    /** This controller's present boot and membership. */
    String life() {
        return membership.identity().incarnation() + ":" + membership.cluster().link().epoch();
    }

    /**
     * @param anew ask again, though an answer is known
     * @throws HaException when it cannot be asked or does not answer in time
     */
    Place of(String controllerId, boolean anew) {
        Place known = places.get(controllerId);
        if (known != null && !anew) {
            return known;
        }
        String[] answer = membership.ask(controllerId, TOPIC, "", ANSWER_MILLIS).split("\n", 2);
        Place place = new Place(answer[0], answer.length < 2 ? "" : answer[1].trim());
        if (!place.address.isEmpty()) {
            places.put(controllerId, place);
        }
        return place;
    }

    /** Whether it may still answer, as far as this controller has heard. From memory. */
    boolean lives(String controllerId) {
        return known(controllerId).map(KnownController::lives).orElse(true);
    }

    /** What people call it. */
    String name(String controllerId) {
        return known(controllerId).map(KnownController::name).orElse("that runs it");
    }

    /** It has answered. */
    void reached(String controllerId) {
        problems.remove(controllerId);
    }

    /** It could not be reached, though it is a member: an admin should know why. */
    void notReached(String controllerId, String why) {
        problems.put(controllerId, why);
    }

    /** Why controllers could not be reached when they were tried last, a sentence each. */
    public List<String> problems() {
        List<String> sentences = new ArrayList<>();
        problems.forEach(
                (id, why) ->
                        known(id)
                                .filter(KnownController::lives)
                                .ifPresent(one -> sentences.add(Topology.called(one) + " " + why)));
        return sentences;
    }

    private Optional<KnownController> known(String controllerId) {
        return membership.topology().known().stream()
                .filter(one -> one.controllerId().equals(controllerId))
                .findAny();
    }
}
