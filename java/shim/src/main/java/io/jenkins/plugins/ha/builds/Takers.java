package io.jenkins.plugins.ha.builds;

import hudson.model.Computer;
import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.Member;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import jenkins.model.Jenkins;

/**
 * Which other controller goes on with a Pipeline that is handed over: the one with the fewest
 * builds of those that say they would. Asked first, so that a Pipeline is stopped only when
 * somebody takes it. Thread-safe.
 */
public final class Takers {
    /** Asks a controller: {@code would} and a line per agent and job, or {@code take}. */
    public static final String TOPIC = "hand-over";

    private static final String YES = "yes";
    private static final long ANSWER_MILLIS = 2000;

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final PipelineAdoption adoption;

    Takers(Cluster cluster, ControllerIdentity identity, PipelineAdoption adoption) {
        this.cluster = cluster;
        this.identity = identity;
        this.adoption = adoption;
    }

    /** A controller that takes it. */
    record Taker(String id, String name) {}

    /**
     * Asks the others, one after the other.
     *
     * @param to name or id of the only one to be asked; "" for all
     */
    Taker find(String to, Set<Computer> agents, List<Run<?, ?>> runs)
            throws PipelineHandOver.Stays {
        Membership membership = Membership.active().orElseThrow();
        List<Member> others = new ArrayList<>();
        try {
            for (Member member : cluster.members()) {
                boolean wanted =
                        to.isEmpty()
                                || to.equals(member.name())
                                || to.equals(member.controllerId());
                if (wanted && !member.controllerId().equals(identity.id())) {
                    others.add(member);
                }
            }
        } catch (HaException e) {
            throw new PipelineHandOver.Stays(
                    "the other controllers are not known (" + e.getMessage() + ")");
        }
        if (others.isEmpty()) {
            throw new PipelineHandOver.Stays(
                    to.isEmpty()
                            ? "there is no other controller"
                            : "no other controller of the cluster is called " + to);
        }
        others.sort(
                Comparator.comparingLong((Member m) -> load(membership, m))
                        .thenComparing(Member::controllerId));
        StringBuilder question = new StringBuilder("would");
        agents.forEach(agent -> question.append('\n').append(need(membership, agent)));
        runs.forEach(run -> question.append("\njob ").append(run.getParent().getFullName()));
        List<String> refusals = new ArrayList<>();
        for (Member other : others) {
            String answer = ask(membership, other, question.toString());
            if (answer.equals(YES)) {
                return new Taker(other.controllerId(), other.name());
            }
            refusals.add("'" + other.name() + "': " + answer);
        }
        throw new PipelineHandOver.Stays(
                "no controller takes it (" + String.join("; ", refusals) + ")");
    }

    /** An agent of a cloud becomes a node of the taker's; it can end it if it has the cloud. */
    private static String need(Membership membership, Computer agent) {
        return membership
                .clouds()
                .cloudOf(agent)
                .map(cloud -> "cloud " + cloud)
                .orElse("agent " + agent.getName());
    }

    private static String ask(Membership membership, Member other, String question) {
        try {
            String answer = membership.ask(other.controllerId(), TOPIC, question, ANSWER_MILLIS);
            return answer.equals("unknown") ? "its version of HA Jenkins is older" : answer;
        } catch (HaException e) {
            return "it does not answer";
        }
    }

    private static long load(Membership membership, Member member) {
        return membership.view().held().stream()
                .map(Item::owner)
                .filter(member.controllerId()::equals)
                .count();
    }

    /** Tells a controller to go on with a Pipeline that the queue knows nothing of. */
    boolean take(String controller, BuildKey key) {
        Membership membership = Membership.active().orElseThrow();
        String order = "take\n" + key.number() + "\n" + key.job();
        return membership.ask(controller, TOPIC, order, ANSWER_MILLIS).equals(YES);
    }

    /** The other side: yes, or why not. Does not block. */
    public String obey(String body) {
        List<String> lines = body.lines().toList();
        if (lines.get(0).equals("take") && lines.size() == 3) {
            adoption.considerUnqueued(new BuildKey(lines.get(2), Integer.parseInt(lines.get(1))));
            return YES;
        }
        String unwilling = adoption.unwilling();
        if (!unwilling.isEmpty()) {
            return unwilling;
        }
        for (String line : lines.subList(1, lines.size())) {
            String name = line.substring(line.indexOf(' ') + 1);
            if (line.startsWith("agent ") && Jenkins.get().getNode(name) == null) {
                return "it has no agent " + name;
            }
            if (line.startsWith("cloud ")
                    && Jenkins.get().clouds.stream().noneMatch(c -> c.name.equals(name))) {
                return "it has no cloud " + name;
            }
            if (line.startsWith("job ")
                    && Jenkins.get().getItemByFullName(name, Job.class) == null) {
                return "it has no job " + name;
            }
        }
        return YES;
    }
}
