//! A cluster goes on, or says what is wrong and goes on once that is mended, whatever somebody else writes over its keys.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/hostile.rs"]
mod hostile;
mod support;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ha_jenkins::{Controller, Error, ItemState, Milestone, Result, Settings};
use hostile::{Damage, cases, damage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseError, TestRunner};
use redis::Connection;
use support::{Redis, claim_ids, item, offer, put, settings};

/// No call to the library takes longer, whatever Redis answers. A busy machine is allowed for.
const LONGEST: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_secs(60);

/// What somebody does to one key.
#[derive(Debug, Clone)]
enum Stroke {
    /// One of its values is damaged.
    Value(Index, Damage),
    /// It is of another type.
    Type(usize),
    /// It is gone.
    Gone,
}

fn strokes() -> impl Strategy<Value = Vec<(Index, Stroke)>> {
    let stroke = prop_oneof![
        12 => (any::<Index>(), damage()).prop_map(|(which, damage)| Stroke::Value(which, damage)),
        2 => any::<usize>().prop_map(Stroke::Type),
        1 => Just(Stroke::Gone),
    ];
    vec((any::<Index>(), stroke), 1..12)
}

#[test]
fn a_cluster_outlasts_whatever_is_written_over_its_keys() {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let redis = Redis::start();
    let mut runner = TestRunner::new(cases(6, "tests/corpus/foreign_redis.txt"));
    let outlasts = |strokes: Vec<(Index, Stroke)>| {
        let cluster = format!("c{}", COUNT.fetch_add(1, Ordering::Relaxed));
        outlasts(&redis, &cluster, &strokes).map_err(TestCaseError::fail)
    };
    runner.run(&strokes(), outlasts).unwrap_or_else(|failure| panic!("{failure}"));
}

fn outlasts(redis: &Redis, cluster: &str, strokes: &[(Index, Stroke)]) -> std::result::Result<(), String> {
    let (a, b) = (join(redis, cluster, "a"), join(redis, cluster, "b"));
    let mut inside = redis.inside();
    populate(&a, &b);
    for (which, stroke) in strokes {
        let keys = keys(&mut inside, cluster);
        if !keys.is_empty() {
            strike(&mut inside, which.get::<Vec<u8>>(&keys), stroke);
        }
    }
    for controller in [&a, &b] {
        use_all(controller);
    }
    // What an admin does who finds the keys damaged: the controllers fill them again.
    for key in keys(&mut inside, cluster) {
        redis::cmd("DEL").arg(key).exec(&mut inside).unwrap();
    }
    let began = Instant::now();
    while let Err(problem) = works(&a).and_then(|()| works(&b)) {
        if began.elapsed() > MINUTE {
            return Err(format!("{problem}: {:?} {:?}", a.link(), b.link()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let failed = |life: &ha_jenkins::ThreadLife| life.restarts > 0 || !life.problem.is_empty();
    a.threads().into_iter().chain(b.threads()).find(failed).map_or(Ok(()), |life| Err(format!("{life:?}")))
}

fn join(redis: &Redis, cluster: &str, name: &str) -> Controller {
    let settings = Settings { cluster: cluster.into(), ..settings(&redis.url(), name) };
    let controller = Controller::open(settings).unwrap();
    assert!(controller.await_joined(MINUTE), "{:?}", controller.link());
    controller
}

/// Something of every kind.
fn populate(a: &Controller, b: &Controller) {
    a.raise_queue_ids(1000);
    b.raise_queue_ids(1000);
    for id in 1..=6 {
        put(a, item(id, if id % 2 == 0 { "even" } else { "odd" }));
    }
    let claimed = claim_ids(a, 3);
    for (step, id) in claimed.iter().enumerate() {
        let number = a.assign_number(*id, if id % 2 == 0 { "even" } else { "odd" }, 0).unwrap();
        if step < 2 {
            a.started(*id, number).unwrap();
        }
        if step < 1 {
            a.finished(*id, "SUCCESS").unwrap();
        }
    }
    claim_ids(b, 1);
    a.announce("topic", "job", 1, b"body").unwrap();
    a.store_setting("a.xml", 0, 1, "digest", "alice", Some(b"<a/>")).unwrap();
    a.take_state("locks", 0).unwrap();
    a.store_state("locks", 0, 1, Some(b"text"), true).unwrap();
    a.tell_computers("executors").unwrap();
    a.take_agent("agent").unwrap();
    a.take_cloud_slot("slot", "cloud", 5).unwrap();
    a.keep_cloud_agent("slot", "cloud", "agent-1", b"xml").unwrap();
    a.milestone("job", 1, Milestone::Passed(3)).unwrap();
    a.begin("turn", MINUTE).unwrap();
    a.done("turn", "note", MINUTE).unwrap();
    a.note_moment("noted", "text").unwrap();
    a.describe("facts").unwrap();
    let _ = a.ask("b", "topic", b"body", "request", Duration::from_millis(1));
}

fn keys(inside: &mut Connection, cluster: &str) -> Vec<Vec<u8>> {
    let mut keys: Vec<Vec<u8>> =
        redis::cmd("KEYS").arg(format!("{{haj:{cluster}}}:*")).query(inside).unwrap();
    keys.sort();
    keys
}

/// Errors of Redis are none of the test: a stroke may not fit what another left.
fn strike(inside: &mut Connection, key: &[u8], stroke: &Stroke) {
    let mut run = |command: &str, arguments: &[&[u8]]| {
        let _ = redis::cmd(command).arg(arguments).exec(inside);
    };
    match stroke {
        Stroke::Gone => run("DEL", &[key]),
        Stroke::Type(which) => {
            run("DEL", &[key]);
            match which % 5 {
                0 => run("SET", &[key, b"text"]),
                1 => run("HSET", &[key, b"field", b"value"]),
                2 => run("RPUSH", &[key, b"element"]),
                3 => run("ZADD", &[key, b"-inf", b"member"]),
                _ => run("XADD", &[key, b"*", b"n", b"x"]),
            }
        }
        Stroke::Value(which, damage) => damage_value(inside, key, which, damage),
    }
}

fn damage_value(inside: &mut Connection, key: &[u8], which: &Index, damage: &Damage) {
    let kind: String = redis::cmd("TYPE").arg(key).query(inside).unwrap();
    let list = |inside: &mut Connection, command: &str, more: &[&str]| -> Vec<Vec<u8>> {
        redis::cmd(command).arg(key).arg(more).query(inside).unwrap_or_default()
    };
    let mut command;
    match kind.as_str() {
        "hash" => {
            let fields = list(inside, "HKEYS", &[]);
            let field: &Vec<u8> = which.get(&fields);
            let value: Vec<u8> = redis::cmd("HGET").arg(key).arg(field).query(inside).unwrap();
            command = redis::cmd("HSET");
            command.arg(key).arg(field).arg(damage.to(&value));
        }
        "string" => {
            let value: Vec<u8> = redis::cmd("GET").arg(key).query(inside).unwrap();
            command = redis::cmd("SET");
            command.arg(key).arg(damage.to(&value));
        }
        "list" => {
            let values = list(inside, "LRANGE", &["0", "-1"]);
            let at = which.index(values.len());
            command = redis::cmd("LSET");
            command.arg(key).arg(at).arg(damage.to(&values[at]));
        }
        "zset" => {
            let members = list(inside, "ZRANGE", &["0", "-1"]);
            let member: &Vec<u8> = which.get(&members);
            command = redis::cmd("ZADD");
            command
                .arg(key)
                .arg(["0", "inf", "-1", "9007199254740993"][which.index(4)])
                .arg(damage.to(member));
        }
        "set" => {
            let members = list(inside, "SMEMBERS", &[]);
            command = redis::cmd("SADD");
            command.arg(key).arg(damage.to(which.get::<Vec<u8>>(&members)));
        }
        "stream" => {
            let entries = entries(inside, key);
            let Some(entry) = (!entries.is_empty()).then(|| which.get(&entries)) else { return };
            command = redis::cmd("XADD");
            command.arg(key).arg("*");
            let damaged = which.index(entry.1.len().max(1));
            for (at, (field, value)) in entry.1.iter().enumerate() {
                command.arg(field);
                if at == damaged {
                    command.arg(damage.to(value))
                } else {
                    command.arg(value)
                };
            }
        }
        _ => return,
    }
    let _ = command.exec(inside);
}

/// Id, and names and values of the fields.
type Entry = (String, Vec<(Vec<u8>, Vec<u8>)>);

fn entries(inside: &mut Connection, key: &[u8]) -> Vec<Entry> {
    redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(inside).unwrap_or_default()
}

/// Does all that a controller does; each ends in time, well or with a sentence.
fn use_all(controller: &Controller) {
    let c = controller;
    timed("items", || c.items());
    timed("members", || c.members());
    timed("homes", || c.homes());
    timed("moments", || c.moments(100));
    timed("settings", || c.settings());
    timed("setting", || c.setting("a.xml"));
    timed("agents", || c.agents());
    timed("cloud agents", || c.cloud_agents());
    timed("computers", || c.computers());
    timed("state", || c.state("locks", 0));
    timed("take state", || c.take_state("locks", 0));
    timed("store state", || c.store_state("locks", 1, 2, Some(b"more"), true));
    timed("milestone", || c.milestone("job", 2, Milestone::Begun));
    timed("slot", || c.take_cloud_slot("slot2", "cloud", 5));
    timed("slot's end", || c.end_cloud_agent("slot"));
    timed("take agent", || c.take_agent("agent"));
    timed("announce", || c.announce("topic", "job", 1, b"body"));
    timed("begin", || c.begin("turn", MINUTE));
    timed("ask", || c.ask("b", "topic", b"body", "request", Duration::from_millis(10)));
    timed("store setting", || c.store_setting("a.xml", 1, 2, "digest", "alice", Some(b"<b/>")));
    timed("enqueue", || c.enqueue(item(20, "odd"), -1));
    let claimed = timed("claim", || c.claim(&offer("", 9), 9, Duration::ZERO)).unwrap_or_default();
    for id in claimed.iter().map(|item| item.id).chain(1..=6) {
        timed("item", || c.item(id));
        timed("trace", || c.trace(id));
        timed("fold", || c.fold(id, -1, b"more", -1));
        timed("number", || c.assign_number(id, "odd", 0));
        timed("started", || c.started(id, 1));
        timed("release", || c.release(id, 0, "why"));
        timed("finished", || c.finished(id, "FAILURE"));
        timed("requeue", || c.requeue(id, "why"));
        timed("rerun", || c.rerun(id, "ABORTED", 30 + id, b"again", Some(3)));
        timed("cancel", || c.cancel(id, "alice"));
    }
    while timed("event", || c.next_event(Duration::from_millis(1))).is_some_and(|event| event.is_some()) {}
}

fn timed<T: Debug>(what: &str, call: impl FnOnce() -> Result<T>) -> Option<T> {
    let began = Instant::now();
    let answer = call();
    assert!(began.elapsed() < LONGEST, "{what} took {:?}: {answer:?}", began.elapsed());
    if let Err(Error::Bug(text)) = &answer {
        panic!("{what} blames the library for what somebody else wrote: {text}");
    }
    answer.ok()
}

/// Whether a build goes through.
fn works(controller: &Controller) -> std::result::Result<(), String> {
    let id = controller.next_queue_id();
    let step = || -> Result<ItemState> {
        let mut fresh = item(id, "fresh");
        fresh.lane = format!("only-{id}");
        controller.enqueue(fresh.clone(), -1)?;
        let claimed = controller.claim(&offer(&fresh.lane, 1), 1, Duration::from_millis(500))?;
        if let Some(claimed) = claimed.first() {
            let number = controller.assign_number(claimed.id, "fresh", 0)?;
            controller.started(claimed.id, number)?;
            controller.finished(claimed.id, "SUCCESS")?;
        }
        Ok(controller.item(id)?.map_or(ItemState::Unreadable, |item| item.state))
    };
    match step() {
        Ok(ItemState::Done) => Ok(()),
        Ok(state) => Err(format!("item {id} is {state:?}")),
        Err(error) => Err(error.to_string()),
    }
}
