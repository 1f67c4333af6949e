//! Which milestone each build of a job has passed, for all controllers.

use crate::answers::{Member, Words};
use crate::node::Node;
use crate::redis::{number, script, text};
use crate::{Error, Result};

/// Milestones of the builds of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestones {
    /// What was noted of the build before: none when it was not known, else its milestone, if it had passed any.
    pub before: Option<Option<i64>>,
    /// By build number, the milestone that it has passed, if any.
    pub passed: Vec<(i64, Option<i64>)>,
}

/// What is noted of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// It has begun, and passed none.
    Begun,
    /// It has passed this one.
    Passed(i64),
    /// It has ended.
    Ended,
}

impl Node {
    /// See [`crate::Controller::milestone`].
    pub fn milestone(&self, job: &str, build: i64, milestone: Milestone) -> Result<Milestones> {
        let word = match milestone {
            Milestone::Begun => String::new(),
            Milestone::Passed(ordinal) => ordinal.to_string(),
            Milestone::Ended => "-".to_owned(),
        };
        self.noted(job, &build.to_string(), &word)
    }

    /// See [`crate::Controller::forget_milestones`].
    pub fn forget_milestones(&self, job: &str) -> Result<()> {
        self.noted(job, "", "-").map(|_| ())
    }

    fn noted(&self, job: &str, build: &str, word: &str) -> Result<Milestones> {
        let membership = self.link.lease()?;
        if job.is_empty() || job.contains(char::is_control) {
            return Err(Error::Invalid(format!("The name of a job is one line: {job:?} is none")));
        }
        let mut cmd = script::milestones.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(job).arg(build).arg(word);
        let answer = self.run(&script::milestones, &cmd)?;
        if Member::of(&answer)? == Member::Fenced {
            return Err(Error::Fenced(
                "This controller is no longer a member: its builds pass no milestone".into(),
            ));
        }
        let ordinal = |word: String| word.parse().ok();
        let before = answer.get(1).map(text).filter(|word| word != "-").map(ordinal);
        let passed = answer
            .get(2..)
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|pair| (number(&pair[0]), ordinal(text(&pair[1]))))
            .collect();
        Ok(Milestones { before, passed })
    }
}
