package io.jenkins.plugins.ha.chaos;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Breaks a cluster for a while and says whether it kept its promises. The last line is the verdict;
 * the exit code is 0 when it is a good one.
 *
 * <ul>
 *   <li>no argument: one run of {@code CHAOS_SECONDS} (300), {@code CHAOS_SEED} (by the clock),
 *       {@code CHAOS_FAULTS} (kinds with commas between, "none"; all), {@code CHAOS_FSYNC} ({@code
 *       always}, or {@code everysec})
 *   <li>{@code mutants}, or {@code mutants NAME...}: sows each defect and sees that it is found
 *   <li>{@code take-over [ROUNDS]}: how long a take-over takes, with the lease of the product
 *   <li>{@code check FILE}: the verdict on a history that was written before
 * </ul>
 */
public final class Chaos {
    static final List<String> ALL_FAULTS =
            List.of(
                    "kill",
                    "stop",
                    "pause",
                    "cut",
                    "partition",
                    "stall",
                    "deaf",
                    "redis-kill",
                    "redis-pause",
                    "redis-slow",
                    "db-kill",
                    "db-pause",
                    "db-cut",
                    "db-stall",
                    "slow-disk");
    private static final int MUTANT_SECONDS = 20;
    private static final int MUTANT_TRIES = 3;
    private static final long MUTANT_SEED = 7;

    private Chaos() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        boolean good;
        if (args.length > 0 && args[0].equals("mutants")) {
            good = mutants(Arrays.asList(args).subList(1, args.length));
        } else if (args.length > 0 && args[0].equals("take-over")) {
            good = judge(new Drill(args.length > 1 ? Integer.parseInt(args[1]) : 20).play());
        } else if (args.length == 2 && args[0].equals("check")) {
            good = judge(Checker.check(History.read(Path.of(args[1]))));
        } else {
            good = chaos();
        }
        System.exit(good ? 0 : 1);
    }

    private static boolean chaos() throws IOException, InterruptedException {
        int seconds = Integer.parseInt(setting("CHAOS_SECONDS", "300"));
        long seed =
                Long.parseLong(
                        setting("CHAOS_SEED", Long.toString(System.currentTimeMillis() % 100_000)));
        List<String> faults =
                switch (setting("CHAOS_FAULTS", "all")) {
                    case "all" -> ALL_FAULTS;
                    case "none" -> List.of();
                    default -> List.of(setting("CHAOS_FAULTS", "").split(","));
                };
        boolean durable = setting("CHAOS_FSYNC", "always").equals("always");
        Run run = new Run(new Plan("chaos", seed, seconds, null, faults, durable));
        System.out.printf("%d s of chaos, seed %d%n", seconds, seed);
        Verdict verdict = run.play();
        System.out.printf("history: %s%n", run.history());
        return judge(verdict);
    }

    private static boolean judge(Verdict verdict) {
        System.out.println(verdict.report());
        System.out.println(verdict.summary());
        return verdict.holds();
    }

    private static boolean mutants(List<String> names) throws IOException, InterruptedException {
        List<Mutant> wanted =
                names.isEmpty()
                        ? List.of(Mutant.values())
                        : names.stream().map(Mutant::valueOf).toList();
        List<Mutant> missed = new ArrayList<>();
        for (Mutant mutant : wanted) {
            Verdict verdict = hunt(mutant);
            System.out.printf(
                    "%-32s %s%n",
                    mutant, verdict.holds() ? "NOT FOUND" : "found: " + verdict.broken());
            if (verdict.holds()) {
                missed.add(mutant);
            }
        }
        System.out.printf(
                "%s: %d of %d defects found%s%n",
                missed.isEmpty() ? "PASS" : "FAIL",
                wanted.size() - missed.size(),
                wanted.size(),
                missed.isEmpty() ? "" : ", not " + missed);
        return missed.isEmpty();
    }

    /** The verdict on a cluster with a defect; a good one after a few tries. */
    static Verdict hunt(Mutant mutant) throws IOException, InterruptedException {
        Verdict verdict = null;
        for (int i = 0; i < MUTANT_TRIES && (verdict == null || verdict.holds()); i++) {
            Plan plan =
                    new Plan(
                            "mutant-" + mutant,
                            MUTANT_SEED + i,
                            MUTANT_SECONDS * (i + 1),
                            mutant,
                            mutant.faults(),
                            true);
            verdict = new Run(plan).play();
        }
        return verdict;
    }

    private static String setting(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
