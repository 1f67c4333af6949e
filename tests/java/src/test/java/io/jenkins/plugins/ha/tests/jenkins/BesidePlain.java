package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Two real controllers of one cluster, and beside them one plain Jenkins that says what is right.
 * All three have the throw-away extensions (testkit/extensions).
 */
final class BesidePlain implements AutoCloseable {
    private final TwoControllers cluster;
    private final Stage plainStage;
    private final JenkinsClient plain;

    /**
     * Where a scenario is played: the plain Jenkins, which is both {@code first} and {@code
     * second}, or a cluster, whose two controllers they are.
     */
    record Side(JenkinsClient first, JenkinsClient second, boolean isCluster) {
        /** Runs a Groovy script on each controller. */
        void script(String groovy) {
            TwoControllers.script(first, groovy);
            if (isCluster) {
                TwoControllers.script(second, groovy);
            }
        }

        /** Switches an extension on, on each controller; "" switches it off. */
        void set(String name, String value) {
            script(
                    "io.jenkins.plugins.ha.extensions.Switches.set('%s', '%s')"
                            .formatted(name, value));
        }

        /** Creates the job on the first and waits until the second has it. */
        void createJob(String job, String xml) {
            first.createJob(job, xml);
            io.jenkins.plugins.ha.stage.Eventually.until(
                    "the second has " + job, TwoControllers.SOON, () -> second.hasJob(job));
        }

        List<JenkinsClient> each() {
            return isCluster ? List.of(first, second) : List.of(first);
        }
    }

    private BesidePlain(TwoControllers cluster, Stage plainStage, JenkinsClient plain) {
        this.cluster = cluster;
        this.plainStage = plainStage;
        this.plain = plain;
    }

    /** All three are up when this returns; skips the test where no Jenkins is at hand. */
    static BesidePlain start(String name, int executors, String... plugins) {
        TwoControllers cluster =
                TwoControllers.start(
                        name, executors, (stage, added) -> added.extensions(), plugins);
        Stage stage = Stage.open(name + "-plain");
        try {
            JenkinsController plain =
                    stage.addJenkins(SingleController.war(), "plain")
                            .haPlugin(Optional.empty())
                            .executors(executors)
                            .extensions()
                            .plugins(plugins);
            stage.startControllers();
            return new BesidePlain(cluster, stage, plain.client());
        } catch (RuntimeException | Error e) {
            stage.close();
            cluster.close();
            throw e;
        }
    }

    TwoControllers cluster() {
        return cluster;
    }

    Side plain() {
        return new Side(plain, plain, false);
    }

    Side pair() {
        return new Side(cluster.a(), cluster.b(), true);
    }

    /**
     * Plays the scenario on the plain Jenkins and in the cluster; both must come to the same.
     *
     * @return what both came to, to be held against what one expects of a Jenkins
     */
    <T> T sameAsPlain(Function<Side, T> scenario) {
        T right = scenario.apply(plain());
        T ours = scenario.apply(pair());
        assertEquals(right, ours, "the cluster does not do as one plain Jenkins does");
        return right;
    }

    @Override
    public void close() {
        try {
            cluster.close();
        } finally {
            plainStage.close();
        }
    }
}
