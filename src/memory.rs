//! What this controller remembers of the queue, should Redis lose it.
//!
//! Fed by the events that all controllers read and, a moment before those come, by what this controller was answered itself: what
//! was acknowledged is remembered from then on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::numbers::EMERGENCY;
use crate::packed::Packed;
use crate::{Item, ItemState};

/// Ended items are remembered so that none runs again; the oldest are forgotten.
const ENDED: usize = 20_000;
const DEEDS: usize = 1000;
/// Of so many jobs the last number is remembered; of others the jobs folder knows it.
const JOBS: usize = 20_000;

/// Smaller priorities first, then who came first.
const PER_PRIORITY: i64 = 1 << 42;

/// What this controller remembers of the queue.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Known>);

#[derive(Default)]
struct Known {
    live: HashMap<i64, Kept>,
    ended: HashMap<i64, Packed>,
    order: VecDeque<i64>,
    /// Highest numbers given to this controller, by job, and as its how manieth one each was given.
    numbers: HashMap<String, (i32, u64)>,
    given: u64,
    deeds: VecDeque<(String, String, Instant)>,
    highest: Highest,
}

/// How far the cluster's counters were seen to have risen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Highest {
    pub seq: i64,
    pub event: i64,
    pub id: i64,
}

struct Kept {
    packed: Packed,
    payload: Option<Vec<u8>>,
}

/// An item as it can be stored again. No payload: it has ended, or never was known here.
pub(crate) struct Remembered {
    pub packed: Packed,
    pub payload: Option<Vec<u8>>,
}

impl Memory {
    /// News of an item, from the cluster.
    pub fn saw(&self, packed: Packed, payload: Option<&[u8]>) {
        let mut known = self.0.lock();
        let item = &packed.item;
        known.highest.seq = known.highest.seq.max(item.job_revision);
        if item.id < EMERGENCY {
            known.highest.id = known.highest.id.max(item.id);
        }
        if let Some(ended) = known.ended.get(&item.id) {
            if ended.item.version > item.version || item.state.ended() {
                return;
            }
            // It was only not listed while it was being brought back.
            known.ended.remove(&item.id);
        }
        if item.state.ended() {
            known.end(packed);
            return;
        }
        match known.live.get_mut(&item.id) {
            Some(kept) if kept.packed.item.version > item.version => {}
            Some(kept) => {
                kept.packed = packed;
                if let Some(payload) = payload {
                    kept.payload = Some(payload.to_vec());
                }
            }
            None => {
                let payload = payload.map(<[u8]>::to_vec);
                known.live.insert(item.id, Kept { packed, payload });
            }
        }
    }

    /// What the item's payload is now.
    pub fn payload(&self, id: i64, payload: &[u8]) {
        if let Some(kept) = self.0.lock().live.get_mut(&id) {
            kept.payload = Some(payload.to_vec());
        }
    }

    /// Ids of what lives.
    pub fn live(&self) -> HashSet<i64> {
        self.0.lock().live.keys().copied().collect()
    }

    pub fn lives(&self, id: i64) -> bool {
        self.0.lock().live.contains_key(&id)
    }

    /// Has ended, nobody here knows how.
    pub fn gone(&self, id: i64) {
        let mut known = self.0.lock();
        if let Some(kept) = known.live.get(&id) {
            let mut packed = kept.packed.clone();
            packed.item.state = ItemState::Done;
            known.end(packed);
        }
    }

    /// Events up to this one were read.
    pub fn read(&self, event: i64) {
        self.0.lock().highest.event = event;
    }

    /// The cluster has stored it, as the first of its job's newest revision.
    pub fn stored(&self, mut packed: Packed, payload: &[u8], revision: i64) {
        packed.item.job_revision = revision;
        packed.score = i64::from(packed.item.priority) * PER_PRIORITY + revision;
        self.saw(packed, Some(payload));
    }

    /// The cluster has folded something into it.
    pub fn folded(&self, id: i64, revision: i64, (payload, format): (&[u8], u32), due_ms: Option<i64>) {
        let mut known = self.0.lock();
        known.highest.seq = known.highest.seq.max(revision);
        let mut first = false;
        known.change(id, |item| {
            first = item.job_revision < revision;
            if first {
                item.job_revision = revision;
                item.format = format;
                item.due_ms = due_ms.unwrap_or(item.due_ms);
            }
            first
        });
        if let Some(kept) = known.live.get_mut(&id)
            && first
        {
            kept.payload = Some(payload.to_vec());
        }
    }

    /// The cluster has made a change that this controller asked for. `change` answers false when the news of it was faster.
    pub fn change(&self, id: i64, change: impl FnOnce(&mut Item) -> bool) {
        self.0.lock().change(id, change);
    }

    /// The cluster has cancelled it at this controller's word.
    pub fn cancelled(&self, id: i64) {
        self.change(id, |item| {
            item.state = ItemState::Cancelled;
            true
        });
    }

    /// This controller was given a number for a build.
    pub fn numbered(&self, job: &str, number: i32) {
        let mut known = self.0.lock();
        known.given += 1;
        let given = known.given;
        let (highest, last) = known.numbers.entry(job.to_owned()).or_default();
        *highest = number.max(*highest);
        *last = given;
        if known.numbers.len() > JOBS {
            known.forget_numbers();
        }
    }

    /// The job was deleted; numbers up to `highest` do not count for another of its name.
    pub fn unnumbered(&self, job: &str, highest: i32) {
        let mut known = self.0.lock();
        if known.numbers.get(job).is_some_and(|(number, _)| *number <= highest) {
            known.numbers.remove(job);
        }
    }

    /// Jobs have a new name, and their numbers with them.
    pub fn moved(&self, jobs: &[(String, String)]) {
        let mut known = self.0.lock();
        for (old, new) in jobs {
            if let Some(number) = known.numbers.remove(old) {
                let highest = known.numbers.entry(new.clone()).or_default();
                *highest = number.max(*highest);
            }
        }
    }

    /// This controller has done something that is done once; `value` is what the cluster noted.
    pub fn did(&self, what: &str, value: &str, remember: Duration) {
        let mut known = self.0.lock();
        known.deeds.push_back((what.to_owned(), value.to_owned(), Instant::now() + remember));
        if known.deeds.len() > DEEDS {
            known.deeds.pop_front();
        }
    }

    pub fn highest(&self) -> Highest {
        self.0.lock().highest
    }

    /// Id, version and state of all that is known, what matters most first: what ended, what runs, what waits, in its order.
    pub fn versions(&self) -> Vec<(i64, i64, ItemState, String)> {
        let known = self.0.lock();
        let of = |packed: &Packed| {
            let item = &packed.item;
            (item.id, item.version, item.state, item.owner.clone())
        };
        let mut live: Vec<&Packed> = known.live.values().map(|kept| &kept.packed).collect();
        live.sort_by_key(|packed| (packed.item.state == ItemState::Queued, packed.score));
        known.ended.values().chain(live).map(of).collect()
    }

    pub fn item(&self, id: i64) -> Option<Remembered> {
        let known = self.0.lock();
        match known.live.get(&id) {
            Some(kept) => Some(Remembered { packed: kept.packed.clone(), payload: kept.payload.clone() }),
            None => known.ended.get(&id).map(|packed| Remembered { packed: packed.clone(), payload: None }),
        }
    }

    pub fn numbers(&self) -> Vec<(String, i32)> {
        self.0.lock().numbers.iter().map(|(job, (number, _))| (job.clone(), *number)).collect()
    }

    /// What this controller did that is done once, what was noted, and for how long that must still be remembered; the newest
    /// first.
    pub fn deeds(&self) -> Vec<(String, String, Duration)> {
        let now = Instant::now();
        let left = |(what, value, until): &(String, String, Instant)| {
            (what.clone(), value.clone(), until.saturating_duration_since(now))
        };
        self.0.lock().deeds.iter().rev().map(left).filter(|(_, _, left)| *left > Duration::ZERO).collect()
    }
}

impl Known {
    /// Those of the jobs that were built least of late, half of them all.
    fn forget_numbers(&mut self) {
        let mut given: Vec<u64> = self.numbers.values().map(|(_, given)| *given).collect();
        let (_, middle, _) = given.select_nth_unstable(JOBS / 2);
        let middle = *middle;
        self.numbers.retain(|_, (_, given)| *given > middle);
    }

    fn change(&mut self, id: i64, change: impl FnOnce(&mut Item) -> bool) {
        let Some(kept) = self.live.get_mut(&id) else { return };
        if !change(&mut kept.packed.item) {
            return;
        }
        kept.packed.item.version = kept.packed.item.version.saturating_add(1);
        if kept.packed.item.state.ended() {
            let packed = kept.packed.clone();
            self.end(packed);
        }
    }

    fn end(&mut self, packed: Packed) {
        let id = packed.item.id;
        self.live.remove(&id);
        self.ended.insert(id, packed);
        self.order.push_back(id);
        if self.order.len() > ENDED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_more_jobs_than_anybody_has_are_forgotten_the_oldest_first() {
        let memory = Memory::default();
        memory.numbered("first", 7);
        for job in 0..3 * JOBS {
            memory.numbered(&format!("job{job}"), 1);
            memory.numbered("often", 2);
        }
        let numbers: HashMap<String, i32> = memory.numbers().into_iter().collect();
        assert!(numbers.len() <= JOBS + 1, "{}", numbers.len());
        assert_eq!(numbers.get("first"), None);
        assert_eq!(numbers.get("often"), Some(&2));
        assert_eq!(numbers.get(&format!("job{}", 3 * JOBS - 1)), Some(&1));
    }
}
