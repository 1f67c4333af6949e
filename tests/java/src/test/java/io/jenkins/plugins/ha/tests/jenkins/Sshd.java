package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.ServerProcess;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Debian's OpenSSH server, with keys and a port of its own, for agents that Jenkins launches as the
 * user who runs the tests.
 */
final class Sshd implements AutoCloseable {
    private static final Path PROGRAM = Path.of("/usr/sbin/sshd");

    private final int port = FreePort.next();
    private final Path folder;
    private final Path key;
    private final ServerProcess process;

    /** It takes connections when this returns. Skips the test where there is no sshd. */
    Sshd(Stage stage) {
        assumeTrue(Files.isExecutable(PROGRAM), "no sshd: apt-get install openssh-server");
        folder = stage.root().resolve("sshd-" + port);
        key = folder.resolve("user_key");
        Path hostKey = folder.resolve("host_key");
        try {
            Files.createDirectories(folder);
            if (System.getProperty("user.name").equals("root")) {
                Files.createDirectories(Path.of("/run/sshd")); // where it locks itself in
            }
            generate("ed25519", hostKey);
            generate("rsa", key);
            Files.copy(folder.resolve("user_key.pub"), folder.resolve("authorized_keys"));
            Files.writeString(
                    folder.resolve("sshd_config"),
                    """
                    ListenAddress 127.0.0.1
                    Port %d
                    HostKey %s
                    AuthorizedKeysFile %s
                    PidFile none
                    StrictModes no
                    UsePAM no
                    PasswordAuthentication no
                    PermitRootLogin yes
                    PubkeyAcceptedAlgorithms +ssh-rsa
                    MaxStartups 100
                    Subsystem sftp internal-sftp
                    """
                            .formatted(port, hostKey, folder.resolve("authorized_keys")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process =
                ServerProcess.start(
                        "sshd",
                        List.of(
                                PROGRAM.toString(),
                                "-D",
                                "-e",
                                "-f",
                                folder.resolve("sshd_config").toString()),
                        Map.of(),
                        folder,
                        folder.resolve("sshd.log"));
        Eventually.until("sshd takes connections", TwoControllers.SOON, this::listens);
    }

    private static void generate(String kind, Path to) throws IOException {
        Process made =
                new ProcessBuilder(
                                "ssh-keygen",
                                "-q",
                                "-t",
                                kind,
                                "-m",
                                "PEM",
                                "-N",
                                "",
                                "-f",
                                to.toString())
                        .inheritIO()
                        .start();
        try {
            if (made.waitFor() != 0) {
                throw new IOException("ssh-keygen: " + made.exitValue());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** Makes a node whose agent is launched here, on every controller; its label is its name. */
    void node(Stage stage, String name, int executors) {
        try {
            TwoControllers.script(
                    stage.controllers().get(0).client(),
                    """
                    import com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey
                    import com.cloudbees.plugins.credentials.*
                    import com.cloudbees.plugins.credentials.domains.Domain
                    def store = SystemCredentialsProvider.instance
                    if (!store.credentials.any { it.id == '%1$s' }) {
                        store.store.addCredentials(Domain.global(), new BasicSSHUserPrivateKey(
                            CredentialsScope.SYSTEM, '%1$s', '%2$s',
                            new BasicSSHUserPrivateKey.DirectEntryPrivateKeySource('''%3$s'''), null, ''))
                    }
                    def launcher = new hudson.plugins.sshslaves.SSHLauncher('127.0.0.1', %4$d, '%1$s')
                    launcher.javaPath = '%5$s'
                    launcher.jvmOptions = '-Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
                    launcher.sshHostKeyVerificationStrategy =
                        new hudson.plugins.sshslaves.verifiers.ManuallyProvidedKeyVerificationStrategy('''%6$s''')
                    def agent = new hudson.slaves.DumbSlave('%7$s', '%8$s', launcher)
                    agent.numExecutors = %9$d
                    agent.mode = hudson.model.Node.Mode.EXCLUSIVE
                    Jenkins.get().addNode(agent)
                    """
                            .formatted(
                                    "agents-by-ssh-" + port,
                                    System.getProperty("user.name"),
                                    Files.readString(key),
                                    port,
                                    Path.of(System.getProperty("java.home"), "bin", "java"),
                                    Files.readString(folder.resolve("host_key.pub")).strip(),
                                    name,
                                    stage.root().resolve("agent-" + name),
                                    executors));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (Controller each : stage.controllers()) {
            Eventually.until(
                    each.name() + " knows " + name,
                    TwoControllers.SOON,
                    () ->
                            TwoControllers.script(
                                            each.client(),
                                            "print Jenkins.get().getNode('" + name + "') != null")
                                    .equals("true"));
        }
    }

    @Override
    public void close() {
        process.stop(Duration.ofSeconds(5));
    }
}
