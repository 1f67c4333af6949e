package io.jenkins.plugins.ha.chaos;

import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.RedisServer;
import io.jenkins.plugins.ha.stage.StandinController;
import java.util.ArrayList;
import java.util.List;

/**
 * Something that breaks, and is mended later. One thread at a time. What else a cluster stands on
 * (a database, a disk) joins in by another list of these.
 */
interface Fault {
    /** What kind it is, for the figures. */
    String kind();

    /** Whom it hits. */
    String target();

    /** How long it lasts: from this many ms to that many. */
    long[] lasts();

    void begin();

    void end();

    /** What can happen to a controller. */
    static List<Fault> of(StandinController controller, FaultyLine line) {
        String who = controller.name();
        long lease = Plan.LEASE_MILLIS;
        List<Fault> faults = new ArrayList<>();
        faults.add(fault("kill", who, 100, lease * 2, controller::kill9, controller::start));
        faults.add(fault("stop", who, 100, 1000, controller::stop, controller::start));
        faults.add(
                fault("pause", who, lease / 2, lease * 3, controller::pause, controller::resume));
        faults.add(fault("cut", who, 0, 50, line::cut, () -> {}));
        faults.add(
                fault(
                        "partition",
                        who,
                        lease / 4,
                        lease * 2,
                        () -> {
                            line.refuse(true);
                            line.cut();
                        },
                        () -> line.refuse(false)));
        faults.add(
                fault(
                        "stall",
                        who,
                        lease / 4,
                        lease * 2,
                        () -> line.stall(true),
                        () -> line.stall(false)));
        faults.add(
                fault(
                        "deaf",
                        who,
                        50,
                        lease * 3 / 2,
                        () -> line.loseAnswers(true),
                        () -> {
                            line.cut();
                            line.loseAnswers(false);
                        }));
        return faults;
    }

    /** What can happen to Redis. */
    static List<Fault> of(RedisServer redis) {
        long lease = Plan.LEASE_MILLIS;
        return List.of(
                fault("redis-kill", "redis", 0, lease, redis::kill9, redis::start),
                fault("redis-pause", "redis", 50, lease * 2, redis::pause, redis::resume));
    }

    private static Fault fault(
            String kind, String target, long shortest, long longest, Runnable begin, Runnable end) {
        return new Fault() {
            @Override
            public String kind() {
                return kind;
            }

            @Override
            public String target() {
                return target;
            }

            @Override
            public long[] lasts() {
                return new long[] {shortest, longest};
            }

            @Override
            public void begin() {
                begin.run();
            }

            @Override
            public void end() {
                end.run();
            }
        };
    }
}
