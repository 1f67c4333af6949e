//! The thread that joins, renews the lease, reaps the dead, and does small chores for others.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ::redis::{Value, cmd};

use crate::admission::{Admission, other_secrets};
use crate::answers::{Member, Words};
use crate::members::Link;
use crate::node::{Node, clock_ms, random_name};
use crate::numbers::BLOCK;
use crate::redis::{Fault, Fitness, Way, Wire, array, number, primary, script, text, unavailable};
use crate::{Error, Phase, Result};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What an admin must mend is not looked at so often.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);
/// A repeating reconnect line is logged this often.
const QUIET: Duration = Duration::from_secs(30);
/// How often Sentinels are asked whether the primary still is one, and for how long.
const SENTINEL_EVERY: Duration = Duration::from_secs(2);
/// A Redis without a replica is asked this often whether it has got one.
const REPLICAS_EVERY: Duration = Duration::from_secs(3);
/// How often Redis' settings are looked at.
const INSPECT_EVERY: Duration = Duration::from_secs(10);
/// A heartbeat that comes this late was not late alone: the whole process stood still.
const STOOD_STILL: Duration = Duration::from_secs(5);
const SENTINEL_PATIENCE: Duration = Duration::from_millis(300);

/// State of the heartbeat thread.
pub(crate) struct Heartbeat<'a> {
    pub node: &'a Node,
    wire: Option<Wire>,
    /// Our membership, 0 when we have none.
    pub epoch: i64,
    attempts: u64,
    pub generation: String,
    failures: u32,
    logged: Option<Instant>,
    /// Something tells that Redis has lost data.
    pub lossy: bool,
    /// All of it.
    pub wiped: bool,
    /// The last of it.
    pub back: bool,
    /// The last time that all said what they know, as Redis names it.
    pub incident: String,
    /// Ids of the controllers at the last beat.
    pub members: Vec<String>,
    /// When the last beat was sent.
    pub beaten: Instant,
    /// When the Sentinels were last asked.
    asked: Instant,
    /// When Redis was last asked for its replicas, if it was.
    counted: Option<Instant>,
    /// When Redis' settings were last looked at.
    inspected: Instant,
    pub admission: Admission,
}

/// A lease that was renewed.
pub(crate) struct Renewal {
    /// Redis' clock minus ours, ms.
    offset: i64,
    until: Instant,
}

impl<'a> Heartbeat<'a> {
    pub fn new(node: &'a Node) -> Self {
        Self {
            node,
            wire: None,
            epoch: 0,
            attempts: 0,
            generation: String::new(),
            failures: 0,
            logged: None,
            lossy: false,
            wiped: false,
            back: false,
            incident: String::new(),
            members: Vec::new(),
            beaten: Instant::now(),
            asked: Instant::now(),
            counted: None,
            inspected: Instant::now(),
            admission: Admission::default(),
        }
    }

    /// Runs until the controller is closed, then leaves the cluster.
    pub fn run(&mut self) {
        let mut next = Instant::now();
        loop {
            let wanted = self.node.chores.wait(next);
            if wanted.stop || self.node.link.closed() {
                break;
            }
            if self.node.heartbeat.round_ago() > STOOD_STILL {
                self.node.care.excuse();
            }
            self.node.heartbeat.beat();
            if let Some(problem) = self.node.care.problem() {
                self.stand_down(problem);
                next = Instant::now() + self.node.settings.heartbeat;
                continue;
            }
            let due = wanted.beat || Instant::now() >= next;
            let result = self.step(due, wanted.wake);
            match result {
                Ok(()) => {
                    if due {
                        self.failures = 0;
                        next = Instant::now().max(next) + self.node.settings.heartbeat;
                    }
                }
                Err(error) => {
                    self.wire = None;
                    next = Instant::now() + self.failed(error);
                    if wanted.wake {
                        // It cannot be woken by way of Redis.
                        self.node.claimer.kill();
                    }
                }
            }
        }
        self.leave();
    }

    /// One beat, or only the chores when no beat is due.
    fn step(&mut self, due: bool, wake: bool) -> Result<()> {
        if self.wire.is_none() {
            if !due {
                // Chores wait for the next try to connect; a claim that waits on a stalled Redis must not.
                if wake {
                    self.node.claimer.kill();
                }
                return Ok(());
            }
            self.connect()?;
        }
        if due || self.epoch == 0 || self.suspect() {
            self.renew()?;
        }
        if wake {
            let wake = self.node.keys.wake_of(self.node.me());
            let mut cmd = cmd("XADD");
            cmd.arg(wake).arg("MAXLEN").arg("~").arg(64).arg("*").arg("w").arg("");
            let woken = self.call(|wire, deadline| match wire.call(&cmd, deadline) {
                Err(Fault::Server(error)) => Ok(Value::ServerError(error)),
                result => result,
            })?;
            // Its memory is full, say.
            if matches!(woken, Value::ServerError(_)) {
                self.node.claimer.kill();
            }
        }
        if let Some(floor) = self.node.ids.wanted() {
            let mut cmd = script::ids.call(&self.node.keys.meta);
            cmd.arg(floor).arg(BLOCK);
            let last = self.call(|wire, deadline| wire.script(&script::ids, &cmd, deadline))?;
            self.node.ids.leased(number(&last));
        }
        Ok(())
    }

    /// Renews the membership, or joins; before anybody hears of it, what Redis has lost is brought back.
    fn renew(&mut self) -> Result<()> {
        if self.epoch == 0 {
            self.admit()?;
        }
        if self.suspect() {
            // First of all: nobody may be held dead, and nothing claimed, before all have said what they know.
            self.look()?;
        }
        self.look_at_replication()?;
        let mut renewal = None;
        let lapsed = self.epoch != 0;
        if lapsed {
            renewal = self.beat()?;
        }
        let renewal = match renewal {
            Some(renewal) => renewal,
            None => {
                if lapsed {
                    self.admit()?;
                }
                self.join()?
            }
        };
        if self.suspect() {
            self.mend()?;
        }
        self.publish(&renewal);
        self.inspect()?;
        self.node.hand_on_orphans();
        self.vouch()
    }

    /// Looks again at what an admin may have changed in a Redis that runs.
    fn inspect(&mut self) -> Result<()> {
        if self.inspected.elapsed() > INSPECT_EVERY {
            self.inspected = Instant::now();
            let fitness = self.call_for(Fitness::ask)?;
            self.note(&fitness);
        }
        Ok(())
    }

    fn note(&self, fitness: &Fitness) {
        let warning = fitness.warning(&self.node.address);
        if self.node.link.unfit(warning.clone()) && !warning.is_empty() {
            log::warn!("{warning}");
        }
    }

    /// Whether there are replicas to wait for, and whether the Sentinels have chosen another primary behind our back.
    fn look_at_replication(&mut self) -> Result<()> {
        let node = self.node;
        if let Way::Sentinels(master) = &node.address.way
            && self.asked.elapsed() > SENTINEL_EVERY
        {
            self.asked = Instant::now();
            let place = primary(&node.address, master, Instant::now() + SENTINEL_PATIENCE);
            if let (Ok(place), Some(wire)) = (place, &self.wire)
                && place != wire.place
            {
                return Err(unavailable(&node.address, "the Sentinels have chosen another primary"));
            }
        }
        if node.replicas.load(Ordering::Relaxed) == 0
            && self.counted.is_some_and(|at| at.elapsed() < REPLICAS_EVERY)
        {
            return Ok(());
        }
        self.counted = Some(Instant::now());
        let mut info = cmd("INFO");
        info.arg("replication");
        let info = text(&self.call(|wire, deadline| wire.call(&info, deadline))?);
        let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:"));
        let replicas = replicas.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
        node.replicas.store(replicas, Ordering::Relaxed);
        Ok(())
    }

    /// Redis may have lost something.
    fn suspect(&self) -> bool {
        self.lossy || self.wire.as_ref().is_some_and(|wire| !self.node.vetted.is(&wire.server))
    }

    fn publish(&self, renewal: &Renewal) {
        let node = self.node;
        if node.link.state().epoch == self.epoch {
            node.tell_link(node.link.renewed(renewal.offset, renewal.until, &self.text()));
            return;
        }
        let state = node.link.joined(self.epoch, renewal.offset, renewal.until, self.text());
        node.tell_link(Some(state));
        // Whoever still waits under an older membership starts over.
        if let Ok(membership) = node.link.membership() {
            node.reader_kill.kill_before(membership.session);
            node.claimer.kill_before(membership.session);
        }
    }

    fn connect(&mut self) -> Result<()> {
        let node = self.node;
        let timeout = self.timeout();
        let deadline = Instant::now() + timeout;
        let explain = |fault: Fault| node.explain(&fault);
        let mut wire = node.connect_anew("heartbeat", timeout).map_err(explain)?;
        node.beat_kill.arm(&wire, 0);
        let fitness = Fitness::ask(&mut wire, deadline).map_err(explain)?;
        fitness.check(&node.address)?;
        self.note(&fitness);
        wire.load_scripts(deadline).map_err(explain)?;
        self.wire = Some(wire);
        self.counted = None;
        Ok(())
    }

    fn join(&mut self) -> Result<Renewal> {
        let node = self.node;
        let settings = &node.settings;
        // Only a controller that has just started may push out its own earlier self.
        let force = i32::from(self.generation.is_empty());
        self.attempts += 1;
        let sent = Instant::now();
        let mut cmd = script::join.call(&node.keys.meta);
        cmd.arg(node.me())
            .arg(&node.incarnation)
            .arg(&settings.name)
            .arg(&settings.url)
            .arg(&settings.version)
            .arg(millis(settings.lease))
            .arg(force)
            .arg(node.seal.keycheck(&settings.cluster))
            .arg(random_name())
            .arg(self.attempts)
            .arg(self.server())
            .arg(node.link.state().epoch);
        let answer = array(self.call(|wire, deadline| wire.script(&script::join, &cmd, deadline))?);
        let word = |index: usize| answer.get(index).map(text).unwrap_or_default();
        match word(0).as_str() {
            "OK" => {}
            "SCHEMA" => {
                let (cluster, schema) = (&settings.cluster, word(1));
                return Err(Error::Refused(if schema == "1" {
                    format!(
                        "The cluster {cluster} was set up by an ha-jenkins from before its first release (schema {schema}): \
                         let its queue run empty with that, then use another cluster name"
                    )
                } else {
                    format!(
                        "The cluster {cluster} was set up by a newer ha-jenkins (schema {schema}): update this controller's \
                         plugin"
                    )
                }));
            }
            "KEY" => {
                let names: Vec<String> = answer.iter().skip(1).map(text).collect();
                let (cluster, origin) = (&settings.cluster, &settings.origins.cluster);
                return Err(Error::Refused(other_secrets(cluster, origin, &names.join(", "))));
            }
            "TWIN" => {
                return Err(Error::Refused(format!(
                    "Another running controller ({}) has the same id as this one, probably because its JENKINS_HOME was \
                     copied: stop one of them, or delete the copy's id file and restart it",
                    word(1)
                )));
            }
            "LATE" => return Err(unavailable(&node.address, "an older request was served late")),
            other => return Err(Error::Bug(format!("join answered {other:?}"))),
        }
        let generation = word(2);
        if !self.generation.is_empty() && self.generation != generation {
            self.lossy = true;
            self.wiped = true;
        }
        self.generation = generation;
        self.epoch = answer.get(1).map(number).unwrap_or(0);
        node.held.lock().clear();
        self.note_departed()?;
        let offset = answer.get(3).map(number).unwrap_or(0).saturating_sub(clock_ms());
        Ok(Renewal { offset, until: self.lease_until(sent) })
    }

    /// Renews; nothing when we are no member any more.
    pub fn beat(&mut self) -> Result<Option<Renewal>> {
        let node = self.node;
        let read = node.memory.highest().event;
        let sent = Instant::now();
        let mut cmd = script::beat.call(&node.keys.meta);
        cmd.arg(node.me()).arg(self.epoch).arg(millis(node.settings.lease));
        let answer = array(self.call(|wire, deadline| wire.script(&script::beat, &cmd, deadline))?);
        self.beaten = sent;
        if Member::of(&answer)? == Member::Fenced {
            self.epoch = 0;
            let text =
                "This controller's lease has lapsed, so its waiting work went to others; joining again"
                    .into();
            node.tell_link(node.link.failed(Phase::Lost, text));
            return Ok(None);
        }
        let word = |index: usize| answer.get(index).map(text).unwrap_or_default();
        if answer.get(4).map(number).unwrap_or(0) < read || word(3) != self.incident {
            self.lossy = true;
        }
        self.members =
            word(5).split(' ').filter_map(|who| who.split(':').next()).map(str::to_owned).collect();
        node.members.store(self.members.len(), Ordering::Relaxed);
        for name in answer.iter().skip(6) {
            log::warn!("Controller {} stopped answering and was taken out of the cluster", text(name));
        }
        if answer.len() > 6 {
            self.note_departed()?;
        }
        let offset = answer.get(1).map(number).unwrap_or(0).saturating_sub(clock_ms());
        Ok(Some(Renewal { offset, until: self.lease_until(sent) }))
    }

    /// Has those that are no members any more kept for people to see.
    fn note_departed(&mut self) -> Result<()> {
        let mut cmd = script::departed.call(&self.node.keys.meta);
        cmd.arg(millis(self.node.settings.lease));
        self.call(|wire, deadline| wire.script(&script::departed, &cmd, deadline)).map(drop)
    }

    /// Leaves the cluster and stays out of it: what this controller holds is the others' from now on, not only when its lease has
    /// ended.
    fn stand_down(&mut self, problem: String) {
        if self.epoch != 0 {
            log::error!("{problem}");
            self.leave();
            self.epoch = 0;
        }
        self.fell(Phase::Refused, problem);
    }

    /// Notes a failure; answers how long to wait before the next try.
    fn failed(&mut self, error: Error) -> Duration {
        let link: &Link = &self.node.link;
        self.failures += 1;
        let phase = match error {
            Error::Refused(_) if std::mem::take(&mut self.admission.turned_away) => Phase::TurnedAway,
            Error::Refused(_) => Phase::Refused,
            _ if link.state().epoch == 0 => Phase::Connecting,
            // One broken connection is no loss: the lease outlives it.
            _ if self.failures == 1 => return FIRST_PAUSE,
            _ => Phase::Lost,
        };
        if self.logged.is_none_or(|at| at.elapsed() > QUIET) || self.failures == 1 {
            log::warn!("{error}");
            self.logged = Some(Instant::now());
        }
        self.fell(phase, error.to_string());
        match phase {
            Phase::Refused | Phase::TurnedAway => REFUSED_PAUSE,
            _ => (FIRST_PAUSE * 2u32.saturating_pow(self.failures.min(10))).min(LONGEST_PAUSE),
        }
    }

    /// This controller is no member, or cannot tell; whoever acts as one is stopped.
    fn fell(&self, phase: Phase, text: String) {
        let changed = self.node.link.failed(phase, text);
        if changed.is_some() {
            self.node.pool.clear();
            self.node.claimer.kill();
            self.node.reader_kill.kill();
        }
        self.node.tell_link(changed);
    }

    fn leave(&mut self) {
        if self.epoch != 0 {
            let mut cmd = script::leave.call(&self.node.keys.meta);
            cmd.arg(self.node.me()).arg(self.epoch);
            if self.wire.is_none() {
                let _ = self.connect();
            }
            if let Err(error) = self.call(|wire, deadline| wire.script(&script::leave, &cmd, deadline)) {
                log::warn!("Left the cluster without saying so, others will notice: {error}");
            } else {
                let mut cmd = script::forget.call(&self.node.keys.meta);
                cmd.arg(self.node.me());
                let _ = self.call(|wire, deadline| wire.script(&script::forget, &cmd, deadline));
            }
        }
        self.wire = None;
    }

    /// Which process of Redis we talk to.
    pub fn server(&self) -> String {
        self.wire.as_ref().map(|wire| wire.server.clone()).unwrap_or_default()
    }

    pub fn call(&mut self, act: impl FnOnce(&mut Wire, Instant) -> Result<Value, Fault>) -> Result<Value> {
        self.call_for(act)
    }

    fn call_for<T>(&mut self, act: impl FnOnce(&mut Wire, Instant) -> Result<T, Fault>) -> Result<T> {
        let deadline = Instant::now() + self.timeout();
        let Some(wire) = &mut self.wire else {
            return Err(unavailable(&self.node.address, "not connected"));
        };
        act(wire, deadline).map_err(|fault| self.node.explain(&fault))
    }

    /// Two tries must fit into a lease.
    fn timeout(&self) -> Duration {
        (self.node.settings.lease / 3).min(LONGEST_PAUSE)
    }

    /// Until when our lease holds for sure if it was renewed by a call sent at `sent`.
    fn lease_until(&self, sent: Instant) -> Instant {
        sent + self.node.settings.lease - self.node.settings.lease / 5
    }

    fn text(&self) -> String {
        format!("Member of the cluster {} on Redis at {}", self.node.settings.cluster, self.node.address)
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
