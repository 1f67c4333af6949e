//! The controllers of the cluster and their leases.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::node::clock_ms;
use crate::{Error, Result};

/// How a controller stands with the cluster.
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
    /// The cluster does not take this controller as it is: its jobs folder, secrets, id or version
    /// ([`LinkState::text`] says how to mend it); tries again slowly. The others may be well.
    TurnedAway,
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
    /// What an admin should know though all works: that Redis has lost data of late, say; or "".
    pub notice: String,
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

/// This controller's standing, shared by all threads.
pub(crate) struct Link {
    state: Mutex<State>,
    changed: Condvar,
    /// For whoever waits for something else than the link, too.
    closed: AtomicBool,
}

struct State {
    link: LinkState,
    /// Until when, by our own clock, nobody can have declared us dead.
    lease_until: Option<Instant>,
    /// What Redis' clock showed, ms, and when.
    clock: Option<(i64, Instant)>,
    /// Counts memberships; a reader or claimer of an older one starts over.
    session: u64,
    /// When Redis was found to have lost something, and what.
    loss: Option<(Instant, String)>,
    /// When replicas last did not confirm something, when that was last logged, and why.
    unreplicated: Option<(Instant, Instant, String)>,
    /// What Redis' settings threaten, "" for nothing.
    unfit: String,
    /// When something of a newer version was last found, and what.
    newer: Option<(Instant, String)>,
}

/// For how long an admin is told of a loss.
const TOLD: Duration = Duration::from_secs(24 * 3600);
/// What repeats is logged, and shown after it has ended, for this long.
const QUIET: Duration = Duration::from_secs(60);

/// A living membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub epoch: i64,
    pub session: u64,
}

impl Link {
    pub fn new() -> Self {
        let link = LinkState {
            phase: Phase::Connecting,
            text: "Connecting to Redis".into(),
            epoch: 0,
            redis_clock_offset_ms: 0,
            notice: String::new(),
        };
        Self {
            state: Mutex::new(State {
                link,
                lease_until: None,
                clock: None,
                session: 0,
                loss: None,
                unreplicated: None,
                unfit: String::new(),
                newer: None,
            }),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
        }
    }

    pub fn state(&self) -> LinkState {
        self.state.lock().seen()
    }

    pub fn clock_offset(&self) -> i64 {
        self.state.lock().link.redis_clock_offset_ms
    }

    /// Redis' clock, ms since 1970, whatever this machine's shows: by that one only before the first heartbeat.
    pub fn clock_ms(&self) -> i64 {
        match self.state.lock().clock {
            Some((ms, at)) => ms + i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX - ms),
            None => clock_ms(),
        }
    }

    /// The membership under which to read, or why there is none.
    pub fn membership(&self) -> Result<Membership> {
        if self.closed() {
            return Err(Error::Closed);
        }
        let state = self.state.lock();
        match state.link.phase {
            Phase::Joined => Ok(Membership { epoch: state.link.epoch, session: state.session }),
            Phase::Connecting | Phase::Lost => Err(Error::Unavailable(state.link.text.clone())),
            Phase::Refused | Phase::TurnedAway => Err(Error::Refused(state.link.text.clone())),
            Phase::Closed => Err(Error::Closed),
        }
    }

    /// The membership under which to take and start builds: only while nobody can have declared us dead.
    pub fn lease(&self) -> Result<Membership> {
        let membership = self.membership()?;
        match self.state.lock().lease_until {
            Some(until) if Instant::now() < until => Ok(membership),
            _ => Err(Error::Unavailable(
                "This controller could not renew its lease with Redis in time, so others may take its work: \
                 it starts nothing until it has"
                    .into(),
            )),
        }
    }

    /// Waits until joined; false after `timeout`, when closed, or when `stop` says so (see [`Link::nudge`]).
    pub fn await_joined(&self, timeout: Duration, stop: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.state.lock();
        loop {
            if state.link.phase == Phase::Joined {
                return true;
            }
            if self.closed() || stop() || self.changed.wait_until(&mut state, deadline).timed_out() {
                return state.link.phase == Phase::Joined;
            }
        }
    }

    /// Makes those who wait look again.
    pub fn nudge(&self) {
        drop(self.state.lock());
        self.changed.notify_all();
    }

    pub fn closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Marks it closed; false when it was already.
    pub fn close(&self) -> bool {
        let first = !self.closed.swap(true, Ordering::SeqCst);
        self.nudge();
        first
    }

    /// A new membership.
    pub fn joined(&self, epoch: i64, offset: i64, lease_until: Instant, text: String) -> LinkState {
        let mut state = self.state.lock();
        state.session += 1;
        state.lease_until = Some(lease_until);
        state.link.phase = Phase::Joined;
        state.link.text = text;
        state.link.epoch = epoch;
        state.link.redis_clock_offset_ms = offset;
        state.clock = Some((clock_ms() + offset, Instant::now()));
        self.changed.notify_all();
        state.seen()
    }

    /// The lease was renewed; answers the new standing if that changed it.
    pub fn renewed(&self, offset: i64, lease_until: Instant, text: &str) -> Option<LinkState> {
        let mut state = self.state.lock();
        state.lease_until = Some(lease_until);
        state.link.redis_clock_offset_ms = offset;
        state.clock = Some((clock_ms() + offset, Instant::now()));
        if state.link.phase == Phase::Joined {
            return None;
        }
        state.link.phase = Phase::Joined;
        state.link.text = text.to_owned();
        self.changed.notify_all();
        Some(state.seen())
    }

    /// Redis has lost data, which an admin is told for a day.
    pub fn lost(&self, text: String) {
        self.state.lock().loss = Some((Instant::now(), text));
    }

    /// What Redis' settings threaten, "" for nothing; whether that is news.
    pub fn unfit(&self, text: String) -> bool {
        let mut state = self.state.lock();
        let news = state.unfit != text;
        state.unfit = text;
        news
    }

    /// A newer version writes what this one does not know, which an admin is told for a day.
    pub fn newer(&self, text: String) {
        self.state.lock().newer = Some((Instant::now(), text));
    }

    /// Replicas do not confirm; whether it is time to log it.
    pub fn unreplicated(&self, text: &str) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        let logged = state.unreplicated.as_ref().map(|(_, logged, _)| *logged);
        let aloud = logged.is_none_or(|logged| logged.elapsed() > QUIET);
        state.unreplicated = Some((now, logged.filter(|_| !aloud).unwrap_or(now), text.to_owned()));
        aloud
    }

    /// A replica has confirmed.
    pub fn replicated(&self) {
        let mut state = self.state.lock();
        // Kept for a while when it was logged: that it comes and goes is no reason to log it each time.
        if state.unreplicated.as_ref().is_some_and(|(_, logged, _)| logged.elapsed() > QUIET) {
            state.unreplicated = None;
        }
    }

    /// Something is wrong; answers the new standing if that changed it.
    pub fn failed(&self, phase: Phase, text: String) -> Option<LinkState> {
        let mut state = self.state.lock();
        if state.link.phase == phase && state.link.text == text {
            return None;
        }
        let same = state.link.phase == phase;
        state.link.phase = phase;
        state.link.text = text;
        self.changed.notify_all();
        (!same).then(|| state.seen())
    }
}

impl State {
    fn seen(&self) -> LinkState {
        let mut link = self.link.clone();
        if let Some((at, text)) = &self.loss
            && at.elapsed() < TOLD
        {
            let minutes = at.elapsed().as_secs() / 60;
            let ago = if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) };
            link.notice = format!("{ago} ago: {text}.");
        }
        if let Some((at, _, text)) = &self.unreplicated
            && at.elapsed() < QUIET
        {
            let space = if link.notice.is_empty() { "" } else { " " };
            link.notice.push_str(&format!("{space}{text}."));
        }
        if !self.unfit.is_empty() {
            let space = if link.notice.is_empty() { "" } else { " " };
            link.notice.push_str(&format!("{space}{}.", self.unfit));
        }
        if let Some((at, text)) = &self.newer
            && at.elapsed() < TOLD
        {
            let space = if link.notice.is_empty() { "" } else { " " };
            link.notice.push_str(&format!("{space}{text}."));
        }
        link
    }
}
