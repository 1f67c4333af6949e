//! Agents of clouds are counted once for the whole cluster, and those of a controller that died are a survivor's.

mod support;

use ha_jenkins::{CloudSlot, Error};
use support::{Redis, join};

#[test]
fn the_cap_of_a_cloud_holds_in_the_cluster_also_while_a_controller_is_gone() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    assert_eq!(a.take_cloud_slot("1", "cloud", 2), Ok(None));
    assert_eq!(a.take_cloud_slot("1", "cloud", 2), Ok(None), "repeated, not taken twice");
    assert_eq!(b.take_cloud_slot("2", "cloud", 2), Ok(None));
    assert_eq!(b.take_cloud_slot("3", "cloud", 2), Ok(Some(2)));
    assert_eq!(b.take_cloud_slot("3", "other", 2), Ok(None), "each cloud has its own");
    assert_eq!(b.take_cloud_slot("4", "cloud", 0), Ok(None), "no cap");
    assert_eq!(b.end_cloud_agent("4"), Ok(CloudSlot::Ended));
    assert_eq!(b.end_cloud_agent("1"), Ok(CloudSlot::Held), "not b's to end");
    a.close();
    assert_eq!(b.take_cloud_slot("5", "cloud", 2), Ok(Some(2)), "its agent may still be there");
    assert_eq!(b.pass_cloud_agent("1", "b"), Ok(true));
    assert_eq!(b.end_cloud_agent("1"), Ok(CloudSlot::Ended));
    assert_eq!(b.take_cloud_slot("5", "cloud", 2), Ok(None));
    for name in ["", "a\nb"] {
        assert!(matches!(b.take_cloud_slot("6", name, 0), Err(Error::Invalid(_))));
    }
}

#[test]
fn what_a_controller_left_that_died_one_survivor_takes_over_with_what_it_is() {
    let redis = Redis::start();
    let (a, b, c) = (join(&redis, "a"), join(&redis, "b"), join(&redis, "c"));
    a.take_cloud_slot("1", "cloud", 0).unwrap();
    assert_eq!(a.keep_cloud_agent("1", "cloud", "agent", b"what it is"), Ok(CloudSlot::Ours));
    assert_eq!(b.pass_cloud_agent("1", "b"), Ok(false), "its controller lives");
    a.close();
    let left = &b.cloud_agents().unwrap()[0];
    assert_eq!((left.alive, left.controller_id.as_str(), left.agent.as_str()), (false, "a", "agent"));
    assert_eq!(b.pass_cloud_agent("1", "b"), Ok(true));
    assert_eq!(c.pass_cloud_agent("1", "c"), Ok(false), "b has it");
    assert_eq!(b.cloud_agent_text("1"), Ok(Some(b"what it is".to_vec())));
    assert_eq!(b.pass_cloud_agent("1", "c"), Ok(true), "given on");
    let again = join(&redis, "a");
    assert_eq!(again.keep_cloud_agent("1", "cloud", "agent", b""), Ok(CloudSlot::Held));
    assert_eq!(c.end_cloud_agent("1"), Ok(CloudSlot::Ended));
    assert_eq!(again.keep_cloud_agent("1", "cloud", "agent", b""), Ok(CloudSlot::Ended));
}

#[test]
fn a_slot_that_redis_lost_is_put_back_and_who_was_away_takes_its_own_back() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    assert_eq!(a.keep_cloud_agent("1", "cloud", "agent", b"x"), Ok(CloudSlot::Ours));
    a.close();
    let again = join(&redis, "a");
    assert!(!again.cloud_agents().unwrap()[0].alive);
    assert_eq!(again.keep_cloud_agent("1", "cloud", "agent", b"x"), Ok(CloudSlot::Ours));
    assert!(again.cloud_agents().unwrap()[0].alive);
}

#[test]
fn what_a_controller_says_of_its_executors_the_others_hear_as_long_as_it_is_a_member() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    a.tell_computers("first").unwrap();
    a.tell_computers("then").unwrap();
    let told = b.computers().unwrap();
    assert_eq!((told[0].controller_id.as_str(), told[0].text.as_str(), told.len()), ("a", "then", 1));
    a.close();
    assert_eq!(b.computers(), Ok(vec![]));
}
