//! Where Redis is and who we are to it.

use std::fmt;

use ::redis::{ConnectionAddr, IntoConnectionInfo};

use crate::{Error, Result, Secret, Settings};

const HINT: &str = "write redis://host:port or, for TLS, rediss://host:port in Manage Jenkins > System > HA";

/// Where Redis is and who we are to it. Shows itself without user and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub database: i64,
    pub username: Option<String>,
    pub password: Option<Secret>,
}

impl Address {
    pub fn of(settings: &Settings) -> Result<Self> {
        let url = settings.redis_url.reveal().trim();
        let (tls, rest) = match (url.strip_prefix("redis://"), url.strip_prefix("rediss://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return refuse("the Redis URL does not begin with redis:// or rediss://"),
        };
        if rest.contains('#') {
            return refuse("the Redis URL ends in an option behind '#', which is not supported");
        }
        // The parser's own complaints may quote the URL, password and all: they are not passed on.
        let Ok(info) = format!("redis://{rest}").into_connection_info() else {
            return refuse("the Redis URL cannot be read");
        };
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else {
            return refuse("the Redis URL names no host");
        };
        let redis = info.redis_settings();
        let given = |text: &&String| !text.is_empty();
        let password = settings.password.clone().filter(|secret| !secret.reveal().is_empty());
        Ok(Self {
            host,
            port,
            tls,
            database: redis.db(),
            username: settings
                .username
                .as_ref()
                .filter(given)
                .cloned()
                .or_else(|| redis.username().map(str::to_owned)),
            password: password.or_else(|| redis.password().map(Secret::new)),
        })
    }
}

fn refuse<T>(what: &str) -> Result<T> {
    Err(Error::Refused(format!("{what}: {HINT}")))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{host}:{}", self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SealKey;

    fn settings(url: &str) -> Settings {
        Settings {
            cluster: "c".into(),
            redis_url: Secret::new(url),
            username: None,
            password: None,
            controller_id: "a".into(),
            name: "a".into(),
            url: String::new(),
            version: "1".into(),
            heartbeat: Settings::DEFAULT_HEARTBEAT,
            lease: Settings::DEFAULT_LEASE,
            key: SealKey::new([0; 32]),
        }
    }

    #[test]
    fn url_gives_host_port_database_and_login() {
        let address = Address::of(&settings("rediss://me:s3cret@cache.example:7000/3")).unwrap();
        assert_eq!(
            (address.host.as_str(), address.port, address.tls, address.database),
            ("cache.example", 7000, true, 3)
        );
        assert_eq!(address.username.as_deref(), Some("me"));
        assert_eq!(address.password, Some(Secret::new("s3cret")));
        assert_eq!(
            format!("{address} {address:?}"),
            "rediss://cache.example:7000 rediss://cache.example:7000"
        );
    }

    #[test]
    fn given_password_wins_over_the_url() {
        let mut given = settings("redis://:old@localhost");
        given.password = Some(Secret::new("new"));
        assert_eq!(Address::of(&given).unwrap().password, Some(Secret::new("new")));
        given.password = Some(Secret::new(""));
        assert_eq!(Address::of(&given).unwrap().password, Some(Secret::new("old")));
    }

    #[test]
    fn bad_urls_are_refused_without_quoting_them() {
        for url in [
            "http://:s3cret@x",
            "redis://:s3cret@x:99999",
            "redis://:s3cret@x/zzz",
            "rediss://:s3cret@x#insecure",
            "",
        ] {
            let error = Address::of(&settings(url)).unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{url}: {error:?}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
