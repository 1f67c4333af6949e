package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A real redis-server on 127.0.0.1, as durable as the manual asks for (appendonly). Data and port
 * survive {@link #restart()}. Configure, then {@link #start()}. Not thread-safe.
 */
public final class RedisServer implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(20);

    private final Path folder;
    private final List<String> settings = new ArrayList<>();
    private String password = "";
    private int port = FreePort.next();
    private ServerProcess process;

    /** A server that keeps its data, its settings and its log in {@code folder}. */
    public RedisServer(Path folder) {
        this.folder = folder;
    }

    /** Listens here instead of on a free port. */
    public RedisServer port(int port) {
        this.port = port;
        return this;
    }

    /** Asks clients for a password (of the user "default"). */
    public RedisServer password(String password) {
        this.password = password;
        return this;
    }

    /** A line of redis.conf, as in {@code setting("maxmemory-policy", "allkeys-lru")}. */
    public RedisServer setting(String name, String value) {
        settings.add(name + " " + value);
        return this;
    }

    /** Starts it and returns once it answers. */
    public RedisServer start() {
        List<String> lines = new ArrayList<>();
        lines.add("bind 127.0.0.1");
        lines.add("port " + port);
        lines.add("dir " + folder);
        lines.add("appendonly yes");
        lines.add("save \"\"");
        if (!password.isEmpty()) {
            lines.add("requirepass \"" + password + "\"");
        }
        lines.addAll(settings);
        Path conf = folder.resolve("redis.conf");
        try {
            Files.createDirectories(folder);
            Files.write(conf, lines);
            // It may hold a password.
            Files.setPosixFilePermissions(conf, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process =
                ServerProcess.start(
                        "redis", List.of(program(), conf.toString()), Map.of(), folder, log());
        Eventually.until("Redis answers, see " + log(), START, this::answers);
        return this;
    }

    public int port() {
        return port;
    }

    /** {@code redis://127.0.0.1:port}, with the password if there is one. */
    public String url() {
        String secret =
                password.isEmpty()
                        ? ""
                        : ":" + URLEncoder.encode(password, StandardCharsets.UTF_8) + "@";
        return "redis://" + secret + "127.0.0.1:" + port;
    }

    public long pid() {
        return process.pid();
    }

    public Path log() {
        return folder.resolve("redis.log");
    }

    /** Ends it as an admin would (SIGTERM). */
    public void stop() {
        if (process != null) {
            process.stop(Duration.ofSeconds(10));
        }
    }

    /** Ends it with SIGKILL; what it acknowledged is in its file. */
    public void kill9() {
        process.kill9();
    }

    /** Ends it if it still runs, and starts it on the same data and port. */
    public void restart() {
        stop();
        start();
    }

    /** SIGSTOP: connections stay open, nobody answers. */
    public void pause() {
        process.pause();
    }

    /** SIGCONT. */
    public void resume() {
        process.resume();
    }

    /** Loses everything, as a Redis without persistence does at a restart. */
    public void flush() {
        call("FLUSHALL");
    }

    /** One command on a connection of its own. */
    public Object call(String... command) {
        try (RedisConnection connection = connect()) {
            return connection.call(command);
        }
    }

    /** A connection for several commands; the caller closes it. */
    public RedisConnection connect() {
        return new RedisConnection(port, password);
    }

    @Override
    public void close() {
        stop();
    }

    /** Where redis-server is; throws with the command that installs it. */
    static String program() {
        return Stream.concat(
                        Stream.of(System.getenv().getOrDefault("PATH", "").split(":")),
                        Stream.of("/usr/bin", "/usr/local/bin"))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, "redis-server"))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalStateException(
                                        "No redis-server: apt-get install redis-server"));
    }

    private boolean answers() {
        if (!process.alive()) {
            throw new IllegalStateException("Redis did not start:\n" + process.output());
        }
        try {
            return "PONG".equals(call("PING"));
        } catch (UncheckedIOException | IllegalStateException stillLoading) {
            return false;
        }
    }
}
