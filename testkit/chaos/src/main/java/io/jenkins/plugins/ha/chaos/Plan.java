package io.jenkins.plugins.ha.chaos;

import io.jenkins.plugins.ha.stage.FreestyleJob;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * How a run is set up.
 *
 * @param name of the run, for files
 * @param seed decides what is asked and what breaks, and when; not how the processes interleave
 * @param seconds for which things are asked and broken
 * @param mutant the defect that is sown into the queue's scripts, or null
 * @param faults kinds of faults, by name; empty for none
 * @param durable whether Redis syncs each write ({@code appendfsync always})
 */
record Plan(
        String name, long seed, int seconds, Mutant mutant, List<String> faults, boolean durable) {
    static final int CONTROLLERS = 3;
    static final int EXECUTORS = 2;
    static final int CLAIM_AHEAD = 3;
    static final long HEARTBEAT_MILLIS = 400;
    static final long LEASE_MILLIS = 2_000;

    /** What a user may ask for; a script says itself when it began and ended. */
    enum Kind {
        /** Builds at the same time, each trigger one of its own. */
        MANY(4, true, 0, "0.05", "0.3"),
        /** One build at a time, each trigger one of its own. */
        SINGLE(4, false, 0, "0.02", "0.15"),
        /** Same triggers in the quiet period become one. */
        QUIET(2, true, 1, "0.05", "0.2"),
        QUIET_SINGLE(2, false, 1, "0.05", "0.2"),
        /** Runs long enough to be aborted, and to lose its controller. */
        LONG(1, true, 0, "1", "3");

        final int jobs;
        final boolean concurrent;
        final int quietSeconds;
        final String shortest;
        final String longest;

        Kind(int jobs, boolean concurrent, int quietSeconds, String shortest, String longest) {
            this.jobs = jobs;
            this.concurrent = concurrent;
            this.quietSeconds = quietSeconds;
            this.shortest = shortest;
            this.longest = longest;
        }

        String job(int index) {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + "-" + index;
        }

        /** Its config.xml. */
        String xml(Path ledger) {
            FreestyleJob job =
                    new FreestyleJob()
                            .parameter("P")
                            .parameter("S")
                            .parameter("F")
                            .parameter("N")
                            .parameter("V")
                            .parameter("H")
                            .quietSeconds(quietSeconds)
                            .shell(
                                    say("begin", ledger)
                                            + "\nsleep $S\nif [ \"$V\" = 1 ]; then\n"
                                            + "kill -9 $$\nfi\nif [ \"$F\" = 1 ]; then\n"
                                            + say("fail", ledger)
                                            + "\nexit 1\nfi\n"
                                            + say("end", ledger));
            return (concurrent ? job.concurrent() : job).xml();
        }

        private static String say(String phase, Path ledger) {
            return "echo \""
                    + phase
                    + " $(date +%s%3N) $JOB_NAME $BUILD_NUMBER $HA_QUEUE_ID $HA_CONTROLLER"
                    + " $HA_EPOCH\" >> "
                    + ledger;
        }
    }

    /** Numbers that were used before the run: a job's builds go on above. */
    static Map<String, Integer> floors() {
        return Map.of(Kind.MANY.job(1), 500, Kind.SINGLE.job(1), 70);
    }
}
