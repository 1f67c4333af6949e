package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.AT_ONCE;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.groovy;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.figure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Users are the cluster's: what changes of one on a is in force on b. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarriedUsersTest {
    private SecuredPair pair;

    @BeforeAll
    void start() {
        pair = SecuredPair.open("carried-users");
    }

    @AfterAll
    void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void aNewPasswordCountsAndTheOldOneNoMore() {
        assertEquals(200, whoOnB("alice", "alice"));
        groovy(
                pair.onA,
                "def u = User.getById('alice', false)\n"
                        + "u.addProperty(hudson.security.HudsonPrivateSecurityRealm.Details"
                        + ".fromPlainPassword('wonderland'))");
        Eventually.until(
                "b takes the new password", AT_ONCE, () -> whoOnB("alice", "wonderland") == 200);
        assertEquals(401, whoOnB("alice", "alice"));
        groovy(
                pair.onB,
                "def u = User.getById('alice', false)\n"
                        + "u.addProperty(hudson.security.HudsonPrivateSecurityRealm.Details"
                        + ".fromPlainPassword('alice'))");
        Eventually.until(
                "a takes the old one again",
                AT_ONCE,
                () -> status(pair.a.client().as("alice", "alice")) == 200);
    }

    @Test
    void aTokenCountsAtOnceAndNoMoreOnceItIsRevoked() {
        String[] token =
                groovy(
                                pair.onA,
                                "def p = User.getById('bob', false).getProperty("
                                        + "jenkins.security.ApiTokenProperty)\n"
                                        + "def t = p.generateNewToken('carried')\n"
                                        + "p.user.save()\n"
                                        + "println t.tokenUuid + ' ' + t.plainValue")
                        .strip()
                        .split(" ");
        Eventually.until("b takes the token", AT_ONCE, () -> whoOnB("bob", token[1]) == 200);
        groovy(
                pair.onB,
                "def p = User.getById('bob', false).getProperty("
                        + "jenkins.security.ApiTokenProperty)\n"
                        + "assert p.tokenStore.revokeToken('"
                        + token[0]
                        + "') != null\n"
                        + "p.user.save()");
        Eventually.until(
                "a refuses the token",
                AT_ONCE,
                () -> status(pair.a.client().as("bob", token[1])) == 401);
        assertEquals(401, whoOnB("bob", token[1]));
    }

    @Test
    void aNewUserIsEverywhereAndADeletedOneNowhere() throws IOException {
        groovy(pair.onA, "Jenkins.get().securityRealm.createAccount('carol', 'carol')");
        Eventually.until("b knows carol", AT_ONCE, () -> knows(pair.onB, "carol"));
        Eventually.until("carol logs in on b", AT_ONCE, () -> session("carol", "carol") != null);
        assertEquals(1, folders(pair.b.home(), "carol_"));
        groovy(pair.onB, "User.getById('carol', false).delete()");
        Eventually.until("a does not know carol", AT_ONCE, () -> !knows(pair.onA, "carol"));
        Eventually.until(
                "her folder is gone", AT_ONCE, () -> folders(pair.a.home(), "carol_") == 0);
        assertEquals(401, status(pair.a.client().as("carol", "carol")));
        // Made anew, she is a new one.
        groovy(pair.onA, "Jenkins.get().securityRealm.createAccount('carol', 'second')");
        Eventually.until("b knows her again", AT_ONCE, () -> session("carol", "second") != null);
        groovy(pair.onA, "User.getById('carol', false).delete()");
        Eventually.until("b does not know carol", AT_ONCE, () -> !knows(pair.onB, "carol"));
    }

    @Test
    void whatIsSavedOfAUserThatWasHeldWhileAnotherChangeCameIsInForceOnBoth() {
        groovy(
                pair.onA,
                "System.properties.put('test.held.user', User.getById('dora', false)); println 1");
        describe(pair.onB, "dora", "by b");
        Eventually.until("a has b's", SOON, () -> description(pair.onA, "dora").equals("by b"));
        groovy(
                pair.onA,
                "def u = System.properties.remove('test.held.user'); u.description = 'held';"
                        + " u.save(); println 1");
        for (JenkinsClient on : List.of(pair.onB, pair.onA)) {
            Eventually.until(
                    on.url() + " has what was saved last",
                    SOON,
                    () -> description(on, "dora").equals("held"));
        }
    }

    @Test
    void aSessionOnBEndsWhenItsUserIsLoggedOutOnA() {
        JenkinsClient session = session("bob", "bob");
        assertEquals("bob", name(session));
        groovy(
                pair.onA,
                "def u = User.getById('bob', false)\n"
                        + "u.getProperty(jenkins.security.seed.UserSeedProperty).renewSeed()\n"
                        + "u.save()");
        Eventually.until("the session on b is over", AT_ONCE, () -> name(session).isEmpty());
    }

    @Test
    void theSecondOfTwoChangesAtOnceIsToldAndKeptAside() throws Exception {
        groovy(
                pair.onB,
                "def known = io.jenkins.plugins.ha.Membership.active().get().carrying()"
                        + ".@exchange.@known\n"
                        + "System.setProperty('test.held', '')\n"
                        + "Thread.start { synchronized (known) { System.setProperty('test.held',"
                        + " 'yes'); while (System.getProperty('test.held') == 'yes')"
                        + " Thread.sleep(10) } }\n"
                        + "while (System.getProperty('test.held') != 'yes') Thread.sleep(10)");
        describe(pair.onA, "eve", "by a");
        describe(pair.onB, "eve", "by b");
        groovy(pair.onB, "System.setProperty('test.held', 'no')");
        Eventually.until("b has a's", SOON, () -> description(pair.onB, "eve").equals("by a"));
        assertEquals("by a", description(pair.onA, "eve"));
        String told =
                groovy(
                        pair.onB,
                        "println io.jenkins.plugins.ha.Membership.active().get().carrying()"
                                + ".troubles().all()");
        assertTrue(told.contains("was not taken"), told);
        try (Stream<Path> kept = Files.walk(pair.b.home().resolve("ha-jenkins/settings-kept"))) {
            List<String> texts =
                    kept.filter(Files::isRegularFile).map(CarriedUsersTest::read).toList();
            assertTrue(texts.stream().anyMatch(text -> text.contains("by b")), texts.toString());
        }
        // The next change on b is made from what holds.
        describe(pair.onB, "eve", "by b again");
        Eventually.until(
                "a has b's", SOON, () -> description(pair.onA, "eve").equals("by b again"));
    }

    @Test
    void whoPostsOnBChangesWhatHasJustBeenChangedOnA() {
        // Its news are held up until a request waits for them; posts of this test would, too.
        groovy(
                pair.onB,
                "def carrying = io.jenkins.plugins.ha.Membership.active().get().carrying()\n"
                        + "Thread.start { synchronized (carrying.@exchange.@known) {\n"
                        + "  System.out.println 'TEST: held'\n"
                        + "  while (carrying.@followed.@done == carrying.@followed.@came)"
                        + " Thread.sleep(10)\n"
                        + "  System.out.println 'TEST: heard'\n"
                        + "  def end = System.currentTimeMillis() + 30_000\n"
                        + "  while (System.currentTimeMillis() < end && !Thread.allStackTraces"
                        + ".values().any { it.any { it.methodName == 'awaitFollowed' } })"
                        + " Thread.sleep(10)\n"
                        + "} }");
        Eventually.until("held", SOON, () -> pair.b.logText().contains("TEST: held"));
        describe(pair.onA, "eve", "from a");
        Eventually.until("b was told", SOON, () -> pair.b.logText().contains("TEST: heard"));
        groovy(
                pair.onB,
                "def u = User.getById('eve', false)\n"
                        + "u.fullName = u.description + ' and b'\n"
                        + "u.save()");
        Eventually.until(
                "a has both",
                SOON,
                () ->
                        groovy(pair.onA, "println User.getById('eve', false).fullName")
                                .equals("from a and b"));
        assertEquals("from a", description(pair.onA, "eve"));
    }

    @Test
    void changesAreInForceInATime() {
        long[] millis = new long[20];
        for (int i = 0; i < millis.length; i++) {
            String text = "round " + i;
            long before = System.nanoTime();
            describe(pair.onA, "dora", text);
            Eventually.until("b has it", SOON, () -> description(pair.onB, "dora").equals(text));
            millis[i] = (System.nanoTime() - before) / 1_000_000;
        }
        Arrays.sort(millis);
        figure("user in force on the other, with two requests, p50", millis[10], "ms");
        figure("user in force on the other, with two requests, worst", millis[19], "ms");
        assertFalse(pair.a.logText().contains("failed and goes on"));
    }

    private int whoOnB(String user, String secret) {
        return status(pair.b.client().as(user, secret));
    }

    private static int status(JenkinsClient client) {
        return client.get("me/api/json").statusCode();
    }

    private static boolean knows(JenkinsClient on, String user) {
        return groovy(on, "println User.getById('" + user + "', false) != null").equals("true");
    }

    private static void describe(JenkinsClient on, String user, String text) {
        groovy(
                on,
                "def u = User.getById('%s', false); u.description = '%s'; u.save()"
                        .formatted(user, text));
    }

    private static String description(JenkinsClient on, String user) {
        return groovy(on, "println User.getById('" + user + "', false).description");
    }

    /** A browser that is logged in on b; null when it is not let in. */
    private JenkinsClient session(String user, String password) {
        JenkinsClient browser = pair.b.client();
        browser.post(
                "j_spring_security_check",
                Map.of("j_username", user, "j_password", password, "from", "/"));
        return name(browser).equals(user) ? browser : null;
    }

    /** Who a browser is; "" for nobody. */
    private static String name(JenkinsClient browser) {
        String name = browser.json("whoAmI/api/json").path("name").asText();
        return name.equals("anonymous") ? "" : name;
    }

    private static long folders(Path home, String prefix) {
        try (Stream<Path> all = Files.list(home.resolve("users"))) {
            return all.filter(f -> f.getFileName().toString().startsWith(prefix)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
