//! Stamps: what one controller told the others counts once, also when somebody who can write to Redis writes it there again.
//!
//! The seal of a message covers its stamp. A receiver keeps the numbers that it has heard of each sender, and takes nothing old
//! of a sender of which it has heard nothing yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::formats::UNKNOWN;

/// How old a message may be of which nothing else tells whether it was heard before, ms.
pub(crate) const FRESH_MS: i64 = 60_000;
/// Messages of one sender overtake each other, but not by more than this.
const KEPT: usize = 4096;
/// Senders that are remembered: each start of a controller makes one.
const SENDERS: usize = 1000;

/// Numbers the messages of this process.
pub(crate) struct Stamps {
    sender: String,
    next: AtomicU64,
}

impl Stamps {
    /// `sender` is drawn anew by each process.
    pub fn new(sender: String) -> Self {
        Self { sender, next: AtomicU64::new(1) }
    }

    /// The stamp of the next message, sent at `now`, ms of Redis' clock, with a body of this format.
    pub fn next(&self, now: i64, format: u32) -> String {
        format!("{}:{}:{now}:{format}", self.sender, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// A stamp that was received, and whose seal holds.
pub(crate) struct Stamp<'a> {
    sender: &'a str,
    number: u64,
    /// When it was sent, ms of Redis' clock.
    pub at: i64,
    /// The format of the message's body.
    pub format: u32,
}

impl<'a> Stamp<'a> {
    pub fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.split(':');
        let (sender, number, at) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let format = parts.next().map_or(1, |format| format.parse().unwrap_or(UNKNOWN));
        Some(Self { sender, number, at, format })
    }
}

/// What was heard in one stream. Thread-safe.
#[derive(Default)]
pub(crate) struct Heard(Mutex<HashMap<String, Numbers>>);

#[derive(Default)]
struct Numbers {
    /// With the entry of the stream in which each was read: one that has to be read again is no repetition.
    entries: BTreeMap<u64, String>,
    /// None up to this one is taken any more.
    forgotten: u64,
    /// When the newest was sent.
    at: i64,
}

impl Heard {
    /// Whether this was not heard before, and notes it. Of an unknown sender nothing is taken that is older than `oldest`.
    pub fn first(&self, stamp: &Stamp<'_>, entry: &str, oldest: i64) -> bool {
        let mut senders = self.0.lock();
        if !senders.contains_key(stamp.sender) {
            if stamp.at < oldest {
                return false;
            }
            if senders.len() >= SENDERS {
                let eldest = senders.iter().min_by_key(|(_, numbers)| numbers.at).map(|(who, _)| who.clone());
                eldest.map(|who| senders.remove(&who));
            }
        }
        let numbers = senders.entry(stamp.sender.to_owned()).or_default();
        if stamp.number <= numbers.forgotten {
            return false;
        }
        if let Some(before) = numbers.entries.get(&stamp.number) {
            return before == entry;
        }
        numbers.entries.insert(stamp.number, entry.to_owned());
        numbers.at = numbers.at.max(stamp.at);
        if numbers.entries.len() > KEPT
            && let Some((number, _)) = numbers.entries.pop_first()
        {
            numbers.forgotten = number;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(heard: &Heard, stamp: &str, entry: &str, oldest: i64) -> bool {
        heard.first(&Stamp::of(stamp).unwrap(), entry, oldest)
    }

    #[test]
    fn a_message_counts_once_in_whichever_order_they_come() {
        let (heard, stamps) = (Heard::default(), Stamps::new("s".into()));
        let (one, two) = (stamps.next(100, 1), stamps.next(101, 1));
        assert!(first(&heard, &two, "2-0", 0));
        assert!(first(&heard, &one, "3-0", 0));
        assert!(first(&heard, &one, "3-0", 0), "the same entry read again");
        assert!(!first(&heard, &one, "4-0", 0));
        assert!(!first(&heard, &two, "5-0", 0));
        assert!(Stamp::of("s:1").is_none() && Stamp::of("").is_none());
    }

    #[test]
    fn nothing_old_is_taken_of_a_sender_unheard_of_but_all_of_a_known_one() {
        let (heard, stamps) = (Heard::default(), Stamps::new("s".into()));
        assert!(!first(&heard, &stamps.next(99, 1), "1-0", 100));
        assert!(first(&heard, &stamps.next(100, 1), "2-0", 100));
        assert!(first(&heard, &stamps.next(5, 1), "3-0", 100));
    }

    #[test]
    fn a_stamp_says_its_format_and_one_of_an_older_version_none() {
        assert_eq!(Stamp::of(&Stamps::new("s".into()).next(5, 2)).unwrap().format, 2);
        assert_eq!(Stamp::of("s:1:5").unwrap().format, 1);
        assert_eq!(Stamp::of("s:1:5:x").unwrap().format, UNKNOWN);
        let later = Stamp::of("s:1:5:2:more").unwrap();
        assert_eq!((later.at, later.format), (5, 2));
    }

    #[test]
    fn what_is_forgotten_is_not_taken_again() {
        let (heard, stamps) = (Heard::default(), Stamps::new("s".into()));
        let old = stamps.next(1, 1);
        assert!(first(&heard, &old, "1-0", 0));
        for n in 0..KEPT {
            assert!(first(&heard, &stamps.next(1, 1), &format!("2-{n}"), 0));
        }
        assert!(!first(&heard, &old, "9-0", 0));
        for n in 0..2 * SENDERS {
            assert!(first(&heard, &Stamps::new(format!("s{n}")).next(n as i64 + 2, 1), "1-0", 0));
        }
        assert_eq!(heard.0.lock().len(), SENDERS);
        assert!(!first(&heard, "s:1:1", "10-0", 500), "its sender is forgotten, so its age tells");
    }
}
