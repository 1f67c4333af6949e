//! Changes of the records, and how they are stored.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::builds::{ASIDE, tags};
use super::columns::{self, COLUMNS, Found, json};
use super::form::ConfigForm;
use super::forms;
use super::jobs;
use super::marks::Marks;
use super::packed::Packed;
use super::row::{BuildRow, BuildState};
use super::rules::{Refusal, delete, judge};
use super::store::{Fault, Session, Statement, Value};

/// A build adopted by one controller is not adopted by another for so long, ms.
const ADOPTION_MS: i64 = 3000;

/// The boot of a controller that makes a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Writer {
    pub controller_id: String,
    pub incarnation: String,
}

/// A change of the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    /// A build as it is now.
    Save {
        row: Box<BuildRow>,
        /// An edit of an ended build, which anybody may make.
        edit: bool,
        by: Writer,
        /// Its build.xml; none leaves the stored one as it is.
        #[serde(skip)]
        xml: Option<Packed>,
    },
    Delete {
        job: String,
        number: i32,
        by: Writer,
    },
    /// The job, and those below it.
    Rename {
        from: String,
        to: String,
    },
    /// The job, and those below it.
    DeleteJob {
        job: String,
        /// Names this deletion, which several may bring: it is made once, and does not meet a later job of the same name.
        /// "" where nobody else knows of it.
        #[serde(default)]
        id: String,
    },
    /// An entry of the history of a configuration.
    Form {
        form: Box<ConfigForm>,
        /// When it was noted, ms since 1970 by this machine's clock.
        noted: i64,
        /// So many entries of this configuration are kept.
        most: u32,
        #[serde(skip)]
        text: Option<Packed>,
    },
    /// Entries of that history which are older than so many days.
    ForgetForms {
        days: u32,
    },
}

impl Change {
    /// The build it is about; none if it is about jobs.
    pub fn build(&self) -> Option<(&str, i32)> {
        match self {
            Self::Save { row, .. } => Some((&row.job, row.number)),
            Self::Delete { job, number, .. } => Some((job, *number)),
            Self::Rename { .. } | Self::DeleteJob { .. } | Self::Form { .. } | Self::ForgetForms { .. } => {
                None
            }
        }
    }

    /// Whether no change of a build may be made on the other side of this one.
    pub fn is_barrier(&self) -> bool {
        matches!(self, Self::Rename { .. } | Self::DeleteJob { .. })
    }

    /// The bytes of the file that it brings.
    pub fn packed(&self) -> Option<&Packed> {
        match self {
            Self::Save { xml: packed, .. } | Self::Form { text: packed, .. } => packed.as_ref(),
            _ => None,
        }
    }

    /// Gives it the bytes of its file.
    pub fn set_packed(&mut self, bytes: Packed) {
        if let Self::Save { xml: packed, .. } | Self::Form { text: packed, .. } = self {
            *packed = Some(bytes);
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Save { row, .. } => write!(f, "{} #{}", row.job, row.number),
            Self::Delete { job, number, .. } => write!(f, "deletion of {job} #{number}"),
            Self::Rename { from, to } => write!(f, "renaming of {from} to {to}"),
            Self::DeleteJob { job, .. } => write!(f, "deletion of {job}"),
            Self::Form { form, .. } => write!(f, "configuration of {}", form.subject),
            Self::ForgetForms { days } => write!(f, "configurations of {days} days ago"),
        }
    }
}

/// A change with its place among those of one run of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamped {
    /// The run.
    pub origin: String,
    /// Grows by 1 with each.
    pub position: u64,
    pub change: Change,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Stored,
    /// It had been stored before, or there was nothing to do.
    Nothing,
    Refused(Refusal),
}

/// Makes changes in their order, within a transaction. Those that were made before are skipped.
pub(super) fn apply(
    session: &mut dyn Session,
    cluster: i64,
    controller: &str,
    batch: &[Stamped],
) -> Result<Vec<Outcome>, Fault> {
    let mut marks = Marks::read(session, cluster, controller, batch)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut rest = batch;
    while !rest.is_empty() {
        let length = rest.iter().position(|stamped| stamped.change.build().is_none()).unwrap_or(rest.len());
        let (builds, jobs) = rest.split_at(length);
        Builds { session, cluster }.apply(builds, &marks, &mut outcomes)?;
        marks.note(builds);
        rest = jobs;
        if let [first, more @ ..] = jobs {
            let outcome = if marks.knows(first) {
                Outcome::Nothing
            } else {
                match &first.change {
                    Change::Rename { from, to } => jobs::rename(session, cluster, from, to)?,
                    Change::DeleteJob { job, id } => jobs::delete(session, cluster, job, id)?,
                    Change::Form { form, noted, most, text } => {
                        forms::record(session, cluster, form, text.as_ref(), *noted, *most)?
                    }
                    Change::ForgetForms { days } => forms::forget(session, cluster, *days)?,
                    Change::Save { .. } | Change::Delete { .. } => Outcome::Nothing,
                }
            };
            outcomes.push(outcome);
            marks.note(std::slice::from_ref(first));
            rest = more;
        }
    }
    marks.write(session)?;
    Ok(outcomes)
}

/// The build that a queue item has become.
struct Holder {
    job: i64,
    number: i32,
    running: bool,
}

struct Builds<'a> {
    session: &'a mut dyn Session,
    cluster: i64,
}

impl Builds<'_> {
    fn apply(
        &mut self,
        batch: &[Stamped],
        marks: &Marks<'_>,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(), Fault> {
        let fresh: Vec<&Change> =
            batch.iter().filter(|stamped| !marks.knows(stamped)).map(|stamped| &stamped.change).collect();
        if fresh.is_empty() {
            outcomes.extend(batch.iter().map(|_| Outcome::Nothing));
            return Ok(());
        }
        let jobs = self.jobs(&fresh)?;
        let mut stored = self.stored(&fresh, &jobs)?;
        let mut items = self.items(&fresh)?;
        let gone = self.gone_with_their_jobs(&fresh)?;
        let mut statements = Vec::new();
        for stamped in batch {
            if marks.knows(stamped) {
                outcomes.push(Outcome::Nothing);
                continue;
            }
            let Some((job, number)) = stamped.change.build() else { continue };
            let Some(&job_id) = jobs.get(job) else {
                return Err(Fault::Clash(format!("the job {job} was renamed at the same time")));
            };
            let before = stored.get(&(job_id, number));
            let verdict = match &stamped.change {
                Change::Save { row, edit: false, .. }
                    if before.is_none() && gone.contains(&(row.queue_id, number)) =>
                {
                    Err(Refusal::Deleted)
                }
                Change::Save { row, edit, by, .. } if row.state != BuildState::Deleted => {
                    judge(before, row, *edit, by).map(Some)
                }
                Change::Save { by, .. } | Change::Delete { by, .. } => delete(before, job, number, by),
                Change::Rename { .. }
                | Change::DeleteJob { .. }
                | Change::Form { .. }
                | Change::ForgetForms { .. } => continue,
            };
            let mut row = match verdict {
                Ok(Some(row)) => row,
                Ok(None) => {
                    outcomes.push(Outcome::Nothing);
                    continue;
                }
                Err(refusal) => {
                    outcomes.push(Outcome::Refused(refusal));
                    continue;
                }
            };
            let mut superseded = None;
            if row.queue_id > 0 && row.state != BuildState::Deleted {
                let imported = matches!(&stamped.change, Change::Save { edit: true, .. });
                let holder =
                    items.get(&row.queue_id).filter(|held| (held.job, held.number) != (job_id, number));
                if let Some(holder) = holder {
                    let again = holder.job == job_id && holder.number > number;
                    if holder.job == job_id && holder.number < number && holder.running {
                        // An item gets another number only once who had the first is dead: the later build counts.
                        statements.push(of_build(SUPERSEDE, job_id, holder.number));
                        superseded = Some(holder.number);
                    } else if imported || again && before.is_some_and(|before| before.queue_id == 0) {
                        // Builds of the time before the cluster may share what were different items then.
                        row.queue_id = 0;
                    } else {
                        let late = again && row.state == BuildState::Running;
                        outcomes.push(Outcome::Refused(if late {
                            Refusal::Superseded
                        } else {
                            Refusal::Doubled
                        }));
                        continue;
                    }
                }
            }
            if row.queue_id > 0 && row.state != BuildState::Deleted {
                let running = row.state == BuildState::Running;
                items.insert(row.queue_id, Holder { job: job_id, number, running });
            }
            if row.state == BuildState::Deleted
                && items.get(&row.queue_id).is_some_and(|held| (held.job, held.number) == (job_id, number))
            {
                items.remove(&row.queue_id);
            }
            let xml = match &stamped.change {
                Change::Save { xml, .. } => xml.as_ref(),
                _ => None,
            };
            self.statements(job_id, before, &row, xml, &mut statements);
            stored.insert((job_id, number), row);
            if let Some(old) = superseded.and_then(|number| stored.get_mut(&(job_id, number))) {
                old.queue_id = 0;
                old.version += 1;
            }
            outcomes.push(Outcome::Stored);
        }
        self.session.run(statements)
    }

    /// The ids of all jobs that are named, made if need be.
    fn jobs(&mut self, changes: &[&Change]) -> Result<HashMap<String, i64>, Fault> {
        let names: HashSet<&str> =
            changes.iter().filter_map(|change| change.build()).map(|(job, _)| job).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        let mut jobs = self.job_ids(&names)?;
        let missing: Vec<&str> = names.iter().filter(|name| !jobs.contains_key(**name)).copied().collect();
        if !missing.is_empty() {
            let statements = missing.iter().map(|name| {
                Statement::new(
                    "INSERT INTO ha_job (cluster_id, full_name) VALUES (?1, ?2) \
                     ON CONFLICT (cluster_id, full_name) DO NOTHING",
                    vec![self.cluster.into(), (*name).into()],
                )
            });
            self.session.run(statements.collect())?;
            jobs.extend(self.job_ids(&missing)?);
        }
        Ok(jobs)
    }

    fn job_ids(&mut self, names: &[&str]) -> Result<HashMap<String, i64>, Fault> {
        let sql = format!(
            "SELECT full_name, id FROM ha_job WHERE cluster_id = ?1 AND full_name IN {}",
            self.session.dialect().texts("?2")
        );
        let rows = self.session.rows(&sql, &[self.cluster.into(), json(names)])?;
        Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.int(1))).collect())
    }

    /// What is stored of the builds, held until the end of the transaction.
    fn stored(
        &mut self,
        changes: &[&Change],
        jobs: &HashMap<String, i64>,
    ) -> Result<HashMap<(i64, i32), BuildRow>, Fault> {
        let mut keys: Vec<(i64, i32)> = changes
            .iter()
            .filter_map(|change| change.build())
            .filter_map(|(job, number)| Some((*jobs.get(job)?, number)))
            .collect();
        // All take them in the same order: they wait for each other, but not in a circle.
        keys.sort_unstable();
        keys.dedup();
        let dialect = self.session.dialect();
        let sql = format!(
            "SELECT {COLUMNS} FROM ha_build b JOIN ha_job j ON j.id = b.job_id WHERE (b.job_id, b.number) IN {} \
             ORDER BY b.job_id, b.number{}",
            dialect.pairs("?1"),
            dialect.for_update()
        );
        let rows = self.session.rows(&sql, &[json(&keys)])?;
        Ok(rows.iter().map(Found::of).map(|found| ((found.job_id, found.row.number), found.row)).collect())
    }

    /// Queue items and numbers of builds that were deleted with their jobs: what is still told of them is not about another
    /// job that has the name now.
    fn gone_with_their_jobs(&mut self, changes: &[&Change]) -> Result<HashSet<(i64, i32)>, Fault> {
        let ids: Vec<i64> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Save { row, edit: false, .. } if row.queue_id > 0 => Some(row.queue_id),
                _ => None,
            })
            .collect();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = format!(
            "SELECT b.queue_id, b.number, j.full_name FROM ha_build b JOIN ha_job j ON j.id = b.job_id \
             WHERE b.cluster_id = ?1 AND b.queue_id > 0 AND b.state = 2 AND b.queue_id IN {}",
            self.session.dialect().ints("?2")
        );
        let rows = self.session.rows(&sql, &[self.cluster.into(), json(&ids)])?;
        Ok(rows
            .iter()
            .filter(|row| row.text(2).starts_with(ASIDE))
            .map(|row| (row.int(0), i32::try_from(row.int(1)).unwrap_or_default()))
            .collect())
    }

    /// Which builds have the queue items that are named.
    fn items(&mut self, changes: &[&Change]) -> Result<HashMap<i64, Holder>, Fault> {
        let ids: Vec<i64> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Save { row, .. } if row.queue_id > 0 => Some(row.queue_id),
                _ => None,
            })
            .collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT queue_id, job_id, number, state FROM ha_build WHERE cluster_id = ?1 AND queue_id > 0 AND state <> 2 \
             AND queue_id IN {}",
            self.session.dialect().ints("?2")
        );
        let rows = self.session.rows(&sql, &[self.cluster.into(), json(&ids)])?;
        Ok(rows
            .iter()
            .map(|row| {
                let number = i32::try_from(row.int(2)).unwrap_or_default();
                let running = row.int(3) == BuildState::Running.code();
                (row.int(0), Holder { job: row.int(1), number, running })
            })
            .collect())
    }

    fn statements(
        &self,
        job: i64,
        before: Option<&BuildRow>,
        row: &BuildRow,
        xml: Option<&Packed>,
        statements: &mut Vec<Statement>,
    ) {
        statements.push(columns::stored(self.cluster, job, row, before.is_none()));
        let (old, new) = (before.map(tags).unwrap_or_default(), tags(row));
        let moved = before.is_some_and(|before| before.started_ms != row.started_ms) && !new.is_empty();
        if old != new || moved {
            if !old.is_empty() {
                statements.push(of_build(
                    "DELETE FROM ha_build_tag WHERE job_id = ?1 AND number = ?2",
                    job,
                    row.number,
                ));
            }
            let new: Vec<_> = new.into_iter().collect();
            for some in new.chunks(100) {
                let mut values: Vec<Value> =
                    vec![self.cluster.into(), row.started_ms.into(), job.into(), row.number.into()];
                let mut sql =
                    "INSERT INTO ha_build_tag (cluster_id, started, job_id, number, kind, value) VALUES "
                        .to_owned();
                for (at, (kind, value)) in some.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    sql += &format!("{comma}(?1, ?2, ?3, ?4, ?{}, ?{})", values.len() + 1, values.len() + 2);
                    values.push((*kind as i64).into());
                    values.push(value.into());
                }
                statements.push(Statement::new(sql, values));
            }
        }
        if row.state == BuildState::Deleted {
            statements.push(of_build(
                "DELETE FROM ha_build_xml WHERE job_id = ?1 AND number = ?2",
                job,
                row.number,
            ));
        } else if let Some(xml) = xml {
            statements.push(Statement::new(
                "INSERT INTO ha_build_xml (job_id, number, content, size, sha256) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (job_id, number) DO UPDATE SET content = excluded.content, size = excluded.size, \
                 sha256 = excluded.sha256",
                vec![
                    job.into(),
                    row.number.into(),
                    Value::Bytes(xml.content.clone()),
                    i64::try_from(xml.size).unwrap_or(i64::MAX).into(),
                    Value::Bytes(xml.sha256.clone()),
                ],
            ));
        }
    }
}

/// A build that began and does not count any more: another has its item.
const SUPERSEDE: &str =
    "UPDATE ha_build SET queue_id = 0, version = version + 1 WHERE job_id = ?1 AND number = ?2 AND state = 0";

fn of_build(sql: &'static str, job: i64, number: i32) -> Statement {
    Statement::new(sql, vec![job.into(), number.into()])
}

/// Takes over a build of a dead owner; false when somebody else did, or when there is nothing to be taken over.
///
/// A build whose recorded end says that it was ABORTED, or nothing, may be taken over, too: its owner was held dead. One
/// that came to its own end may not.
pub(super) fn adopt(
    session: &mut dyn Session,
    cluster: i64,
    job: &str,
    number: i32,
    owner: &Writer,
    epoch: i64,
) -> Result<bool, Fault> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM ha_build b JOIN ha_job j ON j.id = b.job_id \
         WHERE j.cluster_id = ?1 AND j.full_name = ?2 AND b.number = ?3{}",
        session.dialect().now_ms(),
        session.dialect().for_update()
    );
    let rows = session.rows(&sql, &[cluster.into(), job.into(), number.into()])?;
    let Some(fields) = rows.first() else { return Ok(false) };
    let Found { job_id: id, adopted, row, end } = Found::of(fields);
    let adoptable = match row.state {
        BuildState::Running => true,
        BuildState::Ended => matches!(row.result.as_str(), "" | "ABORTED"),
        BuildState::Deleted => false,
    };
    let ours = row.controller_id == owner.controller_id && row.incarnation == owner.incarnation;
    let now = fields.int(end);
    if !adoptable || (!ours && (now - adopted).abs() < ADOPTION_MS) || (ours && epoch < row.epoch) {
        return Ok(false);
    }
    let new = BuildRow {
        state: BuildState::Running,
        version: row.version + 1,
        controller_id: owner.controller_id.clone(),
        incarnation: owner.incarnation.clone(),
        epoch,
        result: String::new(),
        duration_ms: 0,
        ..row.clone()
    };
    let mut statements = Vec::new();
    Builds { session, cluster }.statements(id, Some(&row), &new, None, &mut statements);
    statements.push(Statement::new(
        "UPDATE ha_build SET adopted = ?3 WHERE job_id = ?1 AND number = ?2",
        vec![id.into(), number.into(), now.into()],
    ));
    session.run(statements)?;
    Ok(true)
}
