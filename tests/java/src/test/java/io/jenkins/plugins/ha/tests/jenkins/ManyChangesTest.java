package io.jenkins.plugins.ha.tests.jenkins;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link RandomChanges} for minutes, with a seed of its own each time; the seed is printed. */
@LongTest
class ManyChangesTest {
    @Test
    void whateverIsChangedWhereverBothHoldTheSameInTheEnd() {
        String given = System.getenv("CHAOS_SEED");
        long seed = given == null ? System.nanoTime() : Long.parseLong(given);
        System.out.println("changes of jobs with CHAOS_SEED=" + seed);
        try (TwoControllers both = TwoControllers.start("many-changes", 2, "cloudbees-folder")) {
            new RandomChanges(both, new Random(seed)).run(400);
        }
    }
}
