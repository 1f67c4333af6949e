//! Whether this controller's threads do their work, and whether its caller still does.
//!
//! A controller of which one thread has ended looks alive to the others while its lease is renewed. So each thread is watched, and
//! the caller vouches for its own every few seconds: once it no longer does, this controller leaves the cluster.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Who began to vouch must do so again within this time.
const VOUCHED: Duration = Duration::from_secs(10);
/// A thread that failed this often within [`FAILING`] does not do its work.
const MOST_FAILURES: usize = 3;
const FAILING: Duration = Duration::from_secs(15);

/// How a thread of the library does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadLife {
    /// The thread's name.
    pub name: &'static str,
    /// When it last began a round of its work.
    pub round_ago: Duration,
    /// How often it failed by a defect and was started again.
    pub restarts: u64,
    /// A sentence when it does not do its work, or "".
    pub problem: String,
}

/// The pulse of one thread.
pub(crate) struct Pulse {
    pub name: &'static str,
    /// A round takes longer only when it hangs.
    bound: Duration,
    state: Mutex<State>,
}

struct State {
    round: Instant,
    restarts: u64,
    failed: VecDeque<Instant>,
}

impl Pulse {
    pub fn new(name: &'static str, bound: Duration) -> Self {
        let state = State { round: Instant::now(), restarts: 0, failed: VecDeque::new() };
        Self { name, bound, state: Mutex::new(state) }
    }

    /// Another round of its work begins.
    pub fn beat(&self) {
        self.state.lock().round = Instant::now();
    }

    /// When the last round began.
    pub fn round_ago(&self) -> Duration {
        self.state.lock().round.elapsed()
    }

    /// It failed by a defect and is started again.
    pub fn failed(&self) {
        let mut state = self.state.lock();
        state.restarts += 1;
        state.failed.push_back(Instant::now());
        if state.failed.len() > MOST_FAILURES {
            state.failed.pop_front();
        }
    }

    pub fn life(&self) -> ThreadLife {
        let state = self.state.lock();
        let round_ago = state.round.elapsed();
        let failing = state.failed.len() == MOST_FAILURES
            && state.failed.front().is_some_and(|first| first.elapsed() < FAILING);
        let problem = if failing {
            format!("The thread {} fails again and again (see the log)", self.name)
        } else if round_ago > self.bound {
            format!("The thread {} hangs for {} s", self.name, round_ago.as_secs())
        } else {
            String::new()
        };
        ThreadLife { name: self.name, round_ago, restarts: state.restarts, problem }
    }
}

/// What the caller says of its own threads.
#[derive(Default)]
pub(crate) struct Care(Mutex<Option<(Instant, String)>>);

impl Care {
    /// The caller vouches for its threads, or says what is wrong with them; whether that is news.
    pub fn vouch(&self, problem: &str) -> bool {
        let mut last = self.0.lock();
        let news = last.as_ref().is_some_and(|(at, before)| before != problem || at.elapsed() > VOUCHED)
            || last.is_none() && !problem.is_empty();
        *last = Some((Instant::now(), problem.to_owned()));
        news
    }

    /// The whole process stood still: nobody could vouch.
    pub fn excuse(&self) {
        if let Some((at, _)) = self.0.lock().as_mut() {
            *at = Instant::now();
        }
    }

    /// Why this controller must not be a member, if it must not.
    pub fn problem(&self) -> Option<String> {
        let last = self.0.lock();
        let (at, problem) = last.as_ref()?;
        if !problem.is_empty() {
            return Some(format!(
                "This controller has left the cluster because it cannot do its part: {problem}. It joins again when that is \
                 mended; restart it if it is not"
            ));
        }
        (at.elapsed() > VOUCHED).then(|| {
            format!(
                "This controller has left the cluster because nothing has watched its threads for {} s. Restart it",
                at.elapsed().as_secs()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_fails_once_goes_on_and_one_that_keeps_failing_is_told() {
        let pulse = Pulse::new("reader", Duration::from_secs(60));
        assert_eq!(pulse.life().problem, "");
        for _ in 0..MOST_FAILURES - 1 {
            pulse.failed();
            pulse.beat();
            assert_eq!(pulse.life().problem, "");
        }
        pulse.failed();
        assert_eq!(pulse.life().restarts, 3);
        assert!(pulse.life().problem.contains("reader fails again and again"), "{}", pulse.life().problem);
    }

    #[test]
    fn a_thread_that_hangs_is_told() {
        let pulse = Pulse::new("reader", Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(40));
        assert!(pulse.life().problem.contains("hangs"), "{}", pulse.life().problem);
        pulse.beat();
        assert_eq!(pulse.life().problem, "");
    }

    #[test]
    fn who_never_vouched_need_not() {
        let care = Care::default();
        assert_eq!(care.problem(), None);
        assert!(!care.vouch(""));
        assert_eq!(care.problem(), None);
        assert!(care.vouch("a thread has ended"));
        assert!(care.problem().unwrap().contains("cannot do its part: a thread has ended."));
        assert!(care.vouch(""));
        assert_eq!(care.problem(), None);
    }
}
