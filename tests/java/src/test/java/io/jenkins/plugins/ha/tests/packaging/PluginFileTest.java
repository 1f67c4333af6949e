package io.jenkins.plugins.ha.tests.packaging;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.indexer.ClassDeclaration;
import io.jenkins.plugins.ha.indexer.ClassFiles;
import io.jenkins.plugins.ha.indexer.Indexer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Jenkins needs of the packaged plugin, proved without a Jenkins. */
class PluginFileTest {
    private static PluginFile plugin;
    private static PluginFile inner;
    private static ClassFiles classes;

    @BeforeAll
    static void read() throws IOException {
        plugin = PluginFile.read(PluginFile.built());
        inner = plugin.inner();
        classes =
                new ClassFiles()
                        .addJar(new ByteArrayInputStream(plugin.entries().get(PluginFile.INNER)));
    }

    @Test
    void jenkinsIsToldWhatThePluginIsAndThatItNeedsARestart() {
        Attributes manifest = plugin.manifest();
        assertEquals("ha-jenkins", manifest.getValue("Short-Name"));
        assertEquals(
                "2.532",
                manifest.getValue("Jenkins-Version"),
                "without it detached plugins are pulled in");
        assertEquals("false", manifest.getValue("Support-Dynamic-Loading"));
        for (String key :
                List.of(
                        "Plugin-Version",
                        "Long-Name",
                        "Group-Id",
                        "Artifact-Id",
                        "Plugin-Developers",
                        "Plugin-License-Name")) {
            assertNotNull(manifest.getValue(key), key);
        }
    }

    @Test
    void theJarWithTheClassesMaySaveItsActions() {
        Attributes manifest = inner.manifest();
        assertEquals("ha-jenkins", manifest.getValue("Short-Name"));
        assertEquals(
                plugin.manifest().getValue("Plugin-Version"), manifest.getValue("Plugin-Version"));
        assertEquals("true", manifest.getValue("Jenkins-ClassFilter-Whitelisted"));
    }

    @Test
    void everyClassIsInTheOneJarAndIsOurs() {
        List<String> elsewhere =
                plugin.entries().keySet().stream()
                        .filter(
                                path ->
                                        path.endsWith(".class")
                                                || path.endsWith(".jar")
                                                        && !path.equals(PluginFile.INNER))
                        .toList();
        assertEquals(List.of(), elsewhere);
        List<String> foreign =
                classes.names().stream()
                        .filter(name -> !name.startsWith("io/jenkins/plugins/ha/"))
                        .toList();
        assertEquals(List.of(), foreign, "the declarations of Jenkins must not be packaged");
        assertTrue(
                classes.names().contains("io/jenkins/plugins/ha/bridge/Cluster"),
                "the bridge is missing");
        assertTrue(
                inner.entries().containsKey("index.jelly"),
                "Jenkins shows index.jelly as the description");
    }

    @Test
    void aLibraryForThisMachineIsInPlace() {
        boolean arm = System.getProperty("os.arch").equals("aarch64");
        String path =
                "WEB-INF/native/" + (arm ? "linux-aarch64" : "linux-x86_64") + "/libha_jenkins.so";
        assertNotNull(plugin.entries().get(path), path);
    }

    @Test
    void everyLibraryIsForThePlatformOfItsFolder() {
        Map<String, Integer> machines = Map.of("linux-x86_64", 0x3e, "linux-aarch64", 0xb7);
        plugin.entries()
                .forEach(
                        (path, content) -> {
                            if (path.startsWith("WEB-INF/native/")) {
                                byte[] elf = {0x7f, 'E', 'L', 'F'};
                                assertArrayEquals(elf, Arrays.copyOf(content, 4), path);
                                assertEquals(
                                        machines.get(path.split("/")[2]), content[18] & 0xff, path);
                            }
                        });
    }

    @Test
    void everyExtensionIsListedAndCanBeMade() throws IOException, ClassNotFoundException {
        Set<String> listed = new TreeSet<>();
        byte[] index = inner.entries().get("META-INF/annotations/hudson.Extension");
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(index))) {
            for (Object element = in.readObject(); element != null; element = in.readObject()) {
                listed.add(element.toString().replaceAll("[{#].*", ""));
            }
        }
        Set<String> annotated = Indexer.annotatedWith("Lhudson/Extension;", classes);
        assertEquals(annotated, listed);
        assertFalse(annotated.isEmpty());
        for (String name : annotated) {
            ClassDeclaration type = classes.find(name.replace('.', '/')).orElseThrow();
            assertTrue((type.access() & 1) != 0, name + " is not public");
            assertTrue(!name.contains("$") || (type.access() & 8) != 0, name + " is not static");
            assertTrue(
                    type.member("<init>", "()V")
                            .filter(ClassDeclaration.Member::isPublic)
                            .isPresent(),
                    name + " has no constructor that Jenkins can call");
        }
    }

    @Test
    void everyInitializerAndTerminatorIsListed() {
        assertEquals(
                Indexer.annotatedWith("Lhudson/init/Initializer;", classes),
                lines(Indexer.INITIALIZERS));
        assertEquals(
                Indexer.annotatedWith("Lhudson/init/Terminator;", classes),
                lines(Indexer.TERMINATORS));
        assertFalse(lines(Indexer.INITIALIZERS).isEmpty(), "nothing would ever join the cluster");
    }

    @Test
    void aCopyWithoutOrWithABrokenLibraryIsOtherwiseTheSame(@TempDir Path folder)
            throws IOException {
        plugin.writeWithoutLibrary(folder.resolve("without.hpi"));
        plugin.writeWithBrokenLibrary(folder.resolve("broken.hpi"));
        PluginFile without = PluginFile.read(folder.resolve("without.hpi"));
        PluginFile broken = PluginFile.read(folder.resolve("broken.hpi"));

        List<String> lost = new ArrayList<>(plugin.entries().keySet());
        lost.removeAll(without.entries().keySet());
        assertFalse(lost.isEmpty());
        assertTrue(
                lost.stream().allMatch(path -> path.endsWith("/libha_jenkins.so")), lost::toString);
        assertEquals(plugin.entries().keySet(), broken.entries().keySet());
        broken.entries()
                .forEach(
                        (path, content) -> {
                            if (lost.contains(path)) {
                                assertEquals(512, content.length, path);
                            } else {
                                assertArrayEquals(plugin.entries().get(path), content, path);
                            }
                        });
    }

    private static Set<String> lines(String path) {
        return new String(inner.entries().get(path), StandardCharsets.UTF_8)
                .lines()
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
