package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jazzer looks for a text that some reader of the plugin does not bear; {@code make fuzz} longer.
 */
class ForeignTextTest {
    private static final long SECONDS =
            Optional.ofNullable(System.getenv("HA_FUZZ_SECONDS")).map(Long::parseLong).orElse(5L);

    @TempDir Path folder;

    @Test
    void noTextThatOthersWroteMakesAReaderFailOrHang() throws Exception {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        Path found = Files.createDirectories(folder.resolve("found"));
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "-Xmx512m",
                        "-cp",
                        classPath(search.war().get().file()),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=io.jenkins.plugins.ha.fuzz.ForeignText",
                        "--instrumentation_includes=io.jenkins.plugins.ha.**",
                        "--custom_hook_includes=io.jenkins.plugins.ha.**",
                        // fails by itself where XStream reads XML
                        "--disabled_hooks=com.code_intelligence.jazzer.sanitizers"
                                + ".XmlParserSsrfGuidance",
                        "-seed=1",
                        "-timeout=10",
                        "-rss_limit_mb=0",
                        "-max_total_time=" + SECONDS,
                        found.toString(),
                        Checkout.root().resolve("testkit/fuzz/corpus").toString()));
        Process fuzzing =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            assertTrue(fuzzing.waitFor(SECONDS + 240, TimeUnit.SECONDS), () -> text(log));
        } finally {
            fuzzing.destroyForcibly();
        }
        assertEquals(0, fuzzing.exitValue(), () -> text(log));
        assertTrue(text(log).contains("Done "), () -> text(log));
    }

    /** The target, the plugin's classes, and Jenkins' own. */
    private String classPath(Path war) throws IOException {
        List<String> parts = new ArrayList<>();
        for (String module : List.of("java/shim", "java/bridge")) {
            parts.add(Checkout.root().resolve(module).resolve("target/classes").toString());
        }
        Path libraries = Files.createDirectories(folder.resolve("lib"));
        try (JarFile jar = new JarFile(war.toFile())) {
            for (JarEntry entry : jar.stream().toList()) {
                String name = entry.getName();
                boolean wanted =
                        name.startsWith("WEB-INF/lib/") && name.endsWith(".jar")
                                || name.endsWith("winstone.jar");
                if (wanted) {
                    Path file = libraries.resolve(name.substring(name.lastIndexOf('/') + 1));
                    try (InputStream content = jar.getInputStream(entry)) {
                        Files.copy(content, file);
                    }
                    parts.add(file.toString());
                }
            }
        }
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(part -> part.contains("fuzz") || part.contains("jazzer"))
                .forEach(parts::add);
        return String.join(File.pathSeparator, parts);
    }

    private static String text(Path log) {
        try {
            String all = Files.readString(log);
            return all.substring(Math.max(0, all.length() - 5000));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
