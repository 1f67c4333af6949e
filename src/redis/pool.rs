//! Connections for commands.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::redis::{Cmd, Value};
use parking_lot::{Condvar, Mutex};

use super::{Address, Fault, Script, Vetted, Wire, array};
use crate::Result;

/// The longest a command may take in all; the first try half of it, so that a half-open connection leaves time for a fresh one.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(2000);
/// As [`CALL_TIMEOUT`], for a command that is waited for while Jenkins' queue is locked.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_millis(1000);
/// Calls under way at once; later ones wait, and go out together.
const MOST: usize = 4;
/// What goes out together at the most.
const TOGETHER: usize = 64;
const TOGETHER_BYTES: usize = 1 << 20;

/// Connections for commands.
///
/// A few calls have one each. Where more come at once, whoever has its answer hands its connection to the first that waits,
/// which takes along what else waits: Redis and this machine spend more on each write and read than on most scripts.
pub(crate) struct Pool {
    address: Arc<Address>,
    client_name: String,
    vetted: Arc<Vetted>,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    idle: Vec<Wire>,
    /// How many hold a connection, or are about to make one.
    busy: usize,
    waiting: VecDeque<Arc<Ticket>>,
}

/// A call that waits for a connection, or for somebody who has taken it along.
struct Ticket {
    script: &'static Script,
    bytes: Vec<u8>,
    stands: Mutex<Stands>,
    changed: Condvar,
}

enum Stands {
    Waiting,
    Taken,
    /// It is its turn; with the connection of who had it before, if that is whole.
    Turn(Option<Wire>),
    Answered(Result<Value, Fault>),
    /// Its caller waits no more.
    Left,
}

impl Pool {
    pub fn new(address: Arc<Address>, client_name: String, vetted: Arc<Vetted>) -> Self {
        Self { address, client_name, vetted, desk: Mutex::default() }
    }

    /// Runs a script that may be repeated: once more on a fresh connection if the first one broke.
    pub fn run(&self, script: &'static Script, cmd: &Cmd) -> Result<Vec<Value>> {
        let (answer, _) = self.run_held(script, cmd, Duration::ZERO, Instant::now() + CALL_TIMEOUT)?;
        Ok(answer)
    }

    /// As [`Pool::run`], then waits until a replica has it too. Whether one has; not at all without `wait`. All of it takes until
    /// the deadline at the most.
    pub fn run_held(
        &self,
        script: &'static Script,
        cmd: &Cmd,
        wait: Duration,
        deadline: Instant,
    ) -> Result<(Vec<Value>, Result<bool, Fault>)> {
        let first = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
        if wait.is_zero() {
            let answer = self.twice(
                || self.together(script, cmd, first),
                || self.alone(|wire| wire.script(script, cmd, deadline), deadline),
            )?;
            return Ok((array(answer), Ok(true)));
        }
        let attempt = |deadline| self.alone(|wire| wire.script_held(script, cmd, wait, deadline), deadline);
        let (answer, held) = self.twice(|| attempt(first), || attempt(deadline))?;
        Ok((array(answer), held))
    }

    /// Drops idle connections.
    pub fn clear(&self) {
        self.desk.lock().idle.clear();
    }

    fn twice<T>(
        &self,
        first: impl FnOnce() -> Result<T, Fault>,
        second: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T> {
        let result = match first() {
            Err(ref fault) if matches!(fault, Fault::Broken(_)) || fault.is_elsewhere() => {
                // The others were likely cut by the same event.
                self.clear();
                second()
            }
            result => result,
        };
        result.map_err(|fault| fault.explain(&self.address))
    }

    /// With a connection of its own.
    fn alone<T>(
        &self,
        act: impl FnOnce(&mut Wire) -> Result<T, Fault>,
        deadline: Instant,
    ) -> Result<T, Fault> {
        let idle = {
            let mut desk = self.desk.lock();
            desk.busy += 1;
            desk.idle.pop()
        };
        let mut seat = Seat { pool: self, wire: idle };
        let result = act(seat.wire(deadline)?);
        if result.as_ref().err().is_some_and(spoils) {
            seat.wire = None;
        }
        result
    }

    fn together(&self, script: &'static Script, cmd: &Cmd, deadline: Instant) -> Result<Value, Fault> {
        let ticket = {
            let mut desk = self.desk.lock();
            if desk.busy < MOST {
                desk.busy += 1;
                let seat = Seat { pool: self, wire: desk.idle.pop() };
                drop(desk);
                return self.lead(seat, script, cmd.get_packed_command(), Vec::new(), deadline);
            }
            let ticket = Arc::new(Ticket {
                script,
                bytes: cmd.get_packed_command(),
                stands: Mutex::new(Stands::Waiting),
                changed: Condvar::new(),
            });
            desk.waiting.push_back(Arc::clone(&ticket));
            ticket
        };
        match ticket.wait(deadline) {
            Stands::Answered(result) => result,
            Stands::Turn(wire) => {
                let seat = Seat { pool: self, wire };
                let others = self.waiting();
                self.lead(seat, script, ticket.bytes.clone(), others, deadline)
            }
            Stands::Waiting | Stands::Taken | Stands::Left => {
                Err(Fault::Broken(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Sends a call and those it takes along; answers its own, and tells the others theirs.
    fn lead(
        &self,
        mut seat: Seat,
        script: &'static Script,
        bytes: Vec<u8>,
        others: Vec<Arc<Ticket>>,
        deadline: Instant,
    ) -> Result<Value, Fault> {
        let mut along = Along(others.into_iter());
        let wire = seat.wire(deadline)?;
        let calls: Vec<(&Script, &[u8])> = std::iter::once((script, bytes.as_slice()))
            .chain(along.0.as_slice().iter().map(|ticket| (ticket.script, ticket.bytes.as_slice())))
            .collect();
        let mut results = wire.scripts(&calls, deadline).into_iter();
        let own = results.next().unwrap_or_else(broken);
        let mut spoiled = own.as_ref().err().is_some_and(spoils);
        for result in results {
            spoiled |= result.as_ref().err().is_some_and(spoils);
            if let Some(ticket) = along.0.next() {
                ticket.answer(result);
            }
        }
        if spoiled {
            seat.wire = None;
        }
        own
    }

    /// Takes what waits off the desk.
    fn waiting(&self) -> Vec<Arc<Ticket>> {
        let mut desk = self.desk.lock();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while taken.len() < TOGETHER && bytes < TOGETHER_BYTES {
            let Some(ticket) = desk.waiting.pop_front() else { break };
            if ticket.take() {
                bytes += ticket.bytes.len();
                taken.push(ticket);
            }
        }
        taken
    }
}

/// Who was taken along and has no answer yet when this ends must ask for itself.
struct Along(std::vec::IntoIter<Arc<Ticket>>);

impl Drop for Along {
    fn drop(&mut self) {
        self.0.by_ref().for_each(|ticket| ticket.answer(broken()));
    }
}

/// The right to one connection, which passes on to who waits.
struct Seat<'a> {
    pool: &'a Pool,
    wire: Option<Wire>,
}

impl Seat<'_> {
    fn wire(&mut self, deadline: Instant) -> Result<&mut Wire, Fault> {
        let wire = match self.wire.take() {
            Some(wire) => wire,
            None => {
                let pool = self.pool;
                let timeout = deadline.saturating_duration_since(Instant::now());
                let wire = Wire::connect(&pool.address, &pool.client_name, timeout)?;
                pool.vetted.check(&wire)?;
                wire
            }
        };
        Ok(self.wire.insert(wire))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        // One that was in use when the others were dropped may lead to a Redis that is no longer the one.
        let mut wire = self.wire.take().filter(|wire| self.pool.vetted.check(wire).is_ok());
        let mut desk = self.pool.desk.lock();
        while desk.busy <= MOST
            && let Some(ticket) = desk.waiting.pop_front()
        {
            if ticket.call_up(&mut wire) {
                return;
            }
        }
        desk.busy -= 1;
        if let Some(wire) = wire
            && desk.idle.len() < MOST
        {
            desk.idle.push(wire);
        }
    }
}

impl Ticket {
    /// What came of it; [`Stands::Left`] when nothing did in time.
    fn wait(&self, deadline: Instant) -> Stands {
        let mut stands = self.stands.lock();
        while matches!(*stands, Stands::Waiting | Stands::Taken) {
            if self.changed.wait_until(&mut stands, deadline).timed_out() {
                break;
            }
        }
        std::mem::replace(&mut *stands, Stands::Left)
    }

    fn take(&self) -> bool {
        let mut stands = self.stands.lock();
        let waits = matches!(*stands, Stands::Waiting);
        if waits {
            *stands = Stands::Taken;
        }
        waits
    }

    /// Passes the connection on, unless its caller waits no more.
    fn call_up(&self, wire: &mut Option<Wire>) -> bool {
        let mut stands = self.stands.lock();
        let waits = matches!(*stands, Stands::Waiting);
        if waits {
            *stands = Stands::Turn(wire.take());
            self.changed.notify_one();
        }
        waits
    }

    fn answer(&self, result: Result<Value, Fault>) {
        let mut stands = self.stands.lock();
        if matches!(*stands, Stands::Taken) {
            *stands = Stands::Answered(result);
            self.changed.notify_one();
        }
    }
}

fn broken() -> Result<Value, Fault> {
    Err(Fault::Broken(io::ErrorKind::UnexpectedEof.into()))
}

/// Whether a connection is of no use after it.
fn spoils(fault: &Fault) -> bool {
    !matches!(fault, Fault::Server(_)) || fault.is_elsewhere()
}
