package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.JenkinsController;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.CookieManager;
import java.net.CookiePolicy;
import java.net.HttpCookie;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What people have: cookies go to every controller, as behind a balancer. */
final class Browser {
    private static final Pattern CRUMB = Pattern.compile("data-crumb-value=\"([0-9a-f]+)\"");

    final CookieManager cookies = new CookieManager(null, CookiePolicy.ACCEPT_ALL);
    private final HttpClient http = HttpClient.newBuilder().cookieHandler(cookies).build();

    HttpResponse<String> get(JenkinsController on, String path) {
        return send(HttpRequest.newBuilder(at(on, path)).GET().build());
    }

    HttpResponse<String> post(
            JenkinsController on, String path, String crumb, Map<String, String> form) {
        String body =
                form.entrySet().stream()
                        .map(
                                e ->
                                        e.getKey()
                                                + "="
                                                + URLEncoder.encode(
                                                        e.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&"));
        HttpRequest.Builder request =
                HttpRequest.newBuilder(at(on, path))
                        .header("Content-Type", "application/x-www-form-urlencoded");
        if (!crumb.isEmpty()) {
            request.header("Jenkins-Crumb", crumb);
        }
        return send(request.POST(HttpRequest.BodyPublishers.ofString(body)).build());
    }

    /** Logs in there; answers who one is then. */
    String login(JenkinsController on, String user) {
        post(
                on,
                "j_spring_security_check",
                "",
                Map.of("j_username", user, "j_password", user, "from", "/"));
        return name(on);
    }

    /** Who one is there; "" for nobody. */
    String name(JenkinsController on) {
        Matcher name =
                Pattern.compile("\"name\":\"([^\"]*)\"").matcher(get(on, "whoAmI/api/json").body());
        return name.find() && !name.group(1).equals("anonymous") ? name.group(1) : "";
    }

    /** Out of a page, as its scripts take it. */
    String crumb(JenkinsController on) {
        return crumb(get(on, ""));
    }

    /** Out of this page. */
    static String crumb(HttpResponse<String> page) {
        Matcher crumb = CRUMB.matcher(page.body());
        assertTrue(crumb.find(), page.statusCode() + page.body());
        return crumb.group(1);
    }

    HttpCookie loginCookie() {
        return cookies.getCookieStore().getCookies().stream()
                .filter(cookie -> cookie.getName().equals("HA_JENKINS_LOGIN"))
                .findFirst()
                .orElseThrow();
    }

    private static URI at(JenkinsController on, String path) {
        return URI.create(on.url() + path);
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
