package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.AT_ONCE;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.groovy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import java.io.IOException;
import java.net.CookieStore;
import java.net.HttpCookie;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Behind a balancer without stickiness people log in once, and go from controller to controller.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PeopleTest {
    private SecuredPair pair;

    @BeforeAll
    void start() {
        pair = SecuredPair.open("people", JenkinsController::extensions);
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

    /** Seeded: each run sends the same. */
    @Test
    void whateverAnybodySendsInTheHeadersOfTheClusterIsAnsweredWithoutAnError() throws IOException {
        Browser alice = new Browser();
        assertEquals("alice", alice.login(pair.a, "alice"));
        String cookie = alice.loginCookie().getValue();
        Random random = new Random(17);
        int requests = 500 * Integer.parseInt(System.getenv().getOrDefault("HA_FUZZ_TIMES", "1"));
        for (int i = 0; i < requests; i++) {
            String request =
                    switch (i % 4) {
                        case 0 ->
                                "GET /whoAmI/api/json HTTP/1.1\nCookie: HA_JENKINS_LOGIN="
                                        + damaged(cookie, random);
                        case 1 ->
                                "POST /job/seen/1/input/Id/proceedEmpty HTTP/1.1"
                                        + "\nContent-Length: 0\nX-HA-Jenkins-Forwarded: "
                                        + damaged("YQ.Yg.Yw.MTIz.ZA.ZQ.Zg.Zw.c2VhbA", random);
                        case 2 ->
                                "POST /git/notifyCommit?url=x HTTP/1.1\nContent-Length: 0"
                                        + "\nX-GitHub-Delivery: "
                                        + damaged("72d3162e-cc78-11e3-81ab", random)
                                        + "\nX-HA-Jenkins-Redelivery: "
                                        + damaged("72d3162e-cc78-11e3-81ab-4c9367dc0958", random);
                        default ->
                                "GET /"
                                        + damaged(
                                                        "ha-builds/?job=seen&after=1.2&result=SUCCESS",
                                                        random)
                                                .replaceAll("[^!-~]", "%ff")
                                        + " HTTP/1.1\nCookie: HA_JENKINS_LOGIN="
                                        + cookie;
                    };
            String answer = answer(request);
            assertTrue(answer.matches("HTTP/1.1 [234]\\d\\d.*"), answer + " to " + request);
        }
        assertEquals("alice", alice.name(pair.a));
        assertEquals(200, alice.get(pair.a, "ha-health/").statusCode());
    }

    /** In one to three places; never a line break, which would make it another header. */
    private static String damaged(String text, Random random) {
        StringBuilder result = new StringBuilder(text);
        for (int changes = random.nextInt(3); changes >= 0; changes--) {
            int at = random.nextInt(result.length() + 1);
            switch (random.nextInt(4)) {
                case 0 -> result.setLength(at);
                case 1 -> result.insert(at, (char) ('!' + random.nextInt(94)));
                case 2 -> result.insert(at, result.substring(0, at));
                default ->
                        result.insert(
                                at,
                                List.of("..", "%00", "%ff", "-1", "9".repeat(25), "é")
                                        .get(random.nextInt(6)));
            }
        }
        return result.toString();
    }

    /** The first line of the answer. */
    private String answer(String head) throws IOException {
        URI url = pair.a.url();
        try (Socket socket = new Socket(url.getHost(), url.getPort())) {
            String request = head + "\nHost: x\nConnection: close\n\n";
            socket.getOutputStream()
                    .write(request.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            byte[] all = socket.getInputStream().readAllBytes();
            return new String(all, StandardCharsets.ISO_8859_1)
                    .lines()
                    .findFirst()
                    .orElse("nothing");
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

    @Test
    void whoSaidRememberMeOnOneIsRememberedOnBothWithoutASession() {
        Browser alice = new Browser();
        alice.post(
                pair.a,
                "j_spring_security_check",
                "",
                Map.of(
                        "j_username", "alice",
                        "j_password", "alice",
                        "remember_me", "on",
                        "from", "/"));
        for (JenkinsController on : List.of(pair.b, pair.a, pair.b)) {
            CookieStore store = alice.cookies.getCookieStore();
            for (HttpCookie cookie : List.copyOf(store.getCookies())) {
                if (!cookie.getName().equals("remember-me")) {
                    store.remove(null, cookie); // as when the browser was closed
                }
            }
            assertEquals("alice", alice.name(on));
        }
    }

    @Test
    void anApiTokenCountsOnBothInTurn() {
        for (int i = 0; i < 6; i++) {
            JenkinsController on = i % 2 == 0 ? pair.a : pair.b;
            JenkinsClient alice = SecuredPair.as(on, "alice");
            assertEquals("alice", alice.json("whoAmI/api/json").path("name").asText());
            assertEquals(201, alice.post("job/seen/build", Map.of()).statusCode());
        }
    }

    @Test
    void aLoginAtAnotherSiteThatBeganOnAIsFinishedOnB() {
        String realm = "jenkins.model.Jenkins.get().securityRealm = new %s; null";
        String theirs = "io.jenkins.plugins.ha.extensions.RedirectingRealm";
        groovy(
                pair.onA,
                "jenkins.model.Jenkins.get().securityRealm ="
                        + " jenkins.model.Jenkins.get().pluginManager.uberClassLoader.loadClass('"
                        + theirs
                        + "').newInstance(); null");
        try {
            Eventually.until(
                    "b has the realm",
                    AT_ONCE,
                    () ->
                            groovy(
                                            pair.onB,
                                            "println jenkins.model.Jenkins.get().securityRealm"
                                                    + ".class.name")
                                    .equals(theirs));
            for (String user : List.of("alice", "bob")) {
                Browser browser = new Browser();
                JenkinsController first = user.equals("alice") ? pair.a : pair.b;
                JenkinsController second = user.equals("alice") ? pair.b : pair.a;
                browser.get(second, "login"); // an older session, without anything of this login
                String away =
                        browser.get(first, "securityRealm/commenceLogin?from=whoAmI")
                                .headers()
                                .firstValue("Location")
                                .orElseThrow();
                String back =
                        "securityRealm/finishLogin?user=%s&state=%s"
                                .formatted(user, away.substring(away.indexOf('=') + 1));
                Browser another = new Browser();
                assertEquals(401, another.get(second, back).statusCode(), "of no use to others");
                HttpResponse<String> answer = browser.get(second, back);
                assertEquals(302, answer.statusCode(), answer.body());
                assertTrue(
                        answer.headers().firstValue("Location").orElse("").endsWith("/whoAmI"),
                        answer.headers().toString());
                for (JenkinsController on : List.of(second, first)) {
                    assertEquals(user, browser.name(on));
                }
                assertTrue(
                        browser.cookies.getCookieStore().getCookies().stream()
                                .noneMatch(c -> c.getName().endsWith("UNDER_WAY")),
                        "nothing of it is left in the browser");
            }
            String doctor = pair.onA.text("manage/ha/doctor/api/json");
            assertTrue(doctor.contains("RedirectingRealm.thread"), doctor);
        } finally {
            groovy(
                    pair.onB,
                    realm.formatted(
                            "hudson.security.HudsonPrivateSecurityRealm(false, false, null)"));
        }
    }
}
