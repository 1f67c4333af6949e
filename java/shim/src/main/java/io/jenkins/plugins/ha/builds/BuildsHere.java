package io.jenkins.plugins.ha.builds;

import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Run;
import java.util.function.BiConsumer;
import jenkins.model.Jenkins;

/** The builds that executors of this controller run, parts of matrix builds among them. */
final class BuildsHere {
    private BuildsHere() {}

    static void forEach(BiConsumer<Executor, Run<?, ?>> each) {
        for (Computer computer : Jenkins.get().getComputers()) {
            for (Executor executor : computer.getAllExecutors()) {
                if (executor.getCurrentExecutable() instanceof Run<?, ?> run) {
                    each.accept(executor, run);
                }
            }
        }
    }
}
