//! A form that a configuration had, as the history knows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::row::cut;
use crate::{Error, Result};

/// Longest name of what is configured, bytes: it is indexed.
const MAX_SUBJECT: usize = 2000;
/// Longest other text, bytes; what is longer is cut.
const MAX_TEXT: usize = 4 << 10;
/// Most forms that can be asked to be kept of one configuration.
const MAX_KEPT: u32 = 10_000;

/// What happened to a configuration.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormKind {
    /// Somebody changed it.
    #[default]
    Changed,
    /// Somebody made it.
    Created,
    /// It was found so: nobody of the cluster was seen changing it.
    Found,
    /// It has another name, or is in another folder.
    Moved,
    /// It was deleted; this is what it was last.
    Deleted,
    /// Somebody changed it, and the change was not taken: this form was never in force.
    Refused,
}

impl FormKind {
    const ALL: [Self; 6] =
        [Self::Changed, Self::Created, Self::Found, Self::Moved, Self::Deleted, Self::Refused];

    /// Its number in the database.
    pub(crate) fn code(self) -> i64 {
        self as i64
    }

    /// The kind with this number.
    pub(crate) fn of_code(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|code| Self::ALL.get(code).copied())
    }
}

/// One entry of the history of a configuration.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigForm {
    /// Set by the store.
    pub id: i64,
    /// What is configured: the full name of an item, or `/` and the path of a file of settings. 1 to 2000 bytes. Of what was
    /// moved the new name.
    pub subject: String,
    /// What happened.
    pub kind: FormKind,
    /// When, ms since 1970, by the database's clock; set by the store.
    pub made_ms: i64,
    /// Id of the user who did it; "" where nobody is known.
    pub author: String,
    /// The controller on which it was done.
    pub controller_id: String,
    /// What people call that controller.
    pub controller_name: String,
    /// More in words, or "". Of what was moved, the name before.
    pub note: String,
    /// SHA-256, in hex, of the form that this one was made from; "" where it is not known.
    pub base: String,
    /// SHA-256, in hex, of this form; "" where it has no bytes. Set by the store.
    pub digest: String,
    /// What the teller seals the bytes with; 128 bytes at the most, and not looked at by the store.
    #[serde(default)]
    pub seal: String,
    /// Its bytes; none where only the rest was asked for, and where there are none.
    #[serde(skip)]
    pub text: Option<Vec<u8>>,
}

impl ConfigForm {
    /// Longest form that is stored, bytes.
    pub const MAX_BYTES: usize = super::row::BuildRow::MAX_XML;

    /// Refuses what cannot be stored, and cuts what is too long.
    pub(super) fn checked(mut self) -> Result<Self> {
        check_subject(&self.subject)?;
        if self.kind == FormKind::Moved {
            check_subject(&self.note)?;
        }
        let bytes = self.text.as_ref().map_or(0, Vec::len);
        if bytes > Self::MAX_BYTES {
            return Err(Error::Invalid(format!("the configuration of {} has {bytes} bytes", self.subject)));
        }
        for text in [&mut self.author, &mut self.controller_id, &mut self.controller_name, &mut self.note] {
            cut(text, MAX_TEXT);
        }
        cut(&mut self.base, 64);
        cut(&mut self.seal, 128);
        Ok(self)
    }
}

/// How many forms are to be kept: 2 at the least, so that there is one to go back to.
pub(super) fn kept(most: u32) -> u32 {
    most.clamp(2, MAX_KEPT)
}

fn check_subject(subject: &str) -> Result<()> {
    if subject.is_empty() || subject.len() > MAX_SUBJECT {
        return Err(Error::Invalid(format!(
            "what is configured has a name of 1 to {MAX_SUBJECT} bytes, not {}",
            subject.len()
        )));
    }
    Ok(())
}

/// Leaves note and bytes out.
impl fmt::Debug for ConfigForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} by {} ({})", self.subject, self.kind, self.author, self.id)
    }
}
