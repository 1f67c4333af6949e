//! What it takes to join a cluster.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Error, Result};

/// A text that never shows itself in logs or errors.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; do not log it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The key under which payloads and messages are sealed: 32 bytes that all controllers derive from their shared secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Takes the key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for SealKey {
    type Error = Error;

    /// Takes the key from exactly 32 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| Error::Refused(format!("the cluster key has {} bytes instead of 32", bytes.len())))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(***)")
    }
}

/// Longest name and URL of a controller, bytes.
const LONGEST_SHOWN: usize = 255;

/// Where a controller runs, and what it has in common with the others. What is left empty is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Home {
    /// Host and folder, for people: `jenkins-1:/var/lib/jenkins`.
    pub host: String,
    /// Differs between a controller's home and a copy of it, and is the same after a restart. A controller of another place
    /// is not taken for a restart of this one.
    pub place: String,
    /// The file that holds the controller's id, for people.
    pub id_file: String,
    /// The folder that all controllers of the cluster share.
    pub shared: Option<PathBuf>,
    /// A folder on this controller's own disk, for what is accepted while Redis is away.
    pub journal: Option<PathBuf>,
    /// What must be the same on all controllers, in words for people: `Jenkins 2`.
    pub likeness: String,
    /// What others may want to know of this controller: up to 256 KiB, kept as it is ([`crate::Controller::describe`]).
    pub facts: String,
}

/// Where settings came from, in words that tell an admin where to change them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// Of the cluster's name.
    pub cluster: String,
    /// Of Redis' URL.
    pub redis_url: String,
    /// Of Redis' password.
    pub redis_password: String,
}

impl Default for Origins {
    fn default() -> Self {
        let settings = || "the settings of HA".to_owned();
        Self { cluster: settings(), redis_url: settings(), redis_password: settings() }
    }
}

/// What it takes to join a cluster. Checked by [`crate::Controller::open`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub cluster: String,
    /// `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS; with Sentinels
    /// `redis+sentinel://[user[:password]@]host[:port],...[/db]?master=NAME`. The option `replicaWaitMillis=0..1000` says how
    /// long what is accepted waits for a replica to have it too.
    pub redis_url: Secret,
    /// Redis user; wins over the one in the URL.
    pub username: Option<String>,
    /// Redis password; wins over the one in the URL.
    pub password: Option<Secret>,
    /// Stable id of this controller (a UUID kept in its JENKINS_HOME): 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub controller_id: String,
    /// What people call this controller: one line, at most 255 bytes.
    pub name: String,
    /// Where this controller is reached directly, or "".
    pub url: String,
    /// Version of the plugin.
    pub version: String,
    /// How often the lease is renewed: at least 100 ms, at most a third of the lease.
    pub heartbeat: Duration,
    /// How long a silent controller is held alive: up to 10 minutes.
    pub lease: Duration,
    /// Seals payloads and messages.
    pub key: SealKey,
    /// Where this controller runs, and what it shares.
    pub home: Home,
    /// Where these settings came from.
    pub origins: Origins,
    /// By how much the formats that this controller writes and reads are newer than this library's: 0. Tests make a controller of the
    /// next version with it.
    #[doc(hidden)]
    pub ahead: u32,
}

impl Settings {
    /// Default of [`Settings::heartbeat`].
    pub const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(1);
    /// Default of [`Settings::lease`].
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(5);

    /// Refuses what cannot be right.
    pub(crate) fn check(&self) -> Result<()> {
        name_check("the cluster's name", &self.cluster, &self.origins.cluster)?;
        name_check("the controller's id", &self.controller_id, &self.home.id_file)?;
        shown_check("the controller's name", &self.name)?;
        shown_check("the controller's URL", &self.url)?;
        if self.heartbeat < Duration::from_millis(100) {
            return refuse("the heartbeat must be 100 ms or more");
        }
        if self.lease > Duration::from_secs(600) {
            return refuse("the lease must be 10 minutes or less");
        }
        if self.heartbeat * 3 > self.lease {
            return refuse("the lease must be at least three heartbeats long");
        }
        Ok(())
    }
}

fn refuse<T>(text: &str) -> Result<T> {
    Err(Error::Refused(format!("{text}: change it in the system property io.jenkins.plugins.ha.leaseMillis")))
}

pub(crate) fn name_check(what: &str, name: &str, origin: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fine) {
        return Err(Error::Refused(format!(
            "{what} must be 1 to 64 of the characters A-Z a-z 0-9 . _ -: change it in {origin}"
        )));
    }
    Ok(())
}

/// What is shown on pages and stored in lines.
fn shown_check(what: &str, text: &str) -> Result<()> {
    if text.len() > LONGEST_SHOWN
        || text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
    {
        return refuse(&format!(
            "{what} must be one line of at most {LONGEST_SHOWN} bytes, without control characters"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_more_than_one_line_are_refused() {
        for (name, fine) in
            [("Ci Nord – 1", true), ("a\nb", false), ("a\u{85}b", false), ("a\u{2028}b", false)]
        {
            assert_eq!(shown_check("the name", name).is_ok(), fine, "{name:?}");
        }
        assert!(shown_check("the name", &"x".repeat(LONGEST_SHOWN + 1)).is_err());
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let shown = format!("{:?} {:?}", Secret::new("hunter2"), SealKey::new([7; 32]));
        assert_eq!(shown, "Secret(***) SealKey(***)");
    }
}
