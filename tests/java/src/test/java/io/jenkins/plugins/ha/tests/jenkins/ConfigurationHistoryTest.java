package io.jenkins.plugins.ha.tests.jenkins;

import static io.jenkins.plugins.ha.tests.jenkins.TwoControllers.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Each form of a configuration is in a history, whoever made it, wherever, by whatever way. */
class ConfigurationHistoryTest {
    private static final String FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>";

    private static TwoControllers both;

    @BeforeAll
    static void start() {
        both =
                TwoControllers.start(
                        "configuration-history",
                        2,
                        ConfigurationHistoryTest::secured,
                        "cloudbees-folder",
                        "matrix-auth");
    }

    private static void secured(Stage stage, JenkinsController added) {
        if (stage.controllers().size() == 1) {
            stage.postgres().start();
        }
        added.environment("HA_JENKINS_DATABASE_URL", stage.postgres().url())
                .environment("HA_JENKINS_DATABASE_PASSWORD", stage.postgres().password())
                .environment("HA_JENKINS_NAME", stage.controllers().size() == 1 ? "a" : "b")
                .property("io.jenkins.plugins.ha.itemsComparedEverySeconds", "2")
                .property("hudson.security.ExtendedReadPermission", "true")
                .user("admin")
                .user(
                        "ada",
                        "hudson.model.Hudson.Read",
                        "hudson.model.Item.Read",
                        "hudson.model.Item.Configure",
                        "hudson.model.Item.Create")
                .user(
                        "reader",
                        "hudson.model.Hudson.Read",
                        "hudson.model.Item.Read",
                        "hudson.model.Item.ExtendedRead")
                .user("bob", "hudson.model.Hudson.Read", "hudson.model.Item.Read");
    }

    @AfterAll
    static void stop() {
        if (both != null) {
            both.close();
        }
    }

    private static JenkinsController controller(String name) {
        return (JenkinsController) both.controller(name);
    }

    private static JenkinsClient on(String controller, String user) {
        return SecuredPair.as(controller(controller), user);
    }

    private static void create(String job, String xml) {
        on("a", "admin").createJob(job, xml);
        Eventually.until("b has " + job, SOON, () -> on("b", "admin").hasJob(job));
    }

    private static List<JsonNode> forms(JenkinsClient on, String job) {
        JsonNode answer = on.json(JenkinsClient.jobPath(job) + "ha-history/api/json");
        return StreamSupport.stream(answer.path("forms").spliterator(), false).toList();
    }

    /** What happened, newest first: kind, author and controller. */
    private static List<String> story(JenkinsClient on, String job) {
        List<String> story = new ArrayList<>();
        for (JsonNode form : forms(on, job)) {
            story.add(
                    form.path("kind").asText()
                            + " "
                            + form.path("author").asText()
                            + " "
                            + form.path("controller").asText());
        }
        return story;
    }

    private static void awaitStory(String controller, String job, String... expected) {
        List<List<String>> last = new ArrayList<>();
        try {
            Eventually.until(
                    "the history of " + job + " on " + controller,
                    SOON,
                    () -> {
                        last.clear();
                        last.add(story(on(controller, "admin"), job));
                        return last.get(0).equals(List.of(expected));
                    });
        } catch (AssertionError e) {
            assertEquals(List.of(expected), last.isEmpty() ? null : last.get(0), e.getMessage());
            throw e;
        }
    }

    private static String xml(JenkinsClient on, String job, JsonNode form) {
        return on.text(
                JenkinsClient.jobPath(job) + "ha-history/form?id=" + form.path("id").asText());
    }

    private static String description(String controller, String job) {
        return JobForms.on(on(controller, "admin"), job, "print item.description");
    }

    private static Path file(String job) {
        return both.stage().shared().jobs().resolve(job).resolve("config.xml");
    }

    /** An edit by hand; so it is, too, when a controller has not heard of the other's change. */
    private static void edit(String job, String from, String to) throws IOException {
        Path draft = file(job).resolveSibling("config.draft");
        String text = Files.readString(file(job));
        assertTrue(text.contains(from), text);
        Files.writeString(draft, text.replace(from, to));
        Files.move(draft, file(job), StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void whatIsChangedByAnyWayOnOneIsShownOnTheOtherWithAuthorAndController() {
        create("ways", new FreestyleJob().shell("echo one").xml());
        assertEquals(
                302,
                on("a", "ada")
                        .post("job/ways/submitDescription", Map.of("description", "by form"))
                        .statusCode());
        awaitStory("b", "ways", "CHANGED ada a", "CREATED admin a");
        JobForms.post(on("a", "ada"), "ways", new FreestyleJob().shell("echo rest").xml());
        JobForms.on(on("b", "admin"), "ways", "item.description = 'by script'");
        assertEquals(
                0, on("a", "admin").cli(both.folder("cli"), "disable-job", "ways").await(SOON));
        String[] all = {
            "CHANGED admin a",
            "CHANGED admin b",
            "CHANGED ada a",
            "CHANGED ada a",
            "CREATED admin a"
        };
        for (String controller : List.of("a", "b")) {
            awaitStory(controller, "ways", all);
            List<JsonNode> forms = forms(on(controller, "ada"), "ways");
            assertTrue(forms.get(0).path("inForce").asBoolean());
            assertTrue(
                    xml(on(controller, "ada"), "ways", forms.get(0)).contains("<disabled>true<"));
            assertTrue(xml(on(controller, "ada"), "ways", forms.get(1)).contains("by script"));
            assertTrue(xml(on(controller, "ada"), "ways", forms.get(2)).contains("echo rest"));
            assertTrue(xml(on(controller, "ada"), "ways", forms.get(3)).contains("by form"));
            String page = on(controller, "ada").text("job/ways/ha-history/");
            assertTrue(page.contains("restore-" + forms.get(1).path("id").asText()), page);
            String difference =
                    on(controller, "ada")
                            .text(
                                    "job/ways/ha-history/difference?from="
                                            + forms.get(1).path("id").asText()
                                            + "&to="
                                            + forms.get(0).path("id").asText());
            assertTrue(difference.contains("+   &lt;disabled>true&lt;/disabled>"), difference);
            assertTrue(difference.contains("-   &lt;disabled>false&lt;/disabled>"), difference);
            assertTrue(on(controller, "ada").text("job/ways/").contains("ha-history"));
        }
    }

    @Test
    void whatIsRestoredOnOneIsInForceOnTheOther() {
        create("restored", new FreestyleJob().shell("echo one").xml());
        JobForms.on(on("a", "admin"), "restored", "item.description = 'good'");
        JobForms.on(on("a", "admin"), "restored", "item.description = 'bad'");
        awaitStory("b", "restored", "CHANGED admin a", "CHANGED admin a", "CREATED admin a");
        String good = forms(on("b", "ada"), "restored").get(1).path("id").asText();
        assertEquals(
                403,
                SecuredPair.send(
                                controller("b"),
                                "POST",
                                "ada",
                                "job/restored/ha-history/restore?id=" + good)
                        .statusCode(),
                "without a crumb");
        assertEquals(
                302,
                SecuredPair.byPassword(controller("b"), "ada")
                        .post("job/restored/ha-history/restore", Map.of("id", good))
                        .statusCode());
        for (String controller : List.of("a", "b")) {
            Eventually.until(
                    "it is in force on " + controller,
                    JobForms.IN_FORCE,
                    () -> description(controller, "restored").equals("good"));
        }
        awaitStory(
                "a",
                "restored",
                "CHANGED ada b",
                "CHANGED admin a",
                "CHANGED admin a",
                "CREATED admin a");
        String note = forms(on("a", "ada"), "restored").get(0).path("note").asText();
        assertTrue(note.startsWith("restored form " + good), note);
    }

    @Test
    void whatSomebodyWroteIntoTheDatabaseIsNotRestored() {
        create("forged", new FreestyleJob().shell("echo one").xml());
        JobForms.on(on("a", "admin"), "forged", "item.description = 'two'");
        awaitStory("b", "forged", "CHANGED admin a", "CREATED admin a");
        String first = forms(on("b", "admin"), "forged").get(1).path("id").asText();
        String other = forms(on("b", "admin"), "forged").get(0).path("id").asText();
        both.stage()
                .postgres()
                .rows(
                        "UPDATE ha_form SET (content, size, digest) = (SELECT content, size, digest"
                                + " FROM ha_form WHERE id = "
                                + other
                                + ") WHERE id = "
                                + first);
        HttpResponse<String> answer =
                on("b", "admin").post("job/forged/ha-history/restore", Map.of("id", first));
        assertEquals(409, answer.statusCode());
        assertTrue(answer.body().contains("changed in the database"), answer.body());
    }

    @Test
    void aNewNameKeepsTheHistoryAndAJobMadeAnewHasItsOwn() {
        create("folder", FOLDER);
        create("folder/job", new FreestyleJob().xml());
        JobForms.on(on("b", "admin"), "folder/job", "item.description = 'before'");
        awaitStory("a", "folder/job", "CHANGED admin b", "CREATED admin a");
        String old = forms(on("a", "admin"), "folder/job").get(1).path("id").asText();
        JobForms.on(on("a", "admin"), "folder/job", "item.renameTo('named')");
        JobForms.on(on("a", "admin"), "folder", "item.renameTo('moved')");
        Eventually.until("b has it", SOON, () -> on("b", "admin").hasJob("moved/named"));
        awaitStory("b", "moved/named", "MOVED admin a", "CHANGED admin b", "CREATED admin a");
        awaitStory("b", "moved", "MOVED admin a", "CREATED admin a");
        create("folder", FOLDER);
        awaitStory("b", "folder", "CREATED admin a");
        on("a", "admin").deleteJob("moved/named");
        Eventually.until("b follows", SOON, () -> !on("b", "admin").hasJob("moved/named"));
        create("moved/named", new FreestyleJob().shell("echo anew").xml());
        awaitStory("b", "moved/named", "CREATED admin a");
        assertEquals(
                404,
                on("b", "admin").get("job/moved/job/named/ha-history/form?id=" + old).statusCode(),
                "that was another job's");
    }

    @Test
    void soManyFormsAreKeptAndNoMore() {
        create("bounded", new FreestyleJob().xml());
        for (String controller : List.of("a", "b")) {
            TwoControllers.script(
                    on(controller, "admin"),
                    "io.jenkins.plugins.ha.settings.HaConfiguration.get().historyForms = 4");
        }
        for (int i = 1; i <= 6; i++) {
            String controller = i % 2 == 0 ? "a" : "b";
            String text = "form " + i;
            JobForms.on(on(controller, "admin"), "bounded", "item.description = '" + text + "'");
            for (String each : List.of("a", "b")) {
                Eventually.until(
                        text, JobForms.IN_FORCE, () -> description(each, "bounded").equals(text));
            }
        }
        awaitStory(
                "b",
                "bounded",
                "CHANGED admin a",
                "CHANGED admin b",
                "CHANGED admin a",
                "CHANGED admin b");
        for (String controller : List.of("a", "b")) {
            TwoControllers.script(
                    on(controller, "admin"),
                    "io.jenkins.plugins.ha.settings.HaConfiguration.get().historyForms = 50");
        }
    }

    @Test
    void whoMayNotConfigureSeesNoSecretAndRestoresNothing() {
        create(
                "secret",
                new FreestyleJob()
                        .property(
                                "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
                                    + "<hudson.model.PasswordParameterDefinition><name>P</name>"
                                    + "<defaultValue>s3cret</defaultValue>"
                                    + "</hudson.model.PasswordParameterDefinition>"
                                    + "</parameterDefinitions></hudson.model.ParametersDefinitionProperty>")
                        .xml());
        JobForms.on(on("a", "admin"), "secret", "item.description = 'saved'");
        awaitStory("b", "secret", "CHANGED admin a", "CREATED admin a");
        JsonNode newest = forms(on("b", "reader"), "secret").get(0);
        String whole = xml(on("b", "ada"), "secret", newest);
        assertTrue(whole.contains("<defaultValue>{AQAA"), whole);
        String redacted = xml(on("b", "reader"), "secret", newest);
        assertFalse(redacted.contains("AQAA"), redacted);
        assertTrue(redacted.contains("********"), redacted);
        assertEquals(on("b", "reader").text("job/secret/config.xml"), redacted, "as core does it");
        String page = on("b", "reader").text("job/secret/ha-history/");
        assertFalse(page.contains("restore-"), page);
        String difference =
                on("b", "reader")
                        .text(
                                "job/secret/ha-history/difference?from="
                                        + newest.path("before").asText()
                                        + "&to="
                                        + newest.path("id").asText());
        assertFalse(difference.contains("AQAA"), difference);
        assertEquals(
                403,
                on("b", "reader")
                        .post(
                                "job/secret/ha-history/restore",
                                Map.of("id", newest.path("before").asText()))
                        .statusCode());
        for (String path : List.of("", "api/json", "form?id=" + newest.path("id").asText())) {
            assertEquals(403, on("b", "bob").get("job/secret/ha-history/" + path).statusCode());
        }
        assertFalse(on("b", "bob").text("job/secret/").contains("ha-history"));
        assertEquals("saved", description("a", "secret"));
    }

    @Test
    void anEditByHandIsInItOnceThoughBothFindIt() throws IOException {
        create("by-hand", new FreestyleJob().shell("echo one").xml());
        awaitStory("b", "by-hand", "CREATED admin a");
        edit("by-hand", "echo one", "echo two");
        for (String controller : List.of("a", "b")) {
            Eventually.until(
                    "it is in force on " + controller,
                    SOON,
                    () ->
                            JobForms.on(
                                            on(controller, "admin"),
                                            "by-hand",
                                            "print item.buildersList[0].command")
                                    .equals("echo two"));
        }
        JobForms.on(on("b", "admin"), "by-hand", "item.description = 'after'");
        Eventually.until("a, too", SOON, () -> description("a", "by-hand").equals("after"));
        JobForms.on(on("a", "admin"), "by-hand", "item.description = 'last'");
        Eventually.until(
                "all of it is there", SOON, () -> story(on("b", "admin"), "by-hand").size() >= 4);
        List<String> kinds =
                story(on("b", "admin"), "by-hand").stream().map(s -> s.split(" ")[0]).toList();
        assertEquals(List.of("CHANGED", "CHANGED", "FOUND", "CREATED"), kinds);
    }

    @Test
    void ofTwoMadeAtOnceTheOtherIsKeptAndItsAuthorIsToldWhere() throws IOException {
        create("at-once", new FreestyleJob().shell("echo one").xml());
        JobForms.on(on("b", "admin"), "at-once", "item.description = 'first'");
        Eventually.until("a has it", SOON, () -> description("a", "at-once").equals("first"));
        String mine = "mine";
        HttpResponse<String> answer = atOnce("first", "theirs", mine);
        // where b has found the other's change before this one comes, it is taken
        for (int i = 1; i <= 5 && answer.statusCode() == 302; i++) {
            String taken = mine;
            Eventually.until("a has it", SOON, () -> description("a", "at-once").equals(taken));
            mine = "mine " + i;
            answer = atOnce(taken, "theirs", mine);
        }
        String refusedText = mine;
        assertEquals(409, answer.statusCode(), answer.body());
        assertTrue(answer.body().contains("another controller has changed it"), answer.body());
        assertTrue(answer.body().contains("job/at-once/ha-history/"), answer.body());
        for (String controller : List.of("a", "b")) {
            Eventually.until(
                    "one form holds on " + controller,
                    JobForms.IN_FORCE,
                    () -> description(controller, "at-once").equals("theirs"));
            Eventually.until(
                    "the other is kept",
                    SOON,
                    () -> story(on(controller, "ada"), "at-once").contains("REFUSED ada b"));
        }
        JsonNode refused =
                forms(on("a", "ada"), "at-once").stream()
                        .filter(form -> form.path("kind").asText().equals("REFUSED"))
                        .findFirst()
                        .orElseThrow();
        assertFalse(refused.path("inForce").asBoolean());
        assertTrue(xml(on("a", "ada"), "at-once", refused).contains(refusedText));
        assertTrue(on("a", "ada").text("job/at-once/ha-history/").contains("not in force"));
        // Its author may still have it.
        assertEquals(
                302,
                on("a", "ada")
                        .post(
                                "job/at-once/ha-history/restore",
                                Map.of("id", refused.path("id").asText()))
                        .statusCode());
        Eventually.until(
                "b has it",
                JobForms.IN_FORCE,
                () -> description("b", "at-once").equals(refusedText));
    }

    private static HttpResponse<String> atOnce(String before, String theirs, String mine)
            throws IOException {
        edit("at-once", before, theirs);
        return on("b", "ada").post("job/at-once/submitDescription", Map.of("description", mine));
    }

    @Test
    void whatWasDeletedIsListedWithItsAuthorAndAnAdministratorMakesItAgain() {
        create("deleted", new FreestyleJob().shell("echo kept").xml());
        on("b", "admin").deleteJob("deleted");
        Eventually.until("a follows", SOON, () -> !on("a", "admin").hasJob("deleted"));
        JsonNode[] found = {null};
        Eventually.until(
                "a lists it",
                SOON,
                () -> {
                    for (JsonNode form :
                            on("a", "admin").json("manage/ha-history/api/json").path("deleted")) {
                        if (form.path("subject").asText().equals("deleted")) {
                            found[0] = form;
                        }
                    }
                    return found[0] != null;
                });
        assertEquals("admin", found[0].path("author").asText());
        assertEquals("b", found[0].path("controller").asText());
        String id = found[0].path("id").asText();
        assertTrue(on("a", "admin").text("manage/ha-history/").contains("restore-" + id));
        assertEquals(403, on("a", "ada").get("manage/ha-history/form?id=" + id).statusCode());
        assertEquals(
                403,
                on("a", "ada").post("manage/ha-history/restore", Map.of("id", id)).statusCode());
        assertEquals(
                302,
                on("a", "admin").post("manage/ha-history/restore", Map.of("id", id)).statusCode());
        Eventually.until("b has it again", SOON, () -> on("b", "admin").hasJob("deleted"));
        assertEquals(
                "echo kept",
                JobForms.on(on("b", "admin"), "deleted", "print item.buildersList[0].command"));
        awaitStory("b", "deleted", "CREATED admin a");
    }

    @Test
    void theFormsOfASettingAreListedAndOneIsInForceOnAllWhenItIsRestored() {
        for (String text : List.of("first", "second")) {
            TwoControllers.script(
                    on("a", "admin"), "Jenkins.get().systemMessage = '" + text + "'; null");
            Eventually.until("b has it", SOON, () -> message("b").equals(text));
        }
        String path = "manage/ha-history/api/json?path=config.xml";
        Eventually.until(
                "both are listed",
                SOON,
                () -> on("b", "admin").json(path).path("forms").size() >= 3);
        assertTrue(
                on("b", "admin")
                        .json("manage/ha-history/api/json")
                        .path("settings")
                        .toString()
                        .contains("config.xml"));
        JsonNode forms = on("b", "admin").json(path).path("forms");
        assertEquals("a", forms.get(0).path("controller").asText());
        assertEquals("admin", forms.get(0).path("author").asText());
        JsonNode first = forms.get(1);
        String id = first.path("id").asText();
        assertTrue(on("b", "admin").text("manage/ha-history/form?id=" + id).contains("first"));
        String page = on("b", "admin").text("manage/ha-history/setting?path=config.xml");
        assertTrue(page.contains("restore-" + id), page);
        assertTrue(
                on("b", "admin")
                        .text(
                                "manage/ha-history/difference?from="
                                        + id
                                        + "&to="
                                        + forms.get(0).path("id").asText())
                        .contains("+   &lt;systemMessage>second"));
        assertEquals(
                302,
                on("b", "admin").post("manage/ha-history/restore", Map.of("id", id)).statusCode());
        for (String controller : List.of("a", "b")) {
            Eventually.until(
                    "it is in force on " + controller,
                    SOON,
                    () -> message(controller).equals("first"));
        }
        Eventually.until(
                "it is a form of its own",
                SOON,
                () -> {
                    JsonNode newest = on("a", "admin").json(path).path("forms").get(0);
                    return newest.path("note").asText().startsWith("restored form " + id)
                            && newest.path("controller").asText().equals("b")
                            && newest.path("author").asText().equals("admin");
                });
    }

    private static String message(String controller) {
        return TwoControllers.script(on(controller, "admin"), "print Jenkins.get().systemMessage")
                .strip();
    }

    @Test
    void nothingIsLostWhileTheDatabaseIsAwayNorWithTheControllerThatDiesThen() {
        create("away", new FreestyleJob().xml());
        awaitStory("b", "away", "CREATED admin a");
        both.stage().postgres().kill9();
        Eventually.until(
                "the page says so",
                SOON,
                () -> on("a", "admin").get("job/away/ha-history/api/json").statusCode() == 503);
        assertTrue(on("a", "admin").text("job/away/ha-history/").contains("jenkins-alert-warning"));
        JobForms.on(on("a", "admin"), "away", "item.description = 'without'");
        JobForms.on(on("a", "admin"), "away", "item.description = 'still without'");
        Eventually.until(
                "it waits on the disk",
                SOON,
                () ->
                        TwoControllers.script(
                                        on("a", "admin"),
                                        "print io.jenkins.plugins.ha.records.BuildRecords.active()"
                                                + ".get().state().waiting()")
                                .strip()
                                .equals("2"));
        both.controller("a").kill9();
        both.stage().postgres().start();
        both.controller("a").start();
        both.controller("a").awaitUp(Stage.UP);
        awaitStory("b", "away", "CHANGED admin a", "CHANGED admin a", "CREATED admin a");
        assertEquals("still without", description("b", "away"));
    }
}
