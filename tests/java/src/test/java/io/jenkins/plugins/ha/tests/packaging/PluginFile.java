package io.jenkins.plugins.ha.tests.packaging;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * A packaged plugin, read into memory.
 *
 * @param entries content by path
 */
public record PluginFile(Map<String, byte[]> entries) {
    static final String INNER = "WEB-INF/lib/ha-jenkins.jar";
    static final String MANIFEST = "META-INF/MANIFEST.MF";
    private static final String LIBRARY = "/libha_jenkins.so";

    /** Where the build puts it. */
    public static Path built() {
        return Path.of(System.getProperty("ha.jenkins.root", "."), "target", "ha-jenkins.hpi");
    }

    /** Reads one. */
    public static PluginFile read(Path hpi) {
        try {
            return new PluginFile(unzip(Files.newInputStream(hpi)));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    hpi + ": build the plugin first, mvn -pl java/shim -am package", e);
        }
    }

    /** Writes one that differs from this in having no library for any platform. */
    public void writeWithoutLibrary(Path to) throws IOException {
        Map<String, byte[]> copy = new LinkedHashMap<>(entries);
        copy.keySet().removeIf(path -> path.endsWith(LIBRARY));
        write(copy, to);
    }

    /** Writes one whose libraries end after a few bytes, as after a copy that broke off. */
    public void writeWithBrokenLibrary(Path to) throws IOException {
        Map<String, byte[]> copy = new LinkedHashMap<>(entries);
        copy.replaceAll(
                (path, content) -> path.endsWith(LIBRARY) ? Arrays.copyOf(content, 512) : content);
        write(copy, to);
    }

    /** What is in the jar with the classes. */
    PluginFile inner() {
        try {
            return new PluginFile(unzip(new ByteArrayInputStream(entries.get(INNER))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Attributes manifest() {
        try {
            return new Manifest(new ByteArrayInputStream(entries.get(MANIFEST)))
                    .getMainAttributes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, byte[]> unzip(InputStream in) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(in)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (!entry.isDirectory()) {
                    entries.put(entry.getName(), zip.readAllBytes());
                }
            }
        }
        return entries;
    }

    private static void write(Map<String, byte[]> entries, Path to) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(to))) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
    }
}
