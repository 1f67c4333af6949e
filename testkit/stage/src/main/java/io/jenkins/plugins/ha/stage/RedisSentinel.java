package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A Redis Sentinel on 127.0.0.1 that decides alone, half a second after its primary has stopped to
 * answer. Not thread-safe.
 */
public final class RedisSentinel implements AutoCloseable {
    private static final String MASTER = "jenkins";
    private static final Duration START = Duration.ofSeconds(30);

    private final int port = FreePort.next();
    private final ServerProcess process;

    private RedisSentinel(Path folder, RedisServer primary) {
        Path conf = folder.resolve("sentinel.conf");
        try {
            Files.createDirectories(folder);
            Files.write(
                    conf,
                    List.of(
                            "port " + port,
                            "bind 127.0.0.1",
                            "sentinel monitor %s 127.0.0.1 %d 1".formatted(MASTER, primary.port()),
                            "sentinel down-after-milliseconds %s 500".formatted(MASTER),
                            "sentinel failover-timeout %s 3000".formatted(MASTER)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process =
                ServerProcess.start(
                        "sentinel",
                        List.of(
                                RedisServer.program(),
                                conf.toString(),
                                "--sentinel",
                                "--dir",
                                folder.toString()),
                        Map.of(),
                        folder,
                        folder.resolve("sentinel.log"));
    }

    /** Starts one, and returns once it knows of a replica. */
    public static RedisSentinel start(Path folder, RedisServer primary) {
        RedisSentinel sentinel = new RedisSentinel(folder, primary);
        Eventually.until(
                "the Sentinel knows the replica",
                START,
                () -> !((List<?>) sentinel.call("SENTINEL", "replicas", MASTER)).isEmpty());
        return sentinel;
    }

    /** What a controller is told instead of the address of a Redis. */
    public String url() {
        return "redis+sentinel://127.0.0.1:" + port + "/?master=" + MASTER;
    }

    /** The port of the Redis that it takes for the primary. */
    public int primaryPort() {
        List<?> address = (List<?>) call("SENTINEL", "get-master-addr-by-name", MASTER);
        return Integer.parseInt((String) address.get(1));
    }

    private Object call(String... command) {
        try (RedisConnection connection = new RedisConnection(port, "")) {
            return connection.call(command);
        } catch (UncheckedIOException starting) {
            return List.of();
        }
    }

    @Override
    public void close() {
        process.stop(Duration.ofSeconds(5));
    }
}
