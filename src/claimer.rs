//! The claim: waits for items this controller can take, and takes them.
//!
//! The wait and the claim go out in one write: Redis runs the claim the moment the wait ends, without a further round trip.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::redis::{Cmd, Value, cmd, pipe};
use parking_lot::Mutex;

use crate::answers::{Member, Words};
use crate::formats::Kind;
use crate::members::Membership;
use crate::node::Node;
use crate::redis::{CALL_TIMEOUT, Fault, KillSwitch, Wire, array, number, script, text};
use crate::{Error, Item, LaneOffer, Result};

/// For how long an item of a newer format is left to the others at first, ms; twice as long each time.
const LEAVE_MS: i64 = 1000;
/// Of what is preferred, no more than this is sent with each claim.
const MOST_PREFERRED: usize = 200;

/// The claiming connection and how it is woken.
#[derive(Default)]
pub(crate) struct Claimer {
    line: Mutex<Line>,
    kill: KillSwitch,
    woken: AtomicBool,
    waiting: AtomicBool,
    /// Claimed, but the caller could make nothing of it yet.
    kept: Mutex<Vec<Item>>,
    /// Ids that are claimed before all others, a blank between them.
    first: Mutex<String>,
}

#[derive(Default)]
struct Line {
    wire: Option<Wire>,
    session: u64,
    /// The claims are numbered within a membership.
    claim: u64,
    /// The answer to the present claim was lost.
    repeated: bool,
    /// Redis may count this controller among those who wait.
    waits: bool,
    /// Last entry seen of the wake stream.
    seen: String,
}

/// What this controller could not start and leaves to the others for a while.
struct Left {
    /// A blank before and behind each.
    ids: String,
    count: usize,
    /// When the first may be claimed here again.
    until: Option<Instant>,
}

struct Round {
    items: Vec<Item>,
    next_due: Option<Duration>,
}

impl Claimer {
    /// What was claimed did not reach the caller: the next claim answers it.
    pub fn keep(&self, items: Vec<Item>) {
        self.kept.lock().extend(items);
    }

    /// Ends the present wait by cutting the connection.
    pub fn kill(&self) {
        self.kill.kill();
    }

    /// As [`Claimer::kill`], if it waits in an earlier session.
    pub fn kill_before(&self, session: u64) {
        self.kill.kill_before(session);
    }
}

impl Node {
    /// See [`Left`].
    fn left_to_others(&self) -> Left {
        let mut left = self.left.lock();
        let now = Instant::now();
        left.retain(|_, until| *until > now);
        Left {
            ids: left.keys().map(|id| format!(" {id} ")).collect(),
            count: left.len(),
            until: left.values().min().copied(),
        }
    }

    /// Makes a waiting claim, or else the next one, return at once.
    pub fn wake(&self) {
        self.claimer.woken.store(true, Ordering::SeqCst);
        if self.claimer.waiting.load(Ordering::SeqCst) {
            self.chores.want(|wanted| wanted.wake = true);
        }
        self.link.nudge();
    }

    /// See [`crate::Controller::prefer`].
    pub fn prefer(&self, first: &[i64]) {
        let first: Vec<String> = first.iter().take(MOST_PREFERRED).map(ToString::to_string).collect();
        *self.claimer.first.lock() = first.join(" ");
    }

    /// See [`crate::Controller::claim`].
    pub fn claim(&self, offers: &[LaneOffer], most: usize, timeout: Duration) -> Result<Vec<Item>> {
        let deadline = Instant::now() + timeout;
        let mut line = self.claimer.line.lock();
        let mut kept = std::mem::take(&mut *self.claimer.kept.lock());
        // What an earlier membership claimed went back to the queue with it.
        let epoch = self.link.membership().map_or(0, |membership| membership.epoch);
        kept.retain(|item| item.epoch == epoch);
        if !kept.is_empty() {
            let items = self.readable(kept)?;
            self.held.lock().extend(items.iter().map(|item| (item.id, item.attempts)));
            return Ok(items);
        }
        self.claimer.waiting.store(true, Ordering::SeqCst);
        let result = self.claim_until(&mut line, offers, most, deadline);
        self.claimer.waiting.store(false, Ordering::SeqCst);
        self.claimer.woken.store(false, Ordering::SeqCst);
        if self.link.closed() {
            // What was claimed meanwhile goes back to the queue when the membership ends.
            return Err(Error::Closed);
        }
        let items = result?;
        if !items.is_empty() {
            let mut held = self.held.lock();
            held.extend(items.iter().map(|item| (item.id, item.attempts)));
        }
        Ok(items)
    }

    fn claim_until(
        &self,
        line: &mut Line,
        offers: &[LaneOffer],
        most: usize,
        deadline: Instant,
    ) -> Result<Vec<Item>> {
        let woken = || self.claimer.woken.load(Ordering::SeqCst) || self.link.closed();
        if !self.link.await_joined(deadline.saturating_duration_since(Instant::now()), woken) {
            return if woken() { Ok(Vec::new()) } else { self.link.membership().map(|_| Vec::new()) };
        }
        let membership = self.link.lease().inspect_err(|_| self.stumbled(deadline))?;
        let offers = merge(offers);
        let most = if offers.is_empty() { 0 } else { most };
        let result = self.rounds(line, membership, &offers, most, deadline, &woken);
        match result {
            Ok(items) => self.readable(items),
            Err(fault) => {
                line.wire = None;
                // A wait that was cut by wake(), close() or a new membership is no failure.
                if woken() || self.link.membership().is_ok_and(|now| now.session != membership.session) {
                    return Ok(Vec::new());
                }
                self.stumbled(deadline);
                Err(fault)
            }
        }
    }

    /// Has the heartbeat look what is wrong; the pause keeps a caller that repeats at once from spinning.
    fn stumbled(&self, deadline: Instant) {
        self.chores.want(|wanted| wanted.beat = true);
        let pause = Duration::from_millis(100).min(deadline.saturating_duration_since(Instant::now()));
        std::thread::sleep(pause);
    }

    fn rounds(
        &self,
        line: &mut Line,
        membership: Membership,
        offers: &BTreeMap<&str, usize>,
        most: usize,
        deadline: Instant,
        woken: &impl Fn() -> bool,
    ) -> Result<Vec<Item>> {
        self.prepare(line, membership)?;
        let mut next_due = None;
        let mut left_out = self.left_to_others();
        // Who takes nothing more must not be roused for others.
        if most > 0 || line.waits {
            let cmd = self.claim_cmd(line, membership, offers, most, &left_out);
            let result = line.call(|wire| wire.script(&script::claim, &cmd, Instant::now() + CALL_TIMEOUT));
            let round = self.claimed(line, result)?;
            if !round.items.is_empty() {
                return Ok(round.items);
            }
            next_due = round.next_due;
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if woken() || left.is_zero() {
                return Ok(Vec::new());
            }
            let again = left_out.until.map_or(left, |until| until.saturating_duration_since(Instant::now()));
            let block = next_due.map_or(left, |due: Duration| due.min(left)).min(again);
            let block = block.max(Duration::from_millis(1));
            let mut wait = cmd("XREAD");
            wait.arg("BLOCK").arg(block.as_millis().max(1) as u64).arg("STREAMS");
            wait.arg(self.keys.wake_of(self.me())).arg(&line.seen);
            let mut commands = pipe();
            commands.add_command(wait);
            if most > 0 {
                left_out = self.left_to_others();
                commands.add_command(self.claim_cmd(line, membership, offers, most, &left_out));
            }
            let answers = line.call(|wire| wire.pipeline(&commands, Instant::now() + block + CALL_TIMEOUT));
            let mut answers = match answers {
                Ok(answers) => answers.into_iter(),
                Err(fault) => {
                    line.repeated = most > 0;
                    return Err(self.explain(&fault));
                }
            };
            let called =
                line.saw(answers.next().unwrap_or_default()).map_err(|fault| self.explain(&fault))?;
            if let Some(answer) = answers.next() {
                let result = match answer {
                    Value::ServerError(error) => Err(Fault::Server(error)),
                    value => Ok(value),
                };
                let result = match result {
                    Err(fault) if fault.is_no_script() => {
                        let cmd = self.claim_cmd(line, membership, offers, most, &left_out);
                        line.call(|wire| wire.script(&script::claim, &cmd, Instant::now() + CALL_TIMEOUT))
                    }
                    result => result,
                };
                let round = self.claimed(line, result)?;
                if !round.items.is_empty() {
                    return Ok(round.items);
                }
                next_due = round.next_due;
            }
            if called {
                return Ok(Vec::new());
            }
        }
    }

    /// A connection that knows from where on to listen for wakes.
    fn prepare(&self, line: &mut Line, membership: Membership) -> Result<()> {
        if line.session != membership.session {
            *line = Line { session: membership.session, claim: 1, ..Line::default() };
        }
        if line.wire.is_some() {
            return Ok(());
        }
        let explain = |fault: Fault| self.explain(&fault);
        let mut wire = self.connect("claim", CALL_TIMEOUT).map_err(explain)?;
        let mut last = cmd("XREVRANGE");
        last.arg(self.keys.wake_of(self.me())).arg("+").arg("-").arg("COUNT").arg(1);
        let last = wire.call(&last, Instant::now() + CALL_TIMEOUT).map_err(explain)?;
        let last = array(array(last).into_iter().next().unwrap_or_default());
        line.seen = last.first().map_or_else(|| "0-0".to_owned(), text);
        self.claimer.kill.arm(&wire, line.session);
        line.wire = Some(wire);
        Ok(())
    }

    fn claim_cmd(
        &self,
        line: &Line,
        membership: Membership,
        offers: &BTreeMap<&str, usize>,
        most: usize,
        left: &Left,
    ) -> Cmd {
        let mut cmd = script::claim.call(&self.keys.meta);
        cmd.arg(self.me())
            .arg(membership.epoch)
            .arg(most)
            .arg(line.claim)
            .arg(i32::from(line.repeated))
            .arg(&left.ids)
            .arg(left.count)
            .arg(self.claimer.first.lock().as_str());
        for (lane, room) in offers {
            cmd.arg(lane).arg(room);
        }
        cmd
    }

    fn claimed(&self, line: &mut Line, result: Result<Value, Fault>) -> Result<Round> {
        let answer = match result {
            Ok(answer) => array(answer),
            Err(fault) => {
                line.repeated = !matches!(fault, Fault::NoConnection(_));
                return Err(self.explain(&fault));
            }
        };
        line.repeated = false;
        line.claim += 1;
        if Member::of(&answer)? == Member::Fenced {
            return Err(Error::Fenced(
                "This controller was declared dead and is joining the cluster again".into(),
            ));
        }
        line.waits = answer.len() <= 3;
        let next_due = answer.get(2).map(number).filter(|ms| *ms >= 0);
        Ok(Round {
            items: self.items_of(answer.get(3..).unwrap_or_default()),
            // The first due item may come a little after the ms it was rounded to.
            next_due: next_due.map(|ms| Duration::from_millis(ms.unsigned_abs() + 1)),
        })
    }

    /// Sets those aside whose payload was tampered with, and leaves those to others whose format is not known here.
    fn readable(&self, items: Vec<Item>) -> Result<Vec<Item>> {
        let (good, bad): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.payload.is_some());
        let mut bad = bad.into_iter();
        while let Some(item) = bad.next() {
            let given = if self.knows(Kind::Item, "", item.format) {
                self.park(item.id, crate::queue::FORGED)
            } else {
                let times = item.attempts.saturating_sub(1).clamp(0, 6);
                let why = format!("{} does not know the format in which it was stored", self.settings.name);
                self.leave_to_others(item.id, LEAVE_MS << times, &why)
            };
            if let Err(error) = given {
                // The next claim sees to all of them again.
                self.claimer.keep([good, vec![item], bad.collect()].concat());
                return Err(error);
            }
        }
        Ok(good)
    }
}

impl Line {
    fn call<T>(&mut self, act: impl FnOnce(&mut Wire) -> Result<T, Fault>) -> Result<T, Fault> {
        match &mut self.wire {
            Some(wire) => act(wire),
            None => Err(Fault::NoConnection(std::io::ErrorKind::NotConnected.into())),
        }
    }

    /// Notes the last entry of an XREAD's answer; whether this controller itself asked for an end of the wait.
    fn saw(&mut self, answer: Value) -> Result<bool, Fault> {
        if let Value::ServerError(error) = answer {
            return Err(Fault::Server(error));
        }
        let mut called = false;
        for stream in array(answer) {
            for entry in array(array(stream).into_iter().nth(1).unwrap_or_default()) {
                let mut parts = array(entry).into_iter();
                self.seen = parts.next().as_ref().map(text).unwrap_or_default();
                called |= array(parts.next().unwrap_or_default()).first().map(text).as_deref() == Some("w");
            }
        }
        Ok(called)
    }
}

/// One offer for each lane.
fn merge(offers: &[LaneOffer]) -> BTreeMap<&str, usize> {
    let mut merged = BTreeMap::new();
    for offer in offers.iter().filter(|offer| offer.room > 0) {
        *merged.entry(offer.lane.as_str()).or_insert(0) += offer.room;
    }
    merged
}
