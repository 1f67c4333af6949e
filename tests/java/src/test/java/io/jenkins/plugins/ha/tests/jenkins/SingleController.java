package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;

/** One real controller after the other on one stage: how they come up, or do not. */
final class SingleController {
    private SingleController() {}

    /** The war; skips the test where none is at hand. */
    static JenkinsWar war() {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        return search.war().get();
    }

    /** The plugin as it was built; skips the test where it is not. */
    static Path plugin() {
        Optional<Path> plugin = Checkout.plugin();
        assumeTrue(plugin.isPresent(), "no target/ha-jenkins.hpi: make hpi builds it");
        return plugin.get();
    }

    /** Takes back what the stage says about the cluster. */
    static JenkinsController unconfigured(JenkinsController controller) {
        return controller.cluster("", "");
    }

    /** Starts it unless it runs, and waits until it serves pages. */
    static JenkinsClient up(JenkinsController controller) {
        if (!controller.alive()) {
            controller.start();
        }
        controller.awaitUp(Stage.UP);
        return controller.client();
    }

    /** Starts it and waits until it has given up to boot; the page that it shows instead. */
    static String failedBoot(JenkinsController controller) {
        controller.start();
        JenkinsClient client = controller.client();
        HttpResponse<String> page =
                Eventually.get(
                        controller.name() + " answers with its failure",
                        Stage.UP,
                        () -> {
                            try {
                                HttpResponse<String> answer = client.get("login");
                                return Optional.of(answer)
                                        .filter(
                                                a ->
                                                        a.statusCode() < 500
                                                                || a.body().contains("HA Jenkins"));
                            } catch (UncheckedIOException notYet) {
                                return Optional.empty();
                            }
                        });
        assertTrue(page.statusCode() >= 500, "it serves pages: " + page.statusCode());
        assertTrue(client.get("api/json").statusCode() >= 500);
        assertTrue(client.get("scriptText").statusCode() >= 500);
        return page.body();
    }

    /** It is as without the plugin. */
    static void assertPlain(JenkinsClient client) {
        assertEquals("hudson.model.Queue", queueClass(client));
    }

    static String queueClass(JenkinsClient client) {
        return TwoControllers.script(client, "print hudson.model.Queue.getInstance().class.name")
                .trim();
    }

    /** What the plugin tells the admin on the pages of Manage Jenkins; "" when nothing. */
    static String warning(JenkinsClient client) {
        return TwoControllers.script(
                        client,
                        "print hudson.ExtensionList.lookupSingleton("
                                + "io.jenkins.plugins.ha.health.ClusterMonitor).problem")
                .trim();
    }
}
