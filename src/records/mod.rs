//! Build records in a database: [`Records`] is the one way in.
//!
//! Knows SQL, and nothing of Redis or Java. Changes go through [`pending`] (newest state of each build) and [`writer`] (one
//! thread) to the [`store`], or to the [`outbox`] while that is away. [`changes`] decides who may write what.

mod builds;
mod changes;
mod columns;
#[cfg(test)]
mod foreign_rows;
mod form;
mod forms;
mod jobs;
mod marks;
mod migrations;
mod mounts;
mod outbox;
mod packed;
mod pending;
mod postgres;
mod query;
mod row;
mod rules;
mod sqlite;
mod store;
mod url;
mod writer;

pub use form::{ConfigForm, FormKind};
pub use query::{BuildPage, BuildQuery};
pub use row::{BuildRow, BuildState};

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::node::clock_ms;
use crate::settings::name_check;
use crate::{Error, Result, Secret};
use changes::Change;
use outbox::Outbox;
use packed::Packed;
use pending::Pending;
use postgres::Postgres;
use sqlite::Sqlite;
use store::{Fault, READ_TIMEOUT, Session, Store};
use url::Place;
use writer::Writer;

/// The longest that [`Records::close`] takes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Who waits longer than this for the database has it kept in the outbox.
const PATIENCE: Duration = Duration::from_millis(500);
/// So many builds whose writes were refused are remembered, to log each once.
const REMEMBERED: usize = 10_000;

/// Where the build records are, and who writes them.
#[derive(Debug, Clone)]
pub struct RecordsSettings {
    /// `postgresql://user[:password]@host[:port]/database[?sslmode=...&sslrootcert=...]` or `sqlite:/absolute/path.db`.
    pub url: Secret,
    /// Wins over the one in the URL.
    pub password: Option<Secret>,
    /// Name of the cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`. Several may share a database.
    pub cluster: String,
    /// Stable id of this controller: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub controller_id: String,
    /// This boot of it.
    pub incarnation: String,
    /// Folder for what the database could not take yet, on this controller's own disk; made if need be.
    pub outbox: PathBuf,
}

/// How the build records stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordsPhase {
    /// Not yet reached the database; trying on.
    Connecting,
    /// Writes are stored as they come.
    Ready,
    /// The database is away; writes wait in the outbox, reads fail.
    Away,
    /// The database or the settings are unfit; the text says how to mend it. Writes wait in the outbox.
    Refused,
    /// Closed.
    Closed,
}

use RecordsPhase as Phase;

/// How the build records stand, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsState {
    /// The state.
    pub phase: RecordsPhase,
    /// One sentence for an admin; no secrets.
    pub text: String,
    /// How many writes wait in the outbox.
    pub waiting: u64,
    /// Sentences for an admin on what is not as it should be though the records work, or ""; no secrets.
    pub warning: String,
}

/// The build records of the cluster.
///
/// Thread-safe. Writes never wait for the database: one thread stores them in their order, the newest state of each build
/// only, and keeps them in the outbox while the database is away. Reads take at most 2 s; while the database is away they
/// answer [`Error::Unavailable`] or [`Error::Refused`] at once with the text of [`Records::state`]. After
/// [`Records::close`] every call answers [`Error::Closed`].
///
/// Who may write: a build that runs belongs to a controller, its incarnation and its epoch; a write by anybody else is
/// refused, counted and logged. What has ended may be edited by all. What was deleted stays deleted.
pub struct Records {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and the callers share.
struct Shared {
    store: Box<dyn Store>,
    cluster: String,
    cluster_id: AtomicI64,
    writer: changes::Writer,
    origin: String,
    pending: Pending,
    outbox: Mutex<Outbox>,
    outbox_folder: PathBuf,
    waiting: AtomicU64,
    counts: Counts,
    state: Mutex<State>,
    changed: Condvar,
    refusals: Mutex<HashSet<String>>,
}

struct State {
    phase: Phase,
    text: String,
    close_by: Option<Instant>,
}

#[derive(Default)]
struct Counts {
    stored: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    doubled: AtomicU64,
    rejected: AtomicU64,
    outboxed: AtomicU64,
    replayed: AtomicU64,
    batches: AtomicU64,
    connections: AtomicU64,
}

impl Records {
    /// The names of [`Records::counts`], in their order.
    pub const COUNTS: [&str; 10] = [
        "stored",
        "coalesced",
        "refused",
        "late",
        "doubled",
        "rejected",
        "outboxed",
        "replayed",
        "batches",
        "connections",
    ];

    /// Starts. Connecting and migrating go on in the background until they succeed.
    ///
    /// # Errors
    /// [`Error::Refused`] when the settings cannot be right: an unknown kind of URL, SQLite on a network mount, an outbox
    /// that cannot be written or that another process uses.
    pub fn open(settings: RecordsSettings) -> Result<Self> {
        let store = store_of(&settings)?;
        let outbox = Outbox::open(&settings.outbox).map_err(|error| {
            Error::Refused(format!(
                "The outbox of the build records, {}, cannot be used: {error}",
                settings.outbox.display()
            ))
        })?;
        let origin = random_name()?;
        let shared = Arc::new(Shared {
            store,
            cluster: settings.cluster,
            cluster_id: AtomicI64::new(0),
            writer: changes::Writer {
                controller_id: settings.controller_id,
                incarnation: settings.incarnation,
            },
            pending: Pending::new(origin.clone()),
            origin,
            waiting: AtomicU64::new(outbox.waiting()),
            outbox: Mutex::new(outbox),
            outbox_folder: settings.outbox,
            counts: Counts::default(),
            state: Mutex::new(State {
                phase: Phase::Connecting,
                text: "Connecting to the database of the build records".into(),
                close_by: None,
            }),
            changed: Condvar::new(),
            refusals: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        let thread = Builder::new()
            .name("ha-jenkins-records".into())
            .spawn(move || {
                // A defect must not end the writing for good: begin anew. What was in work goes into the outbox.
                while catch_unwind(AssertUnwindSafe(|| Writer::new(&of_thread).run())).is_err() {
                    log::error!(
                        "The thread of the build records failed and is started again: please report this"
                    );
                    of_thread.rescue();
                    std::thread::sleep(Duration::from_secs(1));
                }
            })
            .map_err(|error| Error::Unavailable(format!("No thread could be started: {error}")))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Tries the settings, for at most `timeout`. Changes nothing. Answers a sentence on what was found.
    ///
    /// # Errors
    /// [`Error::Refused`] with the sentence that mends it; [`Error::Unavailable`] when the database does not answer.
    pub fn test(settings: RecordsSettings, timeout: Duration) -> Result<String> {
        Ok(store_of(&settings)?.test(timeout)?)
    }

    /// How the records stand. From memory.
    pub fn state(&self) -> RecordsState {
        let state = self.shared.state.lock();
        RecordsState {
            phase: state.phase,
            text: state.text.clone(),
            waiting: self.shared.waiting.load(Relaxed),
            warning: self.shared.warning(),
        }
    }

    /// Waits until the database was reached; false when it was not after `timeout`.
    pub fn await_ready(&self, timeout: Duration) -> bool {
        self.shared.await_phase(Instant::now() + timeout, |phase| phase == Phase::Ready) == Phase::Ready
    }

    /// Stores the row as it is now, soon: at most each 500 ms while it runs, the end at once. A later save before that
    /// replaces this one, but nothing replaces the end. Does not block.
    ///
    /// `edit` marks an edit of an ended build, which any controller may make, and a build of the time before the cluster; its
    /// owner stays who it was. Without it only the owner may write. Without XML the stored XML stays as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be stored.
    pub fn save(&self, row: BuildRow, edit: bool) -> Result<()> {
        let mut row = row.checked()?;
        let xml = match row.xml.take() {
            Some(xml) => Some(
                Packed::of(&xml)
                    .map_err(|error| Error::Bug(format!("a build.xml cannot be packed: {error}")))?,
            ),
            None => None,
        };
        self.add(Change::Save { row: Box::new(row), edit, by: self.shared.writer.clone(), xml })
    }

    fn add(&self, change: Change) -> Result<()> {
        if self.shared.pending.add(change) { Ok(()) } else { Err(Error::Closed) }
    }

    /// Waits until all that was saved of this build is stored (or refused), or lies in the outbox on the disk: that much
    /// comes soon even if the database hangs. False after `timeout`.
    pub fn flush(&self, job: &str, number: i32, timeout: Duration) -> Result<bool> {
        let pending = &self.shared.pending;
        let deadline = Instant::now() + timeout;
        if pending.flush(job, number, deadline.min(Instant::now() + PATIENCE)) {
            return Ok(true);
        }
        self.shared.rescue();
        Ok(pending.flush(job, number, deadline))
    }

    /// Marks a build deleted; its number stays used. Refused, with a line in the log, while it runs on another controller.
    /// Does not block.
    pub fn delete(&self, job: &str, number: i32) -> Result<()> {
        row::check_build(job, number)?;
        self.add(Change::Delete { job: job.to_owned(), number, by: self.shared.writer.clone() })
    }

    /// The job was renamed or moved: its builds, and those of jobs below it, follow. Does not block.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        row::check_job(from)?;
        row::check_job(to)?;
        self.add(Change::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    /// All builds of this job, and of jobs below it, become deleted, and another job may have the name. Does not block.
    ///
    /// `id` names this deletion, 64 bytes at the most: whoever brings it, once or again and however late, it is made once. With
    /// "" it is made whenever it is brought.
    pub fn delete_job(&self, job: &str, id: &str) -> Result<()> {
        row::check_job(job)?;
        if id.len() > 64 {
            return Err(Error::Invalid("the id of a deletion has 64 bytes at the most".into()));
        }
        self.add(Change::DeleteJob { job: job.to_owned(), id: id.to_owned() })
    }

    /// Stores an entry of the history of a configuration, soon. Of one configuration the newest `most` entries are kept, and the
    /// one in force. What several controllers tell of the same form is stored once. Does not block.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be stored.
    pub fn record_form(&self, form: ConfigForm, most: u32) -> Result<()> {
        let mut form = form.checked()?;
        let text = match form.text.take() {
            Some(text) => Some(
                Packed::of(&text)
                    .map_err(|error| Error::Bug(format!("a configuration cannot be packed: {error}")))?,
            ),
            None => None,
        };
        self.add(Change::Form { form: Box::new(form), noted: clock_ms(), most: form::kept(most), text })
    }

    /// Forgets some of the entries of that history which are older than so many days, 1 at the least; what is in force stays
    /// known. To be called now and then. Does not block.
    pub fn forget_forms(&self, days: u32) -> Result<()> {
        self.add(Change::ForgetForms { days: days.max(1) })
    }

    /// The history of a configuration that is there, without bytes, newest first.
    pub fn forms(&self, subject: &str, limit: usize) -> Result<Vec<ConfigForm>> {
        self.shared.read(|session, cluster| forms::history(session, cluster, subject, limit))
    }

    /// An entry of that history with its bytes, of whatever is there or was deleted.
    pub fn form(&self, id: i64) -> Result<Option<ConfigForm>> {
        self.shared.read(|session, cluster| forms::find(session, cluster, id))
    }

    /// What was deleted, newest first: the entries that say so, without bytes. [`Records::form`] has what it was last.
    pub fn deleted_forms(&self, limit: usize) -> Result<Vec<ConfigForm>> {
        self.shared.read(|session, cluster| forms::deleted(session, cluster, limit))
    }

    /// Of each configuration that is there, its name and the digest of its newest form that was in force.
    pub fn newest_forms(&self) -> Result<Vec<(String, String)>> {
        self.shared.read(forms::newest)
    }

    /// One build with its XML; deleted ones too.
    pub fn find(&self, job: &str, number: i32) -> Result<Option<BuildRow>> {
        self.shared.read(|session, cluster| builds::find(session, cluster, job, number))
    }

    /// Builds without XML, newest first.
    pub fn query(&self, query: &BuildQuery) -> Result<BuildPage> {
        builds::check(query)?;
        self.shared.read(|session, cluster| builds::page(session, cluster, query))
    }

    /// The newest build of a job that has ended with one of these results (any for none), below `below` (0: of all).
    pub fn newest(&self, job: &str, results: &[String], below: i32) -> Result<Option<BuildRow>> {
        self.shared.read(|session, cluster| builds::newest(session, cluster, job, results, below))
    }

    /// Numbers and versions of all builds of a job that are not deleted, ascending.
    pub fn numbers(&self, job: &str) -> Result<Vec<(i32, i64)>> {
        self.shared.read(|session, cluster| builds::numbers(session, cluster, job))
    }

    /// What runs according to the records, on one controller or on all ("").
    pub fn running(&self, controller_id: &str) -> Result<Vec<BuildRow>> {
        self.shared.read(|session, cluster| builds::running(session, cluster, controller_id))
    }

    /// The highest number the job ever used, deleted builds included; 0 when none.
    pub fn highest(&self, job: &str) -> Result<i32> {
        self.shared.read(|session, cluster| builds::highest(session, cluster, job))
    }

    /// Takes over a build of a dead owner; false when somebody else did so a moment ago, or when it came to its own end:
    /// only one that runs, or that was recorded as ABORTED, can be taken over. It runs then.
    pub fn adopt(
        &self,
        job: &str,
        number: i32,
        controller_id: &str,
        incarnation: &str,
        epoch: i64,
    ) -> Result<bool> {
        row::check_build(job, number)?;
        let owner =
            changes::Writer { controller_id: controller_id.to_owned(), incarnation: incarnation.to_owned() };
        let cluster = self.shared.ready_cluster()?;
        self.shared.told(store::write(&*self.shared.store, READ_TIMEOUT, |session| {
            changes::adopt(session, cluster, job, number, &owner, epoch)
        }))
    }

    /// What happened since opening, in the order of [`Records::COUNTS`].
    pub fn counts(&self) -> [u64; 10] {
        let counts = &self.shared.counts;
        let load = |count: &AtomicU64| count.load(Relaxed);
        [
            load(&counts.stored),
            self.shared.pending.coalesced(),
            load(&counts.refused),
            load(&counts.late),
            load(&counts.doubled),
            load(&counts.rejected),
            load(&counts.outboxed),
            load(&counts.replayed),
            load(&counts.batches),
            load(&counts.connections),
        ]
    }

    /// Stores what waits, at most 5 s; the rest stays in the outbox. May be called twice.
    pub fn close(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        // Some time is left for the outbox.
        self.shared.state.lock().close_by = Some(deadline - Duration::from_secs(1));
        self.shared.pending.stop();
        while !thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.shared.rescue();
        if thread.is_finished() {
            let _ = thread.join();
            self.shared.outbox.lock().release();
        }
        self.shared.store.clear();
        self.shared.set_state(Phase::Closed, "The build records are closed".into());
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Records({} in {}, {:?})",
            self.shared.cluster,
            self.shared.store.place(),
            self.state().phase
        )
    }
}

impl Shared {
    /// What [`RecordsState::warning`] says.
    fn warning(&self) -> String {
        let rejected = self.counts.rejected.load(Relaxed);
        let set_aside = if rejected == 0 {
            String::new()
        } else {
            format!(
                "The database does not take {rejected} of the changes that were told since the start: they are kept in {}, \
                 and the log says why.",
                self.outbox_folder.join(crate::journal::REJECTED).display()
            )
        };
        [self.store.warning().to_owned(), set_aside]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn cluster_id(&self) -> i64 {
        self.cluster_id.load(Relaxed)
    }

    fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    fn close_deadline(&self) -> Option<Instant> {
        self.state.lock().close_by
    }

    fn set_state(&self, phase: Phase, text: String) {
        let mut state = self.state.lock();
        if state.phase != Phase::Closed {
            state.phase = phase;
            state.text = text;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The phase as soon as it is a wanted one, or at `deadline`.
    fn await_phase(&self, deadline: Instant, wanted: impl Fn(Phase) -> bool) -> Phase {
        let mut state = self.state.lock();
        while !wanted(state.phase) && !self.changed.wait_until(&mut state, deadline).timed_out() {}
        state.phase
    }

    /// The cluster's id if reads make sense; shortly after the start that is waited for.
    fn ready_cluster(&self) -> Result<i64> {
        let phase = self.await_phase(Instant::now() + READ_TIMEOUT, |phase| phase != Phase::Connecting);
        let text = || self.state.lock().text.clone();
        match phase {
            Phase::Ready => Ok(self.cluster_id()),
            Phase::Connecting | Phase::Away => Err(Error::Unavailable(text())),
            Phase::Refused => Err(Error::Refused(text())),
            Phase::Closed => Err(Error::Closed),
        }
    }

    fn read<T>(&self, act: impl Fn(&mut dyn Session, i64) -> Result<T, Fault>) -> Result<T> {
        let cluster = self.ready_cluster()?;
        self.told(store::read(&*self.store, |session| act(session, cluster)))
    }

    /// Lets the writer know when the database was found gone.
    fn told<T>(&self, answer: Result<T, Fault>) -> Result<T> {
        if let Err(Fault::Away(_) | Fault::Refused(_)) = &answer {
            self.pending.suspect();
        }
        Ok(answer?)
    }

    /// Brings to the outbox what the writer, perhaps stuck with the database, has in work, and what is due behind it.
    fn rescue(&self) {
        let mut outbox = self.outbox.lock();
        let work = self.pending.in_work();
        if let Err(error) = outbox.append(&work) {
            log::error!("Build records cannot be kept in {}: {error}", self.outbox_folder.display());
            return;
        }
        self.pending.journaled();
        self.note_outbox(&outbox, work.len());
        loop {
            let due = self.pending.take_past_work();
            if due.is_empty() {
                return;
            }
            if let Err(error) = outbox.append(&due) {
                log::error!("Build records cannot be kept in {}: {error}", self.outbox_folder.display());
                self.pending.put_back(due);
                return;
            }
            self.pending.brought(&due);
            self.note_outbox(&outbox, due.len());
        }
    }

    fn note_outbox(&self, outbox: &Outbox, more: usize) {
        self.waiting.store(outbox.waiting(), Relaxed);
        self.counts.outboxed.fetch_add(more as u64, Relaxed);
    }

    /// Whether it is the first refused write of a build.
    fn first_refusal(&self, build: &str) -> bool {
        let mut refusals = self.refusals.lock();
        if refusals.len() >= REMEMBERED {
            refusals.clear();
        }
        refusals.insert(build.to_owned())
    }
}

fn store_of(settings: &RecordsSettings) -> Result<Box<dyn Store>> {
    name_check("the cluster's name", &settings.cluster, "the settings of HA")?;
    name_check("the controller's id", &settings.controller_id, "ha-jenkins/controller-id")?;
    Ok(match Place::of(settings)? {
        Place::Postgres(server) => Box::new(Postgres::new(*server)?),
        Place::Sqlite(path) => {
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            Box::new(Sqlite::new(&path, &mounts)?)
        }
    })
}

fn random_name() -> Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| Error::Unavailable(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
