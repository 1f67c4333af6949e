//! Whether the model's Redis and Lua do what Redis does: the same answers, and the same keys in the end.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use redis::{Connection, cmd};

use crate::keyspace::{Keyspace, Reply, Value};
use crate::scripts::{ALL, Code, Host, Script};
use crate::support::{Redis, packed};

#[derive(Debug, Clone)]
enum Step {
    Run(Script, Vec<String>),
    Command(Vec<String>),
    Pass(i64),
}

/// Stands for the epoch that the controller has.
const PRESENT: &str = "present";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A call that may well be wrong: of any member or none, about any item.
fn call() -> impl Strategy<Value = Step> {
    let who = prop::sample::select(vec!["a", "b"]);
    let epochs = prop_oneof![4 => Just(PRESENT.to_owned()), 1 => (1_000_001..1_000_004).prop_map(|n: i32| n.to_string())];
    let numbers =
        (epochs, 1..4u8, prop::sample::select(vec![0u8, 0, 0, 1, 2]), 1..4u8, any::<bool>(), 0..3i64);
    // More often those without which the others have nothing to do.
    let often = [Script::Enqueue, Script::Claim, Script::Number, Script::Started, Script::Beat];
    let scripts: Vec<Script> = ALL.into_iter().chain(often.repeat(4)).collect();
    (prop::sample::select(scripts), who, numbers).prop_map(|(script, who, numbers)| {
        let (epoch, id, attempt, number, flag, seen) = numbers;
        let (item, attempt) = (id.to_string(), attempt.to_string());
        let (flag, number, seen) = (u8::from(flag).to_string(), number.to_string(), (seen - 1).to_string());
        let job = if id % 2 == 0 { "serial" } else { "parallel" };
        let concurrent = if id % 2 == 0 { "0" } else { "1" };
        let delay = if flag == "1" { "1500" } else { "0" };
        let text;
        let args: Vec<&str> = match script {
            Script::Adopt => vec![who, &epoch, &item],
            Script::Beat => vec![who, &epoch, "2000"],
            Script::Cancel | Script::Unwanted => vec![&item, "eve"],
            Script::Cancelled => vec![who, &epoch, &item, &attempt, "why"],
            Script::Claim => {
                vec![who, &epoch, &number, &number, &flag, " 3 ", "1", &item, "", "2", "lane", "1", "l:", "1"]
            }
            Script::Enqueue => {
                let pinned = if number == "3" { who } else { "" };
                let lane = if number == "3" && flag == "1" { "l:" } else { "" };
                text = packed::accepted(&[
                    ("job", job),
                    ("lane", lane),
                    ("concurrent", concurrent),
                    ("pinned", pinned),
                    ("origin", who),
                ]);
                vec![&item, &text, delay, "payload", "mac", &seen]
            }
            Script::Finished => vec![who, &epoch, &item, &attempt, "SUCCESS"],
            Script::Fold => vec![&item, &seen, "other", "other mac", delay, who, &epoch, &flag],
            Script::HandOver => vec![who, &epoch, &item, &number, if flag == "1" { "a" } else { "b" }],
            Script::Join => {
                vec![
                    who,
                    &number,
                    who,
                    "url",
                    "1",
                    "2000",
                    &flag,
                    "check",
                    "generation",
                    &number,
                    "server",
                    "0",
                ]
            }
            Script::Keep => vec![who, &epoch, &item, "0", &number],
            Script::Leave => vec![who, &epoch],
            Script::Number => vec![who, &epoch, &item, &attempt, job, &number],
            Script::Park => vec![who, &epoch, &item, &attempt, "why", if flag == "1" { "mac" } else { "" }],
            Script::Release => vec![who, &epoch, &item, &attempt, delay, "why", &flag],
            Script::Rerun => vec![who, &epoch, &item, "ABORTED", "9", "payload", "mac", "1"],
            Script::Started => vec![who, &epoch, &item, &attempt, &number],
        };
        Step::Run(script, words(&args))
    })
}

fn command() -> impl Strategy<Value = Step> {
    let text = || prop::sample::select(vec!["1", "2", "10", "x"]).prop_map(str::to_owned);
    let score =
        || prop::sample::select(vec!["-1", "0", "1.5", "7", "21990232555521"]).prop_map(str::to_owned);
    let bound = || prop::sample::select(vec!["-inf", "+inf", "(0", "1.5", "(7"]).prop_map(str::to_owned);
    let index = || (-3..4i64).prop_map(|index| index.to_string());
    let known: Vec<BoxedStrategy<Vec<String>>> = vec![
        text().prop_map(|v| vec!["SET".into(), "text".into(), v]).boxed(),
        text().prop_map(|v| words(&["SET", "text", &v, "NX", "EX", "600"])).boxed(),
        Just(words(&["INCR", "count"])).boxed(),
        Just(words(&["INCRBY", "count", "256"])).boxed(),
        Just(words(&["EXISTS", "text"])).boxed(),
        Just(words(&["EXPIRE", "zset", "600"])).boxed(),
        Just(words(&["PERSIST", "text"])).boxed(),
        prop::sample::select(vec!["text", "hash", "zset", "none"])
            .prop_map(|k| words(&["DEL", k, "none"]))
            .boxed(),
        (text(), text()).prop_map(|(f, v)| words(&["HSET", "hash", &f, &v, "y", "z"])).boxed(),
        (text(), text()).prop_map(|(f, g)| words(&["HDEL", "hash", &f, &g])).boxed(),
        text().prop_map(|f| words(&["HMGET", "hash", &f, "y"])).boxed(),
        Just(words(&["HGETALL", "hash"])).boxed(),
        (text(), text()).prop_map(|(m, n)| words(&["SADD", "set", &m, &n])).boxed(),
        text().prop_map(|m| words(&["SREM", "set", &m])).boxed(),
        Just(words(&["SMEMBERS", "set"])).boxed(),
        (score(), text()).prop_map(|(s, m)| words(&["ZADD", "zset", &s, &m])).boxed(),
        (score(), text()).prop_map(|(s, m)| words(&["ZADD", "zset", "GT", &s, &m])).boxed(),
        text().prop_map(|m| words(&["ZREM", "zset", &m])).boxed(),
        text().prop_map(|m| words(&["ZSCORE", "zset", &m])).boxed(),
        (index(), index()).prop_map(|(f, t)| words(&["ZRANGE", "zset", &f, &t, "WITHSCORES"])).boxed(),
        (bound(), bound())
            .prop_map(|(f, t)| words(&["ZRANGEBYSCORE", "zset", &f, &t, "WITHSCORES", "LIMIT", "0", "2"]))
            .boxed(),
    ];
    proptest::strategy::Union::new(known).prop_map(Step::Command)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![12 => call(), 3 => command(), 1 => (1..1200i64).prop_map(Step::Pass)]
}

/// What a server answered, in the words of the model.
fn reply(value: &redis::Value) -> Reply {
    match value {
        redis::Value::Nil => Reply::Nil,
        redis::Value::Okay => Reply::Ok,
        redis::Value::Int(number) => Reply::Int(*number),
        redis::Value::BulkString(text) => Reply::Text(String::from_utf8(text.clone()).unwrap()),
        redis::Value::Array(values) => Reply::Array(values.iter().map(reply).collect()),
        other => panic!("{other:?}"),
    }
}

/// Nobody relies on the order of what is in no order.
fn settled(command: &[String], reply: Reply) -> String {
    match (command[0].as_str(), reply) {
        ("SMEMBERS" | "HGETALL", Reply::Array(mut replies)) => {
            let size = if command[0] == "SMEMBERS" { 1 } else { 2 };
            let mut texts: Vec<String> = replies.chunks_mut(size).map(|chunk| format!("{chunk:?}")).collect();
            texts.sort();
            texts.concat()
        }
        (_, reply) => format!("{reply:?}"),
    }
}

/// All keys of a server, and whether they expire.
fn keys(server: &mut Connection) -> BTreeMap<String, (Value, bool)> {
    let keys: Vec<String> = cmd("KEYS").arg("*").query(server).unwrap();
    let mut all = BTreeMap::new();
    // What is for people alone the model does not keep.
    for key in keys.into_iter().filter(|key| !key.starts_with("trace:") && key != "timeline") {
        let kind: String = cmd("TYPE").arg(&key).query(server).unwrap();
        let value = match kind.as_str() {
            "string" => Value::Text(cmd("GET").arg(&key).query(server).unwrap()),
            "hash" => Value::Hash(cmd("HGETALL").arg(&key).query(server).unwrap()),
            "set" => Value::Set(cmd("SMEMBERS").arg(&key).query(server).unwrap()),
            "zset" => {
                let all: Vec<(String, f64)> =
                    cmd("ZRANGE").arg(&key).arg(0).arg(-1).arg("WITHSCORES").query(server).unwrap();
                Value::Zset(
                    all.into_iter().map(|(member, score)| (member, crate::keyspace::Score(score))).collect(),
                )
            }
            "stream" => {
                let all: Vec<(String, Vec<String>)> =
                    cmd("XRANGE").arg(&key).arg("-").arg("+").query(server).unwrap();
                Value::Stream(all.into_iter().map(|(_, fields)| fields).collect())
            }
            other => panic!("{key} is a {other}"),
        };
        let expires = cmd("TTL").arg(&key).query::<i64>(server).unwrap() > 0;
        all.insert(key, (value, expires));
    }
    all
}

/// What each did with the same steps.
struct Pair {
    server: RefCell<Connection>,
    code: Code,
    host: Host,
    answers: RefCell<BTreeMap<String, u32>>,
}

impl Pair {
    fn agree(&self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        let server = &mut *self.server.borrow_mut();
        cmd("FLUSHALL").exec(server).unwrap();
        let (mut model, mut now) = (Keyspace::default(), 1_000_000);
        let joins = ["a", "b"].map(|who| {
            Step::Run(
                Script::Join,
                words(&[who, "1", who, "", "1", "2000", "0", "check", "generation", "1", "server", "0"]),
            )
        });
        for step in joins.into_iter().chain(steps) {
            match step {
                Step::Pass(ms) => now += ms,
                Step::Command(command) => {
                    let real = reply(&cmd(&command[0]).arg(&command[1..]).query(server).unwrap());
                    let ours = model.run(&command).unwrap();
                    prop_assert_eq!(settled(&command, ours), settled(&command, real), "{:?}", command);
                }
                Step::Run(script, mut args) => {
                    if args[1] == PRESENT {
                        args[1] = model.field(&format!("member:{}", args[0]), "epoch").to_owned();
                    }
                    // The server's clock is set to ours.
                    let clock = format!("{{'{}', '{}'}}", now / 1000, now % 1000 * 1000);
                    let text = self.code.text(script).replace("redis.call('TIME')", &clock);
                    let real: Vec<String> =
                        cmd("EVAL").arg(text).arg(1).arg("meta").arg(&args).query(server).unwrap();
                    let ours = self.host.run(script, &args, &mut model, now).unwrap();
                    prop_assert_eq!(&ours, &real, "{:?} {:?}", script, args);
                    *self.answers.borrow_mut().entry(format!("{script:?} {}", ours[0])).or_default() += 1;
                }
            }
        }
        let ours = model.entries().map(|(key, entry)| (key.to_owned(), (entry.value.clone(), entry.expires)));
        prop_assert_eq!(ours.collect::<BTreeMap<_, _>>(), keys(server));
        Ok(())
    }
}

#[test]
fn the_models_redis_does_what_redis_does() {
    let redis = Redis::with(&[]);
    let code = Code::shipped();
    let pair = Pair {
        server: RefCell::new(redis.inside()),
        host: Host::new(&code),
        code,
        answers: RefCell::default(),
    };
    let config =
        ProptestConfig { cases: 60, max_shrink_iters: 200, failure_persistence: None, ..Default::default() };
    let steps = prop::collection::vec(step(), 1..120);
    let result = TestRunner::new(config).run(&steps, |steps| pair.agree(steps));
    println!("{:?}", pair.answers.borrow());
    result.unwrap_or_else(|error| panic!("{error}"));
}
