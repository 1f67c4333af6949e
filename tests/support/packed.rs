//! The text in which an item stands in Redis, its field `v`: one line for each of its parts.

use std::collections::BTreeMap;

/// Parts by name; those that are empty are left out.
pub type Parts = BTreeMap<String, String>;

/// In their order, as `src/lua/item.lua` numbers them. The last is there where it is not empty.
const NAMES: [&str; 25] = [
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
    "format",
];

/// Panics unless there is a line for each part; the lines of later versions are left out.
pub fn parts(text: &str) -> Parts {
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(lines.len() >= NAMES.len() - 1, "{text:?}");
    let named = NAMES.iter().zip(lines).filter(|(_, line)| !line.is_empty());
    named.map(|(name, line)| ((*name).to_owned(), line.to_owned())).collect()
}

pub fn text(parts: &Parts) -> String {
    let all = NAMES.map(|name| parts.get(name).map_or("", String::as_str));
    if all[NAMES.len() - 1].is_empty() { all[..NAMES.len() - 1].join("\n") } else { all.join("\n") }
}
