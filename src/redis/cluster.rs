//! Asks the nodes of a Redis Cluster which of them has the keys.

use std::io;
use std::time::{Duration, Instant};

use ::redis::Value;

use super::url::Place;
use super::{Address, Fault, Wire};

/// The longest one node is waited for while others are left.
const PATIENCE: Duration = Duration::from_millis(500);
/// While keys are on their way from node to node, who is asked may be behind by as many.
const MOST_MOVES: usize = 5;

/// Where the primary is that has this key, as the first of the nodes in the URL leads there that can be asked.
pub(crate) fn owner(address: &Address, key: &str, deadline: Instant) -> Result<Place, Fault> {
    let mut last = None;
    for node in &address.places {
        match follow(address, node, key, deadline.min(Instant::now() + PATIENCE)) {
            Ok(place) => return Ok(place),
            // What is wrong with the password is said of the first; another may know more than one that is cut off.
            Err(fault) => last = last.filter(|last| matches!(last, Fault::Server(_))).or(Some(fault)),
        }
    }
    Err(match last {
        Some(Fault::Server(error)) => Fault::Server(error),
        Some(fault) => {
            let said = fault.explain(address);
            Fault::NoConnection(io::Error::other(format!("no node leads to the cluster's keys ({said})")))
        }
        None => Fault::NoConnection(io::Error::other("its URL names no node")),
    })
}

fn follow(address: &Address, node: &Place, key: &str, until: Instant) -> Result<Place, Fault> {
    let mut place = node.clone();
    for _ in 0..MOST_MOVES {
        let mut wire = Wire::open(address, place.clone(), until.saturating_duration_since(Instant::now()))?;
        let mut commands = address.login();
        // Replicas, too, answer with the primary's place.
        commands.cmd("EXISTS").arg(key);
        let refusal = wire.pipeline(&commands, until)?.into_iter().find_map(|answer| match answer {
            Value::ServerError(error) => Some(error),
            _ => None,
        });
        let Some(error) = refusal else { return Ok(place) };
        let told = error.details().filter(|_| error.code() == "MOVED");
        match told.and_then(|told| Place::told(told, &place)) {
            Some(next) => place = next,
            None => return Err(Fault::Server(error)),
        }
    }
    Err(Fault::NoConnection(io::Error::other("its nodes send each other for the cluster's keys")))
}
