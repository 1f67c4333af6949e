//! The scripts that ship, run by Lua 5.1 on the model's Redis, and defects sown into them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::keyspace::{Keyspace, Reply};

#[allow(dead_code, clippy::redundant_closure)]
#[path = "../../src/redis/scripts.rs"]
mod shipped;

/// A script by its name; each knows its place in [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Script {
    Adopt,
    Beat,
    Cancel,
    Cancelled,
    Claim,
    Enqueue,
    Finished,
    Fold,
    HandOver,
    Join,
    Keep,
    Leave,
    Number,
    Park,
    Release,
    Rerun,
    Started,
    Unwanted,
}

use Script::*;

pub const ALL: [Script; 18] = [
    Adopt, Beat, Cancel, Cancelled, Claim, Enqueue, Finished, Fold, HandOver, Join, Keep, Leave, Number,
    Park, Release, Rerun, Started, Unwanted,
];

/// The texts of all scripts, as they are sent to Redis.
#[derive(Debug, Clone)]
pub struct Code(Vec<String>);

impl Code {
    pub fn shipped() -> Self {
        use shipped::script as s;
        let text = |script: Script| {
            let script = match script {
                Adopt => &s::adopt,
                Beat => &s::beat,
                Cancel => &s::cancel,
                Cancelled => &s::cancelled,
                Claim => &s::claim,
                Enqueue => &s::enqueue,
                Finished => &s::finished,
                Fold => &s::fold,
                HandOver => &s::hand_over,
                Join => &s::join,
                Keep => &s::keep,
                Leave => &s::leave,
                Number => &s::number,
                Park => &s::park,
                Release => &s::release,
                Rerun => &s::rerun,
                Started => &s::started,
                Unwanted => &s::unwanted,
            };
            match script.load().args_iter().nth(2) {
                Some(redis::Arg::Simple(code)) => String::from_utf8(code.to_vec()).unwrap(),
                _ => panic!("SCRIPT LOAD has changed"),
            }
        };
        Self(ALL.into_iter().map(text).collect())
    }

    /// With each text in the place of another; panics if one is nowhere.
    pub fn with_defect(mut self, defect: &[(&str, &str)]) -> Self {
        for (good, bad) in defect {
            let (good, bad) = (as_sent(good), as_sent(bad));
            assert!(self.0.iter().any(|code| code.contains(&good)), "no script says {good:?} any more");
            for code in &mut self.0 {
                *code = code.replace(&good, &bad);
            }
        }
        self
    }

    pub fn text(&self, script: Script) -> &str {
        &self.0[script as usize]
    }
}

/// A piece of a script with numbers in the place of their names.
fn as_sent(piece: &str) -> String {
    let names = include_str!("../../src/lua/item.lua");
    let before = shipped::with_numbers(names);
    shipped::with_numbers(&format!("{names}\n{piece}"))[before.len() + 1..].trim_end_matches('\n').to_owned()
}

/// A Lua with the scripts.
pub struct Host {
    lua: Lua,
    functions: Vec<Function>,
    keyspace: Rc<RefCell<Keyspace>>,
    now: Rc<Cell<i64>>,
    /// What came of a call on a keyspace, by the hash of both.
    known: RefCell<HashMap<u64, (Vec<String>, Keyspace)>>,
}

impl Host {
    pub fn new(code: &Code) -> Self {
        let lua = Lua::new();
        let keyspace = Rc::new(RefCell::new(Keyspace::default()));
        let now = Rc::new(Cell::new(0));
        let (shared, clock) = (Rc::clone(&keyspace), Rc::clone(&now));
        let call = move |lua: &Lua, args: MultiValue| {
            let command = args.into_iter().map(argument).collect::<mlua::Result<Vec<_>>>()?;
            let reply = match command.first().map(String::as_str) {
                Some("TIME") => {
                    let text = |n: i64| Reply::Text(n.to_string());
                    Ok(Reply::Array(vec![text(clock.get() / 1000), text(clock.get() % 1000 * 1000)]))
                }
                _ => shared.borrow_mut().run(&command),
            };
            into_lua(lua, reply.map_err(mlua::Error::external)?)
        };
        let redis = lua.create_table().unwrap();
        redis.set("call", lua.create_function(call).unwrap()).unwrap();
        lua.globals().set("redis", redis).unwrap();
        let functions = code.0.iter().map(|text| lua.load(text).into_function().unwrap()).collect();
        Self { lua, functions, keyspace, now, known: RefCell::default() }
    }

    /// Runs a script, or remembers what came of it: many states differ only in what the controllers believe.
    pub fn run_once(
        &self,
        script: Script,
        args: &[String],
        keyspace: &mut Keyspace,
        now: i64,
    ) -> Result<Vec<String>, String> {
        let mut hasher = DefaultHasher::new();
        (script, args, &*keyspace).hash(&mut hasher);
        let key = hasher.finish();
        if let Some((answer, after)) = self.known.borrow().get(&key) {
            *keyspace = after.clone();
            return Ok(answer.clone());
        }
        let answer = self.run(script, args, keyspace, now)?;
        self.known.borrow_mut().insert(key, (answer.clone(), keyspace.clone()));
        Ok(answer)
    }

    /// Runs a script at a moment; an error of the script is what it says.
    pub fn run(
        &self,
        script: Script,
        args: &[String],
        keyspace: &mut Keyspace,
        now: i64,
    ) -> Result<Vec<String>, String> {
        self.now.set(now);
        std::mem::swap(&mut *self.keyspace.borrow_mut(), keyspace);
        let result = self.call(script, args);
        std::mem::swap(&mut *self.keyspace.borrow_mut(), keyspace);
        result.map_err(|error| error.to_string())
    }

    fn call(&self, script: Script, args: &[String]) -> mlua::Result<Vec<String>> {
        let globals = self.lua.globals();
        // With this key the prefix of all keys is empty.
        globals.raw_set("KEYS", self.lua.create_sequence_from(["meta"])?)?;
        globals.raw_set("ARGV", self.lua.create_sequence_from(args.iter().map(String::as_str))?)?;
        let answer: Table = self.functions[script as usize].call(())?;
        answer.sequence_values::<Value>().map(|value| argument(value?)).collect()
    }
}

fn argument(value: Value) -> mlua::Result<String> {
    match value {
        Value::String(text) => Ok(text.to_str()?.to_owned()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(mlua::Error::external(format!("{} is no argument of a command", other.type_name()))),
    }
}

fn into_lua(lua: &Lua, reply: Reply) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Nil => Value::Boolean(false),
        Reply::Ok => {
            let table = lua.create_table()?;
            table.raw_set("ok", "OK")?;
            Value::Table(table)
        }
        Reply::Int(number) => Value::Number(number as f64),
        Reply::Text(text) => Value::String(lua.create_string(text)?),
        Reply::Array(replies) => {
            let table = lua.create_table_with_capacity(replies.len(), 0)?;
            for reply in replies {
                table.raw_push(into_lua(lua, reply)?)?;
            }
            Value::Table(table)
        }
    })
}
