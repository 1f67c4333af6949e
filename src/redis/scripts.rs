//! The scripts: one for each change of state.

use std::collections::HashMap;
use std::sync::LazyLock;

use ::redis::{Cmd, cmd};

/// A script, known to Redis by the hash of its text, so that two versions of this library can live side by side.
pub(crate) struct Script {
    code: String,
    sha: String,
}

impl Script {
    fn new(text: &str) -> Self {
        let code = with_numbers(text);
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
    ($($name:ident = $($file:literal)+;)+) => {
        /// Each script by its file's name.
        #[allow(non_upper_case_globals)]
        pub(crate) mod script {
            use super::{LazyLock, Script};
            $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
                Script::new(concat!(include_str!("../lua/item.lua"), $(include_str!(concat!("../lua/", $file))),+))
            });)+

            /// All of them.
            pub(crate) fn all() -> Vec<&'static Script> {
                vec![$(&*$name),+]
            }
        }
    };
}

scripts! {
    announce = "announce.lua";
    answer = "answer.lua";
    ask = "ask.lua";
    behind = "behind.lua";
    beat = "reap.lua" "beat.lua";
    cancel = "cancel.lua";
    cancelled = "cancelled.lua";
    claim = "claim.lua";
    enqueue = "enqueue.lua";
    finished = "finished.lua";
    fold = "fold.lua";
    ids = "ids.lua";
    item_read = "item_read.lua";
    items = "items.lua";
    keep = "keep.lua";
    join = "reap.lua" "join.lua";
    leave = "reap.lua" "leave.lua";
    members = "members.lua";
    mend = "mend.lua";
    mended = "mended.lua";
    number = "number.lua";
    park = "park.lua";
    release = "release.lua";
    rerun = "rerun.lua";
    restore = "restore.lua";
    started = "started.lua";
    turn = "turn.lua";
    turned = "turned.lua";
    unwanted = "unwanted.lua";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_numbers_become_numbers_and_texts_stay() {
        let text = "local JOB, STATE = 1, 22\nreturn {'STATE', v[STATE], JOBS} -- STATE";
        assert_eq!(with_numbers(text), "return {'STATE', v[22], JOBS} \n");
    }
}
