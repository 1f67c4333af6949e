//! States that one controller changes at a time, and milestones.

mod support;

use ha_jenkins::{Controller, Error, Event, Milestone, Pen, SharedState};
use support::{Redis, await_event, await_snapshot, join, until};

fn taken(version: i64, body: Option<&[u8]>) -> Result<Pen, Error> {
    Ok(Pen::Taken(SharedState { version, body: body.map(<[u8]>::to_vec) }))
}

fn held(by: &str) -> Result<Pen, Error> {
    Ok(Pen::Held(by.into()))
}

fn store(on: &Controller, base: i64, body: &[u8], give: bool) -> Result<bool, Error> {
    on.store_state("s", base, base + 1, Some(body), give)
}

#[test]
fn one_at_a_time_has_the_pen_and_all_hear_of_what_it_wrote() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    assert_eq!(a.take_state("s", -1), taken(0, Some(b"")));
    assert_eq!(a.take_state("s", 0), taken(0, None), "asked again by who has it");
    assert_eq!(b.take_state("s", 0), held("a"));
    assert_eq!(store(&b, 0, b"b", false), Ok(false), "b has no pen");
    assert_eq!(store(&a, 0, b"one", false), Ok(true));
    assert_eq!(store(&a, 0, b"one", false), Ok(true), "the answer was lost");
    assert_eq!(a.store_state("s", 0, 7, Some(b"x"), false), Ok(false), "not made from what is there");
    let heard = await_event(&b, |event| match event {
        Event::Announcement { topic, subject, number, .. } if topic == "state" => Some((subject, number)),
        _ => None,
    });
    assert_eq!(heard, ("s".to_owned(), 1));
    assert_eq!(b.state("s", 0), Ok(SharedState { version: 1, body: Some(b"one".to_vec()) }));
    assert_eq!(store(&a, 1, b"two", true), Ok(true));
    assert_eq!(store(&a, 1, b"two", true), Ok(true), "the answer was lost");
    assert_eq!(store(&a, 2, b"three", false), Ok(false), "it gave the pen back");
    assert_eq!(b.take_state("s", 1), taken(2, Some(b"two")));
    assert_eq!(b.store_state("s", 2, 0, None, true), Ok(true));
    assert_eq!(b.state("s", 2), Ok(SharedState { version: 2, body: None }));
    assert!(matches!(a.take_state("a\nb", 0), Err(Error::Invalid(_))));
    assert!(matches!(a.store_state("s", 2, 2, Some(b""), false), Err(Error::Invalid(_))));
}

#[test]
fn who_asked_first_has_the_pen_next_and_who_asks_no_more_is_not_waited_for() {
    let redis = Redis::start();
    let (a, b, c) = (join(&redis, "a"), join(&redis, "b"), join(&redis, "c"));
    assert_eq!(a.take_state("s", 0), taken(0, None));
    assert_eq!(b.take_state("s", 0), held("a"));
    assert_eq!(c.take_state("s", 0), held("a"));
    assert_eq!(a.store_state("s", 0, 0, None, true), Ok(true));
    assert_eq!(c.take_state("s", 0), held("b"), "b asked before");
    assert_eq!(a.take_state("s", 0), held("b"));
    assert_eq!(b.take_state("s", 0), taken(0, None));
    assert_eq!(c.take_state("s", 0), held("b"));
    assert_eq!(b.store_state("s", 0, 0, None, true), Ok(true));
    // c says nothing any more
    until("a has it", || a.take_state("s", 0) == taken(0, None));
}

#[test]
fn the_pen_of_a_controller_that_is_gone_is_free_and_it_writes_no_more() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    assert_eq!(a.take_state("s", 0), taken(0, None));
    a.close();
    assert_eq!(b.take_state("s", 0), taken(0, None));
    assert_eq!(store(&b, 0, b"b", true), Ok(true));
    // a later membership of the same controller
    let again = join(&redis, "a");
    assert_eq!(store(&again, 0, b"a", false), Ok(false));
    assert_eq!(again.state("s", 0), Ok(SharedState { version: 1, body: Some(b"b".to_vec()) }));
}

#[test]
fn a_state_that_no_controller_has_sealed_is_not_read() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    a.take_state("s", 0).unwrap();
    store(&a, 0, b"one", true).unwrap();
    let mut wire = redis.inside();
    ::redis::cmd("HSET").arg("{haj:test}:state:s").arg("version").arg("9").exec(&mut wire).unwrap();
    assert!(matches!(a.state("s", 1), Err(Error::Invalid(_))));
}

#[test]
fn the_milestones_of_a_jobs_builds_are_known_to_all_until_they_end() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    assert_eq!(a.milestone("job", 1, Milestone::Begun).unwrap().before, None);
    let all = b.milestone("job", 2, Milestone::Passed(3)).unwrap();
    assert_eq!(
        all.passed.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
        [(1, None), (2, Some(3))].into()
    );
    assert_eq!(a.milestone("job", 1, Milestone::Passed(0)).unwrap().before, Some(None));
    let left = a.milestone("job", 2, Milestone::Ended).unwrap();
    assert_eq!((left.before, left.passed), (Some(Some(3)), vec![(1, Some(0))]));
    b.forget_milestones("job").unwrap();
    assert_eq!(a.milestone("job", 3, Milestone::Begun).unwrap().passed, vec![(3, None)]);
    assert!(matches!(a.milestone("", 1, Milestone::Ended), Err(Error::Invalid(_))));
    a.close();
    assert!(a.milestone("job", 3, Milestone::Ended).is_err());
}
