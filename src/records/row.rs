//! A build as the records know it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Longest full name of a job, bytes: it is indexed.
const MAX_JOB: usize = 2000;
/// Longest result, bytes.
const MAX_RESULT: usize = 64;
/// Longest name of anything else, bytes; what is longer is cut.
const MAX_NAME: usize = 4 << 10;
/// Longest text, bytes; what is longer is cut: the XML has it in full.
const MAX_TEXT: usize = 64 << 10;
/// Most causes, parameters and the like of one build; more are left to the XML.
const MAX_LIST: usize = 1000;

/// Where a build stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BuildState {
    /// Runs on its controller.
    #[default]
    Running,
    /// Has ended.
    Ended,
    /// Was deleted: its number stays used.
    Deleted,
}

impl BuildState {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Running => 0,
            Self::Ended => 1,
            Self::Deleted => 2,
        }
    }

    pub(super) fn of_code(code: i64) -> Option<Self> {
        [Self::Running, Self::Ended, Self::Deleted].into_iter().find(|state| state.code() == code)
    }
}

/// The record of a build. What [`crate::Records`] stores is the truth; build.xml on the shared folder is a copy.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRow {
    /// Full name of the job: 1 to 2000 bytes.
    pub job: String,
    /// The build's number, 1 or more.
    pub number: i32,
    /// Where it stands.
    pub state: BuildState,
    /// Grows with each write of this row; set by the store.
    pub version: i64,
    /// Id of the queue item it came from, 0 when unknown; at most one build has it.
    pub queue_id: i64,
    /// The controller that runs or ran it, "" for builds of the time before the cluster.
    pub controller_id: String,
    /// What people call that controller.
    pub controller_name: String,
    /// The boot of that controller.
    pub incarnation: String,
    /// The membership under which it runs (fencing token), 0 when none.
    pub epoch: i64,
    /// SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED, or "" while there is none; 64 bytes at the most.
    pub result: String,
    /// When it started, ms since 1970.
    pub started_ms: i64,
    /// How long it took, ms; 0 while it runs.
    pub duration_ms: i64,
    /// Its name where it was given one, or "".
    pub display_name: String,
    /// What was written about it, or "".
    pub description: String,
    /// Kept for ever.
    pub keep: bool,
    /// The agent it ran on, or "".
    pub agent: String,
    /// Short descriptions.
    pub causes: Vec<String>,
    /// Ids of the users among the causes.
    pub users: Vec<String>,
    /// Names and values; those of sensitive ones come masked.
    pub parameters: Vec<(String, String)>,
    /// Ids the SCM gave for what was built.
    pub commits: Vec<String>,
    /// The exact bytes of build.xml; none where only the rest was asked for, and none to leave what is stored as it is.
    #[serde(skip)]
    pub xml: Option<Vec<u8>>,
    /// Why the build's file, or this record of it, cannot be read, or "". The bytes are kept. What is given in a save is
    /// stored; what is found out when a record is read is told, too.
    #[serde(default)]
    pub damage: String,
}

impl BuildRow {
    /// Longest build.xml that is stored, bytes.
    pub const MAX_XML: usize = 128 << 20;

    /// Refuses what cannot be stored, and cuts what is too long.
    pub(super) fn checked(mut self) -> Result<Self> {
        check_build(&self.job, self.number)?;
        let bytes = self.xml.as_ref().map_or(0, Vec::len);
        if bytes > Self::MAX_XML {
            return invalid(format!("the build.xml of {} #{} has {bytes} bytes", self.job, self.number));
        }
        if self.result.len() > MAX_RESULT {
            return invalid(format!(
                "the result of {} #{} is longer than {MAX_RESULT}",
                self.job, self.number
            ));
        }
        for name in [
            &mut self.controller_id,
            &mut self.controller_name,
            &mut self.incarnation,
            &mut self.display_name,
            &mut self.agent,
        ] {
            cut(name, MAX_NAME);
        }
        cut(&mut self.description, MAX_TEXT);
        cut(&mut self.damage, MAX_TEXT);
        for list in [&mut self.causes, &mut self.users, &mut self.commits] {
            list.truncate(MAX_LIST);
            list.iter_mut().for_each(|text| cut(text, MAX_TEXT));
        }
        self.parameters.truncate(MAX_LIST);
        for (name, value) in &mut self.parameters {
            cut(name, MAX_TEXT);
            cut(value, MAX_TEXT);
        }
        Ok(self)
    }
}

/// Refuses what cannot name a build.
pub(super) fn check_build(job: &str, number: i32) -> Result<()> {
    check_job(job)?;
    if number < 1 {
        return invalid(format!("{number} is no number of a build of {job}"));
    }
    Ok(())
}

/// Refuses what cannot name a job.
pub(super) fn check_job(job: &str) -> Result<()> {
    if job.is_empty() || job.len() > MAX_JOB || job.starts_with('/') {
        return invalid(format!("a job's full name has 1 to {MAX_JOB} bytes and does not begin with /"));
    }
    Ok(())
}

fn invalid<T>(text: String) -> Result<T> {
    Err(Error::Invalid(text))
}

/// Cuts a text between characters.
pub(super) fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
}

/// Leaves parameters, description and bytes out.
impl fmt::Debug for BuildRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{} {:?} {} v{}", self.job, self.number, self.state, self.result, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let row = BuildRow {
            job: "a".into(),
            number: 1,
            description: "ä".repeat(MAX_TEXT),
            agent: "x".repeat(MAX_NAME + 1),
            ..BuildRow::default()
        };
        let row = row.checked().unwrap();
        assert_eq!((row.description.len(), row.agent.len()), (MAX_TEXT, MAX_NAME));
    }

    #[test]
    fn what_names_no_build_is_refused() {
        for (job, number) in [("", 1), ("a", 0), ("a", -1), ("/a", 1), (&"a".repeat(MAX_JOB + 1), 1)] {
            let row = BuildRow { job: job.into(), number, ..BuildRow::default() };
            assert!(matches!(row.checked(), Err(Error::Invalid(_))), "{job} {number}");
        }
    }
}
