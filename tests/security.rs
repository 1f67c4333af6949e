//! What somebody else who can write to the same Redis, or fill it, cannot do to a cluster.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use ha_jenkins::{Cancel, Controller, Error, Event, ItemState, Secret, Turn};
use redis::Connection;
use support::{
    Redis, await_event, await_snapshot, claim, claim_ids, item, join, put, settings, state, until,
};

const TIMEOUT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);

/// The rights that docs/security.md gives the plugin's user, for this cluster.
fn documented_rights(cluster: &str) -> Vec<String> {
    let manual = include_str!("../docs/security.md");
    let at = manual.find("~{haj:<cluster>}:*").expect("the manual names the rights");
    let line = manual[at..].lines().next().unwrap_or_default();
    line.trim_end_matches('`').replace("<cluster>", cluster).split(' ').map(str::to_owned).collect()
}

/// The plugin's user with no more rights than the manual gives it.
fn join_with_least_rights(redis: &Redis, name: &str) -> Controller {
    let mut settings = settings(&redis.url(), name);
    settings.username = Some("ha".into());
    settings.password = Some(Secret::new("s3cret"));
    let controller = Controller::open(settings).unwrap();
    assert!(controller.await_joined(TIMEOUT), "{:?}", controller.link());
    controller
}

#[test]
fn a_whole_cluster_runs_with_the_rights_that_the_manual_gives_it() {
    let redis = Redis::start();
    let mut inside = redis.inside();
    let mut user = redis::cmd("ACL");
    user.arg("SETUSER").arg("ha").arg("reset").arg("on").arg(">s3cret").arg(documented_rights("test"));
    user.exec(&mut inside).unwrap();
    let (a, b) = (join_with_least_rights(&redis, "a"), join_with_least_rights(&redis, "b"));
    await_snapshot(&a);
    let mut serial = item(1, "job");
    serial.concurrent = false;
    for id in 1..=4 {
        put(&a, ha_jenkins::NewItem { id, ..serial.clone() });
    }
    assert_eq!(claim_ids(&a, 4), [1]);
    assert_eq!(a.assign_number(1, "job", 0).unwrap(), 1);
    a.started(1, 1).unwrap();
    a.finished(1, "SUCCESS").unwrap();
    assert!(a.fold(4, -1, b"more", -1).unwrap().accepted);
    assert_eq!(claim_ids(&b, 4), [2]);
    b.release(2, 0, "not here").unwrap();
    assert_eq!(a.cancel(3, "somebody").unwrap(), Cancel::Cancelled);
    assert_eq!(a.begin("minute:1", LONG).unwrap(), Turn::First);
    a.done("minute:1", "", LONG).unwrap();
    b.announce("run", "job", 1, b"").unwrap();
    assert!(matches!(a.ask("b", "t", b"", "r1", Duration::from_millis(50)), Err(Error::Unavailable(_))));
    await_event(&b, |event| matches!(event, Event::Command { .. }).then_some(()));
    b.answer("r1", b"yes").unwrap();
    assert_eq!(a.ask("b", "t", b"", "r1", TIMEOUT).unwrap(), b"yes");
    assert_eq!(claim_ids(&b, 4), [2]);
    assert_eq!(b.assign_number(2, "job", 0).unwrap(), 2);
    b.started(2, 2).unwrap();
    b.close();
    let orphan = await_event(&a, |event| match event {
        Event::Orphaned(item) => Some(item.id),
        _ => None,
    });
    assert_eq!(a.rerun(orphan, "ABORTED", 20, b"again", Some(3)).unwrap(), Some(20));
    redis::cmd("FLUSHALL").exec(&mut inside).unwrap();
    until("what was lost is back", || a.item(4).is_ok_and(|item| item.is_some()));
    assert!(
        Controller::test(
            {
                let mut settings = settings(&redis.url(), "c");
                settings.username = Some("ha".into());
                settings.password = Some(Secret::new("s3cret"));
                settings
            },
            TIMEOUT
        )
        .is_ok()
    );

    let as_the_user: Vec<&str> = vec!["FLUSHALL", "FLUSHDB", "SWAPDB", "KEYS", "CONFIG", "SET"];
    let client = redis::Client::open(format!("redis://ha:s3cret@127.0.0.1:{}", redis.port)).unwrap();
    let mut as_user = client.get_connection().unwrap();
    for command in as_the_user {
        let mut forbidden = redis::cmd(command);
        match command {
            "SWAPDB" => forbidden.arg(0).arg(1),
            "KEYS" => forbidden.arg("*"),
            "CONFIG" => forbidden.arg("GET").arg("requirepass"),
            "SET" => forbidden.arg("{haj:other}:meta").arg("x"),
            _ => &mut forbidden,
        };
        let answer = forbidden.exec(&mut as_user).unwrap_err();
        assert_eq!(answer.code(), Some("NOPERM"), "{command}: {answer}");
    }
}

/// From now on Redis' memory is full, as if another user of it had filled it.
fn fill(inside: &mut Connection) {
    redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("100kb").exec(inside).unwrap();
    let full = redis::cmd("SET").arg("one").arg("more").exec(inside).unwrap_err();
    assert_eq!(full.code(), Some("OOM"));
}

#[test]
fn leases_last_and_the_queue_is_worked_off_while_redis_memory_is_full() {
    let redis = Redis::with(&["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&a);
    await_snapshot(&b);
    for id in 1..=3 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&a, 1), [1]);
    let epochs = (a.link().epoch, b.link().epoch);
    fill(&mut redis.inside());

    assert!(matches!(a.enqueue(item(4, "job"), -1), Err(Error::Unavailable(_))), "what is new waits outside");
    assert!(matches!(a.begin("delivery:x", LONG), Err(Error::Unavailable(_))));
    // Longer than a lease.
    let end = std::time::Instant::now() + Duration::from_secs(4);
    while std::time::Instant::now() < end {
        assert_eq!(a.members().unwrap().len(), 2);
        assert!(a.holds_lease() && b.holds_lease());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((a.link().epoch, b.link().epoch), epochs);
    assert_eq!(a.begin("minute:1", LONG).unwrap(), Turn::First);
    a.done("minute:1", "", LONG).unwrap();
    assert_eq!(a.assign_number(1, "job", 0).unwrap(), 1);
    a.started(1, 1).unwrap();
    a.finished(1, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&b, 1), [2]);
    b.release(2, 0, "").unwrap();
    assert_eq!(a.cancel(3, "somebody").unwrap(), Cancel::Cancelled);
    let asked = a.ask("b", "stop", b"", "r1", Duration::from_millis(50));
    assert!(matches!(asked, Err(Error::Unavailable(_))), "{asked:?}");
    await_event(&b, |event| matches!(event, Event::Command { .. }).then_some(()));
    b.answer("r1", b"ok").unwrap();
    a.announce("run", "job", 1, b"").unwrap();
    b.wake();
    let again = join(&redis, "c");
    assert_eq!(claim_ids(&b, 1), [2]);
    b.close();
    until("what b held is free", || a.members().unwrap().len() == 2);
    assert_eq!(claim_ids(&again, 1), [2]);
}

type Fields = Vec<(String, Vec<u8>)>;

fn entries(inside: &mut Connection, stream: &str) -> Vec<(String, Fields)> {
    redis::cmd("XRANGE").arg(stream).arg("-").arg("+").query(inside).unwrap()
}

fn write_again(inside: &mut Connection, stream: &str, fields: &[(String, Vec<u8>)], number: Option<i64>) {
    let mut cmd = redis::cmd("XADD");
    cmd.arg(stream).arg("*");
    for (name, value) in fields {
        match number.filter(|_| name == "n") {
            Some(number) => cmd.arg(name).arg(number),
            None => cmd.arg(name).arg(value),
        };
    }
    let _: String = cmd.query(inside).unwrap();
}

#[test]
fn a_command_that_is_written_into_redis_again_is_not_carried_out_again() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    let _ = a.ask("b", "stop", b"job #1", "r1", Duration::from_millis(1));
    let command = |controller: &Controller| {
        await_event(controller, |event| match event {
            Event::Command { topic, request_id, .. } => Some((topic, request_id)),
            _ => None,
        })
    };
    assert_eq!(command(&b), ("stop".to_owned(), "r1".to_owned()));
    b.answer("r1", b"ok").unwrap();

    let mut inside = redis.inside();
    let inbox = entries(&mut inside, "{haj:test}:inbox:b");
    let (_, stop) = inbox.iter().find(|(_, fields)| fields.iter().any(|(name, _)| name == "p")).unwrap();
    // What tells that it was answered goes first.
    redis::cmd("DEL").arg("{haj:test}:done:r1").exec(&mut inside).unwrap();
    write_again(&mut inside, "{haj:test}:inbox:b", stop, None);
    let _ = a.ask("b", "next", b"", "r2", Duration::from_millis(1));
    assert_eq!(command(&b), ("next".to_owned(), "r2".to_owned()), "the old one was taken again");
}

#[test]
fn an_announcement_that_is_written_into_redis_again_is_not_heard_again() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    let heard = |controller: &Controller| {
        await_event(controller, |event| match event {
            Event::Announcement { topic, .. } => Some(topic),
            _ => None,
        })
    };
    a.announce("deleted", "job", 1, b"").unwrap();
    assert_eq!(heard(&b), "deleted");
    let mut inside = redis.inside();
    let events = entries(&mut inside, "{haj:test}:events");
    let (_, deleted) = events.iter().find(|(_, fields)| fields.iter().any(|(name, _)| name == "p")).unwrap();
    let n: i64 = redis::cmd("INCR").arg("{haj:test}:eventno").query(&mut inside).unwrap();
    write_again(&mut inside, "{haj:test}:events", deleted, Some(n));
    a.announce("next", "", 0, b"").unwrap();
    assert_eq!(heard(&b), "next", "the old one was heard again");
}

#[test]
fn an_item_that_cannot_be_read_is_set_aside_alone() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&a);
    let mut serial = item(1, "serial");
    serial.concurrent = false;
    put(&a, serial.clone());
    put(&a, ha_jenkins::NewItem { id: 2, ..serial.clone() });
    put(&a, item(3, "job"));
    put(&a, item(4, "job"));
    put(&a, ha_jenkins::NewItem { quiet_ms: 100, ..item(5, "job") });
    let mut inside = redis.inside();
    for (id, damage) in [(1, "a line too many"), (3, "nothing"), (5, "no number")] {
        let key = format!("{{haj:test}}:item:{id}");
        let text: String = redis::cmd("HGET").arg(&key).arg("v").query(&mut inside).unwrap();
        let damaged = match damage {
            "a line too many" => text.replacen("\nQ\n", "\nQ\n\n", 1),
            "no number" => text.replacen("\nQ\n1\n", "\nQ\nx\n", 1),
            _ => String::new(),
        };
        assert_ne!(text, damaged);
        redis::cmd("HSET").arg(&key).arg("v").arg(damaged).exec(&mut inside).unwrap();
    }
    let mut claimed = Vec::new();
    until("all others are claimed", || {
        claimed.extend(claim_ids(&b, 10));
        claimed.len() >= 2
    });
    claimed.sort_unstable();
    assert_eq!(claimed, [2, 4], "what waits behind the damaged one goes on");
    for id in [1, 3, 5] {
        until("it is set aside", || state(&a, id) == ItemState::Unreadable);
        let item = a.item(id).unwrap().unwrap();
        assert!(item.why.contains("cannot be read"), "{}", item.why);
        let bytes: bool = redis::cmd("HEXISTS")
            .arg(format!("{{haj:test}}:item:{id}"))
            .arg("unread")
            .query(&mut inside)
            .unwrap();
        assert!(bytes, "its bytes are kept");
        assert_eq!(a.cancel(id, "an admin").unwrap(), Cancel::Cancelled);
    }
    assert!(claim(&a, 10).is_empty());
}

#[test]
fn a_line_break_that_gets_into_a_controllers_name_breaks_none_of_its_items() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    assert_eq!(claim_ids(&b, 1), [1]);
    let mut inside = redis.inside();
    redis::cmd("HSET").arg("{haj:test}:member:b").arg("name").arg("b\nX\r\n1").exec(&mut inside).unwrap();
    let _: i64 =
        redis::cmd("ZADD").arg("{haj:test}:members").arg(1).arg("nonsense").query(&mut inside).unwrap();
    b.close();
    until("it is back", || state(&a, 1) == ItemState::Queued);
    let why = a.item(1).unwrap().unwrap().why;
    assert!(why.contains("b X  1 was shut down"), "{why}");
    assert_eq!(claim_ids(&a, 1), [1]);

    let mut bad = settings(&redis.url(), "c");
    bad.name = "c\nd".into();
    assert!(matches!(Controller::open(bad), Err(Error::Refused(_))));
}
