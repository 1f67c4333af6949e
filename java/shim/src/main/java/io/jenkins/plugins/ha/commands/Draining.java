package io.jenkins.plugins.ha.commands;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import java.util.stream.Collectors;

/** Drains any controller of the cluster, or lets it take builds again. Thread-safe. */
final class Draining {
    static final String TOPIC = "drain";

    private static final long ANSWER_MILLIS = 5000;

    private Draining() {}

    /** Could not be done; the message says why and what to do. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;

        /** What it is over HTTP. */
        final int status;

        Failed(int status, String why) {
            super(why);
            this.status = status;
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
                                                HttpServletResponse.SC_NOT_FOUND,
                                                "This Jenkins is in no cluster: there is nothing"
                                                        + " to drain."));
        String own = membership.identity().name();
        String order = Boolean.toString(drained);
        String ownId = membership.identity().id();
        boolean here = controller.isEmpty() || controller.equals(ownId);
        if (here || controller.equals(own) && !membership.link().joined()) {
            drainHere(membership, order);
            return done(own, drained);
        }
        try {
            Member member = member(membership.cluster().members(), controller);
            if (member.controllerId().equals(ownId)) {
                drainHere(membership, order);
                return done(own, drained);
            }
            String answer = membership.ask(member.controllerId(), TOPIC, order, ANSWER_MILLIS);
            if (!answer.equals("ok")) {
                throw new Failed(
                        HttpServletResponse.SC_SERVICE_UNAVAILABLE,
                        controller + " did not do it: " + answer + ".");
            }
            return done(member.name(), drained);
        } catch (HaException e) {
            throw new Failed(
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE,
                    controller
                            + " did not answer ("
                            + e.getMessage()
                            + "). Ask it directly, or try again.");
        }
    }

    /** The other side. */
    static String drainHere(Membership membership, String order) {
        boolean drained = Boolean.parseBoolean(order);
        boolean news = membership.claimer().isDraining() != drained;
        membership.claimer().drain(drained);
        if (news) {
            membership
                    .outbound()
                    .tell(
                            "the timeline",
                            cluster -> cluster.noteMoment(drained ? "drained" : "undrained", ""));
        }
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
        if (found.isEmpty()) {
            throw new Failed(
                    HttpServletResponse.SC_NOT_FOUND,
                    "No controller of the cluster is called " + controller + ".");
        }
        throw new Failed(
                HttpServletResponse.SC_CONFLICT,
                "Several controllers are called "
                        + controller
                        + ": use the id of the one that you mean, "
                        + found.stream()
                                .map(Member::controllerId)
                                .collect(Collectors.joining(" or "))
                        + ".");
    }

    private static String done(String name, boolean drained) {
        return drained
                ? name
                        + " is drained: it takes no more builds, its Pipelines go over to other"
                        + " controllers, and what else runs there goes on."
                : name + " takes builds again.";
    }
}
