package io.jenkins.plugins.ha.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Good histories pass, and each bad one breaks the rule it is about. */
class CheckerTest {
    private final Story story = new Story();

    // ---- good ones

    @Test
    void oneBuildForEachTriggerIsGood() {
        good(
                story.triggered(1, "t1")
                        .triggered(2, "t2")
                        .blocked(2)
                        .built(1, 1, "a:1", "t1")
                        .unblocked(2)
                        .built(2, 2, "b:2", "t2"));
    }

    @Test
    void whatIsFoldedIsBuiltOnceForBoth() {
        good(story.triggered(1, "t1").accepted(1, "t2").built(1, 1, "a:1", "t1", "t2"));
    }

    @Test
    void aCancelledItemThatNeverRanIsGood() {
        good(story.triggered(1, "t1").cancel(1, "cancelled").cancelled(1));
    }

    @Test
    void whatADeadControllerHadClaimedRunsElsewhere() {
        good(
                story.triggered(1, "t1")
                        .triggered(2, "t2")
                        .blocked(2)
                        .claimed(1, "a:1")
                        .returned(1, "Its controller a stopped answering")
                        .built(1, 1, "b:2", "t1")
                        .unblocked(2)
                        .built(2, 2, "b:2", "t2"));
    }

    @Test
    void aBuildRunsWhereItIsToAndNotWhereItIsVetoed() {
        good(
                story.triggered(1, "t1")
                        .asked("only", "a")
                        .on("a")
                        .built(1, 1, "a:1", "t1")
                        .triggered(2, "t2")
                        .asked("not", "a")
                        .on("b")
                        .built(2, 2, "b:2", "t2"));
    }

    @Test
    void aBuildThatLeftItsControllerIsFound() {
        bad(
                story.triggered(1, "t1").asked("only", "a").on("b").built(1, 1, "b:2", "t1"),
                Rule.PLACE);
    }

    @Test
    void aBuildThatRanWhereItWasVetoedIsFound() {
        bad(
                story.triggered(1, "t1").asked("not", "b").on("b").built(1, 1, "b:2", "t1"),
                Rule.PLACE);
    }

    @Test
    void whatAHandlerRefusedAndIsBuiltIsFound() {
        bad(story.triggered(1, "t1").refused("t2").built(1, 1, "a:1", "t1", "t2"), Rule.REFUSED);
    }

    @Test
    void aBuildWhoseAgentVanishedFailsAndSaysNothingOfAnEnd() {
        good(
                story.triggered(1, "t1")
                        .vanishes()
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .done(1, "FAILURE")
                        .record(1, 1, "FAILURE", "t1"));
    }

    @Test
    void aFailureWithoutAReasonIsFound() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .done(1, "FAILURE")
                        .record(1, 1, "FAILURE", "t1"),
                Rule.RESULT);
    }

    @Test
    void whatADeadControllerRanEndsAsAbortedAndRunsAgain() {
        good(
                orphan().runsAgain(1, 2)
                        .record(1, 1, "ABORTED", "t1")
                        .built(2, 2, "b:2", "t1", "Restarted after controller a died"));
    }

    @Test
    void whatRunsAgainHasThePlaceOfWhatItWas() {
        good(
                orphan().triggered(2, "t2")
                        .blocked(2)
                        .unblocked(2)
                        .blocked(2)
                        .runsAgain(1, 3)
                        .record(1, 1, "ABORTED", "t1")
                        .built(3, 2, "b:2", "t1")
                        .unblocked(2)
                        .built(2, 3, "b:2", "t2"));
    }

    @Test
    void whatIsFoldedIntoWhatRunsAgainHasThePlaceOfThat() {
        good(
                orphan().triggered(2, "t2")
                        .blocked(2)
                        .runsAgain(1, 3)
                        .accepted(3, "t3")
                        .record(1, 1, "ABORTED", "t1")
                        .built(3, 2, "b:2", "t1", "t3")
                        .unblocked(2)
                        .built(2, 3, "b:2", "t2"));
    }

    @Test
    void aControllerThatWasHeldDeadMayTakeBackWhatNobodyElseDecidesOn() {
        good(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "a:2")
                        .takenBack(1, "a:2")
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1"));
    }

    @Test
    void theScriptOfAPausedControllerMayGoOnBesideTheNext() {
        good(
                story.triggered(1, "t1")
                        .triggered(2, "t2")
                        .blocked(2)
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "b:2")
                        .cutShort(1)
                        .record(1, 1, "ABORTED", "t1")
                        .unblocked(2)
                        .claimed(2, "b:2")
                        .numbered(2, 2)
                        .running(2)
                        .shell("begin", 2, 2)
                        .shell("end", 1, 1)
                        .shell("end", 2, 2)
                        .done(2, "SUCCESS")
                        .record(2, 2, "SUCCESS", "t2"));
    }

    @Test
    void whatWasCutShortMayRunAgain() {
        good(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "b:2")
                        .returned(1, "")
                        .record(1, 1, "ABORTED", "t1")
                        .built(1, 2, "b:2", "t1"));
    }

    // ---- bad ones

    @Test
    void whatADeadControllerRanMustRunAgain() {
        bad(orphan().done(1, "ABORTED").record(1, 1, "ABORTED", "t1"), Rule.RESULT);
    }

    @Test
    void aRunAgainThatNeverComesIsLost() {
        Story told = orphan();
        told.item(1).put("again", "2");
        bad(told.done(1, "ABORTED").record(1, 1, "ABORTED", "t1"), Rule.LOST, Rule.RESULT);
    }

    @Test
    void whatCameToItsOwnEndMustNotRunAgain() {
        Story told =
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .shell("end", 1, 1);
        bad(
                told.runsAgain(1, 2).record(1, 1, "ABORTED", "t1").built(2, 2, "b:2", "t1"),
                Rule.DOUBLED,
                Rule.RESULT);
    }

    @Test
    void whatRunsAgainMustNotRunBesideWhatItWas() {
        bad(
                orphan().runsAgain(1, 2)
                        .record(1, 1, "ABORTED", "t1")
                        .built(2, 2, "b:2", "t1")
                        .triggered(3, "t3")
                        .built(3, 3, "b:2", "t1", "t3"),
                Rule.DOUBLED);
    }

    @Test
    void nothingRunsAgainForEver() {
        Story told = orphan();
        told.item(1).put("deaths", "3");
        bad(told.runsAgain(1, 2).record(1, 1, "ABORTED", "t1").built(2, 2, "b:2", "t1"), Rule.LIFE);
    }

    @Test
    void whatSomebodyWantedEndedMustNotRunAgain() {
        bad(
                orphan().abort(1)
                        .queued(5)
                        .built(5, 9, "b:2")
                        .runsAgain(1, 2)
                        .record(1, 1, "ABORTED", "t1")
                        .built(2, 10, "b:2", "t1"),
                Rule.RESULT,
                Rule.OVERLAP);
    }

    @Test
    void nobodyTakesBackWhatAnotherDecidesOn() {
        bad(
                orphan().takenBack(1, "a:2")
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.STALE);
    }

    @Test
    void anAcceptedTriggerWithoutAnItemIsLost() {
        bad(story.accepted(1, "t1"), Rule.LOST);
    }

    @Test
    void anItemThatStaysIsLost() {
        bad(story.triggered(1, "t1").notDrained(), Rule.LOST, Rule.DRAINED);
    }

    @Test
    void anItemThatNobodyCancelledIsLost() {
        bad(story.triggered(1, "t1").cancelled(1), Rule.LOST);
    }

    @Test
    void aTriggerThatWasFoldedAwayIsLost() {
        bad(story.triggered(1, "t1").accepted(1, "t2").built(1, 1, "a:1", "t1"), Rule.LOST);
    }

    @Test
    void twoBuildsForOneTriggerAreDoubled() {
        bad(
                story.triggered(1, "t1")
                        .built(1, 1, "a:1", "t1")
                        .queued(2)
                        .built(2, 2, "a:1", "t1"),
                Rule.DOUBLED);
    }

    @Test
    void aSecondRunOfWhatWasNotCutShortIsDoubled() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .returned(1, "")
                        .record(1, 1, "ABORTED", "t1")
                        .built(1, 2, "b:2", "t1"),
                Rule.DOUBLED,
                Rule.LIFE);
    }

    @Test
    void theSameScriptTwiceUnderOneNumberIsDoubled() {
        bad(story.triggered(1, "t1").built(1, 1, "a:1", "t1").shell("begin", 1, 1), Rule.DOUBLED);
    }

    @Test
    void aCancelledItemMustNotRun() {
        bad(
                story.triggered(1, "t1")
                        .cancel(1, "cancelled")
                        .claimed(1, "a:1")
                        .cancelled(1)
                        .shell("begin", 1, 1),
                Rule.CANCELLED_RAN,
                Rule.STALE,
                Rule.DOUBLED);
    }

    @Test
    void whatIsSaidToBeCancelledMustNotBeBuilt() {
        bad(
                story.triggered(1, "t1").cancel(1, "cancelled").built(1, 1, "a:1", "t1"),
                Rule.CANCELLED_RAN);
    }

    @Test
    void aNumberIsGivenOnce() {
        bad(
                story.concurrent()
                        .triggered(1, "t1")
                        .triggered(2, "t2")
                        .built(1, 1, "a:1", "t1")
                        .built(2, 1, "b:2", "t2"),
                Rule.NUMBER,
                Rule.RECORD,
                Rule.LOST,
                Rule.DOUBLED);
    }

    @Test
    void numbersGoOnAboveThoseUsedBefore() {
        bad(story.floor(7).triggered(1, "t1").built(1, 7, "a:1", "t1"), Rule.NUMBER);
    }

    @Test
    void nothingIsClaimedPastWhatStandsBeforeIt() {
        bad(
                story.concurrent()
                        .triggered(1, "t1")
                        .triggered(2, "t2")
                        .built(2, 1, "a:1", "t2")
                        .built(1, 2, "a:1", "t1"),
                Rule.ORDER);
    }

    @Test
    void whoVetoesAnItemMayPassItByWhateverHappenedToItSince() {
        good(
                story.concurrent()
                        .triggered(1, "t1")
                        .asked("not", "a")
                        .triggered(2, "t2")
                        .claimed(1, "a:1")
                        .returned(1, "Vetoed by a")
                        .claimed(1, "b:2")
                        .returned(1, "b is shutting down")
                        .built(2, 1, "a:1", "t2")
                        .on("b")
                        .built(1, 2, "b:2", "t1"));
    }

    @Test
    void whoDoesNotVetoItMayNotPassItBy() {
        bad(
                story.concurrent()
                        .triggered(1, "t1")
                        .asked("not", "a")
                        .triggered(2, "t2")
                        .claimed(1, "a:1")
                        .returned(1, "Vetoed by a")
                        .on("b")
                        .built(2, 1, "b:2", "t2")
                        .built(1, 2, "b:2", "t1"),
                Rule.ORDER);
    }

    @Test
    void whatIsHandedBackKeepsItsPlace() {
        bad(
                story.triggered(1, "t1")
                        .triggered(2, "t2")
                        .blocked(2)
                        .claimed(1, "a:1")
                        .returned(1, "Its controller a stopped answering")
                        .blocked(1)
                        .unblocked(2)
                        .built(2, 1, "b:2", "t2")
                        .unblocked(1)
                        .built(1, 2, "b:2", "t1"),
                Rule.ORDER);
    }

    @Test
    void aNonConcurrentJobHasOneBuildAtATime() {
        bad(
                story.triggered(1, "t1")
                        .triggered(2, "t2")
                        .claimed(1, "a:1")
                        .claimed(2, "b:2")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1")
                        .numbered(2, 2)
                        .running(2)
                        .shell("begin", 2, 2)
                        .shell("end", 2, 2)
                        .done(2, "SUCCESS")
                        .record(2, 2, "SUCCESS", "t2"),
                Rule.OVERLAP);
    }

    @Test
    void itsScriptsDoNotOverlapWhileBothControllersLive() {
        bad(
                story.triggered(1, "t1")
                        .triggered(2, "t2")
                        .blocked(2)
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1")
                        .unblocked(2)
                        .claimed(2, "b:2")
                        .numbered(2, 2)
                        .running(2)
                        .shell("begin", 2, 2)
                        .shell("end", 1, 1)
                        .shell("end", 2, 2)
                        .done(2, "SUCCESS")
                        .record(2, 2, "SUCCESS", "t2"),
                Rule.OVERLAP);
    }

    @Test
    void anOldMembershipEndsNothing() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "b:2")
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS", "a:1")
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.STALE);
    }

    @Test
    void anOutcomeIsNotOverwritten() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "b:2")
                        .done(1, "ABORTED")
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS", "b:2")
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.STALE);
    }

    @Test
    void anOldEpochClaimsNothing() {
        bad(
                story.concurrent()
                        .triggered(1, "t1")
                        .triggered(2, "t2")
                        .built(1, 1, "a:5", "t1")
                        .built(2, 2, "a:4", "t2"),
                Rule.STALE);
    }

    @Test
    void aDeadMembershipStartsNothing() {
        bad(
                story.concurrent()
                        .triggered(1, "t1")
                        .triggered(2, "t2")
                        .claimed(1, "a:1")
                        .claimed(2, "a:1")
                        .returned(1, "Its controller a stopped answering")
                        .numbered(2, 1)
                        .running(2)
                        .shell("begin", 2, 1)
                        .shell("end", 2, 1)
                        .done(2, "SUCCESS")
                        .record(2, 1, "SUCCESS", "t2")
                        .built(1, 2, "b:2", "t1"),
                Rule.STALE);
    }

    @Test
    void aScriptDoesNotRunWithoutLeave() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .shell("begin", 1, 1)
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.STALE);
    }

    @Test
    void aResultIsTheOneTheScriptHad() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.RESULT);
    }

    @Test
    void nobodyIsAbortedWithoutBeingAskedTo() {
        Story aborted =
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .done(1, "ABORTED")
                        .record(1, 1, "ABORTED", "t1");
        bad(aborted, Rule.RESULT);
    }

    @Test
    void anAbortThatWasAskedForIsGood() {
        good(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .abort(1)
                        .done(1, "ABORTED")
                        .record(1, 1, "ABORTED", "t1"));
    }

    @Test
    void aRecordSaysWhatTheQueueSays() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .orphaned(1, "b:2")
                        .shell("end", 1, 1)
                        .cutShort(1)
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.RECORD);
    }

    @Test
    void aRecordIsClosed() {
        bad(
                story.triggered(1, "t1")
                        .claimed(1, "a:1")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, null, "t1"),
                Rule.RECORD);
    }

    @Test
    void noChangeIsForgotten() {
        bad(story.triggered(1, "t1").gap().built(1, 1, "a:1", "t1"), Rule.LIFE);
    }

    @Test
    void anItemChangesOnlyAsItMay() {
        bad(
                story.concurrent()
                        .triggered(1, "t1")
                        .claimed(1, "a:1")
                        .claimed(1, "b:2")
                        .numbered(1, 1)
                        .running(1)
                        .shell("begin", 1, 1)
                        .shell("end", 1, 1)
                        .done(1, "SUCCESS")
                        .record(1, 1, "SUCCESS", "t1"),
                Rule.STALE);
    }

    @Test
    void noKeyIsLeftButThoseOfTheDesign() {
        good(
                story.left("number:job", -1)
                        .left("meta", -1)
                        .left("waiting", -1)
                        .left("done:4711", 500));
        bad(new Story().left("slot:job", -1), Rule.DRAINED);
        bad(new Story().left("owned:a:1", -1), Rule.DRAINED);
        bad(new Story().left("done:4711", -1), Rule.DRAINED);
    }

    @Test
    void aLiveItemIsInExactlyTheIndexesOfItsState() {
        String ready = "['ready::','zset',['1','5']]";
        String queued = "['queued:job','zset',['1','5']]";
        String item = "['item:1','item',['job','Q','0','0','','','','0','','5']]";
        String slot = "['slot:job','string',['1']]";
        good(new Story().says(snapshot(ready, queued, item, slot)));
        bad(new Story().says(snapshot(queued, item, slot)), Rule.INDEX);
        bad(new Story().says(snapshot(ready, item, slot)), Rule.INDEX);
        bad(new Story().says(snapshot(ready, queued, item)), Rule.INDEX);
        bad(new Story().says(snapshot(ready, queued, slot)), Rule.INDEX);
        bad(
                new Story()
                        .says(snapshot(ready, queued, item, slot, "['delayed','zset',['1','5']]")),
                Rule.INDEX);
        String held = "['item:1','item',['job','C','0','1','','','a','1','','5']]";
        String owned = "['owned:a:1','set',['1']]";
        String members = "['members','zset',['a:1','9']]";
        good(new Story().says(snapshot(held, owned, queued, members)));
        bad(new Story().says(snapshot(held, owned, members)), Rule.INDEX);
        bad(new Story().says(snapshot(held, owned, queued)), Rule.INDEX);
    }

    private static ObjectNode snapshot(String... keys) {
        ObjectNode line = History.line("snapshot").put("at", 1);
        line.set("keys", History.parse(("[" + String.join(",", keys) + "]").replace('\'', '"')));
        return line;
    }

    /** Item 1 ran as #1 on a controller that died. */
    private Story orphan() {
        return story.triggered(1, "t1")
                .claimed(1, "a:1")
                .numbered(1, 1)
                .running(1)
                .shell("begin", 1, 1)
                .orphaned(1, "b:2");
    }

    private static void good(Story story) {
        Verdict verdict = story.judged();
        assertTrue(verdict.holds(), verdict::report);
    }

    /** Breaks the first rule, and none but those that are named. */
    private static void bad(Story story, Rule broken, Rule... others) {
        Verdict verdict = story.judged();
        assertTrue(verdict.broken().containsKey(broken), verdict::report);
        Set<Rule> named = new java.util.HashSet<>(Set.of(others));
        named.add(broken);
        verdict.broken()
                .keySet()
                .forEach(rule -> assertTrue(named.contains(rule), verdict::report));
        assertEquals(false, verdict.holds());
    }
}
