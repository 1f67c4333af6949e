//! States that all controllers share and that one of them changes at a time: who has its pen.
//!
//! The pen ends with the membership under which it was taken, and each change names the version that it was made from: whoever
//! was away changes nothing.

use ::redis::Value;

use crate::answers::{Kept, PenTaken, Words};
use crate::bus::announcement;
use crate::formats::Kind;
use crate::node::Node;
use crate::redis::{bytes, number, script, text};
use crate::{Error, Result};

/// Announcements that a state was changed; the subject is its name, the number its version.
const TOPIC: &str = "state";
/// Longest name, bytes.
const LONGEST_NAME: usize = 256;
/// Largest body, bytes.
const LARGEST: usize = 16 << 20;
/// How long one who asked for a pen and does not ask again is waited for, ms.
const AWAITED_MILLIS: u64 = 500;

/// A state as it is in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedState {
    /// Grows with each change; 0 where there is none yet.
    pub version: i64,
    /// Its text; none when the version is the one that the caller knows.
    pub body: Option<Vec<u8>>,
}

/// What came of asking for a pen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pen {
    /// It is the caller's, and this is the state.
    Taken(SharedState),
    /// Another member has it, or has asked earlier: its id.
    Held(String),
}

impl Node {
    /// See [`crate::Controller::take_state`].
    pub fn take_state(&self, name: &str, known: i64) -> Result<Pen> {
        let membership = self.link.lease()?;
        check(name, &[])?;
        let mut cmd = script::state_take.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(name).arg(known).arg(AWAITED_MILLIS);
        let answer = self.run(&script::state_take, &cmd)?;
        match PenTaken::of(&answer)? {
            PenTaken::Taken => match self.read_state(name, &answer[1..]) {
                Ok(state) => Ok(Pen::Taken(state)),
                Err(unreadable) => {
                    // Others can read it.
                    self.store_state(name, answer.get(1).map(number).unwrap_or(0), 0, None, true)?;
                    Err(unreadable)
                }
            },
            PenTaken::Held => Ok(Pen::Held(answer.get(1).map(text).unwrap_or_default())),
            PenTaken::Fenced => Err(fenced()),
        }
    }

    /// See [`crate::Controller::store_state`].
    pub fn store_state(
        &self,
        name: &str,
        base: i64,
        version: i64,
        body: Option<&[u8]>,
        give: bool,
    ) -> Result<bool> {
        let membership = self.link.lease()?;
        check(name, body.unwrap_or_default())?;
        if body.is_some() && version <= base {
            return Err(Error::Invalid(format!(
                "The state {name} cannot have version {version} after {base}"
            )));
        }
        let told = version.to_string();
        let stamp = self.stamps.next(self.redis_clock_ms(), self.format(Kind::Announcement));
        let mac = self.seal.of(&announcement(self.me(), TOPIC, name, told.as_bytes(), b"", &stamp));
        let mut cmd = script::state_store.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(name).arg(base);
        match body {
            Some(body) => {
                cmd.arg(&told).arg(self.seal.wrap(&about(name, &told), body, self.format(Kind::State)));
            }
            None => {
                cmd.arg("").arg("");
            }
        }
        cmd.arg(if give { "1" } else { "" }).arg(TOPIC).arg(&told).arg("").arg(&stamp).arg(mac);
        let answer = self.run(&script::state_store, &cmd)?;
        match Kept::of(&answer)? {
            Kept::Stored => Ok(true),
            Kept::Lost => Ok(false),
            Kept::Fenced => Err(fenced()),
        }
    }

    /// See [`crate::Controller::state`].
    pub fn state(&self, name: &str, known: i64) -> Result<SharedState> {
        self.link.membership()?;
        check(name, &[])?;
        let mut cmd = script::state.call(&self.keys.meta);
        cmd.arg(name).arg(known);
        let answer = self.pool.run(&script::state, &cmd)?;
        self.read_state(name, &answer)
    }

    /// The version, and behind it the sealed text where it was asked for.
    fn read_state(&self, name: &str, answer: &[Value]) -> Result<SharedState> {
        let version = answer.first().map(number).unwrap_or(0);
        let Some(sealed) = answer.get(1).and_then(bytes) else {
            return Ok(SharedState { version, body: None });
        };
        if version == 0 {
            return Ok(SharedState { version, body: Some(Vec::new()) });
        }
        match self.seal.open(&about(name, &version.to_string()), sealed) {
            Some((body, format)) if self.knows(Kind::State, name, format) => {
                Ok(SharedState { version, body: Some(body.to_vec()) })
            }
            Some(_) => Err(Error::Refused(format!(
                "The state {name} is of a newer version of HA Jenkins: this controller changes nothing of it until it has that, too"
            ))),
            None => Err(Error::Invalid(format!(
                "The state {name} in Redis is without the cluster's seal, so nothing is done with it: look at who can write to Redis"
            ))),
        }
    }
}

fn fenced() -> Error {
    Error::Fenced("This controller is no longer a member: it changes no state of the cluster".into())
}

fn check(name: &str, body: &[u8]) -> Result<()> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) || body.len() > LARGEST
    {
        return Err(Error::Invalid(format!(
            "A state needs a name of one line, {LONGEST_NAME} bytes at the most, and has {LARGEST} bytes at the most: {name:?} has {}",
            body.len()
        )));
    }
    Ok(())
}

fn about<'a>(name: &'a str, version: &'a str) -> [&'a [u8]; 3] {
    [b"state", name.as_bytes(), version.as_bytes()]
}
