//! Leases, and what becomes of a dead controller's work.

mod support;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ha_jenkins::{Controller, Error, Event, ItemState, NewItem, Phase, SealKey};
use support::proxy::Proxy;
use support::{
    Redis, await_event, await_snapshot, claim, claim_ids, invariants, item, join, join_url, offer, put,
    settings, state, until,
};

#[test]
fn members_are_listed_with_their_leases() {
    let redis = Redis::start();
    let (a, _b) = (join(&redis, "a"), join(&redis, "b"));
    let mut members = a.members().unwrap();
    members.sort_by(|x, y| x.controller_id.cmp(&y.controller_id));
    assert_eq!(members.len(), 2);
    assert_eq!(
        (members[1].name.as_str(), members[1].url.as_str(), members[1].version.as_str()),
        ("B", "http://b/", "1")
    );
    assert!(members[0].epoch != members[1].epoch && members[0].lease_ms > 0);
    assert_eq!(a.link().epoch, members[0].epoch);
}

#[test]
fn a_dead_controllers_claimed_items_go_to_others_within_a_lease() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    for id in 1..=3 {
        put(&b, NewItem { concurrent: id != 2, ..item(id, "job") });
    }
    assert_eq!(claim_ids(&a, 2), [1, 2]);
    let began = Instant::now();
    proxy.refuse(true);
    proxy.cut();
    assert_eq!(claim_ids(&b, 9), [3]);
    let got = b.claim(&offer("", 9), 9, Duration::from_secs(10)).unwrap();
    assert_eq!(got.iter().map(|item| item.id).collect::<Vec<_>>(), [1, 2]);
    assert!(began.elapsed() < Duration::from_millis(1500 + 400), "{:?}", began.elapsed());
    assert!(got[0].why.contains("A stopped answering"), "{}", got[0].why);
    until("a knows", || a.link().phase == Phase::Lost);
    assert!(matches!(a.assign_number(1, "job", 0), Err(Error::Unavailable(_))));
    proxy.refuse(false);
    assert!(a.await_joined(Duration::from_secs(5)));
    assert!(matches!(a.assign_number(1, "job", 0), Err(Error::Fenced(_))), "it is b's now");
    invariants::check(&mut redis.inside());
}

#[test]
fn a_dead_controllers_builds_await_the_reapers_decision() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    await_snapshot(&b);
    for id in 1..=2 {
        put(&a, NewItem { concurrent: false, ..item(id, &format!("job{id}")) });
    }
    claim(&a, 2);
    a.assign_number(1, "job1", 0).unwrap();
    a.started(1, 1).unwrap();
    a.assign_number(2, "job2", 6).unwrap();
    proxy.refuse(true);
    proxy.cut();
    let mut orphans = Vec::new();
    await_event(&b, |event| {
        if let Event::Orphaned(item) = event {
            assert_eq!((item.state, item.owner.as_str()), (ItemState::Orphaned, "a"));
            orphans.push(item.id);
        }
        (orphans.len() == 2).then_some(())
    });
    orphans.sort_unstable();
    assert_eq!(orphans, [1, 2]);
    invariants::check(&mut redis.inside());
    b.finished(1, "ABORTED").unwrap();
    b.finished(1, "ABORTED").unwrap();
    b.requeue(2, "its controller died").unwrap();
    b.requeue(2, "its controller died").unwrap();
    assert_eq!(state(&b, 1), ItemState::Done);
    let again = claim(&b, 9);
    assert_eq!((again[0].id, again[0].number), (2, 0));
    assert_eq!(b.assign_number(2, "job2", 0).unwrap(), 8, "a number is not given twice");
    proxy.refuse(false);
    assert!(a.await_joined(Duration::from_secs(5)));
    assert!(matches!(a.started(2, 7), Err(Error::Fenced(_))));
    assert!(matches!(a.finished(1, "SUCCESS"), Err(Error::Fenced(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn orphans_of_a_dead_reaper_fall_to_the_next() {
    let redis = Redis::start();
    let proxies = [Proxy::to(redis.port), Proxy::to(redis.port)];
    let a = join_url(&proxies[0].url(), "a");
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.assign_number(1, "job", 0).unwrap();
    let b = join_url(&proxies[1].url(), "b");
    proxies[0].refuse(true);
    proxies[0].cut();
    let orphaned = |controller: &Controller| {
        await_event(controller, |event| match event {
            Event::Orphaned(item) => Some(item.id),
            _ => None,
        })
    };
    assert_eq!(orphaned(&b), 1);
    let c = join(&redis, "c");
    proxies[1].refuse(true);
    proxies[1].cut();
    assert_eq!(orphaned(&c), 1);
    c.requeue(1, "both died").unwrap();
    assert_eq!(claim_ids(&c, 1), [1]);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_restarted_controller_decides_on_its_own_builds_at_once() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=2 {
        put(&a, item(id, "job"));
    }
    claim(&a, 2);
    a.assign_number(1, "job", 0).unwrap();
    a.started(1, 1).unwrap();
    let first = a.link().epoch;
    let again = join(&redis, "a");
    assert!(again.link().epoch > first);
    let orphan = await_event(&again, |event| match event {
        Event::Orphaned(item) => Some(item),
        _ => None,
    });
    assert_eq!((orphan.id, orphan.number), (1, 1));
    assert_eq!(claim_ids(&again, 9), [2]);
    invariants::check(&mut redis.inside());
    until("the copy is refused", || a.link().phase == Phase::Refused);
    assert!(a.link().text.contains("same id"), "{}", a.link().text);
    again.finished(1, "SUCCESS").unwrap();
}

#[test]
fn builds_of_a_controller_that_left_are_decided_by_a_survivor() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.assign_number(1, "job", 0).unwrap();
    a.close();
    let id = await_event(&b, |event| match event {
        Event::Orphaned(item) => Some(item.id),
        _ => None,
    });
    assert_eq!(id, 1);
    invariants::check(&mut redis.inside());
}

#[test]
fn nobody_is_declared_dead_because_redis_was_away() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let epochs = (a.link().epoch, b.link().epoch);
    put(&a, item(1, "job"));
    claim(&a, 1);
    redis.signal("-STOP");
    until("a notices", || a.link().phase == Phase::Lost && b.link().phase == Phase::Lost);
    thread::sleep(Duration::from_secs(1));
    redis.signal("-CONT");
    assert!(a.await_joined(Duration::from_secs(5)) && b.await_joined(Duration::from_secs(5)));
    assert_eq!((a.link().epoch, b.link().epoch), epochs);
    assert_eq!(a.assign_number(1, "job", 0).unwrap(), 1);
}

#[test]
fn a_controller_that_cannot_renew_starts_nothing_before_others_take_over() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let a = join_url(&proxy.url(), "a");
    put(&a, item(1, "job"));
    claim(&a, 1);
    proxy.stall(true);
    thread::sleep(Duration::from_millis(1250));
    let began = Instant::now();
    assert!(matches!(a.assign_number(1, "job", 0), Err(Error::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_millis(50), "refused without asking: {:?}", began.elapsed());
}

#[test]
fn other_secrets_are_refused_with_the_controller_to_copy_from() {
    let redis = Redis::start();
    let _a = join(&redis, "a");
    let mut other = settings(&redis.url(), "b");
    other.key = SealKey::new([8; 32]);
    let b = Controller::open(other.clone()).unwrap();
    until("refused", || b.link().phase == Phase::TurnedAway);
    assert!(b.link().text.contains("secrets/") && b.link().text.contains('A'), "{}", b.link().text);
    assert!(matches!(b.enqueue(item(1, "job"), -1), Err(Error::Refused(_))));
    assert!(matches!(Controller::test(other, Duration::from_secs(2)), Err(Error::Refused(_))));
}

#[test]
fn a_newer_schema_is_refused() {
    let redis = Redis::start();
    drop(join(&redis, "a"));
    let _: i32 =
        redis::cmd("HSET").arg("{haj:test}:meta").arg("schema").arg("3").query(&mut redis.inside()).unwrap();
    let b = Controller::open(settings(&redis.url(), "b")).unwrap();
    until("refused", || b.link().phase == Phase::Refused);
    assert!(b.link().text.contains("update this controller's plugin"), "{}", b.link().text);
}

#[test]
fn a_process_that_was_stopped_finds_itself_fenced() {
    // Another process of this very test program plays the controller that stalls.
    if let Ok(url) = std::env::var("HA_JENKINS_TEST_STALLED") {
        let a = join_url(&url, "stalled");
        let items = a.claim(&offer("", 1), 1, Duration::from_secs(10)).unwrap();
        println!("claimed {}", items[0].id);
        loop {
            thread::sleep(Duration::from_millis(100));
            let phase = a.link();
            match a.assign_number(items[0].id, "job", 100) {
                Err(Error::Fenced(_)) => std::process::exit(7),
                Err(_) => {}
                Ok(1) | Ok(101)
                    if phase.phase == Phase::Joined
                        && !std::path::Path::new(&std::env::var("HA_JENKINS_TEST_GO").unwrap()).exists() => {}
                Ok(_) => std::process::exit(8),
            }
        }
    }
    let redis = Redis::start();
    let b = join(&redis, "b");
    put(&b, item(1, "job"));
    let go = std::env::temp_dir().join(format!("ha-jenkins-go-{}", std::process::id()));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["a_process_that_was_stopped_finds_itself_fenced", "--exact"])
        .env("HA_JENKINS_TEST_STALLED", redis.url())
        .env("HA_JENKINS_TEST_GO", &go)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("claimed", || b.item(1).unwrap().unwrap().owner == "stalled");
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success())
    };
    signal("-STOP");
    let orphan = await_event(&b, |event| match event {
        Event::Orphaned(item) | Event::Item(item) if item.state == ItemState::Orphaned => Some(item.id),
        Event::Item(item) if item.state == ItemState::Queued && item.version > 1 => Some(item.id),
        _ => None,
    });
    assert_eq!(orphan, 1);
    std::fs::write(&go, "").unwrap();
    signal("-CONT");
    let status = child.wait().unwrap();
    let _ = std::fs::remove_file(&go);
    assert_eq!(status.code(), Some(7), "it went on with an item that is not its own");
}
