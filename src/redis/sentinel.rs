//! Asks Sentinels where the primary is.

use std::io;
use std::time::{Duration, Instant};

use super::url::Place;
use super::{Address, Fault, Wire, array, text};

/// The longest one Sentinel is waited for while others are left.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where the primary is, as the first Sentinel says that can be asked.
pub(crate) fn primary(address: &Address, master: &str, deadline: Instant) -> Result<Place, Fault> {
    let mut last = String::new();
    for sentinel in &address.places {
        let until = deadline.min(Instant::now() + PATIENCE);
        match ask(address, sentinel, master, until) {
            Ok(Some(place)) => return Ok(place),
            Ok(None) => {
                last = format!(
                    "the Sentinel at {sentinel} knows no primary {master:?}: correct ?master= in the URL"
                )
            }
            Err(fault) => last = fault.explain(address).to_string(),
        }
    }
    Err(Fault::NoConnection(io::Error::other(format!("no Sentinel says where the primary is ({last})"))))
}

fn ask(address: &Address, sentinel: &Place, master: &str, until: Instant) -> Result<Option<Place>, Fault> {
    let mut wire = Wire::open(address, sentinel.clone(), until.saturating_duration_since(Instant::now()))?;
    // A Sentinel may want a password or not; if not, it complains of being given one, and answers all the same.
    let mut commands = address.login();
    commands.cmd("SENTINEL").arg("get-master-addr-by-name").arg(master);
    let answer = wire.pipeline(&commands, until)?.pop().unwrap_or_default();
    if let ::redis::Value::ServerError(error) = answer {
        return Err(Fault::Server(error));
    }
    let parts: Vec<String> = array(answer).iter().map(text).collect();
    Ok(match parts.as_slice() {
        [host, port] => port.parse().ok().map(|port| Place { host: host.clone(), port }),
        _ => None,
    })
}
