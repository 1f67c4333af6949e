//! What happened to a queue item is told for days, on any controller, and takes no more room than it may.
#![allow(clippy::unwrap_used)]

mod support;

use ha_jenkins::Happened::*;
use ha_jenkins::{Controller, Event, Happened, NewItem, Step};
use support::{Redis, await_event, claim, claim_ids, item, join, put, until};

fn steps(controller: &Controller, id: i64) -> Vec<Step> {
    controller.trace(id).unwrap().unwrap().steps
}

fn whats(controller: &Controller, id: i64) -> Vec<Happened> {
    steps(controller, id).iter().map(|step| step.what).collect()
}

fn run(controller: &Controller, id: i64) {
    assert_eq!(claim_ids(controller, 1), [id]);
    let number = controller.assign_number(id, "job", 0).unwrap();
    controller.started(id, number).unwrap();
}

#[test]
fn an_item_is_followed_from_its_trigger_over_a_death_to_the_result() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let seen = a.enqueue_noted(item(1, "job"), -1, "Started by\tuser eve").unwrap().revision;
    assert!(b.fold_noted(1, seen, b"both", -1, "Started by timer").unwrap().accepted);
    assert_eq!(claim_ids(&b, 1), [1]);
    b.release(1, 0, "no executor takes it").unwrap();
    run(&a, 1);
    a.close();
    await_event(&b, |event| match event {
        Event::Orphaned(item) => Some(item),
        _ => None,
    });
    b.rerun(1, "ABORTED", 10, b"again", Some(3)).unwrap();
    run(&b, 10);
    b.finished(10, "SUCCESS").unwrap();

    let first = steps(&b, 1);
    let told: Vec<_> = first
        .iter()
        .map(|step| {
            (step.what, step.controller.as_str(), step.other.as_str(), step.number, step.text.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            (Accepted, "a", "", 0, "Started by user eve"),
            (Folded, "", "", 0, "Started by timer"),
            (Claimed, "b", "", 0, ""),
            (HandedBack, "b", "", 0, "no executor takes it"),
            (Claimed, "a", "", 0, ""),
            (Starting, "a", "", 1, ""),
            (Running, "a", "", 1, ""),
            (Orphaned, "a", "", 1, "Its controller A was shut down"),
            (Passed, "", "b", 0, ""),
            (Finished, "b", "", 1, "ABORTED"),
            (Again, "b", "", 0, ""),
        ]
    );
    assert_eq!(first.last().unwrap().item, 10);
    assert!(first.is_sorted_by_key(|step| step.at_ms), "{first:?}");
    let again = steps(&b, 10);
    assert_eq!((again[0].what, again[0].item), (RunsAgain, 1));
    assert_eq!((again.last().unwrap().what, again.last().unwrap().text.as_str()), (Finished, "SUCCESS"));
    assert_eq!(b.trace(99).unwrap(), None);
}

#[test]
fn the_timeline_tells_who_came_and_went_and_what_that_moved() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    run(&a, 1);
    assert_eq!(claim_ids(&a, 1), [2]);
    b.note_moment("drained", "eve\tand others").unwrap();
    a.close();
    await_event(&b, |event| match event {
        Event::Orphaned(item) => Some(item),
        _ => None,
    });
    b.rerun(1, "ABORTED", 10, b"again", Some(3)).unwrap();
    let told: Vec<_> = b
        .moments(9)
        .unwrap()
        .iter()
        .map(|m| format!("{} {} {} {}/{} {}", m.what, m.name, m.text, m.wait_again, m.begun, m.ids))
        .collect();
    assert_eq!(
        told,
        [
            "reran B  0/1 1 10",
            "ended A Its controller A was shut down 1/1 1",
            "drained B eve and others 0/0 ",
            "joined B 1 0/0 ",
            "joined A 1 0/0 ",
        ]
    );
    assert_eq!(b.moments(1).unwrap().len(), 1);
}

#[test]
fn waits_and_wishes_are_told_and_outlive_the_item() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, NewItem { concurrent: false, ..item(1, "job") });
    put(&a, NewItem { concurrent: false, ..item(2, "job") });
    put(&a, NewItem { quiet_ms: 60_000, ..item(3, "job") });
    run(&b, 1);
    a.unwanted(1, "eve").unwrap();
    b.finished(1, "ABORTED").unwrap();
    a.cancel(2, "eve").unwrap();
    let _: i64 = redis::cmd("DEL").arg("{haj:test}:item:2").query(&mut redis.inside()).unwrap();
    assert_eq!(whats(&b, 1), [Accepted, Claimed, Starting, Running, Unwanted, Finished]);
    let second = b.trace(2).unwrap().unwrap();
    assert_eq!((second.job.as_str(), second.item), ("job", None));
    assert_eq!(whats(&b, 2), [Accepted, Blocked, Unblocked, Cancelled]);
    assert_eq!(steps(&b, 2).last().unwrap().text, "Cancelled by eve");
    assert_eq!((whats(&b, 3), steps(&b, 3)[1].number), (vec![Accepted, Quiet], 60));
}

#[test]
fn of_what_goes_round_and_round_the_first_and_the_last_stay() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    for _ in 0..400 {
        assert_eq!(claim(&a, 1).len(), 1);
        a.release(1, 0, "no executor takes it, though it could start at once").unwrap();
    }
    let length: usize = redis::cmd("STRLEN").arg("{haj:test}:trace:1").query(&mut redis.inside()).unwrap();
    assert!(length < 25_000, "{length}");
    let whats = whats(&a, 1);
    assert_eq!((whats[0], whats[1]), (Accepted, Claimed));
    assert_eq!(whats.iter().filter(|what| **what == LeftOut).count(), 1);
    assert_eq!(whats.last(), Some(&HandedBack));
}

#[test]
fn the_newest_are_kept_for_a_week_and_those_of_what_lives() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    let mut inside = redis.inside();
    let (old, lives) = (1, 2);
    put(&a, item(old, "job"));
    put(&a, item(lives, "other"));
    assert_eq!(claim_ids(&a, 1), [old]);
    a.cancelled(old, "no more").unwrap();
    let left: i64 = redis::cmd("TTL").arg(format!("{{haj:test}}:trace:{old}")).query(&mut inside).unwrap();
    assert!((600_000..=604_800).contains(&left), "{left}");
    // As if many items had come since, and none of these had been looked at.
    let _: i64 = redis::cmd("HSET").arg(&["{haj:test}:meta", "traced", "0"]).query(&mut inside).unwrap();
    redis::cmd("SET").arg("{haj:test}:ids").arg(200_000).exec(&mut inside).unwrap();
    until("the old one is dropped", || a.trace(old).unwrap().unwrap().steps.is_empty());
    assert_eq!(whats(&a, lives), [Accepted]);
}
