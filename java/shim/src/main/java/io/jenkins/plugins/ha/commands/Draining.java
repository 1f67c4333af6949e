package io.jenkins.plugins.ha.commands;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import java.util.List;

/** Drains any controller of the cluster, or lets it take builds again. Thread-safe. */
final class Draining {
    static final String TOPIC = "drain";

    private static final long ANSWER_MILLIS = 5000;

    private Draining() {}

    /** Could not be done; the message says why and what to do. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;

        /** Whether another name would have helped. */
        final boolean unknown;

        Failed(boolean unknown, String why) {
            super(why);
            this.unknown = unknown;
        }
    }

    /**
     * Asks a controller and waits for its answer, 5 s at the most; without the network where it is
     * this one. Whoever calls has checked the permission.
     *
     * @param controller name or id; "" for this one
     * @return a sentence for whoever asked
     */
    static String ask(String controller, boolean drained) throws Failed {
        Membership membership =
                Membership.active()
                        .orElseThrow(
                                () ->
                                        new Failed(
                                                true,
                                                "This Jenkins is in no cluster: there is nothing"
                                                        + " to drain."));
        String own = membership.identity().name();
        String order = Boolean.toString(drained);
        if (controller.isEmpty()
                || controller.equals(own)
                || controller.equals(membership.identity().id())) {
            drainHere(membership, order);
            return done(own, drained);
        }
        try {
            Member member = member(membership.cluster().members(), controller);
            String answer = membership.ask(member.controllerId(), TOPIC, order, ANSWER_MILLIS);
            if (!answer.equals("ok")) {
                throw new Failed(false, controller + " did not do it: " + answer + ".");
            }
            return done(member.name(), drained);
        } catch (HaException e) {
            throw new Failed(
                    false,
                    controller
                            + " did not answer ("
                            + e.getMessage()
                            + "). Ask it directly, or try again.");
        }
    }

    /** The other side. */
    static String drainHere(Membership membership, String order) {
        membership.claimer().drain(Boolean.parseBoolean(order));
        return "ok";
    }

    private static Member member(List<Member> members, String controller) throws Failed {
        List<Member> found =
                members.stream()
                        .filter(
                                m ->
                                        m.controllerId().equals(controller)
                                                || m.name().equals(controller))
                        .toList();
        if (found.size() == 1) {
            return found.get(0);
        }
        throw new Failed(
                true,
                found.isEmpty()
                        ? "No controller of the cluster is called " + controller + "."
                        : "Several controllers are called " + controller + ": use the id.");
    }

    private static String done(String name, boolean drained) {
        return drained
                ? name + " is drained: it takes no more builds, and what runs there goes on."
                : name + " takes builds again.";
    }
}
