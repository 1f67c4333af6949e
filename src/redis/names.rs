//! Looks up the names of hosts without ever waiting for longer than the caller may.
//!
//! The system's resolver takes no deadline and may hang for minutes, while whoever asks may hold the lock of Jenkins' queue. So it
//! is asked on a thread of its own, one for each name at the most, and where it is late the last good addresses are used.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::url::Place;

/// How long an answer is waited for where an earlier one is known.
const FRESH: Duration = Duration::from_millis(200);

type Lookup = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// What the system's resolver has answered.
pub(crate) struct Names {
    lookup: Lookup,
    known: Mutex<HashMap<(String, u16), Known>>,
    changed: Condvar,
}

#[derive(Default)]
struct Known {
    /// The last good answer.
    addresses: Vec<SocketAddr>,
    /// What is wrong with the last answer.
    error: Option<(io::ErrorKind, String)>,
    /// The resolver is being asked.
    asking: bool,
    /// How often it has answered.
    answers: u64,
}

/// The addresses of a place, at the latest at the deadline; never none.
pub(crate) fn addresses(place: &Place, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    static NAMES: LazyLock<Arc<Names>> = LazyLock::new(|| {
        Names::of(|host, port| (host, port).to_socket_addrs().map(|addresses| addresses.collect()))
    });
    NAMES.addresses(&place.host, place.port, deadline)
}

impl Names {
    fn of(lookup: Lookup) -> Arc<Self> {
        Arc::new(Self { lookup, known: Mutex::default(), changed: Condvar::new() })
    }

    fn addresses(self: &Arc<Self>, host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let key = (host.to_owned(), port);
        let mut known = self.known.lock();
        let entry = known.entry(key.clone()).or_default();
        let (before, stale) = (entry.answers, !entry.addresses.is_empty());
        if !entry.asking {
            entry.asking = true;
            if let Err(error) = self.ask(key.clone()) {
                entry.asking = false;
                if !stale {
                    return Err(error);
                }
            }
        }
        let until = if stale { deadline.min(Instant::now() + FRESH) } else { deadline };
        loop {
            let Some(entry) = known.get(&key) else { return Err(io::ErrorKind::NotFound.into()) };
            let answered = entry.answers != before || !entry.asking;
            if answered && entry.error.is_none() && !entry.addresses.is_empty() {
                return Ok(entry.addresses.clone());
            }
            if answered && entry.addresses.is_empty() {
                let (kind, text) = entry
                    .error
                    .clone()
                    .unwrap_or_else(|| (io::ErrorKind::NotFound, "its name leads to no address".to_owned()));
                return Err(io::Error::new(kind, text));
            }
            if answered || self.changed.wait_until(&mut known, until).timed_out() {
                return self.last_good(&known, &key, host);
            }
        }
    }

    fn last_good(
        &self,
        known: &HashMap<(String, u16), Known>,
        key: &(String, u16),
        host: &str,
    ) -> io::Result<Vec<SocketAddr>> {
        match known.get(key) {
            Some(entry) if !entry.addresses.is_empty() => {
                log::debug!("The name {host} is not looked up in time: going by its last good address");
                Ok(entry.addresses.clone())
            }
            _ => Err(io::Error::other(format!("the name {host} is not looked up in time: look at the DNS"))),
        }
    }

    fn ask(self: &Arc<Self>, key: (String, u16)) -> io::Result<()> {
        let names = Arc::clone(self);
        let thread = std::thread::Builder::new().name("ha-jenkins-names".into());
        thread.spawn(move || {
            let answer = Answer { names: &names, key: &key, result: None };
            answer.is((names.lookup)(&key.0, key.1));
        })?;
        Ok(())
    }
}

/// Told in any case, also where the lookup panics: else nobody would ask again.
struct Answer<'a> {
    names: &'a Names,
    key: &'a (String, u16),
    result: Option<io::Result<Vec<SocketAddr>>>,
}

impl Answer<'_> {
    fn is(mut self, result: io::Result<Vec<SocketAddr>>) {
        self.result = Some(result);
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| Err(io::Error::other("the lookup failed")));
        let mut known = self.names.known.lock();
        let entry = known.entry(self.key.clone()).or_default();
        entry.asking = false;
        entry.answers += 1;
        entry.error = None;
        match result {
            Ok(addresses) if !addresses.is_empty() => entry.addresses = addresses,
            Ok(_) => entry.error = Some((io::ErrorKind::NotFound, "its name leads to no address".into())),
            Err(error) => entry.error = Some((error.kind(), error.to_string())),
        }
        self.names.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_resolver_that_hangs_costs_no_more_than_the_deadline_and_the_last_good_address_is_used() {
        static HANGS: AtomicBool = AtomicBool::new(false);
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let names = Names::of(|_, port| {
            ASKED.fetch_add(1, Ordering::SeqCst);
            while HANGS.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(vec![SocketAddr::from(([10, 0, 0, 1], port))])
        });
        let soon = || Instant::now() + Duration::from_millis(800);

        HANGS.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let unknown = names.addresses("redis", 1, soon()).unwrap_err();
        assert!(unknown.to_string().contains("look at the DNS"), "{unknown}");
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
        assert!(names.addresses("redis", 1, soon()).is_err());
        assert_eq!(ASKED.load(Ordering::SeqCst), 1, "one thread hangs, not one for each call");

        HANGS.store(false, Ordering::SeqCst);
        let good = vec![SocketAddr::from(([10, 0, 0, 1], 1))];
        assert_eq!(names.addresses("redis", 1, soon()).unwrap(), good);

        HANGS.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        assert_eq!(names.addresses("redis", 1, soon()).unwrap(), good);
        assert!(begun.elapsed() < Duration::from_millis(700), "{:?}", begun.elapsed());
        HANGS.store(false, Ordering::SeqCst);
    }

    #[test]
    fn a_lookup_that_fails_goes_by_the_last_good_address_and_is_asked_again() {
        static STEP: AtomicU32 = AtomicU32::new(0);
        let names = Names::of(|_, port| match STEP.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::Error::other("no such name")),
            2 => Err(io::Error::other("resolver away")),
            step => Ok(vec![SocketAddr::from(([10, 0, 0, u8::try_from(step).unwrap()], port))]),
        });
        let soon = || Instant::now() + Duration::from_secs(5);
        assert_eq!(names.addresses("redis", 1, soon()).unwrap_err().to_string(), "no such name");
        let first = names.addresses("redis", 1, soon()).unwrap();
        assert_eq!(names.addresses("redis", 1, soon()).unwrap(), first, "the resolver failed");
        assert_ne!(names.addresses("redis", 1, soon()).unwrap(), first, "it moved");
        let numeric = SocketAddr::new("::1".parse().unwrap(), 7);
        assert_eq!(names.addresses("::1", 7, Instant::now()).unwrap(), [numeric], "nobody is asked");
    }
}
