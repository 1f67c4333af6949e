package io.jenkins.plugins.ha.tests.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BuildPage;
import io.jenkins.plugins.ha.bridge.BuildQuery;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.ConfigForm;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsSettings;
import io.jenkins.plugins.ha.bridge.RecordsState;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Every call of the build records does on SQLite what its Javadoc says. */
class RecordsTest {
    private static final byte[] XML = "<build>ä</build>\u0000".getBytes(StandardCharsets.UTF_8);
    private static final long LONG = 20_000;

    @TempDir Path folder;

    @Test
    void aRowComesBackAsItWasSaved() {
        try (Records a = open("a");
                Records b = open("b")) {
            Map<String, String> parameters = new LinkedHashMap<>();
            parameters.put("Z", "ä 𝄞");
            parameters.put("A", "");
            parameters.put("SECRET", "****");
            BuildRow row =
                    BuildRow.of(
                            "folder/job ä",
                            3,
                            "queueId",
                            1L << 40,
                            "controllerId",
                            "a",
                            "controllerName",
                            "controller a",
                            "incarnation",
                            "a1",
                            "epoch",
                            7,
                            "result",
                            "UNSTABLE",
                            "startedMillis",
                            1_700_000_000_000L,
                            "durationMillis",
                            1234,
                            "displayName",
                            "name",
                            "description",
                            "a description\nof two lines",
                            "keep",
                            true,
                            "agent",
                            "agent",
                            "causes",
                            List.of("cause 1", "cause 2"),
                            "users",
                            List.of("ada"),
                            "parameters",
                            parameters,
                            "commits",
                            List.of("0123456789abcdef"),
                            "xml",
                            XML,
                            "damage",
                            "its file is torn");
            save(a, row, false);
            BuildRow found = b.find("folder/job ä", 3).orElseThrow();
            assertArrayEquals(XML, found.xml());
            assertEquals(1, found.version());
            assertEquals(List.of("Z", "A", "SECRET"), new ArrayList<>(found.parameters().keySet()));
            assertEquals(stripped(row, 1), stripped(found, 1));
            assertTrue(found.unreadable());
            assertEquals(Optional.empty(), b.find("folder/job ä", 4));

            BuildPage page = b.query(BuildQuery.ofJob("folder/job ä", "", 10));
            assertEquals("", page.next());
            assertEquals(stripped(row, 1), stripped(page.builds().get(0), 1));
            assertNull(page.builds().get(0).xml());
        }
    }

    @Test
    void theHistoryOfAConfigurationComesBackAsItWasTold() {
        try (Records a = open("a");
                Records b = open("b")) {
            a.record(form("job ä", ConfigForm.Kind.CREATED, "", XML), 50);
            a.record(
                    form(
                            "job ä",
                            ConfigForm.Kind.CHANGED,
                            "a note",
                            "two".getBytes(StandardCharsets.UTF_8)),
                    50);
            a.record(form("new", ConfigForm.Kind.MOVED, "job ä", null), 50);
            a.record(form("gone", ConfigForm.Kind.DELETED, "", XML), 50);
            a.forgetForms(1);
            save(a, row("a", 1, BuildRow.State.ENDED, "SUCCESS"), false);
            List<ConfigForm> forms = b.forms("new", 10);
            assertEquals(
                    List.of(
                            ConfigForm.Kind.MOVED,
                            ConfigForm.Kind.CHANGED,
                            ConfigForm.Kind.CREATED),
                    forms.stream().map(ConfigForm::kind).toList());
            assertEquals(List.of(), b.forms("job ä", 10));
            assertEquals(1, b.forms("new", 1).size());
            ConfigForm first = forms.get(2);
            assertEquals("ada", first.author());
            assertEquals("a", first.controllerId());
            assertEquals("controller a", first.controllerName());
            assertEquals("base", first.base());
            assertEquals("seal", first.seal());
            assertTrue(first.madeMillis() > 0);
            assertNull(first.text());
            assertTrue(first.wasInForce());
            assertFalse(forms.get(0).wasInForce());
            assertEquals("a note", forms.get(1).note());
            assertArrayEquals(XML, b.form(first.id()).orElseThrow().text());
            assertEquals(Optional.empty(), b.form(1_000_000));
            assertEquals(Map.of("new", forms.get(1).digest()), b.newestForms());
            assertEquals("gone", b.deletedForms(10).get(0).subject());
            assertThrows(
                    HaException.Invalid.class,
                    () -> a.record(form("", ConfigForm.Kind.CHANGED, "", XML), 50));
        }
    }

    private static ConfigForm form(String subject, ConfigForm.Kind kind, String note, byte[] text) {
        return new ConfigForm(
                0, subject, kind, 0, "ada", "a", "controller a", note, "base", "", "seal", text);
    }

    @Test
    void anotherControllerSeesEditsDeletesAndAdopts() {
        try (Records a = open("a");
                Records b = open("b")) {
            save(a, row("a", 1, BuildRow.State.RUNNING, ""), false);
            save(a, row("a", 2, BuildRow.State.RUNNING, ""), false);
            assertEquals(2, b.running("").size());
            assertEquals(2, b.running("a").size());
            assertEquals(0, b.running("b").size());

            save(b, row("b", 1, BuildRow.State.ENDED, "FAILURE"), false);
            assertEquals(BuildRow.State.RUNNING, a.find("job", 1).orElseThrow().state());
            assertEquals(1, b.counts().get("refused"));
            save(a, row("a", 1, BuildRow.State.ENDED, "SUCCESS"), false);
            assertEquals("SUCCESS", b.find("job", 1).orElseThrow().result());
            save(b, row("b", 1, BuildRow.State.ENDED, "UNSTABLE"), true);
            assertEquals("UNSTABLE", a.find("job", 1).orElseThrow().result());
            assertEquals("a", a.find("job", 1).orElseThrow().controllerId());

            assertTrue(b.adopt("job", 2, "b", "b1", 9));
            assertFalse(b.adopt("job", 1, "b", "b1", 9));
            assertEquals(1, b.running("b").size());

            b.delete("job", 1);
            assertTrue(b.flush("job", 1, LONG));
            assertEquals(BuildRow.State.DELETED, a.find("job", 1).orElseThrow().state());
            assertArrayEquals(new long[] {2, 2}, a.numbers("job"));
            assertEquals(2, a.highest("job"));

            a.rename("job", "other");
            save(a, row("a", "other", 3, BuildRow.State.ENDED, "SUCCESS"), false);
            assertEquals(3, b.newest("other", List.of("SUCCESS"), 0).orElseThrow().number());
            assertEquals(Optional.empty(), b.newest("other", List.of(), 3));
            a.deleteJob("other", "id");
            save(a, row("a", "third", 1, BuildRow.State.ENDED, "SUCCESS"), false);
            assertEquals(List.of("third#1"), found(b, any(10)));
        }
    }

    @Test
    void pagesFollowEachOther() {
        try (Records a = open("a")) {
            for (int number = 1; number <= 25; number++) {
                a.save(row("a", number, BuildRow.State.ENDED, "SUCCESS"), false);
            }
            assertTrue(a.flush("job", 25, LONG));
            List<String> all = new ArrayList<>();
            String after = "";
            do {
                BuildPage page = a.query(BuildQuery.ofJob("job", after, 10));
                page.builds().forEach(row -> all.add(row.job() + "#" + row.number()));
                after = page.next();
            } while (!after.isEmpty());
            assertEquals(IntStream.range(0, 25).mapToObj(i -> "job#" + (25 - i)).toList(), all);
            assertEquals(25, found(a, any(1000)).size());
            assertThrows(HaException.Invalid.class, () -> a.query(any(0)));
            BuildQuery none =
                    new BuildQuery(
                            List.of(), null, null, null, null, null, null, null, null, 0, 0, null,
                            10);
            assertEquals(List.of(), found(a, none));
            BuildQuery bySuccess =
                    new BuildQuery(null, "SUCCESS", "", "", "", "", "a", "", "", 0, 0, "", 3);
            assertEquals(List.of("job#25", "job#24", "job#23"), found(a, bySuccess));
        }
    }

    @Test
    void settingsAreTriedAndRefusedWithASentence() throws Exception {
        String found = Records.test(settings("a", "sqlite:" + folder.resolve("x.db")), LONG);
        assertTrue(found.startsWith("SQLite"), found);
        assertFalse(Files.exists(folder.resolve("x.db")));
        for (String url : List.of("", "sqlite:relative.db", "mysql://me:hunter2@host/ha")) {
            HaException refused =
                    assertThrows(HaException.Refused.class, () -> Records.open(settings("a", url)));
            assertFalse(refused.getMessage().contains("hunter2"), refused.getMessage());
        }
        RecordsSettings nowhere = settings("a", "postgresql://me:hunter2@127.0.0.1:1/ha");
        assertThrows(HaException.Unavailable.class, () -> Records.test(nowhere, 2000));
        assertFalse(nowhere.toString().contains("hunter2"));
        try (Records away = Records.open(nowhere)) {
            save(away, row("a", 1, BuildRow.State.ENDED, "SUCCESS"), false);
            HaException gone =
                    assertThrows(HaException.Unavailable.class, () -> away.find("job", 1));
            assertFalse(gone.getMessage().contains("hunter2"), gone.getMessage());
            assertEquals(1, away.state().waiting());
        }
    }

    @Test
    void afterCloseEveryCallSaysClosed() {
        Records a = open("a");
        a.close();
        a.close();
        BuildRow row = row("a", 1, BuildRow.State.ENDED, "SUCCESS");
        List<Executable> calls =
                List.of(
                        a::state,
                        () -> a.save(row, false),
                        () -> a.flush("job", 1, 10),
                        () -> a.delete("job", 1),
                        () -> a.rename("job", "other"),
                        () -> a.deleteJob("job", "id"),
                        () -> a.find("job", 1),
                        () -> a.query(any(1)),
                        () -> a.newest("job", List.of(), 0),
                        () -> a.numbers("job"),
                        () -> a.running(""),
                        () -> a.highest("job"),
                        () -> a.adopt("job", 1, "a", "a1", 1),
                        a::counts);
        for (int i = 0; i < calls.size(); i++) {
            assertThrows(HaException.Closed.class, calls.get(i), "call " + i);
        }
    }

    @Test
    void whatNamesNoBuildIsInvalid() {
        try (Records a = open("a")) {
            for (BuildRow row :
                    List.of(
                            row("a", "", 1, BuildRow.State.ENDED, ""),
                            row("a", "job", 0, BuildRow.State.ENDED, ""))) {
                assertThrows(HaException.Invalid.class, () -> a.save(row, false));
            }
            assertThrows(HaException.Invalid.class, () -> a.find(null, 1));
        }
    }

    @Test
    void manyThreadsMayUseOne() {
        try (Records a = open("a")) {
            IntStream.rangeClosed(1, 400)
                    .parallel()
                    .forEach(
                            number -> {
                                a.save(row("a", number, BuildRow.State.RUNNING, ""), false);
                                a.save(row("a", number, BuildRow.State.ENDED, "SUCCESS"), false);
                                assertTrue(a.flush("job", number, LONG));
                                assertEquals(
                                        "SUCCESS", a.find("job", number).orElseThrow().result());
                            });
            assertEquals(400, a.query(BuildQuery.ofJob("job", "", 1000)).builds().size());
            assertEquals(RecordsState.Phase.READY, a.state().phase());
        }
    }

    private Records open(String controller) {
        return Records.open(settings(controller, "sqlite:" + folder.resolve("builds.db")));
    }

    private RecordsSettings settings(String controller, String url) {
        return new RecordsSettings(
                url,
                "",
                "tests",
                controller,
                controller + "1",
                folder.resolve("outbox-" + controller).toString());
    }

    private static void save(Records records, BuildRow row, boolean edit) {
        records.save(row, edit);
        assertTrue(records.flush(row.job(), row.number(), LONG), records.state().toString());
    }

    private static List<String> found(Records records, BuildQuery query) {
        return records.query(query).builds().stream()
                .map(row -> row.job() + "#" + row.number())
                .toList();
    }

    private static BuildQuery any(int limit) {
        return new BuildQuery(null, "", "", "", "", "", "", "", "", 0, 0, "", limit);
    }

    private static BuildRow row(
            String controller, int number, BuildRow.State state, String result) {
        return row(controller, "job", number, state, result);
    }

    private static BuildRow row(
            String controller, String job, int number, BuildRow.State state, String result) {
        return BuildRow.of(
                job,
                number,
                "state",
                state,
                "controllerId",
                controller,
                "controllerName",
                "controller " + controller,
                "incarnation",
                controller + "1",
                "epoch",
                7,
                "result",
                result,
                "startedMillis",
                1_700_000_000_000L + number,
                "xml",
                XML);
    }

    /** All of a row but its bytes, to be compared. */
    private static BuildRow stripped(BuildRow row, long version) {
        return row.with("version", version, "xml", null);
    }
}
