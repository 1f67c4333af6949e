package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.AT_ONCE;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.SecuredPair.groovy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Jenkins' own settings are the cluster's: security, views, what is global. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarriedSecurityTest {
    private static final String JENKINS = "jenkins.model.Jenkins.get()";

    private SecuredPair pair;

    @BeforeAll
    void start() {
        pair = SecuredPair.open("carried-security");
        pair.createJob("seen", new FreestyleJob().shell("true").xml());
    }

    @AfterAll
    void stop() {
        if (pair != null) {
            pair.close();
        }
    }

    @Test
    void aPermissionThatIsTakenOnAIsTakenOnBAndOneThatIsGivenIsGiven() {
        JenkinsClient bob = SecuredPair.as(pair.b, "bob");
        assertEquals(200, bob.get("job/seen/api/json").statusCode());
        grant(pair.onA, "bob", "hudson.model.Item.Read", false);
        Eventually.until(
                "bob does not see the job on b any more",
                AT_ONCE,
                () -> bob.get("job/seen/api/json").statusCode() == 404);
        grant(pair.onB, "bob", "hudson.model.Item.Read", true);
        Eventually.until(
                "bob sees it on a",
                AT_ONCE,
                () -> SecuredPair.as(pair.a, "bob").get("job/seen/api/json").statusCode() == 200);
        assertEquals(200, bob.get("job/seen/api/json").statusCode());
    }

    @Test
    void viewsAndWhatIsGlobalAreInForceAndTheBuiltInNodeStaysTheControllersOwn() {
        groovy(pair.onB, JENKINS + ".setNumExecutors(7); " + JENKINS + ".labelString = 'own'");
        groovy(
                pair.onA,
                "def j = "
                        + JENKINS
                        + "\n"
                        + "j.addView(new hudson.model.ListView('builders'))\n"
                        + "j.getView('builders').add(j.getItem('seen'))\n"
                        + "j.systemMessage = 'Maintenance on Sunday'\n"
                        + "j.globalNodeProperties.add(new hudson.slaves"
                        + ".EnvironmentVariablesNodeProperty(new hudson.slaves"
                        + ".EnvironmentVariablesNodeProperty.Entry('WHERE', 'cluster')))\n"
                        + "j.markupFormatter = new hudson.markup.EscapedMarkupFormatter()\n"
                        + "j.save()");
        Eventually.until(
                "b shows the view",
                AT_ONCE,
                () -> pair.onB.get("view/builders/api/json").statusCode() == 200);
        assertTrue(pair.onB.text("view/builders/api/json").contains("seen"));
        assertTrue(pair.onB.text("").contains("Maintenance on Sunday"));
        assertTrue(
                groovy(pair.onB, "println " + JENKINS + ".globalNodeProperties*.envVars")
                        .contains("WHERE"));
        assertEquals("7 own", groovy(pair.onB, ownOf()));
        groovy(pair.onA, "def j = " + JENKINS + "; j.systemMessage = null; j.save()");
        Eventually.until(
                "b shows no message",
                AT_ONCE,
                () -> !pair.onB.text("").contains("Maintenance on Sunday"));
        groovy(pair.onB, JENKINS + ".deleteView(" + JENKINS + ".getView('builders'))");
        Eventually.until(
                "a does not show the view",
                AT_ONCE,
                () -> pair.onA.get("view/builders/api/json").statusCode() == 404);
        assertFalse(groovy(pair.onA, ownOf()).contains("own"));
        assertEquals("7 own", groovy(pair.onB, ownOf()));
    }

    @Test
    void anotherRealmTakesItsLoginsAtOnce() {
        String signup = "println " + JENKINS + ".securityRealm.allowsSignup()";
        assertEquals("false", groovy(pair.onB, signup));
        assertEquals(404, pair.b.client().get("signup").statusCode());
        groovy(
                pair.onA,
                JENKINS
                        + ".securityRealm = new hudson.security.HudsonPrivateSecurityRealm(true,"
                        + " false, null)");
        Eventually.until(
                "b lets people sign up", AT_ONCE, () -> groovy(pair.onB, signup).equals("true"));
        JenkinsClient alice = pair.b.client();
        alice.post(
                "j_spring_security_check",
                Map.of("j_username", "alice", "j_password", "alice", "from", "/"));
        assertEquals("alice", alice.json("whoAmI/api/json").path("name").asText());
        groovy(
                pair.onA,
                JENKINS
                        + ".securityRealm = new hudson.security.HudsonPrivateSecurityRealm(false,"
                        + " false, null)");
        Eventually.until("b does not", AT_ONCE, () -> groovy(pair.onB, signup).equals("false"));
    }

    @Test
    void noPageFailsWhileSettingsChange() throws InterruptedException {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger pages = new AtomicInteger();
        AtomicReference<String> failed = new AtomicReference<>("");
        Thread reader =
                new Thread(
                        () -> {
                            JenkinsClient alice = SecuredPair.as(pair.b, "alice");
                            while (!over.get()) {
                                int status = alice.get("api/json?tree=jobs[name]").statusCode();
                                int view = alice.get("view/all/api/json").statusCode();
                                pages.addAndGet(2);
                                if (status != 200 || view != 200) {
                                    failed.set(status + " " + view);
                                }
                            }
                        });
        reader.start();
        for (int i = 0; i < 40; i++) {
            String message = "message " + i;
            groovy(
                    pair.onA,
                    "def j = " + JENKINS + "; j.systemMessage = '" + message + "'; j.save()");
            if (i % 10 == 9) {
                Eventually.until(
                        "b says " + message,
                        SOON,
                        () ->
                                groovy(pair.onB, "println " + JENKINS + ".systemMessage")
                                        .equals(message));
            }
        }
        over.set(true);
        reader.join();
        assertEquals("", failed.get(), pages + " pages");
    }

    private static String ownOf() {
        return "println " + JENKINS + ".numExecutors + ' ' + " + JENKINS + ".labelString";
    }

    private static void grant(JenkinsClient on, String user, String permission, boolean given) {
        groovy(
                on,
                """
                import org.jenkinsci.plugins.matrixauth.*
                def j = jenkins.model.Jenkins.get()
                def old = j.authorizationStrategy
                def s = new hudson.security.GlobalMatrixAuthorizationStrategy()
                def gone = hudson.security.Permission.fromId('%2$s')
                old.grantedPermissionEntries.each { p, entries -> entries.each { e ->
                  if (!(p == gone && e.sid == '%1$s')) s.add(p, e) } }
                if (%3$s) s.add(gone, new PermissionEntry(AuthorizationType.USER, '%1$s'))
                j.authorizationStrategy = s
                """
                        .formatted(user, permission, given));
    }
}
