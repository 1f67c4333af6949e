package io.jenkins.plugins.ha.tests.linkage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.indexer.ClassDeclaration;
import io.jenkins.plugins.ha.indexer.ClassDeclaration.Member;
import io.jenkins.plugins.ha.indexer.ClassFiles;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.tests.packaging.PluginFile;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The plugin and what it was compiled against, held against a real jenkins.war. Nothing of Jenkins
 * runs.
 */
class LinkageTest {
    /** Plugins of which classes are declared, too. */
    private static final List<String> OPTIONAL =
            List.of("lockable-resources", "pipeline-milestone-step", "scm-api");

    @TempDir private static Path folder;

    private static JenkinsWar.Search search;
    private static List<Path> jars;
    private static ClassFiles jenkins;
    private static ClassFiles declarations;
    private static Path inner;

    @BeforeAll
    static void read() throws IOException {
        search = JenkinsWar.search();
        if (search.war().isEmpty()) {
            return;
        }
        jars = unpackJars(search.war().orElseThrow().file(), folder);
        jenkins = new ClassFiles();
        for (Path jar : jars) {
            jenkins.add(jar);
        }
        for (Path plugin : search.war().orElseThrow().pluginsWithDependencies(OPTIONAL)) {
            Path unpacked = Files.createTempDirectory(folder, "plugin");
            for (Path jar : unpackJars(plugin, unpacked)) {
                jenkins.add(jar);
            }
        }
        declarations = new ClassFiles().add(DeclarationsTest.CLASSES);
        inner = folder.resolve("ha-jenkins.jar");
        Files.write(
                inner,
                PluginFile.read(PluginFile.built()).entries().get("WEB-INF/lib/ha-jenkins.jar"));
    }

    @BeforeEach
    void needsJenkins() {
        assumeTrue(search.war().isPresent(), search.explanation());
    }

    @Test
    void everyDeclaredTypeIsWhatItIsInJenkins() {
        List<String> wrong = new ArrayList<>();
        for (String name : declarations.names()) {
            ClassDeclaration ours = declarations.find(name).orElseThrow();
            Optional<ClassDeclaration> found = jenkins.find(name);
            if (found.isEmpty()) {
                wrong.add(name + " does not exist");
                continue;
            }
            ClassDeclaration theirs = found.get();
            if (ours.isInterface() != theirs.isInterface()) {
                wrong.add(name + " is a class in one, an interface in the other");
            }
            if (theirs.isFinal() && !ours.isFinal()) {
                wrong.add(name + " is final");
            }
            if (theirs.isAbstract() && !ours.isAbstract() && !isEnum(theirs)) {
                wrong.add(name + " is abstract");
            }
            if (ours.isPublicOrProtected() && !theirs.isPublicOrProtected()) {
                wrong.add(name + " is not public");
            }
            if (isStatic(ours) != isStatic(theirs)) {
                wrong.add(name + " is nested differently");
            }
            for (String supertype : ours.supertypes()) {
                if (!supertype.equals("java/lang/Object") && !jenkins.isSubtype(name, supertype)) {
                    wrong.add(name + " is no " + supertype);
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void everyDeclaredMemberIsWhatItIsInJenkins() {
        List<String> wrong = new ArrayList<>();
        for (String name : declarations.names()) {
            for (Member ours : declarations.find(name).orElseThrow().members()) {
                if (ours.isPublicOrProtected() && !ours.isSynthetic()) {
                    compare(name, ours).ifPresent(wrong::add);
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    /**
     * A method that Jenkins asks for and that the declarations do not mention would fail when it is
     * called.
     */
    @Test
    void everyClassOfThePluginImplementsWhatJenkinsAsksFor() throws IOException {
        ClassFiles ours = new ClassFiles().add(inner);
        ClassFiles all = new ClassFiles().add(inner).addAll(jenkins);
        List<String> wrong = new ArrayList<>();
        for (String name : ours.names()) {
            if (!all.find(name).orElseThrow().isAbstract()) {
                for (String method : unimplemented(all, name)) {
                    wrong.add(name.replace('/', '.') + " lacks " + method);
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void theCheckAtBootPassesThisJenkinsQuickly() throws Exception {
        try (URLClassLoader loader = loader()) {
            Method missing = check(loader).getMethod("missing", ClassLoader.class);
            long start = System.nanoTime();
            assertEquals(List.of(), missing.invoke(null, loader));
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(
                    millis < 3000,
                    "took " + millis + " ms in a JVM that had loaded none of Jenkins");
        }
    }

    @Test
    void theCheckAtBootNamesWhatIsMissing() throws Exception {
        try (URLClassLoader loader = loader()) {
            Method missing =
                    check(loader).getDeclaredMethod("missing", ClassLoader.class, Collection.class);
            missing.setAccessible(true);
            List<String> lines =
                    List.of(
                            "type hudson.model.Queue class",
                            "type hudson.model.Vanished class",
                            "type hudson.model.Action class",
                            "method hudson.model.Vanished gone ()V instance class public",
                            "method hudson.model.Queue getItem (I[Lhudson/model/Queue$Task;)V"
                                    + " instance class public",
                            "method hudson.model.Queue getItem (J)Lhudson/model/Queue$Item; static"
                                    + " class public",
                            "method hudson.model.Queue getBlockedItems ()Ljava/util/List; instance"
                                    + " class public",
                            "method hudson.model.Queue getBlockedItems ()Ljava/util/List; instance"
                                    + " class protected",
                            "method hudson.model.Run getAction"
                                + " (Ljava/lang/Class;)Lhudson/model/Action; instance class public",
                            "override hudson.model.Actionable getAllActions ()Ljava/util/List;",
                            "extends hudson.model.Result class",
                            "reflective field hudson.model.Run state",
                            "reflective field hudson.model.Run state I");
            assertEquals(
                    List.of(
                            "hudson.model.Vanished",
                            "hudson.model.Action as a class",
                            "hudson.model.Queue.getItem(int, Queue.Task[])",
                            "static hudson.model.Queue.getItem(long)",
                            "accessible hudson.model.Queue.getBlockedItems()",
                            "hudson.model.Actionable.getAllActions() as a method that may be"
                                    + " overridden",
                            "hudson.model.Result as a class that may be extended",
                            "hudson.model.Run.state"),
                    missing.invoke(null, loader, lines));
        }
    }

    @Test
    void theCheckAtBootHasASentenceForTheAdmin() throws Exception {
        try (URLClassLoader loader = loader()) {
            Object sentence =
                    check(loader)
                            .getMethod("sentence", String.class, List.class)
                            .invoke(null, "2.400", List.of("hudson.model.Job$BuildNumberAssigner"));
            assertTrue(
                    sentence.toString()
                            .startsWith(
                                    "Jenkins 2.400 lacks hudson.model.Job$BuildNumberAssigner: HA"
                                            + " Jenkins needs 2.532 or newer"),
                    sentence.toString());
        }
    }

    private static Class<?> check(ClassLoader loader) throws ClassNotFoundException {
        return loader.loadClass("io.jenkins.plugins.ha.linkage.LinkageCheck");
    }

    private static URLClassLoader loader() throws IOException {
        List<URL> urls = new ArrayList<>();
        urls.add(inner.toUri().toURL());
        for (Path jar : jars) {
            urls.add(jar.toUri().toURL());
        }
        return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    private static boolean isEnum(ClassDeclaration type) {
        return "java/lang/Enum".equals(type.superclass());
    }

    private static boolean isStatic(ClassDeclaration type) {
        return (type.access() & 8) != 0;
    }

    private static Optional<String> compare(String owner, Member ours) {
        String what = owner.replace('/', '.') + "." + ours.name() + ours.descriptor();
        Member theirs = resolve(jenkins, owner, ours.name(), ours.descriptor());
        if (theirs == null) {
            return Optional.of(what + " does not exist");
        }
        if (ours.isStatic() != theirs.isStatic()) {
            return Optional.of(what + " is static in one, not in the other");
        }
        if (ours.isPublic() && !theirs.isPublic() || !theirs.isPublicOrProtected()) {
            return Optional.of(what + " is less accessible");
        }
        if (theirs.isFinal() && !ours.isFinal() && !ours.isStatic()) {
            return Optional.of(what + " is final");
        }
        return Optional.empty();
    }

    private static Member resolve(ClassFiles files, String owner, String name, String descriptor) {
        if (name.equals("<init>")) {
            return files.find(owner).flatMap(type -> type.member(name, descriptor)).orElse(null);
        }
        return files.withSupertypes(owner).stream()
                .map(type -> type.member(name, descriptor).orElse(null))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /**
     * Abstract methods of the type or its supertypes that none of its superclasses, and no default
     * method, implements.
     */
    private static Set<String> unimplemented(ClassFiles files, String name) {
        List<ClassDeclaration> all = files.withSupertypes(name);
        Set<String> asked = new TreeSet<>();
        Set<String> implemented = new TreeSet<>();
        for (ClassDeclaration type : all) {
            for (Member member : type.members()) {
                if (!member.isField() && !member.isStatic() && !member.name().equals("<init>")) {
                    (member.isAbstract() ? asked : implemented)
                            .add(member.name() + member.descriptor());
                }
            }
        }
        // Every class inherits those of Object, interfaces or not.
        files.find("java/lang/Object")
                .orElseThrow()
                .members()
                .forEach(m -> implemented.add(m.name() + m.descriptor()));
        asked.removeAll(implemented);
        return asked;
    }

    private static List<Path> unpackJars(Path war, Path into) throws IOException {
        List<Path> jars = new ArrayList<>();
        try (InputStream in = Files.newInputStream(war);
                ZipInputStream zip = new ZipInputStream(in, StandardCharsets.UTF_8)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                String name = entry.getName();
                // The servlet API is in the server.
                if (name.startsWith("WEB-INF/lib/") && name.endsWith(".jar")
                        || name.equals("executable/winstone.jar")) {
                    Path jar = into.resolve(name.substring(name.lastIndexOf('/') + 1));
                    Files.copy(zip, jar);
                    jars.add(jar);
                }
            }
        }
        return jars;
    }
}
