package io.jenkins.plugins.ha.tests.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The library loads wherever the plugin does, and what does not load is refused with a sentence.
 */
class LoadingTest {
    private static final Path LIBRARY = Path.of(System.getProperty("ha.jenkins.library"));
    private static final String REFUSED = "threw " + HaException.Refused.class.getName() + ": ";

    @TempDir Path folder;

    /** Opens and closes a membership. */
    public static final class Use implements Callable<String> {
        @Override
        public String call() {
            try (Cluster cluster = Controllers.alone()) {
                return cluster.link().phase().toString();
            }
        }
    }

    /** Ends as the plugin does. */
    public static final class End implements Callable<String> {
        @Override
        public String call() {
            NativeLibrary.shutdown();
            return "ended";
        }
    }

    /** Loads the library out of the directory in the system property of the test. */
    public static final class UseDirectory implements Callable<String> {
        @Override
        public String call() {
            Path directory = Path.of(System.getProperty("ha.jenkins.test.directory"));
            NativeLibrary.use(directory.resolve("native"), directory.resolve("copies"));
            return new Use().call();
        }
    }

    @Test
    void severalClassLoadersOfOneJvmLoadItAndWork() throws IOException {
        try (PluginLoader first = new PluginLoader(null);
                PluginLoader second = new PluginLoader(null)) {
            assertEquals("CONNECTING", first.run(LIBRARY, Use.class));
            assertEquals("CONNECTING", second.run(LIBRARY, Use.class));
            assertEquals("CONNECTING", first.run(LIBRARY, Use.class));
            assertEquals("ended", first.run(LIBRARY, End.class));
            assertEquals("CONNECTING", second.run(LIBRARY, Use.class));
            assertEquals("ended", second.run(LIBRARY, End.class));
        }
    }

    @Test
    void theContextClassLoaderOfTheThreadDoesNotMatter() throws IOException {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        for (ClassLoader context :
                Arrays.asList(null, ClassLoader.getPlatformClassLoader(), before)) {
            thread.setContextClassLoader(context);
            try (PluginLoader loader = new PluginLoader(null)) {
                assertEquals("CONNECTING", loader.run(LIBRARY, Use.class));
                assertEquals("ended", loader.run(LIBRARY, End.class));
            } finally {
                thread.setContextClassLoader(before);
            }
        }
    }

    @Test
    void afterTheEndItStartsAgain() throws IOException {
        try (PluginLoader loader = new PluginLoader(null)) {
            for (int i = 0; i < 3; i++) {
                assertEquals("CONNECTING", loader.run(LIBRARY, Use.class));
                assertEquals("ended", loader.run(LIBRARY, End.class));
            }
        }
    }

    @Test
    void theEndLeavesNoThread() throws Exception {
        try (PluginLoader loader = new PluginLoader(null)) {
            loader.run(LIBRARY, Use.class);
            assertTrue(logThreads(loader) == 1, "the log has a thread");
            loader.run(LIBRARY, End.class);
            assertEquals(0, logThreads(loader));
        }
    }

    @Test
    void aMissingLibraryIsRefusedWithASentence() throws IOException {
        String said = refusal(folder.resolve("nowhere.so"), null);
        assertTrue(said.contains("There is no library at " + folder.resolve("nowhere.so")), said);
    }

    @Test
    void aBrokenLibraryIsRefusedWithASentence() throws IOException {
        Path text = Files.writeString(folder.resolve("text.so"), "not a library");
        assertTrue(refusal(text, null).endsWith("text.so cannot be loaded: it is no library"));
        Path empty = Files.write(folder.resolve("empty.so"), new byte[0]);
        assertTrue(refusal(empty, null).endsWith("empty.so cannot be loaded: it is no library"));

        byte[] whole = Files.readAllBytes(LIBRARY);
        byte[] foreign = whole.clone();
        // e_machine of the ELF header: something that is neither x86-64 nor AArch64.
        foreign[18] = 8;
        foreign[19] = 0;
        Path other = Files.write(folder.resolve("other.so"), foreign);
        assertTrue(refusal(other, null).contains("it is made for another processor than "));
    }

    @Test
    void aLibraryThatWasCutOffAnywhereIsRefusedInsteadOfKillingTheJvm() throws IOException {
        byte[] whole = Files.readAllBytes(LIBRARY);
        for (int length :
                new int[] {
                    64, 100, 2000, whole.length / 2, whole.length - 4096, whole.length - 1
                }) {
            Path cut = Files.write(folder.resolve("cut.so"), Arrays.copyOf(whole, length));
            String said = refusal(cut, null);
            assertTrue(
                    said.endsWith(
                            "cut.so cannot be loaded: it is incomplete: it ends after "
                                    + length
                                    + " bytes"),
                    said);
        }
    }

    @Test
    void someOtherLibraryIsRefusedWithASentence() throws IOException {
        // One that does nothing as it is loaded. A second libnet.so takes the handler of a signal
        // that the JVM's own sockets need, and leaves it dangling once it is unloaded.
        Path other = Path.of(System.getProperty("java.home"), "lib", "librmi.so");
        String said = refusal(other, null);
        assertTrue(said.contains("librmi.so cannot be loaded: "), said);
    }

    @Test
    void aLibraryOfAnotherBuildIsRefusedWithBothBuilds() throws IOException {
        String said = refusal(LIBRARY, "version=9.9.9\ncommit=0123\n");
        assertTrue(said.contains(" is of build 0.1.0"), said);
        assertTrue(
                said.contains(", the plugin of build 9.9.9+0123: install the plugin again"), said);
    }

    @Test
    void buildsAreTheSameWhenVersionAndKnownCommitsAre() {
        assertTrue(BridgeDoor.sameBuild("1.0+a", "1.0+a"));
        assertTrue(BridgeDoor.sameBuild("1.0+a", "1.0"));
        assertTrue(BridgeDoor.sameBuild("1.0", "1.0+b"));
        assertFalse(BridgeDoor.sameBuild("1.0+a", "1.0+b"));
        assertFalse(BridgeDoor.sameBuild("1.0", "1.1"));
    }

    @Test
    void aRefusalIsNotForEver() throws IOException {
        try (PluginLoader loader = new PluginLoader(null)) {
            String said = loader.run(folder.resolve("nowhere.so"), Use.class);
            assertTrue(said.startsWith(REFUSED), said);
            assertEquals("CONNECTING", loader.run(LIBRARY, Use.class));
            loader.run(LIBRARY, End.class);
        }
    }

    @Test
    void anUnsupportedPlatformIsRefusedWithASentence() {
        assertEquals("linux-x86_64", BridgeDoor.platform("Linux", "amd64"));
        assertEquals("linux-aarch64", BridgeDoor.platform("Linux", "aarch64"));
        HaException refused =
                assertThrows(
                        HaException.Refused.class,
                        () -> BridgeDoor.platform("Windows 11", "amd64"));
        assertEquals(
                "HA Jenkins has no library for Windows 11 amd64; supported: linux-x86_64,"
                        + " linux-aarch64",
                refused.getMessage());
        assertThrows(HaException.Refused.class, () -> BridgeDoor.platform("Linux", "riscv64"));
    }

    @Test
    void thePluginsDirectoryIsUsedAndCopiesAreNotLeftBehind() throws IOException {
        String platform =
                BridgeDoor.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
        Path place = Files.createDirectories(folder.resolve("native").resolve(platform));
        Path copies = Files.createDirectories(folder.resolve("copies"));
        // Process ids end well below that.
        Path stale = Files.createFile(copies.resolve("libha_jenkins-2000000000-0a.so"));
        Path live =
                Files.createFile(
                        copies.resolve(
                                "libha_jenkins-" + ProcessHandle.current().pid() + "-0a.so"));
        System.setProperty("ha.jenkins.test.directory", folder.toString());

        try (PluginLoader loader = new PluginLoader(null)) {
            String said = loader.run(null, UseDirectory.class);
            assertTrue(
                    said.startsWith(REFUSED + "This package of HA Jenkins comes without "), said);
            Files.copy(LIBRARY, place.resolve("libha_jenkins.so"));
            assertEquals("CONNECTING", loader.run(null, UseDirectory.class));
            loader.run(null, End.class);
        }
        assertFalse(Files.exists(stale));
        try (Stream<Path> left = Files.list(copies)) {
            assertEquals(List.of(live), left.toList());
        }
    }

    private String refusal(Path library, String build) throws IOException {
        try (PluginLoader loader = new PluginLoader(build)) {
            String said = loader.run(library, Use.class);
            assertTrue(said.startsWith(REFUSED), said);
            return said;
        }
    }

    private static long logThreads(ClassLoader loader) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("ha-jenkins-log"))
                .filter(thread -> thread.getContextClassLoader() == loader)
                .count();
    }
}
