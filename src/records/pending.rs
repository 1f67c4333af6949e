//! Changes that wait for the writer, newest state of each build only.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::changes::{Change, Stamped};
use super::row::BuildState;

/// A running build is written at most this often.
pub(super) const PACE: Duration = Duration::from_millis(500);
/// ... while the database is away, when each write lies on the disk until it is back.
pub(super) const PACE_AWAY: Duration = Duration::from_secs(10);
/// Most changes taken at once.
const MOST: usize = 200;
/// Most bytes of XML taken at once, unless it is one build's.
const MOST_BYTES: usize = 8 << 20;

type Build = (String, i32);

/// Changes that wait for the writer. Thread-safe.
pub(super) struct Pending {
    origin: String,
    inner: Mutex<Inner>,
    changed: Condvar,
    settled: Condvar,
}

#[derive(Default)]
struct Inner {
    /// In the order in which they are made.
    waiting: BTreeMap<i64, Waiting>,
    next: i64,
    /// The last change of a build, if it waits and nothing about its job came after it.
    latest: HashMap<Build, i64>,
    /// When a running build was written last.
    written: HashMap<Build, Instant>,
    /// How many changes of a build are not settled: stored, refused, or in the outbox.
    unsettled: HashMap<Build, usize>,
    /// What the writer has in work.
    taken: Vec<Stamped>,
    /// What is in work lies in the outbox, too.
    journaled: bool,
    position: u64,
    coalesced: u64,
    pace: Duration,
    suspect: bool,
    stop: bool,
}

struct Waiting {
    change: Change,
    due: Instant,
}

/// Why the writer stopped waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wake {
    pub stop: bool,
    /// Somebody found the database gone.
    pub suspect: bool,
}

impl Pending {
    pub fn new(origin: String) -> Self {
        let inner = Inner { pace: PACE, ..Inner::default() };
        Self { origin, inner: Mutex::new(inner), changed: Condvar::new(), settled: Condvar::new() }
    }

    /// Takes a change in; false after [`Pending::stop`].
    pub fn add(&self, change: Change) -> bool {
        let mut inner = self.inner.lock();
        if inner.stop {
            return false;
        }
        let now = Instant::now();
        match change.build().map(|(job, number)| (job.to_owned(), number)) {
            None if change.is_barrier() => inner.add_barrier(change, now),
            None => inner.add_other(change, now),
            Some(build) => inner.add(build, change, now),
        }
        drop(inner);
        self.changed.notify_all();
        true
    }

    /// Waits until something is due, at most until `deadline`.
    pub fn wait(&self, deadline: Instant) -> Wake {
        let mut inner = self.inner.lock();
        loop {
            let due = inner.waiting.values().map(|waiting| waiting.due).min();
            let until = due.map_or(deadline, |due| due.min(deadline));
            if inner.stop || inner.suspect || until <= Instant::now() {
                break;
            }
            self.changed.wait_until(&mut inner, until);
        }
        Wake { stop: inner.stop, suspect: std::mem::take(&mut inner.suspect) }
    }

    /// What is due goes into work: this is it, until [`Pending::settle`] or [`Pending::journaled`]. What is in work
    /// already comes first.
    pub fn take(&self) -> Vec<Stamped> {
        let mut inner = self.inner.lock();
        if inner.taken.is_empty() {
            inner.take(&self.origin);
        }
        inner.taken.clone()
    }

    /// What is in work has been stored or refused, or lies in the outbox.
    pub fn settle(&self) {
        let mut inner = self.inner.lock();
        let journaled = std::mem::take(&mut inner.journaled);
        let taken = std::mem::take(&mut inner.taken);
        if !journaled {
            inner.settle(&taken);
        }
        drop(inner);
        self.settled.notify_all();
    }

    /// What is in work and not in the outbox yet.
    pub fn in_work(&self) -> Vec<Stamped> {
        let inner = self.inner.lock();
        if inner.journaled { Vec::new() } else { inner.taken.clone() }
    }

    /// What is in work lies in the outbox, whatever the writer makes of it.
    pub fn journaled(&self) {
        let mut inner = self.inner.lock();
        if !inner.journaled && !inner.taken.is_empty() {
            inner.journaled = true;
            let taken = inner.taken.clone();
            inner.settle(&taken);
        }
        drop(inner);
        self.settled.notify_all();
    }

    /// Whether what is in work lies in the outbox.
    pub fn is_journaled(&self) -> bool {
        self.inner.lock().journaled
    }

    /// What is due, past what is in work: for somebody who brings it to the outbox instead of the writer. Whoever takes
    /// it must hold the outbox, and call [`Pending::brought`].
    pub fn take_past_work(&self) -> Vec<Stamped> {
        let mut inner = self.inner.lock();
        let work = std::mem::take(&mut inner.taken);
        inner.take(&self.origin);
        std::mem::replace(&mut inner.taken, work)
    }

    /// These lie in the outbox.
    pub fn brought(&self, changes: &[Stamped]) {
        self.inner.lock().settle(changes);
        self.settled.notify_all();
    }

    /// These do not lie in the outbox after all: they wait again, before all others.
    pub fn put_back(&self, changes: Vec<Stamped>) {
        let mut inner = self.inner.lock();
        let due = Instant::now();
        for stamped in changes.into_iter().rev() {
            let first = inner.waiting.first_key_value().map_or(inner.next, |(at, _)| *at);
            inner.waiting.insert(first - 1, Waiting { change: stamped.change, due });
        }
    }

    /// Makes what waits of a build due; waits until it is settled. False after `deadline`.
    pub fn flush(&self, job: &str, number: i32, deadline: Instant) -> bool {
        let build = (job.to_owned(), number);
        let mut inner = self.inner.lock();
        let now = Instant::now();
        if let Some(at) = inner.latest.get(&build).copied()
            && let Some(waiting) = inner.waiting.get_mut(&at)
        {
            waiting.due = now;
            self.changed.notify_all();
        }
        while inner.unsettled.contains_key(&build) {
            if self.settled.wait_until(&mut inner, deadline).timed_out() {
                return !inner.unsettled.contains_key(&build);
            }
        }
        true
    }

    /// How often running builds are written from now on.
    pub fn set_pace(&self, pace: Duration) {
        self.inner.lock().pace = pace;
    }

    /// Lets the writer look whether the database is there.
    pub fn suspect(&self) {
        self.inner.lock().suspect = true;
        self.changed.notify_all();
    }

    /// Nothing more is taken in, and all that waits is due.
    pub fn stop(&self) {
        let mut inner = self.inner.lock();
        inner.stop = true;
        let now = Instant::now();
        inner.waiting.values_mut().for_each(|waiting| waiting.due = now);
        drop(inner);
        self.changed.notify_all();
    }

    /// How many saves were replaced by a later one.
    pub fn coalesced(&self) -> u64 {
        self.inner.lock().coalesced
    }

    /// Whether nothing waits or is in work.
    pub fn is_empty(&self) -> bool {
        let inner = self.inner.lock();
        inner.waiting.is_empty() && inner.taken.is_empty()
    }
}

impl Inner {
    fn add(&mut self, build: Build, change: Change, now: Instant) {
        if let Some(at) = self.latest.get(&build).copied()
            && let Some(waiting) = self.waiting.get_mut(&at)
        {
            if replaces(&waiting.change, &change) {
                let ends = matches!(&change, Change::Save { row, .. } if row.state == BuildState::Ended);
                waiting.replace(change);
                if ends {
                    waiting.due = now;
                }
                self.coalesced += 1;
                return;
            }
            // It must not be overtaken.
            waiting.due = now;
        }
        let running = matches!(&change, Change::Save { row, .. } if row.state == BuildState::Running);
        let due = match self.written.get(&build) {
            Some(written) if running => now.max(*written + self.pace),
            _ => now,
        };
        *self.unsettled.entry(build.clone()).or_default() += 1;
        self.latest.insert(build, self.next);
        self.waiting.insert(self.next, Waiting { change, due });
        self.next += 1;
    }

    /// What is about a job comes after all that was said of its builds before, and nothing said later is folded into that.
    fn add_barrier(&mut self, change: Change, now: Instant) {
        self.waiting.values_mut().for_each(|waiting| waiting.due = now);
        self.latest.clear();
        self.waiting.insert(self.next, Waiting { change, due: now });
        self.next += 1;
    }

    /// What is about no build and no job of the records: each is made, in their order.
    fn add_other(&mut self, change: Change, now: Instant) {
        self.waiting.insert(self.next, Waiting { change, due: now });
        self.next += 1;
    }

    fn take(&mut self, origin: &str) {
        let now = Instant::now();
        let mut bytes = 0;
        let mut due = Vec::new();
        for (at, waiting) in &self.waiting {
            let barrier = waiting.change.is_barrier();
            if waiting.due > now {
                continue;
            }
            bytes += waiting.change.packed().map_or(0, |packed| packed.content.len());
            if !due.is_empty() && (due.len() >= MOST || bytes > MOST_BYTES) {
                break;
            }
            due.push(*at);
            if barrier {
                break;
            }
        }
        for at in due {
            let Some(Waiting { change, .. }) = self.waiting.remove(&at) else { continue };
            if let Some((job, number)) = change.build() {
                let build = (job.to_owned(), number);
                if self.latest.get(&build) == Some(&at) {
                    self.latest.remove(&build);
                }
                if matches!(&change, Change::Save { row, .. } if row.state == BuildState::Running) {
                    self.written.insert(build, now);
                } else {
                    self.written.remove(&build);
                }
            }
            self.position += 1;
            self.taken.push(Stamped { origin: origin.to_owned(), position: self.position, change });
        }
        if self.written.len() > 10_000 {
            // Of builds that somebody else ended.
            self.written.retain(|_, written| now - *written < Duration::from_secs(60));
        }
    }

    fn settle(&mut self, changes: &[Stamped]) {
        for stamped in changes {
            let Some((job, number)) = stamped.change.build() else { continue };
            let build = (job.to_owned(), number);
            if let Some(count) = self.unsettled.get_mut(&build) {
                *count -= 1;
                if *count == 0 {
                    self.unsettled.remove(&build);
                }
            }
        }
    }
}

impl Waiting {
    fn replace(&mut self, mut change: Change) {
        // Without XML of its own it leaves the XML as it is: as the replaced one would have made it.
        if let (Change::Save { xml: new @ None, .. }, Change::Save { xml: old, .. }) =
            (&mut change, &mut self.change)
        {
            *new = old.take();
        }
        self.change = change;
    }
}

/// Whether the later change says all that the earlier one said. The end of a build is never replaced by anything that does
/// not end it.
fn replaces(earlier: &Change, later: &Change) -> bool {
    match (earlier, later) {
        (Change::Save { row: old, edit: a, by: b, .. }, Change::Save { row: new, edit: c, by: d, .. }) => {
            a == c
                && b == d
                && old.controller_id == new.controller_id
                && old.incarnation == new.incarnation
                && matches!(
                    (old.state, new.state),
                    (BuildState::Running, BuildState::Running | BuildState::Ended)
                        | (BuildState::Ended, BuildState::Ended)
                )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::changes::Writer;
    use crate::records::row::BuildRow;

    fn save(number: i32, state: BuildState, description: &str, edit: bool) -> Change {
        let row = BuildRow {
            job: "job".into(),
            number,
            state,
            description: description.into(),
            ..BuildRow::default()
        };
        let by = Writer { controller_id: "a".into(), incarnation: "1".into() };
        Change::Save { row: Box::new(row), edit, by, xml: None }
    }

    fn shown(taken: &[Stamped]) -> Vec<String> {
        taken
            .iter()
            .map(|stamped| match &stamped.change {
                Change::Save { row, edit, .. } => {
                    format!(
                        "{} {:?} {}{}",
                        row.number,
                        row.state,
                        row.description,
                        if *edit { " edit" } else { "" }
                    )
                }
                other => other.to_string(),
            })
            .collect()
    }

    fn take(pending: &Pending) -> Vec<String> {
        let taken = pending.take();
        pending.settle();
        shown(&taken)
    }

    #[test]
    fn a_running_build_is_written_at_once_and_then_at_its_pace_with_its_latest_state() {
        let pending = Pending::new("o".into());
        pending.add(save(1, BuildState::Running, "a", false));
        assert_eq!(take(&pending), ["1 Running a"]);
        for text in ["b", "c", "d"] {
            pending.add(save(1, BuildState::Running, text, false));
        }
        assert!(take(&pending).is_empty());
        let began = Instant::now();
        pending.wait(began + Duration::from_secs(5));
        assert!(began.elapsed() > Duration::from_millis(300), "{:?}", began.elapsed());
        assert_eq!(take(&pending), ["1 Running d"]);
        assert_eq!(pending.coalesced(), 2);
    }

    #[test]
    fn the_end_is_written_at_once_and_never_replaced_by_a_late_save() {
        let pending = Pending::new("o".into());
        pending.add(save(1, BuildState::Running, "a", false));
        take(&pending);
        pending.add(save(1, BuildState::Running, "b", false));
        pending.add(save(1, BuildState::Ended, "c", false));
        pending.add(save(1, BuildState::Running, "late", false));
        pending.add(save(1, BuildState::Ended, "d", true));
        assert_eq!(take(&pending), ["1 Ended c", "1 Running late", "1 Ended d edit"]);
    }

    #[test]
    fn nothing_crosses_a_renaming() {
        let pending = Pending::new("o".into());
        pending.add(save(1, BuildState::Running, "a", false));
        take(&pending);
        pending.add(save(1, BuildState::Running, "b", false));
        pending.add(Change::Rename { from: "job".into(), to: "new".into() });
        pending.add(save(1, BuildState::Ended, "c", false));
        assert_eq!(take(&pending), ["1 Running b", "renaming of job to new"]);
        assert_eq!(take(&pending), ["1 Ended c"]);
    }

    #[test]
    fn flush_hurries_and_waits_until_it_is_settled() {
        let pending = Pending::new("o".into());
        pending.add(save(1, BuildState::Running, "a", false));
        take(&pending);
        pending.add(save(1, BuildState::Running, "b", false));
        let soon = || Instant::now() + Duration::from_millis(20);
        assert!(!pending.flush("job", 1, soon()));
        assert_eq!(shown(&pending.take()), ["1 Running b"]);
        assert!(!pending.flush("job", 1, soon()), "in work is not stored");
        pending.settle();
        assert!(pending.flush("job", 1, soon()));
        assert!(pending.flush("job", 2, soon()), "there is nothing to wait for");
    }

    #[test]
    fn what_is_brought_to_the_outbox_past_the_writer_keeps_its_place() {
        let pending = Pending::new("o".into());
        pending.add(save(1, BuildState::Ended, "a", false));
        let work = pending.take();
        pending.add(save(2, BuildState::Ended, "b", false));
        assert_eq!(pending.in_work(), work);
        pending.journaled();
        let past = pending.take_past_work();
        assert_eq!(shown(&past), ["2 Ended b"]);
        assert!(past[0].position > work[0].position);
        pending.brought(&past);
        let now = Instant::now();
        assert!(pending.flush("job", 1, now) && pending.flush("job", 2, now));
        pending.settle();
        assert!(pending.is_empty());
    }
}
