//! Things that one controller of the cluster does, and only one: a minute's timed triggers, say.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::node::Node;
use crate::redis::{script, text};
use crate::{Error, Result};

static CALLS: AtomicU64 = AtomicU64::new(1);

impl Node {
    /// See [`crate::Controller::first`].
    pub fn first(&self, what: &str, remember: Duration) -> Result<bool> {
        let membership = self.link.lease()?;
        if what.is_empty() || what.len() > 1024 || remember.is_zero() {
            return Err(Error::Invalid(
                "What is done once needs a name of 1 to 1024 bytes and a time".into(),
            ));
        }
        let mut cmd = script::first.call(&self.keys.meta);
        cmd.arg(self.me())
            .arg(membership.epoch)
            .arg(what)
            .arg(remember.as_millis().max(1) as u64)
            .arg(CALLS.fetch_add(1, Ordering::Relaxed));
        match self.run(&script::first, &cmd)?.first().map(text).unwrap_or_default().as_str() {
            "FIRST" => {
                self.memory.first(what, remember);
                Ok(true)
            }
            "DONE" => Ok(false),
            _ => Err(Error::Fenced(
                "This controller is no longer a member: others do what is done once".into(),
            )),
        }
    }
}
