package io.jenkins.plugins.ha.tests.jenkins;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a controller asks of the kernel: syncs, with the files' names, and writes. By strace, which
 * slows the controller down as long as it looks.
 */
final class SystemCalls {
    private static final Duration SOON = Duration.ofSeconds(30);

    private final ServerProcess strace;
    private final Path file;

    private SystemCalls(ServerProcess strace, Path file) {
        this.strace = strace;
        this.file = file;
    }

    /** Looks from when this returns on; empty where there is no strace, or it may not look. */
    static Optional<SystemCalls> of(Controller controller, Path folder) {
        if (!Files.isExecutable(Path.of("/usr/bin/strace"))) {
            return Optional.empty();
        }
        Path file = folder.resolve("calls.txt");
        ServerProcess strace =
                ServerProcess.start(
                        "strace",
                        List.of(
                                "/usr/bin/strace",
                                "-f",
                                "-y",
                                "-s",
                                "64",
                                "-e",
                                "trace=fsync,fdatasync,write,writev,sendto,sendmsg",
                                "-o",
                                file.toString(),
                                "-p",
                                Long.toString(controller.pid())),
                        Map.of(),
                        folder,
                        folder.resolve("strace.log"));
        Eventually.until(
                "strace looks",
                SOON,
                () -> strace.output().contains(" attached") || !strace.alive());
        return strace.alive() ? Optional.of(new SystemCalls(strace, file)) : Optional.empty();
    }

    /** Looks no longer, and answers the calls in their order, a line each. */
    List<String> stop() {
        strace.stop(SOON);
        try {
            return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first of these calls that names this; -1 when none does. */
    static int first(List<String> calls, String names, String what) {
        Pattern call = Pattern.compile("\\b(" + names + ")\\(.*" + Pattern.quote(what));
        for (int i = 0; i < calls.size(); i++) {
            if (call.matcher(calls.get(i)).find()) {
                return i;
            }
        }
        return -1;
    }
}
