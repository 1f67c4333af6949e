//! Builds in the database: how rows are read and searched.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::columns::{COLUMNS, Found, json};
use super::jobs::graves;
use super::packed::Packed;
use super::query::{BuildPage, BuildQuery, Key};
use super::row::{BuildRow, BuildState};
use super::store::{Dialect, Fault, Session, Value};
use crate::Result as Answer;

/// Longest value that stands in the index as it is, bytes.
const PLAIN_TAG: usize = 160;
/// Of a commit's id, so much is indexed.
const COMMIT_TAG: usize = 7;
/// For up to so many jobs each job's own index is read; for more, the index of all builds.
const FEW_JOBS: usize = 16;
/// What is asked for instead of a result.
const RUNNING: &str = "RUNNING";

/// What a build is searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TagKind {
    User = 1,
    Parameter = 2,
    ParameterValue = 3,
    Commit = 4,
    Controller = 5,
    Agent = 6,
}

/// One thing a build is searched by.
pub(super) type Tag = (TagKind, String);

/// Everything `row` is searched by; nothing for a deleted one.
pub(super) fn tags(row: &BuildRow) -> BTreeSet<Tag> {
    let mut tags = BTreeSet::new();
    if row.state == BuildState::Deleted {
        return tags;
    }
    let mut add = |kind, value: String| {
        if !value.is_empty() {
            tags.insert((kind, value));
        }
    };
    for user in &row.users {
        add(TagKind::User, plain_tag(user));
    }
    for (name, value) in &row.parameters {
        add(TagKind::Parameter, plain_tag(name));
        add(TagKind::ParameterValue, parameter_tag(name, value));
    }
    for commit in &row.commits {
        add(TagKind::Commit, commit_tag(commit));
    }
    add(TagKind::Controller, plain_tag(&row.controller_id));
    add(TagKind::Controller, plain_tag(&row.controller_name));
    add(TagKind::Agent, plain_tag(&row.agent));
    tags
}

/// A value as it stands in the index: one that is too long for it, by its hash.
fn plain_tag(value: &str) -> String {
    let value = if value.contains('\0') { value.replace('\0', "\u{fffd}") } else { value.to_owned() };
    if value.len() <= PLAIN_TAG {
        return value;
    }
    let hash: String = Sha256::digest(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}\u{1}{hash}", &value[..value.floor_char_boundary(64)])
}

fn parameter_tag(name: &str, value: &str) -> String {
    plain_tag(&format!("{name}\u{1}{value}"))
}

fn commit_tag(commit: &str) -> String {
    commit.chars().take(COMMIT_TAG).collect::<String>().to_lowercase()
}

/// What [`BuildQuery::cause`] is looked for in.
pub(super) fn cause_search(causes: &[String]) -> String {
    causes.join("\n").to_lowercase()
}

/// How the name of a job begins that was deleted, or whose name another job has taken.
pub(super) const ASIDE: &str = "/deleted/";

/// Whether the job was set aside: its builds are deleted, though not all may be marked so yet.
fn set_aside(job: &str) -> bool {
    job.starts_with(ASIDE)
}

/// SQL with its parameters.
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }
}

/// One build with its XML; deleted ones too.
pub(super) fn find(
    session: &mut dyn Session,
    cluster: i64,
    job: &str,
    number: i32,
) -> Result<Option<BuildRow>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS}, x.content, x.size, x.sha256 FROM ha_build b JOIN ha_job j ON j.id = b.job_id \
         LEFT JOIN ha_build_xml x ON x.job_id = b.job_id AND x.number = b.number \
         WHERE j.cluster_id = ?1 AND j.full_name = ?2 AND b.number = ?3"
    );
    let rows = session.rows(&sql, &[cluster.into(), job.into(), number.into()])?;
    Ok(rows.first().map(|fields| {
        let Found { mut row, end, .. } = Found::of(fields);
        if let Some(content) = fields.bytes(end) {
            let size = usize::try_from(fields.int(end + 1)).unwrap_or(usize::MAX);
            let sha256 = fields.bytes(end + 2).unwrap_or_default();
            match Packed::unpack(content, size, sha256) {
                Ok(xml) => row.xml = Some(xml),
                Err(reason) => {
                    row.damage =
                        format!("its build.xml in the database is damaged ({reason}); the bytes are kept");
                }
            }
        }
        row
    }))
}

/// What was asked for, newest first, without XML.
pub(super) fn page(session: &mut dyn Session, cluster: i64, query: &BuildQuery) -> Result<BuildPage, Fault> {
    let key = Key::read(&query.after).map_err(Fault::Invalid)?;
    let dialect = session.dialect();
    let jobs = match &query.jobs {
        None => None,
        Some(names) => {
            let sql = format!(
                "SELECT id FROM ha_job WHERE cluster_id = ?1 AND full_name IN {}",
                dialect.texts("?2")
            );
            let rows = session.rows(&sql, &[cluster.into(), json(names)])?;
            Some(rows.iter().map(|row| row.int(0)).collect::<Vec<_>>())
        }
    };
    if jobs.as_ref().is_some_and(Vec::is_empty) {
        return Ok(BuildPage::default());
    }
    let graves = if jobs.is_none() { graves(session, cluster)? } else { Vec::new() };
    let search = Search { cluster, query, tags: query_tags(query), dialect, graves };
    let by_number = search.by_number(jobs.as_deref());
    let mut sql = Sql { text: String::new(), values: Vec::new() };
    match jobs.as_deref() {
        Some([job]) if by_number => {
            let after = match key {
                None => None,
                Some(Key::Number(number)) => Some(number),
                Some(Key::Time(..)) => return Err(Fault::Invalid(Key::foreign())),
            };
            sql.text = search.history(&mut sql, *job, after);
        }
        jobs => {
            let after = match key {
                None => None,
                Some(Key::Time(started, job, number)) => Some((started, job, number)),
                Some(Key::Number(_)) => return Err(Fault::Invalid(Key::foreign())),
            };
            sql.text = search.by_time(&mut sql, jobs, after);
        }
    }
    let rows = session.rows(&sql.text, &sql.values)?;
    let more = rows.len() > query.limit;
    let found: Vec<Found> = rows.iter().take(query.limit).map(Found::of).collect();
    let next = match found.last().filter(|_| more) {
        Some(last) if by_number => Key::Number(last.row.number.into()).show(),
        Some(last) => Key::Time(last.row.started_ms, last.job_id, last.row.number.into()).show(),
        None => String::new(),
    };
    Ok(BuildPage { builds: found.into_iter().map(|found| found.row).collect(), next })
}

/// What the index of tags can answer of a query, the rarest first.
fn query_tags(query: &BuildQuery) -> Vec<Tag> {
    let mut tags = Vec::new();
    if !query.commit.is_empty() {
        tags.push((TagKind::Commit, commit_tag(&query.commit)));
    }
    match (query.parameter_name.as_str(), query.parameter_value.as_str()) {
        ("", _) => {}
        (name, "") => tags.push((TagKind::Parameter, plain_tag(name))),
        (name, value) => tags.push((TagKind::ParameterValue, parameter_tag(name, value))),
    }
    for (kind, value) in [
        (TagKind::User, &query.user),
        (TagKind::Agent, &query.agent),
        (TagKind::Controller, &query.controller),
    ] {
        if !value.is_empty() {
            tags.push((kind, plain_tag(value)));
        }
    }
    tags
}

struct Search<'a> {
    cluster: i64,
    query: &'a BuildQuery,
    tags: Vec<Tag>,
    dialect: Dialect,
    /// Deleted jobs whose builds may not be marked so yet.
    graves: Vec<i64>,
}

impl Search<'_> {
    /// Whether the answer is a job's history, by its numbers.
    fn by_number(&self, jobs: Option<&[i64]>) -> bool {
        let query = self.query;
        matches!(jobs, Some([_]))
            && self.tags.is_empty()
            && query.from_ms == 0
            && query.to_ms == 0
            && query.result != RUNNING
    }

    fn history(&self, sql: &mut Sql, job: i64, after: Option<i64>) -> String {
        let mut text = format!(
            "SELECT {COLUMNS} FROM ha_build b JOIN ha_job j ON j.id = b.job_id \
             WHERE b.job_id = {} AND {}",
            sql.bind(job),
            self.state()
        );
        if let Some(number) = after {
            text += &format!(" AND b.number < {}", sql.bind(number));
        }
        text += &self.rest(sql);
        text + &format!(" ORDER BY b.number DESC LIMIT {}", self.limit())
    }

    /// First which builds, from an index alone and in its order; then what is known of those.
    fn by_time(&self, sql: &mut Sql, jobs: Option<&[i64]>, after: Option<(i64, i64, i64)>) -> String {
        let keys = match jobs {
            Some(jobs) if self.tags.is_empty() && jobs.len() <= FEW_JOBS => {
                let arms: Vec<String> = jobs
                    .iter()
                    .enumerate()
                    .map(|(at, job)| format!("SELECT * FROM ({}) AS arm{at}", self.keys(sql, &[*job], after)))
                    .collect();
                format!(
                    "{} ORDER BY started DESC, job_id DESC, number DESC LIMIT {}",
                    arms.join(" UNION ALL "),
                    self.limit()
                )
            }
            jobs => self.keys(sql, jobs.unwrap_or_default(), after),
        };
        format!(
            "SELECT {COLUMNS} FROM ({keys}) AS k JOIN ha_build b ON b.job_id = k.job_id AND b.number = k.number \
             JOIN ha_job j ON j.id = b.job_id ORDER BY b.started DESC, b.job_id DESC, b.number DESC"
        )
    }

    /// Start, job and number of the newest builds that fulfil the query, of these jobs or, for none, of all.
    ///
    /// What is known of single builds is asked in subqueries that give a value: a planner that may choose reads all that fits
    /// and sorts it, since it cannot tell that the first few are enough.
    fn keys(&self, sql: &mut Sql, jobs: &[i64], after: Option<(i64, i64, i64)>) -> String {
        let query = self.query;
        let cluster = sql.bind(self.cluster);
        let rest = self.rest(sql);
        let (k, mut text) = match self.tags.first() {
            Some((kind, value)) => (
                "t",
                format!(
                    "SELECT t.started, t.job_id, t.number FROM ha_build_tag t \
                     WHERE t.cluster_id = {cluster} AND t.kind = {} AND t.value = {}",
                    sql.bind(*kind as i64),
                    sql.bind(value)
                ),
            ),
            None => (
                "b",
                format!(
                    "SELECT b.started, b.job_id, b.number FROM ha_build b \
                     WHERE b.cluster_id = {cluster} AND {}{rest}",
                    self.state()
                ),
            ),
        };
        // What runs is little, and has an index of its own: no other shall seem better.
        let job_id = if query.result == RUNNING { format!("+{k}.job_id") } else { format!("{k}.job_id") };
        match jobs {
            [] if self.graves.is_empty() => {}
            [] => {
                let graves: Vec<String> = self.graves.iter().map(i64::to_string).collect();
                text += &format!(" AND {k}.job_id NOT IN ({})", graves.join(", "));
            }
            [job] => text += &format!(" AND {job_id} = {}", sql.bind(*job)),
            jobs => {
                let jobs: Vec<String> = jobs.iter().map(i64::to_string).collect();
                text += &format!(" AND {job_id} IN ({})", jobs.join(", "));
            }
        }
        if query.from_ms != 0 {
            text += &format!(" AND {k}.started >= {}", sql.bind(query.from_ms));
        }
        if query.to_ms != 0 {
            text += &format!(" AND {k}.started < {}", sql.bind(query.to_ms));
        }
        if let Some((started, job, number)) = after {
            let (started, job, number) = (sql.bind(started), sql.bind(job), sql.bind(number));
            // The first bound helps where the index has not all three.
            text += &format!(
                " AND {k}.started <= {started} AND ({k}.started, {k}.job_id, {k}.number) < ({started}, {job}, {number})"
            );
        }
        for (kind, value) in self.tags.iter().skip(1) {
            text += &format!(
                " AND (SELECT 1 FROM ha_build_tag u WHERE u.cluster_id = {cluster} AND u.kind = {} AND u.value = {} \
                 AND u.started = t.started AND u.job_id = t.job_id AND u.number = t.number) IS NOT NULL",
                sql.bind(*kind as i64),
                sql.bind(value)
            );
        }
        if k == "t" && !(rest.is_empty() && query.result.is_empty()) {
            text += &format!(
                " AND (SELECT 1 FROM ha_build b WHERE b.job_id = t.job_id AND b.number = t.number AND {}{rest}) \
                 IS NOT NULL",
                self.state()
            );
        }
        text + &format!(" ORDER BY {k}.started DESC, {k}.job_id DESC, {k}.number DESC LIMIT {}", self.limit())
    }

    /// Which state counts: word for word as the indexes have it, for SQLite uses them for nothing else.
    fn state(&self) -> &'static str {
        match self.query.result.as_str() {
            "" => "b.state <> 2",
            RUNNING => "b.state = 0",
            _ => "b.state = 1",
        }
    }

    /// Conditions on the row itself.
    fn rest(&self, sql: &mut Sql) -> String {
        let query = self.query;
        let mut text = String::new();
        if !matches!(query.result.as_str(), "" | RUNNING) {
            text += &format!(" AND b.result = {}", sql.bind(&query.result));
        }
        let position = self.dialect.position();
        if !query.cause.is_empty() {
            text += &format!(" AND {position}(b.cause_search, {}) > 0", sql.bind(query.cause.to_lowercase()));
        }
        if !query.commit.is_empty() {
            let mut wanted = serde_json::to_string(&query.commit.to_lowercase()).unwrap_or_default();
            if query.commit.len() >= COMMIT_TAG {
                wanted.pop();
            }
            text += &format!(" AND {position}(LOWER(b.commits), {}) > 0", sql.bind(wanted));
        }
        text
    }

    /// One more than asked for, to see whether there are more.
    fn limit(&self) -> usize {
        self.query.limit + 1
    }
}

const JOB: &str = "(SELECT id FROM ha_job WHERE cluster_id = ?1 AND full_name = ?2)";

/// The newest build with one of these results (any for none) below a number (0: of all).
pub(super) fn newest(
    session: &mut dyn Session,
    cluster: i64,
    job: &str,
    results: &[String],
    below: i32,
) -> Result<Option<BuildRow>, Fault> {
    let mut sql = Sql { text: String::new(), values: vec![cluster.into(), job.into()] };
    let below = sql.bind(if below <= 0 { i64::from(i32::MAX) + 1 } else { below.into() });
    let newest = |of_result: &str| {
        format!(
            "SELECT MAX(b.number) AS number FROM ha_build b WHERE b.job_id = {JOB} AND b.state <> 2 AND b.state = 1 \
             AND b.number < {below}{of_result}"
        )
    };
    let of_results: Vec<String> = if results.is_empty() {
        vec![newest("")]
    } else {
        results.iter().map(|result| newest(&format!(" AND b.result = {}", sql.bind(result)))).collect()
    };
    let text = format!(
        "SELECT {COLUMNS} FROM ha_build b JOIN ha_job j ON j.id = b.job_id WHERE b.job_id = {JOB} \
         AND b.number = (SELECT MAX(number) FROM ({}) AS newest)",
        of_results.join(" UNION ALL ")
    );
    Ok(session.rows(&text, &sql.values)?.first().map(|fields| Found::of(fields).row))
}

/// Numbers and versions of what is not deleted, ascending.
pub(super) fn numbers(session: &mut dyn Session, cluster: i64, job: &str) -> Result<Vec<(i32, i64)>, Fault> {
    let sql = format!(
        "SELECT b.number, b.version FROM ha_build b WHERE b.job_id = {JOB} AND b.state <> 2 ORDER BY b.number"
    );
    let rows = session.rows(&sql, &[cluster.into(), job.into()])?;
    Ok(rows.iter().map(|row| (i32::try_from(row.int(0)).unwrap_or_default(), row.int(1))).collect())
}

/// What runs on this controller, or on all for "".
pub(super) fn running(
    session: &mut dyn Session,
    cluster: i64,
    controller: &str,
) -> Result<Vec<BuildRow>, Fault> {
    let mut sql = format!(
        "SELECT {COLUMNS} FROM ha_build b JOIN ha_job j ON j.id = b.job_id \
         WHERE b.cluster_id = ?1 AND b.state = 0"
    );
    let mut values = vec![cluster.into()];
    if !controller.is_empty() {
        sql += " AND b.controller_id = ?2";
        values.push(controller.into());
    }
    sql += " ORDER BY b.started, b.job_id, b.number";
    Ok(session
        .rows(&sql, &values)?
        .iter()
        .map(|fields| Found::of(fields).row)
        .filter(|row| !set_aside(&row.job))
        .collect())
}

/// The highest number the job ever used; 0 for none.
pub(super) fn highest(session: &mut dyn Session, cluster: i64, job: &str) -> Result<i32, Fault> {
    let sql = format!("SELECT COALESCE(MAX(b.number), 0) FROM ha_build b WHERE b.job_id = {JOB}");
    let rows = session.rows(&sql, &[cluster.into(), job.into()])?;
    Ok(rows.first().map_or(0, |row| i32::try_from(row.int(0)).unwrap_or_default()))
}

/// The id of a cluster, made if need be.
pub(super) fn cluster(session: &mut dyn Session, name: &str) -> Result<i64, Fault> {
    let id = |session: &mut dyn Session| -> Result<Option<i64>, Fault> {
        let rows = session.rows("SELECT id FROM ha_cluster WHERE name = ?1", &[name.into()])?;
        Ok(rows.first().map(|row| row.int(0)))
    };
    if let Some(id) = id(session)? {
        return Ok(id);
    }
    session.run(vec![super::store::Statement::new(
        "INSERT INTO ha_cluster (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
        vec![name.into()],
    )])?;
    id(session)?.ok_or_else(|| Fault::Bug(format!("the cluster {name} could not be made known")))
}

/// Checks a query before it goes to a database.
pub(super) fn check(query: &BuildQuery) -> Answer<()> {
    query.check()?;
    Key::read(&query.after).map(drop)
}
