package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.AT_ONCE;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.groovy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
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
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Behind a balancer without stickiness people log in once, and go from controller to controller.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PeopleTest {
    private static final Pattern CRUMB = Pattern.compile("data-crumb-value=\"([0-9a-f]+)\"");

    private SecuredPair pair;

    @BeforeAll
    void start() {
        pair = SecuredPair.open("people");
        pair.createJob("seen", new FreestyleJob().shell("true").xml());
    }

    @AfterAll
    void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void whoHasLoggedInOnOneReadsAndPostsOnBothInTurn() {
        Browser alice = new Browser();
        alice.get(pair.a, "login");
        // The page of one, posted to the other.
        assertEquals("alice", alice.login(pair.b, "alice"));
        for (int i = 0; i < 6; i++) {
            JenkinsController on = i % 2 == 0 ? pair.a : pair.b;
            JenkinsController other = i % 2 == 0 ? pair.b : pair.a;
            assertEquals("alice", alice.name(on));
            String crumb = alice.crumb(on);
            HttpResponse<String> answer =
                    alice.post(other, "job/seen/build?delay=0sec", crumb, Map.of());
            assertEquals(201, answer.statusCode(), answer.body());
        }
    }

    @Test
    void theFirstRequestToAControllerMayBeAPost() {
        Browser alice = new Browser();
        assertEquals("alice", alice.login(pair.a, "alice"));
        String crumb = alice.crumb(pair.a);
        HttpResponse<String> answer = alice.post(pair.b, "job/seen/build", crumb, Map.of());
        assertEquals(201, answer.statusCode(), answer.body());
    }

    @Test
    void aFormOfOneIsSavedOnTheOther() {
        Browser admin = new Browser();
        assertEquals("admin", admin.login(pair.a, "admin"));
        String crumb = admin.crumb(pair.a);
        HttpResponse<String> answer =
                admin.post(
                        pair.b,
                        "submitDescription",
                        "",
                        Map.of("description", "said on both", "Jenkins-Crumb", crumb));
        assertTrue(answer.statusCode() < 400, answer.statusCode() + answer.body());
        Eventually.until(
                "a says so, too",
                AT_ONCE,
                () -> admin.get(pair.a, "").body().contains("said on both"));
    }

    @Test
    void aPostWithoutACrumbOrWithThatOfAnotherIsRefused() {
        Browser alice = new Browser();
        assertEquals("alice", alice.login(pair.a, "alice"));
        assertEquals("alice", alice.name(pair.b));
        Browser bob = new Browser();
        assertEquals("bob", bob.login(pair.a, "bob"));
        for (String crumb : List.of("", "0".repeat(64), bob.crumb(pair.a), bob.crumb(pair.b))) {
            assertEquals(
                    403, alice.post(pair.b, "job/seen/build", crumb, Map.of()).statusCode(), crumb);
        }
    }

    @Test
    void aLogoutOnOneIsALogoutOnBoth() {
        Browser alice = new Browser();
        assertEquals("alice", alice.login(pair.a, "alice"));
        assertEquals("alice", alice.name(pair.b));
        alice.post(pair.b, "logout", alice.crumb(pair.b), Map.of());
        assertEquals("", alice.name(pair.a));
        assertEquals("", alice.name(pair.b));
        assertEquals("alice", alice.login(pair.b, "alice"));
        assertEquals("alice", alice.name(pair.a));
    }

    @Test
    void aNewSeedEndsAllSessionsAndAForgedCookieBeginsNone() {
        Browser eve = new Browser();
        assertEquals("eve", eve.login(pair.a, "eve"));
        assertEquals("eve", eve.name(pair.b));
        groovy(
                pair.onA,
                "User.getById('eve', false).getProperty(jenkins.security.seed.UserSeedProperty)"
                        + ".renewSeed()\n"
                        + "User.getById('eve', false).save()");
        Eventually.until("b has let her go", AT_ONCE, () -> eve.name(pair.b).isEmpty());
        assertEquals("", eve.name(pair.a));

        assertEquals("eve", eve.login(pair.a, "eve"));
        HttpCookie own = eve.loginCookie();
        assertTrue(own.isHttpOnly());
        String[] parts = own.getValue().split("\\.");
        String admin =
                Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString("admin".getBytes(StandardCharsets.UTF_8));
        for (String forged :
                List.of(
                        admin + "." + parts[1] + "." + parts[2],
                        parts[0] + "." + (Long.parseLong(parts[1]) + 1000) + "." + parts[2],
                        parts[0] + "." + parts[1] + ".",
                        "x",
                        "..",
                        "%." + parts[1] + "." + parts[2])) {
            Browser mallory = new Browser();
            HttpCookie cookie = new HttpCookie(own.getName(), forged);
            cookie.setPath("/");
            cookie.setVersion(0);
            mallory.cookies.getCookieStore().add(URI.create(pair.b.url() + ""), cookie);
            assertEquals("", mallory.name(pair.b), forged);
        }
    }

    @Test
    void aChangedRealmKeepsPeopleLoggedIn() {
        Browser alice = new Browser();
        assertEquals("alice", alice.login(pair.a, "alice"));
        groovy(
                pair.onA,
                "jenkins.model.Jenkins.get().securityRealm = new"
                        + " hudson.security.HudsonPrivateSecurityRealm(true, false, null)");
        assertEquals("alice", alice.name(pair.a));
        Eventually.until(
                "b has the realm",
                AT_ONCE,
                () ->
                        groovy(
                                        pair.onB,
                                        "println jenkins.model.Jenkins.get().securityRealm"
                                                + ".allowsSignup()")
                                .equals("true"));
        assertEquals("alice", alice.name(pair.b));
        groovy(
                pair.onB,
                "jenkins.model.Jenkins.get().securityRealm = new"
                        + " hudson.security.HudsonPrivateSecurityRealm(false, false, null)");
        assertFalse(alice.name(pair.a).isEmpty());
    }

    /** What people have: cookies go to every controller, as behind a balancer. */
    private static final class Browser {
        private final CookieManager cookies = new CookieManager(null, CookiePolicy.ACCEPT_ALL);
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
                    Pattern.compile("\"name\":\"([^\"]*)\"")
                            .matcher(get(on, "whoAmI/api/json").body());
            return name.find() && !name.group(1).equals("anonymous") ? name.group(1) : "";
        }

        /** Out of a page, as its scripts take it. */
        String crumb(JenkinsController on) {
            HttpResponse<String> page = get(on, "");
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
}
