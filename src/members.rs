//! The controllers of the cluster and their leases.

/// How a controller stands with the cluster. The order is the wire order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not yet reached Redis; trying on.
    Connecting,
    /// A member: may take and run builds.
    Joined,
    /// Was a member; Redis is away or the lease was lost; trying on.
    Lost,
    /// Redis or the settings are unfit ([`LinkState::text`] says how to mend it); tries again slowly.
    Refused,
    /// Closed.
    Closed,
}

/// How this controller stands with the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// The state.
    pub phase: Phase,
    /// One sentence for an admin: what is wrong and what to do; no secrets.
    pub text: String,
    /// This membership's fencing token, 0 when never joined.
    pub epoch: i64,
    /// Redis' clock minus this controller's, ms, as last measured.
    pub redis_clock_offset_ms: i64,
}

/// A controller of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Stable id, kept in its JENKINS_HOME.
    pub controller_id: String,
    /// Fencing token of its present membership.
    pub epoch: i64,
    /// What people call it.
    pub name: String,
    /// Where it is reached directly, or "".
    pub url: String,
    /// Version of the plugin it runs.
    pub version: String,
    /// How long its lease still lasts, ms; negative when it has lapsed.
    pub lease_ms: i64,
}
