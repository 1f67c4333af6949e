package io.jenkins.plugins.ha.indexer;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * Class files by internal name ({@code hudson/model/Queue$Item}), read without running any of them.
 * What is not among them is looked up in this JDK. Not thread-safe.
 */
public final class ClassFiles {
    private final Map<String, byte[]> bytes = new LinkedHashMap<>();
    private final Map<String, Optional<ClassDeclaration>> parsed = new HashMap<>();

    /**
     * Adds a folder of classes or a jar; of a war also the jars inside it. The first of two classes
     * with one name stays.
     */
    public ClassFiles add(Path folderOrJar) throws IOException {
        if (Files.isDirectory(folderOrJar)) {
            try (Stream<Path> files = Files.walk(folderOrJar)) {
                for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                    String path = folderOrJar.relativize(file).toString().replace('\\', '/');
                    if (path.endsWith(".class")) {
                        add(path, Files.readAllBytes(file));
                    }
                }
            }
        } else {
            try (InputStream in = Files.newInputStream(folderOrJar)) {
                addJar(in);
            }
        }
        return this;
    }

    /** Adds the classes of a jar, and of the jars inside it. */
    public ClassFiles addJar(InputStream jar) throws IOException {
        ZipInputStream zip = new ZipInputStream(jar);
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            if (entry.getName().endsWith(".class")) {
                add(entry.getName(), zip.readAllBytes());
            } else if (entry.getName().endsWith(".jar")) {
                addJar(new ByteArrayInputStream(zip.readAllBytes()));
            }
        }
        return this;
    }

    /** Adds those of another. */
    public ClassFiles addAll(ClassFiles others) {
        others.bytes.forEach(bytes::putIfAbsent);
        return this;
    }

    private void add(String path, byte[] content) {
        if (!path.startsWith("META-INF/") && !path.endsWith("module-info.class")) {
            bytes.putIfAbsent(path.substring(0, path.length() - ".class".length()), content);
        }
    }

    /** Names of all that were added. */
    public Collection<String> names() {
        return bytes.keySet();
    }

    /** The bytes of one that was added. */
    public byte[] bytes(String name) {
        return bytes.get(name);
    }

    /** One that was added, or one of this JDK. */
    public Optional<ClassDeclaration> find(String name) {
        return parsed.computeIfAbsent(name, this::parse);
    }

    private Optional<ClassDeclaration> parse(String name) {
        byte[] content = bytes.get(name);
        if (content == null && name.startsWith("java")) {
            try (InputStream in = ClassLoader.getSystemResourceAsStream(name + ".class")) {
                content = in == null ? null : in.readAllBytes();
            } catch (IOException e) {
                content = null;
            }
        }
        return Optional.ofNullable(content).map(ClassDeclaration::read);
    }

    /**
     * The class itself and everything it extends or implements, nearest first; those not found are
     * left out.
     */
    public List<ClassDeclaration> withSupertypes(String name) {
        Set<String> seen = new LinkedHashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(name));
        List<ClassDeclaration> found = new ArrayList<>();
        while (!open.isEmpty()) {
            String next = open.removeFirst();
            if (seen.add(next)) {
                find(next)
                        .ifPresent(
                                type -> {
                                    found.add(type);
                                    open.addAll(type.supertypes());
                                });
            }
        }
        return found;
    }

    /** Whether the one is the other or extends or implements it, as far as can be seen. */
    public boolean isSubtype(String name, String supertype) {
        return withSupertypes(name).stream().anyMatch(type -> type.name().equals(supertype));
    }
}
