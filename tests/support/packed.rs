//! The text in which an item stands in Redis, its field `v`: one line for each of its parts.

use std::collections::BTreeMap;

/// Parts by name; those that are empty are left out.
pub type Parts = BTreeMap<String, String>;

/// In their order, as `src/lua/item.lua` numbers them.
const NAMES: [&str; 24] = [
    "job",
    "state",
    "version",
    "jobrev",
    "lane",
    "priority",
    "enqueued",
    "due",
    "blocked",
    "concurrent",
    "pinned",
    "origin",
    "owner",
    "epoch",
    "attempts",
    "number",
    "result",
    "why",
    "reaper",
    "deaths",
    "again",
    "score",
    "cancelwanted",
    "last",
];

/// Panics unless there are as many lines as parts.
pub fn parts(text: &str) -> Parts {
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines.len(), NAMES.len(), "{text:?}");
    let named = NAMES.iter().zip(lines).filter(|(_, line)| !line.is_empty());
    named.map(|(name, line)| ((*name).to_owned(), line.to_owned())).collect()
}

pub fn text(parts: &Parts) -> String {
    NAMES.map(|name| parts.get(name).map_or("", String::as_str)).join("\n")
}
