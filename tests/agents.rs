//! Who has which agent.

mod support;

use std::time::Duration;

use ha_jenkins::{AgentOwner, Controller, Error, Event};
use support::{Redis, await_event, await_snapshot, join};

fn owner(of: &Controller, agent: &str, id: &str) -> AgentOwner {
    AgentOwner { agent: agent.into(), controller_id: id.into(), epoch: of.link().epoch }
}

#[test]
fn an_agent_works_for_one_controller_and_goes_where_it_is_given_to() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    let of_a = owner(&a, "one two", "a");
    assert_eq!(a.take_agent("one two"), Ok(of_a.clone()));
    let heard = await_event(&b, |event| match event {
        Event::Announcement { topic, subject, body, .. } if topic == "agent" => Some((subject, body)),
        _ => None,
    });
    assert_eq!(heard, ("one two".to_owned(), b"a".to_vec()));
    assert_eq!(a.take_agent("one two"), Ok(of_a.clone()), "taken again by its owner");
    assert_eq!(b.take_agent("one two"), Ok(of_a.clone()));
    assert_eq!(b.agents(), Ok(vec![of_a]));

    assert_eq!(b.give_agent("one two", "b"), Ok(false), "not b's to give");
    assert_eq!(a.give_agent("one two", "c"), Ok(false), "there is no c");
    assert_eq!(a.give_agent("one two", "b"), Ok(true));
    let of_b = owner(&b, "one two", "b");
    assert_eq!(a.take_agent("one two"), Ok(of_b.clone()), "kept for b before it is there");
    assert_eq!(b.take_agent("one two"), Ok(of_b));
    assert_eq!(b.give_agent("one two", ""), Ok(true));
    assert_eq!(a.agents(), Ok(vec![]));
    assert_eq!(a.take_agent("one two"), Ok(owner(&a, "one two", "a")));
    for name in ["", "a\nb"] {
        assert!(matches!(a.take_agent(name), Err(Error::Invalid(_))));
    }
}

#[test]
fn what_a_controller_that_is_gone_had_is_free() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    a.take_agent("one").unwrap();
    a.close();
    assert_eq!(b.agents(), Ok(vec![]));
    assert_eq!(b.take_agent("one"), Ok(owner(&b, "one", "b")));
}

#[test]
fn an_agent_that_never_comes_to_whom_it_was_given_is_not_kept_for_ever() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    a.take_agent("one").unwrap();
    a.give_agent("one", "b").unwrap();
    // As if it had been given half a minute ago.
    let mut wire = redis.inside();
    let held: String = ::redis::cmd("HGET").arg("{haj:test}:agents").arg("one").query(&mut wire).unwrap();
    let (who, since) = held.rsplit_once(' ').unwrap();
    let earlier = since.parse::<u128>().unwrap() - Duration::from_secs(30).as_millis();
    ::redis::cmd("HSET")
        .arg("{haj:test}:agents")
        .arg("one")
        .arg(format!("{who} {earlier}"))
        .exec(&mut wire)
        .unwrap();
    assert_eq!(a.take_agent("one"), Ok(owner(&a, "one", "a")));
    assert_eq!(b.give_agent("one", ""), Ok(false));
}
