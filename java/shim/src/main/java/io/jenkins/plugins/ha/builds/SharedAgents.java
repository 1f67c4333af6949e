package io.jenkins.plugins.ha.builds;

import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jenkins.model.Jenkins;

/**
 * Which Pipelines and agents belong together, as the executors of this controller are held now: an
 * agent serves one controller at a time.
 */
final class SharedAgents {
    private SharedAgents() {}

    /** Pipelines that are on the same agent in one group; each is in one. */
    static List<List<Run<?, ?>>> groups(List<Run<?, ?>> runs) {
        List<List<Run<?, ?>>> groups = new ArrayList<>();
        List<Set<Computer>> agents = new ArrayList<>();
        for (Run<?, ?> run : runs) {
            List<Run<?, ?>> group = new ArrayList<>(List.of(run));
            Set<Computer> its = computersOf(run);
            for (int i = groups.size() - 1; i >= 0; i--) {
                if (agents.get(i).stream().anyMatch(its::contains)) {
                    group.addAll(groups.remove(i));
                    its.addAll(agents.remove(i));
                }
            }
            groups.add(group);
            agents.add(its);
        }
        return groups;
    }

    /** The agents that a group is on, and nothing else is. */
    static Set<Computer> of(List<Run<?, ?>> group) throws PipelineHandOver.Stays {
        Set<Computer> result = ConcurrentHashMap.newKeySet();
        for (Run<?, ?> run : group) {
            for (Computer computer : computersOf(run)) {
                if (computer == Jenkins.get().toComputer()) {
                    throw new PipelineHandOver.Stays(
                            PipelineHandOver.of(run, group)
                                    + "it is in a node block on this controller's built-in"
                                    + " node, and goes when that has ended");
                }
                result.add(computer);
            }
        }
        for (Computer computer : result) {
            for (Executor executor : computer.getAllExecutors()) {
                if (executor.isBusy()
                        && group.stream()
                                .noneMatch(run -> PipelineInternals.isHeldFor(executor, run))) {
                    throw new PipelineHandOver.Stays(
                            "its agent "
                                    + computer.getName()
                                    + " also runs "
                                    + executor.getCurrentExecutable()
                                    + ", and an agent serves one controller at a time");
                }
            }
        }
        return result;
    }

    private static Set<Computer> computersOf(Run<?, ?> run) {
        Set<Computer> result = ConcurrentHashMap.newKeySet();
        for (Computer computer : Jenkins.get().getComputers()) {
            for (Executor executor : computer.getExecutors()) {
                if (PipelineInternals.isHeldFor(executor, run)) {
                    result.add(computer);
                }
            }
        }
        return result;
    }
}
