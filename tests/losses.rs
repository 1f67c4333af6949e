//! Redis that was emptied, went back to an older state, or was replaced by a replica that lagged behind.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use ha_jenkins::{Cancel, Controller, Error, Item, ItemState, Phase};
use support::proxy::Proxy;
use support::{
    Redis, await_snapshot, claim, claim_ids, free_port, invariants, item, join, join_url, offer, put, until,
};

/// Of the job "one" only one build runs at a time.
fn single(id: i64) -> ha_jenkins::NewItem {
    ha_jenkins::NewItem { concurrent: false, ..item(id, "one") }
}

fn run(controller: &Controller, id: i64, job: &str) -> i32 {
    let number = controller.assign_number(id, job, 0).unwrap();
    controller.started(id, number).unwrap();
    number
}

fn found(controller: &Controller, id: i64) -> Option<Item> {
    controller.item(id).ok().flatten()
}

fn is(controller: &Controller, id: i64, state: ItemState) -> bool {
    found(controller, id).is_some_and(|item| item.state == state)
}

/// Everybody has said what they know: claims are answered again.
fn await_mended(redis: &Redis, controllers: &[&Controller], before: &[i64]) {
    until("all are told", || controllers.iter().all(|controller| controller.link().notice.contains("ago: ")));
    for (controller, epoch) in controllers.iter().zip(before) {
        until("a member again", || {
            let link = controller.link();
            link.phase == Phase::Joined && link.epoch >= *epoch
        });
    }
    until("mended", || {
        let mending: bool =
            redis::cmd("EXISTS").arg("{haj:test}:mending").query(&mut redis.inside()).unwrap();
        !mending
    });
}

/// Claims until `wanted` items have come, and no others do.
fn claim_all(controller: &Controller, wanted: usize) -> Vec<i64> {
    let mut ids: Vec<i64> = Vec::new();
    until("all waiting items can be claimed", || {
        let claimed = controller.claim(&offer("", 99), 99, Duration::from_millis(100));
        ids.extend(claimed.into_iter().flatten().map(|item| item.id));
        ids.len() >= wanted
    });
    ids.extend(claim_ids(controller, 99));
    ids
}

/// A cluster of two with items in all states; loses its Redis' data by `lose`; then each item must be what it was.
fn nothing_is_lost(redis: &mut Redis, lose: impl FnOnce(&mut Redis)) {
    let (a, b) = (join(redis, "a"), join(redis, "b"));
    await_snapshot(&a);
    await_snapshot(&b);
    let last_id = (0..10).map(|_| a.next_queue_id()).max().unwrap();
    for id in 1..=6 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&a, 3), [1, 2, 3]);
    assert_eq!(claim_ids(&b, 3), [4, 5, 6]);
    assert_eq!(run(&a, 1, "job"), 1);
    assert_eq!(run(&a, 2, "job"), 2);
    a.finished(2, "SUCCESS").unwrap();
    assert_eq!(run(&b, 4, "job"), 3);
    assert_eq!(b.assign_number(5, "job", 0).unwrap(), 4);
    // 3 and 6 are claimed; somebody wants 6 cancelled.
    assert_eq!(a.cancel(6, "root").unwrap(), Cancel::Asked("b".into()));
    put(&b, single(10));
    put(&b, single(11));
    assert_eq!(claim_ids(&b, 1), [10]);
    assert_eq!(run(&b, 10, "one"), 1);
    // 11 is blocked behind 10.
    put(&a, item(20, "job"));
    put(&a, ha_jenkins::NewItem { priority: 5, ..item(21, "job") });
    put(&b, ha_jenkins::NewItem { quiet_ms: 500, ..item(22, "job") });
    put(&b, item(23, "job"));
    assert_eq!(a.cancel(23, "root").unwrap(), Cancel::Cancelled);
    assert_eq!(b.assign_number(0, "elsewhere", 41).unwrap(), 42);
    let epochs = [a.link().epoch, b.link().epoch];
    std::thread::sleep(Duration::from_millis(300)); // all have heard of all

    lose(redis);

    await_mended(redis, &[&a, &b], &epochs);
    assert!(a.link().notice.contains("waiting"), "{}", a.link().notice);
    until("what was claimed waits, what runs does", || {
        is(&a, 3, ItemState::Queued)
            && is(&a, 1, ItemState::Running)
            && is(&a, 4, ItemState::Running)
            && is(&a, 5, ItemState::Starting)
            && is(&a, 10, ItemState::Running)
    });
    assert!(is(&a, 2, ItemState::Done), "{:?}", found(&a, 2));
    assert!(is(&b, 23, ItemState::Cancelled), "{:?}", found(&b, 23));
    until("the wish to cancel is kept", || is(&b, 6, ItemState::Cancelled));
    let held = |id| found(&a, id).map(|item| (item.owner, item.epoch, item.number)).unwrap();
    assert_eq!(held(1), ("a".into(), a.link().epoch, 1));
    assert_eq!(held(5), ("b".into(), b.link().epoch, 4));

    // In the old order, by priority first; 11 stays behind 10.
    assert_eq!(claim_all(&a, 4), [21, 3, 20, 22]);
    assert!(is(&a, 11, ItemState::Queued) && found(&a, 11).unwrap().blocked);
    assert_eq!(b.assign_number(0, "job", 0).unwrap(), 5, "no number comes twice");
    assert_eq!(a.assign_number(0, "elsewhere", 0).unwrap(), 43);
    b.started(5, 4).unwrap();
    for (controller, id) in [(&a, 1), (&b, 4), (&b, 5), (&b, 10)] {
        controller.finished(id, "SUCCESS").unwrap();
    }
    assert_eq!(claim_all(&b, 1), [11]);
    put(&a, item(2, "job"));
    assert!(claim(&a, 9).is_empty(), "what ended does not run again");
    let ids: Vec<i64> = (0..600)
        .map(|_| {
            std::thread::sleep(Duration::from_micros(200));
            b.next_queue_id()
        })
        .collect();
    assert!(!ids.contains(&last_id));
    invariants::check(&mut redis.inside());
}

#[test]
fn an_emptied_redis_is_filled_again_by_those_who_know() {
    nothing_is_lost(&mut Redis::start(), |redis| {
        let _: String = redis::cmd("FLUSHALL").query(&mut redis.inside()).unwrap();
    });
}

#[test]
fn a_redis_that_keeps_nothing_may_be_restarted() {
    nothing_is_lost(&mut Redis::with(&[]), Redis::restart);
}

/// What happens after `mark` is lost by `lose`.
fn the_tail_is_not_lost(redis: &mut Redis, mark: impl FnOnce(&mut Redis), lose: impl FnOnce(&mut Redis)) {
    let (a, b) = (join(redis, "a"), join(redis, "b"));
    await_snapshot(&a);
    await_snapshot(&b);
    for id in 1..=5 {
        put(&a, item(id, "job"));
    }
    put(&a, single(10));
    put(&a, single(11));
    assert_eq!(claim_ids(&b, 1), [1]);
    assert_eq!(run(&b, 1, "job"), 1);
    mark(redis);
    b.finished(1, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&b, 3), [2, 3, 4]);
    assert_eq!(run(&b, 2, "job"), 2);
    assert_eq!(run(&b, 3, "job"), 3);
    b.finished(3, "FAILURE").unwrap();
    put(&a, item(6, "job"));
    assert_eq!(a.cancel(5, "root").unwrap(), Cancel::Cancelled);
    assert_eq!(claim_ids(&b, 1), [10]);
    assert_eq!(run(&b, 10, "one"), 1);
    b.finished(10, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&b, 1), [11]);
    assert_eq!(run(&b, 11, "one"), 2);
    put(&b, single(12));
    let epochs = [a.link().epoch, b.link().epoch];
    std::thread::sleep(Duration::from_millis(300)); // all have heard of all

    lose(redis);

    await_mended(redis, &[&a, &b], &epochs);
    until("what runs does", || is(&a, 2, ItemState::Running) && is(&a, 11, ItemState::Running));
    for (id, state) in [
        (1, ItemState::Done),
        (3, ItemState::Done),
        (4, ItemState::Claimed),
        (5, ItemState::Cancelled),
        (6, ItemState::Queued),
        (10, ItemState::Done),
        (12, ItemState::Queued),
    ] {
        assert!(is(&a, id, state), "{id} is {:?}", found(&a, id));
    }
    assert_eq!(b.link().epoch, epochs[1], "it was a member before and is");
    assert_eq!(claim_all(&a, 1), [6], "nothing is claimed twice");
    assert_eq!(a.assign_number(6, "job", 0).unwrap(), 4);
    assert_eq!(b.assign_number(4, "job", 0).unwrap(), 5);
    b.finished(2, "SUCCESS").unwrap();
    b.finished(11, "SUCCESS").unwrap();
    assert_eq!(claim_all(&a, 1), [12]);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_redis_that_comes_back_with_an_older_snapshot_is_brought_up_to_date() {
    the_tail_is_not_lost(
        &mut Redis::with(&[]),
        |redis| {
            let _: String = redis::cmd("SAVE").query(&mut redis.inside()).unwrap();
        },
        Redis::restart,
    );
}

#[test]
fn a_promoted_replica_that_lagged_behind_is_brought_up_to_date() {
    let mut primary = Redis::with(&[]);
    let replica = Redis::with(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let port = primary.port;
    the_tail_is_not_lost(
        &mut primary,
        |primary| {
            let wait = || redis::cmd("WAIT").arg(1).arg(100).query::<i64>(&mut primary.inside()).unwrap();
            until("replicated", || wait() == 1);
            let mut inside = replica.inside();
            let nowhere = free_port().to_string();
            let _: String = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(nowhere).query(&mut inside).unwrap();
        },
        |primary| {
            primary.kill();
            let mut inside = replica.inside();
            let _: String = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query(&mut inside).unwrap();
            let _: String = redis::cmd("CONFIG").arg("SET").arg("port").arg(port).query(&mut inside).unwrap();
        },
    );
}

#[test]
fn what_a_controller_ran_that_did_not_come_back_awaits_a_decision() {
    let mut redis = Redis::with(&[]);
    let a = join(&redis, "a");
    await_snapshot(&a);
    let b = join(&redis, "b");
    for id in 1..=3 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&b, 2), [1, 2]);
    run(&b, 1, "job");
    until("heard of", || {
        let mut running = false;
        while let Some(event) = a.next_event(Duration::from_millis(50)).unwrap() {
            running |= matches!(event, ha_jenkins::Event::Item(item) if item.state == ItemState::Running);
        }
        running
    });
    redis.kill();
    drop(b);
    redis.restart();
    until("orphaned", || is(&a, 1, ItemState::Orphaned));
    assert_eq!(claim_all(&a, 2), [2, 3]);
    until("its decision", || a.finished(1, "ABORTED").is_ok());
    assert!(matches!(a.assign_number(1, "job", 0), Err(Error::Fenced(_) | Error::Conflict(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn a_restart_that_loses_nothing_is_no_loss() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    assert_eq!(claim_ids(&b, 1), [1]);
    let epoch = b.link().epoch;
    redis.restart();
    assert_eq!(claim_all(&a, 1), [2]);
    until("works", || b.assign_number(1, "job", 0).is_ok());
    assert_eq!((a.link().notice, b.link().notice, b.link().epoch), (String::new(), String::new(), epoch));
}

#[test]
fn who_comes_late_with_old_news_changes_nothing() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    await_snapshot(&a);
    await_snapshot(&b);
    for id in 1..=2 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&a, 1), [1]);
    std::thread::sleep(Duration::from_millis(300)); // both have heard of both
    proxy.stall(true);
    // a holds 1 and believes that 2 waits.
    assert_eq!(claim_ids(&b, 1), [2]);
    run(&b, 2, "job");
    b.finished(2, "SUCCESS").unwrap();
    let _: String = redis::cmd("FLUSHALL").query(&mut redis.inside()).unwrap();
    assert_eq!(claim_all(&b, 1), [1], "a did not speak within its lease");
    run(&b, 1, "job");
    let epoch = a.link().epoch;
    proxy.stall(false);
    proxy.cut();
    until("a is back", || a.link().phase == Phase::Joined && a.link().epoch > epoch);
    std::thread::sleep(Duration::from_millis(500));
    assert!(is(&b, 1, ItemState::Running) && is(&b, 2, ItemState::Done));
    assert!(matches!(a.assign_number(1, "job", 0), Err(Error::Fenced(_))));
    assert!(claim_ids(&a, 9).is_empty());
    b.finished(1, "SUCCESS").unwrap();
    invariants::check(&mut redis.inside());
}
