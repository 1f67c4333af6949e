package io.jenkins.plugins.ha.bridge;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds and loads the library. It is looked for at
 *
 * <ol>
 *   <li>the absolute path in the system property {@value #PROPERTY}, else
 *   <li>{@code <platform>/libha_jenkins.so} in the directory given to {@link #use(Path)}, where
 *       platform is one of {@code linux-x86_64} and {@code linux-aarch64}.
 * </ol>
 *
 * <p>A copy of it is loaded, which is deleted at once: one path can be loaded by one class loader
 * only, and a JVM may see the plugin several times (a restart within the JVM). Whatever goes wrong
 * is an {@link HaException.Refused} with a sentence, never a {@link LinkageError}.
 *
 * <p>Thread-safe.
 */
public final class NativeLibrary {
    /** System property with the absolute path of the library. */
    public static final String PROPERTY = "ha.jenkins.library";

    private static final String FILE = "libha_jenkins.so";
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-aarch64");
    private static final Pattern COPY = Pattern.compile("libha_jenkins-(\\d+)-[0-9a-f-]+\\.so");

    private static Path natives;
    private static Path copies;
    private static boolean bound;
    private static NativeLog log;

    private NativeLibrary() {}

    /**
     * Says where the library is, before anything else is called.
     *
     * @param natives directory with a directory for each platform
     */
    public static void use(Path natives) {
        use(natives, natives);
    }

    /**
     * Says where the library is, before anything else is called.
     *
     * @param natives directory with a directory for each platform
     * @param copies directory that the user of this process alone may write to, on a file system
     *     that allows execution; where it cannot be written to, a new temporary one is taken
     */
    public static synchronized void use(Path natives, Path copies) {
        NativeLibrary.natives = natives;
        NativeLibrary.copies = copies;
    }

    /**
     * Loads the library unless it is loaded, and starts its log. {@link Cluster} does so itself.
     *
     * @throws HaException.Refused when there is none for this platform, or when it cannot be
     *     loaded, or is not of the same build as these classes
     */
    public static synchronized void load() {
        if (!bound) {
            Path library = find();
            try {
                loadCopy(library);
                check(library);
            } catch (IOException e) {
                throw refused(library + " cannot be copied to be loaded: " + e);
            } catch (LinkageError e) {
                throw refused(library + " cannot be loaded: " + e.getMessage());
            }
            bound = true;
        }
        if (log == null) {
            log = NativeLog.start();
        }
    }

    /**
     * Stops the log, for the end of the plugin; close the {@link Cluster} first. The next {@link
     * #load()} starts it again. Does nothing when the library is not loaded.
     */
    public static synchronized void shutdown() {
        if (log != null) {
            log.stop();
            log = null;
        }
    }

    private static Path find() {
        String given = System.getProperty(PROPERTY);
        if (given != null && !given.isEmpty()) {
            Path library = Path.of(given);
            if (!Files.isRegularFile(library)) {
                throw refused(
                        "There is no library at "
                                + library
                                + ": mend the system property "
                                + PROPERTY);
            }
            return library;
        }
        String platform = platform();
        if (natives == null) {
            throw refused("Nobody said where the library is: set the system property " + PROPERTY);
        }
        Path library = natives.resolve(platform).resolve(FILE);
        if (!Files.isRegularFile(library)) {
            throw refused(
                    "This package of HA Jenkins comes without "
                            + library
                            + ": install the package that is made for "
                            + platform);
        }
        return library;
    }

    private static String platform() {
        return platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    /** The name of the platform's directory. */
    static String platform(String os, String arch) {
        String machine =
                switch (arch) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "aarch64";
                    default -> arch;
                };
        String platform = os.toLowerCase(Locale.ROOT) + "-" + machine;
        if (!PLATFORMS.contains(platform)) {
            throw refused(
                    "HA Jenkins has no library for "
                            + os
                            + " "
                            + arch
                            + "; supported: "
                            + String.join(", ", PLATFORMS));
        }
        return platform;
    }

    private static void loadCopy(Path library) throws IOException {
        Path directory = copies;
        Path temporary = null;
        if (directory == null || !Files.isWritable(directory)) {
            temporary = Files.createTempDirectory("ha-jenkins-");
            directory = temporary;
        }
        removeStale(directory);
        String name =
                "libha_jenkins-" + ProcessHandle.current().pid() + "-" + UUID.randomUUID() + ".so";
        Path copy = directory.resolve(name);
        try {
            Files.copy(library, copy);
            Optional<String> defect = ElfFile.defect(copy, platform().replace("linux-", ""));
            if (defect.isPresent()) {
                throw refused(library + " cannot be loaded: it " + defect.get());
            }
            System.load(copy.toAbsolutePath().toString());
        } catch (IllegalCallerException e) { // from Java 24 on, where it is told to be strict
            throw refused(
                    "This Java lets nobody load a library: start Jenkins with"
                            + " --enable-native-access=ALL-UNNAMED");
        } finally {
            Files.deleteIfExists(copy);
            if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
        }
    }

    /** What processes left behind that died between copying and loading. */
    private static void removeStale(Path directory) throws IOException {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(directory, "libha_jenkins-*.so")) {
            for (Path file : files) {
                Matcher copy = COPY.matcher(file.getFileName().toString());
                if (copy.matches() && !alive(copy.group(1))) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static boolean alive(String pid) {
        try {
            return ProcessHandle.of(Long.parseLong(pid)).isPresent();
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** Refuses a library of another build, or with other methods, than these classes. */
    private static void check(Path library) {
        String theirs = Native.build();
        String ours = build();
        if (!sameBuild(theirs, ours)) {
            throw refused(
                    library
                            + " is of build "
                            + theirs
                            + ", the plugin of build "
                            + ours
                            + ": install the plugin again, so that both come from one package");
        }
        TreeSet<String> missing = new TreeSet<>();
        for (Method method : Native.class.getDeclaredMethods()) {
            if (Modifier.isNative(method.getModifiers())) {
                missing.add(method.getName() + descriptor(method));
            }
        }
        missing.removeAll(Native.natives());
        if (!missing.isEmpty()) {
            throw refused(library + " lacks " + String.join(", ", missing));
        }
    }

    private static String descriptor(Method method) {
        return MethodType.methodType(
                        method.getReturnType(), Arrays.asList(method.getParameterTypes()))
                .toMethodDescriptorString();
    }

    /** Versions must be the same, and commits where both are known. */
    static boolean sameBuild(String theirs, String ours) {
        String[] library = theirs.split("\\+", 2);
        String[] classes = ours.split("\\+", 2);
        return library[0].equals(classes[0])
                && (library.length < 2 || classes.length < 2 || library[1].equals(classes[1]));
    }

    /** Version and, if known, commit of these classes. */
    private static String build() {
        Properties properties = new Properties();
        try (InputStream in = NativeLibrary.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw refused("The plugin's build.properties cannot be read: " + e);
        }
        String version = properties.getProperty("version", "?").replace("-SNAPSHOT", "");
        String commit = properties.getProperty("commit", "");
        return commit.isEmpty() ? version : version + "+" + commit;
    }

    private static HaException.Refused refused(String text) {
        return new HaException.Refused(text);
    }
}
