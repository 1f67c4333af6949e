package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A controller that is told to be in a cluster and cannot does not come up, and says why; one that
 * is not told is a plain Jenkins whatever is wrong with the plugin.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BootTest {
    private static final String REFUSAL = "HA Jenkins is configured but cannot run here";

    private JenkinsWar war;
    private Path plugin;
    private Stage stage;
    private JenkinsController running;
    private int count;

    @BeforeAll
    void start() {
        war = SingleController.war();
        plugin = SingleController.plugin();
        stage = Stage.open("boot");
        stage.redis().start();
    }

    @AfterEach
    void stopController() {
        if (running != null) {
            running.kill9();
            running = null;
        }
    }

    @AfterAll
    void stop() {
        if (stage != null) {
            stage.close();
        }
    }

    @Test
    void withoutItsLibraryAConfiguredControllerDoesNotStart() {
        String page =
                SingleController.failedBoot(
                        configured(PluginVariant.withoutLibrary(plugin, file())));
        assertRefused(page, "This package of HA Jenkins comes without", "libha_jenkins.so");
    }

    @Test
    void withGarbageForALibraryAConfiguredControllerDoesNotStart() {
        byte[] garbage = new byte[100_000];
        new Random(7).nextBytes(garbage);
        Path file = PluginVariant.withLibrary(plugin, file(), content -> garbage);
        assertRefused(SingleController.failedBoot(configured(file)), "cannot be loaded: it");
    }

    @Test
    void withATruncatedLibraryAConfiguredControllerDoesNotStart() {
        Path file =
                PluginVariant.withLibrary(
                        plugin, file(), content -> Arrays.copyOf(content, content.length / 2));
        assertRefused(SingleController.failedBoot(configured(file)), "cannot be loaded: it");
    }

    @Test
    void onAJenkinsThatLacksAMemberAConfiguredControllerDoesNotStart() {
        Path file =
                PluginVariant.using(
                        "method hudson.model.Queue teleport ()V instance class public",
                        plugin,
                        file());
        assertRefused(
                SingleController.failedBoot(configured(file)),
                "Jenkins " + war.version() + " lacks hudson.model.Queue.teleport");
    }

    @Test
    void halfASetOfSettingsFromOutsideIsRefused() {
        assertRefused(
                SingleController.failedBoot(add(plugin).cluster("half", "")),
                "The cluster name 'half' is set, but no Redis URL: set HA_JENKINS_REDIS_URL");
    }

    @Test
    void settingsThatCannotBeRightAreRefused() {
        assertRefused(
                SingleController.failedBoot(add(plugin).cluster("c", "http://127.0.0.1:1")),
                "redis://");
    }

    @Test
    void settingsThatCannotBeReadAreRefused() throws IOException {
        JenkinsController controller = SingleController.unconfigured(add(plugin));
        Path file =
                Files.createDirectories(controller.home())
                        .resolve("io.jenkins.plugins.ha.settings.HaConfiguration.xml");
        Files.writeString(file, "<io.jenkins.plugins.ha.settings.HaConfiguration><cluster>c");
        assertRefused(
                SingleController.failedBoot(controller),
                "HaConfiguration.xml cannot be read: mend it, or delete it");
        controller.kill9();
        Files.delete(file);
        SingleController.assertPlain(SingleController.up(controller));
    }

    @Test
    void unconfiguredItIsAPlainJenkinsWhateverIsWrong() {
        Path file =
                PluginVariant.using(
                        "method hudson.model.Queue teleport ()V instance class public",
                        PluginVariant.withoutLibrary(plugin, file()),
                        file());
        JenkinsClient client = SingleController.up(SingleController.unconfigured(add(file)));
        SingleController.assertPlain(client);
        assertEquals("", SingleController.warning(client));
        client.createJob("plain", new FreestyleJob().shell("echo plain").xml());
        long id = client.trigger("plain");
        int number = client.awaitBuildNumber(id, TwoControllers.SOON);
        assertEquals(1, number);
        assertEquals("SUCCESS", client.awaitResult("plain", 1, TwoControllers.SOON));
        String answer = testConnection(client, stage.redis().url());
        assertTrue(answer.contains("comes without"), answer);
        assertTrue(answer.contains("libha_jenkins.so"), answer);
        assertFalse(running.logText().contains("SEVERE"), running.logText());
    }

    @Test
    void aJenkinsThatIsTooOldSaysSoAndGoesOnAlone() {
        JenkinsClient client =
                SingleController.up(configured(PluginVariant.needing("9.9", plugin, file())));
        SingleController.assertPlain(client);
        String log = running.logText();
        assertTrue(
                log.contains("Jenkins (9.9) or higher required"),
                () -> log.lines().filter(l -> l.contains("9.9")).toList().toString());
        assertFalse(isMember());
    }

    @Test
    void aControllerOfOtherSecretsIsNotAdmitted() throws IOException {
        JenkinsController first = add(plugin);
        first.cluster("secrets", stage.redis().url());
        SingleController.up(first);
        try (Stage elsewhere = Stage.open("boot-elsewhere")) {
            JenkinsController stranger =
                    elsewhere.addJenkins(war, "stranger").cluster("secrets", stage.redis().url());
            long before = System.nanoTime();
            JenkinsClient client = SingleController.up(stranger);
            figure("boot.refused_controller_up", (System.nanoTime() - before) / 1e9, "s");
            String warning = SingleController.warning(client);
            assertTrue(warning.contains("This controller's secrets differ"), warning);
            assertTrue(stranger.logText().contains("This controller's secrets differ"));
            client.createJob("waits", new FreestyleJob().xml());
            long id = client.trigger("waits");
            assertTrue(client.queueItem(id).isPresent());
            assertTrue(client.build("waits", 1).isEmpty());
        }
    }

    private JenkinsController configured(Path hpi) {
        return add(hpi);
    }

    private JenkinsController add(Path hpi) {
        running = stage.addJenkins(war, "c" + ++count);
        return running.haPlugin(Optional.of(hpi));
    }

    private Path file() {
        return stage.root().resolve("variant-" + ++count + ".hpi");
    }

    private boolean isMember() {
        return !List.of()
                .equals(
                        stage.redis()
                                .call(
                                        "ZRANGE",
                                        "{haj:" + stage.cluster() + "}:members",
                                        "0",
                                        "-1"));
    }

    /** The page and the log say it, and the others do not wait for it. */
    private void assertRefused(String page, String... sentence) {
        String log = running.logText();
        for (String part : sentence) {
            assertTrue(log.contains(part), () -> part + " is not in the log:\n" + log);
        }
        String text = page.replace("&#39;", "'").replace("&#039;", "'");
        assertTrue(text.contains(REFUSAL), text);
        assertTrue(text.contains(sentence[0]), text);
        assertFalse(log.contains("Jenkins is fully up and running"), log);
        assertFalse(isMember());
    }

    static String testConnection(JenkinsClient client, String url) {
        return client.post(
                        "descriptorByName/io.jenkins.plugins.ha.settings.HaConfiguration/testConnection",
                        Map.of("cluster", "boot", "redisUrl", url, "redisPassword", ""))
                .body();
    }
}
