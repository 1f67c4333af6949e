package io.jenkins.plugins.ha.tests.jenkins;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FaultyLine;
import io.jenkins.plugins.ha.stage.ServerProcess;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An agent in a process of its own, that connects by WebSocket through a line to one of the
 * controllers, as behind a balancer; or through a real balancer, by TCP too.
 */
final class RoamingAgent implements AutoCloseable {
    private final String name;
    private final FaultyLine line;
    private final List<String> command;
    private final Path folder;
    private ServerProcess process;

    private RoamingAgent(String name, FaultyLine line, List<String> command, Path folder) {
        this.name = name;
        this.line = line;
        this.command = command;
        this.folder = folder;
    }

    /** It is connected to {@code first} when this returns; its label is its name. */
    static RoamingAgent start(TwoControllers two, String name, int executors, Controller first) {
        FaultyLine line = new FaultyLine(first.url().getPort());
        URI url = URI.create("http://127.0.0.1:" + line.port() + "/");
        RoamingAgent agent =
                start(two.stage(), name, executors, first, url, line, List.of("-webSocket"));
        agent.awaitConnected(first);
        return agent;
    }

    /** It is on its way to the balancer when this returns; its label is its name. */
    static RoamingAgent through(
            FrontDoor balancer, Stage stage, String name, int executors, String... how) {
        Controller first = stage.controllers().get(0);
        return start(stage, name, executors, first, balancer.url(), null, List.of(how));
    }

    private static RoamingAgent start(
            Stage stage,
            String name,
            int executors,
            Controller first,
            URI url,
            FaultyLine line,
            List<String> how) {
        Path folder = stage.root().resolve("agent-" + name);
        TwoControllers.script(
                first.client(),
                """
                def agent = new hudson.slaves.DumbSlave('%s', '%s', new hudson.slaves.JNLPLauncher(true))
                agent.numExecutors = %d
                agent.mode = hudson.model.Node.Mode.EXCLUSIVE
                Jenkins.get().addNode(agent)
                """
                        .formatted(name, folder, executors));
        for (Controller each : stage.controllers()) {
            Eventually.until(
                    "the agent is known everywhere",
                    TwoControllers.SOON,
                    () ->
                            TwoControllers.script(
                                            each.client(),
                                            "print Jenkins.get().getNode('" + name + "') != null")
                                    .equals("true"));
        }
        String secret =
                TwoControllers.script(
                        first.client(), "print Jenkins.get().getComputer('" + name + "').jnlpMac");
        try {
            Files.createDirectories(folder);
            Path jar = folder.resolve("agent.jar");
            download(first.url().resolve("jnlpJars/agent.jar"), jar);
            List<String> command =
                    new ArrayList<>(
                            List.of(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-Xmx128m",
                                    "-XX:TieredStopAtLevel=1",
                                    "-XX:+UseSerialGC",
                                    "-jar",
                                    jar.toString(),
                                    "-url",
                                    url.toString(),
                                    "-name",
                                    name,
                                    "-secret",
                                    secret,
                                    "-workDir",
                                    folder.toString()));
            command.addAll(how);
            RoamingAgent agent = new RoamingAgent(name, line, command, folder);
            agent.startAgain();
            return agent;
        } catch (IOException | InterruptedException e) {
            if (line != null) {
                line.close();
            }
            throw new IllegalStateException(e);
        }
    }

    private static void download(URI from, Path to) throws IOException, InterruptedException {
        HttpResponse<Path> answer =
                HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(from).timeout(Duration.ofMinutes(1)).build(),
                                HttpResponse.BodyHandlers.ofFile(to));
        if (answer.statusCode() != 200) {
            throw new UncheckedIOException(new IOException(from + ": " + answer.statusCode()));
        }
    }

    /** Connections that it makes from now on go to this controller. */
    void goesTo(Controller controller) {
        line.to(controller.url().getPort());
    }

    void awaitConnected(Controller to) {
        Eventually.until(
                name + " is connected to " + to.name(),
                Duration.ofMinutes(2),
                () ->
                        TwoControllers.script(
                                        to.client(),
                                        "print Jenkins.get().getComputer('" + name + "').online")
                                .equals("true"));
    }

    /** Starts its process, when there is none. */
    void startAgain() {
        process = ServerProcess.start(name, command, Map.of(), folder, folder.resolve("agent.log"));
    }

    ServerProcess process() {
        return process;
    }

    @Override
    public void close() {
        process.kill9();
        if (line != null) {
            line.close();
        }
    }
}
