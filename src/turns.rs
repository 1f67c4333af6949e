//! Things that are done once in the cluster: a minute's timed triggers, a webhook's delivery.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::answers::{TurnOf, Words};
use crate::node::Node;
use crate::redis::{script, text};
use crate::{Error, Result};

/// Longest name of what is done, and longest note on it, bytes.
const LONGEST: usize = 1024;

static CALLS: AtomicU64 = AtomicU64::new(1);

/// Whose turn it is to do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The caller's: nobody has begun it.
    First,
    /// The caller's: a controller that has begun it is gone, how far it got is not known.
    Again,
    /// Another call's, which is at it.
    Underway,
    /// It was done; with the note of who did it.
    Done(String),
}

impl Node {
    /// See [`crate::Controller::begin`].
    pub fn begin(&self, what: &str, remember: Duration) -> Result<Turn> {
        let membership = self.link.lease()?;
        check(what, remember, "")?;
        let mut cmd = script::turn.call(&self.keys.meta);
        cmd.arg(self.me())
            .arg(membership.epoch)
            .arg(what)
            .arg(millis(remember))
            .arg(CALLS.fetch_add(1, Ordering::Relaxed));
        let answer = self.run(&script::turn, &cmd)?;
        match TurnOf::of(&answer)? {
            TurnOf::First => Ok(Turn::First),
            TurnOf::Again => Ok(Turn::Again),
            TurnOf::Underway => Ok(Turn::Underway),
            TurnOf::Done => Ok(Turn::Done(answer.get(1).map(text).unwrap_or_default())),
            TurnOf::Fenced => Err(Error::Fenced(
                "This controller is no longer a member: others do what is done once".into(),
            )),
        }
    }

    /// See [`crate::Controller::done`].
    pub fn done(&self, what: &str, note: &str, remember: Duration) -> Result<()> {
        check(what, remember, note)?;
        self.turned(what, remember, &format!("D{note}"))
    }

    /// See [`crate::Controller::not_done`].
    pub fn not_done(&self, what: &str) -> Result<()> {
        self.turned(what, Duration::from_millis(1), "")
    }

    fn turned(&self, what: &str, remember: Duration, value: &str) -> Result<()> {
        self.link.membership()?;
        let mut cmd = script::turned.call(&self.keys.meta);
        cmd.arg(self.me()).arg(what).arg(millis(remember)).arg(value);
        self.pool.run(&script::turned, &cmd)?;
        if !value.is_empty() {
            self.memory.did(what, value, remember);
        }
        Ok(())
    }
}

fn check(what: &str, remember: Duration, note: &str) -> Result<()> {
    if what.is_empty() || what.len() > LONGEST || note.len() > LONGEST || remember.is_zero() {
        return Err(Error::Invalid(format!(
            "What is done once needs a name of 1 to {LONGEST} bytes, a time, and a note of {LONGEST} bytes at the most"
        )));
    }
    Ok(())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 45)
}
