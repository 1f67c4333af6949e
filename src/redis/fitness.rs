//! Whether a Redis can be trusted with a queue.

use std::time::Instant;

use ::redis::cmd;

use super::fault::IS_CLUSTER;
use super::{Address, Fault, Way, Wire, text};
use crate::{Error, Result};

const OLDEST: (u32, u32) = (6, 2);

/// The part of its memory that Redis may use before an admin is told: so many of so many.
const NEARLY: (u64, u64) = (9, 10);

/// What `INFO` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fitness {
    pub version: String,
    pub role: String,
    pub maxmemory: u64,
    pub used_memory: u64,
    pub policy: String,
    pub aof: bool,
    pub cluster: bool,
}

impl Fitness {
    pub fn ask(wire: &mut Wire, deadline: Instant) -> Result<Self, Fault> {
        Ok(Self::of(&text(&wire.call(&cmd("INFO"), deadline)?)))
    }

    /// From the answer to `INFO`.
    pub fn of(info: &str) -> Self {
        let mut fitness = Self::default();
        for (name, value) in info.lines().filter_map(|line| line.trim_end().split_once(':')) {
            match name {
                "redis_version" => fitness.version = value.into(),
                "role" => fitness.role = value.into(),
                "maxmemory" => fitness.maxmemory = value.parse().unwrap_or(0),
                "used_memory" => fitness.used_memory = value.parse().unwrap_or(0),
                "maxmemory_policy" => fitness.policy = value.into(),
                "aof_enabled" => fitness.aof = value == "1",
                "cluster_enabled" => fitness.cluster = value == "1",
                _ => {}
            }
        }
        fitness
    }

    /// Refuses what would lose items.
    pub fn check(&self, at: &Address) -> Result<()> {
        let mut parts = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        let version: (u32, u32) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let refuse = |text: String| Err(Error::Refused(format!("Redis at {at} {text}")));
        if version < OLDEST {
            return refuse(format!(
                "is version {}: ha-jenkins needs {}.{} or newer",
                self.version, OLDEST.0, OLDEST.1
            ));
        }
        if self.cluster && !matches!(at.way, Way::Nodes(_)) {
            return refuse(IS_CLUSTER.into());
        }
        if self.role == "slave" {
            return Err(Error::Unavailable(format!(
                "Redis at {at} is a replica: point ha-jenkins to the primary"
            )));
        }
        if self.maxmemory > 0 && self.policy != "noeviction" {
            return refuse(format!(
                "may throw away queue items when memory is short (maxmemory-policy {}): set it to noeviction \
                 (redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf)",
                self.policy
            ));
        }
        Ok(())
    }

    /// What an admin should know though it is no reason to refuse; a sentence without its dot each, "" for none.
    pub fn warning(&self, at: &Address) -> String {
        let mut found = Vec::new();
        if !self.aof {
            found.push(format!(
                "Redis at {at} does not keep an append-only file, so a crash of it loses queue items: set it with \
                 redis-cli CONFIG SET appendonly yes, and in redis.conf"
            ));
        }
        if self.policy != "noeviction" && !self.policy.is_empty() {
            let when =
                if self.maxmemory > 0 { "when memory is short" } else { "as soon as maxmemory is set" };
            found.push(format!(
                "Redis at {at} throws away queue items {when} (maxmemory-policy {}): set it to noeviction with \
                 redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf",
                self.policy
            ));
        }
        if self.maxmemory > 0
            && self.used_memory.saturating_mul(NEARLY.1) > self.maxmemory.saturating_mul(NEARLY.0)
        {
            found.push(format!(
                "Redis at {at} uses more than nine tenths of its memory ({} of {} MiB): raise maxmemory, or remove other data \
                 from it, before it takes no builds any more",
                self.used_memory >> 20,
                self.maxmemory >> 20
            ));
        }
        found.join(". ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::Address;

    fn address() -> Address {
        Address {
            places: Vec::new(),
            way: Way::Direct,
            tls: false,
            database: 0,
            username: None,
            password: None,
            replica_wait: std::time::Duration::ZERO,
            origins: Default::default(),
        }
    }

    fn check(info: &str) -> Result<()> {
        Fitness::of(info).check(&address())
    }

    #[test]
    fn what_may_lose_items_later_is_told() {
        let warning = |info: &str| Fitness::of(info).warning(&address());
        assert_eq!(warning("aof_enabled:1\r\nmaxmemory:9\r\nmaxmemory_policy:noeviction\r\n"), "");
        assert!(warning("aof_enabled:0\r\nmaxmemory_policy:noeviction\r\n").contains("appendonly yes"));
        let later = warning("aof_enabled:1\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n");
        assert!(later.contains("as soon as maxmemory is set"), "{later}");
        let memory = |used: u64| {
            warning(&format!(
                "aof_enabled:1\r\nused_memory:{used}\r\nmaxmemory:1000000\r\nmaxmemory_policy:noeviction\r\n"
            ))
        };
        assert_eq!(memory(899_990), "");
        assert!(memory(900_010).contains("raise maxmemory"));
        let now = warning("aof_enabled:1\r\nmaxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\n");
        assert!(now.contains("when memory is short (maxmemory-policy allkeys-lru)"), "{now}");
    }

    #[test]
    fn old_evicting_clustered_and_replica_servers_are_refused() {
        let fine = "redis_version:7.0.15\r\nrole:master\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n";
        assert_eq!(check(fine), Ok(()));
        assert!(matches!(check("redis_version:6.0.9\r\n"), Err(Error::Refused(_))));
        assert!(matches!(check(&fine.replace("maxmemory:0", "maxmemory:100")), Err(Error::Refused(_))));
        assert!(matches!(check(&fine.replace("master", "slave")), Err(Error::Unavailable(_))));
        let node = format!("{fine}cluster_enabled:1\r\n");
        assert!(matches!(check(&node), Err(Error::Refused(_))));
        let nodes = Address { way: Way::Nodes("key".into()), ..address() };
        assert_eq!(Fitness::of(&node).check(&nodes), Ok(()));
    }
}
