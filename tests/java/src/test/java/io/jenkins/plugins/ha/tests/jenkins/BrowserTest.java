package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What users of two controllers see and press, in a real browser; whatever it complains about fails
 * the test. {@code HA_JENKINS_SCREENSHOTS} names a folder for pictures of the pages.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BrowserTest {
    private static final String CLUSTER = "manage/ha/";
    private static final String DOCTOR = "manage/ha/doctor/";
    private static final String SEARCH = "ha-builds/";
    private static final String HA_SECTION = "section:has(> #ha) ";

    private static Chromium browser;
    private static TwoControllers two;
    private static FrontDoor door;
    private static JenkinsClient a;
    private static JenkinsClient b;

    @BeforeAll
    static void start() {
        browser = new Chromium();
        two =
                TwoControllers.start(
                        "browser",
                        3,
                        (stage, controller) -> controller.user("admin"),
                        "dark-theme",
                        "workflow-job",
                        "workflow-cps",
                        "pipeline-input-step");
        door = new HaProxy(two.stage(), false);
        a = two.a().as("admin", JenkinsController.token("admin"));
        b = two.b().as("admin", JenkinsController.token("admin"));
        for (JenkinsClient client : List.of(a, b)) {
            setUrl(client, door.url().toString());
        }
        createJob("later", new FreestyleJob().quietSeconds(600).xml());
        TwoControllers.script(
                a,
                "def themes = hudson.ExtensionList.lookupSingleton("
                        + "io.jenkins.plugins.thememanager.ThemeManagerPageDecorator)\n"
                        + "themes.theme = new io.jenkins.plugins.darktheme"
                        + ".DarkThemeSystemManagerFactory()\n"
                        + "themes.save()");
    }

    @AfterAll
    static void stop() {
        if (door != null) {
            door.close();
        }
        if (two != null) {
            two.close();
        }
        if (browser != null) {
            browser.close();
        }
    }

    @AfterEach
    void theBrowserHasNoComplaint() {
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    @Order(1)
    void aLogInHoldsWhereEachRequestGoesToTheNextController() {
        browser.open(door.url(), "login");
        browser.fill("[name=j_username]", "admin");
        browser.fill("[name=j_password]", "admin");
        browser.press("[name=Submit]");
        browser.until("logged in", () -> !browser.address().contains("login"));
        for (String page : List.of("", "manage/", CLUSTER, SEARCH, "user/admin/")) {
            browser.open(door.url(), page);
            assertEquals("admin", browser.text("#root-action-UserAction"), browser.address());
        }
        Object who =
                browser.script(
                        """
                        const ask = async () => {
                          const answer = await fetch("/whoAmI/api/json");
                          return answer.headers.get("X-Sent-To") + (await answer.json()).name;
                        };
                        return Promise.all([ask(), ask(), ask(), ask()]).then(all => [...new Set(all)].sort().join());
                        """);
        assertEquals("aadmin,badmin", who);
        // One controller makes the job, the other one shows its settings, either takes them.
        browser.open(door.url(), "view/all/newJob");
        browser.fill("#name", "made-here");
        browser.press(".hudson_model_FreeStyleProject");
        browser.press("#ok-button");
        browser.until("its settings", () -> browser.address().endsWith("/configure"));
        browser.fill("[name=description]", "made with a browser");
        browser.press("[name=Submit]");
        browser.until("its page", () -> browser.address().endsWith("/job/made-here/"));
        for (JenkinsClient client : List.of(a, b)) {
            Eventually.until(
                    "it is described on " + client.url(),
                    TwoControllers.SOON,
                    () -> client.text("job/made-here/").contains("made with a browser"));
        }
    }

    @Test
    @Order(2)
    void theSettingsPageSaysAtOnceWhatIsWrong() {
        browser.open(b.url(), "manage/configure");
        Map<String, String> faults =
                Map.of(
                        "cluster", "letters, digits, dots",
                        "redisUrl", "Use redis://host:port",
                        "databaseUrl", "Use postgresql://",
                        "url", "not the load balancer's");
        for (Map.Entry<String, String> fault : faults.entrySet()) {
            String entry =
                    HA_SECTION + ".jenkins-form-item:has(input[name='_." + fault.getKey() + "'])";
            browser.fill(entry + " input", "not this!");
            browser.awaitText(entry + " .validation-error-area", fault.getValue());
        }
        String test = HA_SECTION + "button[data-validate-button-method=testConnection]";
        browser.script("arguments[0].scrollIntoView({block: 'center'})", browser.find(test));
        browser.press(test);
        browser.awaitText(HA_SECTION + ".jenkins-validate-button__container__status", "Redis");
        photograph("settings", 1280);
    }

    @Test
    @Order(3)
    void theClusterPageKeepsItselfUpToDateAndAsksBeforeItDrains() {
        browser.open(b.url(), CLUSTER);
        browser.awaitText("#ha-controllers", "takes builds");
        assertEquals("Nothing waits.", browser.text("#ha-waiting tbody"));
        browser.press("#ha-controllers details summary");
        browser.awaitText("#ha-controllers details", "Epoch");
        browser.script("window.same = true; document.getElementById('ha-overview').stale = true");
        long later = a.trigger("later");
        browser.awaitText("#ha-waiting", "later");
        assertEquals(
                true,
                browser.script(
                        "return window.same && !document.getElementById('ha-overview').stale"),
                "the page was not loaded anew, what is in it was");
        browser.awaitText("#ha-controllers details", "Epoch");
        assertEquals(
                "SUMMARY",
                browser.script("return document.activeElement.tagName"),
                "the focus stays where it was");

        browser.press("button[aria-label='Drain a']");
        browser.awaitText("dialog[open]", "Drain the controller a?");
        browser.press("dialog[open] [data-id=cancel]");
        browser.until("it was asked", () -> browser.texts("dialog[open]").isEmpty());
        assertFalse(state("a").startsWith("drain"));
        browser.press("button[aria-label='Drain a']");
        browser.press("dialog[open] [data-id=ok]");
        browser.awaitText("#ha-controllers", "drained");
        browser.press("button[aria-label='Undrain a']");
        browser.until("it takes builds again", () -> state("a").equals("takes builds"));

        browser.open(b.url(), CLUSTER);
        browser.press("button[aria-label='Cancel later']");
        browser.press("dialog[open] [data-id=ok]");
        Eventually.until(
                "it is cancelled",
                TwoControllers.SOON,
                () ->
                        a.queueItem(later)
                                .map(item -> item.path("cancelled").asBoolean())
                                .orElse(false));
    }

    @Test
    @Order(4)
    void theDoctorsPageSaysWhatIsWrongAndLeadsToWhatMendsIt() {
        browser.open(a.url(), DOCTOR);
        browser.awaitText("#ha-verdict", "The cluster is healthy");
        setUrl(b, "http://other.example.com/");
        browser.press(".jenkins-app-bar a.jenkins-button");
        browser.awaitText("#ha-findings", "address-differs");
        photograph("doctor", 1280);
        browser.press("#ha-findings a");
        browser.until("led there", () -> browser.address().endsWith("/manage/configure"));
        setUrl(b, door.url().toString());
    }

    @Test
    @Order(5)
    void aBuildOfAnotherControllerIsFollowedAndStoppedInThePage() {
        takes(b, false);
        createJob(
                "long",
                new FreestyleJob()
                        .shell("for s in $(seq 600); do echo \"line $s\"; sleep 0.2; done")
                        .xml());
        a.trigger("long");
        TwoControllers.awaitRunning(b, "long", 1);
        browser.open(b.url(), "job/long/1/console");
        browser.script("window.same = true");
        browser.awaitText(".console-output", "line 1\n");
        int lines = browser.text(".console-output").length();
        browser.until("the log grows", () -> browser.text(".console-output").length() > lines + 20);
        assertEquals(true, browser.script("return window.same"));

        browser.open(b.url(), "job/long/1/");
        browser.press("a.stop-button-link[data-confirm]");
        browser.press("dialog[open] [data-id=ok]");
        assertEquals("ABORTED", a.awaitResult("long", 1, TwoControllers.SOON));
        assertEquals("ABORTED", b.awaitResult("long", 1, TwoControllers.SOON));
        browser.open(b.url(), "job/long/1/");
        assertTrue(browser.text("#main-panel").contains("Ran on controller a"));
    }

    @Test
    @Order(6)
    void aPipelineOfAnotherControllerIsAnsweredInThePage() {
        createJob("asks", JobXml.pipeline("input 'Go on?'"));
        a.trigger("asks");
        TwoControllers.awaitRunning(b, "asks", 1);
        Eventually.until(
                "it asks",
                TwoControllers.SOON,
                () -> b.get("job/asks/1/input/").body().contains("Go on?"));
        browser.open(b.url(), "job/asks/1/input/");
        browser.press("#main-panel .jenkins-button--primary");
        for (JenkinsClient client : List.of(a, b)) {
            assertEquals("SUCCESS", client.awaitResult("asks", 1, TwoControllers.SOON));
        }
        takes(b, true);
    }

    @Test
    @Order(7)
    void buildsAreFoundByChoosing() {
        createJob(
                "many",
                new FreestyleJob().concurrent().parameter("N").shell("exit $((N % 2))").xml());
        for (int n = 1; n <= 5; n++) {
            a.trigger("many", Map.of("N", Integer.toString(n)));
        }
        for (int n = 1; n <= 5; n++) {
            b.awaitResult("many", n, TwoControllers.SOON);
        }
        browser.open(b.url(), SEARCH);
        browser.find("[name=job]").sendKeys("man");
        browser.until(
                "it is completed", () -> browser.texts(".jenkins-dropdown__item").contains("many"));
        browser.fill("[name=job]", "many");
        browser.script(
                "document.querySelector('[name=result]').value = 'FAILURE';"
                        + "document.querySelector('[name=within]').value = '3600'");
        browser.press("#ha-search button");
        browser.until("found", () -> browser.address().contains("FAILURE"));
        assertEquals(3, browser.texts("#ha-builds tbody tr").size());
        assertTrue(
                browser.texts("#ha-builds tbody tr").stream().allMatch(r -> r.contains("Failed")));
        assertEquals(
                "FAILURE", browser.script("return document.querySelector('[name=result]').value"));

        browser.open(b.url(), SEARCH + "?job=many&limit=2");
        List<String> pages = new ArrayList<>();
        for (int page = 0; page < 3; page++) {
            pages.add(String.join(" ", browser.texts("#ha-builds td:first-child")));
            if (page < 2) {
                go("#ha-older");
            }
        }
        assertEquals(List.of("many #5 many #4", "many #3 many #2", "many #1"), pages);
        go("#ha-newer");
        assertEquals(pages.get(1), String.join(" ", browser.texts("#ha-builds td:first-child")));
        go("#ha-newer");
        assertEquals(pages.get(0), String.join(" ", browser.texts("#ha-builds td:first-child")));
        assertTrue(browser.texts("#ha-newer").isEmpty());

        browser.open(b.url(), SEARCH + "?job=nowhere");
        browser.awaitText(".jenkins-notice", "No builds found");
        go(".jenkins-notice a");
        browser.awaitText("#ha-builds", "many #5");
    }

    @Test
    @Order(8)
    void eachPageCanBeReadOnEachScreen() {
        long waits = a.trigger("later");
        Map<String, String> pages =
                Map.of(
                        "cluster",
                        CLUSTER,
                        "doctor",
                        DOCTOR,
                        "search",
                        SEARCH,
                        "item",
                        "ha/item/" + waits + "/",
                        "build",
                        "job/many/1/",
                        "history",
                        "manage/ha-history/");
        List<String> faults = new ArrayList<>();
        for (boolean dark : List.of(false, true)) {
            for (int width : List.of(1280, 400)) {
                browser.looksLike(width, dark);
                pages.forEach(
                        (name, page) -> {
                            browser.open(door.url(), page);
                            String where = name + ", " + width + (dark ? ", dark: " : ": ");
                            for (Object fault : (List<?>) browser.script(LOOK)) {
                                faults.add(where + fault);
                            }
                            photograph(
                                    name + (dark ? "-dark" : "") + (width < 1280 ? "-narrow" : ""),
                                    width);
                        });
            }
        }
        browser.looksLike(1280, false);
        a.cancel(waits);
        assertEquals("", String.join("\n", faults));
    }

    /** What does not fit, has no icon, or is too pale to be read. */
    private static final String LOOK =
            """
            const faults = [];
            const root = document.documentElement;
            if (root.scrollWidth > root.clientWidth) {
              faults.push("is " + root.scrollWidth + " wide");
            }
            for (const path of document.querySelectorAll("#main-panel svg path")) {
              if (path.getAttribute("d").includes("M368 368L144 144M368 144L144 368")) {
                faults.push("an icon is missing: " + path.closest("svg").parentElement.textContent.trim());
              }
            }
            const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
            const light = (color, below) => {
              paint.globalCompositeOperation = "copy";
              paint.fillStyle = below;
              paint.fillRect(0, 0, 1, 1);
              paint.globalCompositeOperation = "source-over";
              paint.fillStyle = color;
              paint.fillRect(0, 0, 1, 1);
              const [r, g, b] = Array.from(paint.getImageData(0, 0, 1, 1).data).map(
                v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = element => {
              for (let at = element; at; at = at.parentElement) {
                const color = getComputedStyle(at).backgroundColor;
                paint.globalCompositeOperation = "copy";
                paint.fillStyle = color;
                paint.fillRect(0, 0, 1, 1);
                if (paint.getImageData(0, 0, 1, 1).data[3] > 200) return color;
              }
              return getComputedStyle(document.documentElement).colorScheme.includes("dark") ? "black" : "white";
            };
            const seen = new Set();
            const walk = document.createTreeWalker(document.getElementById("main-panel"), NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) {
              const element = walk.currentNode.parentElement;
              if (!walk.currentNode.textContent.trim() || seen.has(element) || !element.checkVisibility()) continue;
              // Buttons paint their ground elsewhere, and the colours of alerts are Jenkins' own.
              if (element.closest("script, style, option, svg, .jenkins-button, .jenkins-alert")) continue;
              seen.add(element);
              const below = ground(element);
              const [one, other] = [light(getComputedStyle(element).color, below), light(below, below)];
              const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
              if (contrast < 3.9) {
                faults.push("'" + element.textContent.trim().slice(0, 40) + "' has a contrast of " + contrast.toFixed(1));
              }
            }
            return faults;
            """;

    /** Follows a link and waits for the page that it leads to. */
    private static void go(String css) {
        String before = browser.address();
        browser.press(css);
        browser.until(css + " leads on", () -> !browser.address().equals(before));
    }

    private static void createJob(String name, String xml) {
        a.createJob(name, xml);
        Eventually.until("b has " + name, TwoControllers.SOON, () -> b.hasJob(name));
    }

    private static void takes(JenkinsClient on, boolean builds) {
        TwoControllers.script(
                on, "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = " + builds);
    }

    private static String state(String controller) {
        for (var one : b.json("ha/api/json").path("controllers")) {
            if (one.path("name").asText().equals(controller)) {
                return one.path("state").asText();
            }
        }
        return "";
    }

    private static void photograph(String name, int width) {
        String folder = System.getenv("HA_JENKINS_SCREENSHOTS");
        if (folder != null) {
            browser.photograph(Path.of(folder).resolve(name + ".png"), width);
        }
    }

    private static void setUrl(JenkinsClient on, String url) {
        TwoControllers.script(
                on, "jenkins.model.JenkinsLocationConfiguration.get().setUrl('%s')".formatted(url));
    }
}
