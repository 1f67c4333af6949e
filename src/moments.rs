//! The cluster's timeline: what happened to its controllers, for people.

use crate::node::Node;
use crate::redis::{script, text};
use crate::{Error, Result};

/// Longest text of what a controller notes itself, bytes.
const LONGEST: usize = 1024;

/// Something that happened to a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When, ms since 1970 in this controller's clock.
    pub at_ms: i64,
    /// `joined` (the text is its version), `ended` (why), `adopted`, `reran`, `handed-over` (to which id), or what a
    /// controller noted itself.
    pub what: String,
    /// Id of the controller that it is about.
    pub controller: String,
    /// What people called it, or "".
    pub name: String,
    /// See [`Moment::what`].
    pub text: String,
    /// How many items that it had claimed wait again.
    pub wait_again: i64,
    /// How many builds that it ran have to be decided on.
    pub begun: i64,
    /// The first twenty of the items that it moved, with a blank between.
    pub ids: String,
}

impl Node {
    /// See [`crate::Controller::moments`].
    pub fn moments(&self, most: u32) -> Result<Vec<Moment>> {
        self.link.membership()?;
        let mut cmd = script::moments.call(&self.keys.meta);
        cmd.arg(most.max(1));
        let offset = self.link.clock_offset();
        let answer = self.pool.run(&script::moments, &cmd)?;
        Ok(answer.iter().filter_map(|line| read(&text(line), offset)).collect())
    }

    /// See [`crate::Controller::note_moment`].
    pub fn note_moment(&self, what: &str, note: &str) -> Result<()> {
        self.link.membership()?;
        if what.is_empty() || what.len() + note.len() > LONGEST || what.contains(char::is_control) {
            return Err(Error::Invalid(format!("{what:?} is no word for the timeline")));
        }
        let mut cmd = script::moment.call(&self.keys.meta);
        cmd.arg(self.me()).arg(what).arg(note);
        self.pool.run(&script::moment, &cmd).map(drop)
    }
}

/// Nothing for a line that cannot be read.
pub(crate) fn read(line: &str, offset: i64) -> Option<Moment> {
    let mut words = line.split('\t');
    let mut word = || words.next();
    Some(Moment {
        at_ms: word()?.parse::<i64>().ok()?.saturating_sub(offset),
        what: word()?.to_owned(),
        controller: word()?.to_owned(),
        name: word()?.to_owned(),
        text: word()?.to_owned(),
        wait_again: word()?.parse().ok()?,
        begun: word()?.parse().ok()?,
        ids: word()?.to_owned(),
    })
}
