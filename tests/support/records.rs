//! Databases for tests of the build records, and rows for them.
#![allow(dead_code, unused_imports, unused_macros)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use ha_jenkins::{BuildQuery, BuildRow, BuildState, Records, RecordsSettings, Secret};

use super::postgres::{PASSWORD, PostgresServer};

pub const SECOND: Duration = Duration::from_secs(1);
pub const LONG: Duration = Duration::from_secs(20);

/// One server for all tests that do not stop it. It is stopped when the last test that uses it ends.
static SHARED: LazyLock<Mutex<std::sync::Weak<PostgresServer>>> = LazyLock::new(Mutex::default);

pub fn shared_server() -> std::sync::Arc<PostgresServer> {
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = std::sync::Arc::new(PostgresServer::start());
        *shared = std::sync::Arc::downgrade(&server);
        server
    })
}

/// A database of one kind for one test, with a folder for outboxes.
pub struct Place {
    pub url: String,
    pub folder: PathBuf,
    pub server: Option<(std::sync::Arc<PostgresServer>, String)>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = folder();
        Self { url: format!("sqlite:{}", folder.join("builds.db").display()), folder, server: None }
    }

    pub fn postgres() -> Self {
        let server = shared_server();
        let folder = folder();
        let name = format!("t{}", folder.file_name().unwrap().to_str().unwrap().rsplit('-').next().unwrap());
        Self { url: server.database(&name), folder, server: Some((server, name)) }
    }

    pub fn settings(&self, controller: &str) -> RecordsSettings {
        self.settings_of(controller, &format!("{controller}1"))
    }

    pub fn settings_of(&self, controller: &str, incarnation: &str) -> RecordsSettings {
        RecordsSettings {
            url: Secret::new(&self.url),
            password: Some(Secret::new(PASSWORD)),
            cluster: "tests".into(),
            controller_id: controller.into(),
            incarnation: incarnation.into(),
            outbox: self.folder.join(format!("outbox-{controller}")),
        }
    }

    pub fn open(&self, controller: &str) -> Records {
        ready(self.settings(controller))
    }

    /// The number that a query answers.
    pub fn number(&self, sql: &str) -> i64 {
        match &self.server {
            Some((server, name)) => server.psql(name).run(sql)[0].parse().unwrap(),
            None => {
                let connection = rusqlite::Connection::open(self.folder.join("builds.db")).unwrap();
                connection.busy_timeout(LONG).unwrap();
                connection.query_row(sql, [], |row| row.get(0)).unwrap()
            }
        }
    }

    /// Changes the database behind the records' back.
    pub fn sql(&self, sql: &str) {
        match &self.server {
            Some((server, name)) => drop(server.psql(name).run(sql)),
            None => {
                let connection = rusqlite::Connection::open(self.folder.join("builds.db")).unwrap();
                connection.busy_timeout(LONG).unwrap();
                connection.execute_batch(sql).unwrap();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("ha-jenkins-records-{}-{count}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn ready(settings: RecordsSettings) -> Records {
    let records = Records::open(settings).unwrap();
    assert!(records.await_ready(LONG), "{:?}", records.state());
    records
}

/// A build that `controller` runs.
pub fn running(controller: &str, job: &str, number: i32) -> BuildRow {
    BuildRow {
        job: job.into(),
        number,
        state: BuildState::Running,
        queue_id: queue_id(job, number),
        controller_id: controller.into(),
        controller_name: controller.to_uppercase(),
        incarnation: format!("{controller}1"),
        epoch: 7,
        started_ms: 1_700_000_000_000 + i64::from(number) * 1000,
        xml: Some(format!("<build><number>{number}</number></build>").into_bytes()),
        ..BuildRow::default()
    }
}

pub fn queue_id(job: &str, number: i32) -> i64 {
    job.bytes().fold(i64::from(number), |id, byte| (id * 131 + i64::from(byte)) % 1_000_000_007)
}

pub fn ended(controller: &str, job: &str, number: i32, result: &str) -> BuildRow {
    BuildRow {
        state: BuildState::Ended,
        result: result.into(),
        duration_ms: 1234,
        ..running(controller, job, number)
    }
}

pub fn store(records: &Records, row: BuildRow) {
    save(records, row, false);
}

pub fn save(records: &Records, row: BuildRow, edit: bool) {
    let (job, number) = (row.job.clone(), row.number);
    records.save(row, edit).unwrap();
    assert!(records.flush(&job, number, LONG).unwrap(), "{:?}", records.state());
}

pub fn count(records: &Records, name: &str) -> u64 {
    let at = Records::COUNTS.iter().position(|known| *known == name).unwrap();
    records.counts()[at]
}

pub fn numbers(records: &Records, query: &BuildQuery) -> Vec<(String, i32)> {
    records.query(query).unwrap().builds.into_iter().map(|row| (row.job, row.number)).collect()
}

pub fn numbers_of(records: &Records, query: &BuildQuery) -> Vec<i32> {
    numbers(records, query).into_iter().map(|(_, number)| number).collect()
}

/// Everything, page by page.
pub fn pages(records: &Records, mut query: BuildQuery) -> Vec<(String, i32)> {
    let mut all = Vec::new();
    loop {
        let page = records.query(&query).unwrap();
        assert!(page.builds.len() <= query.limit);
        all.extend(page.builds.into_iter().map(|row| (row.job, row.number)));
        if page.next.is_empty() {
            return all;
        }
        query.after = page.next;
    }
}

/// Every promise is tested on both.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod on_postgres {
            $(#[test] fn $name() { super::$name(&super::Place::postgres()); })*
        }
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(&super::Place::sqlite()); })*
        }
    };
}

pub(crate) use on_both;
