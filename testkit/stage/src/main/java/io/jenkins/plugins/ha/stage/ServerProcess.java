package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * A child process that writes its output to a file. Whatever still lives when this JVM ends is
 * killed, by pid. Thread-safe.
 */
public final class ServerProcess {
    private static final Set<Process> ALIVE = ConcurrentHashMap.newKeySet();
    private static final Set<Runnable> BEFORE_KILL = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    BEFORE_KILL.forEach(Runnable::run);
                                    ALIVE.forEach(Process::destroyForcibly);
                                },
                                "stage-cleanup"));
    }

    private final String name;
    private final Process process;
    private final Path log;

    private ServerProcess(String name, Process process, Path log) {
        this.name = name;
        this.process = process;
        this.log = log;
    }

    /**
     * Starts a program.
     *
     * @param environment added to this JVM's own
     * @param log receives both streams, appended
     */
    public static ServerProcess start(
            String name,
            List<String> command,
            Map<String, String> environment,
            Path folder,
            Path log) {
        try {
            Files.createDirectories(folder);
            ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
            builder.environment().putAll(environment);
            builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
            builder.redirectErrorStream(true);
            builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            Process process = builder.start();
            ALIVE.add(process);
            process.onExit().thenAccept(ALIVE::remove);
            return new ServerProcess(name, process, log);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + name + ": " + e.getMessage(), e);
        }
    }

    /** When this JVM ends, runs this before it kills what is left. */
    static void beforeKill(Runnable orderly) {
        BEFORE_KILL.add(orderly);
    }

    static void forget(Runnable orderly) {
        BEFORE_KILL.remove(orderly);
    }

    public long pid() {
        return process.pid();
    }

    public boolean alive() {
        return process.isAlive();
    }

    /**
     * SIGTERM, then SIGKILL after {@code grace}; returns once the process is gone, false when it
     * took the SIGKILL.
     */
    public boolean stop(Duration grace) {
        if (!alive()) {
            return true;
        }
        resume();
        process.destroy();
        if (awaitExit(grace)) {
            return true;
        }
        kill9();
        return false;
    }

    /** SIGKILL; returns once the process is gone. */
    public void kill9() {
        process.destroyForcibly();
        if (!awaitExit(Duration.ofSeconds(10))) {
            throw new IllegalStateException(name + " (pid " + pid() + ") survives SIGKILL");
        }
    }

    /** SIGSTOP: the process stalls, its connections stay open. */
    public void pause() {
        signal("STOP");
    }

    /** SIGCONT. */
    public void resume() {
        signal("CONT");
    }

    /** Waits for the end; false when the process is still there after {@code within}. */
    public boolean awaitExit(Duration within) {
        try {
            return process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** What it returned; only after its end. */
    public int exitCode() {
        return process.exitValue();
    }

    /** All it wrote so far. */
    public String output() {
        return read(log);
    }

    static String read(Path file) {
        try {
            return Files.exists(file)
                    ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                    : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Any signal, by its name without SIG. */
    void signal(String signal) {
        signal(pid(), signal);
    }

    static void signal(long pid, String signal) {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
