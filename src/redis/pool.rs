//! Connections for commands.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::redis::{Cmd, Value};
use parking_lot::Mutex;

use super::{Address, Fault, Script, Vetted, Wire, array};
use crate::Result;

/// The longest a command may take in all.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(2000);
/// The longest one try may take: a half-open connection must leave time for a fresh one.
const TRY_TIMEOUT: Duration = Duration::from_millis(1000);
const IDLE: usize = 4;

/// Connections for commands: each call has one for itself, so that a slow call holds up no other.
pub(crate) struct Pool {
    address: Arc<Address>,
    client_name: String,
    vetted: Arc<Vetted>,
    idle: Mutex<Vec<Wire>>,
}

impl Pool {
    pub fn new(address: Arc<Address>, client_name: String, vetted: Arc<Vetted>) -> Self {
        Self { address, client_name, vetted, idle: Mutex::new(Vec::new()) }
    }

    /// Runs a script that may be repeated: once more on a fresh connection if the first one broke.
    pub fn run(&self, script: &Script, cmd: &Cmd) -> Result<Vec<Value>> {
        self.with(|wire, deadline| wire.script(script, cmd, deadline)).map(array)
    }

    /// As [`Pool::run`], then waits until a replica has it too. Whether one has; not at all without `wait`.
    pub fn run_held(
        &self,
        script: &Script,
        cmd: &Cmd,
        wait: Duration,
    ) -> Result<(Vec<Value>, Result<bool, Fault>)> {
        if wait.is_zero() {
            return Ok((self.run(script, cmd)?, Ok(true)));
        }
        let (answer, held) = self.with(|wire, deadline| wire.script_held(script, cmd, wait, deadline))?;
        Ok((array(answer), held))
    }

    /// Does something that may be repeated with a connection.
    pub fn with<T>(&self, act: impl Fn(&mut Wire, Instant) -> Result<T, Fault>) -> Result<T> {
        let deadline = Instant::now() + CALL_TIMEOUT;
        let first = self.attempt(&act, deadline.min(Instant::now() + TRY_TIMEOUT));
        let result = match first {
            Err(ref fault) if matches!(fault, Fault::Broken(_)) || fault.is_read_only() => {
                // The others were likely cut by the same event.
                self.clear();
                self.attempt(&act, deadline)
            }
            result => result,
        };
        result.map_err(|fault| fault.explain(&self.address))
    }

    fn attempt<T>(
        &self,
        act: &impl Fn(&mut Wire, Instant) -> Result<T, Fault>,
        deadline: Instant,
    ) -> Result<T, Fault> {
        let idle = self.idle.lock().pop();
        let mut wire = match idle {
            Some(wire) => wire,
            None => {
                let timeout = deadline.saturating_duration_since(Instant::now());
                let wire = Wire::connect(&self.address, &self.client_name, timeout)?;
                self.vetted.check(&wire)?;
                wire
            }
        };
        let result = act(&mut wire, deadline);
        if result
            .as_ref()
            .err()
            .is_none_or(|fault| matches!(fault, Fault::Server(_)) && !fault.is_read_only())
        {
            let mut idle = self.idle.lock();
            if idle.len() < IDLE {
                idle.push(wire);
            }
        }
        result
    }

    /// Drops idle connections.
    pub fn clear(&self) {
        self.idle.lock().clear();
    }
}
