package io.jenkins.plugins.ha.standin;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A shell script that runs as a build and writes its log. {@link #abort} may come from any thread,
 * at any time.
 */
final class ShellBuild {
    /** Ends the shell when its controller is killed, as a lost agent would. */
    private static final Path SETPRIV = Path.of("/usr/bin/setpriv");

    /** What {@link #run} answers when the script was killed, which nobody here had asked for. */
    static final String VANISHED = "VANISHED";

    private static final int KILLED = 128 + 9;

    private final Path log;
    private Process process;
    private String abortedBy;

    ShellBuild(Path log) {
        this.log = log;
    }

    /** Runs it to its end and returns Jenkins' word for how it went, or {@link #VANISHED}. */
    String run(String script, Path workspace, Map<String, String> environment)
            throws IOException, InterruptedException {
        Files.createDirectories(workspace);
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(SETPRIV)) {
            command.addAll(List.of(SETPRIV.toString(), "--pdeathsig", "KILL"));
        }
        command.addAll(List.of("sh", "-xe", "-c", script));
        ProcessBuilder builder = new ProcessBuilder(command).directory(workspace.toFile());
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        synchronized (this) {
            if (abortedBy == null) {
                process = builder.start();
            }
        }
        // The same thread that started it waits: its end is what pdeathsig looks at.
        int exit = process == null ? -1 : process.waitFor();
        synchronized (this) {
            if (abortedBy != null) {
                say(abortedBy);
                return "ABORTED";
            }
            if (exit == KILLED) {
                return VANISHED;
            }
            return exit == 0 ? "SUCCESS" : "FAILURE";
        }
    }

    /** Ends it as ABORTED; {@code line} goes into the log. */
    synchronized void abort(String line) {
        if (abortedBy == null) {
            abortedBy = line;
            if (process != null) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
    }

    void say(String line) throws IOException {
        try (OutputStream out =
                Files.newOutputStream(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }
}
