//! What Redis' errors mean to an admin.

use std::io;

use ::redis::ServerError;

use super::{Address, Way};
use crate::Error;

/// The least rights in Redis with which a controller of the cluster works, as `ACL SETUSER` takes them.
pub(crate) const RIGHTS: &str = "~{haj:<cluster>}:* +@read +@write +@scripting +@connection -@dangerous \
                                 +client|setname +info +time +wait";

/// What an admin does about a Redis Cluster whose URL does not say that it is one.
pub(crate) const IS_CLUSTER: &str =
    "is part of a Redis Cluster: begin its URL with redis+cluster://, or rediss+cluster://";

/// Why a call to Redis gave no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing was sent: no connection could be made.
    NoConnection(io::Error),
    /// The connection broke or stalled: what was sent may or may not have happened.
    Broken(io::Error),
    /// Redis answered with an error.
    Server(ServerError),
}

impl Fault {
    pub fn is_no_script(&self) -> bool {
        matches!(self, Self::Server(error) if error.code() == "NOSCRIPT")
    }

    /// It is no primary any more, or the keys are with another one by now: the connection leads to the wrong place.
    pub fn is_elsewhere(&self) -> bool {
        let elsewhere = |error: &ServerError| {
            matches!(error.code(), "READONLY" | "MOVED")
                || error.details().is_some_and(|text| text.contains("-READONLY"))
        };
        matches!(self, Self::Server(error) if elsewhere(error))
    }

    /// Says it to an admin.
    pub fn explain(&self, at: &Address) -> Error {
        match self {
            Self::NoConnection(error) | Self::Broken(error) => unavailable(at, &reason(error)),
            Self::Server(error) => server(error, at),
        }
    }
}

/// Redis is away.
pub(crate) fn unavailable(at: &Address, reason: &str) -> Error {
    Error::Unavailable(format!("Redis at {at} does not answer: {reason}"))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it did not answer in time".into(),
        io::ErrorKind::ConnectionRefused => "connection refused, is it running?".into(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the connection was closed".into()
        }
        _ => error.to_string(),
    }
}

fn server(error: &ServerError, at: &Address) -> Error {
    let detail = error.details().unwrap_or("");
    let refused = |text: String| Error::Refused(format!("Redis at {at} {text}"));
    let away = |text: &str| Error::Unavailable(format!("Redis at {at} {text}"));
    let forbidden = || {
        refused(format!(
            "forbids this user something ha-jenkins needs ({detail}): allow it with ACL SETUSER <user> \
             {RIGHTS}, with the cluster's name for <cluster>"
        ))
    };
    match error.code() {
        "WRONGPASS" => refused(format!("refused the password: change it in {}", at.origins.redis_password)),
        "NOAUTH" => refused(format!("wants a password: set it in {}", at.origins.redis_password)),
        "NOPERM" => forbidden(),
        "DENIED" => {
            refused("is in protected mode: set a password or bind it to the controllers' network".into())
        }
        "OOM" => away("is out of memory: raise maxmemory, or remove other data from it"),
        "READONLY" => away("is a read-only replica: point ha-jenkins to the primary"),
        "LOADING" => away("is still loading its data"),
        "BUSY" => away("is busy with another script"),
        "MISCONF" => away("cannot save its data and takes no writes: look at its log and its disk"),
        "NOREPLICAS" => away("has too few replicas and takes no writes (min-replicas-to-write)"),
        "MASTERDOWN" | "CLUSTERDOWN" => away("has lost its primary"),
        "TRYAGAIN" | "ASK" => away("is moving the cluster's keys to another node"),
        "MOVED" if matches!(at.way, Way::Nodes(_)) => away("has moved the cluster's keys to another node"),
        "MOVED" | "CROSSSLOT" => refused(IS_CLUSTER.into()),
        _ if detail.contains("AUTH") || detail.contains("invalid password") => {
            refused(format!("refused the password: change it in {}", at.origins.redis_password))
        }
        _ if detail.contains("user executing the script") || detail.contains("ACL failure") => forbidden(),
        _ if detail.contains("DB index") => refused(format!(
            "has no such database: correct the number at the end of the URL in {}",
            at.origins.redis_url
        )),
        "WRONGTYPE" => damaged(at, detail),
        _ if detail.contains("user_script") => damaged(at, detail),
        code => Error::Bug(format!("Redis at {at} answered {code} {detail}")),
    }
}

/// A script met what no controller has written.
fn damaged(at: &Address, detail: &str) -> Error {
    Error::Unavailable(format!(
        "Redis at {at} holds under the cluster's keys what no controller has written ({detail}): look at who can write to it. \
         Delete the keys that begin with {{haj: and the cluster's name, while the controllers run: they fill them again from \
         their memory"
    ))
}

#[cfg(test)]
mod tests {
    use super::RIGHTS;

    #[test]
    fn the_rights_that_are_asked_for_are_those_of_the_manual() {
        assert!(include_str!("../../docs/security.md").contains(RIGHTS));
    }
}
