package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A copy of the plugin's file with a defect sown into one of its classes: a passage of its source
 * is replaced, and the class compiled against the others as they are.
 */
final class PluginMutant {
    private static final String SOURCES = "java/shim/src/main/java/io/jenkins/plugins/ha/";

    private PluginMutant() {}

    /**
     * Sows a defect.
     *
     * @param source the class' file, from the plugin's package on
     * @param passage what stands there now, exactly once; else the mutant is out of date
     * @param instead what is to stand there
     * @param folder where the copy is put
     */
    static Path of(String source, String passage, String instead, Path folder) {
        Path root = Checkout.root();
        try {
            Files.createDirectories(folder);
            String text = Files.readString(root.resolve(SOURCES + source));
            assertEquals(
                    2,
                    text.split(Pattern.quote(passage), -1).length,
                    source + " has it not once: " + passage);
            Path changed =
                    Files.createDirectories(folder.resolve("source"))
                            .resolve(Path.of(source).getFileName());
            Files.writeString(changed, text.replace(passage, instead));
            Path classes = Files.createDirectories(folder.resolve("classes"));
            compile(changed, classes, path(root, folder.resolve("libraries")));
            Map<String, byte[]> made = new HashMap<>();
            try (Stream<Path> files = Files.walk(classes)) {
                for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                    made.put(classes.relativize(file).toString(), Files.readAllBytes(file));
                }
            }
            return PluginVariant.withClasses(
                    made, Checkout.plugin().orElseThrow(), folder.resolve("ha-jenkins.hpi"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The plugin's classes, the declarations, and the libraries that come with Jenkins. */
    private static String path(Path root, Path libraries) throws IOException {
        List<Path> path = new ArrayList<>();
        for (String module : List.of("shim", "bridge", "declarations")) {
            path.add(root.resolve("java/" + module + "/target/classes"));
        }
        Files.createDirectories(libraries);
        Path war = JenkinsWar.search().war().orElseThrow().file();
        try (ZipFile zip = new ZipFile(war.toFile())) {
            for (ZipEntry entry :
                    (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
                if (entry.getName().matches("WEB-INF/lib/(xstream|spring-security)-[^/]*\\.jar")) {
                    Path library =
                            libraries.resolve(Path.of(entry.getName()).getFileName().toString());
                    try (InputStream in = zip.getInputStream(entry)) {
                        Files.copy(in, library, StandardCopyOption.REPLACE_EXISTING);
                    }
                    path.add(library);
                }
            }
        }
        return path.stream()
                .map(Path::toString)
                .collect(Collectors.joining(System.getProperty("path.separator")));
    }

    private static void compile(Path source, Path to, String path) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean done =
                    compiler.getTask(
                                    said,
                                    files,
                                    null,
                                    List.of(
                                            "-proc:none",
                                            "-nowarn",
                                            "--release",
                                            "17",
                                            "-parameters",
                                            "-cp",
                                            path,
                                            "-d",
                                            to.toString()),
                                    null,
                                    files.getJavaFileObjects(source))
                            .call();
            assertEquals(true, done, said::toString);
        }
    }
}
