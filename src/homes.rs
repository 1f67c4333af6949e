//! What is known of the controllers beside their leases: where they run, and which of them are gone.

use std::time::Duration;

use crate::answers::{Forgotten, Words};
use crate::node::Node;
use crate::redis::{number, script, text};
use crate::{Error, Result};

/// A controller that is a member, or died and is not back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownController {
    /// Stable id, kept in its JENKINS_HOME.
    pub controller_id: String,
    /// What people call it.
    pub name: String,
    /// Host and folder, or "".
    pub host: String,
    /// What it said of itself ([`crate::Controller::describe`]).
    pub facts: String,
    /// For how long it has been gone; none while it is a member.
    pub gone: Option<Duration>,
    /// How many of the builds that it ran when it died run again.
    pub reran: i64,
}

impl Node {
    /// See [`crate::Controller::homes`].
    pub fn homes(&self) -> Result<Vec<KnownController>> {
        self.link.membership()?;
        let answer = self.pool.run(&script::homes, &script::homes.call(&self.keys.meta))?;
        let known = |six: &[::redis::Value]| KnownController {
            controller_id: text(&six[0]),
            name: text(&six[1]),
            host: text(&six[2]),
            facts: text(&six[3]),
            gone: u64::try_from(number(&six[4])).ok().map(Duration::from_millis),
            reran: number(&six[5]),
        };
        Ok(answer.chunks_exact(6).map(known).collect())
    }

    /// See [`crate::Controller::describe`].
    pub fn describe(&self, facts: &str) -> Result<()> {
        if facts.len() > Self::MOST_FACTS {
            return Err(Error::Invalid(format!("{} bytes of facts are too many", facts.len())));
        }
        *self.facts.lock() = facts.to_owned();
        self.link.membership()?;
        let mut cmd = script::describe.call(&self.keys.meta);
        cmd.arg(self.me()).arg(&self.incarnation).arg(facts);
        self.pool.run(&script::describe, &cmd).map(drop)
    }

    /// See [`crate::Controller::forget`].
    pub fn forget_controller(&self, controller_id: &str) -> Result<()> {
        self.link.membership()?;
        let mut cmd = script::forget.call(&self.keys.meta);
        cmd.arg(controller_id);
        let answer = self.pool.run(&script::forget, &cmd)?;
        match Forgotten::of(&answer)? {
            Forgotten::Done => Ok(()),
            Forgotten::Lives => Err(Error::Conflict(format!(
                "The controller {controller_id} is a member of the cluster: stop it first"
            ))),
            Forgotten::NotFound => {
                Err(Error::NotFound(format!("No controller {controller_id} is known to be gone")))
            }
        }
    }

    /// A build of a controller that is gone runs again. Told to people alone, so a failure is none of the build.
    pub fn count_rerun(&self, of: &str, item: i64) {
        let mut cmd = script::reran.call(&self.keys.meta);
        cmd.arg(of).arg(item);
        if let Err(error) = self.pool.run(&script::reran, &cmd) {
            log::debug!("Could not count that item {item} runs again: {error}");
        }
    }

    const MOST_FACTS: usize = 256 << 10;
}
