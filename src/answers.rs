//! What scripts answer: of each the words that its head tells, as an enum. Any other word is a defect, and says so.

use ::redis::Value;

use crate::redis::text;
use crate::{Error, Result};

/// The first word of an answer.
pub(crate) trait Words: Sized {
    /// None where it is no answer of the script's.
    fn of_word(word: &str) -> Option<Self>;

    /// The answer that begins with one of the words.
    fn of(answer: &[Value]) -> Result<Self> {
        let word = answer.first().map(text).unwrap_or_default();
        Self::of_word(&word).ok_or_else(|| Error::Bug(format!("a script answered {word:?}")))
    }
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $($word:literal)|+),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl Words for $name {
            fn of_word(word: &str) -> Option<Self> {
                match word {
                    $($($word)|+ => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    )+};
}

answers! {
    /// Why a change of an item is refused.
    Refusal { Fenced = "FENCED", NotFound = "NOTFOUND", State = "STATE" }
    /// Of every script that changes one item and has no more to say.
    Change { Done = "OK", Refused = "FENCED" | "NOTFOUND" | "STATE" }
    /// enqueue, fold
    Stored {
        Done = "OK", Newer = "NEWER", Taken = "TAKEN", Fenced = "FENCED", NotFound = "NOTFOUND", Gone = "GONE",
    }
    /// number
    Numbered { Given = "OK", Cancelled = "CANCELLED", Refused = "FENCED" | "NOTFOUND" }
    /// moved
    Moved { Done = "OK" }
    /// pass
    Passed { To = "OK", Alone = "ALONE", Refused = "FENCED" | "NOTFOUND" | "STATE" }
    /// rerun
    Reran { Done = "OK", Taken = "TAKEN", Refused = "FENCED" | "NOTFOUND" | "STATE" }
    /// hand_over
    HandedOver {
        Done = "OK", Changed = "CHANGED", Absent = "ABSENT", Refused = "FENCED" | "NOTFOUND" | "STATE",
    }
    /// cancel
    Cancelled { Done = "CANCELLED", Asked = "ASKED", TooLate = "TOOLATE", Unknown = "UNKNOWN" }
    /// claim, beat, milestones: what else they tell counts only for a member.
    Member { Told = "OK", Fenced = "FENCED" }
    /// turn
    TurnOf { First = "FIRST", Again = "AGAIN", Underway = "UNDERWAY", Done = "DONE", Fenced = "FENCED" }
    /// ask
    Asked { Done = "DONE", Waits = "ASKED", NotFound = "NOTFOUND" }
    /// agent_take
    AgentTaken { Ours = "OURS", Held = "HELD", Fenced = "FENCED" }
    /// agent_give, cloud_pass
    Given { To = "GIVEN" | "PASSED", Kept = "KEPT", Fenced = "FENCED" }
    /// cloud_take
    SlotTaken { Taken = "TAKEN", Full = "FULL", Fenced = "FENCED" }
    /// cloud_keep, cloud_end
    Slot { Ours = "KEPT", Ended = "ENDED", Held = "HELD", Fenced = "FENCED" }
    /// state_take
    PenTaken { Taken = "TAKEN", Held = "HELD", Fenced = "FENCED" }
    /// state_store, setting_store, computers_tell
    Kept { Stored = "STORED" | "TOLD", Lost = "LOST" | "CONFLICT", Fenced = "FENCED" }
    /// forget
    Forgotten { Done = "OK", Lives = "LIVES", NotFound = "NOTFOUND" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_no_script_says_is_a_defect() {
        let answer = |word: &str| vec![Value::BulkString(word.as_bytes().to_vec()), Value::Int(1)];
        assert_eq!(Change::of(&answer("OK")), Ok(Change::Done));
        assert_eq!(Change::of(&answer("STATE")), Ok(Change::Refused));
        for word in ["", "ok", "TURNED"] {
            assert!(matches!(Change::of(&answer(word)), Err(Error::Bug(_))), "{word}");
            assert!(matches!(Kept::of(&answer(word)), Err(Error::Bug(_))), "{word}");
        }
        assert!(matches!(Member::of(&[]), Err(Error::Bug(_))));
    }
}
