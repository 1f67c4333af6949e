//! Where the database is.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::RecordsSettings;
use crate::{Error, Result};

const HINT: &str =
    "write postgresql://user@host:5432/database or sqlite:/absolute/path.db in Manage Jenkins > System > HA";

/// Where the database is.
#[derive(Debug)]
pub(super) enum Place {
    Postgres(Box<Server>),
    Sqlite(PathBuf),
}

/// How the connection is kept from others' eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// `sslmode=disable`.
    Never,
    /// `sslmode=prefer`, the default: if the server can; whoever it is.
    IfOffered,
    /// `sslmode=require`: always; whoever it is.
    Always,
    /// `sslmode=verify-full`: always, and the server must prove that it is the one that was named.
    Verified,
}

/// A PostgreSQL server and who we are to it. Shows itself without user and password.
pub(super) struct Server {
    pub config: Config,
    pub tls: Tls,
    /// Certificates to trust instead of the system's, PEM.
    pub root_cert: Option<PathBuf>,
    pub database: String,
    /// Whether a host may be another machine than this one.
    pub remote: bool,
    shown: String,
}

impl Place {
    pub fn of(settings: &RecordsSettings) -> Result<Self> {
        let url = settings.url.reveal().trim();
        if let Some(path) = url.strip_prefix("sqlite:") {
            // sqlite:///path is as common as sqlite:/path.
            let path = path.strip_prefix("//").unwrap_or(path);
            if !Path::new(path).is_absolute() || path.ends_with('/') {
                return refuse("the path of the SQLite file is not absolute");
            }
            return Ok(Self::Sqlite(path.into()));
        }
        if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
            return refuse("the database URL begins neither with postgresql:// nor with sqlite:");
        }
        Server::of(url, settings).map(|server| Self::Postgres(Box::new(server)))
    }
}

impl Server {
    fn of(url: &str, settings: &RecordsSettings) -> Result<Self> {
        let (base, options) = url.split_once('?').unwrap_or((url, ""));
        let (mut tls, mut root_cert, mut rest) = (Tls::IfOffered, None, Vec::new());
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", mode)) => {
                    tls = match mode {
                        "disable" => Tls::Never,
                        "prefer" => Tls::IfOffered,
                        "require" => Tls::Always,
                        "verify-full" => Tls::Verified,
                        _ => return refuse("sslmode is none of disable, prefer, require, verify-full"),
                    };
                }
                Some(("sslrootcert", path)) => root_cert = Some(PathBuf::from(path)),
                _ => rest.push(option),
            }
        }
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        // The parser's own complaints may quote the URL, password and all: they are not passed on.
        let Ok(mut config) = url.parse::<Config>() else {
            return refuse("the database URL cannot be read");
        };
        if let Some(password) = settings.password.as_ref().filter(|password| !password.reveal().is_empty()) {
            config.password(password.reveal());
        }
        let Some(database) = config.get_dbname().map(str::to_owned) else {
            return refuse("the database URL names no database");
        };
        if config.get_user().is_none() {
            return refuse("the database URL names no user");
        }
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(at, host)| {
                let port = config.get_ports().get(at).or(config.get_ports().first()).copied().unwrap_or(5432);
                match host {
                    Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
                    Host::Tcp(name) => format!("{name}:{port}"),
                    Host::Unix(path) => format!("{}:{port}", path.display()),
                }
            })
            .collect();
        if hosts.is_empty() {
            return refuse("the database URL names no host");
        }
        config.ssl_mode(match tls {
            Tls::Never => SslMode::Disable,
            Tls::IfOffered => SslMode::Prefer,
            Tls::Always | Tls::Verified => SslMode::Require,
        });
        let remote = config.get_hosts().iter().any(|host| match host {
            Host::Tcp(name) => !is_this_machine(name),
            Host::Unix(_) => false,
        });
        config.application_name("ha-jenkins");
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(10));
        let shown = format!("postgresql://{}/{database}", hosts.join(","));
        Ok(Self { config, tls, root_cert, database, remote, shown })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refuse<T>(what: &str) -> Result<T> {
    Err(Error::Refused(format!("{what}: {HINT}")))
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn settings(url: &str, password: Option<&str>) -> RecordsSettings {
        RecordsSettings {
            url: Secret::new(url),
            password: password.map(Secret::new),
            cluster: "c".into(),
            controller_id: "a".into(),
            incarnation: "1".into(),
            outbox: "/nowhere".into(),
        }
    }

    fn server(url: &str, password: Option<&str>) -> Server {
        match Place::of(&settings(url, password)).unwrap() {
            Place::Postgres(server) => *server,
            Place::Sqlite(path) => panic!("{path:?}"),
        }
    }

    #[test]
    fn url_gives_server_database_and_login_and_shows_no_secret() {
        let server = server(
            "postgresql://me:s3cret%21@db.example:6000/builds?sslmode=verify-full&sslrootcert=/ca.pem",
            None,
        );
        assert_eq!(server.config.get_password(), Some(b"s3cret!".as_slice()));
        assert_eq!((server.tls, server.root_cert.clone()), (Tls::Verified, Some("/ca.pem".into())));
        assert_eq!(
            format!("{server} {server:?}"),
            "postgresql://db.example:6000/builds postgresql://db.example:6000/builds"
        );
    }

    #[test]
    fn given_password_wins_over_the_url() {
        let url = "postgresql://me:old@localhost/ha";
        assert_eq!(server(url, Some("new")).config.get_password(), Some(b"new".as_slice()));
        assert_eq!(server(url, Some("")).config.get_password(), Some(b"old".as_slice()));
        assert_eq!(server(url, None).tls, Tls::IfOffered);
    }

    #[test]
    fn sqlite_is_named_by_an_absolute_path() {
        for url in ["sqlite:/var/ha.db", "sqlite:///var/ha.db"] {
            match Place::of(&settings(url, None)).unwrap() {
                Place::Sqlite(path) => assert_eq!(path, Path::new("/var/ha.db")),
                Place::Postgres(server) => panic!("{server}"),
            }
        }
    }

    #[test]
    fn bad_urls_are_refused_without_quoting_them() {
        for url in [
            "",
            "mysql://me:s3cret@x/ha",
            "sqlite:ha.db",
            "sqlite:/tmp/",
            "postgresql://me:s3cret@x",
            "postgresql://x/ha",
            "postgresql://me:s3cret@x:99999/ha",
            "postgresql://me:s3cret@x/ha?sslmode=maybe",
            "postgresql://me:s3cret@x/ha?colour=blue",
        ] {
            let error = Place::of(&settings(url, None)).unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{url}: {error:?}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
