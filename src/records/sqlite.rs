//! Build records in a SQLite file, for controllers on one host.

use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::ffi::ErrorCode;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ToSql};

use super::migrations;
use super::mounts::{Kind, mount_of};
use super::store::{
    Act, Dialect, Fault, Fields, READ_TIMEOUT, Session, Statement, Store, Value, WRITE_TIMEOUT,
};

/// Connections for reads that are kept.
const IDLE: usize = 4;
/// How often it is looked whether the time is over: each so many steps of SQLite's machine.
const STEPS: i32 = 10_000;

/// A SQLite file that keeps build records.
pub(super) struct Sqlite {
    path: PathBuf,
    place: String,
    warning: String,
    writer: Mutex<Option<Connection>>,
    idle: Mutex<Vec<Connection>>,
    /// Device and inode of the file that was opened.
    file: Mutex<Option<(u64, u64)>>,
}

impl Sqlite {
    /// Does not open it yet. `mounts` is in the format of /proc/self/mountinfo.
    pub fn new(path: &Path, mounts: &str) -> Result<Self, Fault> {
        let path = resolved(path);
        let mount = mount_of(&path, mounts);
        if let Some(mount) = mount.as_ref().filter(|mount| mount.kind() == Kind::Network) {
            return Err(Fault::Refused(format!(
                "The build records cannot be kept in the SQLite file {}: {} is a network mount ({}), where SQLite loses data. \
                 Use PostgreSQL (postgresql://user@host:5432/database), or a file on a local disk if all controllers are \
                 on this host",
                path.display(),
                mount.folder.display(),
                mount.file_system
            )));
        }
        let warning = match mount.filter(|mount| mount.kind() == Kind::Unknown) {
            Some(mount) => format!(
                "{} is a mount of a kind ({}) that is not known: if other machines write it, too, SQLite loses data there. Use \
                 PostgreSQL (postgresql://user@host:5432/database) unless it is a local disk.",
                mount.folder.display(),
                mount.file_system
            ),
            None => String::new(),
        };
        Ok(Self {
            warning,
            place: path.display().to_string(),
            path,
            writer: Mutex::default(),
            idle: Mutex::default(),
            file: Mutex::default(),
        })
    }

    fn open(&self) -> Result<Connection, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|error| self.explain(&error))?;
        let setup = || -> rusqlite::Result<()> {
            connection.busy_timeout(READ_TIMEOUT)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "temp_store", "MEMORY")?;
            connection.pragma_update(None, "cache_size", -8192)?;
            connection.set_prepared_statement_cache_capacity(64);
            Ok(())
        };
        setup().map_err(|error| self.explain(&error))?;
        Ok(connection)
    }

    /// Makes the file, for this user's eyes alone.
    fn create(&self) -> Result<(), Fault> {
        let made = self.path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            fs::OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&self.path)
                .map(drop)
        });
        made.map_err(|error| {
            Fault::Refused(format!(
                "The build records cannot be kept in {}: {error}. Give Jenkins' user the right to write there, or name \
                 another path in Manage Jenkins > System > HA",
                self.place
            ))
        })
    }

    /// Which file the path leads to now.
    fn identity(&self) -> Option<(u64, u64)> {
        fs::metadata(&self.path).ok().map(|file| (file.dev(), file.ino()))
    }

    fn explain(&self, error: &rusqlite::Error) -> Fault {
        let at = &self.place;
        let Some(code) = error.sqlite_error_code() else {
            return Fault::Bug(format!("SQLite at {at}: {error}"));
        };
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SchemaChanged => {
                Fault::Clash(format!("The database {at} is in use by another process"))
            }
            ErrorCode::OperationInterrupted => Fault::Slow(format!(
                "The database {at} took too long: narrow the search by job or time, or use PostgreSQL"
            )),
            ErrorCode::DiskFull => {
                Fault::Away(format!("The disk of the database {at} is full: make room there"))
            }
            ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed => {
                Fault::Away(format!(
                    "The database {at} cannot be read or written ({error}): look at its disk"
                ))
            }
            ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::AuthorizationForStatementDenied => Fault::Refused(format!(
                "The database {at} cannot be written: give Jenkins' user the right to"
            )),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Fault::Refused(format!(
                "The database {at} is damaged: put a backup in its place, or move it away (then it is made anew from the \
                 builds' files), and restart"
            )),
            ErrorCode::ConstraintViolation => {
                Fault::Clash(format!("The database {at} holds what was written at the same time"))
            }
            ErrorCode::TooBig | ErrorCode::TypeMismatch => {
                Fault::Unfit(format!("The database {at} cannot take this"))
            }
            // Away so that it is opened anew, and its tables made anew if they are gone.
            _ if error.to_string().contains("no such table") => {
                Fault::Away(format!("The database {at} has lost its tables: they are made anew"))
            }
            _ => Fault::Bug(format!("SQLite at {at}: {error}")),
        }
    }

    /// One transaction on a connection.
    fn transaction(
        &self,
        connection: &mut Connection,
        begin: &str,
        timeout: Duration,
        act: Act<'_>,
    ) -> Result<(), Fault> {
        let deadline = Instant::now() + timeout;
        let explain = |error: rusqlite::Error| self.explain(&error);
        connection.progress_handler(STEPS, Some(move || Instant::now() >= deadline)).map_err(explain)?;
        connection.execute_batch(begin).map_err(explain)?;
        let done = act(&mut SqliteSession { store: self, connection })
            .and_then(|()| connection.execute_batch("COMMIT").map_err(explain));
        if done.is_err() {
            let _ = connection.progress_handler(STEPS, None::<fn() -> bool>);
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        done
    }
}

/// The path without symbolic links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

impl Store for Sqlite {
    fn prepare(&self) -> Result<(), Fault> {
        self.clear();
        self.create()?;
        *self.file.lock() = self.identity();
        let mut connection = self.open()?;
        let wal: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(|error| self.explain(&error))?;
        if wal != "wal" {
            return Err(Fault::Refused(format!(
                "The file system of the database {} is not fit for it (no shared memory): put it on a local disk",
                self.place
            )));
        }
        self.transaction(&mut connection, "BEGIN EXCLUSIVE", Duration::from_secs(120), &mut |session| {
            migrations::migrate(session, &self.place)
        })?;
        *self.writer.lock() = Some(connection);
        Ok(())
    }

    fn ping(&self) -> Result<(), Fault> {
        if self.identity() != *self.file.lock() {
            return Err(Fault::Away(format!(
                "The database {} was moved away or replaced: it is opened anew",
                self.place
            )));
        }
        self.read(&mut |session| session.rows("SELECT 1 FROM ha_schema LIMIT 1", &[]).map(drop))
    }

    fn read(&self, act: Act<'_>) -> Result<(), Fault> {
        let idle = self.idle.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let done = self.transaction(&mut connection, "BEGIN", READ_TIMEOUT, act);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE && !matches!(done, Err(Fault::Away(_) | Fault::Refused(_))) {
            idle.push(connection);
        }
        done
    }

    fn write(&self, timeout: Duration, act: Act<'_>) -> Result<(), Fault> {
        let mut writer = self.writer.lock();
        let mut connection = match writer.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let done = self.transaction(&mut connection, "BEGIN IMMEDIATE", timeout.max(WRITE_TIMEOUT), act);
        *writer = Some(connection);
        done
    }

    fn clear(&self) {
        self.idle.lock().clear();
        *self.writer.lock() = None;
    }

    fn test(&self, _: Duration) -> Result<String, Fault> {
        if self.path.exists() {
            let connection = self.open()?;
            let mut session = SqliteSession { store: self, connection: &connection };
            let tables = session.rows("SELECT COUNT(*) FROM sqlite_master WHERE name = 'ha_schema'", &[])?;
            if tables.first().is_some_and(|row| row.int(0) > 0) {
                migrations::check(&mut session, &self.place)?;
            }
        }
        let found = format!(
            "SQLite {} in {}, for controllers on this host alone. {}",
            rusqlite::version(),
            self.place,
            self.warning
        );
        Ok(found.trim_end().to_owned())
    }

    fn warning(&self) -> &str {
        &self.warning
    }

    fn place(&self) -> &str {
        &self.place
    }
}

struct SqliteSession<'a> {
    store: &'a Sqlite,
    connection: &'a Connection,
}

impl Session for SqliteSession<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Fields>, Fault> {
        let read = || -> rusqlite::Result<Vec<Fields>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let mut fields = Vec::with_capacity(columns);
                for at in 0..columns {
                    fields.push(value_of(row.get_ref(at)?));
                }
                all.push(Fields(fields));
            }
            Ok(all)
        };
        read().map_err(|error| self.store.explain(&error))
    }

    fn run(&mut self, statements: Vec<Statement>) -> Result<(), Fault> {
        for statement in &statements {
            self.connection
                .prepare_cached(&statement.sql)
                .and_then(|mut prepared| prepared.execute(rusqlite::params_from_iter(&statement.values)))
                .map_err(|error| self.store.explain(&error))?;
        }
        Ok(())
    }
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Int(real as i64),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ToSqlOutput::Borrowed;
        Ok(match self {
            Self::Null => Borrowed(ValueRef::Null),
            Self::Int(int) => Borrowed(ValueRef::Integer(*int)),
            Self::Text(text) => Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_mount_is_refused_with_a_way_out() {
        let folder = std::env::temp_dir();
        let real = folder.canonicalize().unwrap();
        let mounts =
            format!("1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {} rw - nfs4 filer:/x rw\n", real.display());
        let error = Sqlite::new(&folder.join("not/yet/there.db"), &mounts).err().unwrap();
        let Fault::Refused(text) = error else { panic!("{error:?}") };
        assert!(text.contains("nfs4") && text.contains("postgresql://"), "{text}");
    }

    #[test]
    fn a_kind_of_mount_that_nobody_knows_is_warned_of_when_it_is_tried_and_at_the_start() {
        let folder = std::env::temp_dir().canonicalize().unwrap();
        let mounts =
            format!("1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {} rw - newfs thing rw\n", folder.display());
        let path = folder.join(format!("ha-jenkins-unknown-{}.db", std::process::id()));
        let store = Sqlite::new(&path, &mounts).unwrap();
        assert!(store.warning().contains("(newfs)"), "{}", store.warning());
        assert!(store.test(Duration::from_secs(1)).unwrap().ends_with(store.warning()));
        let local = Sqlite::new(&path, "1 0 0:1 / / rw - ext4 a rw\n").unwrap();
        assert_eq!(local.warning(), "");
        assert!(local.test(Duration::from_secs(1)).unwrap().ends_with("alone."));
    }

    #[test]
    fn a_link_to_a_network_mount_is_seen_through() {
        let folder = std::env::temp_dir()
            .canonicalize()
            .unwrap()
            .join(format!("ha-jenkins-link-{}", std::process::id()));
        fs::create_dir_all(folder.join("remote")).unwrap();
        std::os::unix::fs::symlink(folder.join("remote"), folder.join("jobs")).unwrap();
        let mounts =
            format!("1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {}/remote rw - 9p x rw\n", folder.display());
        let refused = Sqlite::new(&folder.join("jobs/builds.db"), &mounts);
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(refused, Err(Fault::Refused(_))));
    }
}
