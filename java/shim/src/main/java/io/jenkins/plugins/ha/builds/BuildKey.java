package io.jenkins.plugins.ha.builds;

import hudson.model.Run;

/**
 * A build of the cluster.
 *
 * @param job full name of the job
 * @param number the build's number
 */
record BuildKey(String job, int number) {
    static BuildKey of(Run<?, ?> run) {
        return new BuildKey(run.getParent().getFullName(), run.getNumber());
    }
}
