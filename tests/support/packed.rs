//! The text in which an item stands in Redis, its field `v`: one line for each of its parts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Parts by name; those that are empty are left out.
pub type Parts = BTreeMap<String, String>;

/// In their order, as the scripts name and number them; those behind `last` are there as far as they are not empty.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut names = Vec::new();
    for line in include_str!("../../src/lua/item.lua").lines() {
        let Some((name, number)) = line.strip_prefix("local ").and_then(|line| line.split_once(" = ")) else {
            continue;
        };
        for (name, number) in name.split(", ").zip(number.split(", ")) {
            if number.parse() == Ok(names.len() + 1) {
                names.push(name.to_lowercase());
            }
        }
    }
    let lines = names.iter().position(|name| name == "more").unwrap();
    names.truncate(lines);
    names
});

fn required() -> usize {
    NAMES.iter().position(|name| name == "last").unwrap() + 1
}

/// Panics unless there is a line for each part that every item has; the lines of later versions are left out.
pub fn parts(text: &str) -> Parts {
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(lines.len() >= required(), "{text:?}");
    let named = NAMES.iter().zip(lines).filter(|(_, line)| !line.is_empty());
    named.map(|(name, line)| (name.clone(), line.to_owned())).collect()
}

/// The text of an item before it is stored, with these parts.
pub fn accepted(given: &[(&str, &str)]) -> String {
    let begun = [("state", "Q"), ("version", "1"), ("priority", "5")].into_iter();
    let zero = ["jobrev", "enqueued", "due", "blocked", "epoch", "attempts", "number", "score"].into_iter();
    let parts = begun.chain(zero.map(|name| (name, "0"))).chain(given.iter().copied());
    text(&parts.map(|(name, part)| (name.to_owned(), part.to_owned())).collect())
}

pub fn text(parts: &Parts) -> String {
    let mut all: Vec<&str> = NAMES.iter().map(|name| parts.get(name).map_or("", String::as_str)).collect();
    while all.len() > required() && all.last() == Some(&"") {
        all.pop();
    }
    all.join("\n")
}
