package io.jenkins.plugins.ha.stage;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A controller of a cluster as a process of its own: a real Jenkins ({@link JenkinsController}) or
 * a stand-in ({@link StandinController}). Both are used over the same {@link JenkinsClient}. One
 * thread at a time.
 */
public abstract class Controller implements AutoCloseable {
    private static final Duration STOP = Duration.ofSeconds(30);

    private final String name;
    private final Path home;
    private int port;
    private ServerProcess process;
    private int logStart;

    Controller(String name, Path home) {
        this.name = name;
        this.home = home;
    }

    /** What it is called in the cluster. */
    public final String name() {
        return name;
    }

    /** Its own JENKINS_HOME. */
    public final Path home() {
        return home;
    }

    /** Where it listens; the same after a restart. */
    public final URI url() {
        return URI.create("http://127.0.0.1:" + port() + "/");
    }

    /** A client of this controller, not logged in. */
    public final JenkinsClient client() {
        return new JenkinsClient(url());
    }

    /** Listens here instead of on a free port; before the start. */
    public final Controller port(int port) {
        this.port = port;
        return this;
    }

    /** Starts the process; returns at once. */
    public final void start() {
        if (process != null && process.alive()) {
            throw new IllegalStateException(name + " already runs");
        }
        prepare();
        logStart = logText().length();
        process = ServerProcess.start(name, command(), environment(), home, log());
    }

    /**
     * Waits until it serves pages.
     *
     * @throws AssertionError with the end of its log when it ends or does not come up in time
     */
    public final void awaitUp(Duration within) {
        JenkinsClient client = client();
        try {
            Eventually.until(
                    name + " serves pages",
                    within,
                    () -> {
                        if (!process.alive()) {
                            throw new AssertionError("process ended with " + process.exitCode());
                        }
                        if (client.reachable()) {
                            return true;
                        }
                        bootFailure(logText().substring(logStart))
                                .ifPresent(
                                        failure -> {
                                            throw new AssertionError(failure);
                                        });
                        return false;
                    });
        } catch (AssertionError e) {
            throw new AssertionError(
                    name + " did not come up: " + e.getMessage() + "\n" + logTail(), e);
        }
        up();
    }

    /** Ends it as an admin would (SIGTERM); SIGKILL after 30 s. */
    public final void stop() {
        if (process != null) {
            process.stop(STOP);
        }
    }

    /** SIGKILL. */
    public final void kill9() {
        process.kill9();
    }

    /** SIGSTOP: it stalls, as in a long garbage collection. */
    public final void pause() {
        process.pause();
    }

    /** SIGCONT. */
    public final void resume() {
        process.resume();
    }

    public final boolean alive() {
        return process != null && process.alive();
    }

    public final long pid() {
        return process.pid();
    }

    /** The file it writes its log to, over all its lives. */
    public final Path log() {
        return home.resolveSibling(name + ".log");
    }

    /** All it logged so far. */
    public final String logText() {
        return ServerProcess.read(log());
    }

    @Override
    public final void close() {
        stop();
    }

    final int port() {
        if (port == 0) {
            port = FreePort.next();
        }
        return port;
    }

    /** Makes the home ready for a start. */
    abstract void prepare();

    /** What to run. */
    abstract List<String> command();

    /** Added to this JVM's environment. */
    abstract Map<String, String> environment();

    /** Why it will never come up, by what it has logged in this life; the process may stay. */
    Optional<String> bootFailure(String log) {
        return Optional.empty();
    }

    /** Called once it serves pages. */
    void up() {}

    private String logTail() {
        List<String> lines = logText().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    }
}
