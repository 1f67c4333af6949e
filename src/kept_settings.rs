//! Settings that are the cluster's: each a text with a version, stored only by who knows the version before.
//!
//! Every controller has a copy of each, and remembers its version, so that the copies put back what Redis loses.

use crate::answers::{Kept, Words};
use crate::bus::announcement;
use crate::formats::Kind;
use crate::node::Node;
use crate::redis::{bytes, number, script, text};
use crate::{Error, Result};

/// Announcements of a setting that was stored; the subject is its path, the number its version.
const TOPIC: &str = "setting";
/// Longest path, bytes.
const LONGEST_PATH: usize = 1024;
/// Largest text, bytes.
const LARGEST: usize = 16 << 20;

/// A setting as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSetting {
    /// Its file, relative to a controller's home.
    pub path: String,
    /// Grows with each change, from 1 on.
    pub version: i64,
    /// Whether it was deleted.
    pub deleted: bool,
    /// The same for texts that mean the same; the caller's.
    pub digest: String,
    /// Who changed it, for people.
    pub author: String,
    /// The controller on which it was changed.
    pub controller_id: String,
    /// When, ms since 1970 by Redis' clock.
    pub changed_ms: i64,
}

impl KeptSetting {
    /// From what [`KeptSetting::head`] made.
    pub(crate) fn of(path: &str, head: &str) -> Option<Self> {
        let mut lines = head.split('\n');
        let mut next = || lines.next();
        Some(Self {
            version: next()?.parse().ok()?,
            deleted: next()? == "D",
            changed_ms: next()?.parse().ok()?,
            digest: next()?.to_owned(),
            controller_id: next()?.to_owned(),
            author: next()?.to_owned(),
            path: path.to_owned(),
        })
    }

    /// What is stored of it beside its text.
    pub fn head(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            self.version,
            if self.deleted { "D" } else { "" },
            self.changed_ms,
            self.digest,
            self.controller_id,
            self.author
        )
    }
}

impl Node {
    /// See [`crate::Controller::store_setting`].
    pub fn store_setting(
        &self,
        path: &str,
        base: i64,
        version: i64,
        digest: &str,
        author: &str,
        body: Option<&[u8]>,
    ) -> Result<i64> {
        let membership = self.link.lease()?;
        let body_bytes = body.unwrap_or_default();
        check(path, base, version, digest, body_bytes)?;
        let author: String = author.chars().filter(|c| !c.is_control()).take(200).collect();
        let head = KeptSetting {
            path: path.to_owned(),
            version,
            deleted: body.is_none(),
            digest: digest.to_owned(),
            author,
            controller_id: self.me().to_owned(),
            changed_ms: self.redis_clock_ms(),
        }
        .head();
        let sealed = self.seal.wrap(&about(path, &head), body_bytes, self.format(Kind::Setting));
        let stamp = self.stamps.next(self.redis_clock_ms(), self.format(Kind::Announcement));
        let told = version.to_string();
        let mac =
            self.seal.of(&announcement(self.me(), TOPIC, path, told.as_bytes(), digest.as_bytes(), &stamp));
        let mut cmd = script::setting_store.call(&self.keys.meta);
        cmd.arg(self.me()).arg(membership.epoch).arg(path).arg(base).arg(version).arg(&head).arg(sealed);
        cmd.arg(TOPIC).arg(digest).arg(&stamp).arg(mac);
        let answer = self.run(&script::setting_store, &cmd)?;
        match Kept::of(&answer)? {
            Kept::Stored => Ok(version),
            Kept::Lost => {
                let present = answer.get(1).map(number).unwrap_or(0);
                // The answer of the first try may have been lost.
                let own = present == version
                    && match self.setting(path) {
                        Err(Error::Conflict(_)) => false,
                        found => found?.is_some_and(|(kept, _)| kept.head() == head),
                    };
                Ok(if own { version } else { -present })
            }
            Kept::Fenced => {
                Err(Error::Fenced("This controller is no longer a member: its settings are not taken".into()))
            }
        }
    }

    /// See [`crate::Controller::setting`].
    pub fn setting(&self, path: &str) -> Result<Option<(KeptSetting, Vec<u8>)>> {
        self.link.membership()?;
        let mut cmd = script::setting.call(&self.keys.meta);
        cmd.arg(path);
        let answer = self.pool.run(&script::setting, &cmd)?;
        let Some(head) = answer.first().map(text) else { return Ok(None) };
        let sealed = answer.get(1).and_then(bytes).unwrap_or_default();
        match (KeptSetting::of(path, &head), self.seal.open(&about(path, &head), sealed)) {
            (Some(kept), Some((body, format))) if self.knows(Kind::Setting, path, format) => {
                Ok(Some((kept, body.to_vec())))
            }
            (Some(_), Some(_)) => Err(Error::Conflict(format!(
                "The setting {path} was stored by a newer version of HA Jenkins: install that here, too, to have it"
            ))),
            _ => Err(Error::Invalid(format!(
                "The setting {path} in Redis is without the cluster's seal, so nothing is done with it: look at who can write to Redis"
            ))),
        }
    }

    /// See [`crate::Controller::settings`].
    pub fn settings(&self) -> Result<Vec<KeptSetting>> {
        self.link.membership()?;
        let answer = self.pool.run(&script::settings, &script::settings.call(&self.keys.meta))?;
        Ok(answer
            .chunks_exact(2)
            .filter_map(|pair| KeptSetting::of(&text(&pair[0]), &text(&pair[1])))
            .collect())
    }
}

fn check(path: &str, base: i64, version: i64, digest: &str, body: &[u8]) -> Result<()> {
    let line =
        |text: &str| !text.is_empty() && text.len() <= LONGEST_PATH && !text.contains(char::is_control);
    if !line(path) || !line(digest) || base < 0 || version <= base || body.len() > LARGEST {
        return Err(Error::Invalid(format!(
            "A setting needs a path and a digest of one line each, a version above the one before, and {LARGEST} bytes at the most: \
             {path:?} has version {version} after {base}, and {} bytes",
            body.len()
        )));
    }
    Ok(())
}

fn about<'a>(path: &'a str, head: &'a str) -> [&'a [u8]; 3] {
    [b"setting", path.as_bytes(), head.as_bytes()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let kept = KeptSetting {
            path: "users/a_1/config.xml".into(),
            version: 7,
            deleted: true,
            digest: "d".into(),
            author: "Alice".into(),
            controller_id: "c".into(),
            changed_ms: 1234,
        };
        assert_eq!(KeptSetting::of(&kept.path, &kept.head()), Some(kept));
        assert_eq!(KeptSetting::of("x", "no number"), None);
    }
}
