//! What each controller says of its executors and what they run, for the pages of the others.

use crate::answers::{Kept, Words};
use crate::formats::Kind;
use crate::node::Node;
use crate::redis::{bytes, number, script, text};
use crate::{Error, Result};

/// Longest text, bytes.
const LONGEST: usize = 4 << 20;

/// What a member said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldComputers {
    /// The member.
    pub controller_id: String,
    /// The text, the shim's.
    pub text: String,
}

impl Node {
    /// See [`crate::Controller::tell_computers`].
    pub fn tell_computers(&self, body: &str) -> Result<()> {
        let membership = self.link.lease()?;
        if body.len() > LONGEST {
            return Err(Error::Invalid(format!(
                "What this controller says of its executors takes {} bytes, {LONGEST} at the most: the others do not show them",
                body.len()
            )));
        }
        let epoch = membership.epoch.to_string();
        let sealed = self.seal.wrap(&about(self.me(), &epoch), body.as_bytes(), self.format(Kind::Executors));
        let mut cmd = script::computers_tell.call(&self.keys.meta);
        cmd.arg(self.me()).arg(&epoch).arg(sealed);
        let answer = self.run(&script::computers_tell, &cmd)?;
        match Kept::of(&answer)? {
            Kept::Stored | Kept::Lost => Ok(()),
            Kept::Fenced => Err(Error::Fenced(
                "This controller is no longer a member: its executors are not the cluster's".into(),
            )),
        }
    }

    /// See [`crate::Controller::computers`].
    pub fn computers(&self) -> Result<Vec<ToldComputers>> {
        self.link.membership()?;
        let answer = self.pool.run(&script::computers, &script::computers.call(&self.keys.meta))?;
        let mut told = Vec::new();
        for one in answer.chunks_exact(3) {
            let (controller_id, epoch) = (text(&one[0]), number(&one[1]).to_string());
            let sealed = bytes(&one[2]).unwrap_or_default();
            if let Some((body, format)) = self.seal.open(&about(&controller_id, &epoch), sealed)
                && self.knows(Kind::Executors, "", format)
            {
                told.push(ToldComputers { controller_id, text: String::from_utf8_lossy(body).into_owned() });
            }
        }
        Ok(told)
    }
}

fn about<'a>(controller: &'a str, epoch: &'a str) -> [&'a [u8]; 3] {
    [b"computers", controller.as_bytes(), epoch.as_bytes()]
}
