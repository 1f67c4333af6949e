//! Jobs that are renamed, moved or deleted.

mod support;

use ha_jenkins::{ItemState, NewItem};
use support::{Redis, claim, invariants, item, join, put, state};

fn renamed(old: &str, new: &str) -> Vec<(String, String)> {
    vec![(old.to_owned(), new.to_owned())]
}

#[test]
fn what_waits_and_what_runs_follows_its_job_in_the_same_place_and_hands() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=3 {
        put(&a, NewItem { concurrent: false, ..item(id, "old") });
    }
    put(&a, item(9, "another"));
    assert_eq!(claim(&a, 1)[0].id, 1);
    assert_eq!(a.assign_number(1, "old", 6).unwrap(), 7);
    let items: Vec<_> = (1..=3).map(|id| (id, 0, format!("new {id}").into_bytes())).collect();
    assert_eq!(b.jobs_moved(&renamed("old", "folder/new"), &items).unwrap(), 3);
    assert_eq!(b.jobs_moved(&renamed("old", "folder/new"), &items).unwrap(), 0, "again changes nothing");
    invariants::check(&mut redis.inside());
    assert_eq!(a.item(1).unwrap().unwrap().job, "folder/new");
    a.started(1, 7).unwrap();
    a.finished(1, "SUCCESS").unwrap();
    let claimed: Vec<_> = claim(&b, 5).into_iter().map(|item| (item.id, item.job, item.payload)).collect();
    let expected = [(2, "folder/new", "new 2"), (9, "another", "payload of 9")]
        .map(|(id, job, payload)| (id, job.to_owned(), Some(payload.as_bytes().to_vec())));
    assert_eq!(claimed, expected, "one at a time, first come first served");
    assert_eq!(b.assign_number(2, "folder/new", 0).unwrap(), 8);
    assert_eq!(state(&b, 3), ItemState::Queued);
    invariants::check(&mut redis.inside());
}

#[test]
fn numbers_of_a_deleted_job_begin_anew() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    assert_eq!(a.assign_number(0, "job", 41).unwrap(), 42);
    a.jobs_moved(&renamed("job", ""), &[]).unwrap();
    assert_eq!(a.assign_number(0, "job", 0).unwrap(), 1);
}
