package io.jenkins.plugins.ha.tests.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code examples/} says is taken by those it is written for, and names what there is. */
class ExamplesTest {
    private static final Path EXAMPLES = Checkout.root().resolve("examples");
    private static final Pattern VARIABLE = Pattern.compile("HA_JENKINS_[A-Z_]+");

    @TempDir Path folder;

    @Test
    void kubernetesTakesTheManifests() throws Exception {
        accepted("kubernetes-validate", EXAMPLES.resolve("kubernetes/jenkins.yaml").toString());
    }

    @Test
    void systemdTakesTheService() throws Exception {
        Path instance = folder.resolve("jenkins@a.service");
        // Java and the war are where the reader has them, not here.
        String service = Files.readString(EXAMPLES.resolve("systemd/jenkins@.service"));
        Files.writeString(instance, service.replace("/usr/bin/java", "/bin/true"));
        accepted("systemd-analyze", "verify", "--man=no", instance.toString());
    }

    @Test
    void haproxyTakesItsConfiguration() throws Exception {
        accepted("haproxy", "-c", "-f", EXAMPLES.resolve("haproxy/haproxy.cfg").toString());
        Path compose = folder.resolve("haproxy.cfg");
        // The names are those of the containers.
        String text = Files.readString(EXAMPLES.resolve("compose/haproxy.cfg"));
        Files.writeString(compose, text.replaceAll(" [abc]:8080", " 127.0.0.1:8080"));
        accepted("haproxy", "-c", "-f", compose.toString());
    }

    @Test
    void theVariablesThatExamplesSetAreThoseThatThePluginReads() throws IOException {
        Set<String> read = new TreeSet<>();
        for (Path source : files(Checkout.root().resolve("java/shim/src/main/java"))) {
            collect(source, read);
        }
        Set<String> set = new TreeSet<>();
        for (Path example : files(EXAMPLES)) {
            collect(example, set);
        }
        assertFalse(set.isEmpty());
        set.removeIf(name -> read.contains(name) || read.contains(name.replace("_FILE", "")));
        assertEquals(Set.of(), set, "variables that the plugin does not read");
    }

    private static void collect(Path file, Set<String> names) throws IOException {
        Matcher matcher = VARIABLE.matcher(Files.readString(file));
        while (matcher.find()) {
            names.add(matcher.group());
        }
    }

    private static Set<Path> files(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return new TreeSet<>(all.filter(Files::isRegularFile).toList());
        }
    }

    /** Skipped where the tool is not installed: the gate installs those of Debian and PyPI. */
    private static void accepted(String... command) throws IOException, InterruptedException {
        assumeTrue(installed(command[0]), command[0] + " is not installed");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    private static boolean installed(String tool) {
        return Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(place -> Files.isExecutable(Path.of(place, tool)));
    }
}
