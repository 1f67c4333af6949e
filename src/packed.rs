//! The text in which an item stands in Redis and in which scripts pack it: a line for each of its parts, in the order in which
//! `src/lua/item.lua` numbers them.

use crate::formats::UNKNOWN;
use crate::{Item, ItemState};

/// An item with what only the scripts need.
#[derive(Clone, Default)]
pub(crate) struct Packed {
    pub item: Item,
    /// Who decides on an orphan, `controller:epoch`.
    pub reaper: String,
    /// Its place in the queue, smaller first.
    pub score: i64,
    /// Who wants the claimed item cancelled, or "".
    pub cancel: String,
    /// Who had it last, `controller:epoch`, or "".
    pub last: String,
    /// Lines of later versions, each with a line break before it; or "".
    pub more: String,
}

/// A part of an item, and how it is written.
enum Line<'a> {
    Text(&'a mut String),
    State(&'a mut ItemState),
    Number(&'a mut i64),
    Count(&'a mut i32),
    /// Empty for 0.
    SomeNumber(&'a mut i64),
    /// Empty for 0.
    SomeCount(&'a mut i32),
    Flag(&'a mut bool),
    /// Milliseconds, in Redis' clock there and in ours here.
    Time(&'a mut i64),
    /// Empty for 1.
    Format(&'a mut u32),
}

impl Packed {
    /// Each part by the name that the scripts give it; one that is added is added at the end, and to [`LINES`].
    fn lines(&mut self) -> [(&'static str, Line<'_>); LINES] {
        use Line::*;
        let item = &mut self.item;
        [
            ("JOB", Text(&mut item.job)),
            ("STATE", State(&mut item.state)),
            ("VERSION", Number(&mut item.version)),
            ("JOBREV", Number(&mut item.job_revision)),
            ("LANE", Text(&mut item.lane)),
            ("PRIORITY", Count(&mut item.priority)),
            ("ENQUEUED", Time(&mut item.enqueued_ms)),
            ("DUE", Time(&mut item.due_ms)),
            ("BLOCKED", Flag(&mut item.blocked)),
            ("CONCURRENT", Flag(&mut item.concurrent)),
            ("PINNED", Text(&mut item.pinned)),
            ("ORIGIN", Text(&mut item.origin)),
            ("OWNER", Text(&mut item.owner)),
            ("EPOCH", Number(&mut item.epoch)),
            ("ATTEMPTS", Count(&mut item.attempts)),
            ("NUMBER", Count(&mut item.number)),
            ("RESULT", Text(&mut item.result)),
            ("WHY", Text(&mut item.why)),
            ("REAPER", Text(&mut self.reaper)),
            ("DEATHS", SomeCount(&mut item.deaths)),
            ("AGAIN", SomeNumber(&mut item.again)),
            ("SCORE", Number(&mut self.score)),
            ("CANCEL", Text(&mut self.cancel)),
            ("LAST", Text(&mut self.last)),
            ("FORMAT", Format(&mut item.format)),
        ]
    }

    /// From the id and the lines; the clock's offset is what Redis' is ahead of ours, ms.
    pub fn read(packed: &str, clock_offset: i64) -> Option<Self> {
        let (id, text) = packed.split_once('\n')?;
        let mut all = Self::default();
        all.item.id = id.parse().ok()?;
        let mut lines = text.splitn(LINES + 1, '\n');
        for (at, (_, line)) in all.lines().into_iter().enumerate() {
            match lines.next() {
                Some(text) => line.read(text, clock_offset)?,
                // An older version, or nobody, has set it.
                None if at >= REQUIRED => line.read("", clock_offset)?,
                None => return None,
            }
        }
        all.more = lines.next().map(|more| format!("\n{more}")).unwrap_or_default();
        Some(all)
    }

    /// The lines, without the id.
    pub fn text(&self, clock_offset: i64) -> String {
        let mut lines = self.clone().lines().map(|(_, line)| line.text(clock_offset)).to_vec();
        if self.more.is_empty() {
            while lines.len() > REQUIRED && lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
        }
        lines.join("\n") + &self.more
    }
}

/// The lines that this version knows, and those that every item has.
const LINES: usize = 25;
const REQUIRED: usize = 24;

impl Line<'_> {
    fn read(self, text: &str, clock_offset: i64) -> Option<()> {
        match self {
            Self::Text(into) => text.clone_into(into),
            Self::State(into) => *into = ItemState::from_letter(text.as_bytes())?,
            Self::Number(into) => *into = text.parse().ok()?,
            Self::Count(into) => *into = text.parse().ok()?,
            Self::SomeNumber(into) => *into = text.parse().unwrap_or(0),
            Self::SomeCount(into) => *into = text.parse().unwrap_or(0),
            Self::Flag(into) => *into = text == "1",
            Self::Time(into) => *into = text.parse::<i64>().ok()?.saturating_sub(clock_offset),
            Self::Format(into) => *into = if text.is_empty() { 1 } else { text.parse().unwrap_or(UNKNOWN) },
        }
        Some(())
    }

    fn text(self, clock_offset: i64) -> String {
        let unless = |none: bool, text: String| if none { String::new() } else { text };
        match self {
            Self::Text(from) => from.clone(),
            Self::State(from) => from.letter().to_owned(),
            Self::Number(from) => from.to_string(),
            Self::Count(from) => from.to_string(),
            Self::SomeNumber(from) => unless(*from == 0, from.to_string()),
            Self::SomeCount(from) => unless(*from == 0, from.to_string()),
            Self::Flag(from) => u8::from(*from).to_string(),
            Self::Time(from) => from.saturating_add(clock_offset).to_string(),
            Self::Format(from) => unless(*from <= 1, from.to_string()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The parts that the scripts know, in their order.
    pub(crate) fn parts_of_the_scripts() -> Vec<String> {
        let mut parts = Vec::new();
        for line in include_str!("lua/item.lua").lines() {
            let Some((names, numbers)) = line.strip_prefix("local ").and_then(|line| line.split_once(" = "))
            else {
                continue;
            };
            for (name, number) in names.split(", ").zip(numbers.split(", ")) {
                if number.parse() == Ok(parts.len() + 1) {
                    parts.push(name.to_owned());
                }
            }
        }
        let lines = parts.iter().position(|name| name == "MORE").unwrap();
        parts.truncate(lines);
        parts
    }

    #[test]
    fn the_library_has_the_parts_of_the_scripts_in_their_order() {
        let mut packed = Packed::default();
        let names: Vec<_> = packed.lines().map(|(name, _)| name.to_owned()).to_vec();
        assert_eq!(names, parts_of_the_scripts());
        assert_eq!(names[REQUIRED - 1], "LAST");
    }

    #[test]
    fn an_item_is_read_as_it_was_written() {
        for (last, more) in [("LAST", ""), ("2", ""), ("2", "\nof a later version\n"), ("", "\nmore")] {
            let text = format!(
                "folder/job\nS\n3\n12\nlinux\n1000\n1700000000000\n1700000005000\n0\n1\npin\na\nb\n5\n1\n42\nSUCCESS\nwhy\n\
                 b:5\n1\n9\n4398046511104012\nalice\nb:5{}{more}",
                if last == "LAST" { String::new() } else { format!("\n{last}") }
            );
            let packed = Packed::read(&format!("7\n{text}"), 1234).unwrap();
            assert_eq!(
                (packed.item.id, packed.item.enqueued_ms, packed.score),
                (7, 1_699_999_998_766, 4_398_046_511_104_012)
            );
            assert_eq!((packed.last.as_str(), packed.more.as_str()), ("b:5", more));
            assert_eq!(packed.text(1234), text);
        }
        assert!(Packed::read("7\njob\nQ", 0).is_none());
    }
}
