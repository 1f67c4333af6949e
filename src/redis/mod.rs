//! How Redis is reached: address, connections, scripts, and what its errors mean to an admin.

mod cluster;
mod fault;
mod fitness;
mod keys;
mod names;
mod pool;
mod scripts;
mod sentinel;
mod url;
mod vetted;
mod wire;

pub(crate) use fault::{Fault, unavailable};
pub(crate) use fitness::Fitness;
pub(crate) use keys::Keys;
pub(crate) use pool::{CALL_TIMEOUT, LOCK_TIMEOUT, Pool};
pub(crate) use scripts::{Script, script};
pub(crate) use sentinel::primary;
#[cfg(test)]
pub(crate) use url::Place;
pub(crate) use url::{Address, Way};
pub(crate) use vetted::Vetted;
pub(crate) use wire::{KillSwitch, Wire};

/// A text in an answer, "" for anything else.
pub(crate) fn text(value: &::redis::Value) -> String {
    match value {
        ::redis::Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ::redis::Value::SimpleString(text) => text.clone(),
        ::redis::Value::Int(number) => number.to_string(),
        ::redis::Value::Okay => "OK".into(),
        _ => String::new(),
    }
}

/// A number in an answer, 0 for anything else.
pub(crate) fn number(value: &::redis::Value) -> i64 {
    match value {
        ::redis::Value::Int(number) => *number,
        ::redis::Value::BulkString(bytes) => {
            std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

/// The bytes in an answer, none for anything else.
pub(crate) fn bytes(value: &::redis::Value) -> Option<&[u8]> {
    match value {
        ::redis::Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

/// The elements of an answer, none for anything else.
pub(crate) fn array(value: ::redis::Value) -> Vec<::redis::Value> {
    match value {
        ::redis::Value::Array(values) => values,
        _ => Vec::new(),
    }
}
