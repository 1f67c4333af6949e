//! A claim that waits: what wakes it, and what a lost answer does.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ::redis::Commands;
use ha_jenkins::{Error, NewItem};
use support::proxy::Proxy;
use support::{Redis, claim, claim_ids, invariants, item, join, join_url, offer, put, until};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_waiting_claim_gets_an_item_the_moment_it_is_enqueued() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), Arc::new(join(&redis, "b")));
    let waiter = Arc::clone(&b);
    let waiting = thread::spawn(move || (waiter.claim(&offer("", 1), 1, LONG).unwrap(), Instant::now()));
    thread::sleep(Duration::from_millis(100));
    let put_at = Instant::now();
    put(&a, item(1, "job"));
    let (items, got_at) = waiting.join().unwrap();
    assert_eq!(items[0].id, 1);
    assert!(got_at - put_at < Duration::from_millis(200), "{:?}", got_at - put_at);
}

#[test]
fn wake_ends_a_wait_and_is_not_lost_when_it_comes_before() {
    let redis = Redis::start();
    let a = Arc::new(join(&redis, "a"));
    for offers in [offer("", 1), Vec::new()] {
        let waiter = Arc::clone(&a);
        let waiting = thread::spawn(move || waiter.claim(&offers, 1, LONG).unwrap());
        thread::sleep(Duration::from_millis(100));
        let woken = Instant::now();
        a.wake();
        assert!(waiting.join().unwrap().is_empty());
        assert!(woken.elapsed() < Duration::from_millis(300), "{:?}", woken.elapsed());
    }
    a.wake();
    let began = Instant::now();
    assert!(a.claim(&offer("", 1), 1, LONG).unwrap().is_empty());
    assert!(began.elapsed() < Duration::from_millis(300));
}

#[test]
fn close_ends_a_wait_at_once_even_when_redis_stalls() {
    for stalled in [false, true] {
        let redis = Redis::start();
        let proxy = Proxy::to(redis.port);
        let a = Arc::new(join_url(&proxy.url(), "a"));
        let (claimer, listener) = (Arc::clone(&a), Arc::clone(&a));
        let claiming = thread::spawn(move || claimer.claim(&offer("", 1), 1, LONG));
        let listening = thread::spawn(move || {
            loop {
                if let Err(error) = listener.next_event(LONG) {
                    return error;
                }
            }
        });
        thread::sleep(Duration::from_millis(100));
        proxy.stall(stalled);
        let began = Instant::now();
        let closer = Arc::clone(&a);
        let closing = thread::spawn(move || closer.close());
        assert_eq!(claiming.join().unwrap(), Err(Error::Closed));
        assert_eq!(listening.join().unwrap(), Error::Closed);
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        closing.join().unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(a.claim(&offer("", 1), 1, LONG), Err(Error::Closed));
        assert_eq!(a.enqueue(item(1, "job"), -1), Err(Error::Closed));
        a.close();
    }
}

#[test]
fn close_hands_claimed_items_back() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.close();
    assert_eq!(claim_ids(&b, 1), [1]);
    assert_eq!(b.members().unwrap().len(), 1);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_claim_whose_answer_was_lost_is_answered_again() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join(&redis, "a"), join_url(&proxy.url(), "b"));
    for id in 1..=3 {
        put(&a, item(id, "job"));
    }
    assert!(b.claim(&offer("x", 1), 1, Duration::ZERO).unwrap().is_empty(), "the connection is there");
    proxy.lose_answers(true);
    let cutter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        proxy.cut();
        proxy.lose_answers(false);
        proxy
    });
    let lost = b.claim(&offer("", 2), 2, Duration::ZERO);
    assert!(matches!(lost, Err(Error::Unavailable(_)) | Ok(_)), "{lost:?}");
    let _proxy = cutter.join().unwrap();
    let mut ids: Vec<i64> = lost.into_iter().flatten().map(|item| item.id).collect();
    until("claimed again", || {
        ids.extend(b.claim(&offer("", 2), 2, Duration::ZERO).into_iter().flatten().map(|item| item.id));
        ids.len() >= 2
    });
    assert_eq!(ids, [1, 2]);
    assert_eq!(claim_ids(&a, 9), [3]);
}

#[test]
fn many_controllers_share_the_work_without_overlap() {
    let redis = Redis::start();
    let controllers: Vec<_> = (0..4).map(|n| Arc::new(join(&redis, &format!("c{n}")))).collect();
    let takers: Vec<_> = controllers
        .iter()
        .cloned()
        .map(|controller| {
            thread::spawn(move || {
                let mut ids = Vec::new();
                loop {
                    let items = controller.claim(&offer("", 8), 8, Duration::from_millis(700)).unwrap();
                    if items.is_empty() {
                        return ids;
                    }
                    for item in items {
                        let number = controller.assign_number(item.id, &item.job, 0).unwrap();
                        controller.started(item.id, number).unwrap();
                        controller.finished(item.id, "SUCCESS").unwrap();
                        ids.push(item.id);
                    }
                }
            })
        })
        .collect();
    for id in 1..=400 {
        put(&controllers[0], NewItem { concurrent: id % 2 == 0, ..item(id, &format!("job{}", id % 7)) });
    }
    let mut ids: Vec<i64> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=400).collect::<Vec<_>>());
    invariants::check(&mut redis.inside());
}

/// How many wait for work, once they all do.
#[allow(clippy::unwrap_used)]
fn waiting(redis: &Redis, count: usize) {
    until("they wait", || redis.inside().zcard::<_, usize>("{haj:test}:waiting").unwrap() == count);
}

#[test]
fn one_item_rouses_one_of_those_who_wait() {
    let redis = Redis::start();
    let controllers: Vec<_> = (0..3).map(|n| Arc::new(join(&redis, &format!("c{n}")))).collect();
    let claims: Vec<_> = controllers
        .iter()
        .cloned()
        .map(|controller| thread::spawn(move || controller.claim(&offer("", 1), 1, LONG).unwrap()))
        .collect();
    waiting(&redis, 3);
    put(&controllers[0], item(1, "job"));
    until("somebody has it", || claims.iter().any(|claim| claim.is_finished()));
    waiting(&redis, 2);
    controllers.iter().for_each(|controller| controller.wake());
    let got: usize = claims.into_iter().map(|claim| claim.join().unwrap().len()).sum();
    assert_eq!(got, 1);
    invariants::check(&mut redis.inside());
}

#[test]
fn who_has_most_room_is_roused_and_only_who_offers_the_lane() {
    let redis = Redis::start();
    let offers = [("small", "", 1), ("large", "", 5), ("other", "x", 9)];
    let controllers: Vec<_> = offers.iter().map(|(name, ..)| Arc::new(join(&redis, name))).collect();
    let claims: Vec<_> = controllers
        .iter()
        .cloned()
        .zip(offers)
        .map(|(controller, (_, lane, room))| {
            thread::spawn(move || controller.claim(&offer(lane, room), room, LONG).unwrap())
        })
        .collect();
    waiting(&redis, 3);
    put(&controllers[0], item(1, "job"));
    until("somebody has it", || claims.iter().any(|claim| claim.is_finished()));
    controllers.iter().for_each(|controller| controller.wake());
    let got: Vec<_> = claims.into_iter().map(|claim| claim.join().unwrap().len()).collect();
    assert_eq!(got, [0, 1, 0]);
}

#[test]
fn what_a_roused_controller_does_not_take_goes_to_the_next_at_once() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), Arc::new(join(&redis, "b")));
    assert!(a.claim(&offer("", 9), 9, Duration::ZERO).unwrap().is_empty());
    let taker = Arc::clone(&b);
    let claim = thread::spawn(move || taker.claim(&offer("", 1), 1, LONG).unwrap());
    waiting(&redis, 2);
    put(&b, item(1, "job"));
    waiting(&redis, 1); // a has more room and is roused, but has gone to do something else
    assert!(a.claim(&[], 0, Duration::ZERO).unwrap().is_empty());
    assert_eq!(claim.join().unwrap().len(), 1);
}

#[test]
fn a_controller_that_missed_its_wake_is_roused_again_for_what_is_pinned_to_it() {
    let redis = Redis::start();
    let a = Arc::new(join(&redis, "a"));
    let taker = Arc::clone(&a);
    let claim = thread::spawn(move || taker.claim(&offer("", 1), 1, LONG).unwrap());
    waiting(&redis, 1);
    // As Redis stands when it roused a, and a's connection broke before it heard.
    let missed = "redis.call('DEL', KEYS[1] .. 'waiting', KEYS[1] .. 'waiting:', KEYS[1] .. 'idle:a')
        redis.call('HSET', KEYS[1] .. 'roused', 'a', '1 n')";
    ::redis::Script::new(missed).key("{haj:test}:").invoke::<()>(&mut redis.inside()).unwrap();
    put(&a, NewItem { pinned: "a".into(), ..item(1, "job") });
    assert_eq!(claim.join().unwrap().len(), 1, "a heartbeat saw that it had not looked");
}

#[test]
fn what_a_roused_controller_is_slow_to_look_for_goes_to_the_next() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), Arc::new(join(&redis, "b")));
    assert!(a.claim(&offer("", 9), 9, Duration::ZERO).unwrap().is_empty());
    let taker = Arc::clone(&b);
    let claim = thread::spawn(move || taker.claim(&offer("", 1), 1, LONG).unwrap());
    waiting(&redis, 2);
    put(&b, item(1, "job"));
    assert_eq!(claim.join().unwrap().len(), 1, "a heartbeat saw that it lies there");
}
