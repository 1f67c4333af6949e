package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.ServerProcess;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Debian's HAProxy, set up by {@code examples/haproxy/haproxy.cfg} with other addresses. */
final class HaProxy implements FrontDoor {
    private static final Path PROGRAM = Path.of("/usr/sbin/haproxy");
    private static final Duration STOP = Duration.ofSeconds(5);

    private final Path socket;
    private final int port;
    private final ServerProcess process;

    /** Requests are passed on when this returns. Skips the test where there is no HAProxy. */
    HaProxy(Stage stage) {
        this(stage, true);
    }

    /**
     * @param sticky whether a browser stays on one controller, as in the example; else each of its
     *     requests goes to the next
     */
    HaProxy(Stage stage, boolean sticky) {
        this(stage, sticky, FreePort.next(), FreePort.next(), Map.of());
    }

    /**
     * @param port where users come in
     * @param agentPort where agents that come by TCP are let in
     * @param agentPorts by controller the port to which they are sent
     */
    HaProxy(Stage stage, boolean sticky, int port, int agentPort, Map<String, Integer> agentPorts) {
        this.port = port;
        assumeTrue(Files.isExecutable(PROGRAM), "no haproxy: apt-get install haproxy");
        Path folder = stage.root().resolve("haproxy");
        socket = folder.resolve("stats");
        try {
            Files.createDirectories(folder);
            String config =
                    Files.readString(Checkout.root().resolve("examples/haproxy/haproxy.cfg"))
                            .replace("127.0.0.1:8080", "127.0.0.1:" + port)
                            .replace("127.0.0.1:50000", "127.0.0.1:" + agentPort)
                            .replace("global\n", "global\n    stats socket " + socket + "\n")
                            .replace(
                                    "backend controllers\n",
                                    "backend controllers\n"
                                            + "    http-response set-header X-Sent-To %s\n");
            if (!sticky) {
                config = config.replaceAll("(?m)^    cookie .*\\R", "");
                config = config.replaceAll("(?m) cookie .$", "");
            }
            if (stage.controllers().size() > 2) {
                config =
                        Pattern.compile("(?m)^    server b .*$")
                                .matcher(config)
                                .replaceAll(
                                        line ->
                                                line.group()
                                                        + "\n"
                                                        + line.group()
                                                                .replace("server b", "server c")
                                                                .replace("8082", "8083")
                                                                .replace("50002", "50003")
                                                                .replace("cookie b", "cookie c"));
            }
            int number = 1;
            for (Controller controller : stage.controllers()) {
                String http = String.valueOf(controller.url().getPort());
                String agents = String.valueOf(agentPorts.getOrDefault(controller.name(), 9));
                config =
                        config.replace("127.0.0.1:808" + number, "127.0.0.1:" + http)
                                .replace("check port 808" + number, "check port " + http)
                                .replace("127.0.0.1:5000" + number, "127.0.0.1:" + agents);
                number++;
            }
            Files.writeString(folder.resolve("haproxy.cfg"), config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> command =
                List.of(PROGRAM.toString(), "-db", "-f", folder.resolve("haproxy.cfg").toString());
        process =
                ServerProcess.start(
                        "haproxy", command, Map.of(), folder, folder.resolve("haproxy.log"));
        for (Controller controller : stage.controllers()) {
            Eventually.until(
                    "HAProxy sends to " + controller.name(),
                    TwoControllers.SOON,
                    () -> sendsTo(controller));
        }
    }

    @Override
    public URI url() {
        return URI.create("http://127.0.0.1:" + port + "/");
    }

    @Override
    public boolean sendsTo(Controller controller) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(ByteBuffer.wrap("show stat\n".getBytes(StandardCharsets.UTF_8)));
            ByteBuffer answer = ByteBuffer.allocate(1 << 16);
            while (channel.read(answer) >= 0) {
                // HAProxy closes when it has said all
            }
            String text = new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8);
            return text.lines()
                    .filter(line -> line.startsWith("controllers," + controller.name() + ","))
                    .anyMatch(line -> line.split(",")[17].startsWith("UP"));
        } catch (IOException e) {
            return false; // not yet there
        }
    }

    @Override
    public void close() {
        process.stop(STOP);
    }
}
