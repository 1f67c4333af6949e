package io.jenkins.plugins.ha.tests.linkage;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.jenkins.plugins.ha.indexer.ClassDeclaration.Member;
import io.jenkins.plugins.ha.indexer.ClassFiles;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What can be said of the compile-only declarations without a Jenkins. */
class DeclarationsTest {
    static final Path CLASSES =
            Path.of(System.getProperty("ha.jenkins.root", "."), "java/declarations/target/classes");

    @Test
    void noneHasAConstantThatIsCopiedIntoThePlugin() throws IOException {
        ClassFiles declarations = new ClassFiles().add(CLASSES);
        assertFalse(declarations.names().isEmpty(), CLASSES + " is empty");
        for (String name : declarations.names()) {
            for (Member member : declarations.find(name).orElseThrow().members()) {
                assertFalse(member.constant(), name + "." + member.name());
            }
        }
    }
}
