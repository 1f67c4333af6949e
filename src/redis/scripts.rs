//! The scripts: one for each change of state.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ::redis::{Cmd, cmd};

/// A script, known to Redis by the hash of its text, so that two versions of this library can live side by side.
pub(crate) struct Script {
    code: String,
    sha: String,
}

impl Script {
    fn new(text: &str) -> Self {
        let code = as_sent(text);
        let sha = ::redis::Script::new(&code).get_hash().to_owned();
        Self { code, sha }
    }

    /// The call; arguments follow.
    pub fn call(&self, meta: &str) -> Cmd {
        let mut cmd = cmd("EVALSHA");
        cmd.arg(&self.sha).arg(1).arg(meta);
        cmd
    }

    /// Makes it known to Redis.
    pub fn load(&self) -> Cmd {
        let mut cmd = cmd("SCRIPT");
        cmd.arg("LOAD").arg(&self.code);
        cmd
    }
}

/// A script, or a piece of one, with all that it needs and nothing else.
pub(crate) fn as_sent(text: &str) -> String {
    let definitions = with_numbers(DEFINITIONS);
    let all = with_numbers(&format!("{DEFINITIONS}{text}"));
    with_what_it_needs(&definitions, &all[definitions.len()..])
}

/// What scripts have in common; each is sent with what it needs of it.
const DEFINITIONS: &str = concat!(include_str!("../lua/item.lua"), include_str!("../lua/reap.lua"));

/// The script behind those of the definitions that it uses, or that they use.
///
/// Redis runs all of a script's text anew at each call, and to define all that is in `item.lua` takes as long as a small script.
fn with_what_it_needs(definitions: &str, script: &str) -> String {
    let mut needed = Vec::new();
    let mut words: HashSet<&str> = words(script).collect();
    for definition in apart(definitions).into_iter().rev() {
        if defines(definition).any(|name| words.contains(name)) {
            words.extend(self::words(definition));
            needed.push(definition);
        }
    }
    needed.into_iter().rev().chain([script]).collect()
}

/// Each definition begins at the margin; an `end` there belongs to what began before.
fn apart(definitions: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = definitions
        .match_indices("local ")
        .map(|(at, _)| at)
        .filter(|at| definitions[..*at].ends_with('\n'))
        .collect();
    if definitions.starts_with("local ") {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([definitions.len()]);
    starts.iter().zip(ends).map(|(start, end)| &definitions[*start..end]).collect()
}

fn defines(definition: &str) -> impl Iterator<Item = &str> {
    let head = definition.lines().next().unwrap_or_default();
    let names = match head.strip_prefix("local function ") {
        Some(function) => function.split('(').next(),
        None => head.strip_prefix("local ").and_then(|names| names.split('=').next()),
    };
    names.unwrap_or_default().split(',').map(str::trim)
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Puts numbers in the place of the names that lines like `local JOB, STATE = 1, 2` give them.
///
/// Lua 5.1 has no constants: every function would hold each of those names as a variable of its own, made anew by every call
/// of the script, which takes longer than most of what the scripts do.
pub(crate) fn with_numbers(text: &str) -> String {
    let mut numbers: HashMap<&str, &str> = HashMap::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        match numbered(line) {
            Some(names) => numbers.extend(names),
            None => lines.push(line),
        }
    }
    let mut code = String::with_capacity(text.len());
    for line in lines {
        let mut rest = line;
        let mut quoted = false;
        while let Some(c) = rest.chars().next() {
            if !quoted && rest.starts_with("--") {
                break;
            }
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = if word == 0 { c.len_utf8() } else { word };
            let (part, after) = rest.split_at(length);
            code.push_str(if quoted { part } else { numbers.get(part).unwrap_or(&part) });
            quoted ^= c == '\'';
            rest = after;
        }
        code.push('\n');
    }
    code
}

/// The names and their numbers, if the line does nothing but give names to numbers.
fn numbered(line: &str) -> Option<Vec<(&str, &str)>> {
    let (names, numbers) = line.strip_prefix("local ")?.split_once(" = ")?;
    let (names, numbers): (Vec<_>, Vec<_>) = (names.split(", ").collect(), numbers.split(", ").collect());
    let upper = names.iter().all(|name| name.bytes().all(|b| b.is_ascii_uppercase()));
    let digits = numbers.iter().all(|number| number.bytes().all(|b| b.is_ascii_digit()));
    (upper && digits && names.len() == numbers.len()).then(|| names.into_iter().zip(numbers).collect())
}

macro_rules! scripts {
    ($($name:ident)+) => {
        /// Each script by its file's name.
        #[allow(non_upper_case_globals)]
        pub(crate) mod script {
            use super::{LazyLock, Script};
            $(pub(crate) static $name: LazyLock<Script> =
                LazyLock::new(|| Script::new(include_str!(concat!("../lua/", stringify!($name), ".lua"))));)+

            /// All of them.
            pub(crate) fn all() -> Vec<&'static Script> {
                vec![$(&*$name),+]
            }
        }
    };
}

scripts! {
    admit adopt agent_give agent_take agents announce answer ask beat behind cancel cancelled claim
    cloud_agents cloud_end cloud_keep cloud_pass cloud_take cloud_text computers computers_tell departed describe enqueue finished fold forget forget_number
    hand_over homes ids
    item_read items join keep leave members mend mended milestones moment moments moved number park pass release reran rerun
    restore revise setting setting_store settings started state state_store state_take trace turn turned unwanted vouch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_numbers_become_numbers_and_texts_stay() {
        let text = "local JOB, STATE = 1, 22\nreturn {'STATE', v[STATE], JOBS} -- STATE";
        assert_eq!(with_numbers(text), "return {'STATE', v[22], JOBS} \n");
    }

    #[test]
    fn a_script_is_sent_with_all_that_it_needs_and_no_more() {
        let definitions = "local a = 1\nlocal b, c = a,\n  2\nlocal function d()\n  local e = c\nend\nlocal function f() end\n";
        let sent = with_what_it_needs(definitions, "d()\n");
        assert_eq!(sent, definitions.replace("local function f() end\n", "d()\n"));
        assert_eq!(with_what_it_needs(definitions, "return a\n"), "local a = 1\nreturn a\n");
    }
}
