//! What the records need of a database: sessions that take SQL, and transactions.
//!
//! The SQL is the same for both kinds but for what [`Dialect`] tells apart. Parameters are written `?1`, `?2`, ...

use std::borrow::Cow;
use std::time::Duration;

use crate::Error;

/// The longest a read may take in all.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest one transaction of the writer may take.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A value on its way to or from a database.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// A text without what PostgreSQL cannot hold.
    pub fn text(text: &str) -> Self {
        Self::Text(if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() })
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<i32> for Value {
    fn from(int: i32) -> Self {
        Self::Int(int.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(&text)
    }
}

/// One row of an answer.
#[derive(Debug)]
pub(super) struct Fields(pub Vec<Value>);

impl Fields {
    /// A number; 0 where there is none.
    pub fn int(&self, at: usize) -> i64 {
        match self.0.get(at) {
            Some(Value::Int(int)) => *int,
            _ => 0,
        }
    }

    /// A text; "" where there is none.
    pub fn text(&self, at: usize) -> &str {
        match self.0.get(at) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// Bytes, if there are some.
    pub fn bytes(&self, at: usize) -> Option<&[u8]> {
        match self.0.get(at) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// One statement without an answer.
#[derive(Debug)]
pub(super) struct Statement {
    pub sql: Cow<'static, str>,
    pub values: Vec<Value>,
}

impl Statement {
    pub fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }
}

/// What is written differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// The texts of a JSON array.
    pub fn texts(self, parameter: &str) -> String {
        match self {
            Self::Postgres => format!("(SELECT json_array_elements_text({parameter}::json))"),
            Self::Sqlite => format!("(SELECT value FROM json_each({parameter}))"),
        }
    }

    /// The numbers of a JSON array.
    pub fn ints(self, parameter: &str) -> String {
        match self {
            Self::Postgres => format!("(SELECT json_array_elements_text({parameter}::json)::bigint)"),
            Self::Sqlite => format!("(SELECT value FROM json_each({parameter}))"),
        }
    }

    /// The pairs of numbers of a JSON array.
    pub fn pairs(self, parameter: &str) -> String {
        match self {
            Self::Postgres => format!(
                "(SELECT (pair->>0)::bigint, (pair->>1)::bigint FROM json_array_elements({parameter}::json) AS pair)"
            ),
            Self::Sqlite => format!(
                "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({parameter}))"
            ),
        }
    }

    /// Where a text is found in another one, from 1; 0 for nowhere.
    pub fn position(self) -> &'static str {
        match self {
            Self::Postgres => "strpos",
            Self::Sqlite => "instr",
        }
    }

    /// The database's clock, ms since 1970: those of two controllers may differ.
    pub fn now_ms(self) -> &'static str {
        match self {
            Self::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
            Self::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
        }
    }

    /// Holds the rows until the transaction ends; SQLite has one writer anyway.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE OF b",
            Self::Sqlite => "",
        }
    }
}

/// Takes SQL. Within a transaction if [`Store::write`] gave it.
pub(super) trait Session {
    fn dialect(&self) -> Dialect;

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Fields>, Fault>;

    /// Several statements, sent together where that saves time; the first error counts.
    fn run(&mut self, statements: Vec<Statement>) -> Result<(), Fault>;
}

/// What is done with a session; may be done again when a connection broke.
pub(super) type Act<'a> = &'a mut dyn FnMut(&mut dyn Session) -> Result<(), Fault>;

/// A database that keeps build records. Thread-safe.
pub(super) trait Store: Send + Sync {
    /// Connects and brings the tables up to date.
    fn prepare(&self) -> Result<(), Fault>;

    /// Whether it is still there.
    fn ping(&self) -> Result<(), Fault>;

    /// Reads, within [`READ_TIMEOUT`].
    fn read(&self, act: Act<'_>) -> Result<(), Fault>;

    /// One transaction: all of it is done or, if `act` or the end fails, nothing.
    fn write(&self, timeout: Duration, act: Act<'_>) -> Result<(), Fault>;

    /// Connects anew next time.
    fn clear(&self);

    /// Looks at it without changing it: a sentence on what was found.
    fn test(&self, timeout: Duration) -> Result<String, Fault>;

    /// A sentence on what may go wrong with it though it works, or "".
    fn warning(&self) -> &str;

    /// How it is called in what admins read; without secrets.
    fn place(&self) -> &str;
}

/// [`Store::read`] with an answer.
pub(super) fn read<T>(
    store: &dyn Store,
    mut act: impl FnMut(&mut dyn Session) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut answer = None;
    store.read(&mut |session| {
        answer = Some(act(session)?);
        Ok(())
    })?;
    answer.ok_or_else(|| Fault::Bug("a read ended without an answer".into()))
}

/// [`Store::write`] with an answer.
pub(super) fn write<T>(
    store: &dyn Store,
    timeout: Duration,
    mut act: impl FnMut(&mut dyn Session) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut answer = None;
    store.write(timeout, &mut |session| {
        answer = Some(act(session)?);
        Ok(())
    })?;
    answer.ok_or_else(|| Fault::Bug("a transaction ended without an answer".into()))
}

/// Why a database did not do something. Texts are sentences for an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be reached, or broke off: what was asked may or may not have happened.
    Away(String),
    /// It, or the settings, must be mended first.
    Refused(String),
    /// It took too long.
    Slow(String),
    /// Somebody else changed the same at the same time: try again.
    Clash(String),
    /// It cannot take these values.
    Unfit(String),
    /// The caller asked for what cannot be.
    Invalid(Error),
    /// A defect.
    Bug(String),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Away(text) | Fault::Slow(text) | Fault::Clash(text) => Self::Unavailable(text),
            Fault::Refused(text) => Self::Refused(text),
            Fault::Unfit(text) => Self::Invalid(text),
            Fault::Invalid(error) => error,
            Fault::Bug(text) => Self::Bug(text),
        }
    }
}
