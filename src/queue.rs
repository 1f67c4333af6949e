//! The queue: items and their changes of state, each one script.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ::redis::{Cmd, Value};

use crate::answers::{Cancelled, Change, HandedOver, Moved, Numbered, Passed, Refusal, Reran, Stored, Words};
use crate::formats::Kind;
use crate::members::Membership;
use crate::node::{Node, clock_ms};
use crate::packed::Packed;
use crate::redis::{CALL_TIMEOUT, Fault, LOCK_TIMEOUT, Script, bytes, number, script, text, unavailable};
use crate::{Cancel, Enqueued, Error, Item, ItemState, NewItem, Result};

/// Why an item is set aside whose seal is wrong.
pub(crate) const FORGED: &str = "Its stored content was changed by somebody without the cluster's secrets: cancel it and \
                                 trigger the build again; look at who can write to Redis";

/// How long an item of a job that forbids concurrent builds lets the others of its job go first, once it was held up.
const ALONE_MS: i64 = 5000;

/// How often an item that somebody else changes meanwhile is read again.
const HAND_OVER_TRIES: usize = 5;

impl Node {
    /// See [`crate::Controller::enqueue`].
    pub fn enqueue(&self, item: NewItem, seen_revision: i64, note: &str) -> Result<Enqueued> {
        check(&item)?;
        self.link.membership()?;
        let mut packed = Packed { item: Item::accepted(&item, self.me(), clock_ms()), ..Packed::default() };
        (packed.item.version, packed.item.format) = (1, self.format(Kind::Item));
        let mut cmd = self.call(&script::enqueue);
        cmd.arg(item.id)
            .arg(packed.text(0))
            .arg(item.quiet_ms)
            .arg(&item.payload)
            .arg(self.seal.payload(item.id, &item.job, &item.payload))
            .arg(seen_revision)
            .arg(line(note));
        let answer = self.enqueued(item.id, self.run_held(&script::enqueue, &cmd, CALL_TIMEOUT)?)?;
        if answer.accepted {
            self.memory.stored(packed, &item.payload, answer.revision);
        }
        Ok(answer)
    }

    /// See [`crate::Controller::fold`] and, for what is `held`, [`crate::Controller::fold_held`].
    pub fn fold(
        &self,
        id: i64,
        seen_revision: i64,
        payload: &[u8],
        (due_in_ms, held): (i64, bool),
        note: &str,
    ) -> Result<Enqueued> {
        let membership = self.link.membership()?;
        if payload.len() > NewItem::MAX_PAYLOAD {
            return Err(too_large(payload.len()));
        }
        let Some(item) = self.item(id)? else { return Err(self.missing(id)) };
        self.check_format(&item)?;
        let mut cmd = self.call(&script::fold);
        cmd.arg(id)
            .arg(seen_revision)
            .arg(payload)
            .arg(self.seal.payload(id, &item.job, payload))
            .arg(due_in_ms.max(-1))
            .arg(self.me())
            .arg(membership.epoch)
            .arg(i32::from(held))
            .arg(line(note))
            .arg(self.item_format());
        let answer = self.enqueued(id, self.run_held(&script::fold, &cmd, CALL_TIMEOUT)?)?;
        if answer.accepted {
            let due_ms = (due_in_ms >= 0).then(|| clock_ms() + due_in_ms);
            self.memory.folded(id, answer.revision, (payload, self.format(Kind::Item)), due_ms);
        }
        Ok(answer)
    }

    fn enqueued(&self, id: i64, answer: Vec<Value>) -> Result<Enqueued> {
        let revision = answer.get(1).map(number).unwrap_or(0);
        match Stored::of(&answer)? {
            Stored::Done => Ok(Enqueued { accepted: true, revision, queued: Vec::new() }),
            Stored::Newer => {
                let queued = self.items_of(answer.get(2..).unwrap_or_default());
                Ok(Enqueued { accepted: false, revision, queued })
            }
            Stored::Taken => Err(taken(id)),
            Stored::Fenced => Err(Error::Fenced(format!(
                "Item {id} stands for a build of a controller that is no member just now"
            ))),
            Stored::NotFound => Err(not_found(id)),
            Stored::Gone => {
                self.chores.want(|wanted| wanted.beat = true);
                Err(unavailable(&self.address, "it has lost its data and is being filled again"))
            }
        }
    }

    /// Runs a script that waits for its turn while Redis is being mended, for a moment.
    pub fn run(&self, script: &'static Script, cmd: &Cmd) -> Result<Vec<Value>> {
        self.patiently(CALL_TIMEOUT, |deadline| {
            self.pool.run_held(script, cmd, Duration::ZERO, deadline).map(|(answer, _)| answer)
        })
    }

    /// As [`Node::run`]; where there are replicas, one has it too when this returns, or an admin is told.
    fn run_held(&self, script: &'static Script, cmd: &Cmd, limit: Duration) -> Result<Vec<Value>> {
        let replicas = self.replicas.load(Ordering::Relaxed) > 0;
        let wait = if replicas { self.address.replica_wait } else { Duration::ZERO };
        self.patiently(limit, |deadline| {
            let (answer, held) = self.pool.run_held(script, cmd, wait, deadline)?;
            if !wait.is_zero() {
                self.note_held(held);
            }
            Ok(answer)
        })
    }

    fn note_held(&self, held: Result<bool, Fault>) {
        let why = match held {
            Ok(true) => return self.link.replicated(),
            Ok(false) => format!("none did within {} ms", self.address.replica_wait.as_millis()),
            Err(fault) => fault.explain(&self.address).to_string(),
        };
        let text = format!(
            "Redis at {} has replicas, but they do not confirm what is accepted ({why}): a failover now would lose it. Look at \
             the replicas and the network between them",
            self.address
        );
        if self.link.unreplicated(&text) {
            log::warn!("{text}");
        }
    }

    /// Repeats what finds Redis being filled again; all of it takes `limit` at the most.
    fn patiently(&self, limit: Duration, run: impl Fn(Instant) -> Result<Vec<Value>>) -> Result<Vec<Value>> {
        let begun = Instant::now();
        loop {
            let answer = run(begun + limit)?;
            if answer.first().map(text).as_deref() != Some("MENDING") {
                return Ok(answer);
            }
            if begun.elapsed() > limit / 2 {
                return Err(Error::Unavailable(format!(
                    "Redis at {} has lost data, and the controllers are just filling it again: try again in some seconds",
                    self.address
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// See [`crate::Controller::assign_number`].
    pub fn assign_number(&self, id: i64, job: &str, floor: i32) -> Result<i32> {
        let membership = self.link.lease()?;
        plain("job", job)?;
        let mut cmd = self.owner_call(&script::number, membership, id);
        cmd.arg(job).arg(floor.max(0));
        let answer = self.run_held(&script::number, &cmd, LOCK_TIMEOUT)?;
        match Numbered::of(&answer)? {
            Numbered::Given => {
                let number = answer.get(1).map(number).unwrap_or(0);
                let number = i32::try_from(number)
                    .map_err(|_| Error::Invalid(format!("The job {job} has run out of build numbers")))?;
                self.memory.numbered(job, number);
                self.memory.change(id, |item| {
                    let news = item.number != number;
                    item.state = if news { ItemState::Starting } else { item.state };
                    item.number = number;
                    news
                });
                Ok(number)
            }
            Numbered::Cancelled => {
                self.forget(id);
                let who = answer.get(1).map(text).unwrap_or_default();
                Err(Error::Conflict(format!("Item {id} was cancelled by {who} before its build began")))
            }
            Numbered::Refused => self.refused(id, &answer).map(|()| 0),
        }
    }

    /// See [`crate::Controller::forget_numbers`].
    pub fn forget_numbers(&self, job: &str, highest: i32) -> Result<()> {
        self.link.membership()?;
        plain("job", job)?;
        let mut cmd = script::forget_number.call(&self.keys.meta);
        cmd.arg(job).arg(highest);
        self.pool.run(&script::forget_number, &cmd)?;
        self.memory.unnumbered(job, highest);
        Ok(())
    }

    /// See [`crate::Controller::jobs_moved`].
    pub fn jobs_moved(&self, jobs: &[(String, String)], items: &[(i64, usize, Vec<u8>)]) -> Result<i64> {
        self.link.membership()?;
        let mut cmd = self.call(&script::moved);
        cmd.arg(jobs.len());
        for (old, new) in jobs {
            plain("job", old)?;
            plain("job", new)?;
            cmd.arg(old).arg(new);
        }
        for (id, job, payload) in items {
            let Some((_, new)) = jobs.get(*job) else {
                return Err(Error::Invalid(format!("Item {id} is of none of the jobs that moved")));
            };
            if payload.len() > NewItem::MAX_PAYLOAD {
                return Err(too_large(payload.len()));
            }
            cmd.arg(*id).arg(payload.as_slice()).arg(self.seal.payload(*id, new, payload));
        }
        let answer = self.run_held(&script::moved, &cmd, CALL_TIMEOUT)?;
        let Moved::Done = Moved::of(&answer)?;
        self.memory.moved(jobs);
        Ok(answer.get(1).map(number).unwrap_or(0))
    }

    /// See [`crate::Controller::revise`].
    pub fn revise(&self, id: i64, lane: &str, concurrent: bool) -> Result<()> {
        self.link.membership()?;
        plain("lane", lane)?;
        let mut cmd = self.call(&script::revise);
        cmd.arg(id).arg(lane).arg(i32::from(concurrent));
        let answer = self.run_held(&script::revise, &cmd, CALL_TIMEOUT)?;
        match Change::of(&answer)? {
            Change::Done => Ok(()),
            Change::Refused => self.refused(id, &answer),
        }
    }

    /// See [`crate::Controller::started`].
    pub fn started(&self, id: i64, number: i32) -> Result<()> {
        let membership = self.link.lease()?;
        let mut cmd = self.owner_call(&script::started, membership, id);
        cmd.arg(number);
        self.change(id, &script::started, &cmd)?;
        self.memory.change(id, |item| {
            let news = item.state == ItemState::Starting;
            item.state = if news { ItemState::Running } else { item.state };
            news
        });
        Ok(())
    }

    /// See [`crate::Controller::finished`].
    pub fn finished(&self, id: i64, result: &str) -> Result<()> {
        let membership = self.link.membership()?;
        let mut cmd = self.owner_call(&script::finished, membership, id);
        cmd.arg(line(result));
        self.change(id, &script::finished, &cmd)?;
        self.memory.change(id, |item| {
            item.state = ItemState::Done;
            item.result = line(result);
            true
        });
        self.forget(id);
        Ok(())
    }

    /// See [`crate::Controller::cancelled`].
    pub fn cancelled(&self, id: i64, why: &str) -> Result<()> {
        let membership = self.link.membership()?;
        let mut cmd = self.owner_call(&script::cancelled, membership, id);
        cmd.arg(line(why));
        self.change(id, &script::cancelled, &cmd)?;
        self.memory.cancelled(id);
        self.forget(id);
        Ok(())
    }

    /// See [`crate::Controller::release`].
    pub fn release(&self, id: i64, delay_ms: i64, why: &str) -> Result<()> {
        self.hand_back(id, delay_ms, why, false)
    }

    /// See [`crate::Controller::leave_to_others`].
    pub fn leave_to_others(&self, id: i64, pause_ms: i64, why: &str) -> Result<()> {
        // Of a job that is built one at a time, others may go first where this one is held up.
        let alone = self.memory.item(id).is_some_and(|known| !known.packed.item.concurrent);
        let pause = Duration::from_millis(pause_ms.max(0).unsigned_abs());
        self.left.lock().insert(id, Instant::now() + pause);
        let back = self.hand_back(id, if alone { pause_ms.min(ALONE_MS) } else { 0 }, why, false);
        if back.is_err() {
            self.left.lock().remove(&id);
        }
        back
    }

    /// See [`crate::Controller::requeue`].
    pub fn requeue(&self, id: i64, why: &str) -> Result<()> {
        self.hand_back(id, 0, why, true)
    }

    /// See [`crate::Controller::pass`].
    pub fn pass(&self, id: i64) -> Result<Option<String>> {
        let membership = self.link.membership()?;
        let mut cmd = self.call(&script::pass);
        cmd.arg(self.me()).arg(membership.epoch).arg(id);
        let answer = self.pool.run(&script::pass, &cmd)?;
        match Passed::of(&answer)? {
            Passed::To => Ok(answer.get(1).map(text)),
            Passed::Alone => Ok(None),
            Passed::Refused => self.refused(id, &answer).map(|()| None),
        }
    }

    /// See [`crate::Controller::rerun`].
    pub fn rerun(
        &self,
        id: i64,
        result: &str,
        new_id: i64,
        payload: &[u8],
        most: Option<u32>,
    ) -> Result<Option<i64>> {
        let membership = self.link.membership()?;
        check_id(new_id)?;
        if payload.len() > NewItem::MAX_PAYLOAD {
            return Err(too_large(payload.len()));
        }
        let Some(item) = self.item(id)? else { return Err(self.missing(id)) };
        self.check_format(&item)?;
        let mut cmd = self.call(&script::rerun);
        cmd.arg(self.me())
            .arg(membership.epoch)
            .arg(id)
            .arg(line(result))
            .arg(new_id)
            .arg(payload)
            .arg(self.seal.payload(new_id, &item.job, payload))
            .arg(most.map_or(-1, i64::from))
            .arg(self.item_format());
        let answer = self.run_held(&script::rerun, &cmd, CALL_TIMEOUT)?;
        match Reran::of(&answer)? {
            Reran::Done => {
                self.forget(id);
                let again = answer.get(1).map(number).filter(|again| *again > 0);
                if again.is_some() && !item.owner.is_empty() && item.owner != self.me() {
                    self.count_rerun(&item.owner, id);
                }
                Ok(again)
            }
            Reran::Taken => Err(taken(new_id)),
            Reran::Refused => self.refused(id, &answer).map(|()| None),
        }
    }

    /// See [`crate::Controller::keep`].
    pub fn keep(&self, id: i64) -> Result<()> {
        self.take_back(id, false, 0)
    }

    /// See [`crate::Controller::resume`].
    pub fn resume(&self, id: i64, number: i32) -> Result<()> {
        self.take_back(id, true, number)
    }

    /// See [`crate::Controller::adopt`].
    pub fn adopt(&self, id: i64) -> Result<()> {
        let membership = self.link.membership()?;
        let mut cmd = self.call(&script::adopt);
        cmd.arg(self.me()).arg(membership.epoch).arg(id);
        self.change(id, &script::adopt, &cmd)
    }

    /// See [`crate::Controller::hand_over`].
    pub fn hand_over(&self, id: i64, taker: &str) -> Result<bool> {
        let membership = self.link.membership()?;
        plain("controller id", taker)?;
        for _ in 0..HAND_OVER_TRIES {
            let Some(item) = self.item(id)? else { return Err(self.missing(id)) };
            let mut cmd = self.call(&script::hand_over);
            cmd.arg(self.me()).arg(membership.epoch).arg(id).arg(item.version).arg(taker);
            let answer = self.pool.run(&script::hand_over, &cmd)?;
            match HandedOver::of(&answer)? {
                HandedOver::Done => {
                    self.forget(id);
                    return Ok(true);
                }
                HandedOver::Absent => return Ok(false),
                HandedOver::Changed => {}
                HandedOver::Refused => return self.refused(id, &answer).map(|()| false),
            }
        }
        Err(Error::Unavailable(format!("Item {id} changes all the time: try again")))
    }

    fn take_back(&self, id: i64, only_here: bool, number: i32) -> Result<()> {
        let membership = self.link.membership()?;
        let mut cmd = self.call(&script::keep);
        cmd.arg(self.me()).arg(membership.epoch).arg(id).arg(i32::from(only_here)).arg(number);
        self.change(id, &script::keep, &cmd)
    }

    /// See [`crate::Controller::unwanted`].
    pub fn unwanted(&self, id: i64, who: &str) -> Result<()> {
        self.link.membership()?;
        let mut cmd = self.call(&script::unwanted);
        cmd.arg(id).arg(person(who));
        self.change(id, &script::unwanted, &cmd)
    }

    fn hand_back(&self, id: i64, delay_ms: i64, why: &str, orphaned: bool) -> Result<()> {
        let membership = self.link.membership()?;
        let mut cmd = self.owner_call(&script::release, membership, id);
        cmd.arg(delay_ms.max(0)).arg(line(why)).arg(i32::from(orphaned));
        self.change(id, &script::release, &cmd)?;
        self.forget(id);
        Ok(())
    }

    /// See [`crate::Controller::park`].
    pub fn park(&self, id: i64, why: &str) -> Result<()> {
        self.set_aside(id, why, b"")?;
        self.forget(id);
        Ok(())
    }

    /// Sets a queued item aside if it still has the seal that was found wrong.
    pub fn set_aside(&self, id: i64, why: &str, seal: &[u8]) -> Result<()> {
        let membership = self.link.membership()?;
        let mut cmd = self.owner_call(&script::park, membership, id);
        cmd.arg(line(why)).arg(seal);
        self.change(id, &script::park, &cmd)
    }

    /// See [`crate::Controller::cancel`].
    pub fn cancel(&self, id: i64, who: &str) -> Result<Cancel> {
        self.link.membership()?;
        let mut cmd = self.call(&script::cancel);
        cmd.arg(id).arg(person(who));
        let answer = self.run(&script::cancel, &cmd)?;
        Ok(match Cancelled::of(&answer)? {
            Cancelled::Done => {
                self.memory.cancelled(id);
                Cancel::Cancelled
            }
            Cancelled::Asked => Cancel::Asked(answer.get(1).map(text).unwrap_or_default()),
            Cancelled::TooLate => Cancel::TooLate,
            Cancelled::Unknown => Cancel::Unknown,
        })
    }

    /// See [`crate::Controller::item`].
    pub fn item(&self, id: i64) -> Result<Option<Item>> {
        self.link.membership()?;
        let mut cmd = self.call(&script::item_read);
        cmd.arg(id);
        Ok(self.items_of(&self.pool.run(&script::item_read, &cmd)?).pop())
    }

    /// See [`crate::Controller::items`].
    pub fn items(&self) -> Result<Vec<Item>> {
        self.link.membership()?;
        let mut items = Vec::new();
        let mut after = "0".to_owned();
        while !after.is_empty() {
            let mut cmd = self.call(&script::items);
            cmd.arg(&after).arg(0);
            let answer = self.pool.run(&script::items, &cmd)?;
            after = answer.get(2).map(text).unwrap_or_default();
            items.extend(self.items_of(answer.get(4..).unwrap_or_default()));
        }
        Ok(items)
    }

    /// Refuses to put another payload in the place of one that this controller cannot read.
    fn check_format(&self, item: &Item) -> Result<()> {
        if self.knows(Kind::Item, "", item.format) {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "Item {} of {} was stored by a newer version of HA Jenkins: it is left to the controllers that have that",
            item.id, item.job
        )))
    }

    /// Items from (packed, payload, seal) triples; a payload with a wrong seal, or of a newer format, is left out.
    pub fn items_of(&self, values: &[Value]) -> Vec<Item> {
        values
            .chunks_exact(3)
            .filter_map(|triple| {
                let packed = Packed::read(&text(&triple[0]), self.link.clock_offset())?;
                let (payload, seal) = (bytes(&triple[1])?, bytes(&triple[2])?);
                let mut item = packed.item.clone();
                let holds = !seal.is_empty() && self.seal.payload_holds(item.id, &item.job, payload, seal);
                let known = self.knows(Kind::Item, "", item.format);
                item.payload = (holds && known).then(|| payload.to_vec());
                self.memory.saw(packed, holds.then_some(payload));
                Some(item)
            })
            .collect()
    }

    fn call(&self, script: &Script) -> Cmd {
        script.call(&self.keys.meta)
    }

    /// A call that only who holds the item, by the claim we know of, may make.
    fn owner_call(&self, script: &Script, membership: Membership, id: i64) -> Cmd {
        let attempt = self.held.lock().get(&id).copied().unwrap_or(0);
        let mut cmd = self.call(script);
        cmd.arg(self.me()).arg(membership.epoch).arg(id).arg(attempt);
        cmd
    }

    fn change(&self, id: i64, script: &'static Script, cmd: &Cmd) -> Result<()> {
        let answer = self.pool.run(script, cmd)?;
        match Change::of(&answer)? {
            Change::Done => Ok(()),
            Change::Refused => self.refused(id, &answer),
        }
    }

    fn refused(&self, id: i64, answer: &[Value]) -> Result<()> {
        match Refusal::of(answer)? {
            Refusal::Fenced => {
                self.forget(id);
                Err(Error::Fenced(format!(
                    "Item {id} is no longer held by this controller: stop working on it"
                )))
            }
            Refusal::NotFound => Err(self.missing(id)),
            Refusal::State => {
                let state = answer.get(1).and_then(bytes).and_then(ItemState::from_letter);
                let state =
                    state.map_or_else(|| "unknown".into(), |state| format!("{state:?}").to_uppercase());
                Err(Error::Conflict(format!("Item {id} is {state}, which does not allow this")))
            }
        }
    }

    /// Redis does not have it; if we know that it has not ended, it will again.
    fn missing(&self, id: i64) -> Error {
        if !self.memory.lives(id) {
            return not_found(id);
        }
        self.chores.want(|wanted| wanted.beat = true);
        unavailable(&self.address, "it has lost this item, which is being brought back")
    }

    fn forget(&self, id: i64) {
        self.held.lock().remove(&id);
    }
}

fn check_id(id: i64) -> Result<()> {
    if id <= 0 || id >= 1 << 53 {
        return Err(Error::Invalid(format!("A queue id must be from 1 to 2^53, not {id}")));
    }
    Ok(())
}

fn check(item: &NewItem) -> Result<()> {
    check_id(item.id)?;
    if !(0..2048).contains(&item.priority) {
        return Err(Error::Invalid(format!("A priority must be from 0 to 2047, not {}", item.priority)));
    }
    if item.payload.len() > NewItem::MAX_PAYLOAD {
        return Err(too_large(item.payload.len()));
    }
    if !(0..=1 << 45).contains(&item.quiet_ms) {
        return Err(Error::Invalid(format!("A quiet period cannot be {} ms", item.quiet_ms)));
    }
    if item.pinned.contains(':') {
        return Err(Error::Invalid("A controller's id has no colon".into()));
    }
    if item.job.is_empty() {
        return Err(Error::Invalid("An item must name its job".into()));
    }
    plain("job", &item.job)?;
    plain("lane", &item.lane)?;
    plain("controller id", &item.pinned)
}

/// Lines separate the parts of a packed item.
fn plain(what: &str, text: &str) -> Result<()> {
    if text.contains(['\n', '\r', '\0']) {
        return Err(Error::Invalid(format!("A {what} cannot contain line breaks")));
    }
    Ok(())
}

/// Who wants something, for the record.
fn person(who: &str) -> String {
    let who = line(who);
    if who.is_empty() { "somebody".into() } else { who }
}

/// A sentence for people on one line.
fn line(text: &str) -> String {
    text.chars().take(1000).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn not_found(id: i64) -> Error {
    Error::NotFound(format!("There is no item {id} in the cluster's queue (ended items are kept for 24 h)"))
}

fn taken(id: i64) -> Error {
    Error::Conflict(format!(
        "The queue id {id} is taken by another item: raise the queue ids above those already used"
    ))
}

fn too_large(length: usize) -> Error {
    Error::Invalid(format!("A payload can have {} bytes at the most, not {length}", NewItem::MAX_PAYLOAD))
}
