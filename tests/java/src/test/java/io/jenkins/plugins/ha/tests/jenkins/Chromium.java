package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/**
 * Debian's Chromium without a screen: what a user sees and presses, scripts and styles included.
 */
final class Chromium implements AutoCloseable {
    private static final Path PROGRAM = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
    private static final Duration PAGE = Duration.ofSeconds(60);
    private static final int TALLEST = 1500;

    private final ChromeDriver driver;

    /** Skips the test where there is none. */
    Chromium() {
        assumeTrue(
                Files.isExecutable(PROGRAM) && Files.isExecutable(DRIVER),
                "no chromium: apt-get install chromium chromium-driver");
        ChromeOptions options = new ChromeOptions();
        options.setBinary(PROGRAM.toString());
        options.addArguments("--headless=new", "--hide-scrollbars", "--disable-dev-shm-usage");
        // The gate runs as root in a container, where Chromium's sandbox cannot.
        options.addArguments("--no-sandbox");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriverService service =
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(DRIVER.toFile())
                        .usingAnyFreePort()
                        .withSilent(true)
                        .build();
        driver = new ChromeDriver(service, options);
        driver.manage().timeouts().pageLoadTimeout(PAGE);
        looksLike(1280, false);
    }

    /** Width of the screen, and whether its user likes it dark; from the next page on. */
    void looksLike(int width, boolean dark) {
        tall(width, 900);
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(
                                Map.of(
                                        "name",
                                        "prefers-color-scheme",
                                        "value",
                                        dark ? "dark" : "light"))));
    }

    private void tall(int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    }

    void open(URI base, String path) {
        driver.get(base + path);
    }

    String address() {
        return driver.getCurrentUrl();
    }

    /** Waits until there is one that can be seen. */
    WebElement find(String css) {
        WebElement[] found = {null};
        until(
                css,
                () -> {
                    found[0] =
                            driver.findElements(By.cssSelector(css)).stream()
                                    .filter(WebElement::isDisplayed)
                                    .findFirst()
                                    .orElse(null);
                    return found[0] != null;
                });
        return found[0];
    }

    /** Presses what can be seen there, as soon as nothing lies over it. */
    void press(String css) {
        until(
                css + " is pressed",
                () -> {
                    find(css).click();
                    return true;
                });
    }

    /** Writes over what is in a field, and leaves it. */
    void fill(String css, String text) {
        WebElement field = find(css);
        field.clear();
        field.sendKeys(text);
        script("arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", field);
    }

    /** What can be read there; "" where there is nothing. */
    String text(String css) {
        return driver.findElements(By.cssSelector(css)).stream()
                .map(WebElement::getText)
                .findFirst()
                .orElse("");
    }

    /** What can be read in each of them. */
    List<String> texts(String css) {
        return driver.findElements(By.cssSelector(css)).stream().map(WebElement::getText).toList();
    }

    void awaitText(String css, String part) {
        until(css + " says " + part, () -> text(css).contains(part));
    }

    Object script(String javascript, Object... arguments) {
        return driver.executeScript(javascript, arguments);
    }

    /** Waits; what a page that is just being changed throws is no answer. */
    void until(String what, BooleanSupplier holds) {
        try {
            Eventually.until(
                    what,
                    TwoControllers.SOON,
                    () -> {
                        try {
                            return holds.getAsBoolean();
                        } catch (WebDriverException e) {
                            return false;
                        }
                    });
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + " at " + address() + ":\n" + text("body"), e);
        }
    }

    /** What the browser complained about since it was asked last: scripts, styles, 404s. */
    List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                .map(entry -> entry.getMessage())
                .toList();
    }

    /** The page from its top, as a PNG. */
    void photograph(Path file, int width) {
        long height = (Long) script("return document.documentElement.scrollHeight");
        tall(width, (int) Math.min(TALLEST, height));
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        tall(width, 900);
    }

    @Override
    public void close() {
        driver.quit();
    }
}
