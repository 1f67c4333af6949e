package io.jenkins.plugins.ha.chaos;

import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.PostgresServer;
import io.jenkins.plugins.ha.stage.RedisServer;
import io.jenkins.plugins.ha.stage.SharedFolder;
import io.jenkins.plugins.ha.stage.StandinController;
import java.util.ArrayList;
import java.util.List;

/** Something that breaks, and is mended later. One thread at a time. */
interface Fault {
    /** So much longer each write to a slow disk takes. */
    long SLOW_MILLIS = 400;

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

    /** What can happen between a controller and the database. */
    static List<Fault> ofDatabaseLine(StandinController controller, FaultyLine line) {
        String who = controller.name();
        long lease = Plan.LEASE_MILLIS;
        return List.of(
                fault("db-cut", who, 0, 50, line::cut, () -> {}),
                fault(
                        "db-stall",
                        who,
                        lease / 4,
                        lease * 2,
                        () -> line.stall(true),
                        () -> line.stall(false)));
    }

    /** What can happen to Redis. */
    static List<Fault> of(RedisServer redis) {
        long lease = Plan.LEASE_MILLIS;
        SlowWrites slow = new SlowWrites(redis);
        return List.of(
                fault("redis-kill", "redis", 0, lease, redis::kill9, redis::start),
                fault("redis-pause", "redis", 50, lease * 2, redis::pause, redis::resume),
                fault("redis-slow", "redis", lease / 2, lease * 2, slow::begin, slow::end));
    }

    /** What can happen to the database. */
    static List<Fault> of(PostgresServer postgres) {
        long lease = Plan.LEASE_MILLIS;
        return List.of(
                fault("db-kill", "postgres", 0, lease, postgres::kill9, postgres::start),
                fault("db-pause", "postgres", 50, lease * 3, postgres::pause, postgres::resume));
    }

    /** What can happen to the disk with the jobs folder. */
    static List<Fault> of(SharedFolder shared) {
        long lease = Plan.LEASE_MILLIS;
        return List.of(
                fault(
                        "slow-disk",
                        "disk",
                        lease / 2,
                        lease * 3,
                        () -> shared.slow(SLOW_MILLIS),
                        () -> shared.slow(0)));
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
