//! Redis has lost data, or may have: each controller says what it knows before any of them goes on.

use crate::heartbeat::{Heartbeat, millis};
use crate::memory::Remembered;
use crate::redis::{array, number, script, text, unavailable};
use crate::{ItemState, Result};

/// Items compared in one call.
const COMPARED: usize = 500;
/// Items stored in one call, and after how many bytes no more are added.
const STORED: usize = 100;
const STORED_BYTES: usize = 1 << 20;

/// What Redis was found to lack.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Found {
    back: bool,
    waiting: usize,
    running: usize,
    ended: usize,
}

impl Heartbeat<'_> {
    /// Has the others wait for what we know, unless we met this Redis before. Whether it lacks what was there.
    pub fn look(&mut self) -> Result<bool> {
        let node = self.node;
        let highest = node.memory.highest();
        let mut cmd = script::mend.call(&node.keys.meta);
        cmd.arg(node.me())
            .arg(millis(node.settings.lease))
            .arg(self.server())
            .arg(highest.seq)
            .arg(highest.event)
            .arg(highest.id.max(node.ids.highest()));
        for member in &self.members {
            cmd.arg(member);
        }
        let answer = array(self.call(|wire, deadline| wire.script(&script::mend, &cmd, deadline))?);
        let word = |index: usize| answer.get(index).map(text).unwrap_or_default();
        if word(0) != "OK" {
            return Ok(false);
        }
        self.incident = word(1);
        self.back |= word(2) == "1";
        Ok(self.back)
    }

    /// Stores what Redis lacks of what we know, and lets the others go on as far as it is up to us.
    pub fn mend(&mut self) -> Result<()> {
        let node = self.node;
        let mut found = Found { back: self.look()?, ..Found::default() };
        let known = node.memory.versions();
        for part in known.chunks(COMPARED) {
            let mut cmd = script::behind.call(&node.keys.meta);
            cmd.arg(node.me());
            for (id, version, state, owner) in part {
                let ours = runs(*state) && owner == node.me();
                cmd.arg(id).arg(version).arg(i32::from(ours));
            }
            let answer = array(self.call(|wire, deadline| wire.script(&script::behind, &cmd, deadline))?);
            let lacking: Vec<i64> = answer.iter().map(number).collect();
            self.store(&lacking, &mut found)?;
        }
        let mut cmd = script::mended.call(&node.keys.meta);
        cmd.arg(node.me());
        for (job, number) in node.memory.numbers() {
            cmd.arg(job).arg(number);
        }
        cmd.arg("");
        for (what, value, left) in node.memory.deeds() {
            cmd.arg(what).arg(value).arg(millis(left).max(1));
        }
        self.call(|wire, deadline| wire.script(&script::mended, &cmd, deadline))?;
        self.tell(found);
        if !node.vetted.is(&self.server()) {
            // Nobody goes on talking to the other one.
            node.pool.clear();
            node.reader_kill.kill();
            node.claimer.kill();
        }
        node.vetted.set(&self.server(), &self.generation);
        (self.lossy, self.wiped, self.back) = (false, false, false);
        Ok(())
    }

    fn store(&mut self, lacking: &[i64], found: &mut Found) -> Result<()> {
        let mut rest = lacking.iter();
        loop {
            let (mut cmd, mut count, mut bytes) = (script::restore.call(&self.node.keys.meta), 0, 0);
            cmd.arg(self.node.me()).arg(self.epoch).arg(millis(self.node.settings.lease));
            let mut states = Vec::new();
            while count < STORED && bytes < STORED_BYTES {
                let Some(id) = rest.next() else { break };
                let Some(remembered) = self.node.memory.item(*id) else { continue };
                let state = remembered.packed.item.state;
                if remembered.payload.is_none() && state == ItemState::Queued {
                    log::warn!(
                        "Redis has lost queue item {id} of {}, whose content this controller does not know",
                        remembered.packed.item.job
                    );
                    continue;
                }
                bytes += remembered.payload.as_ref().map_or(0, Vec::len);
                count += 1;
                states.push(state);
                self.add(&mut cmd, &remembered);
            }
            if count == 0 {
                return Ok(());
            }
            let stored = self.call(|wire, deadline| wire.script(&script::restore, &cmd, deadline))?;
            if number(&stored) > 0 {
                for state in states {
                    match state {
                        ItemState::Done | ItemState::Cancelled => found.ended += 1,
                        state if runs(state) || state == ItemState::Orphaned => found.running += 1,
                        _ => found.waiting += 1,
                    }
                }
            }
            if self.beaten.elapsed() > self.node.settings.heartbeat
                && self.epoch != 0
                && self.beat()?.is_none()
            {
                return Err(unavailable(
                    &self.node.address,
                    "the lease lapsed while it was being filled again",
                ));
            }
        }
    }

    fn add(&self, cmd: &mut ::redis::Cmd, remembered: &Remembered) {
        let node = self.node;
        let (packed, item) = (&remembered.packed, &remembered.packed.item);
        let ours = item.owner == node.me();
        let mut told = packed.clone();
        told.item.blocked = false;
        if packed.reaper.strip_prefix(node.me()).is_some_and(|rest| rest.starts_with(':')) {
            told.reaper = format!("{}:{}", node.me(), self.epoch);
        }
        told.last = if item.state.ended() && !item.owner.is_empty() {
            format!("{}:{}", item.owner, item.epoch)
        } else {
            String::new()
        };
        let payload = remembered.payload.as_deref().unwrap_or_default();
        cmd.arg(item.id)
            .arg(i32::from(ours && runs(item.state)))
            .arg(told.text(node.link.clock_offset()))
            .arg(payload)
            .arg(node.seal.payload(item.id, &item.job, payload));
    }

    fn tell(&self, found: Found) {
        let node = self.node;
        let Found { back, waiting, running, ended } = found;
        if !self.wiped && !back && waiting + running + ended == 0 {
            if !node.vetted.generation().is_empty() && !node.vetted.is(&self.server()) {
                log::info!(
                    "Redis at {} was restarted or replaced, and has all that is known here",
                    node.address
                );
            }
            return;
        }
        let what = if self.wiped { "was emptied" } else { "has gone back to an older state" };
        let text = format!(
            "Redis at {} {what}. From its own memory this controller brought back {waiting} waiting and {running} running \
             builds, and the ends of {ended}. What no controller knew is lost: docs/operations.md says which settings of \
             Redis keep that from happening",
            node.address
        );
        log::warn!("{text}");
        node.link.lost(text);
        node.reread.store(true, std::sync::atomic::Ordering::SeqCst);
        node.reader_kill.kill();
    }
}

/// Has a controller that is building it.
fn runs(state: ItemState) -> bool {
    matches!(state, ItemState::Starting | ItemState::Running)
}
