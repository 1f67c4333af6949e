package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What comes with a build on its way to another controller, and what keeps it where it is. */
class TravelTest {
    private static final String SECRET = "Sesame-0pen-4711";

    private static SecuredPair pair;

    @RegisterExtension final SecuredPair.Explain explain = new SecuredPair.Explain(() -> pair);

    @BeforeAll
    static void start() {
        pair = SecuredPair.open("travel");
    }

    @AfterEach
    void tidy() {
        pair.tidy(true, true);
    }

    @AfterAll
    static void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void aPasswordTravelsAndIsNowhereInTheClear() throws IOException {
        String shell =
                "set +x\n"
                    + "[ \"$SECRET\" = \"$(printf '%s-%s-%s' Sesame 0pen 4711)\" ] && [ ${#P} -gt 5"
                    + " ]";
        pair.createJob(
                "password",
                new FreestyleJob()
                        .concurrent()
                        .parameter("P")
                        .shell(shell)
                        .xml()
                        .replace(
                                "</parameterDefinitions>",
                                "<hudson.model.PasswordParameterDefinition><name>SECRET</name>"
                                    + "<defaultValue/></hudson.model.PasswordParameterDefinition>"
                                    + "</parameterDefinitions>"));
        pair.takes(false, false);
        // Short, and so long that it is stored compressed.
        long shortId = pair.onA.trigger("password", Map.of("P", "short one", "SECRET", SECRET));
        long longId =
                pair.onA.trigger("password", Map.of("P", "long ".repeat(2000), "SECRET", SECRET));
        for (long id : new long[] {shortId, longId}) {
            String stored =
                    SecuredPair.groovy(
                            pair.onB, "Queue.XSTREAM.toXML(Queue.instance.getItem(" + id + "L))");
            assertTrue(stored.contains("SECRET"), stored);
            assertFalse(stored.contains(SECRET), "B's copy of the item");
            for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
                String item = client.queueItem(id).orElseThrow().toString();
                assertFalse(item.contains(SECRET), item);
            }
        }
        // All that Redis has or ever had, as bytes.
        nowhereBelow(pair.stage.root().resolve("redis"), 1);
        pair.takes(false, true);
        for (long id : new long[] {shortId, longId}) {
            int number = pair.onA.awaitBuildNumber(id, SecuredPair.SOON);
            assertEquals("SUCCESS", pair.onA.awaitResult("password", number, SecuredPair.SOON));
            assertEquals(
                    "b",
                    JenkinsClient.controllerOf(pair.onA.build("password", number).orElseThrow()));
        }
        nowhereBelow(pair.stage.root().resolve("redis"), 1);
        nowhereBelow(pair.builds("password"), 2);
        for (var controller : List.of(pair.a, pair.b)) {
            assertFalse(controller.logText().contains(SECRET), controller.name());
            nowhereBelow(controller.home(), 0);
            nowhereBelow(controller.home().resolve("ha-jenkins"), 0);
        }
    }

    @Test
    void aBuildWithAFileRunsWhereTheFileIs() throws IOException {
        pair.createJob("file", FileParameter.job("grep -q 'the content' upload.txt"));
        // A takes nothing from the cluster, and B everything.
        pair.takes(false, true);
        assertEquals(201, FileParameter.trigger(pair.onA, "file", "this is the content\n", 0));
        assertEquals("SUCCESS", pair.onA.awaitResult("file", 1, SecuredPair.SOON));
        assertEquals("SUCCESS", pair.onB.awaitResult("file", 1, SecuredPair.SOON));
        assertEquals("a", JenkinsClient.controllerOf(pair.onB.build("file", 1).orElseThrow()));
        pair.takes(true, false);
        assertEquals(201, FileParameter.trigger(pair.onB, "file", "again the content\n", 0));
        assertEquals("SUCCESS", pair.onA.awaitResult("file", 2, SecuredPair.SOON));
        assertEquals("b", JenkinsClient.controllerOf(pair.onA.build("file", 2).orElseThrow()));
        assertEquals(
                "again the content\n",
                Files.readString(pair.builds("file").resolve("2/fileParameters/upload.txt")));
    }

    /** Reads every file; {@code atLeast} so that a wrong folder does not pass. */
    private static void nowhereBelow(Path folder, int atLeast) throws IOException {
        if (!Files.isDirectory(folder)) {
            assertEquals(0, atLeast, folder + " is no folder");
            return;
        }
        int read = 0;
        try (Stream<Path> files = Files.walk(folder, 4)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (file.toString().contains("/war/") || file.toString().contains("/plugins/")) {
                    continue;
                }
                String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
                assertFalse(bytes.contains(SECRET), file.toString());
                read++;
            }
        }
        assertTrue(read >= atLeast, folder + " holds only " + read + " files");
    }
}
