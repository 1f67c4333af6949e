package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary.Failure;

/**
 * Defects that are sown into how Pipelines and locks outlive their controllers are found: each by
 * an ordinary test, which is run with a plugin that has the defect, and must fail.
 */
@LongTest
class PipelineMutantsTest {
    private static final String PLUGIN = "ha.jenkins.hpi";

    /** A defect, where it is, and the test that finds it. */
    enum Mutant {
        /** A controller that was held dead goes on with what another one has adopted. */
        ADOPT_WITHOUT_FENCING(
                "builds/PipelineFence.java",
                "return link.joined() && link.epoch() == settled && cluster.holdsLease();",
                "return true;",
                AdoptionTest.class,
                "aControllerThatWasAsleepWritesNothingOfWhatItHasLost"),
        /** Whoever reads a Pipeline goes on with it. */
        ADOPT_TWICE(
                "builds/ForeignBuilds.java",
                "if (running.containsKey(key) || !action.controllerId().equals(identity.id())) {",
                "if (!identity.id().equals(identity.id())) {",
                AdoptionTest.class,
                "eachGoesOnAfterItsLastStepAndNoStepRunsTwice"),
        /** What an adopted Pipeline holds is forgotten. */
        FORGET_THE_LOCK(
                "locks/LockedPipelines.java",
                "if (!locked) {",
                "if (locked) {",
                LocksTest.class,
                "whoHoldsAndWhoWaitsGoesOnHoldingAndWaitingWhenItsControllerDies"),
        /** Who has asked last is given it first. */
        LOCK_OUT_OF_ORDER(
                "locks/ClusterLocks.java",
                "QueuedContextStruct entry = queue.get(i);\n"
                        + "            StoredLocks.Waiter waiter = waiterOf(entry);",
                "java.util.Collections.reverse(queue);\n"
                        + "            QueuedContextStruct entry = queue.get(i);\n"
                        + "            StoredLocks.Waiter waiter = waiterOf(entry);",
                LocksTest.class,
                "oneAtATimeIsInALockInTheOrderOfAskingWhereverTheyRun"),
        /** What a Pipeline holds is free from its controller's death on. */
        LOCK_FREED_WHILE_ADOPTED(
                "locks/LockHolders.java",
                "if (run.isBuilding() || runsElsewhere(run)) {",
                "String by = Membership.active().orElseThrow().builds().runningOn(run);\n"
                        + "        if (by != null && Pen.cluster().members().stream()"
                        + ".noneMatch(m -> m.controllerId().equals(by))) {\n"
                        + "            return Life.ENDED;\n"
                        + "        }\n"
                        + "        if (run.isBuilding() || runsElsewhere(run)) {",
                LocksTest.class,
                "whoHoldsAndWhoWaitsGoesOnHoldingAndWaitingWhenItsControllerDies"),
        /** Locks are each controller's own. */
        LOCKS_NOT_STORED(
                "locks/Pen.java",
                "boolean stored = cluster.storeState(name, base, base + 1, text, false);",
                "boolean stored = true;",
                LocksTest.class,
                "oneAtATimeIsInALockInTheOrderOfAskingWhereverTheyRun"),
        /** A build that is gone keeps its locks. */
        LOCK_KEPT_BY_THE_DEAD(
                "locks/ClusterLocks.java",
                "Set<String> gone = holders.gone(ids);",
                "Set<String> gone = Set.of();",
                LocksTest.class,
                "whatABuildHeldThatIsGoneWithItsControllerIsFree"),
        /** A block within a throttle step is counted by its own controller alone. */
        BLOCK_NOT_COUNTED(
                "locks/ThrottledJobs.java",
                "return limits.isEmpty() || throttle.may(block.name(), limits) ? null",
                "return limits.isEmpty() || !block.name().isEmpty() ? null",
                LocksTest.class,
                "aThrottledNodeBlockHasItsPlaceInTheClusterAlsoWhenItsControllerDies");

        private final String source;
        private final String passage;
        private final String instead;
        private final Class<?> test;
        private final String method;

        Mutant(String source, String passage, String instead, Class<?> test, String method) {
            this.source = source;
            this.passage = passage;
            this.instead = instead;
            this.test = test;
            this.method = method;
        }
    }

    @ParameterizedTest
    @EnumSource
    void isFound(Mutant mutant) {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        Path plugin =
                PluginMutant.of(
                        mutant.source,
                        mutant.passage,
                        mutant.instead,
                        Checkout.target().resolve("pipeline-mutants/" + mutant));
        String before = System.setProperty(PLUGIN, plugin.toString());
        List<Failure> failures;
        try {
            failures = run(mutant);
        } finally {
            if (before == null) {
                System.clearProperty(PLUGIN);
            } else {
                System.setProperty(PLUGIN, before);
            }
        }
        assertEquals(1, failures.size(), mutant + " is not found");
        Failure found = failures.get(0);
        System.out.println(mutant + " is found: " + found.getException().getMessage());
        assertTrue(found.getTestIdentifier().isTest(), "its controllers start: " + found);
        assertTrue(found.getException() instanceof AssertionError, () -> found.toString());
    }

    private static List<Failure> run(Mutant mutant) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(
                                        DiscoverySelectors.selectMethod(mutant.test, mutant.method))
                                .build(),
                        listener);
        assertEquals(
                1,
                listener.getSummary().getTestsStartedCount()
                        + listener.getSummary().getContainersFailedCount(),
                "its test is there: " + mutant.method);
        return listener.getSummary().getFailures();
    }
}
