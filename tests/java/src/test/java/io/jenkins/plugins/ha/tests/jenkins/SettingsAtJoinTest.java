package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A controller that comes with other settings takes the cluster's, or stays out. */
class SettingsAtJoinTest {
    private static final String MAILER = "hudson.tasks.Mailer_-DescriptorImpl";
    private static final String FILE = "hudson.tasks.Mailer.xml";

    @Test
    void theClustersAreTakenAndTheOwnKeptAsideOrItStaysOut() throws IOException {
        JenkinsWar war = SingleController.war();
        SingleController.plugin();
        try (Stage stage = Stage.open("settings-at-join")) {
            stage.redis().start();
            JenkinsController a = stage.addJenkins(war, "a").plugins("mailer").user("admin");
            mailer(a, "of-the-cluster");
            JenkinsClient onA = admin(SingleController.up(a));
            stage.awaitMembers(1, TwoControllers.SOON);

            JenkinsController b =
                    stage.addJenkins(war, "b").plugins("mailer").user("admin").user("zoe");
            mailer(b, "of-b");
            JenkinsClient onB = admin(SingleController.up(b));
            // At once: it serves no page before.
            assertEquals("of-the-cluster", host(onB));
            assertEquals(401, b.client().as("zoe", "zoe").get("me/api/json").statusCode());
            assertEquals("of-the-cluster", host(onA));
            try (Stream<Path> kept = Files.walk(b.home().resolve("ha-jenkins/settings-kept"))) {
                String all =
                        String.join(
                                "\n",
                                kept.filter(Files::isRegularFile)
                                        .map(SettingsAtJoinTest::text)
                                        .toList());
                assertTrue(all.contains("of-b") && all.contains("<id>zoe</id>"), all);
            }

            JenkinsController c =
                    stage.addJenkins(war, "c")
                            .plugins("mailer")
                            .user("admin")
                            .property("io.jenkins.plugins.ha.takesSettings", "false");
            mailer(c, "of-c");
            String page = SingleController.failedBoot(c);
            assertTrue(page.contains("has other settings"), page);
            assertTrue(page.contains(FILE + " is another one"), page);
            assertTrue(text(c.home().resolve(FILE)).contains("of-c"));
            c.kill9();
        }
    }

    private static void mailer(JenkinsController controller, String host) throws IOException {
        Files.createDirectories(controller.home());
        Files.writeString(
                controller.home().resolve(FILE),
                "<?xml version='1.1' encoding='UTF-8'?>\n<"
                        + MAILER
                        + "><smtpHost>"
                        + host
                        + "</smtpHost></"
                        + MAILER
                        + ">\n");
    }

    private static String host(JenkinsClient on) {
        return TwoControllers.script(
                        on, "print Jenkins.get().getDescriptor('hudson.tasks.Mailer').smtpHost")
                .strip();
    }

    private static JenkinsClient admin(JenkinsClient client) {
        return client.as("admin", JenkinsController.token("admin"));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
