package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** How far a running build is, on each controller. */
class ProgressTest {
    private static final Pattern BAR =
            Pattern.compile(
                    "(?s)<a [^>]*class=\"app-progress-bar[^>]*>\\s*<span[^>]*width: ?(\\d+)%");

    @Test
    void aBuildThatRunsElsewhereShowsHowFarItIsAsItsOwnControllerDoes() {
        try (TwoControllers two = TwoControllers.start("progress", 2)) {
            two.createJob("slow", new FreestyleJob().parameter("S").shell("sleep $S").xml());
            two.onlyOn("b");
            String front = two.a().text("");
            assertTrue(front.contains("href=\"/ha-builds/\""), front);
            // So that there is something to estimate by.
            int first = two.a().awaitBuildNumber(two.a().trigger("slow", Map.of("S", "20")), SOON);
            assertEquals("SUCCESS", two.a().awaitResult("slow", first, SOON));
            int number = two.a().awaitBuildNumber(two.a().trigger("slow", Map.of("S", "60")), SOON);
            TwoControllers.awaitRunning(two.a(), "slow", number);
            for (JenkinsClient on : List.of(two.b(), two.a())) {
                String page = on.text("job/slow/" + number + "/");
                assertFalse(page.contains("for null"), page);
                assertTrue(page.contains("Build has been executing for "), page);
                Matcher bar = BAR.matcher(page);
                assertTrue(bar.find(), page);
                assertTrue(page.contains("data-tooltip-template=\"Started %0 ago"), page);
                assertTrue(page.contains("</html>"), page);
                var icon = on.get("job/slow/" + number + "/statusIcon");
                String progress = icon.headers().firstValue("X-Progress").orElse("");
                assertTrue(progress.matches("\\d{1,2}"), icon.headers().map().toString());
                assertEquals("true", icon.headers().firstValue("X-Building").orElse(""));
                assertFalse(icon.headers().firstValue("X-Executor-Runtime").orElse("").isEmpty());
                assertTrue(on.text("job/slow/" + number + "/console").contains("</html>"));
                String history = on.text("job/slow/buildHistory/ajax?n=1");
                assertTrue(BAR.matcher(history).find(), history);
            }
            two.a().stop("slow", number);
            assertEquals("ABORTED", two.a().awaitResult("slow", number, SOON));
            String page = two.a().text("job/slow/" + number + "/");
            assertFalse(BAR.matcher(page).find(), page);
        }
    }
}
