package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.script;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Global settings are the cluster's: what is saved of one on a is in force on b. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarriedSettingsTest {
    private static final String MAILER = "Jenkins.get().getDescriptor('hudson.tasks.Mailer')";
    private static final String SHELL = "Jenkins.get().getDescriptor('hudson.tasks.Shell')";
    private static final String LOCATION = "jenkins.model.JenkinsLocationConfiguration.get()";
    private static final String CREDENTIALS =
            "com.cloudbees.plugins.credentials.SystemCredentialsProvider.instance";
    private static final String APPROVAL =
            "org.jenkinsci.plugins.scriptsecurity.scripts.ScriptApproval.get()";

    private TwoControllers two;

    @BeforeAll
    void start() {
        two =
                TwoControllers.start(
                        "carried-settings",
                        1,
                        "mailer",
                        "git",
                        "script-security",
                        "plain-credentials",
                        "pipeline-groovy-lib");
    }

    @AfterAll
    void stop() {
        if (two != null) {
            two.close();
        }
    }

    @Test
    void whatSomebodyPostedIsTheClustersThoughItsControllerDiesTheMomentAfterItAnswered() {
        String saved = "Jenkins.get().systemMessage = 'the last word'; Jenkins.get().save()";
        assertEquals(200, two.a().post("scriptText", Map.of("script", saved)).statusCode());
        two.controller("a").kill9();
        awaitOnB("Jenkins.get().systemMessage", "the last word");
        two.bothAlive();
    }

    @Test
    void whereASettingDiffersThatIsNotCarriedItIsToldAndNothingOfIt() {
        String write =
                "new File(Jenkins.get().rootDir, '%s').text ="
                        + " '<x plugin=\"p@%s\"><key>%s</key></x>'; null";
        String look =
                "def t = io.jenkins.plugins.ha.Membership.active().get().topology()\n"
                    + "t.@own = io.jenkins.plugins.ha.topology.ControllerFacts.here(); t.look();"
                    + " print t.problems()";
        for (String name : List.of("org.example.Same.xml", "org.example.Other.xml")) {
            script(two.a(), write.formatted(name, "1", "s3cret-one"));
            boolean same = name.contains("Same");
            script(two.b(), write.formatted(name, "2", same ? "s3cret-one" : "s3cret-two"));
        }
        script(two.a(), write.formatted("org.example.Alone.xml", "1", "s3cret-three"));
        script(two.a(), look);
        String told = script(two.b(), look);
        assertTrue(told.contains("org.example.Other.xml, which is not carried, is another"), told);
        assertTrue(told.contains("org.example.Alone.xml, which is not carried, is not here"), told);
        assertTrue(told.contains("since "), told);
        assertFalse(told.contains("org.example.Same.xml"), told);
        assertFalse(told.contains("s3cret"), told);
        String delete =
                "['Same', 'Other', 'Alone'].each { new File(Jenkins.get().rootDir,"
                        + " 'org.example.' + it + '.xml').delete() }; null";
        script(two.a(), delete);
        script(two.b(), delete);
    }

    @Test
    void whatADescriptorSavesIsInForceWithItsSecretsAndWithoutWhatWasEmptied() {
        script(
                two.a(),
                "def m = "
                        + MAILER
                        + "; m.smtpHost = 'mail.example.com'; m.authentication = new"
                        + " hudson.tasks.SMTPAuthentication('me',"
                        + " hudson.util.Secret.fromString('mail-s3cret')); m.save()");
        awaitOnB(
                MAILER + ".with { it.smtpHost + ' ' + it.authentication?.password?.plainText }",
                "mail.example.com mail-s3cret");
        script(two.b(), "def m = " + MAILER + "; m.authentication = null; m.save()");
        Eventually.until(
                "a sends without a password",
                SOON,
                () -> print(two.a(), MAILER + ".authentication").equals("null"));
        assertEquals("mail.example.com", print(two.a(), MAILER + ".smtpHost"));

        script(two.a(), "def s = " + SHELL + "; s.shell = '/bin/dash'; s.save()");
        awaitOnB(SHELL + ".shell", "/bin/dash");
        script(two.a(), "def s = " + SHELL + "; s.shell = null; s.save()");
        awaitOnB(SHELL + ".shell", "null");
        for (String name : List.of("a", "b")) {
            assertFalse(two.controller(name).logText().contains("mail-s3cret"));
        }
    }

    @Test
    void toolsAndLibrariesAreInForce() {
        script(
                two.a(),
                "def g = Jenkins.get().getDescriptor('hudson.plugins.git.GitTool')\n"
                        // Jenkins does not boot again with tools in an array of another type.
                        + "g.setInstallations([new hudson.plugins.git.GitTool('other',"
                        + " '/opt/git', [])] as hudson.plugins.git.GitTool[])\n"
                        + "g.save()");
        awaitOnB(
                "Jenkins.get().getDescriptor('hudson.plugins.git.GitTool').installations*.name",
                "[other]");
        script(
                two.a(),
                "import org.jenkinsci.plugins.workflow.libs.*\n"
                        + "def l = new LibraryConfiguration('shared', new SCMSourceRetriever(new"
                        + " jenkins.plugins.git.GitSCMSource('https://git.example.com/lib.git')))\n"
                        + "GlobalLibraries.get().libraries = [l]; GlobalLibraries.get().save()");
        awaitOnB(
                "org.jenkinsci.plugins.workflow.libs.GlobalLibraries.get().libraries*.name",
                "[shared]");
    }

    @Test
    void theAddressOfAnAdministratorIsSharedAndAControllersOwnUrlIsNot() throws IOException {
        String before = print(two.b(), LOCATION + ".url");
        assertFalse(before.equals(print(two.a(), LOCATION + ".url")), before);
        script(two.a(), LOCATION + ".adminAddress = 'admin@example.com'");
        awaitOnB(LOCATION + ".adminAddress", "admin@example.com");
        assertEquals(before, print(two.b(), LOCATION + ".url"));
        // b's own change carries the rest back without its URL.
        script(two.b(), LOCATION + ".adminAddress = 'other@example.com'");
        Eventually.until(
                "a has the other address",
                SOON,
                () -> print(two.a(), LOCATION + ".adminAddress").equals("other@example.com"));
        assertFalse(before.equals(print(two.a(), LOCATION + ".url")));
        String file =
                Files.readString(
                        two.stage()
                                .root()
                                .resolve("b/jenkins.model.JenkinsLocationConfiguration.xml"));
        assertTrue(file.contains(before), file);
    }

    @Test
    void systemCredentialsAreTheClusters() {
        script(
                two.a(),
                "import com.cloudbees.plugins.credentials.*\n"
                        + "def c = new org.jenkinsci.plugins.plaincredentials.impl"
                        + ".StringCredentialsImpl(CredentialsScope.GLOBAL, 'deploy', 'd',"
                        + " hudson.util.Secret.fromString('deploy-s3cret'))\n"
                        + CREDENTIALS
                        + ".store.addCredentials(domains.Domain.global(), c)");
        awaitOnB(CREDENTIALS + ".credentials*.secret*.plainText", "[deploy-s3cret]");
        script(
                two.b(),
                "import com.cloudbees.plugins.credentials.*\n"
                        + CREDENTIALS
                        + ".store.removeCredentials(domains.Domain.global(), "
                        + CREDENTIALS
                        + ".credentials[0])");
        Eventually.until(
                "a has it no more",
                SOON,
                () -> print(two.a(), CREDENTIALS + ".credentials*.id").equals("[]"));
        for (String name : List.of("a", "b")) {
            assertFalse(two.controller(name).logText().contains("deploy-s3cret"));
        }
    }

    @Test
    void scriptsAreApprovedOnce() {
        script(two.a(), APPROVAL + ".approveSignature('method java.lang.Object hashCode')");
        awaitOnB(
                APPROVAL + ".approvedSignatures.contains('method java.lang.Object hashCode')",
                "true");
    }

    @Test
    void theListCanBeChangedInTheSettings() {
        String cron = "Jenkins.get().getDescriptor('hudson.triggers.SCMTrigger')";
        String settings = "io.jenkins.plugins.ha.settings.HaConfiguration.get()";
        script(two.b(), settings + ".notCarried = 'hudson.triggers.SCMTrigger.xml'");
        script(two.a(), "def t = " + cron + "; t.pollingThreadCount = 7; t.save()");
        // What comes after it has come, so it would have, too.
        script(two.a(), "def s = " + SHELL + "; s.shell = '/bin/marker'; s.save()");
        awaitOnB(SHELL + ".shell", "/bin/marker");
        assertFalse(print(two.b(), cron + ".pollingThreadCount").equals("7"));
        script(two.b(), settings + ".notCarried = ''");
        script(two.b(), "io.jenkins.plugins.ha.Membership.active().get().carrying().lookSoon()");
        awaitOnB(cron + ".pollingThreadCount", "7");
    }

    @Test
    void whatAControllerCannotReadStaysAsItIsThereAndIsNotSavedOver() {
        // A file of a plugin that b does not have, in the place of one that b has.
        String path = "hudson.plugins.git.GitSCM.xml";
        String git = "Jenkins.get().getDescriptor('hudson.plugins.git.GitSCM')";
        script(two.a(), "def g = " + git + "; g.globalConfigName = 'first'; g.save()");
        awaitOnB(git + ".globalConfigName", "first");
        Path file = two.stage().root().resolve("a/" + path);
        script(
                two.a(),
                "def f = new File(Jenkins.get().rootDir, '"
                        + path
                        + "')\n"
                        + "f.text = f.text.replaceAll('plugin=\"git@', 'plugin=\"git-of-tomorrow@')"
                        + ".replace('>first<', '>second<')\n"
                        + "hudson.model.listeners.SaveableListener.fireOnChange("
                        + git
                        + ", new hudson.XmlFile(f))");
        Eventually.until(
                "b tells that it cannot read it",
                SOON,
                () -> troubles(two.b()).contains("git-of-tomorrow"));
        assertEquals("first", print(two.b(), git + ".globalConfigName"));
        script(two.b(), "def g = " + git + "; g.globalConfigName = 'third'; g.save()");
        Eventually.until(
                "b tells where its own is kept", SOON, () -> keptOnB().contains(">third<"));
        assertTrue(read(file).contains("git-of-tomorrow"), read(file));
        // A newer one that b can read ends it.
        script(two.a(), "def g = " + git + "; g.globalConfigName = 'fourth'; g.save()");
        awaitOnB(git + ".globalConfigName", "fourth");
        Eventually.until(
                "b tells nothing any more", SOON, () -> !troubles(two.b()).contains("GitSCM"));
    }

    private String keptOnB() {
        StringBuilder all = new StringBuilder();
        Path kept = two.stage().root().resolve("b/ha-jenkins/settings-kept");
        if (!Files.isDirectory(kept)) {
            return "";
        }
        try (var files = Files.walk(kept)) {
            files.filter(Files::isRegularFile).forEach(file -> all.append(read(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all.toString();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String troubles(JenkinsClient on) {
        return print(
                on, "io.jenkins.plugins.ha.Membership.active().get().carrying().troubles().all()");
    }

    private void awaitOnB(String expression, String value) {
        Eventually.until(
                "on b " + expression + " is " + value,
                SecuredPair.AT_ONCE,
                () -> print(two.b(), expression).equals(value));
    }

    private static String print(JenkinsClient on, String expression) {
        return script(on, "print " + expression).strip();
    }
}
