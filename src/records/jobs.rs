//! Jobs in the database: renamed and deleted, however many builds they have.
//!
//! A name is a row of its own, so both are done in a moment. What is to be done to each build is done some at a time.

use super::builds::ASIDE;
use super::changes::Outcome;
use super::store::{Fault, Session, Statement, Value};

/// So many builds are changed in one transaction.
const CHUNK: i64 = 1000;

/// The job has another name, and those below it.
pub(super) fn rename(
    session: &mut dyn Session,
    cluster: i64,
    from: &str,
    to: &str,
) -> Result<Outcome, Fault> {
    let jobs = jobs_below(session, cluster, from)?;
    if jobs.is_empty() || from == to {
        return Ok(Outcome::Nothing);
    }
    for (id, name) in jobs {
        let target = format!("{to}{}", &name[from.len()..]);
        let rows = session.rows(
            "SELECT id FROM ha_job WHERE cluster_id = ?1 AND full_name = ?2",
            &[cluster.into(), (&target).into()],
        )?;
        let Some(other) = rows.first().map(|row| row.int(0)) else {
            take_name(session, id, &target)?;
            continue;
        };
        if !is_live(session, other)? {
            // The tombstones of a job that was deleted: another takes its name.
            aside(session, other)?;
            take_name(session, id, &target)?;
        } else if counted(session, id)? > CHUNK && counted(session, other)? <= CHUNK {
            // A late write, or somebody quicker, has used the new name before it was told: what it brought joins the rest.
            merge(session, other, id, true)?;
            aside(session, other)?;
            take_name(session, id, &target)?;
        } else {
            merge(session, id, other, false)?;
            aside(session, id)?;
        }
    }
    Ok(Outcome::Stored)
}

/// The job's name is free for another; its builds are deleted, in as many transactions as it takes ([`bury`]).
pub(super) fn delete(session: &mut dyn Session, cluster: i64, job: &str, id: &str) -> Result<Outcome, Fault> {
    if !id.is_empty() {
        let values = || vec![Value::Int(cluster), id.into()];
        let made = session.rows("SELECT 1 FROM ha_deletion WHERE cluster_id = ?1 AND id = ?2", &values())?;
        if !made.is_empty() {
            return Ok(Outcome::Nothing);
        }
        // Whoever makes it at the same moment clashes, and finds it made the next time.
        session.run(vec![Statement::new(
            "INSERT INTO ha_deletion (cluster_id, id) VALUES (?1, ?2)",
            values(),
        )])?;
    }
    let jobs = jobs_below(session, cluster, job)?;
    for (id, _) in &jobs {
        aside(session, *id)?;
    }
    if let [(id, _)] = jobs.as_slice() {
        bury_some(session, *id)?;
    }
    Ok(if jobs.is_empty() { Outcome::Nothing } else { Outcome::Stored })
}

/// Some builds of a job that was set aside become tombstones. Whether there may be more.
pub(super) fn bury(session: &mut dyn Session, cluster: i64) -> Result<bool, Fault> {
    match graves(session, cluster)?.first() {
        Some(job) => bury_some(session, *job).map(|()| true),
        None => Ok(false),
    }
}

/// The jobs that were set aside and of whose builds not all are tombstones yet.
pub(super) fn graves(session: &mut dyn Session, cluster: i64) -> Result<Vec<i64>, Fault> {
    let rows = session.rows("SELECT job_id FROM ha_grave WHERE cluster_id = ?1", &[cluster.into()])?;
    Ok(rows.iter().map(|row| row.int(0)).collect())
}

/// The jobs with this name or below it: ids and names.
fn jobs_below(session: &mut dyn Session, cluster: i64, name: &str) -> Result<Vec<(i64, String)>, Fault> {
    let below = format!("{name}/");
    let rows = session.rows(
        "SELECT id, full_name FROM ha_job WHERE cluster_id = ?1 AND (full_name = ?2 OR SUBSTR(full_name, 1, CAST(?3 AS INTEGER)) = ?4) \
         ORDER BY id",
        &[cluster.into(), name.into(), Value::Int(below.chars().count() as i64), below.into()],
    )?;
    Ok(rows.iter().map(|row| (row.int(0), row.text(1).to_owned())).collect())
}

fn take_name(session: &mut dyn Session, job: i64, name: &str) -> Result<(), Fault> {
    session.run(vec![Statement::new(
        "UPDATE ha_job SET full_name = ?2 WHERE id = ?1",
        vec![job.into(), name.into()],
    )])
}

/// Lets another job have the name. The builds are deleted; [`bury`] marks them so.
fn aside(session: &mut dyn Session, job: i64) -> Result<(), Fault> {
    session.run(vec![
        Statement::new(
            format!("UPDATE ha_job SET full_name = '{ASIDE}' || id || '/' || full_name WHERE id = ?1"),
            vec![job.into()],
        ),
        Statement::new(
            "INSERT INTO ha_grave (job_id, cluster_id) SELECT id, cluster_id FROM ha_job WHERE id = ?1 \
             ON CONFLICT (job_id) DO NOTHING",
            vec![job.into()],
        ),
    ])
}

/// Whether it has builds that were not deleted.
fn is_live(session: &mut dyn Session, job: i64) -> Result<bool, Fault> {
    let rows =
        session.rows("SELECT 1 FROM ha_build WHERE job_id = ?1 AND state <> 2 LIMIT 1", &[job.into()])?;
    Ok(!rows.is_empty())
}

/// How many builds it has, counted to one more than [`CHUNK`].
fn counted(session: &mut dyn Session, job: i64) -> Result<i64, Fault> {
    let sql =
        format!("SELECT COUNT(*) FROM (SELECT 1 FROM ha_build WHERE job_id = ?1 LIMIT {}) AS few", CHUNK + 1);
    Ok(session.rows(&sql, &[job.into()])?.first().map_or(0, |row| row.int(0)))
}

/// Builds of one job become those of another. Where both have a number, `wins` says whether the first one's counts.
fn merge(session: &mut dyn Session, from: i64, to: i64, wins: bool) -> Result<(), Fault> {
    let mut statements = Vec::new();
    let values = || vec![Value::Int(from), Value::Int(to)];
    let tables = ["ha_build_tag", "ha_build_xml", "ha_build"];
    if wins {
        statements.extend(tables.map(|table| {
            Statement::new(
                format!(
                    "DELETE FROM {table} WHERE job_id = ?2 \
                     AND number IN (SELECT number FROM ha_build WHERE job_id = ?1)"
                ),
                values(),
            )
        }));
    }
    statements.extend(tables.map(|table| {
        let newer = if table == "ha_build" { ", version = version + 1" } else { "" };
        Statement::new(
            format!(
                "UPDATE {table} SET job_id = ?2{newer} WHERE job_id = ?1 \
                 AND number NOT IN (SELECT number FROM ha_build WHERE job_id = ?2)"
            ),
            values(),
        )
    }));
    session.run(statements)
}

fn bury_some(session: &mut dyn Session, job: i64) -> Result<(), Fault> {
    let sql =
        format!("SELECT number FROM ha_build WHERE job_id = ?1 AND state <> 2 ORDER BY number LIMIT {CHUNK}");
    let rows = session.rows(&sql, &[job.into()])?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return session.run(vec![Statement::new("DELETE FROM ha_grave WHERE job_id = ?1", vec![job.into()])]);
    };
    let all = [
        "UPDATE ha_build SET state = 2, version = version + 1 \
         WHERE job_id = ?1 AND number >= ?2 AND number <= ?3 AND state <> 2",
        "DELETE FROM ha_build_tag WHERE job_id = ?1 AND number >= ?2 AND number <= ?3",
        "DELETE FROM ha_build_xml WHERE job_id = ?1 AND number >= ?2 AND number <= ?3",
    ];
    let values = || vec![Value::Int(job), first.int(0).into(), last.int(0).into()];
    session.run(all.map(|sql| Statement::new(sql, values())).into())
}
