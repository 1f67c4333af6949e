package io.jenkins.plugins.ha.indexer;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Writes next to the plugin's classes what is looked up in them later: where Jenkins finds
 * initializers and terminators, and which members of Jenkins the plugin needs. Called as {@code
 * Indexer CLASSES CLASSPATH}: the plugin's classes, and all that they were compiled against.
 */
public final class Indexer {
    /** Names what the plugin needs of Jenkins; read by its check at boot. */
    public static final String MEMBERS = "io/jenkins/plugins/ha/linkage/members.txt";

    /**
     * Where Jenkins looks for the classes with initializers; one that is not listed here would
     * silently never run.
     */
    public static final String INITIALIZERS =
            "META-INF/services/annotations/hudson.init.Initializer";

    /** As {@link #INITIALIZERS}. */
    public static final String TERMINATORS = "META-INF/services/annotations/hudson.init.Terminator";

    private Indexer() {}

    public static void main(String[] arguments) throws IOException {
        Path classes = Path.of(arguments[0]);
        ClassFiles ours = new ClassFiles().add(classes);
        ClassFiles all = new ClassFiles().add(classes);
        for (String entry : arguments[1].split(File.pathSeparator)) {
            if (!entry.isEmpty() && Files.exists(Path.of(entry))) {
                all.add(Path.of(entry));
            }
        }
        write(classes.resolve(MEMBERS), References.lines(ours, all));
        write(classes.resolve(INITIALIZERS), annotatedWith("Lhudson/init/Initializer;", ours));
        write(classes.resolve(TERMINATORS), annotatedWith("Lhudson/init/Terminator;", ours));
    }

    /** Binary names of the classes that have this annotation on themselves or on a member. */
    public static SortedSet<String> annotatedWith(String annotation, ClassFiles classes) {
        SortedSet<String> names = new TreeSet<>();
        for (String name : classes.names()) {
            if (classes.find(name).orElseThrow().annotations().contains(annotation)) {
                names.add(name.replace('/', '.'));
            }
        }
        return names;
    }

    private static void write(Path file, Collection<String> lines) throws IOException {
        Files.createDirectories(file.getParent());
        String text = lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
        Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
}
