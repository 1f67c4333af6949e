//! The scripts: one for each change of state.

use std::sync::LazyLock;

use ::redis::{Cmd, cmd};

/// A script, known to Redis by the hash of its text, so that two versions of this library can live side by side.
pub(crate) struct Script {
    code: &'static str,
    sha: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, sha: ::redis::Script::new(code).get_hash().to_owned() }
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
        cmd.arg("LOAD").arg(self.code);
        cmd
    }
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
    beat = "reap.lua" "beat.lua";
    cancel = "cancel.lua";
    cancelled = "cancelled.lua";
    claim = "claim.lua";
    enqueue = "enqueue.lua";
    finished = "finished.lua";
    first = "first.lua";
    fold = "fold.lua";
    ids = "ids.lua";
    item_read = "item_read.lua";
    items = "items.lua";
    join = "reap.lua" "join.lua";
    leave = "reap.lua" "leave.lua";
    members = "members.lua";
    number = "number.lua";
    park = "park.lua";
    release = "release.lua";
    started = "started.lua";
}
