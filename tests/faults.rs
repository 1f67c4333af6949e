//! Redis that is away, slow, wiped, unfit or locked.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ha_jenkins::{Controller, Error, Event, Phase, Secret};
use support::proxy::Proxy;
use support::{
    Redis, await_event, await_snapshot, claim, claim_ids, free_port, invariants, item, join, join_url, offer,
    put, settings, state, until,
};

fn refused(controller: &Controller) -> String {
    until("refused", || controller.link().phase == Phase::Refused);
    controller.link().text
}

#[test]
fn nothing_acknowledged_is_lost_when_redis_is_killed() {
    let mut redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=50 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&b, 2), [1, 2]);
    redis.kill();
    assert!(matches!(a.enqueue(item(51, "job"), -1), Err(Error::Unavailable(_))));
    redis.restart();
    assert!(a.await_joined(Duration::from_secs(5)) && b.await_joined(Duration::from_secs(5)));
    until("works again", || a.enqueue(item(51, "job"), -1).is_ok());
    until("claims", || b.assign_number(1, "job", 0).is_ok());
    let mut ids = Vec::new();
    until("all are there", || {
        ids.extend(b.claim(&offer("", 99), 99, Duration::ZERO).into_iter().flatten().map(|item| item.id));
        ids.len() == 49
    });
    assert_eq!(ids, (3..=51).collect::<Vec<_>>());
    invariants::check(&mut redis.inside());
}

#[test]
fn the_event_stream_goes_on_without_a_gap_after_a_restart() {
    let mut redis = Redis::start();
    let a = join(&redis, "a");
    await_snapshot(&a);
    put(&a, item(1, "job"));
    redis.restart();
    until("works again", || a.enqueue(item(2, "job"), -1).is_ok());
    let mut ids = Vec::new();
    await_event(&a, |event| {
        match event {
            Event::Item(item) => ids.push(item.id),
            Event::Snapshot(_) => panic!("nothing was missed"),
            _ => {}
        }
        (ids == [1, 2]).then_some(())
    });
}

#[test]
fn a_wiped_redis_is_noticed_and_joined_again() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    assert!(await_snapshot(&a).is_empty());
    put(&a, item(1, "job"));
    claim(&a, 1);
    let (epoch, before) = (a.link().epoch, a.next_queue_id());
    let _: String = redis::cmd("FLUSHALL").query(&mut redis.inside()).unwrap();
    until("joined again", || a.link().phase == Phase::Joined && a.link().epoch > epoch);
    until("the claim is void", || matches!(a.assign_number(1, "job", 0), Err(Error::Fenced(_))));
    put(&a, item(2, "job"));
    let mut ids = claim_ids(&a, 2);
    until("both are there", || {
        ids.extend(claim_ids(&a, 2));
        ids == [1, 2]
    });
    assert!(
        (0..600)
            .map(|_| {
                thread::sleep(Duration::from_micros(200));
                a.next_queue_id()
            })
            .all(|id| id > before),
        "ids do not come again"
    );
}

#[test]
fn forgotten_scripts_are_loaded_again() {
    let redis = Redis::start();
    let a = Arc::new(join(&redis, "a"));
    let mut inside = redis.inside();
    let waiter = Arc::clone(&a);
    let waiting = thread::spawn(move || waiter.claim(&offer("", 1), 1, Duration::from_secs(10)));
    thread::sleep(Duration::from_millis(100));
    for id in 1..=5 {
        let _: String = redis::cmd("SCRIPT").arg("FLUSH").query(&mut inside).unwrap();
        put(&a, item(id, "job"));
    }
    assert_eq!(waiting.join().unwrap().unwrap()[0].id, 1);
    for id in 2..=5 {
        let _: String = redis::cmd("SCRIPT").arg("FLUSH").query(&mut inside).unwrap();
        assert_eq!(claim_ids(&a, 1), [id]);
        a.assign_number(id, "job", 0).unwrap();
        a.finished(id, "SUCCESS").unwrap();
    }
    assert_eq!(a.link().phase, Phase::Joined);
}

#[test]
fn a_stalled_redis_bounds_every_call_and_all_goes_on_after() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    redis.signal("-STOP");
    let began = Instant::now();
    assert!(matches!(a.enqueue(item(2, "job"), -1), Err(Error::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_millis(2300), "{:?}", began.elapsed());
    until("lost", || a.link().phase == Phase::Lost);
    let began = Instant::now();
    assert!(matches!(a.item(1), Err(Error::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_millis(100), "known to be away: {:?}", began.elapsed());
    redis.signal("-CONT");
    assert!(a.await_joined(Duration::from_secs(5)));
    assert!(a.enqueue(item(2, "job"), -1).unwrap().accepted);
    assert_eq!(claim_ids(&a, 9), [1, 2]);
    invariants::check(&mut redis.inside());
}

#[test]
fn cut_connections_are_hardly_noticed() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), Arc::new(join_url(&proxy.url(), "b")));
    let epochs = (a.link().epoch, b.link().epoch);
    let stop = Arc::new(AtomicBool::new(false));
    let (taker, stopped) = (Arc::clone(&b), Arc::clone(&stop));
    let taking = thread::spawn(move || {
        let mut ids = Vec::new();
        while !stopped.load(Ordering::SeqCst) {
            for item in taker.claim(&offer("", 4), 4, Duration::from_millis(500)).into_iter().flatten() {
                ids.push(item.id);
                let done = || -> Result<(), Error> {
                    let number = taker.assign_number(item.id, "job", 0)?;
                    taker.started(item.id, number)?;
                    taker.finished(item.id, "SUCCESS")
                };
                until("finished", || {
                    done().is_ok() || taker.item(item.id).is_ok_and(|item| item.unwrap().state.ended())
                });
            }
        }
        ids
    });
    for id in 1..=200 {
        if id % 20 == 0 {
            proxy.cut();
        }
        until("enqueued", || a.enqueue(item(id, "job"), -1).is_ok_and(|answer| answer.accepted));
    }
    until("all are done", || a.items().is_ok_and(|items| items.is_empty()));
    stop.store(true, Ordering::SeqCst);
    let mut ids = taking.join().unwrap();
    ids.sort_unstable();
    assert_eq!(ids, (1..=200).collect::<Vec<_>>(), "each was handed out once");
    assert_eq!((a.link().epoch, b.link().epoch), epochs, "no membership was lost");
    invariants::check(&mut redis.inside());
}

#[test]
fn however_many_call_at_once_each_gets_its_own_answer_over_few_connections() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let a = join_url(&proxy.url(), "a");
    assert!((1..=4).contains(&storm(&redis, &a, 0, || {})));
    // What goes out together breaks together; everybody tries for himself then.
    let mut flush = redis.inside();
    storm(&redis, &a, 10_000, || {
        proxy.cut();
        let _: String = redis::cmd("SCRIPT").arg("FLUSH").query(&mut flush).unwrap();
    });
    // The last cut may have been a moment ago.
    until("all are there", || a.items().is_ok_and(|items| items.len() == 2 * 64 * 20));
    assert!(connections(&redis) <= 4, "no more are kept");
    invariants::check(&mut redis.inside());
}

/// Stores and reads items from 64 threads; the most connections that were seen.
fn storm(redis: &Redis, a: &Controller, base: i64, mut meanwhile: impl FnMut()) -> usize {
    let one = |id: i64| {
        let job = format!("job {id}");
        until("stored", || a.enqueue(item(id, &job), -1).is_ok_and(|answer| answer.accepted));
        until("read", || a.item(id).is_ok_and(|item| item.is_some_and(|item| item.job == job)));
        assert!(matches!(a.item(id + 100_000), Ok(None) | Err(Error::Unavailable(_))));
    };
    let call = |caller: i64| (1..=20).for_each(|nth| one(base + caller * 20 + nth));
    let mut most = 0;
    // A fresh connection is of use to somebody before it is cut again, however busy the machine is.
    let mut pause = Duration::from_millis(50);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..64)
            .map(|caller| {
                scope.spawn({
                    let call = &call;
                    move || call(caller)
                })
            })
            .collect();
        while callers.iter().any(|caller| !caller.is_finished()) {
            most = most.max(connections(redis));
            meanwhile();
            thread::sleep(pause);
            pause = (pause * 3 / 2).min(Duration::from_secs(2));
        }
    });
    most
}

/// Those for commands.
fn connections(redis: &Redis) -> usize {
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut redis.inside()).unwrap();
    clients.lines().filter(|client| client.contains(" name=ha-jenkins:a ")).count()
}

#[test]
fn a_reader_that_missed_events_gets_a_snapshot() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join(&redis, "a"), join_url(&proxy.url(), "b"));
    await_snapshot(&b);
    proxy.refuse(true);
    proxy.cut();
    for id in 1..=5 {
        put(&a, item(id, "job"));
    }
    let _: i64 =
        redis::cmd("XTRIM").arg("{haj:test}:events").arg("MAXLEN").arg(1).query(&mut redis.inside()).unwrap();
    proxy.refuse(false);
    let items = await_snapshot(&b);
    assert_eq!(items.len(), 5);
    assert!(items.iter().all(|item| item.payload.is_some()));
}

#[test]
fn a_snapshot_of_thousands_is_complete_and_later_changes_follow() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=2500 {
        put(&a, item(id, "job"));
    }
    let b = join(&redis, "b");
    let items = await_snapshot(&b);
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), (1..=2500).collect::<Vec<_>>());
    assert_eq!(a.items().unwrap().len(), 2500);
    a.cancel(7, "eve").unwrap();
    let ended = await_event(&b, |event| match event {
        Event::Item(item) if item.state.ended() => Some(item.id),
        _ => None,
    });
    assert_eq!(ended, 7);
}

#[test]
fn it_joins_whenever_redis_comes_up() {
    let port = free_port();
    let a = Controller::open(settings(&format!("redis://127.0.0.1:{port}"), "a")).unwrap();
    until("tells why", || a.link().text.contains("connection refused"));
    assert_eq!(a.link().phase, Phase::Connecting);
    let began = Instant::now();
    assert!(
        matches!(a.enqueue(item(1, "job"), -1), Err(Error::Unavailable(text)) if text.contains(&port.to_string()))
    );
    assert!(began.elapsed() < Duration::from_millis(100));
    let began = Instant::now();
    assert!(matches!(a.claim(&offer("", 1), 1, Duration::from_millis(300)), Err(Error::Unavailable(_))));
    assert!(began.elapsed() >= Duration::from_millis(300), "no spinning");
    let mut redis = Redis::start();
    redis.move_to(port);
    assert!(a.await_joined(Duration::from_secs(6)));
    put(&a, item(1, "job"));
}

#[test]
fn a_wrong_password_is_refused_and_never_shown() {
    let redis = Redis::with(&["--requirepass", "right-one"]);
    let test = |url: &str, password: Option<&str>| {
        let mut settings = settings(url, "a");
        settings.password = password.map(Secret::new);
        settings.origins.redis_password = "the environment variable HA_REDIS_PASSWORD".into();
        settings
    };
    let timeout = Duration::from_secs(2);
    let secret_url = format!("redis://:wrong-one@127.0.0.1:{}", redis.port);
    for settings in [test(&redis.url(), None), test(&redis.url(), Some("wrong-one")), test(&secret_url, None)]
    {
        let error = Controller::test(settings.clone(), timeout).unwrap_err();
        assert!(
            matches!(&error, Error::Refused(text) if text.contains("it in the environment variable HA_REDIS_PASSWORD")),
            "{error}"
        );
        let text = refused(&Controller::open(settings.clone()).unwrap());
        for shown in [text, error.to_string(), format!("{error:?} {settings:?}")] {
            assert!(!shown.contains("wrong-one"), "{shown}");
        }
    }
    let (found, warning) = Controller::test(test(&redis.url(), Some("right-one")), timeout).unwrap();
    assert!(found.starts_with("Redis 7.") && warning.contains("append-only"), "{found} {warning}");
    let a = Controller::open(test(&secret_url, Some("right-one"))).unwrap();
    assert!(a.await_joined(timeout));
}

#[test]
fn a_redis_that_may_evict_is_refused_with_the_remedy() {
    let redis = Redis::with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let a = Controller::open(settings(&redis.url(), "a")).unwrap();
    assert!(refused(&a).contains("maxmemory-policy noeviction"));
    let _: String = redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxmemory-policy")
        .arg("noeviction")
        .query(&mut redis.inside())
        .unwrap();
    assert!(a.await_joined(Duration::from_secs(8)), "it looks again by itself");
}

#[test]
fn a_full_redis_says_so_and_keeps_what_it_has() {
    let redis = Redis::with(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]);
    let a = join(&redis, "a");
    let mut stored = 0;
    let error = loop {
        let mut big = item(stored + 1, "job");
        big.payload = vec![b'x'; 200_000];
        match a.enqueue(big, -1) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100);
    };
    assert!(matches!(&error, Error::Unavailable(text) if text.contains("maxmemory")), "{error}");
    let _: String =
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("100mb").query(&mut redis.inside()).unwrap();
    assert!(a.await_joined(Duration::from_secs(5)));
    assert_eq!(i64::try_from(a.items().unwrap().len()).unwrap(), stored);
    invariants::check(&mut redis.inside());
}

#[test]
fn the_documented_acl_user_is_enough() {
    let redis = Redis::start();
    let _: String = redis::cmd("ACL")
        .arg(&[
            "SETUSER",
            "jenkins",
            "on",
            ">pw",
            "~{haj:*}:*",
            "+@read",
            "+@write",
            "+@scripting",
            "+@connection",
            "+info",
            "+time",
        ])
        .query(&mut redis.inside())
        .unwrap();
    let mut restricted = settings(&redis.url(), "a");
    (restricted.username, restricted.password) = (Some("jenkins".into()), Some(Secret::new("pw")));
    let a = Controller::open(restricted).unwrap();
    assert!(a.await_joined(Duration::from_secs(5)), "{:?}", a.link());
    put(&a, item(1, "job"));
    assert_eq!(a.claim(&offer("", 1), 1, Duration::from_secs(1)).unwrap()[0].id, 1);
    a.wake();
    a.announce("t", "", 0, b"").unwrap();
    assert_eq!(state(&a, 1), ha_jenkins::ItemState::Claimed);
}
