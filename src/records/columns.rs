//! The columns of `ha_build` that are parts of a [`BuildRow`]: each is named here, and nowhere else in the library.

use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::builds::cause_search;
use super::row::{BuildRow, BuildState};
use super::store::{Fields, Statement, Value};

/// A part, and what the database has for it.
enum Column<'a> {
    Text(&'a mut String),
    Number(&'a mut i64),
    Count(&'a mut i32),
    Flag(&'a mut bool),
    State(&'a mut BuildState),
    /// As JSON.
    Texts(&'a mut Vec<String>),
    /// As JSON.
    Pairs(&'a mut Vec<(String, String)>),
}

fn columns(row: &mut BuildRow) -> Vec<(&'static str, Column<'_>)> {
    use Column::*;
    vec![
        ("number", Count(&mut row.number)),
        ("state", State(&mut row.state)),
        ("version", Number(&mut row.version)),
        ("queue_id", Number(&mut row.queue_id)),
        ("controller_id", Text(&mut row.controller_id)),
        ("controller_name", Text(&mut row.controller_name)),
        ("incarnation", Text(&mut row.incarnation)),
        ("epoch", Number(&mut row.epoch)),
        ("result", Text(&mut row.result)),
        ("started", Number(&mut row.started_ms)),
        ("duration", Number(&mut row.duration_ms)),
        ("display_name", Text(&mut row.display_name)),
        ("description", Text(&mut row.description)),
        ("keep", Flag(&mut row.keep)),
        ("agent", Text(&mut row.agent)),
        ("causes", Texts(&mut row.causes)),
        ("users", Texts(&mut row.users)),
        ("parameters", Pairs(&mut row.parameters)),
        ("commits", Texts(&mut row.commits)),
        ("damage", Text(&mut row.damage)),
    ]
}

static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| columns(&mut BuildRow::default()).iter().map(|(name, _)| *name).collect());

/// What a build is read by, from `ha_build b JOIN ha_job j`: for [`Found`].
pub(super) const COLUMNS: Columns = Columns;

pub(super) struct Columns;

const BEFORE: [&str; 3] = ["j.full_name", "b.job_id", "b.adopted"];

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BEFORE.join(", "))?;
        NAMES.iter().try_for_each(|name| write!(f, ", b.{name}"))
    }
}

/// A build that was read by [`COLUMNS`].
pub(super) struct Found {
    pub job_id: i64,
    /// When it was adopted last, ms since 1970, 0 for never.
    pub adopted: i64,
    /// Without XML; what cannot be read is told in [`BuildRow::damage`].
    pub row: BuildRow,
    /// How many fields were read: where what is asked for besides begins.
    pub end: usize,
}

impl Found {
    pub fn of(fields: &Fields) -> Self {
        let mut row = BuildRow { job: fields.text(0).to_owned(), ..BuildRow::default() };
        let mut damage = None;
        for (at, (name, column)) in columns(&mut row).into_iter().enumerate() {
            if !column.read(fields, BEFORE.len() + at) {
                damage = Some(format!("its {name} cannot be read"));
            }
        }
        row.damage = damage.unwrap_or(row.damage);
        Self { job_id: fields.int(1), adopted: fields.int(2), row, end: BEFORE.len() + NAMES.len() }
    }
}

/// Stores the row in the place of the one that is there, or as a new one.
pub(super) fn stored(cluster: i64, job: i64, row: &BuildRow, anew: bool) -> Statement {
    /// Where the columns that are no parts of the row are, and behind them the parts, from `number` on.
    const INSERT: &str = "job_id, cluster_id, cause_search";
    const FIRST: usize = 4;
    static SQL: LazyLock<[String; 2]> = LazyLock::new(|| {
        let places: Vec<String> = (1..FIRST + NAMES.len()).map(|place| format!("?{place}")).collect();
        let set: Vec<String> =
            NAMES.iter().enumerate().skip(1).map(|(at, name)| format!("{name} = ?{}", FIRST + at)).collect();
        [
            format!("INSERT INTO ha_build ({INSERT}, {}) VALUES ({})", NAMES.join(", "), places.join(", ")),
            format!(
                "UPDATE ha_build SET cluster_id = ?2, cause_search = ?3, {} WHERE job_id = ?1 AND number = ?{FIRST}",
                set.join(", ")
            ),
        ]
    });
    let mut values = vec![job.into(), cluster.into(), cause_search(&row.causes).into()];
    values.extend(columns(&mut row.clone()).into_iter().map(|(_, column)| column.value()));
    Statement::new(SQL[usize::from(!anew)].as_str(), values)
}

impl Column<'_> {
    /// False where it cannot be read.
    fn read(self, fields: &Fields, at: usize) -> bool {
        match self {
            Self::Text(into) => fields.text(at).clone_into(into),
            Self::Number(into) => *into = fields.int(at),
            Self::Count(into) => *into = i32::try_from(fields.int(at)).unwrap_or_default(),
            Self::Flag(into) => *into = fields.int(at) != 0,
            Self::State(into) => {
                let state = BuildState::of_code(fields.int(at));
                *into = state.unwrap_or(BuildState::Ended);
                return state.is_some();
            }
            Self::Texts(into) => return read_json(fields.text(at), into),
            Self::Pairs(into) => return read_json(fields.text(at), into),
        }
        true
    }

    fn value(self) -> Value {
        match self {
            Self::Text(from) => (&*from).into(),
            Self::Number(from) => (*from).into(),
            Self::Count(from) => (*from).into(),
            Self::Flag(from) => i64::from(*from).into(),
            Self::State(from) => from.code().into(),
            Self::Texts(from) => json(from),
            Self::Pairs(from) => json(from),
        }
    }
}

fn read_json<T: DeserializeOwned>(text: &str, into: &mut Vec<T>) -> bool {
    match serde_json::from_str(text) {
        Ok(values) => {
            *into = values;
            true
        }
        Err(_) => false,
    }
}

/// The numbers or texts of a JSON array as a parameter.
pub(super) fn json<T: Serialize>(values: &[T]) -> Value {
    Value::Text(serde_json::to_string(values).unwrap_or_else(|_| "[]".into()))
}
