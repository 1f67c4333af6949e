//! A Redis that is a value: it can be copied, compared and hashed. Only the commands that the scripts use.
//!
//! Texts are strings, time does not pass by itself, and nothing expires: a key only knows that it would.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::support::packed::{self, Parts};

/// All keys. Copies share what they have in common.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Keyspace {
    keys: BTreeMap<Arc<str>, Arc<Entry>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    pub value: Value,
    pub expires: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    Text(String),
    Hash(BTreeMap<String, String>),
    Set(BTreeSet<String>),
    Zset(BTreeMap<String, Score>),
    /// The fields of each entry.
    Stream(Vec<Vec<String>>),
}

#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Score(pub f64);

impl Eq for Score {}

impl Hash for Score {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    Nil,
    Ok,
    Int(i64),
    Text(String),
    Array(Vec<Reply>),
}

impl Reply {
    fn texts(texts: impl IntoIterator<Item = String>) -> Self {
        Self::Array(texts.into_iter().map(Self::Text).collect())
    }

    fn or_nil(text: Option<&String>) -> Self {
        text.map_or(Self::Nil, |text| Self::Text(text.clone()))
    }
}

impl fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.keys.iter().map(|(key, entry)| (key, &entry.value))).finish()
    }
}

impl Keyspace {
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.keys.iter().map(|(key, entry)| (&**key, &**entry))
    }

    /// Keys that begin with `prefix`, without it.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        self.entries().filter_map(move |(key, entry)| Some((key.strip_prefix(prefix)?, entry)))
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.keys.get(key).map(|entry| &entry.value) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn fields(&self, key: &str) -> Option<&BTreeMap<String, String>> {
        match self.keys.get(key).map(|entry| &entry.value) {
            Some(Value::Hash(hash)) => Some(hash),
            _ => None,
        }
    }

    pub fn field(&self, key: &str, field: &str) -> &str {
        self.fields(key).and_then(|hash| hash.get(field)).map_or("", String::as_str)
    }

    /// The parts of an item, and its payload if it has one.
    pub fn item(&self, id: impl fmt::Display) -> Option<Parts> {
        let hash = self.fields(&format!("item:{id}"))?;
        let mut parts = packed::parts(&hash["v"]);
        parts.extend(hash.get("payload").map(|payload| ("payload".to_owned(), payload.clone())));
        Some(parts)
    }

    /// A part of an item, "" if it has none.
    pub fn part(&self, id: impl fmt::Display, name: &str) -> String {
        self.item(id).and_then(|mut item| item.remove(name)).unwrap_or_default()
    }

    pub fn zset(&self, key: &str) -> Option<&BTreeMap<String, Score>> {
        match self.keys.get(key).map(|entry| &entry.value) {
            Some(Value::Zset(zset)) => Some(zset),
            _ => None,
        }
    }

    pub fn score(&self, key: &str, member: &str) -> Option<f64> {
        self.zset(key).and_then(|zset| zset.get(member)).map(|score| score.0)
    }

    /// Members in the order of their scores.
    pub fn ranked(&self, key: &str) -> Vec<String> {
        self.zset(key).map(ranked).unwrap_or_default().into_iter().map(|(member, _)| member).collect()
    }

    pub fn stream(&self, key: &str) -> &[Vec<String>] {
        match self.keys.get(key).map(|entry| &entry.value) {
            Some(Value::Stream(entries)) => entries,
            _ => &[],
        }
    }

    pub fn expires(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|entry| entry.expires)
    }

    /// Whether a key has been left alone since one of the two was copied from the other.
    pub fn shares(&self, other: &Self, key: &str) -> bool {
        match (self.keys.get(key), other.keys.get(key)) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    pub fn remove(&mut self, key: &str) -> bool {
        self.keys.remove(key).is_some()
    }

    /// Changes a value in place; no other copy of the keyspace sees it.
    pub fn change(&mut self, key: &str, change: impl FnOnce(&mut Value)) {
        if let Some(entry) = self.keys.get_mut(key) {
            change(&mut Arc::make_mut(entry).value);
        }
    }

    fn set(&mut self, key: &str, text: String, expires: bool) {
        self.keys.insert(key.into(), Arc::new(Entry { value: Value::Text(text), expires }));
    }

    fn edit<T>(&mut self, key: &str, empty: Value, edit: impl FnOnce(&mut Value) -> T) -> T {
        let entry =
            self.keys.entry(key.into()).or_insert_with(|| Arc::new(Entry { value: empty, expires: false }));
        let entry = Arc::make_mut(entry);
        let result = edit(&mut entry.value);
        let gone = match &entry.value {
            Value::Hash(hash) => hash.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::Zset(zset) => zset.is_empty(),
            Value::Text(_) | Value::Stream(_) => false,
        };
        if gone {
            self.keys.remove(key);
        }
        result
    }

    fn edit_hash<T>(&mut self, key: &str, edit: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        self.edit(key, Value::Hash(BTreeMap::new()), |value| match value {
            Value::Hash(hash) => edit(hash),
            other => panic!("WRONGTYPE {other:?}"),
        })
    }

    fn edit_set<T>(&mut self, key: &str, edit: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        self.edit(key, Value::Set(BTreeSet::new()), |value| match value {
            Value::Set(set) => edit(set),
            other => panic!("WRONGTYPE {other:?}"),
        })
    }

    fn edit_zset<T>(&mut self, key: &str, edit: impl FnOnce(&mut BTreeMap<String, Score>) -> T) -> T {
        self.edit(key, Value::Zset(BTreeMap::new()), |value| match value {
            Value::Zset(zset) => edit(zset),
            other => panic!("WRONGTYPE {other:?}"),
        })
    }

    /// Runs a command; what the scripts do not use is an error.
    pub fn run(&mut self, command: &[String]) -> Result<Reply, String> {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let count = |n: usize| Reply::Int(i64::try_from(n).unwrap());
        Ok(match words[..] {
            ["GET", key] => self.text(key).map_or(Reply::Nil, |text| Reply::Text(text.into())),
            ["MGET", ref keys @ ..] => {
                let of = |key: &&str| self.text(key).map_or(Reply::Nil, |text| Reply::Text(text.into()));
                Reply::Array(keys.iter().map(of).collect())
            }
            ["SET", key, value] => {
                self.set(key, value.into(), false);
                Reply::Ok
            }
            ["SET", key, value, "NX", ref expiry @ ..] => {
                if self.keys.contains_key(key) {
                    return Ok(Reply::Nil);
                }
                self.set(key, value.into(), matches!(expiry, ["EX" | "PX", _]));
                Reply::Ok
            }
            // What happened to an item is for people; kept here, each way to a state would make another one of it.
            ["APPEND", key, text] if key.starts_with("trace:") => count(text.len()),
            ["LPUSH", "timeline", _] => count(1),
            ["LTRIM", "timeline", _, _] => Reply::Ok,
            ["INCR", key] => self.add(key, 1)?,
            ["INCRBY", key, by] => self.add(key, by.parse().map_err(|_| "not an integer")?)?,
            ["DEL", ref keys @ ..] => count(keys.iter().filter(|key| self.remove(key)).count()),
            ["EXISTS", ref keys @ ..] => {
                count(keys.iter().filter(|key| self.keys.contains_key(**key)).count())
            }
            ["EXPIRE", key, _] => self.expire(key, true),
            ["PERSIST", key] => self.expire(key, false),
            ["HGET", key, field] => Reply::or_nil(self.fields(key).and_then(|hash| hash.get(field))),
            ["HMGET", key, ref fields @ ..] => {
                let hash = self.fields(key);
                let of = |field: &&str| Reply::or_nil(hash.and_then(|hash| hash.get(*field)));
                Reply::Array(fields.iter().map(of).collect())
            }
            ["HGETALL", key] => Reply::texts(
                self.fields(key)
                    .into_iter()
                    .flatten()
                    .flat_map(|(field, value)| [field.clone(), value.clone()]),
            ),
            ["HSET", key, ref pairs @ ..] => self.edit_hash(key, |hash| {
                let new = |pair: &&[&str]| hash.insert(pair[0].into(), pair[1].into()).is_none();
                count(pairs.chunks_exact(2).filter(new).count())
            }),
            ["HDEL", key, ref fields @ ..] => self.edit_hash(key, |hash| {
                count(fields.iter().filter(|field| hash.remove(**field).is_some()).count())
            }),
            ["SADD", key, ref members @ ..] => self.edit_set(key, |set| {
                count(members.iter().filter(|member| set.insert((**member).into())).count())
            }),
            ["SREM", key, ref members @ ..] => {
                self.edit_set(key, |set| count(members.iter().filter(|member| set.remove(**member)).count()))
            }
            ["SMEMBERS", key] => match self.keys.get(key).map(|entry| &entry.value) {
                Some(Value::Set(set)) => Reply::texts(set.iter().cloned()),
                _ => Reply::Array(Vec::new()),
            },
            ["ZADD", key, score, member] => self.zadd(key, score, member, false)?,
            ["ZADD", key, "GT", score, member] => self.zadd(key, score, member, true)?,
            ["ZREM", key, ref members @ ..] => self.edit_zset(key, |zset| {
                count(members.iter().filter(|member| zset.remove(**member).is_some()).count())
            }),
            ["ZSCORE", key, member] => {
                self.score(key, member).map_or(Reply::Nil, |score| Reply::Text(score.to_string()))
            }
            ["ZRANGE", key, from, to, ref options @ ..] => {
                let all = self.zset(key).map(ranked).unwrap_or_default();
                let length = i64::try_from(all.len()).unwrap();
                // Where the range begins, or just after its end.
                let index = |text: &str, after: i64| -> Result<usize, String> {
                    let index: i64 = text.parse().map_err(|_| "not an integer")?;
                    let index = if index < 0 { length + index } else { index } + after;
                    Ok(usize::try_from(index.clamp(0, length)).unwrap())
                };
                let part = all.get(index(from, 0)?..index(to, 1)?).unwrap_or_default();
                with_scores(part, options.contains(&"WITHSCORES"))
            }
            ["ZRANGEBYSCORE", key, min, max, ref options @ ..] => {
                let (min, max) = (bound(min)?, bound(max)?);
                let inside = |score: f64| {
                    (score > min.0 || score == min.0 && !min.1) && (score < max.0 || score == max.0 && !max.1)
                };
                let mut part = self.zset(key).map(ranked).unwrap_or_default();
                part.retain(|(_, score)| inside(*score));
                if let Some(limit) = options.iter().position(|option| *option == "LIMIT") {
                    let number = |at: usize| options[limit + at].parse().map_err(|_| "not an integer");
                    let (skip, most): (usize, usize) = (number(1)?, number(2)?);
                    part = part.into_iter().skip(skip).take(most).collect();
                }
                with_scores(&part, options.contains(&"WITHSCORES"))
            }
            ["XADD", key, "MAXLEN", "~", _, "*", ref fields @ ..] => {
                let fields = fields.iter().map(|field| (*field).to_owned()).collect();
                let length = self.edit(key, Value::Stream(Vec::new()), |value| match value {
                    Value::Stream(entries) => {
                        entries.push(fields);
                        entries.len()
                    }
                    other => panic!("WRONGTYPE {other:?}"),
                });
                Reply::Text(format!("{length}-0"))
            }
            _ => return Err(format!("the model's Redis does not know {command:?}")),
        })
    }

    fn add(&mut self, key: &str, by: i64) -> Result<Reply, String> {
        let sum = self.text(key).unwrap_or("0").parse::<i64>().map_err(|_| "not an integer")? + by;
        let expires = self.keys.get(key).is_some_and(|entry| entry.expires);
        self.set(key, sum.to_string(), expires);
        Ok(Reply::Int(sum))
    }

    fn expire(&mut self, key: &str, expires: bool) -> Reply {
        let Some(entry) = self.keys.get_mut(key) else { return Reply::Int(0) };
        let changed = expires || entry.expires;
        if entry.expires != expires {
            Arc::make_mut(entry).expires = expires;
        }
        Reply::Int(i64::from(changed))
    }

    fn zadd(&mut self, key: &str, score: &str, member: &str, greater: bool) -> Result<Reply, String> {
        let score: f64 = score.parse().map_err(|_| "not a float")?;
        Ok(self.edit_zset(key, |zset| {
            let old = zset.get(member).copied();
            if !(greater && old.is_some_and(|old| old.0 >= score)) {
                zset.insert(member.into(), Score(score));
            }
            Reply::Int(i64::from(old.is_none()))
        }))
    }
}

fn ranked(zset: &BTreeMap<String, Score>) -> Vec<(String, f64)> {
    let mut all: Vec<_> = zset.iter().map(|(member, score)| (member.clone(), score.0)).collect();
    // Members are in their own order already.
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

fn with_scores(part: &[(String, f64)], scores: bool) -> Reply {
    Reply::texts(
        part.iter().flat_map(|(member, score)| {
            std::iter::once(member.clone()).chain(scores.then(|| score.to_string()))
        }),
    )
}

/// The bound of a range of scores, and whether it is left out.
fn bound(text: &str) -> Result<(f64, bool), String> {
    let (number, excluded) = text.strip_prefix('(').map_or((text, false), |number| (number, true));
    Ok((number.parse().map_err(|_| "min or max is not a float")?, excluded))
}
