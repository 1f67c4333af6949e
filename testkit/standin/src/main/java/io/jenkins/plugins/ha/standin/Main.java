package io.jenkins.plugins.ha.standin;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import java.io.IOException;

/**
 * A stand-in controller as a program: runs until SIGTERM, or until the process that started it is
 * gone.
 */
public final class Main {
    private static final long JOIN_MILLIS = 10_000;

    private Main() {}

    /** See {@code Settings} for the arguments. Ends with 1 when the settings cannot be right. */
    public static void main(String[] args) throws IOException {
        System.setProperty(
                "java.util.logging.SimpleFormatter.format", "%1$tT.%1$tL %4$s %5$s%6$s%n");
        // Else each answer waits 40 ms for the acknowledgement of its headers.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Settings settings;
        Cluster cluster;
        Standin standin;
        try {
            settings = Settings.from(args, System.getenv());
            cluster = Cluster.open(settings.forBridge());
            standin = new Standin(settings, cluster);
        } catch (IllegalArgumentException | HaException e) {
            System.err.println(e.getMessage());
            System.exit(1);
            return;
        }
        standin.start();
        cluster.awaitJoined(JOIN_MILLIS);
        RestApi rest = new RestApi(standin);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    rest.stop();
                                    try {
                                        standin.stop();
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    }
                                },
                                "stop"));
        ProcessHandle.current()
                .parent()
                .ifPresent(parent -> parent.onExit().thenRun(() -> System.exit(1)));
        System.out.println(settings + ": " + standin.link());
    }
}
