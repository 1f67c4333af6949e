//! Which Redis the heartbeat has looked at: nobody else talks to another one.

use std::io;

use parking_lot::Mutex;

use super::{Fault, Wire};

/// The process of Redis, and the generation of its data, that the heartbeat found to hold all that this controller knows.
#[derive(Default)]
pub(crate) struct Vetted(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    server: Option<String>,
    generation: String,
}

impl Vetted {
    /// A Redis that was restarted, or took over from another one, may have lost something: that must be mended first.
    pub fn check(&self, wire: &Wire) -> Result<(), Fault> {
        match &self.0.lock().server {
            Some(server) if *server != wire.server => Err(Fault::NoConnection(io::Error::other(
                "it was restarted or replaced, and is just being compared with what this controller knows",
            ))),
            _ => Ok(()),
        }
    }

    pub fn set(&self, server: &str, generation: &str) {
        *self.0.lock() = Seen { server: Some(server.to_owned()), generation: generation.to_owned() };
    }

    pub fn is(&self, server: &str) -> bool {
        self.0.lock().server.as_deref() == Some(server)
    }

    /// "" before the first time.
    pub fn generation(&self) -> String {
        self.0.lock().generation.clone()
    }
}
