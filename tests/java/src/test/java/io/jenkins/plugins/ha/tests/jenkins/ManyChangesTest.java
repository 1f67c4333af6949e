package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link ConfigurationChaos} on three controllers, with a seed of its own each time, printed. */
@LongTest
class ManyChangesTest {
    @Test
    void whateverIsChangedWhereverAllHoldTheSameInTheEnd() {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        String given = System.getenv("CHAOS_SEED");
        long seed = given == null ? System.nanoTime() : Long.parseLong(given);
        int steps =
                Integer.parseInt(Optional.ofNullable(System.getenv("CHAOS_CHANGES")).orElse("200"));
        System.out.println("changes of jobs and settings with CHAOS_SEED=" + seed);
        try (Stage stage = Stage.open("many-changes")) {
            stage.redis().setting("appendonly", "yes").start();
            for (String name : List.of("a", "b", "c")) {
                stage.addJenkins(search.war().get(), name).executors(2).plugins("cloudbees-folder");
            }
            stage.startControllers();
            stage.awaitMembers(3, TwoControllers.SOON);
            new ConfigurationChaos(stage, new Random(seed)).run(steps, 12);
        }
    }
}
