//! Announcements and commands.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ha_jenkins::{Error, Event};
use support::proxy::Proxy;
use support::{Redis, await_event, await_snapshot, join, join_url, until};

const TIMEOUT: Duration = Duration::from_secs(5);

#[test]
fn an_announcement_reaches_all_others_as_it_was_sent() {
    let redis = Redis::start();
    let (a, b, c) = (join(&redis, "a"), join(&redis, "b"), join(&redis, "c"));
    for controller in [&a, &b, &c] {
        await_snapshot(controller);
    }
    a.announce("run", "folder/job", 12, b"\0\n\xff").unwrap();
    b.announce("end", "", 0, b"").unwrap();
    let heard = |controller| {
        await_event(controller, |event| match event {
            Event::Announcement { from, topic, subject, number, body } => {
                Some((from, topic, subject, number, body))
            }
            _ => None,
        })
    };
    let sent = ("a".to_owned(), "run".to_owned(), "folder/job".to_owned(), 12, b"\0\n\xff".to_vec());
    assert_eq!(heard(&b), sent);
    assert_eq!(heard(&c), sent);
    assert_eq!(heard(&a).1, "end", "not its own");
}

#[test]
fn what_was_announced_while_a_controller_was_held_dead_is_heard_when_it_is_back() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let (a, b) = (join_url(&proxy.url(), "a"), join(&redis, "b"));
    await_snapshot(&a);
    let epoch = a.link().epoch;
    proxy.stall(true);
    until("a is held dead", || b.members().unwrap().len() == 1);
    for number in 1..=3 {
        b.announce("run", "job", number, b"").unwrap();
    }
    proxy.cut();
    proxy.stall(false);
    for expected in 1..=3 {
        let heard = await_event(&a, |event| match event {
            Event::Announcement { number, .. } => Some(number),
            _ => None,
        });
        assert_eq!(heard, expected);
    }
    assert!(a.link().epoch > epoch);
}

#[test]
fn announcements_and_commands_without_the_seal_are_dropped() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    let mut inside = redis.inside();
    let n: i64 = redis::cmd("INCR").arg("{haj:test}:eventno").query(&mut inside).unwrap();
    let forged = ["k", "a", "f", "a", "t", "evil", "s", "", "x", "0", "b", "x", "c", "wrong"];
    let _: String = redis::cmd("XADD")
        .arg("{haj:test}:events")
        .arg("*")
        .arg("n")
        .arg(n)
        .arg(&forged)
        .query(&mut inside)
        .unwrap();
    let forged = ["k", "c", "f", "a", "t", "evil", "r", "1", "b", "x", "c", "wrong"];
    let _: String =
        redis::cmd("XADD").arg("{haj:test}:inbox:b").arg("*").arg(&forged).query(&mut inside).unwrap();
    a.announce("good", "", 0, b"").unwrap();
    let topic = await_event(&b, |event| match event {
        Event::Announcement { topic, .. } | Event::Command { topic, .. } => Some(topic),
        _ => None,
    });
    assert_eq!(topic, "good");
    assert!(
        !std::iter::from_fn(|| b.next_event(Duration::from_millis(100)).unwrap())
            .any(|event| matches!(event, Event::Command { .. }))
    );
}

#[test]
fn a_command_is_answered_once_however_often_it_is_asked() {
    let redis = Redis::start();
    let (a, b) = (Arc::new(join(&redis, "a")), Arc::new(join(&redis, "b")));
    let worker = Arc::clone(&b);
    let working = thread::spawn(move || {
        let mut answered = 0;
        while let Ok(event) = worker.next_event(Duration::from_secs(2)) {
            match event {
                Some(Event::Command { from, topic, body, request_id }) => {
                    assert_eq!(
                        (from.as_str(), topic.as_str(), body.as_slice()),
                        ("a", "abort", b"job #1".as_slice())
                    );
                    answered += 1;
                    worker.answer(&request_id, format!("answer {answered}").as_bytes()).unwrap();
                }
                Some(_) => {}
                None => break,
            }
        }
        answered
    });
    assert_eq!(a.ask("b", "abort", b"job #1", "r1", TIMEOUT).unwrap(), b"answer 1");
    assert_eq!(a.ask("b", "abort", b"job #1", "r1", TIMEOUT).unwrap(), b"answer 1");
    assert_eq!(a.ask("b", "abort", b"job #1", "r2", TIMEOUT).unwrap(), b"answer 2");
    assert_eq!(working.join().unwrap(), 2);
}

#[test]
fn asking_nobody_or_somebody_silent_is_told() {
    let redis = Redis::start();
    let (a, _b) = (join(&redis, "a"), join(&redis, "b"));
    assert!(matches!(a.ask("nobody", "t", b"", "r1", TIMEOUT), Err(Error::NotFound(_))));
    let began = Instant::now();
    assert!(matches!(a.ask("b", "t", b"", "r2", Duration::from_millis(300)), Err(Error::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(matches!(a.answer("r3", b""), Err(Error::NotFound(_))));
}

#[test]
fn a_restarted_controller_gets_the_commands_it_had_not_answered() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    let b = join(&redis, "b");
    for request in ["r1", "r2", "r3"] {
        let _ = a.ask("b", "t", b"", request, Duration::from_millis(1));
    }
    let mut got = 0;
    await_event(&b, |event| {
        got += usize::from(matches!(event, Event::Command { .. }));
        (got == 3).then_some(())
    });
    b.answer("r1", b"1").unwrap();
    b.answer("r3", b"3").unwrap();
    let again = join(&redis, "b");
    let mut ids = Vec::new();
    until("the open command comes again", || {
        if let Some(Event::Command { request_id, .. }) = again.next_event(Duration::from_millis(100)).unwrap()
        {
            ids.push(request_id);
        }
        !ids.is_empty()
    });
    while let Some(event) = again.next_event(Duration::from_millis(200)).unwrap() {
        if let Event::Command { request_id, .. } = event {
            ids.push(request_id);
        }
    }
    assert_eq!(ids, ["r2"]);
    again.answer("r2", b"2").unwrap();
    for (request, answer) in [("r1", b"1"), ("r2", b"2"), ("r3", b"3")] {
        assert_eq!(a.ask("b", "t", b"", request, TIMEOUT).unwrap(), answer);
    }
}
