package io.jenkins.plugins.ha.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Breaks one thing after the other, sometimes two at once, and mends each. */
final class Nemesis {
    private static final int SHORTEST_REST_MILLIS = 300;
    private static final int LONGEST_REST_MILLIS = 2_500;
    private static final int TWO_AT_ONCE_PERCENT = 30;

    private final List<Fault> faults;
    private final History history;
    private final Random random;
    private final Thread thread = new Thread(this::run, "nemesis");
    private volatile boolean stopping;
    private volatile RuntimeException failure;

    Nemesis(List<Fault> faults, History history, long seed) {
        this.faults = faults;
        this.history = history;
        this.random = new Random(seed);
    }

    void start() {
        thread.start();
    }

    /** Returns when all is mended. */
    void stop() throws InterruptedException {
        stopping = true;
        thread.join();
        if (failure != null) {
            throw failure;
        }
    }

    private void run() {
        try {
            while (!stopping && !faults.isEmpty()) {
                rest(SHORTEST_REST_MILLIS + random.nextInt(LONGEST_REST_MILLIS));
                if (!stopping) {
                    strike();
                }
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private void strike() {
        List<Fault> chosen = new ArrayList<>();
        chosen.add(choose(faults));
        if (random.nextInt(100) < TWO_AT_ONCE_PERCENT) {
            List<Fault> others =
                    faults.stream()
                            .filter(f -> !f.target().equals(chosen.get(0).target()))
                            .toList();
            if (!others.isEmpty()) {
                chosen.add(choose(others));
            }
        }
        for (Fault fault : chosen) {
            long begin = System.currentTimeMillis();
            fault.begin();
            note("begin", fault, begin);
        }
        for (Fault fault : chosen) {
            long[] lasts = fault.lasts();
            rest(lasts[0] + (long) (random.nextDouble() * (lasts[1] - lasts[0])));
            fault.end();
            note("end", fault, System.currentTimeMillis());
        }
    }

    /** First the kind, then whom. */
    private Fault choose(List<Fault> from) {
        List<String> kinds = new ArrayList<>(from.stream().map(Fault::kind).distinct().toList());
        // Death and stalls are what a cluster is bought for.
        List.of("kill", "kill", "kill", "pause", "pause", "stall").stream()
                .filter(kinds::contains)
                .forEach(kinds::add);
        String kind = kinds.get(random.nextInt(kinds.size()));
        List<Fault> ofKind = from.stream().filter(f -> f.kind().equals(kind)).toList();
        return ofKind.get(random.nextInt(ofKind.size()));
    }

    private void note(String phase, Fault fault, long at) {
        history.write(
                History.line("fault")
                        .put("phase", phase)
                        .put("fault", fault.kind())
                        .put("target", fault.target())
                        .put("at", at));
    }

    private static void rest(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
