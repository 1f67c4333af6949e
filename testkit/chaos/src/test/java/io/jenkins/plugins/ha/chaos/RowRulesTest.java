package io.jenkins.plugins.ha.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the database must say of the builds at the end. */
class RowRulesTest {
    private static final int RUNNING = 0;
    private static final int ENDED = 1;
    private static final int DELETED = 2;

    private final Story story = new Story();

    @Test
    void oneRowForTheBuildThatCountsIsGood() {
        good(
                story.triggered(1, "t1")
                        .built(1, 1, "a:1", "t1")
                        .database()
                        .row(1, 1, ENDED, "SUCCESS"));
    }

    @Test
    void theRowOfABuildThatNeverWasMayBeDeleted() {
        good(
                cutShort()
                        .built(1, 2, "b:2", "t1")
                        .database()
                        .row(1, 1, DELETED, "")
                        .row(1, 2, ENDED, "SUCCESS"));
    }

    @Test
    void aWriteThatWasRefusedIsGood() {
        good(
                story.triggered(1, "t1")
                        .built(1, 1, "a:1", "t1")
                        .database()
                        .row(1, 1, ENDED, "SUCCESS")
                        .refused(1, "the build belongs to another controller"));
    }

    @Test
    void withoutADatabaseThereAreNoRows() {
        good(story.triggered(1, "t1").built(1, 1, "a:1", "t1"));
    }

    @Test
    void aBuildWithoutARowIsFound() {
        bad(story.triggered(1, "t1").built(1, 1, "a:1", "t1").database());
    }

    @Test
    void aRowThatStillRunsIsFound() {
        bad(story.triggered(1, "t1").built(1, 1, "a:1", "t1").database().row(1, 1, RUNNING, ""));
    }

    @Test
    void aResultThatIsNotTheQueuesIsFound() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "b:2")
                        .cutShort(1)
                        .shell("end", 1, 1)
                        .record(1, 1, "ABORTED", "t1")
                        .database()
                        .row(1, 1, ENDED, "SUCCESS"));
    }

    @Test
    void twoRowsOfOneItemAreFound() {
        bad(
                cutShort()
                        .built(1, 2, "b:2", "t1")
                        .database()
                        .row(1, 1, ENDED, "ABORTED")
                        .row(1, 2, ENDED, "SUCCESS"));
    }

    @Test
    void aRowUnderANumberThatWasNotGivenIsFound() {
        bad(
                story.triggered(1, "t1")
                        .built(1, 1, "a:1", "t1")
                        .database()
                        .row(1, 1, ENDED, "SUCCESS")
                        .row(9, 2, ENDED, "ABORTED"));
    }

    @Test
    void anAlarmAboutABuildThatIsNotDoubledIsFound() {
        bad(
                story.triggered(1, "t1")
                        .built(1, 1, "a:1", "t1")
                        .database()
                        .row(1, 1, ENDED, "SUCCESS")
                        .refused(1, "the item was built twice"));
    }

    /** Item 1 was #1 on a controller that died before its script began. */
    private Story cutShort() {
        return story.triggered(1, "t1")
                .claimed(1, "a:1")
                .numbered(1, 1)
                .orphaned(1, "b:2")
                .returned(1, "its controller died");
    }

    private static void good(Story story) {
        Verdict verdict = story.judged();
        assertTrue(verdict.holds(), verdict::report);
    }

    private static void bad(Story story) {
        assertEquals(Set.of(Rule.ROW), story.judged().broken().keySet());
    }
}
