package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Defects that are sown into a running controller are found by what the other tests of
 * configurations ask for.
 */
@LongTest
class ConfigurationMutantsTest {
    private static final String ITEMS =
            "def items = io.jenkins.plugins.ha.Membership.active().get().items()\n";

    /** Takes a listener out; what it would have told is told by nobody. */
    private static final String DEAF =
            "def all = ExtensionList.lookup(hudson.model.listeners.SaveableListener)\n"
                    + "def one = all.find { it.class.name == '%s' }\n"
                    + "assert all.remove(one); System.properties['test.deaf'] = one; null";

    private static final String HEALED =
            "ExtensionList.lookup(hudson.model.listeners.SaveableListener)"
                    + ".add(0, System.properties['test.deaf']); null";

    private static TwoControllers both;

    @BeforeAll
    static void start() {
        both = TwoControllers.start("configuration-mutants", 1);
    }

    @AfterAll
    static void stop() {
        if (both != null) {
            both.close();
        }
    }

    @Test
    void aChangeThatIsNotAnnouncedIsFound() {
        both.createJob("silent", new FreestyleJob().xml());
        script(both.a(), DEAF.formatted("io.jenkins.plugins.ha.jobs.JobEvents$Saves"));
        JobForms.on(both.a(), "silent", "item.description = 'unheard'");
        assertThrows(AssertionError.class, () -> JobForms.awaitSame(both, "silent"));
        script(both.a(), HEALED);
        script(both.b(), ITEMS + "items.compare(); null");
        JobForms.awaitSame(both, "silent");
    }

    @Test
    void aSettingThatIsDroppedIsFound() {
        script(both.a(), DEAF.formatted("io.jenkins.plugins.ha.carried.SavedHere"));
        message("dropped");
        assertThrows(AssertionError.class, () -> awaitMessage("dropped"));
        script(both.a(), HEALED);
        message("carried");
        awaitMessage("carried");
    }

    @Test
    void aSaveThatIsNotComparedWithTheFormItWasMadeFromIsFound() throws IOException {
        both.createJob("base", new FreestyleJob().shell("echo one").xml());
        String save = "item.description = 'mine'; print item.configFile.asString()";
        elsewhere("base", "echo one", "echo two");
        String merged = JobForms.on(both.b(), "base", save);
        assertEquals(true, merged.contains("echo two"), merged);

        both.createJob("no-base", new FreestyleJob().shell("echo one").xml());
        elsewhere("no-base", "echo one", "echo two");
        String blind =
                ITEMS
                        + "def forms = items.@forms; def file = item.configFile.file\n"
                        + "forms.note(file.parentFile, forms.read(file, false))\n";
        String written = JobForms.on(both.b(), "no-base", blind + save);
        assertEquals(false, written.contains("echo two"), "the test of two authors sees it");
    }

    @Test
    void aControllerThatDoesNotLookForWhatItMissedIsFound() throws IOException {
        both.createJob("missed", new FreestyleJob().shell("echo one").xml());
        script(both.b(), ITEMS + "items.@comparison.@next = Long.MAX_VALUE; null");
        elsewhere("missed", "echo one", "echo two");
        String has = "print item.buildersList[0].command";
        assertThrows(
                AssertionError.class,
                () ->
                        Eventually.until(
                                "b finds it",
                                JobForms.IN_FORCE,
                                () -> JobForms.on(both.b(), "missed", has).equals("echo two")));
        assertNotEquals("echo two", JobForms.on(both.b(), "missed", has));
        script(both.b(), ITEMS + "items.compare(); null");
        Eventually.until(
                "b looks again",
                JobForms.IN_FORCE,
                () -> JobForms.on(both.b(), "missed", has).equals("echo two"));
    }

    private static void message(String text) {
        script(both.a(), "Jenkins.get().systemMessage = '" + text + "'; Jenkins.get().save()");
    }

    private static void awaitMessage(String text) {
        String has = "print Jenkins.get().systemMessage";
        Eventually.until(
                text + " is in force on b",
                JobForms.IN_FORCE,
                () -> script(both.b(), has).strip().equals(text));
    }

    /** The other controller's news are not told. */
    private static void elsewhere(String job, String from, String to) throws IOException {
        Path file = both.stage().shared().jobs().resolve(job).resolve("config.xml");
        Path draft = file.resolveSibling("config.draft");
        Files.writeString(draft, Files.readString(file).replace(from, to));
        Files.move(draft, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
