package io.jenkins.plugins.ha.carried;

import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which files of the home are carried, and how each is put in force: the list that ships, and what
 * the settings add to it and take from it. Thread-safe.
 */
public final class CarriedList {
    /** What the settings can neither add nor take: who this controller is, and what it holds. */
    private static final Set<String> NEVER =
            Set.of(
                    "io.jenkins.plugins.ha.settings.HaConfiguration.xml",
                    "queue.xml",
                    "hudson.model.UpdateCenter.xml",
                    "nodeMonitors.xml",
                    "jenkins.telemetry.Correlator.xml",
                    "org.jenkinsci.plugins.workflow.flow.FlowExecutionList.xml",
                    "org.jenkins.plugins.lockableresources.LockableResourcesManager.xml");

    private final Path home;
    private final Map<String, Kind> shipped = new TreeMap<>();
    private final Map<String, Kind> added = new ConcurrentHashMap<>();

    CarriedList(Path home) {
        this.home = home;
        try (InputStream in = CarriedList.class.getResourceAsStream("carried.txt");
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            lines.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line -> line.split("\\s+"))
                    .forEach(words -> shipped.put(words[0], kindOf(words)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Kind kindOf(String[] words) {
        Set<String> own =
                words.length > 2
                        ? Set.of(words[2].substring("own=".length()).split(","))
                        : Set.of();
        if (words[1].startsWith("object=")) {
            return new ObjectKind(words[1].substring("object=".length()));
        }
        return switch (words[1]) {
            case "user" -> new UserKind();
            case "node" -> new NodeKind();
            case "jenkins" -> new JenkinsKind(own);
            case "descriptor" -> new DescriptorKind(own);
            default -> throw new IllegalStateException("There is no kind " + words[1]);
        };
    }

    /** How the file is put in force; empty when it is not carried. */
    Optional<Kind> kindOf(String path) {
        if (NEVER.contains(path) || names(HaConfiguration.get(), false).contains(path)) {
            return Optional.empty();
        }
        Kind exact = shipped.get(patternOf(path));
        if (exact != null) {
            return Optional.of(exact);
        }
        return isAtTop(path) && names(HaConfiguration.get(), true).contains(path)
                ? Optional.of(added.computeIfAbsent(path, p -> new DescriptorKind(Set.of())))
                : Optional.empty();
    }

    /** The path relative to the home with its slashes; "" when it is outside. */
    String pathOf(Path file) {
        return file.startsWith(home) ? home.relativize(file).toString().replace('\\', '/') : "";
    }

    /** The carried files that are there. */
    Set<String> present() throws IOException {
        Set<String> present = new TreeSet<>();
        for (String pattern : shipped.keySet()) {
            int star = pattern.indexOf("/*/");
            if (star < 0) {
                addIfThere(present, pattern);
                continue;
            }
            Path folder = home.resolve(pattern.substring(0, star));
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
                for (Path child : children) {
                    addIfThere(present, pattern.replace("/*/", "/" + child.getFileName() + "/"));
                }
            }
        }
        for (String more : names(HaConfiguration.get(), true)) {
            addIfThere(present, more);
        }
        return present;
    }

    private void addIfThere(Set<String> present, String path) {
        if (kindOf(path).isPresent() && Files.isRegularFile(home.resolve(path))) {
            present.add(path);
        }
    }

    /** Files at the top of the home that are settings, and neither carried nor anybody's own. */
    List<String> uncarried() throws IOException {
        Set<String> own = names(HaConfiguration.get(), false);
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(home, "*.xml")) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!NEVER.contains(name) && !own.contains(name) && kindOf(name).isEmpty()) {
                    names.add(name);
                }
            }
        }
        names.sort(null);
        return names;
    }

    private static boolean isAtTop(String path) {
        return path.indexOf('/') < 0 && path.endsWith(".xml");
    }

    /** With a star in the place of what is between its slashes. */
    private static String patternOf(String path) {
        int first = path.indexOf('/');
        int last = path.lastIndexOf('/');
        return first < 0 || first == last
                ? path
                : path.substring(0, first) + "/*/" + path.substring(last + 1);
    }

    private static Set<String> names(HaConfiguration settings, boolean more) {
        if (settings == null) {
            return Set.of();
        }
        String lines = more ? settings.getAlsoCarried() : settings.getNotCarried();
        return lines.isBlank() ? Set.of() : new TreeSet<>(List.of(lines.strip().split("\\s+")));
    }
}
