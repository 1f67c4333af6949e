//! What the threads of one controller share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};

use crate::accepted::Accepted;
use crate::bus::{Events, Inbox, Replies};
use crate::claimer::Claimer;
use crate::formats::LeftAlone;
use crate::lives::{Care, Pulse};
use crate::members::Link;
use crate::memory::Memory;
use crate::numbers::Ids;
use crate::redis::{Address, Fault, Keys, KillSwitch, Pool, Vetted, Wire};
use crate::seal::Seal;
use crate::stamp::Stamps;
use crate::{Error, Event, LinkState, Result, Settings};

/// No round of a thread takes longer, whatever Redis does.
const HANGS: Duration = Duration::from_secs(60);

/// What the threads of one controller share.
pub(crate) struct Node {
    pub settings: Settings,
    pub address: Arc<Address>,
    pub keys: Keys,
    pub seal: Seal,
    pub stamps: Stamps,
    pub pool: Pool,
    pub link: Link,
    pub ids: Ids,
    pub events: Events,
    pub inbox: Inbox,
    pub replies: Replies,
    pub claimer: Claimer,
    pub accepted: Accepted,
    pub chores: Chores,
    pub reader_kill: KillSwitch,
    pub beat_kill: KillSwitch,
    /// By which of its claims we hold an item.
    pub held: Mutex<HashMap<i64, i32>>,
    /// Items that this controller could not start and leaves to the others, until when.
    pub left: Mutex<HashMap<i64, Instant>>,
    pub memory: Memory,
    pub left_alone: LeftAlone,
    pub vetted: Arc<Vetted>,
    /// How many replicas Redis has.
    pub replicas: AtomicUsize,
    /// How many members the cluster has.
    pub members: AtomicUsize,
    /// The reader is to read the whole queue.
    pub reread: AtomicBool,
    /// New at each start.
    pub incarnation: String,
    /// What others may want to know of this controller.
    pub facts: Mutex<String>,
    pub heartbeat: Pulse,
    pub reader: Pulse,
    /// What the caller says of its own threads.
    pub care: Care,
}

impl Node {
    pub fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        let address = Arc::new(Address::of(&settings)?);
        let vetted = Arc::new(Vetted::default());
        let client_name = format!("ha-jenkins:{}", settings.controller_id);
        Ok(Self {
            keys: Keys::of(&settings.cluster),
            seal: Seal::new(&settings.key),
            stamps: Stamps::new(random_name()),
            pool: Pool::new(Arc::clone(&address), client_name, Arc::clone(&vetted)),
            link: Link::new(),
            ids: Ids::new(),
            events: Events::default(),
            inbox: Inbox::default(),
            replies: Replies::default(),
            claimer: Claimer::default(),
            accepted: Accepted::default(),
            chores: Chores::default(),
            reader_kill: KillSwitch::default(),
            beat_kill: KillSwitch::default(),
            held: Mutex::default(),
            left: Mutex::default(),
            memory: Memory::default(),
            left_alone: LeftAlone::default(),
            vetted,
            replicas: AtomicUsize::new(0),
            members: AtomicUsize::new(1),
            reread: AtomicBool::new(false),
            incarnation: random_name(),
            facts: Mutex::new(settings.home.facts.clone()),
            heartbeat: Pulse::new("ha-jenkins-heartbeat", HANGS),
            reader: Pulse::new("ha-jenkins-reader", HANGS),
            care: Care::default(),
            address,
            settings,
        })
    }

    /// This controller's id.
    pub fn me(&self) -> &str {
        &self.settings.controller_id
    }

    /// A connection for one thread alone, to a Redis that the heartbeat has vetted.
    pub fn connect(&self, role: &str, timeout: Duration) -> Result<Wire, Fault> {
        let wire = self.connect_anew(role, timeout)?;
        self.vetted.check(&wire).inspect_err(|_| self.chores.want(|wanted| wanted.beat = true))?;
        Ok(wire)
    }

    /// A connection to whatever Redis there is now.
    pub fn connect_anew(&self, role: &str, timeout: Duration) -> Result<Wire, Fault> {
        Wire::connect(&self.address, &format!("ha-jenkins:{}:{role}", self.me()), timeout)
    }

    pub fn explain(&self, fault: &Fault) -> Error {
        fault.explain(&self.address)
    }

    /// Redis' clock, as last measured, ms since 1970.
    pub fn redis_clock_ms(&self) -> i64 {
        self.link.clock_ms()
    }

    /// Tells the caller's side of a change of standing.
    pub fn tell_link(&self, state: Option<LinkState>) {
        if let Some(state) = state {
            log::info!("Cluster {}: {:?}: {}", self.settings.cluster, state.phase, state.text);
            self.events.push(vec![Event::Link(state)]);
        }
    }
}

/// What others want of the heartbeat thread.
#[derive(Default)]
pub(crate) struct Chores {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

/// One kind of chore each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// End our claimer's wait.
    pub wake: bool,
    /// Beat now: something looks wrong.
    pub beat: bool,
    /// Lease queue ids.
    pub ids: bool,
    /// Stop.
    pub stop: bool,
}

impl Chores {
    pub fn want(&self, want: impl FnOnce(&mut Wanted)) {
        want(&mut self.wanted.lock());
        self.changed.notify_all();
    }

    /// Waits until something is wanted, at most until `deadline`, and takes it. Wishes to stop stay.
    pub fn wait(&self, deadline: Instant) -> Wanted {
        let mut wanted = self.wanted.lock();
        while *wanted == Wanted::default() {
            if self.changed.wait_until(&mut wanted, deadline).timed_out() {
                break;
            }
        }
        let taken = *wanted;
        *wanted = Wanted { stop: taken.stop, ..Wanted::default() };
        taken
    }
}

/// A name that nobody else draws.
pub(crate) fn random_name() -> String {
    let mut random = [0; 16];
    let _ = getrandom::fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Ms since 1970 by this machine's clock.
pub(crate) fn clock_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}
