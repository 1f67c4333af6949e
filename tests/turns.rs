//! What is done once in the cluster, whoever dies over it.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ha_jenkins::{Error, Phase, Turn};
use support::proxy::Proxy;
use support::{Redis, join, join_url, until};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn of_all_who_ask_at_once_exactly_one_does_it() {
    let redis = Redis::start();
    let controllers: Vec<_> = ["a", "b", "c"].iter().map(|name| Arc::new(join(&redis, name))).collect();
    for minute in 0..20 {
        let what = format!("minute:{minute}");
        let turns: Vec<_> = controllers
            .iter()
            .chain(&controllers)
            .map(|controller| {
                let (controller, what) = (Arc::clone(controller), what.clone());
                thread::spawn(move || controller.begin(&what, LONG).unwrap())
            })
            .collect();
        let turns: Vec<_> = turns.into_iter().map(|turn| turn.join().unwrap()).collect();
        assert_eq!(turns.iter().filter(|turn| **turn == Turn::First).count(), 1, "{turns:?}");
        assert_eq!(turns.iter().filter(|turn| **turn == Turn::Underway).count(), 5, "{turns:?}");
    }
}

#[test]
fn what_is_done_stays_done_until_it_is_forgotten_and_what_is_not_is_anybodys() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let brief = Duration::from_millis(200);
    assert_eq!(a.begin("it", LONG).unwrap(), Turn::First);
    a.not_done("it").unwrap();
    assert_eq!(b.begin("it", LONG).unwrap(), Turn::First);
    b.done("it", "201 here\nand there", brief).unwrap();
    b.done("it", "201 here\nand there", brief).unwrap();
    let done = Turn::Done("201 here\nand there".into());
    assert_eq!((a.begin("it", LONG).unwrap(), b.begin("it", LONG).unwrap()), (done.clone(), done));
    a.not_done("it").unwrap();
    assert!(matches!(a.begin("it", LONG).unwrap(), Turn::Done(_)), "not a's to take back");
    thread::sleep(brief * 2);
    assert_eq!(a.begin("it", brief).unwrap(), Turn::First);
    assert!(matches!(a.begin("", LONG), Err(Error::Invalid(_))));
    assert!(matches!(a.done("it", &"x".repeat(1025), LONG), Err(Error::Invalid(_))));
}

#[test]
fn what_a_dead_controller_had_begun_falls_to_one_survivor_and_its_late_word_counts_no_more() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    assert_eq!(a.begin("it", LONG).unwrap(), Turn::First);
    assert_eq!(a.begin("finished", LONG).unwrap(), Turn::First);
    a.done("finished", "", LONG).unwrap();
    proxy.refuse(true);
    proxy.cut();
    assert_eq!(b.begin("it", LONG).unwrap(), Turn::Underway);
    until("a is held dead", || b.members().unwrap().len() == 1);
    assert_eq!(b.begin("it", LONG).unwrap(), Turn::Again);
    assert_eq!(b.begin("finished", LONG).unwrap(), Turn::Done(String::new()));
    assert!(matches!(a.begin("it", LONG), Err(Error::Unavailable(_))));
    until("a knows", || a.link().phase == Phase::Lost);
    proxy.refuse(false);
    assert!(a.await_joined(Duration::from_secs(5)));
    a.not_done("it").unwrap();
    a.done("it", "late", LONG).unwrap();
    assert_eq!(a.begin("it", LONG).unwrap(), Turn::Underway, "b is at it");
    b.done("it", "by b", LONG).unwrap();
    assert_eq!(a.begin("it", LONG).unwrap(), Turn::Done("by b".into()));
}

#[test]
fn who_ends_late_what_nobody_took_over_is_believed() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    assert_eq!(a.begin("it", LONG).unwrap(), Turn::First);
    proxy.refuse(true);
    proxy.cut();
    until("a is held dead", || b.members().unwrap().len() == 1);
    proxy.refuse(false);
    until("a is back", || a.await_joined(Duration::from_secs(5)) && b.members().unwrap().len() == 2);
    a.done("it", "late", LONG).unwrap();
    assert_eq!(b.begin("it", LONG).unwrap(), Turn::Done("late".into()));
}

#[test]
fn what_is_done_stays_done_when_redis_loses_its_data() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    assert_eq!(a.begin("it", LONG).unwrap(), Turn::First);
    a.done("it", "by a", LONG).unwrap();
    redis::cmd("FLUSHALL").exec(&mut redis.inside()).unwrap();
    until("both have filled Redis again", || {
        matches!(b.members(), Ok(members) if members.len() == 2) && a.await_joined(Duration::from_secs(5))
    });
    until("b is told", || b.begin("it", LONG).is_ok());
    assert_eq!(b.begin("it", LONG).unwrap(), Turn::Done("by a".into()));
}
