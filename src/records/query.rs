//! What builds are asked for, and pages of them.

use serde::Deserialize;

use super::row::BuildRow;
use crate::{Error, Result};

/// What builds are asked for; "" and 0 mean any. All given conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildQuery {
    /// Full names; none for all jobs; an empty list finds nothing (the caller may see none).
    pub jobs: Option<Vec<String>>,
    /// SUCCESS, ...; `RUNNING` for those that run.
    pub result: String,
    /// Id of a user among the causes.
    pub user: String,
    /// Part of a cause's description, without regard to case. No index helps here: give a job or a time, too.
    pub cause: String,
    /// Name of a parameter.
    pub parameter_name: String,
    /// Its exact value; with a name only. "" for any.
    pub parameter_value: String,
    /// Id or name of a controller.
    pub controller: String,
    /// Name of an agent.
    pub agent: String,
    /// Id of a commit, or the beginning of one (7 characters or more).
    pub commit: String,
    /// Started at or after, ms since 1970.
    pub from_ms: i64,
    /// Started before, ms since 1970.
    pub to_ms: i64,
    /// [`BuildPage::next`] of the page before, or "".
    pub after: String,
    /// How many at the most, 1 to 1000.
    pub limit: usize,
}

impl BuildQuery {
    /// All builds of one job, newest number first.
    pub fn of_job(job: &str, limit: usize) -> Self {
        Self { jobs: Some(vec![job.to_owned()]), limit, ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<()> {
        if !(1..=1000).contains(&self.limit) {
            return Err(Error::Invalid(format!("a page has 1 to 1000 builds, not {}", self.limit)));
        }
        if !self.parameter_value.is_empty() && self.parameter_name.is_empty() {
            return Err(Error::Invalid("a parameter's value is looked for with its name only".into()));
        }
        if self.result.len() > 64 {
            return Err(Error::Invalid("there is no such result".into()));
        }
        Ok(())
    }
}

/// Some of the builds that were asked for, newest first, without their XML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildPage {
    /// At most as many as asked for.
    pub builds: Vec<BuildRow>,
    /// Key for the next page, "" when this is the last.
    pub next: String,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// In a job's history: the number.
    Number(i64),
    /// Anywhere: start, job, number.
    Time(i64, i64, i64),
}

impl Key {
    pub fn show(self) -> String {
        match self {
            Self::Number(number) => format!("n{number}"),
            Self::Time(started, job, number) => format!("t{started}.{job}.{number}"),
        }
    }

    /// Reads [`BuildQuery::after`]; none for "".
    pub fn read(text: &str) -> Result<Option<Self>> {
        if text.is_empty() {
            return Ok(None);
        }
        let numbers =
            |text: &str| -> Option<Vec<i64>> { text.split('.').map(|part| part.parse().ok()).collect() };
        let key = match text.split_at_checked(1) {
            Some(("n", rest)) => {
                numbers(rest).and_then(|n| Some(Self::Number(*n.first()?)).filter(|_| n.len() == 1))
            }
            Some(("t", rest)) => match numbers(rest).as_deref() {
                Some(&[started, job, number]) => Some(Self::Time(started, job, number)),
                _ => None,
            },
            _ => None,
        };
        key.map(Some).ok_or_else(Self::foreign)
    }

    /// The key is not one of this query.
    pub fn foreign() -> Error {
        Error::Invalid("the page to go on from is not one of this search: begin at the first page".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_shown() {
        for key in [Key::Number(7), Key::Time(1_700_000_000_000, 3, 9), Key::Time(-1, 1, 1)] {
            assert_eq!(Key::read(&key.show()).unwrap(), Some(key));
        }
        assert_eq!(Key::read("").unwrap(), None);
        for text in ["n", "n1.2", "t1.2", "x1", "t1.2.3.4", "ä", "n1;DROP"] {
            assert!(matches!(Key::read(text), Err(Error::Invalid(_))), "{text}");
        }
    }
}
