//! What must hold, of each step and of each state.

use std::collections::{BTreeMap, BTreeSet};

use stateright::{Model, Property};

use crate::cluster::{
    ABORTED, Action, Call, Caller, Cluster, Id, MOST_RERUNS, Phase, Record, State, WITHDRAWN, origin,
};
use crate::keyspace::{Keyspace, Value};
use crate::scripts::Script;
use crate::support::packed::Parts;

/// A rule that does not hold, and how.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Broken {
    pub rule: &'static str,
    pub what: String,
}

impl Broken {
    pub fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

/// A call that Redis has run.
pub struct Step<'a> {
    pub call: &'a Call,
    pub before: &'a Keyspace,
    pub answer: &'a [String],
}

macro_rules! rules {
    ($($rule:literal),+) => {
        /// Each rule by its name.
        pub fn properties() -> Vec<Property<Cluster>> {
            vec![
                $(Property::<Cluster>::always($rule, |_, state| state.broken.as_ref().is_none_or(|b| b.rule != $rule)),)+
                Property::<Cluster>::always("DRAINED", |cluster, state| {
                    state.broken.is_some() || !cluster.is_over(state) || is_drained(cluster, state)
                }),
            ]
        }
    };
}

rules! {
    // Scripts do not fail.
    "SCRIPT",
    // Each live item is in exactly the indexes of its state, each slot has one holder.
    "INDEX",
    // Nothing is changed by a call of a membership that is over, or of a claim that is.
    "STALE",
    // What runs under a living membership is what the queue says runs, one build for an item, one at a time for a job
    // that wants it so.
    "DOUBLED",
    // Numbers of a job are given once, and rise.
    "NUMBER",
    // What users were told is cancelled stays so, and what is to be cancelled does not start.
    "CANCELLED",
    // What has ended stays as it ended.
    "OUTCOME",
    // Nothing is claimed while something claimable stands before it.
    "ORDER",
    // While something is ready and somebody waits for it, somebody was roused to take it.
    "ROUSED",
    // Each change of an item is told, with its new version.
    "TOLD",
    // What ended with its controller runs again once, if it may, and nothing else does.
    "RERUN",
    // Each build's record says what the queue says.
    "RECORD"
}

macro_rules! must {
    ($holds:expr, $rule:literal, $($what:tt)+) => {
        if !$holds {
            return Err(Broken::new($rule, format!($($what)+)));
        }
    };
}

fn items(redis: &Keyspace) -> impl Iterator<Item = (&str, Parts)> {
    redis.below("item:").filter_map(|(id, _)| Some((id, redis.item(id)?)))
}

fn get<'a>(item: &'a Parts, field: &str) -> &'a str {
    item.get(field).map_or("", String::as_str)
}

fn is_in(redis: &Keyspace, member: &str) -> bool {
    redis.score("members", member).is_some()
}

/// An item's id, what it was and what it is.
type Change<'a> = (&'a str, Parts, Parts);

/// Of a step, as soon as Redis has run it.
pub fn judge(step: &Step, state: &mut State) -> Result<(), Broken> {
    let (before, after, call) = (step.before, &state.redis, step.call);
    let changed: Vec<Change> = items(after)
        .filter(|(id, _)| !after.shares(before, &format!("item:{id}")))
        .map(|(id, new)| (id, before.item(id).unwrap_or_default(), new))
        .filter(|(_, old, new)| old != new)
        .collect();
    let lost = items(before).find(|(id, _)| after.item(id).is_none());
    must!(lost.is_none(), "OUTCOME", "{lost:?} is gone");
    fences(step, after, &changed)?;
    for (id, old, new) in &changed {
        if ["D", "X"].contains(&get(old, "state")) {
            let same = ["state", "result", "number"].iter().all(|field| get(old, field) == get(new, field));
            must!(same, "OUTCOME", "{id} was {old:?}, is {new:?}");
        }
        let cancelled = get(old, "state") == "C" && !get(old, "cancel").is_empty();
        must!(
            !cancelled || ["C", "X"].contains(&get(new, "state")),
            "CANCELLED",
            "{id} was {old:?}, is {new:?}"
        );
        let told = after.stream("events").iter().rev().find_map(|event| {
            let packed = event.iter().skip_while(|word| *word != "m").nth(1)?;
            let fields: Vec<&str> = packed.split('\n').collect();
            (fields[0] == *id).then(|| (fields[2].to_owned(), fields[3].to_owned()))
        });
        let now = (get(new, "state").to_owned(), get(new, "version").to_owned());
        must!(told.as_ref() == Some(&now), "TOLD", "{id} is {now:?}, told was {told:?}");
        let versions = (get(old, "version").parse().unwrap_or(0), get(new, "version").parse().unwrap_or(0));
        must!(versions.1 > versions.0, "TOLD", "{id}: version {versions:?}");
    }
    if call.script == Script::Claim {
        let claimed =
            changed.iter().filter(|(_, old, new)| get(old, "state") == "Q" && get(new, "state") == "C");
        let last =
            claimed.filter_map(|(_, _, new)| get(new, "score").parse::<f64>().ok()).fold(0.0, f64::max);
        let passed = after.zset("ready::").into_iter().flatten().find(|(_, score)| score.0 < last);
        must!(passed.is_none(), "ORDER", "{passed:?} was passed over, claimed: {changed:?}");
    }
    if call.script == Script::Number && step.answer[0] == "OK" {
        let number: u32 = step.answer[1].parse().unwrap();
        let old = &before.item(&call.args[2]).unwrap_or_default();
        let again = ["S", "R"].contains(&get(old, "state")) && get(old, "number") == step.answer[1];
        let highest = state.highest.entry(call.args[4].clone()).or_default();
        must!(again || number > *highest, "NUMBER", "{number} was given after {highest}");
        *highest = number.max(*highest);
    }
    Ok(())
}

/// Who is no member, or does not hold the item as it believes, changes nothing.
fn fences(step: &Step, after: &Keyspace, changed: &[Change]) -> Result<(), Broken> {
    let (call, before) = (step.call, step.before);
    if call.caller == Caller::User || call.script == Script::Join {
        return Ok(());
    }
    let me = format!("{}:{}", call.args[0], call.args[1]);
    must!(
        is_in(before, &me) || before == after,
        "STALE",
        "{me} is no member and has made a change: {changed:?}"
    );
    let holds = |id: &str, epoch: Option<i64>, attempt: Option<u32>| {
        let item = before.item(id);
        item.is_some_and(|ref item| {
            let decides = get(item, "state") == "O" && get(item, "reaper") == me;
            let owns = get(item, "owner") == call.args[0]
                && epoch.is_some_and(|epoch| get(item, "epoch") == epoch.to_string())
                && get(item, "state") != "O";
            (owns || decides) && attempt.is_none_or(|attempt| get(item, "attempts") == attempt.to_string())
        })
    };
    let by_right = match call.caller {
        Caller::Worker(claim) => holds(&claim.id.to_string(), Some(claim.epoch), Some(claim.attempt)),
        Caller::Reaper(id) => holds(&id.to_string(), None, None),
        _ => return Ok(()),
    };
    must!(
        by_right || changed.is_empty(),
        "STALE",
        "{me} does not hold what it changes: {call:?} {changed:?}"
    );
    Ok(())
}

/// Of a state, before what no script looks at is forgotten.
pub fn stands(state: &State) -> Result<(), Broken> {
    indexes(&state.redis)?;
    let ready = state.redis.zset("ready::").is_some() && state.redis.zset("waiting:").is_some();
    must!(
        !ready || state.redis.fields("roused").is_some(),
        "ROUSED",
        "what is ready lies there, and all wait"
    );
    for (id, ref item) in items(&state.redis) {
        let (id, item_state): (Id, _) = (id.parse().unwrap(), get(item, "state"));
        must!(!state.cancelled.contains(&id) || item_state == "X", "CANCELLED", "{id} is {item_state}");
        if item_state == "D" {
            let number = get(item, "number").parse().unwrap();
            let record = state.records.get(&(get(item, "job").to_owned(), number));
            let says = record.and_then(|record| record.result);
            must!(says == Some(get(item, "result")), "RECORD", "{id} is {item:?}, its record says {says:?}");
        }
    }
    reruns(state)?;
    let mut running: BTreeSet<String> = BTreeSet::new();
    for (who, me) in ["a", "b"].iter().zip(&state.controllers) {
        for worker in &me.workers {
            let claim = worker.claim;
            let item = &state.redis.item(claim.id).unwrap();
            let member = is_in(&state.redis, &format!("{who}:{}", claim.epoch));
            if let (Phase::Running(number), true) = (worker.phase, member) {
                let fields =
                    [get(item, "state"), get(item, "owner"), get(item, "epoch"), get(item, "number")];
                let runs = ["R", who, &claim.epoch.to_string(), &number.to_string()];
                must!(fields == runs, "DOUBLED", "{who} runs {worker:?}, the queue says {fields:?}");
                let one = match get(item, "concurrent") {
                    "1" => format!("item {}", claim.id),
                    _ => format!("job {}", get(item, "job")),
                };
                must!(running.insert(one.clone()), "DOUBLED", "{one} runs twice");
            }
        }
    }
    Ok(())
}

/// What ended with its controller runs again once, if it may, and nothing else does.
fn reruns(state: &State) -> Result<(), Broken> {
    let mut made: BTreeMap<&str, &str> = BTreeMap::new();
    let all: Vec<_> = items(&state.redis).collect();
    for (id, item) in &all {
        let again = get(item, "again");
        if !again.is_empty() {
            let other = made.insert(again, *id);
            must!(other.is_none(), "RERUN", "{again} is the re-run of {id} and {other:?}");
            must!(get(item, "result") == ABORTED, "RERUN", "{id} runs again, though {item:?}");
            must!(get(item, "cancel").is_empty(), "RERUN", "{id} runs again, though unwanted");
        }
    }
    let came: BTreeSet<&str> =
        all.iter().map(|(id, _)| *id).filter(|id| origin(id.parse().unwrap()).to_string() != *id).collect();
    must!(came.iter().eq(made.keys()), "RERUN", "re-runs are {came:?}, wanted {made:?}");
    Ok(())
}

/// The invariant of `src/lua/item.lua`.
fn indexes(redis: &Keyspace) -> Result<(), Broken> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut queued: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let mut slots: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, entry) in redis.entries() {
        let kind = key.split(':').next().unwrap_or_default();
        match (&entry.value, kind) {
            (Value::Zset(zset), "ready" | "parked" | "delayed") => {
                zset.keys().for_each(|id| places.entry(id).or_default().push(key.into()));
            }
            (Value::Set(set), "owned") => {
                set.iter().for_each(|id| places.entry(id).or_default().push(key.into()));
            }
            (Value::Hash(hash), "orphan") => {
                hash.keys().for_each(|id| places.entry(id).or_default().push(key.into()));
            }
            (Value::Zset(zset), "queued") => {
                for (id, revision) in zset {
                    let double = queued.insert(id, (key[7..].into(), revision.0.to_string()));
                    must!(double.is_none(), "INDEX", "{id} is queued twice");
                }
            }
            (Value::Text(id), "slot") => {
                slots.insert(&key[5..], id);
            }
            _ => {}
        }
    }
    let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
    let all: Vec<_> = items(redis).collect();
    for (id, item) in all.iter().map(|(id, item)| (*id, item)) {
        let (state, job) = (get(item, "state"), get(item, "job"));
        let place = places.remove(id).unwrap_or_default();
        let at_one = |wanted: String| place == [wanted];
        let ready = format!("ready:{}:{}", get(item, "pinned"), get(item, "lane"));
        let right = match state {
            "Q" if get(item, "blocked") == "1" => at_one(format!("parked:{job}")),
            "Q" => at_one("delayed".into()) || at_one(ready.clone()),
            "C" | "S" | "R" => at_one(format!("owned:{}:{}", get(item, "owner"), get(item, "epoch"))),
            "O" => at_one("orphan".into()),
            _ => place.is_empty(),
        };
        must!(right, "INDEX", "{id} is {state} and in {place:?}");
        let ended = state == "D" || state == "X";
        let expires = redis.expires(&format!("item:{id}"));
        must!(
            ended == expires && ended != item.contains_key("payload"),
            "INDEX",
            "{id} {state}: expires {expires}"
        );
        must!(ended != redis.score("live", id).is_some(), "INDEX", "{id} is {state}, but lives or not");
        let entry = queued.remove(id);
        let wanted = "QC".contains(state).then(|| (job.to_owned(), get(item, "jobrev").to_owned()));
        must!(entry == wanted, "INDEX", "{id} is {state} and queued as {entry:?}, not {wanted:?}");
        let owner = format!("{}:{}", get(item, "owner"), get(item, "epoch"));
        must!(
            !"CSR".contains(state) || is_in(redis, &owner),
            "INDEX",
            "{id} is held by {owner}, which is no member"
        );
        if state == "O" {
            let reaper = redis.field("orphan", id);
            must!(
                reaper == get(item, "reaper"),
                "INDEX",
                "{id} waits for {reaper} and {}",
                get(item, "reaper")
            );
        }
        if get(item, "concurrent") == "0" && ("CSRO".contains(state) || at_one(ready)) {
            let other = holders.insert(job, id);
            must!(other.is_none(), "INDEX", "{other:?} and {id} both hold the slot of {job}");
        }
    }
    must!(places.is_empty() && queued.is_empty(), "INDEX", "no items: {places:?} {queued:?}");
    must!(slots == holders, "INDEX", "slots {slots:?} are held by {holders:?}");
    for (job, parked) in redis.below("parked:") {
        let Value::Zset(parked) = &parked.value else { continue };
        let Some(holder) = slots.get(job) else {
            return Err(Broken::new("INDEX", format!("{parked:?} wait for a free slot of {job}")));
        };
        if let Some(ready) = redis.score("ready::", holder) {
            let passed = parked.iter().find(|(_, score)| score.0 < ready);
            must!(passed.is_none(), "ORDER", "{holder} goes before {passed:?}");
        }
    }
    Ok(())
}

/// Every item has come to its end, with one build at the most, and left nothing behind.
fn is_drained(cluster: &Cluster, state: &State) -> bool {
    let ended = items(&state.redis).all(|(id, ref item)| {
        let id: Id = id.parse().unwrap();
        let real =
            |(_, record): &(&(String, u32), &Record)| record.item == id && record.result != Some(WITHDRAWN);
        let builds: Vec<u32> = state.records.iter().filter(real).map(|((_, number), _)| *number).collect();
        match get(item, "state") {
            "D" => {
                let deaths = get(item, "deaths").parse().unwrap_or(0);
                let not_again =
                    !cluster.job(id).rerun || !get(item, "cancel").is_empty() || deaths > MOST_RERUNS;
                builds == [get(item, "number").parse::<u32>().unwrap()]
                    && (get(item, "result") != ABORTED || not_again || !get(item, "again").is_empty())
            }
            "X" => builds.is_empty(),
            _ => false,
        }
    });
    let closed = state.records.values().all(|record| record.result.is_some());
    let left = state.redis.entries().find(|(key, _)| {
        ["ready", "parked", "delayed", "owned", "orphan", "slot", "queued", "live"]
            .contains(&key.split(':').next().unwrap_or_default())
    });
    ended && closed && left.is_none()
}

/// A path to where a rule does not hold, for people.
pub fn story(cluster: &Cluster, actions: &[Action]) -> String {
    let mut state = cluster.init_states().remove(0);
    let mut story = String::new();
    for action in actions {
        story += &format!("  {action:?}\n");
        if let Some(next) = cluster.next_state(&state, action.clone()) {
            state = next;
        }
    }
    let broken = state.broken.as_ref().map(|broken| format!("{}: {}", broken.rule, broken.what));
    format!("{story}{}\n{state:#?}", broken.unwrap_or_default())
}
