//! Which controller has which agent: an agent works for one member at a time, its owner, which changes by taking and giving.
//!
//! Ownership ends with the membership under which it was taken: who is fenced owns nothing.

use ::redis::Cmd;

use crate::answers::{AgentTaken, Given, Words};
use crate::bus::announcement;
use crate::formats::Kind;
use crate::node::Node;
use crate::redis::{number, script, text};
use crate::{Error, Result};

/// Announcements that an agent has another owner; the subject is its name, the number the owner's epoch, the body the owner's id.
const TOPIC: &str = "agent";
/// Longest name of an agent, bytes.
const LONGEST: usize = 512;
/// How long an agent that was given to a member is kept for it, ms, before whomever it reaches may take it.
const KEPT_MILLIS: u64 = 20_000;

/// An agent and the controller that it works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentOwner {
    /// The agent's name.
    pub agent: String,
    /// The owner's id.
    pub controller_id: String,
    /// The membership under which it owns it.
    pub epoch: i64,
}

impl Node {
    /// See [`crate::Controller::take_agent`].
    pub fn take_agent(&self, agent: &str) -> Result<AgentOwner> {
        let membership = self.link.lease()?;
        check(agent)?;
        let mut cmd = script::agent_take.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(agent).arg(KEPT_MILLIS);
        self.add_announcement(&mut cmd, agent, membership.epoch, self.me());
        let answer = self.run(&script::agent_take, &cmd)?;
        let owner =
            |controller_id: String, epoch: i64| AgentOwner { agent: agent.to_owned(), controller_id, epoch };
        match AgentTaken::of(&answer)? {
            AgentTaken::Ours => Ok(owner(self.me().to_owned(), membership.epoch)),
            AgentTaken::Held => {
                Ok(owner(answer.get(1).map(text).unwrap_or_default(), answer.get(2).map(number).unwrap_or(0)))
            }
            AgentTaken::Fenced => Err(fenced()),
        }
    }

    /// See [`crate::Controller::give_agent`].
    pub fn give_agent(&self, agent: &str, to: &str) -> Result<bool> {
        let membership = self.link.lease()?;
        check(agent)?;
        let mut cmd = script::agent_give.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(agent).arg(to);
        self.add_announcement(&mut cmd, agent, 0, to);
        let answer = self.run(&script::agent_give, &cmd)?;
        match Given::of(&answer)? {
            Given::To => Ok(true),
            Given::Kept => Ok(false),
            Given::Fenced => Err(fenced()),
        }
    }

    /// See [`crate::Controller::agents`].
    pub fn agents(&self) -> Result<Vec<AgentOwner>> {
        self.link.membership()?;
        let answer = self.pool.run(&script::agents, &script::agents.call(&self.keys.meta))?;
        Ok(answer
            .chunks_exact(3)
            .map(|one| AgentOwner {
                agent: text(&one[0]),
                controller_id: text(&one[1]),
                epoch: number(&one[2]),
            })
            .collect())
    }

    fn add_announcement(&self, cmd: &mut Cmd, agent: &str, epoch: i64, owner: &str) {
        let stamp = self.stamps.next(self.redis_clock_ms(), self.format(Kind::Announcement));
        let told = epoch.to_string();
        let mac =
            self.seal.of(&announcement(self.me(), TOPIC, agent, told.as_bytes(), owner.as_bytes(), &stamp));
        cmd.arg(TOPIC).arg(&told).arg(owner).arg(&stamp).arg(mac);
    }
}

fn fenced() -> Error {
    Error::Fenced("This controller is no longer a member: its agents are for others".into())
}

fn check(agent: &str) -> Result<()> {
    if agent.is_empty() || agent.len() > LONGEST || agent.contains(char::is_control) {
        return Err(Error::Invalid(format!(
            "The name of an agent is one line of 1 to {LONGEST} bytes: {agent:?} is none"
        )));
    }
    Ok(())
}
