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

/// Of a job that forbids concurrent builds.
fn alone(id: i64, job: &str) -> NewItem {
    NewItem { concurrent: false, ..item(id, job) }
}

#[test]
fn what_was_triggered_under_the_old_name_waits_behind_what_has_the_slot_of_the_new_one() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, alone(1, "old"));
    b.jobs_moved(&renamed("old", "new"), &[(1, 0, b"new 1".to_vec())]).unwrap();
    assert_eq!(claim(&a, 1)[0].job, "new");
    for id in 2..=3 {
        put(&b, alone(id, "old")); // b's caller has not heard of it
    }
    let late: Vec<_> = (2..=3).map(|id| (id, 0, b"new".to_vec())).collect();
    assert_eq!(b.jobs_moved(&renamed("old", "new"), &late).unwrap(), 2);
    invariants::check(&mut redis.inside());
    assert_eq!(claim(&b, 5), [], "the first is not done");
    a.assign_number(1, "new", 0).unwrap();
    a.started(1, 1).unwrap();
    a.finished(1, "SUCCESS").unwrap();
    assert_eq!(claim(&b, 5).iter().map(|item| item.id).collect::<Vec<_>>(), [2]);
    invariants::check(&mut redis.inside());
}

#[test]
fn those_that_nobody_named_take_their_turn_under_the_old_name() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=3 {
        put(&a, alone(id, "old"));
    }
    a.jobs_moved(&renamed("old", "new"), &[(1, 0, b"new 1".to_vec())]).unwrap();
    invariants::check(&mut redis.inside());
    let rest: Vec<_> = (2..=3).map(|id| (id, 0, b"new".to_vec())).collect();
    assert_eq!(a.jobs_moved(&renamed("old", "new"), &rest).unwrap(), 2);
    invariants::check(&mut redis.inside());
    assert_eq!(
        claim(&a, 5).iter().map(|item| item.id).collect::<Vec<_>>(),
        [1],
        "in the order of their triggers"
    );
}

#[test]
fn a_claimed_item_can_still_be_folded_into_under_the_new_name() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "old"));
    assert_eq!(claim(&a, 1)[0].id, 1);
    a.jobs_moved(&renamed("old", "new"), &[(1, 0, b"new 1".to_vec())]).unwrap();
    invariants::check(&mut redis.inside());
    let answer = a.enqueue(item(2, "new"), 0).unwrap();
    assert_eq!(answer.queued.iter().map(|item| item.id).collect::<Vec<_>>(), [1]);
}
