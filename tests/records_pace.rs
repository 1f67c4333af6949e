//! No read of the build records looks at more than it must, however many builds there are. `make bench` measures with a million.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use support::many_builds::ManyBuilds;
use support::postgres::PostgresServer;

const BUILDS: usize = 20_000;

#[test]
fn reads_in_postgres_stay_fast_however_many_builds_there_are() {
    let server = PostgresServer::start();
    check(&ManyBuilds::in_postgres(&server, BUILDS));
}

#[test]
fn reads_in_sqlite_stay_fast_however_many_builds_there_are() {
    let folder = std::env::temp_dir().join(format!("ha-jenkins-records-pace-{}", std::process::id()));
    check(&ManyBuilds::in_sqlite(&folder, BUILDS));
    std::fs::remove_dir_all(folder).unwrap();
}

fn check(many: &ManyBuilds) {
    for cost in many.costs(100) {
        // Ten times the goal: the machine may have other things to do.
        assert!(cost.p50 < Duration::from_millis(500), "{}: {:?}", cost.name, cost.p50);
    }
    many.records.close();
}
