//! The one thread that writes: to the database, or to the outbox while that is away.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::changes::{self, Change, Outcome, Stamped};
use super::jobs;
use super::marks;
use super::pending::{PACE, PACE_AWAY};
use super::rules::Refusal;
use super::store::{self, Fault, READ_TIMEOUT, Statement, WRITE_TIMEOUT};
use super::{Phase, Shared, builds};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What an admin must mend is not looked at so often.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether the database is still there when there is nothing to write.
const PING: Duration = Duration::from_secs(5);
/// A repeating line is logged this often.
const QUIET: Duration = Duration::from_secs(30);
/// How often a batch that met somebody else's is tried again at once.
const CLASHES: u32 = 5;
/// From the outbox, so many records and bytes are stored at once.
const FRONT: (usize, usize) = (200, 8 << 20);
/// A job with many builds takes a while to rename or delete.
const JOB_TIMEOUT: Duration = Duration::from_secs(120);

/// A change that the database does not take is tried so often while it takes others.
const TRIES: u32 = 10;
/// Builds of deleted jobs wait this long when the database is busy with others.
const BURY_PAUSE: Duration = Duration::from_secs(1);

/// State of the writing thread.
pub(super) struct Writer<'a> {
    shared: &'a Shared,
    next_try: Instant,
    next_ping: Instant,
    failures: u32,
    logged: Option<Instant>,
    /// Earlier runs' places were looked after.
    tidied: bool,
    /// The change that was not taken last (its run and place), and how often.
    stuck: Option<(String, u64, u32)>,
    /// When builds of deleted jobs are marked so; none when all are.
    next_bury: Option<Instant>,
}

impl<'a> Writer<'a> {
    pub fn new(shared: &'a Shared) -> Self {
        let now = Instant::now();
        Self {
            shared,
            next_try: now,
            next_ping: now + PING,
            failures: 0,
            logged: None,
            tidied: false,
            stuck: None,
            next_bury: None,
        }
    }

    /// Runs until the records are closed and all that waits is stored or in the outbox; when the time for that is over,
    /// it goes into the outbox.
    pub fn run(&mut self) {
        loop {
            self.connect_if_due();
            self.write();
            self.drain();
            self.bury();
            let wake = self.shared.pending.wait(self.next_wake());
            if wake.stop && self.finish() {
                return;
            }
            if self.ready() && (wake.suspect || Instant::now() >= self.next_ping) {
                self.ping();
            }
        }
    }

    /// Whether all is done.
    fn finish(&mut self) -> bool {
        self.write();
        self.drain();
        let late = self.shared.close_deadline().is_none_or(|deadline| Instant::now() >= deadline);
        let settled = self.shared.pending.is_empty();
        settled && (late || !self.ready() || self.shared.waiting.load(Relaxed) == 0) || late
    }

    fn ready(&self) -> bool {
        self.shared.phase() == Phase::Ready
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        if !self.ready() {
            // What could not even be put into the outbox is tried again with the database.
            return self.next_try;
        }
        if self.shared.waiting.load(Relaxed) > 0 {
            return now;
        }
        self.next_bury.map_or(self.next_ping, |next| next.min(self.next_ping))
    }

    fn connect_if_due(&mut self) {
        if self.ready() || Instant::now() < self.next_try {
            return;
        }
        let shared = self.shared;
        let connected = shared.store.prepare().and_then(|()| {
            store::write(&*shared.store, WRITE_TIMEOUT, |session| builds::cluster(session, &shared.cluster))
        });
        match connected {
            Ok(cluster) => {
                shared.cluster_id.store(cluster, Relaxed);
                shared.counts.connections.fetch_add(1, Relaxed);
                shared.pending.set_pace(PACE);
                self.failures = 0;
                self.logged = None;
                self.next_ping = Instant::now() + PING;
                shared.set_state(Phase::Ready, format!("The build records are in {}", shared.store.place()));
                log::info!("Build records: connected to {}", shared.store.place());
                if shared.counts.connections.load(Relaxed) == 1 && !shared.store.warning().is_empty() {
                    log::warn!("Build records: {}", shared.store.warning());
                }
                self.next_bury = Some(Instant::now());
            }
            Err(fault) => self.failed(fault),
        }
    }

    fn failed(&mut self, fault: Fault) {
        let shared = self.shared;
        shared.store.clear();
        shared.pending.set_pace(PACE_AWAY);
        let (phase, text) = match fault {
            Fault::Refused(text) => (Phase::Refused, text),
            Fault::Away(text)
            | Fault::Slow(text)
            | Fault::Clash(text)
            | Fault::Unfit(text)
            | Fault::Bug(text) => (Phase::Away, text),
            Fault::Invalid(error) => (Phase::Away, error.to_string()),
        };
        let pause = match phase {
            Phase::Refused => REFUSED_PAUSE,
            _ => LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(self.failures.min(10))),
        };
        self.failures += 1;
        self.next_try = Instant::now() + pause;
        if self.logged.is_none_or(|logged| logged.elapsed() > QUIET) {
            log::warn!("Build records wait in {}; builds go on. {text}", shared.outbox_folder.display());
            self.logged = Some(Instant::now());
        }
        // Until the first answer it is no news that there is none yet.
        let phase = if phase == Phase::Away && shared.phase() == Phase::Connecting && self.failures < 3 {
            Phase::Connecting
        } else {
            phase
        };
        shared.set_state(phase, text);
    }

    fn ping(&mut self) {
        self.next_ping = Instant::now() + PING;
        match self.shared.store.ping() {
            // Busy is not gone.
            Ok(()) | Err(Fault::Slow(_) | Fault::Clash(_)) => {}
            Err(fault) => self.failed(fault),
        }
    }

    /// Stores what is due; into the outbox if the database cannot take it, or has not taken what waits there.
    fn write(&mut self) {
        loop {
            let shared = self.shared;
            let batch = {
                let mut outbox = shared.outbox.lock();
                let batch = shared.pending.take();
                if batch.is_empty() {
                    return;
                }
                if !self.ready() || outbox.waiting() > 0 || shared.pending.is_journaled() {
                    let fresh = shared.pending.in_work();
                    if let Err(error) = outbox.append(&fresh) {
                        self.no_outbox(&error);
                        return;
                    }
                    shared.note_outbox(&outbox, fresh.len());
                    shared.pending.settle();
                    continue;
                }
                batch
            };
            match self.store(&batch) {
                Ok(()) => shared.pending.settle(),
                Err(fault) => {
                    self.failed(fault);
                    let mut outbox = shared.outbox.lock();
                    let fresh = shared.pending.in_work();
                    if let Err(error) = outbox.append(&fresh) {
                        self.no_outbox(&error);
                        return;
                    }
                    shared.note_outbox(&outbox, fresh.len());
                    shared.pending.settle();
                }
            }
        }
    }

    /// Stays in memory until there is a way.
    fn no_outbox(&mut self, error: &std::io::Error) {
        self.next_try = self.next_try.max(Instant::now() + FIRST_PAUSE);
        if self.logged.is_none_or(|logged| logged.elapsed() > QUIET) || self.failures < 2 {
            log::error!(
                "Build records can neither be stored nor kept in {}: {error}. Make room there; until then they are in \
                 memory alone",
                self.shared.outbox_folder.display()
            );
            self.logged = Some(Instant::now());
        }
        std::thread::sleep(FIRST_PAUSE);
    }

    /// Stores some of what waits in the outbox.
    fn drain(&mut self) {
        let shared = self.shared;
        if !self.ready() || shared.waiting.load(Relaxed) == 0 {
            if self.ready() && !self.tidied {
                self.tidy();
            }
            return;
        }
        let front = match shared.outbox.lock().front(FRONT.0, FRONT.1) {
            Ok(Some(front)) => front,
            Ok(None) => {
                // Counted, but not there: the files were tampered with.
                log::error!("The outbox {} has lost what waited in it", shared.outbox_folder.display());
                shared.waiting.store(0, Relaxed);
                return;
            }
            Err(error) => {
                log::error!("The outbox {} cannot be read: {error}", shared.outbox_folder.display());
                std::thread::sleep(FIRST_PAUSE);
                return;
            }
        };
        match self.store(&front.records) {
            Ok(()) => {
                let mut outbox = shared.outbox.lock();
                if let Err(error) = outbox.stored(&front) {
                    log::warn!(
                        "A file of the outbox {} cannot be removed: {error}",
                        shared.outbox_folder.display()
                    );
                }
                shared.waiting.store(outbox.waiting(), Relaxed);
                shared.counts.replayed.fetch_add(front.records.len() as u64, Relaxed);
                if outbox.waiting() == 0 {
                    log::info!(
                        "Build records: all that waited in {} is stored",
                        shared.outbox_folder.display()
                    );
                }
            }
            Err(fault) => self.failed(fault),
        }
    }

    /// Marks some builds of deleted jobs as deleted, behind all else.
    fn bury(&mut self) {
        let shared = self.shared;
        let now = Instant::now();
        if !self.ready() || self.next_bury.is_none_or(|next| next > now) {
            return;
        }
        match store::write(&*shared.store, WRITE_TIMEOUT, |session| jobs::bury(session, shared.cluster_id()))
        {
            Ok(more) => self.next_bury = more.then_some(now),
            Err(Fault::Away(text)) => self.failed(Fault::Away(text)),
            // Another controller may be at the same.
            Err(_) => self.next_bury = Some(now + BURY_PAUSE),
        }
    }

    fn tidy(&mut self) {
        let shared = self.shared;
        let tidied = store::write(&*shared.store, WRITE_TIMEOUT, |session| {
            marks::forget_origins(session, shared.cluster_id(), &shared.writer.controller_id, &shared.origin)
        });
        // Another time, if not now.
        self.tidied = tidied.is_ok();
    }

    /// Stores a batch; in parts where it does not fit as a whole.
    fn store(&mut self, batch: &[Stamped]) -> Result<(), Fault> {
        let shared = self.shared;
        let about_jobs = batch.iter().any(|stamped| stamped.change.build().is_none());
        let timeout = if about_jobs { JOB_TIMEOUT } else { WRITE_TIMEOUT };
        let mut clashes = 0;
        loop {
            let applied = store::write(&*shared.store, timeout, |session| {
                changes::apply(session, shared.cluster_id(), &shared.writer.controller_id, batch)
            });
            match applied {
                Ok(outcomes) => {
                    self.note(batch, &outcomes);
                    self.next_ping = Instant::now() + PING;
                    return Ok(());
                }
                Err(Fault::Clash(_)) if clashes < CLASHES => {
                    clashes += 1;
                    std::thread::sleep(FIRST_PAUSE * clashes);
                }
                Err(Fault::Slow(_) | Fault::Clash(_) | Fault::Unfit(_) | Fault::Bug(_))
                    if batch.len() > 1 =>
                {
                    let (first, rest) = batch.split_at(batch.len() / 2);
                    self.store(first)?;
                    return self.store(rest);
                }
                Err(fault @ (Fault::Slow(_) | Fault::Clash(_) | Fault::Bug(_))) => {
                    let Some(only) = batch.first() else { return Ok(()) };
                    if self.tries(only) < TRIES || !self.takes_others() {
                        return Err(fault);
                    }
                    return self.reject(only, &crate::Error::from(fault).to_string());
                }
                Err(Fault::Unfit(text)) => {
                    let Some(only) = batch.first() else { return Ok(()) };
                    return self.reject(only, &text);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// How often this change was not taken, one after the other.
    fn tries(&mut self, stamped: &Stamped) -> u32 {
        let before = match self.stuck.take() {
            Some((origin, position, tries)) if (&origin, position) == (&stamped.origin, stamped.position) => {
                tries
            }
            _ => 0,
        };
        self.stuck = Some((stamped.origin.clone(), stamped.position, before + 1));
        before + 1
    }

    /// Whether the database takes writes, promptly.
    fn takes_others(&self) -> bool {
        let cluster = self.shared.cluster_id();
        store::write(&*self.shared.store, READ_TIMEOUT, |session| {
            session.run(vec![Statement::new(
                "UPDATE ha_cluster SET name = name WHERE id = ?1",
                vec![cluster.into()],
            )])
        })
        .is_ok()
    }

    /// Sets a change aside that the database does not take: those behind it must not wait for it.
    fn reject(&self, stamped: &Stamped, why: &str) -> Result<(), Fault> {
        log::error!("The record of {} cannot be stored; it is kept beside the outbox: {why}", stamped.change);
        self.shared.outbox.lock().reject(stamped).map_err(|error| Fault::Away(error.to_string()))?;
        self.shared.counts.rejected.fetch_add(1, Relaxed);
        Ok(())
    }

    fn note(&mut self, batch: &[Stamped], outcomes: &[Outcome]) {
        let about_jobs =
            |stamped: &Stamped| matches!(stamped.change, Change::Rename { .. } | Change::DeleteJob { .. });
        if batch.iter().any(about_jobs) {
            self.next_bury = Some(Instant::now());
        }
        let counts = &self.shared.counts;
        counts.batches.fetch_add(1, Relaxed);
        for (stamped, outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Outcome::Stored => drop(counts.stored.fetch_add(1, Relaxed)),
                Outcome::Nothing => {}
                Outcome::Refused(refusal) => {
                    let count = match refusal {
                        Refusal::Foreign | Refusal::Running => &counts.refused,
                        Refusal::Ended | Refusal::Deleted | Refusal::Superseded => &counts.late,
                        Refusal::Doubled => &counts.doubled,
                    };
                    count.fetch_add(1, Relaxed);
                    if self.shared.first_refusal(&stamped.change.to_string()) {
                        log::warn!("The record of {} is not written: {}", stamped.change, refusal.why());
                    }
                }
            }
        }
    }
}
