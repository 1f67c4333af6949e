package io.jenkins.plugins.ha.chaos;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A short run of {@code make chaos}, and that it would find what is broken. */
class ChaosTest {
    private static final int SECONDS = 30;
    private static final long SEED = 20_26;

    @Test
    void nothingIsLostAndNothingRunsTwiceWhateverBreaks() throws Exception {
        Verdict verdict =
                new Run(new Plan("test", SEED, SECONDS, null, Chaos.ALL_FAULTS, true)).play();
        System.out.println("figure: chaos: " + verdict.summary());
        assertTrue(verdict.holds(), verdict::report);
    }

    /** Those that need no luck; {@code make chaos-mutants} has all. */
    @ParameterizedTest
    @EnumSource(names = {"NUMBER_ONLY_FROM_REDIS", "SLOT_IS_FREE_ONCE_CLAIMED"})
    void aDefectInTheScriptsIsFound(Mutant mutant) throws Exception {
        Verdict verdict =
                new Run(new Plan("test-" + mutant, SEED, 4, mutant, mutant.faults(), true)).play();
        assertTrue(!verdict.holds(), () -> mutant + " was not found");
    }
}
