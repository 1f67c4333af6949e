//! Many builds in a database, and what reads cost then.

use std::path::Path;
use std::time::{Duration, Instant};

use ha_jenkins::{BuildQuery, BuildRow, BuildState, Records, RecordsSettings, Secret};

use super::postgres::{PASSWORD, PostgresServer};

/// One in so many builds is of the job `big`; the others are spread over 1000 jobs.
const ONE_JOB: usize = 10;

/// What is read, by its name; answers how much was found.
type Read<'a> = (&'static str, Box<dyn Fn() -> usize + 'a>);

/// What one kind of read takes.
pub struct Cost {
    pub name: &'static str,
    pub p50: Duration,
    pub p95: Duration,
}

/// Records with many builds in them.
pub struct ManyBuilds {
    pub records: Records,
    pub builds: usize,
    /// How long it took to make them.
    pub filled: Duration,
    /// How many builds of 4 kB were taken over in a second.
    pub taken_over: f64,
}

impl ManyBuilds {
    /// Makes them in a database of the server.
    pub fn in_postgres(server: &PostgresServer, builds: usize) -> Self {
        let url = server.database("ha");
        Self::fill(url, builds, &|sql| drop(server.psql("ha").run(sql)), "VACUUM ANALYZE")
    }

    /// Makes them in a file of the folder.
    pub fn in_sqlite(folder: &Path, builds: usize) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let file = folder.join("builds.db");
        let run = |sql: &str| {
            let connection = rusqlite::Connection::open(&file).unwrap();
            connection.busy_timeout(Duration::from_secs(20)).unwrap();
            connection.execute_batch(sql).unwrap();
        };
        // Unlike PostgreSQL it never looks at its tables by itself, and nobody tells it to.
        Self::fill(format!("sqlite:{}", file.display()), builds, &run, "")
    }

    fn fill(url: String, builds: usize, run: &dyn Fn(&str), last: &str) -> Self {
        let name = format!("ha-jenkins-many-builds-{}-{}", std::process::id(), url.len());
        let outbox = std::env::temp_dir().join(name);
        let settings = RecordsSettings {
            url: Secret::new(url),
            password: Some(Secret::new(PASSWORD)),
            cluster: "tests".into(),
            controller_id: "a".into(),
            incarnation: "a1".into(),
            outbox: outbox.clone(),
        };
        let records = Records::open(settings).unwrap();
        assert!(records.await_ready(Duration::from_secs(20)), "{:?}", records.state());
        let _ = std::fs::remove_dir_all(outbox);
        let began = Instant::now();
        let taken_over = take_over(&records);
        fill(run, builds);
        if !last.is_empty() {
            run(last);
        }
        Self { records, builds, filled: began.elapsed(), taken_over }
    }

    /// What each kind of read costs, each `rounds` times. Each must find something.
    pub fn costs(&self, rounds: usize) -> Vec<Cost> {
        let Self { records, builds, .. } = self;
        let builds = *builds;
        let q = |change: &dyn Fn(&mut BuildQuery)| {
            let mut query = BuildQuery { limit: 40, ..BuildQuery::default() };
            change(&mut query);
            query
        };
        let big = || Some(vec!["big".to_owned()]);
        let page = |query: BuildQuery| -> usize { records.query(&query).unwrap().builds.len() };
        let deep = {
            let middle = i32::try_from(builds / ONE_JOB / 2).unwrap();
            q(&|q| (q.jobs, q.after) = (big(), format!("n{middle}")))
        };
        let reads: Vec<Read<'_>> = vec![
            ("first page of a job", Box::new(|| page(q(&|q| q.jobs = big())))),
            ("page in the middle of a job", Box::new(|| page(deep.clone()))),
            ("failures of a job", Box::new(|| page(q(&|q| (q.jobs, q.result) = (big(), "FAILURE".into()))))),
            (
                "one build by number",
                Box::new(|| {
                    records.find("big", 4321.min((builds / ONE_JOB) as i32)).unwrap().map_or(0, |_| 1)
                }),
            ),
            (
                "last successful",
                Box::new(|| records.newest("big", &["SUCCESS".into()], 0).unwrap().map_or(0, |_| 1)),
            ),
            (
                "last with a rare result",
                Box::new(|| records.newest("big", &["NOT_BUILT".into()], 0).unwrap().map_or(1, |_| 1)),
            ),
            ("all builds, first page", Box::new(|| page(q(&|_| {})))),
            (
                "ten jobs",
                Box::new(|| {
                    page(q(&|q| q.jobs = Some((0..10).map(|job| format!("folder/job-{job}")).collect())))
                }),
            ),
            (
                "five hundred jobs",
                Box::new(|| {
                    page(q(&|q| q.jobs = Some((0..500).map(|job| format!("folder/job-{job}")).collect())))
                }),
            ),
            ("by a user with few builds", Box::new(|| page(q(&|q| q.user = "rare".into())))),
            ("by a user with most builds", Box::new(|| page(q(&|q| q.user = "ada".into())))),
            (
                "by a parameter with value",
                Box::new(|| {
                    page(q(&|q| (q.parameter_name, q.parameter_value) = ("BRANCH".into(), "b7".into())))
                }),
            ),
            ("by result", Box::new(|| page(q(&|q| q.result = "FAILURE".into())))),
            ("what runs", Box::new(|| page(q(&|q| q.result = "RUNNING".into())))),
            ("by controller", Box::new(|| page(q(&|q| q.controller = "a".into())))),
            ("by agent", Box::new(|| page(q(&|q| q.agent = "agent-3".into())))),
            ("by commit", Box::new(|| page(q(&|q| q.commit = commit(777)[..10].into())))),
            ("by time", Box::new(|| page(q(&|q| (q.from_ms, q.to_ms) = (START + 1000, START + 60_000))))),
            ("highest number", Box::new(|| records.highest("big").unwrap() as usize)),
        ];
        reads
            .iter()
            .map(|(name, read)| {
                assert!(read() > 0, "{name} finds nothing");
                let mut times: Vec<Duration> = (0..rounds)
                    .map(|_| {
                        let began = Instant::now();
                        read();
                        began.elapsed()
                    })
                    .collect();
                times.sort();
                Cost { name, p50: times[rounds / 2], p95: times[rounds * 95 / 100] }
            })
            .collect()
    }
}

/// How fast builds of the time before the cluster are taken over.
fn take_over(records: &Records) -> f64 {
    let builds = 2000;
    let xml: Vec<u8> = (0..4000_u32).map(|at| b' ' + (at.wrapping_mul(at) % 64) as u8).collect();
    let began = Instant::now();
    for number in 1..=builds {
        let row = BuildRow {
            job: "taken over".into(),
            number,
            state: BuildState::Ended,
            result: "SUCCESS".into(),
            users: vec!["ada".into()],
            parameters: vec![("BRANCH".into(), "main".into())],
            xml: Some(xml.clone()),
            ..BuildRow::default()
        };
        records.save(row, true).unwrap();
        if number % 200 == 0 {
            assert!(records.flush("taken over", number, Duration::from_secs(30)).unwrap());
        }
    }
    f64::from(builds) / began.elapsed().as_secs_f64()
}

const START: i64 = 1_700_000_000_000;

fn commit(number: usize) -> String {
    format!("{:040x}", (number as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_0c5d_u128)
}

/// Makes builds as the library stores them, in the database itself: a million takes it some minutes.
fn fill(run: &dyn Fn(&str), builds: usize) {
    let series = |last: usize| {
        format!("WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {last})")
    };
    run("INSERT INTO ha_job (cluster_id, full_name) VALUES (1, 'big')");
    run(&format!(
        "INSERT INTO ha_job (cluster_id, full_name) {} SELECT 1, 'folder/job-' || (n - 1) FROM g ORDER BY n",
        series(1000)
    ));
    run(&format!(
        "INSERT INTO ha_build {} \
         SELECT job, number, 1, CASE WHEN n > {builds} - 20 THEN 0 ELSE 1 END, 1, n, 'a', 'A', 'a1', 1, 0, \
         CASE WHEN n > {builds} - 20 THEN '' WHEN n % 7 = 0 THEN 'FAILURE' WHEN n % 31 = 0 THEN 'UNSTABLE' ELSE 'SUCCESS' END, \
         {START} + n * 10, 1000, '', '', 0, 'agent-' || (n % 50), '[\"Started by user Ada\"]', 'started by user ada', \
         CASE WHEN n % 10000 = 0 THEN '[\"rare\"]' ELSE '[\"ada\"]' END, '[[\"BRANCH\",\"b' || (n % 1000) || '\"]]', '[]', '' \
         FROM (SELECT n, CASE WHEN n % {ONE_JOB} = 0 THEN 2 ELSE 3 + n % 1000 END AS job, \
         CASE WHEN n % {ONE_JOB} = 0 THEN n / {ONE_JOB} ELSE n END AS number FROM g) AS f",
        series(builds)
    ));
    for (kind, value) in [
        (1, "CASE WHEN queue_id % 10000 = 0 THEN 'rare' ELSE 'ada' END"),
        (2, "'BRANCH'"),
        (3, "'BRANCH\u{1}b' || (queue_id % 1000)"),
        (5, "'a'"),
        (5, "'A'"),
        (6, "agent"),
    ] {
        run(&format!(
            "INSERT INTO ha_build_tag (cluster_id, kind, value, started, job_id, number) \
             SELECT 1, {kind}, {value}, started, job_id, number FROM ha_build WHERE controller_id = 'a'"
        ));
    }
    let commit = commit(777);
    run(&format!("UPDATE ha_build SET commits = '[\"{commit}\"]' WHERE queue_id = 777"));
    run(&format!(
        "INSERT INTO ha_build_tag SELECT 1, 4, '{}', started, job_id, number FROM ha_build WHERE queue_id = 777",
        &commit[..7]
    ));
}
