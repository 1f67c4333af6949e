package io.jenkins.plugins.ha.tests.jenkins;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Copies of the plugin's file with something changed, as damage or another build would. */
final class PluginVariant {
    private static final String LIBRARY = "libha_jenkins.so";
    private static final String INNER_JAR = "WEB-INF/lib/ha-jenkins.jar";
    private static final String MEMBERS = "io/jenkins/plugins/ha/linkage/members.txt";
    private static final String MANIFEST = "META-INF/MANIFEST.MF";

    private PluginVariant() {}

    static Path withoutLibrary(Path hpi, Path to) {
        return changed(hpi, to, LIBRARY, content -> null);
    }

    static Path withLibrary(Path hpi, Path to, UnaryOperator<byte[]> change) {
        return changed(hpi, to, LIBRARY, change);
    }

    /** One that says in its manifest that it needs this Jenkins. */
    static Path needing(String jenkinsVersion, Path hpi, Path to) {
        return changed(
                hpi,
                to,
                MANIFEST,
                content ->
                        text(content)
                                .replaceFirst(
                                        "Jenkins-Version: \\S+",
                                        "Jenkins-Version: " + jenkinsVersion)
                                .getBytes(StandardCharsets.UTF_8));
    }

    /** One that says in its manifest that it is this version. */
    static Path ofVersion(String version, Path hpi, Path to) {
        return changed(
                hpi,
                to,
                MANIFEST,
                content ->
                        text(content)
                                .replaceFirst("Plugin-Version: \\S+", "Plugin-Version: " + version)
                                .getBytes(StandardCharsets.UTF_8));
    }

    /** One that uses a member besides, in the form in which its build lists them. */
    static Path using(String member, Path hpi, Path to) {
        return changed(
                hpi,
                to,
                INNER_JAR,
                jar ->
                        changed(
                                jar,
                                MEMBERS,
                                content ->
                                        (text(content) + member + "\n")
                                                .getBytes(StandardCharsets.UTF_8)));
    }

    /** One with these classes, by their names in the jar, in the place of its own. */
    static Path withClasses(Map<String, byte[]> classes, Path hpi, Path to) {
        return changed(
                hpi,
                to,
                INNER_JAR,
                jar -> {
                    byte[] result = jar;
                    for (Map.Entry<String, byte[]> one : classes.entrySet()) {
                        result = changed(result, one.getKey(), old -> one.getValue());
                    }
                    return result;
                });
    }

    private static Path changed(Path hpi, Path to, String entry, UnaryOperator<byte[]> change) {
        try {
            Files.write(to, changed(Files.readAllBytes(hpi), entry, change));
            return to;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** null as the new content leaves the entry out. */
    private static byte[] changed(byte[] zip, String entry, UnaryOperator<byte[]> change) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean found = false;
        try (InputStream raw = new ByteArrayInputStream(zip);
                ZipInputStream in = new ZipInputStream(raw);
                OutputStream counted = bytes;
                ZipOutputStream out = new ZipOutputStream(counted)) {
            for (ZipEntry next = in.getNextEntry(); next != null; next = in.getNextEntry()) {
                byte[] content = in.readAllBytes();
                if (next.getName().endsWith(entry)) {
                    found = true;
                    content = change.apply(content);
                }
                if (content != null) {
                    out.putNextEntry(new ZipEntry(next.getName()));
                    out.write(content);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!found) {
            throw new IllegalStateException("no " + entry + " in the plugin");
        }
        return bytes.toByteArray();
    }

    private static String text(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }
}
