//! A PostgreSQL server for a test.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::free_port;

/// Who the tests are to the server.
pub const USER: &str = "jenkins";
pub const PASSWORD: &str = "s3cret-pass";

/// A PostgreSQL server on a free port, in a folder of its own; gone with its folder when dropped. Not durable against a
/// power cut, which no test makes.
pub struct PostgresServer {
    child: Option<Child>,
    folder: PathBuf,
    pub port: u16,
}

impl PostgresServer {
    /// Starts one with databases named `databases`.
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("ha-jenkins-postgres-{}-{count}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("password"), PASSWORD).unwrap();
        if let Some((user, group)) = unprivileged() {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
            std::os::unix::fs::chown(folder.join("password"), Some(user), Some(group)).unwrap();
        }
        let made = program("initdb")
            .args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"])
            .arg("--pwfile")
            .arg(folder.join("password"))
            .arg("-D")
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for _ in 0..20 {
            let mut server = Self { child: None, folder: folder.clone(), port: free_port() };
            if server.try_start() {
                return server;
            }
            std::mem::forget(server);
        }
        panic!("postgres did not start: {}", log_of(&folder));
    }

    fn try_start(&mut self) -> bool {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let child = program("postgres")
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(["-c", "unix_socket_directories=", "-c", "shared_buffers=32MB", "-c", "max_connections=60"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            if Psql::new(self, "postgres").try_run("SELECT 1").is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// From the next start on it offers TLS, with a certificate that it has signed itself. Answers where that is.
    pub fn offer_tls(&mut self) -> PathBuf {
        let data = self.folder.join("data");
        let (certificate, key) = (data.join("server.crt"), data.join("server.key"));
        let made = as_unprivileged(&mut Command::new("openssl"))
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=postgres of a test", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("openssl must be installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(data.join("postgresql.auto.conf"), "ssl = on\n").unwrap();
        certificate
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// A database of its own for a test.
    pub fn database(&self, name: &str) -> String {
        Psql::new(self, "postgres").run(&format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    pub fn psql(&self, database: &str) -> Psql {
        Psql::new(self, database)
    }

    /// Kills all of it at once, as a power cut would: the first process and those it started.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    /// Stops it without a word to anybody, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.signal(if frozen { "-STOP" } else { "-CONT" });
    }

    /// To the first process and, since each has a group of its own, to all that it started.
    fn signal(&self, signal: &str) {
        let Some(child) = &self.child else { return };
        let first = child.id().to_string();
        let started = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let stat = fs::read_to_string(format!("/proc/{name}/stat")).ok()?;
            // Behind the program's name come state and parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
            (parent == first).then_some(name)
        });
        let processes: Vec<String> = std::iter::once(first.clone()).chain(started).collect();
        let _ = Command::new("kill").arg(signal).arg("--").args(&processes).stderr(Stdio::null()).status();
    }

    /// Starts it again on the same port with the data it kept.
    pub fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.try_start() {
            self.kill();
            assert!(Instant::now() < deadline, "postgres did not start again: {}", log_of(&self.folder));
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn log_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// A program of PostgreSQL, in a process group of its own; as another user where we are root, whom it refuses.
fn program(name: &str) -> Command {
    let mut candidates = vec![PathBuf::from(format!("/usr/local/bin/{name}"))];
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.map(|version| version.unwrap().path()).collect();
        versions.sort();
        candidates.extend(versions.into_iter().rev().map(|version| version.join("bin").join(name)));
    }
    let found = candidates.into_iter().find(|candidate| candidate.exists());
    let mut command = Command::new(found.unwrap_or_else(|| name.into()));
    as_unprivileged(&mut command).process_group(0);
    command
}

/// As a user other than root.
fn as_unprivileged(command: &mut Command) -> &mut Command {
    command.current_dir("/");
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

/// Whom PostgreSQL runs as: none where we are not root.
fn unprivileged() -> Option<(u32, u32)> {
    static USER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *USER.get_or_init(|| {
        let number = |args: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if number(&["-u"]) != Some(0) {
            return None;
        }
        let of = |name: &str| Some((number(&["-u", name])?, number(&["-g", name])?));
        of("postgres").or_else(|| of("nobody"))
    })
}

/// A connection to look inside.
pub struct Psql {
    config: tokio_postgres::Config,
}

impl Psql {
    fn new(server: &PostgresServer, database: &str) -> Self {
        let mut config: tokio_postgres::Config = server.url(database).parse().unwrap();
        config.password(PASSWORD);
        config.connect_timeout(Duration::from_secs(2));
        Self { config }
    }

    /// Runs SQL; answers the texts of the first column.
    pub fn run(&self, sql: &str) -> Vec<String> {
        self.try_run(sql).unwrap()
    }

    fn try_run(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = self.config.connect(tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            let messages = client.simple_query(sql).await?;
            Ok(messages
                .iter()
                .filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("").to_owned()),
                    _ => None,
                })
                .collect())
        })
    }
}
