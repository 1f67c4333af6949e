//! A controller that cannot do its part is no member, and nothing keeps whoever holds Jenkins' queue lock for long.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::{Duration, Instant};

use ha_jenkins::{Error, Event, ItemState, Phase};
use support::*;

/// What is asked for under the queue's lock takes a second at the most; the rest is this machine's.
const UNDER_THE_LOCK: Duration = Duration::from_millis(1300);

fn orphaned(controller: &ha_jenkins::Controller) -> i64 {
    await_event(controller, |event| match event {
        Event::Orphaned(item) => Some(item.id),
        _ => None,
    })
}

fn started(controller: &ha_jenkins::Controller, id: i64) {
    put(controller, item(id, "job"));
    assert_eq!(claim_ids(controller, 1), [id]);
    let number = controller.assign_number(id, "job", 0).unwrap();
    controller.started(id, number).unwrap();
}

#[test]
fn whose_caller_says_that_it_cannot_do_its_part_leaves_at_once_and_joins_when_it_can() {
    let redis = Redis::start();
    let (a, b) = (join_lasting(&redis, "a"), join_lasting(&redis, "b"));
    started(&a, 1);
    a.vouch("");
    assert_eq!(a.link().phase, Phase::Joined);
    let begun = Instant::now();
    a.vouch("The thread ha-jenkins-events has ended");
    assert_eq!(orphaned(&b), 1, "long before its lease of 20 s has ended");
    println!("figure: lives.work_is_the_others_after {:.3} s", begun.elapsed().as_secs_f64());
    let link = a.link();
    assert_eq!(link.phase, Phase::Refused);
    assert!(link.text.contains("The thread ha-jenkins-events has ended"), "{}", link.text);
    assert!(!a.holds_lease());
    put(&b, item(2, "job"));
    assert!(matches!(a.claim(&offer("", 1), 1, Duration::ZERO), Err(Error::Refused(_)) | Ok(_)));
    assert_eq!(claim_ids(&b, 9), [2], "the other takes everything");
    let epoch = link.epoch;
    a.vouch("");
    assert!(a.await_joined(Duration::from_secs(5)));
    assert!(a.link().epoch > epoch);
    assert!(matches!(a.finished(1, "SUCCESS"), Err(Error::Fenced(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn whose_caller_falls_silent_leaves_though_its_heart_beats() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    started(&a, 1);
    let begun = Instant::now();
    a.vouch("");
    let deadline = begun + Duration::from_secs(13);
    while a.link().phase == Phase::Joined && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(12), "{took:?}");
    assert!(a.link().text.contains("nothing has watched its threads"), "{}", a.link().text);
    assert_eq!(orphaned(&b), 1);
    a.vouch("");
    assert!(a.await_joined(Duration::from_secs(5)));
}

#[test]
fn the_librarys_own_threads_show_that_they_live() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    let names: Vec<_> = a.threads().iter().map(|life| life.name).collect();
    assert_eq!(names, ["ha-jenkins-heartbeat", "ha-jenkins-reader"]);
    for life in a.threads() {
        assert_eq!((life.problem.as_str(), life.restarts), ("", 0));
        assert!(life.round_ago < Duration::from_secs(30), "{life:?}");
    }
}

#[test]
fn an_event_that_the_caller_could_make_nothing_of_comes_again() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    await_snapshot(&a);
    put(&a, item(1, "job"));
    let mut failures = 0;
    let seen = loop {
        let result = a.next_event_into(Duration::from_secs(5), |event| match event {
            Event::Item(item) if failures < 2 => {
                failures += 1;
                assert_eq!(item.id, 1);
                Err(Error::Bug("no memory".into()))
            }
            event => Ok(event.clone()),
        });
        match result {
            Err(error) => assert_eq!(error, Error::Bug("no memory".into())),
            Ok(Some(Event::Item(item))) => break item,
            Ok(_) => {}
        }
    };
    assert_eq!((failures, seen.id, seen.state), (2, 1, ItemState::Queued));
    // Also if it panics.
    put(&a, item(2, "job"));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        a.next_event_into::<(), Error>(Duration::from_secs(5), |_| panic!("a defect"))
    }));
    assert!(panicked.is_err());
    assert_eq!(await_event(&a, |event| if let Event::Item(item) = event { Some(item.id) } else { None }), 2);
}

#[test]
fn what_was_claimed_and_did_not_reach_the_caller_is_answered_by_the_next_claim() {
    let redis = Redis::start();
    let a = join_lasting(&redis, "a");
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    let lost = a.claim_into::<(), Error>(&offer("", 2), 2, Duration::ZERO, |items| {
        assert_eq!(items.len(), 2);
        Err(Error::Bug("no memory".into()))
    });
    assert!(lost.is_err());
    assert_eq!(state(&a, 1), ItemState::Claimed);
    assert_eq!(claim_ids(&a, 2), [1, 2]);
    assert!(claim_ids(&a, 2).is_empty(), "once");
}

#[test]
fn an_orphan_goes_round_until_somebody_decides_on_it() {
    let redis = Redis::start();
    let a = join_lasting(&redis, "a");
    started(&a, 1);
    let b = join_lasting(&redis, "b");
    a.vouch("it stops");
    assert_eq!(orphaned(&b), 1);
    assert_eq!(b.pass(1).unwrap(), None, "there is nobody else");
    assert_eq!(state(&b, 1), ItemState::Orphaned);
    let c = join_lasting(&redis, "c");
    assert_eq!(b.pass(1).unwrap().as_deref(), Some("c"));
    assert!(matches!(b.pass(1), Err(Error::Fenced(_))), "it is c's to decide");
    assert!(matches!(b.finished(1, "ABORTED"), Err(Error::Fenced(_))));
    assert_eq!(orphaned(&c), 1);
    invariants::check(&mut redis.inside());
    assert_eq!(c.pass(1).unwrap().as_deref(), Some("b"));
    assert_eq!(orphaned(&b), 1);
    b.finished(1, "ABORTED").unwrap();
    assert!(matches!(b.pass(1), Err(Error::Conflict(_) | Error::Fenced(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn redis_clock_set_back_does_not_put_off_a_death() {
    let redis = Redis::start();
    let proxy = proxy::Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    started(&a, 1);
    proxy.refuse(true);
    proxy.cut();
    // As an hour set back leaves it: what was written by the old clock lies in the future.
    let hour = 3_600_000.0;
    let mut inside = redis.inside();
    let members: Vec<(String, f64)> = redis::cmd("ZRANGE")
        .arg("{haj:test}:members")
        .arg(0)
        .arg(-1)
        .arg("WITHSCORES")
        .query(&mut inside)
        .unwrap();
    for (who, lease) in members {
        let _: i64 = redis::cmd("ZADD")
            .arg("{haj:test}:members")
            .arg(lease + hour)
            .arg(who)
            .query(&mut inside)
            .unwrap();
    }
    let last: f64 = redis::cmd("HGET").arg("{haj:test}:meta").arg("lastbeat").query(&mut inside).unwrap();
    let _: i64 = redis::cmd("HSET")
        .arg("{haj:test}:meta")
        .arg("lastbeat")
        .arg(last + hour)
        .query(&mut inside)
        .unwrap();
    let begun = Instant::now();
    assert_eq!(orphaned(&b), 1);
    println!("figure: lives.death_noticed_with_clock_set_back {:.3} s", begun.elapsed().as_secs_f64());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_number_is_had_or_not_within_a_second_while_redis_stalls() {
    let redis = Redis::start();
    let a = join_lasting(&redis, "a");
    for id in 1..=2 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&a, 2), [1, 2]);
    assert_eq!(a.assign_number(1, "job", 0).unwrap(), 1);
    redis.signal("-STOP");
    let mut worst = Duration::ZERO;
    for _ in 0..3 {
        let begun = Instant::now();
        assert!(matches!(a.assign_number(2, "job", 0), Err(Error::Unavailable(_))));
        worst = worst.max(begun.elapsed());
    }
    redis.signal("-CONT");
    println!("figure: lives.number_with_redis_stalled {:.3} s", worst.as_secs_f64());
    assert!(worst < UNDER_THE_LOCK, "{worst:?}");
    until("a number comes again", || a.assign_number(2, "job", 0).is_ok());
}

#[test]
fn redis_time_is_known_and_goes_on_while_redis_is_away() {
    let mut redis = Redis::start();
    let a = join(&redis, "a");
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap()
    };
    assert!((a.clock_ms() - now()).abs() < 500);
    redis.kill();
    let before = a.clock_ms();
    std::thread::sleep(Duration::from_millis(300));
    let passed = a.clock_ms() - before;
    assert!((300..1000).contains(&passed), "{passed} ms");
}
