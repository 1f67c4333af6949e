//! The log, on its way to Java: lines wait in a bounded queue until a Java thread fetches them.
//!
//! No thread of this library may call Java, so the log cannot be pushed.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// How many lines wait at the most; later ones are counted and dropped.
const ROOM: usize = 1024;
/// Longest text of a line, bytes.
const LONGEST: usize = 4096;
/// Most lines fetched at a time.
const BATCH: usize = 256;

/// A line of the log.
#[derive(Debug)]
pub(super) struct Line {
    pub level: Level,
    /// The module it comes from.
    pub module: String,
    pub text: String,
}

static QUEUE: Queue = Queue {
    state: Mutex::new(State { lines: VecDeque::new(), dropped: 0, woken: false }),
    changed: Condvar::new(),
};

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    lines: VecDeque<Line>,
    dropped: u64,
    woken: bool,
}

/// Makes this the log of the library.
pub(super) fn install() {
    // Fails if done before, which is as good.
    if log::set_logger(&QUEUE).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Sets how much is logged from now on: 0 nothing, 1 errors, 2 warnings, 3 information, 4 details, 5 everything.
pub(super) fn set_level(level: i32) {
    log::set_max_level(match level {
        i32::MIN..=0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    });
}

/// Waits until there are lines, [`wake`] is called or the time is up; answers what there is.
pub(super) fn drain(timeout: Duration) -> Vec<Line> {
    let deadline = Instant::now() + timeout;
    let mut state = QUEUE.lock();
    while state.lines.is_empty() && !state.woken {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        state = QUEUE.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    state.woken = false;
    let count = state.lines.len().min(BATCH);
    let mut lines: Vec<Line> = state.lines.drain(..count).collect();
    if state.dropped > 0 && state.lines.is_empty() {
        let text =
            format!("{} log lines were dropped: they came faster than they were written", state.dropped);
        state.dropped = 0;
        lines.push(Line { level: Level::Warn, module: module_path!().to_owned(), text });
    }
    lines
}

/// Makes [`drain`] answer now.
pub(super) fn wake() {
    QUEUE.lock().woken = true;
    QUEUE.changed.notify_all();
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Queue {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Other people's crates only when something is wrong.
        let ours = metadata.target().starts_with("ha_jenkins");
        metadata.level() <= if ours { log::max_level() } else { log::max_level().min(LevelFilter::Warn) }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut text = record.args().to_string();
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
        }
        let line = Line { level: record.level(), module: record.target().to_owned(), text };
        let mut state = self.lock();
        if state.lines.len() < ROOM {
            state.lines.push_back(line);
            self.changed.notify_one();
        } else {
            state.dropped += 1;
        }
    }

    fn flush(&self) {}
}
