//! Agents of clouds: how many of each cloud exist or are asked for is counted here, for the whole cluster.
//!
//! Each has a slot, whose id its controller makes. The slot carries the controller and its epoch, so that a survivor finds what a
//! controller left that died, and what the agent is, so that the survivor can end it through the cloud's own means.

use ::redis::Value;

use crate::answers::{Given, Slot, SlotTaken, Words};
use crate::formats::Kind;
use crate::node::Node;
use crate::redis::{bytes, number, script, text};
use crate::{Error, Result};

/// Longest name of a slot, a cloud or an agent, bytes.
const LONGEST: usize = 512;
/// Largest text of an agent, bytes.
const LARGEST: usize = 1 << 20;

/// An agent of a cloud, or one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudAgent {
    /// The slot.
    pub id: String,
    /// Whether the controller still is the member that it was when it took the slot.
    pub alive: bool,
    /// The controller that asked for it, or took it over.
    pub controller_id: String,
    /// The membership under which it did.
    pub epoch: i64,
    /// The cloud's name.
    pub cloud: String,
    /// When it was asked for, ms since 1970 by Redis' clock.
    pub since_ms: i64,
    /// The agent's name; empty before it is known.
    pub agent: String,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudSlot {
    /// It is this controller's, as asked for.
    Ours,
    /// A survivor has ended its agent.
    Ended,
    /// Another member holds it.
    Held,
}

impl Node {
    /// See [`crate::Controller::take_cloud_slot`].
    pub fn take_cloud_slot(&self, id: &str, cloud: &str, cap: u32) -> Result<Option<u32>> {
        let membership = self.link.lease()?;
        check(&[id, cloud])?;
        let mut cmd = script::cloud_take.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(id).arg(cloud).arg(cap);
        let answer = self.run(&script::cloud_take, &cmd)?;
        match SlotTaken::of(&answer)? {
            SlotTaken::Taken => Ok(None),
            SlotTaken::Full => {
                Ok(Some(answer.get(1).map(number).and_then(|n| u32::try_from(n).ok()).unwrap_or(cap)))
            }
            SlotTaken::Fenced => Err(fenced()),
        }
    }

    /// See [`crate::Controller::keep_cloud_agent`].
    pub fn keep_cloud_agent(&self, id: &str, cloud: &str, agent: &str, body: &[u8]) -> Result<CloudSlot> {
        let membership = self.link.lease()?;
        check(&[id, cloud, agent])?;
        if body.len() > LARGEST {
            return Err(Error::Invalid(format!(
                "The agent {agent} takes {} bytes, and {LARGEST} are kept at the most: no other controller could end it",
                body.len()
            )));
        }
        let sealed = self.seal.wrap(&about(id), body, self.format(Kind::CloudAgent));
        let mut cmd = script::cloud_keep.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(id).arg(cloud).arg(agent).arg(sealed);
        let answer = self.run(&script::cloud_keep, &cmd)?;
        slot(&answer)
    }

    /// See [`crate::Controller::end_cloud_agent`].
    pub fn end_cloud_agent(&self, id: &str) -> Result<CloudSlot> {
        let membership = self.link.lease()?;
        check(&[id])?;
        let mut cmd = script::cloud_end.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(id);
        let answer = self.run(&script::cloud_end, &cmd)?;
        slot(&answer)
    }

    /// See [`crate::Controller::pass_cloud_agent`].
    pub fn pass_cloud_agent(&self, id: &str, to: &str) -> Result<bool> {
        let membership = self.link.lease()?;
        check(&[id, to])?;
        let mut cmd = script::cloud_pass.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(id).arg(to);
        let answer = self.run(&script::cloud_pass, &cmd)?;
        match Given::of(&answer)? {
            Given::To => Ok(true),
            Given::Kept => Ok(false),
            Given::Fenced => Err(fenced()),
        }
    }

    /// See [`crate::Controller::cloud_agents`].
    pub fn cloud_agents(&self) -> Result<Vec<CloudAgent>> {
        self.link.membership()?;
        let answer = self.pool.run(&script::cloud_agents, &script::cloud_agents.call(&self.keys.meta))?;
        Ok(answer
            .chunks_exact(7)
            .map(|one| CloudAgent {
                id: text(&one[0]),
                alive: text(&one[1]) == "1",
                controller_id: text(&one[2]),
                epoch: number(&one[3]),
                cloud: text(&one[4]),
                since_ms: number(&one[5]),
                agent: text(&one[6]),
            })
            .collect())
    }

    /// See [`crate::Controller::cloud_agent_text`].
    pub fn cloud_agent_text(&self, id: &str) -> Result<Option<Vec<u8>>> {
        self.link.membership()?;
        let mut cmd = script::cloud_text.call(&self.keys.meta);
        cmd.arg(id);
        let answer = self.pool.run(&script::cloud_text, &cmd)?;
        let Some(sealed) = answer.first().and_then(bytes) else { return Ok(None) };
        match self.seal.open(&about(id), sealed) {
            Some((body, format)) if self.knows(Kind::CloudAgent, "", format) => Ok(Some(body.to_vec())),
            Some(_) => Err(Error::Conflict(format!(
                "The agent with the slot {id} was told by a newer version of HA Jenkins: it is left to the controllers that have that"
            ))),
            None => Err(Error::Invalid(format!(
                "The agent with the slot {id} in Redis is without the cluster's seal, so nothing is done with it: look at who can write to Redis, and end the agent in its cloud"
            ))),
        }
    }
}

fn slot(answer: &[Value]) -> Result<CloudSlot> {
    match Slot::of(answer)? {
        Slot::Ours => Ok(CloudSlot::Ours),
        Slot::Ended => Ok(CloudSlot::Ended),
        Slot::Held => Ok(CloudSlot::Held),
        Slot::Fenced => Err(fenced()),
    }
}

fn fenced() -> Error {
    Error::Fenced("This controller is no longer a member: it asks for no agents of clouds".into())
}

fn check(names: &[&str]) -> Result<()> {
    match names.iter().find(|name| name.is_empty() || name.len() > LONGEST || name.contains(char::is_control))
    {
        Some(name) => Err(Error::Invalid(format!(
            "The name of a cloud or of its agent is one line of 1 to {LONGEST} bytes: {name:?} is none"
        ))),
        None => Ok(()),
    }
}

fn about(id: &str) -> [&[u8]; 2] {
    [b"cloud-agent", id.as_bytes()]
}
