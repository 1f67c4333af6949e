//! The tables, and how they came about: one file for each step, only forwards.

use super::store::{Fault, Session, Statement, Value};
use crate::node::clock_ms;

/// One step: the SQL of a file, statement by statement.
struct Migration {
    postgres: &'static str,
    sqlite: &'static str,
}

/// All steps, oldest first; the schema's version is how many were done. Never change one that was released.
const MIGRATIONS: &[Migration] = &[
    Migration {
        postgres: include_str!("migrations/postgres/0001_builds.sql"),
        sqlite: include_str!("migrations/sqlite/0001_builds.sql"),
    },
    Migration {
        postgres: include_str!("migrations/postgres/0002_deletions.sql"),
        sqlite: include_str!("migrations/sqlite/0002_deletions.sql"),
    },
    Migration {
        postgres: include_str!("migrations/postgres/0003_forms.sql"),
        sqlite: include_str!("migrations/sqlite/0003_forms.sql"),
    },
];

/// The schema's version that this library knows.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Does what has not been done yet. Runs within a transaction that keeps out everybody else who would do the same.
pub(super) fn migrate(session: &mut dyn Session, place: &str) -> Result<(), Fault> {
    use super::store::Dialect::{Postgres, Sqlite};
    session.run(vec![Statement::new(
        "CREATE TABLE IF NOT EXISTS ha_schema (version BIGINT NOT NULL PRIMARY KEY, applied BIGINT NOT NULL)",
        vec![],
    )])?;
    let done = check(session, place)?;
    for (step, migration) in MIGRATIONS.iter().enumerate().skip(usize::try_from(done).unwrap_or_default()) {
        let sql = match session.dialect() {
            Postgres => migration.postgres,
            Sqlite => migration.sqlite,
        };
        let mut statements: Vec<_> = statements(sql).map(|sql| Statement::new(sql, vec![])).collect();
        statements.push(Statement::new(
            "INSERT INTO ha_schema (version, applied) VALUES (?1, ?2)",
            vec![Value::Int(step as i64 + 1), clock_ms().into()],
        ));
        session.run(statements)?;
        log::info!("Database at {place}: build records brought to schema {}", step + 1);
    }
    Ok(())
}

/// The version that was reached; refuses one that is newer than this library, and that this one cannot go on with.
///
/// A later library that only adds to the tables, with defaults, says so in a column of `ha_schema`, which it adds for that:
/// `readable_from` has the oldest schema whose library may go on with this one.
pub(super) fn check(session: &mut dyn Session, place: &str) -> Result<i64, Fault> {
    use super::store::Dialect::{Postgres, Sqlite};
    let readable_from = match session.dialect() {
        Postgres => "(to_jsonb(ha_schema)->>'readable_from')::bigint",
        Sqlite => {
            let said = "SELECT COUNT(*) FROM pragma_table_info('ha_schema') WHERE name = 'readable_from'";
            let said = session.rows(said, &[])?.first().is_some_and(|row| row.int(0) > 0);
            if said { "readable_from" } else { "NULL" }
        }
    };
    let newest = format!(
        "SELECT version, COALESCE({readable_from}, version) FROM ha_schema ORDER BY version DESC LIMIT 1"
    );
    let rows = session.rows(&newest, &[])?;
    let (version, readable_from) = rows.first().map_or((0, 0), |row| (row.int(0), row.int(1)));
    if readable_from > VERSION {
        return Err(Fault::Refused(format!(
            "The database at {place} was set up by a newer ha-jenkins (schema {version}, this one knows {VERSION}): \
             install the same version of the plugin on all controllers"
        )));
    }
    Ok(version)
}

/// The statements of a file: each ends with a semicolon at the end of a line.
fn statements(sql: &'static str) -> impl Iterator<Item = &'static str> {
    sql.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}
