//! What must hold of the keys between any two scripts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redis::Commands;

use super::packed;

const P: &str = "{haj:test}:";

/// Panics unless every live item is in exactly the indexes of its state, and every slot has its one holder.
pub fn check(redis: &mut redis::Connection) {
    let mut problems = Vec::new();
    let keys: Vec<String> = redis.keys(format!("{P}*")).unwrap();
    let of = |kind: &str| -> Vec<&String> {
        keys.iter().filter(|key| key.starts_with(&format!("{P}{kind}"))).collect()
    };
    let live: BTreeSet<String> =
        redis.zrange::<_, Vec<String>>(format!("{P}live"), 0, -1).unwrap().into_iter().collect();
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut note = |id: &str, place: String| places.entry(id.to_owned()).or_default().push(place);
    for key in of("ready:").into_iter().chain(of("parked:")).chain(of("delayed")) {
        for id in redis.zrange::<_, Vec<String>>(key, 0, -1).unwrap() {
            note(&id, key[P.len()..].to_owned());
        }
    }
    for key in of("owned:") {
        for id in redis.smembers::<_, Vec<String>>(key).unwrap() {
            note(&id, key[P.len()..].to_owned());
        }
    }
    let orphans: HashMap<String, String> = redis.hgetall(format!("{P}orphan")).unwrap();
    for id in orphans.keys() {
        note(id, "orphan".into());
    }
    let mut queued: BTreeMap<String, (String, String)> = BTreeMap::new();
    for key in of("queued:") {
        for (id, revision) in redis.zrange_withscores::<_, Vec<(String, f64)>>(key, 0, -1).unwrap() {
            queued.insert(id, (key[P.len() + 7..].to_owned(), format!("{revision:.0}")));
        }
    }
    let members: Vec<String> = redis.zrange(format!("{P}members"), 0, -1).unwrap();
    let mut slots: BTreeMap<String, String> = BTreeMap::new();
    for key in of("slot:") {
        slots.insert(key[P.len() + 5..].to_owned(), redis.get(key).unwrap());
    }
    for id in places.keys().chain(queued.keys()).chain(slots.values()) {
        if !live.contains(id) {
            problems.push(format!("{id} is in an index but does not live"));
        }
    }
    let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in of("item:") {
        let id = key[P.len() + 5..].to_owned();
        let fields: HashMap<String, Vec<u8>> = redis.hgetall(key).unwrap();
        let parts = packed::parts(std::str::from_utf8(&fields["v"]).unwrap());
        let get = |name: &str| parts.get(name).cloned().unwrap_or_default();
        let (state, job) = (get("state"), get("job"));
        let place = places.remove(&id).unwrap_or_default();
        let mut expect = |wanted: String| {
            if place != [wanted.clone()] {
                problems.push(format!("{id} {state} is in {place:?}, not in {wanted}"));
            }
        };
        match state.as_str() {
            "Q" if get("blocked") == "1" => expect(format!("parked:{job}")),
            "Q" if place == ["delayed"] => {}
            "Q" => expect(format!("ready:{}:{}", get("pinned"), get("lane"))),
            "C" | "S" | "R" => expect(format!("owned:{}:{}", get("owner"), get("epoch"))),
            "O" => expect("orphan".into()),
            _ if place.is_empty() => {}
            _ => problems.push(format!("{id} {state} is in {place:?}")),
        }
        let ended = state == "D" || state == "X";
        if ended == live.contains(&id) {
            problems.push(format!("{id} {state}: lives {}", live.contains(&id)));
        }
        let expires = redis.ttl::<_, i64>(key).unwrap() > 0;
        if ended != expires || ended == fields.contains_key("payload") || ended == fields.contains_key("mac")
        {
            problems.push(format!("{id} {state}: expires {expires}, fields {:?}", fields.keys()));
        }
        let entry = queued.remove(&id);
        if entry != "QC".contains(&state).then(|| (job.clone(), get("jobrev"))) {
            problems.push(format!("{id} {state}: queued is {entry:?}, revision {}", get("jobrev")));
        }
        if "CSR".contains(&state) && !members.contains(&format!("{}:{}", get("owner"), get("epoch"))) {
            problems.push(format!("{id} {state} is held by {}, which is no member", get("owner")));
        }
        if state == "O" && orphans.get(&id) != Some(&get("reaper")) {
            problems.push(format!("{id} O: reaper {} or {:?}", get("reaper"), orphans.get(&id)));
        }
        if get("concurrent") == "0"
            && ("CSRO".contains(&state) || place.iter().any(|place| place.starts_with("ready:")))
        {
            holders.entry(job).or_default().insert(id);
        }
    }
    for (job, ids) in &holders {
        if ids.len() != 1 || slots.get(job) != ids.first() {
            problems.push(format!("slot of {job} is {:?}, holders {ids:?}", slots.get(job)));
        }
    }
    for job in slots.keys().filter(|job| !holders.contains_key(*job)) {
        problems.push(format!("slot of {job} has no holder"));
    }
    for key in of("parked:") {
        if !slots.contains_key(&key[P.len() + 7..]) {
            problems.push(format!("{key} waits for a free slot"));
        }
    }
    if !places.is_empty() || !queued.is_empty() {
        problems.push(format!("no items, but indexed: {places:?} {queued:?}"));
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
