//! What reading and writing build records costs with a million of them; prints tables in Markdown.
//!
//! `cargo bench --bench records [-- --quick]`
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::many_builds::ManyBuilds;
use support::postgres::PostgresServer;

const ROUNDS: usize = 200;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (in_postgres, in_sqlite) = if quick { (20_000, 20_000) } else { (1_000_000, 100_000) };
    let server = PostgresServer::start();
    let postgres = ManyBuilds::in_postgres(&server, in_postgres);
    let folder = std::env::temp_dir().join(format!("ha-jenkins-bench-records-{}", std::process::id()));
    let sqlite = ManyBuilds::in_sqlite(&folder, in_sqlite);
    println!(
        "{in_postgres} builds in PostgreSQL, {in_sqlite} in SQLite; one in ten is of the job that is read, the others are of \
         1000 jobs. Pages have 40 builds; {ROUNDS} rounds each, ms.\n"
    );
    println!("| | PostgreSQL p50 | p95 | SQLite p50 | p95 |");
    println!("| --- | --- | --- | --- | --- |");
    for (one, other) in postgres.costs(ROUNDS).iter().zip(sqlite.costs(ROUNDS)) {
        println!(
            "| {} | {} | {} | {} | {} |",
            one.name,
            ms(one.p50),
            ms(one.p95),
            ms(other.p50),
            ms(other.p95)
        );
    }
    let [one, other] = [&postgres, &sqlite].map(|many| {
        let began = Instant::now();
        let found = many.records.numbers("big").unwrap().len();
        (found, began.elapsed())
    });
    println!(
        "\nAll numbers of that job: {} in {} ms in PostgreSQL, {} in {} ms in SQLite. Builds of 4 kB are taken over at {:.0} a \
         second into PostgreSQL, {:.0} into SQLite.",
        one.0,
        ms(one.1),
        other.0,
        ms(other.1),
        postgres.taken_over,
        sqlite.taken_over
    );
    postgres.records.close();
    sqlite.records.close();
    std::fs::remove_dir_all(folder).unwrap();
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
