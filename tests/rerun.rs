//! A build whose controller died runs again: once, in its place, and not for ever.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use ha_jenkins::{Controller, Error, Event, Item, ItemState, NewItem, Phase};
use support::proxy::Proxy;
use support::{
    Redis, await_event, claim, claim_ids, invariants, item, join, join_url, offer, put, state, until,
};

const MOST: u32 = 3;

/// Has `controller` claim an item of `job` and run it.
fn run(controller: &Controller, id: i64, job: &str) -> i32 {
    let got = controller.claim(&offer("", 1), 1, Duration::from_secs(10)).unwrap();
    assert_eq!(got.iter().map(|item| item.id).collect::<Vec<_>>(), [id]);
    let number = controller.assign_number(id, job, 0).unwrap();
    controller.started(id, number).unwrap();
    number
}

/// The number of the build that item `id` stands for.
fn numbered(controller: &Controller, id: i64) -> i32 {
    controller.item(id).unwrap().map_or(0, |item| item.number)
}

fn orphaned(controller: &Controller) -> Item {
    await_event(controller, |event| match event {
        Event::Orphaned(item) => Some(item),
        _ => None,
    })
}

fn again(controller: &Controller, id: i64, new: i64) -> Option<i64> {
    controller.rerun(id, "ABORTED", new, format!("payload of {new}").as_bytes(), Some(MOST)).unwrap()
}

#[test]
fn it_runs_again_in_its_place_under_a_new_id() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, NewItem { priority: 500, lane: "linux".into(), ..item(1, "job") });
    put(&a, NewItem { priority: 400, ..item(2, "other") });
    put(&a, NewItem { priority: 500, lane: "linux".into(), ..item(3, "job") });
    assert_eq!(a.claim(&offer("linux", 1), 1, Duration::ZERO).unwrap()[0].id, 1);
    a.assign_number(1, "job", 6).unwrap();
    a.started(1, 7).unwrap();
    a.close();
    assert_eq!(orphaned(&b).number, 7);

    assert_eq!(again(&b, 1, 10), Some(10));
    invariants::check(&mut redis.inside());
    let old = b.item(1).unwrap().unwrap();
    assert_eq!((old.state, old.result.as_str(), old.again, old.deaths), (ItemState::Done, "ABORTED", 10, 1));
    let fresh = await_event(&b, |event| match event {
        Event::Item(item) if item.id == 10 => Some(item),
        _ => None,
    });
    assert_eq!(
        fresh.payload.as_deref(),
        Some(b"payload of 10".as_slice()),
        "others are told of it with its payload"
    );
    assert_eq!((fresh.job.as_str(), fresh.lane.as_str(), fresh.priority), ("job", "linux", 500));
    assert!(fresh.why.contains("#7") && fresh.why.contains("A was shut down"), "{}", fresh.why);
    let order = b.claim(&offer("linux", 9), 9, Duration::ZERO).unwrap();
    assert_eq!(order.iter().map(|item| (item.id, item.deaths)).collect::<Vec<_>>(), [(10, 1), (3, 0)]);
    assert_eq!(b.assign_number(10, "job", 0).unwrap(), 8);
    invariants::check(&mut redis.inside());
}

#[test]
fn asked_twice_it_runs_again_once() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    run(&a, 1, "job");
    a.close();
    orphaned(&b);
    put(&b, item(9, "job"));
    let taken = b.rerun(1, "ABORTED", 9, b"x", Some(MOST));
    assert!(matches!(taken, Err(Error::Conflict(_))), "another item's id: {taken:?}");
    assert_eq!(state(&b, 1), ItemState::Orphaned);
    assert_eq!(again(&b, 1, 10), Some(10));
    assert_eq!(again(&b, 1, 10), Some(10), "the answer was lost");
    assert_eq!(again(&b, 1, 11), Some(10), "and asked for with another id");
    b.finished(1, "ABORTED").unwrap();
    assert_eq!(claim_ids(&b, 9), [10, 9]);
    assert_eq!(again(&b, 1, 12), Some(10), "it has been claimed since");
    assert!(b.item(11).unwrap().is_none() && b.item(12).unwrap().is_none());
    invariants::check(&mut redis.inside());
}

#[test]
fn nobody_but_the_reaper_runs_it_again() {
    let redis = Redis::start();
    let proxies = [Proxy::to(redis.port), Proxy::to(redis.port)];
    let a = join_url(&proxies[0].url(), "a");
    put(&a, item(1, "job"));
    run(&a, 1, "job");
    let refused = |controller: &Controller, id| {
        let result = controller.rerun(id, "ABORTED", 20, b"x", Some(MOST));
        assert!(matches!(result, Err(Error::Fenced(_) | Error::Conflict(_))), "{result:?}");
    };
    refused(&a, 1);
    let b = join_url(&proxies[1].url(), "b");
    proxies[0].refuse(true);
    proxies[0].cut();
    orphaned(&b);
    let c = join(&redis, "c");
    refused(&c, 1);

    // The reaper dies before it has decided: the next one does.
    proxies[1].refuse(true);
    proxies[1].cut();
    orphaned(&c);
    assert_eq!(again(&c, 1, 10), Some(10));
    for (name, proxy, back) in [("a", &proxies[0], &a), ("b", &proxies[1], &b)] {
        proxy.refuse(false);
        until(name, || back.await_joined(Duration::from_millis(100)) && back.item(1).is_ok());
        refused(back, 1);
        assert!(matches!(back.finished(1, "SUCCESS"), Err(Error::Fenced(_))));
        assert!(matches!(back.keep(1), Err(Error::Fenced(_))));
    }
    assert_eq!(claim_ids(&c, 9), [10]);
    assert!(c.item(20).unwrap().is_none());
    assert!(matches!(c.rerun(77, "ABORTED", 20, b"x", Some(MOST)), Err(Error::NotFound(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn a_controller_that_was_stopped_is_no_death_in_the_chain() {
    let redis = Redis::start();
    let survivor = join(&redis, "survivor");
    put(&survivor, item(1, "job"));
    let mut id = 1;
    for stop in 1..=6 {
        let stopped = join(&redis, &format!("s{stop}"));
        run(&stopped, id, "job");
        stopped.close();
        let orphan = orphaned(&survivor);
        assert_eq!((orphan.id, orphan.deaths), (id, 0));
        let next = i64::from(stop) * 10;
        assert_eq!(survivor.rerun(id, "ABORTED", next, b"x", None).unwrap(), Some(next));
        id = next;
    }
    invariants::check(&mut redis.inside());
}

#[test]
fn a_chain_of_deaths_ends() {
    let redis = Redis::start();
    let survivor = join(&redis, "survivor");
    put(&survivor, item(1, "job"));
    let mut id = 1;
    for death in 1..=4 {
        let victim = join(&redis, &format!("v{death}"));
        run(&victim, id, "job");
        victim.close();
        let orphan = orphaned(&survivor);
        assert_eq!((orphan.id, orphan.deaths), (id, death - 1));
        let next = i64::from(death) * 10;
        assert_eq!(again(&survivor, id, next), (death < 4).then_some(next));
        if death < 4 {
            id = next;
        }
    }
    let last = survivor.item(id).unwrap().unwrap();
    assert_eq!((last.state, last.deaths, last.again), (ItemState::Done, 4, 0));
    assert!(last.why.contains("controllers died 4 times in a row"), "{}", last.why);
    assert_eq!(again(&survivor, id, 99), None, "also when asked again");
    assert!(survivor.items().unwrap().is_empty());
    invariants::check(&mut redis.inside());
}

#[test]
fn an_item_that_kills_controllers_at_its_start_is_set_aside() {
    let redis = Redis::start();
    let survivor = join(&redis, "survivor");
    put(&survivor, NewItem { concurrent: false, ..item(1, "job") });
    put(&survivor, NewItem { concurrent: false, ..item(2, "job") });
    for death in 1..=11 {
        assert_eq!(state(&survivor, 1), ItemState::Queued, "after {} deaths", death - 1);
        let victim = join(&redis, "victim");
        assert_eq!(claim_ids(&victim, 1), [1]);
        victim.assign_number(1, "job", 0).unwrap();
        victim.close();
        orphaned(&survivor);
        survivor.requeue(1, "its controller died").unwrap();
        survivor.requeue(1, "its controller died").unwrap();
        invariants::check(&mut redis.inside());
    }
    let aside = survivor.item(1).unwrap().unwrap();
    assert_eq!((aside.state, aside.deaths), (ItemState::Unreadable, 11));
    assert!(aside.why.contains("11 controllers died"), "{}", aside.why);
    assert!(aside.payload.is_some(), "its bytes are kept");
    assert_eq!(claim_ids(&survivor, 9), [2], "and its job goes on");
}

#[test]
fn what_somebody_wants_ended_is_not_run_again() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    assert!(matches!(b.unwanted(1, "eve"), Err(Error::Conflict(_))), "it waits: it is to be cancelled");
    run(&a, 1, "job");
    run(&a, 2, "job");
    b.unwanted(1, "eve").unwrap();
    b.unwanted(1, "bob").unwrap();
    a.close();
    let mut orphans = [orphaned(&b).id, orphaned(&b).id];
    orphans.sort_unstable();
    assert_eq!(orphans, [1, 2]);
    b.unwanted(2, "bob").unwrap();
    assert_eq!(again(&b, 1, 10), None);
    assert_eq!(again(&b, 2, 11), None, "also when it was wanted only now");
    let old = b.item(1).unwrap().unwrap();
    assert_eq!((old.state, old.result.as_str(), old.again), (ItemState::Done, "ABORTED", 0));
    assert_eq!(old.why, "eve wanted it ended, so it is not run again");
    assert!(b.items().unwrap().is_empty());
    assert!(matches!(b.unwanted(1, "eve"), Err(Error::Conflict(_))));
    assert!(matches!(b.unwanted(77, "eve"), Err(Error::NotFound(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn a_job_of_one_build_at_a_time_runs_it_before_those_that_waited_behind_it() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=3 {
        put(&a, NewItem { concurrent: false, ..item(id, "job") });
    }
    run(&a, 1, "job");
    a.close();
    orphaned(&b);
    assert_eq!(again(&b, 1, 10), Some(10));
    invariants::check(&mut redis.inside());
    for id in [10, 2, 3] {
        assert_eq!(claim_ids(&b, 9), [id]);
        let number = b.assign_number(id, "job", 0).unwrap();
        b.started(id, number).unwrap();
        b.finished(id, "SUCCESS").unwrap();
        invariants::check(&mut redis.inside());
    }
}

#[test]
fn what_only_its_own_controller_can_go_on_with_is_taken_back_from_whoever_decides_on_it() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    run(&a, 1, "job");
    let b = join(&redis, "b");
    assert!(matches!(b.resume(1, numbered(&b, 1)), Err(Error::Fenced(_))), "it never ran there");
    a.close();
    assert_eq!(orphaned(&b).id, 1);
    let back = join(&redis, "a");
    assert!(matches!(back.keep(1), Err(Error::Fenced(_))));
    back.resume(1, numbered(&back, 1)).unwrap();
    back.resume(1, numbered(&back, 1)).unwrap();
    assert_eq!(state(&back, 1), ItemState::Running);
    invariants::check(&mut redis.inside());
    assert!(matches!(b.finished(1, "ABORTED"), Err(Error::Fenced(_))), "it is no longer b's to decide on");
    back.finished(1, "SUCCESS").unwrap();
    assert!(matches!(back.resume(1, numbered(&back, 1)), Err(Error::Fenced(_))), "it has ended");
    assert_eq!(claim_ids(&b, 9), [2], "what waited behind it goes on");
    invariants::check(&mut redis.inside());
}

#[test]
fn a_build_whose_item_went_back_to_the_queue_is_not_taken_back_even_where_the_item_runs_again() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    let first = run(&a, 1, "job");
    let b = join(&redis, "b");
    a.close();
    assert_eq!(orphaned(&b).id, 1);
    b.requeue(1, "nothing of its build was saved").unwrap();
    let back = join(&redis, "a");
    assert!(matches!(back.resume(1, first), Err(Error::Fenced(_))), "it waits");
    let second = run(&back, 1, "job");
    assert_ne!(first, second);
    assert!(matches!(back.resume(1, first), Err(Error::Fenced(_))), "it is another build's");
    back.resume(1, second).unwrap();
    invariants::check(&mut redis.inside());
}

#[test]
fn a_controller_that_only_stalled_keeps_what_nobody_else_decides_on() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let a = join_url(&proxy.url(), "a");
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    let number = run(&a, 1, "job");
    claim(&a, 1);
    a.assign_number(2, "job", 0).unwrap();
    assert!(a.holds_lease());
    a.keep(1).unwrap();
    let before = a.link().epoch;
    let b = join(&redis, "b");
    proxy.refuse(true);
    proxy.cut();
    until("the lease is over", || !a.holds_lease());
    orphaned(&b);
    orphaned(&b);
    b.close();
    proxy.refuse(false);
    until("a is back", || a.link().phase == Phase::Joined && a.link().epoch > before);
    let mut orphans = [orphaned(&a).id, orphaned(&a).id];
    orphans.sort_unstable();
    assert_eq!(orphans, [1, 2]);
    for id in [1, 2] {
        a.keep(id).unwrap();
        a.keep(id).unwrap();
        assert_eq!(state(&a, id), ItemState::Running);
    }
    invariants::check(&mut redis.inside());
    assert!(a.holds_lease());
    a.started(1, number).unwrap();
    a.finished(1, "SUCCESS").unwrap();
    a.finished(2, "SUCCESS").unwrap();
    invariants::check(&mut redis.inside());
}

#[test]
fn the_survivor_to_whom_it_fell_goes_on_with_it() {
    let redis = Redis::start();
    let proxies = [Proxy::to(redis.port), Proxy::to(redis.port)];
    let a = join_url(&proxies[0].url(), "a");
    put(&a, NewItem { concurrent: false, ..item(1, "job") });
    put(&a, NewItem { concurrent: false, ..item(2, "job") });
    let number = run(&a, 1, "job");
    let b = join_url(&proxies[1].url(), "b");
    let fenced = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Fenced(_))), "{result:?}");
    fenced(b.adopt(1));
    proxies[0].refuse(true);
    proxies[0].cut();
    orphaned(&b);
    let c = join(&redis, "c");
    fenced(c.adopt(1));
    b.adopt(1).unwrap();
    b.adopt(1).unwrap();
    invariants::check(&mut redis.inside());
    let there = b.item(1).unwrap().unwrap();
    assert_eq!((there.state, there.owner.as_str(), there.number), (ItemState::Running, "b", number));
    assert_eq!(there.epoch, b.link().epoch);
    assert_eq!(claim_ids(&b, 9), [0i64; 0], "what waits behind it waits on");

    // The old owner is back: nothing of it counts any more.
    proxies[0].refuse(false);
    until("a is back", || a.await_joined(Duration::from_millis(100)) && a.item(1).is_ok());
    fenced(a.resume(1, numbered(&a, 1)));
    fenced(a.keep(1));
    fenced(a.finished(1, "SUCCESS"));
    fenced(a.adopt(1));
    a.close();

    // The one that went on with it dies too: the next one does.
    proxies[1].refuse(true);
    proxies[1].cut();
    assert_eq!(orphaned(&c).id, 1);
    c.adopt(1).unwrap();
    invariants::check(&mut redis.inside());
    c.finished(1, "SUCCESS").unwrap();
    assert!(matches!(c.adopt(1), Err(Error::Conflict(_))), "it has ended");
    assert!(matches!(c.adopt(77), Err(Error::NotFound(_))));
    assert_eq!(claim_ids(&c, 9), [2]);
    invariants::check(&mut redis.inside());
}

#[test]
fn of_the_owner_that_is_back_and_the_survivor_one_goes_on_with_it() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    put(&a, item(2, "job"));
    run(&a, 1, "job");
    run(&a, 2, "job");
    a.close();
    orphaned(&b);
    orphaned(&b);
    let back = join(&redis, "a");
    back.resume(1, numbered(&back, 1)).unwrap();
    b.adopt(2).unwrap();
    assert!(matches!(b.adopt(1), Err(Error::Fenced(_))));
    assert!(matches!(back.resume(2, numbered(&back, 2)), Err(Error::Fenced(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn a_build_that_is_handed_over_is_its_takers_alone() {
    let redis = Redis::start();
    let proxies = [Proxy::to(redis.port), Proxy::to(redis.port)];
    let a = join_url(&proxies[0].url(), "a");
    let (b, c) = (join_url(&proxies[1].url(), "b"), join(&redis, "c"));
    put(&a, NewItem { concurrent: false, ..item(1, "job") });
    put(&a, NewItem { concurrent: false, ..item(2, "job") });
    assert!(matches!(a.hand_over(1, "b"), Err(Error::Fenced(_))), "it is nobody's yet");
    let number = run(&a, 1, "job");
    let fenced = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Fenced(_))), "{result:?}");

    assert!(!a.hand_over(1, "nobody").unwrap());
    let version = a.item(1).unwrap().unwrap().version;
    assert!(a.hand_over(1, "a").unwrap(), "it stays after all");
    assert!(a.item(1).unwrap().unwrap().version > version, "for calls that come late");
    assert_eq!(state(&a, 1), ItemState::Running);
    assert!(matches!(b.hand_over(1, "c"), Err(Error::Fenced(_))), "only its owner gives it away");
    a.unwanted(1, "eve").unwrap();
    assert!(a.hand_over(1, "b").unwrap(), "though somebody has changed it meanwhile");
    assert!(a.hand_over(1, "c").unwrap(), "it was given away before");
    invariants::check(&mut redis.inside());
    assert_eq!(orphaned(&b).number, number);
    fenced(c.adopt(1));
    fenced(a.finished(1, "SUCCESS"));
    b.adopt(1).unwrap();
    fenced(a.adopt(1));
    assert!(matches!(a.hand_over(1, "c"), Err(Error::Fenced(_))), "it is the taker's by now");
    let there = b.item(1).unwrap().unwrap();
    assert_eq!((there.state, there.owner.as_str(), there.number), (ItemState::Running, "b", number));
    assert_eq!(claim_ids(&c, 9), [0i64; 0], "what waits behind it waits on");

    // Back to where it came from, whose earlier call comes late: that changes nothing.
    assert!(b.hand_over(1, "a").unwrap());
    assert_eq!(orphaned(&a).id, 1);
    a.adopt(1).unwrap();
    assert_eq!(a.item(1).unwrap().unwrap().owner, "a");

    // The giver leaves, and the taker dies before it has it: the next member decides.
    assert!(a.hand_over(1, "b").unwrap());
    a.close();
    proxies[1].refuse(true);
    proxies[1].cut();
    assert_eq!(orphaned(&c).id, 1);
    c.adopt(1).unwrap();
    invariants::check(&mut redis.inside());
    c.finished(1, "SUCCESS").unwrap();
    assert!(matches!(c.hand_over(1, "b"), Err(Error::Conflict(_))), "it has ended");
    assert_eq!(claim_ids(&c, 9), [2]);
    invariants::check(&mut redis.inside());
}
