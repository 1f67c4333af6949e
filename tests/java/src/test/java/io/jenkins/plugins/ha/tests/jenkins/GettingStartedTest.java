package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.FreePort;
import io.jenkins.plugins.ha.stage.ServerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What docs/getting-started.md has one type is typed, line by line, in another folder and on other
 * ports. Step 1 is left out, which installs packages and needs the internet.
 */
class GettingStartedTest {
    private static final Duration LONGEST = Duration.ofMinutes(5);
    private static final Pattern COMMANDS = Pattern.compile("(?ms)^```sh$(.*?)^```$");
    private static final Pattern PORT = Pattern.compile("\\b(?:6390|808[0-2])\\b");

    @TempDir Path folder;

    private ServerProcess shell;

    @AfterEach
    void endWhatWasLeft() throws Exception {
        if (shell == null) {
            return;
        }
        shell.kill9();
        for (String name : List.of("a", "b", "haproxy", "redis")) {
            Path file = folder.resolve(name + ".pid");
            if (Files.exists(file)) {
                long pid = Long.parseLong(Files.readString(file).strip());
                ProcessHandle.of(pid)
                        .filter(process -> process.info().commandLine().isPresent())
                        .ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    @Test
    void thePagesCommandsLeadToABuildThatOutlivesItsController() throws Exception {
        Path war = SingleController.war().file();
        Path plugin = SingleController.plugin();
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/haproxy")), "no haproxy");
        String page = Files.readString(Checkout.root().resolve("docs/getting-started.md"));
        StringBuilder commands = new StringBuilder();
        for (Matcher block = COMMANDS.matcher(page); block.find(); ) {
            commands.append(block.group(1));
        }
        Files.createSymbolicLink(folder.resolve("jenkins.war"), war);
        Files.copy(plugin, folder.resolve("ha-jenkins.hpi"));
        String balancer = Files.readString(Checkout.root().resolve("examples/haproxy/haproxy.cfg"));
        String script = commands.toString().replace("cd ~/ha", "cd " + folder);
        for (String port : List.of("6390", "8080", "8081", "8082")) {
            String other = Integer.toString(FreePort.next());
            script = script.replaceAll("\\b" + port + "\\b", other);
            balancer = balancer.replaceAll("\\b" + port + "\\b", other);
        }
        assertFalse(PORT.matcher(script).find());
        Files.writeString(folder.resolve("haproxy.cfg"), balancer);
        Path file = Files.writeString(folder.resolve("page.sh"), script);

        shell =
                ServerProcess.start(
                        "page",
                        List.of("bash", "-euo", "pipefail", file.toString()),
                        Map.of(),
                        folder,
                        folder.resolve("page.log"));
        assertTrue(shell.awaitExit(LONGEST), () -> "not done:\n" + shell.output());
        assertEquals(0, shell.exitCode(), shell::output);
        String said = shell.output();
        assertTrue(said.contains("It runs on "), said);
        assertTrue(said.contains("Restarted after controller"), said);
        assertTrue(said.contains("second 10"), said);
    }
}
