package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A permanent agent with one executor in a process of its own, which connects to its controller by
 * WebSocket with the command line that Jenkins shows, and comes back by itself when its controller
 * does. One thread at a time.
 */
public final class InboundAgent implements AutoCloseable {
    private static final Duration STOP = Duration.ofSeconds(10);

    private final Controller controller;
    private final String name;
    private final Path folder;
    private final String secret;
    private ServerProcess process;

    private InboundAgent(Controller controller, String name, Path folder, String secret) {
        this.controller = controller;
        this.name = name;
        this.folder = folder;
        this.secret = secret;
    }

    /**
     * Makes a node of this name and label on the controller, which must be up, and starts its
     * agent; {@link #awaitOnline} waits for it.
     *
     * @param folder where the agent works; its log is {@code agent.log} there
     */
    public static InboundAgent start(
            Controller controller, String name, String label, Path folder) {
        String made =
                controller
                        .client()
                        .post("scriptText", Map.of("script", node(name, label, folder)))
                        .body()
                        .strip();
        if (!made.matches("[0-9a-f]{64}")) {
            throw new AssertionError("No node " + name + " on " + controller.name() + ": " + made);
        }
        InboundAgent agent = new InboundAgent(controller, name, folder, made);
        agent.start();
        return agent;
    }

    /** Starts the process again after {@link #kill9}. */
    public void start() {
        Path jar = folder.resolve("agent.jar");
        try {
            Files.createDirectories(folder);
            if (!Files.exists(jar)) {
                URI from = controller.url().resolve("jnlpJars/agent.jar");
                try (InputStream in = from.toURL().openStream()) {
                    Files.copy(in, jar, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-jar",
                        jar.toString(),
                        "-url",
                        controller.url().toString(),
                        "-name",
                        name,
                        "-secret",
                        secret,
                        "-webSocket",
                        "-workDir",
                        folder.toString());
        process = ServerProcess.start(name, command, Map.of(), folder, folder.resolve("agent.log"));
    }

    /** SIGKILL: it vanishes with what it runs, but for the processes that it started. */
    public void kill9() {
        process.kill9();
    }

    /** Waits until its controller can use it. */
    public void awaitOnline(Duration within) {
        Eventually.until(
                name + " is online at " + controller.name(),
                within,
                () ->
                        controller
                                .client()
                                .jsonIfPresent("computer/" + name + "/api/json")
                                .filter(node -> !node.path("offline").asBoolean(true))
                                .isPresent());
    }

    @Override
    public void close() {
        process.stop(STOP);
    }

    private static String node(String name, String label, Path folder) {
        return """
        def node = new hudson.slaves.DumbSlave('%s', '%s', new hudson.slaves.JNLPLauncher())
        node.labelString = '%s'
        node.numExecutors = 1
        node.mode = hudson.model.Node.Mode.EXCLUSIVE
        node.retentionStrategy = new hudson.slaves.RetentionStrategy.Always()
        jenkins.model.Jenkins.get().addNode(node)
        print node.toComputer().jnlpMac
        """
                .formatted(name, folder, label);
    }
}
