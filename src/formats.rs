//! Formats: controllers of two versions of this library work in one cluster.
//!
//! What one controller writes and another reads says its format, a number, for each [`Kind`]. A reader ignores what was added to a
//! format that it knows: fields, lines, topics, columns. What changed its meaning has a higher number. A reader that does not know
//! that number leaves alone what has it, so that it waits for one that does, or refuses it in words; an admin is told which kinds.
//!
//! Where the number stands: behind the stamp of an announcement or a command (`src/stamp.rs`), before a sealed text
//! (`src/seal.rs`), behind an item's lines (`src/lua/item.lua`), in the database's `ha_schema` (`src/records/migrations.rs`). None
//! is 1, as in version 0.1.0. A change that no reader of an older version can live with raises PROTOCOL (`src/admission.rs`).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::node::Node;

/// A kind of what one controller writes and another reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A queue item: its payload, and what its lines mean.
    Item,
    /// What all are told.
    Announcement,
    /// What one controller is asked.
    Command,
    /// What is answered to a command.
    Reply,
    /// A shared state.
    State,
    /// A setting of the cluster.
    Setting,
    /// What a controller says of its executors.
    Executors,
    /// An agent of a cloud.
    CloudAgent,
}

/// A number that no format has: what stands in its place cannot be read.
pub(crate) const UNKNOWN: u32 = u32::MAX;

impl Kind {
    /// The format that this library writes, and the newest that it reads.
    pub fn format(self) -> u32 {
        1
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Item => "queue items",
            Self::Announcement => "announcements",
            Self::Command => "commands",
            Self::Reply => "answers",
            Self::State => "shared states",
            Self::Setting => "settings",
            Self::Executors => "executors",
            Self::CloudAgent => "agents of clouds",
        }
    }
}

/// What was left alone, since it has a format that this library does not know.
#[derive(Default)]
pub(crate) struct LeftAlone {
    /// By kind, and by topic or name.
    told: Mutex<BTreeMap<Kind, BTreeMap<String, u32>>>,
    /// Items that fell to this controller to decide on, and when they were last handed on.
    orphans: Mutex<HashMap<i64, Option<Instant>>>,
}

/// Of one kind so many topics or names are told apart.
const MOST: usize = 20;
/// How often an orphan is handed on, should the next one not know its format either.
const HAND_ON_EVERY: Duration = Duration::from_secs(10);

impl LeftAlone {
    /// Notes it; a text for an admin when it is news.
    fn note(&self, kind: Kind, what: &str, format: u32) -> Option<String> {
        let mut told = self.told.lock();
        let kinds = told.entry(kind).or_default();
        let known = kinds.get(what).is_some_and(|before| *before >= format);
        if known || kinds.len() >= MOST && !kinds.contains_key(what) {
            return None;
        }
        kinds.insert(what.to_owned(), format);
        let mut text = "A newer version of HA Jenkins in this cluster writes what this controller does not know, and leaves to \
                        the others:"
            .to_owned();
        for (index, (kind, names)) in told.iter().enumerate() {
            let names: Vec<&str> = names.keys().map(String::as_str).filter(|name| !name.is_empty()).collect();
            let _ = write!(text, "{} {}", if index == 0 { "" } else { "," }, kind.in_words());
            if !names.is_empty() {
                let _ = write!(text, " ({})", names.join(", "));
            }
        }
        text.push_str(". Install that version here, too");
        Some(text)
    }
}

impl Node {
    /// The format in which this controller writes, which is also the newest that it reads.
    pub fn format(&self, kind: Kind) -> u32 {
        kind.format() + self.settings.ahead
    }

    /// The format as an item carries it: none is 1.
    pub fn item_format(&self) -> String {
        match self.format(Kind::Item) {
            1 => String::new(),
            format => format.to_string(),
        }
    }

    /// Whether this controller knows the format; where it does not, an admin is told, once.
    pub fn knows(&self, kind: Kind, what: &str, format: u32) -> bool {
        if format <= self.format(kind) {
            return true;
        }
        if let Some(text) = self.left_alone.note(kind, what, format) {
            log::warn!("{text}");
            self.link.newer(text);
        }
        false
    }

    /// An item of a newer format fell to this controller to decide on: it is handed on until one has it who knows that.
    pub fn leave_orphan(&self, id: i64) {
        self.left_alone.orphans.lock().entry(id).or_insert(None);
    }

    /// Hands on the orphans of newer formats, now and then.
    pub fn hand_on_orphans(&self) {
        let due: Vec<i64> = {
            let mut orphans = self.left_alone.orphans.lock();
            let due = |at: &Option<Instant>| at.is_none_or(|at| at.elapsed() > HAND_ON_EVERY);
            let ids: Vec<i64> = orphans.iter().filter(|(_, at)| due(at)).map(|(id, _)| *id).collect();
            for id in &ids {
                orphans.insert(*id, Some(Instant::now()));
            }
            ids
        };
        for id in due {
            match self.pass(id) {
                Ok(None) => {}
                Err(crate::Error::Unavailable(error)) => log::debug!("Item {id} is handed on later: {error}"),
                // Another one has it, or it is no orphan any more.
                Ok(Some(_)) | Err(_) => {
                    self.left_alone.orphans.lock().remove(&id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_alone_is_told_once_for_each_topic_and_format() {
        let left = LeftAlone::default();
        let text = left.note(Kind::Command, "move", 2).unwrap();
        assert!(text.contains("commands (move)"), "{text}");
        assert_eq!(left.note(Kind::Command, "move", 2), None);
        assert!(left.note(Kind::Command, "move", 3).is_some());
        let text = left.note(Kind::Item, "", 2).unwrap();
        assert!(text.contains("queue items, commands (move)."), "{text}");
        for n in 0..2 * MOST {
            left.note(Kind::Setting, &format!("s{n}"), 2);
        }
        assert_eq!(left.told.lock()[&Kind::Setting].len(), MOST);
    }
}
