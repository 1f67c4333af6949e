//! Where Redis is and who we are to it.

use std::fmt;
use std::time::Duration;

use ::redis::{IntoConnectionInfo, Pipeline, pipe};

use super::Keys;
use crate::settings::Origins;
use crate::{Error, Result, Secret, Settings};

const HINT: &str = "write redis://host:port, with Sentinel redis+sentinel://host:port,host:port/?master=NAME, for a Redis \
                    Cluster redis+cluster://host:port,host:port, or for TLS rediss instead of redis, in";

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
/// How long a trigger waits until a replica has it too.
const REPLICA_WAIT: Duration = Duration::from_millis(100);

/// Where Redis is and who we are to it. Shows itself without user and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Redis, or those who know where it is.
    pub places: Vec<Place>,
    pub way: Way,
    pub tls: bool,
    pub database: i64,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// How long to wait until a replica has what was accepted, none for not at all.
    pub replica_wait: Duration,
    /// Where an admin changes all this.
    pub origins: Origins,
}

/// How the primary is found that has the cluster's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is the only place.
    Direct,
    /// The places are Sentinels, which call it this.
    Sentinels(String),
    /// The places are nodes of a Redis Cluster, which tell who has this key, and so all keys of the cluster.
    Nodes(String),
}

/// A host and its port.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub host: String,
    pub port: u16,
}

impl Address {
    pub fn of(settings: &Settings) -> Result<Self> {
        Self::read(settings).map_err(|error| match error {
            Error::Refused(text) => Error::Refused(format!("{text} {}", settings.origins.redis_url)),
            error => error,
        })
    }

    fn read(settings: &Settings) -> Result<Self> {
        let url = settings.redis_url.reveal().trim();
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse("the Redis URL has no scheme");
        };
        let (base, way) = scheme.split_once('+').unwrap_or((scheme, ""));
        let (sentinel, nodes) = (way == "sentinel", way == "cluster");
        let tls = match base {
            "redis" => false,
            "rediss" => true,
            _ => return refuse("the Redis URL does not begin with redis:// or rediss://"),
        };
        if scheme.contains('+') && !sentinel && !nodes {
            return refuse("the Redis URL has a + that is followed by neither sentinel nor cluster");
        }
        if rest.contains('#') {
            return refuse("the Redis URL ends in an option behind '#', which is not supported");
        }
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) =
            authority.rsplit_once('@').map_or(("", authority), |(login, hosts)| (login, hosts));
        let default_port = if sentinel { SENTINEL_PORT } else { PORT };
        let places =
            hosts.split(',').map(|place| Place::of(place, default_port)).collect::<Result<Vec<_>>>()?;
        if !sentinel && !nodes && places.len() > 1 {
            return refuse("the Redis URL names several hosts, but no Sentinel and no Redis Cluster");
        }
        // The parser's own complaints may quote the URL, password and all: they are not passed on.
        let at = if login.is_empty() { "" } else { "@" };
        let Ok(info) = format!("redis://{login}{at}host/{path}").into_connection_info() else {
            return refuse("the Redis URL cannot be read");
        };
        let (mut master, mut replica_wait) = (None, REPLICA_WAIT);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("master", name)) if sentinel && !name.is_empty() => master = Some(name.to_owned()),
                Some(("replicaWaitMillis", millis)) => match millis.parse() {
                    Ok(millis) if millis <= 1000 => replica_wait = Duration::from_millis(millis),
                    _ => return refuse("replicaWaitMillis in the Redis URL is no number up to 1000"),
                },
                _ => return refuse("the Redis URL has an option that is not known"),
            }
        }
        let way = match master {
            Some(master) => Way::Sentinels(master),
            None if sentinel => {
                return refuse("the Redis URL with Sentinels does not say what they call the primary");
            }
            None if nodes => Way::Nodes(Keys::of(&settings.cluster).meta),
            None => Way::Direct,
        };
        let redis = info.redis_settings();
        if nodes && redis.db() != 0 {
            return refuse("the Redis URL names a database, of which a Redis Cluster has only the one");
        }
        let given = |text: &&String| !text.is_empty();
        let password = settings.password.clone().filter(|secret| !secret.reveal().is_empty());
        Ok(Self {
            places,
            way,
            tls,
            database: redis.db(),
            username: settings
                .username
                .as_ref()
                .filter(given)
                .cloned()
                .or_else(|| redis.username().map(str::to_owned)),
            password: password.or_else(|| redis.password().map(Secret::new)),
            replica_wait,
            origins: settings.origins.clone(),
        })
    }
}

impl Address {
    /// Commands that begin with the login, if there is one to give.
    pub fn login(&self) -> Pipeline {
        let mut commands = pipe();
        if let Some(password) = &self.password {
            commands.cmd("AUTH").arg(&self.username).arg(password.reveal());
        }
        commands
    }
}

impl Place {
    /// Where a node says that a key is (`MOVED slot host:port`); a node that does not know its own name leaves the host out.
    pub fn told(text: &str, by: &Self) -> Option<Self> {
        let (host, port) = text.split_whitespace().last()?.rsplit_once(':')?;
        let host = if host.is_empty() || host == "?" { &by.host } else { host };
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }

    fn of(text: &str, default_port: u16) -> Result<Self> {
        let (host, port) = match (text.strip_prefix('['), text.rsplit_once(':')) {
            (Some(rest), _) => match rest.split_once(']') {
                Some((host, "")) => (host, None),
                Some((host, port)) => (host, port.strip_prefix(':')),
                None => return refuse("the Redis URL cannot be read"),
            },
            (None, Some((host, port))) => (host, Some(port)),
            (None, None) => (text, None),
        };
        if host.is_empty() {
            return refuse("the Redis URL names no host");
        }
        match port.map_or(Ok(default_port), str::parse) {
            Ok(port) => Ok(Self { host: host.to_owned(), port }),
            Err(_) => refuse("the Redis URL has a port that is no number up to 65535"),
        }
    }
}

fn refuse<T>(what: &str) -> Result<T> {
    Err(Error::Refused(format!("{what}: {HINT}")))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        match &self.way {
            Way::Direct => write!(f, "{scheme}://{}", places.join(",")),
            Way::Sentinels(master) => write!(f, "{scheme}+sentinel://{}/?master={master}", places.join(",")),
            Way::Nodes(_) => write!(f, "{scheme}+cluster://{}", places.join(",")),
        }
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
            home: Default::default(),
            origins: Default::default(),
            ahead: 0,
        }
    }

    #[test]
    fn url_gives_host_port_database_and_login() {
        let address = Address::of(&settings("rediss://me:s3cret@cache.example:7000/3")).unwrap();
        assert_eq!(
            (address.places[0].to_string().as_str(), address.tls, address.database),
            ("cache.example:7000", true, 3)
        );
        assert_eq!(address.username.as_deref(), Some("me"));
        assert_eq!(address.password, Some(Secret::new("s3cret")));
        assert_eq!(
            format!("{address} {address:?}"),
            "rediss://cache.example:7000 rediss://cache.example:7000"
        );
    }

    #[test]
    fn sentinels_are_listed_with_the_name_of_the_primary() {
        let url = "redis+sentinel://me:s3cret@one:7001,two,[::1]:7003/2?master=jenkins&replicaWaitMillis=0";
        let address = Address::of(&settings(url)).unwrap();
        assert_eq!(address.way, Way::Sentinels("jenkins".into()));
        assert_eq!((address.database, address.replica_wait), (2, Duration::ZERO));
        assert_eq!(address.password, Some(Secret::new("s3cret")));
        let shown = "redis+sentinel://one:7001,two:26379,[::1]:7003/?master=jenkins";
        assert_eq!(address.to_string(), shown);
    }

    #[test]
    fn nodes_of_a_redis_cluster_are_listed() {
        let address = Address::of(&settings("rediss+cluster://me:s3cret@one:7001,two")).unwrap();
        assert_eq!((address.tls, address.way), (true, Way::Nodes("{haj:c}:meta".into())));
        let address = Address::of(&settings("redis+cluster://me:s3cret@one:7001,two/")).unwrap();
        assert_eq!(address.to_string(), "redis+cluster://one:7001,two:6379");
    }

    #[test]
    fn a_node_tells_where_a_key_is() {
        let by = Place { host: "one".into(), port: 7001 };
        let told = |text: &str| Place::told(text, &by).map(|place| place.to_string());
        assert_eq!(told("3999 10.0.0.2:6381").as_deref(), Some("10.0.0.2:6381"));
        assert_eq!(told("3999 fe80::1:6381").as_deref(), Some("[fe80::1]:6381"));
        assert_eq!(told("3999 :6381").as_deref(), Some("one:6381"));
        assert_eq!(told("3999 ?:6381").as_deref(), Some("one:6381"));
        assert_eq!(told("3999").as_deref(), None);
        assert_eq!(told("").as_deref(), None);
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
            "redis://:s3cret@x,y",
            "redis://:s3cret@x?master=m",
            "redis+sentinel://:s3cret@x",
            "redis+sentinel://:s3cret@/?master=m",
            "redis+cluster://:s3cret@x/2",
            "redis+cluster://:s3cret@x/?master=m",
            "redis+other://:s3cret@x",
            "",
        ] {
            let error = Address::of(&settings(url)).unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{url}: {error:?}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
