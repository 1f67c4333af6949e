//! Two controllers, their users and what befalls them: what each may do next, and what comes of it.
//!
//! A controller's program follows `src/heartbeat.rs`, `src/claimer.rs` and `src/queue.rs`, and above them the stand-in
//! (`testkit/standin`): what it does with a claim, how it closes a build's record, how it decides on an orphan.
//! A call is made, run by Redis and answered in one step, except one that comes late: it was sent, with all that its
//! sender believed then, and is run at any later moment, or never; its sender may give it up meanwhile, and try again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use stateright::Model;

use crate::keyspace::{Keyspace, Score, Value};
use crate::rules::{self, Broken, Step};
use crate::scripts::{Code, Host, Script};
use crate::support::packed::{self, Parts};

/// Time passes in ticks. It stands still at `NOW`, and what is stored grows older instead.
pub const TICK: i64 = 1000;
pub const NOW: i64 = 1_000_000;
/// A lease lasts two ticks; by its own clock a controller trusts it for less than that.
const LEASE_TICKS: u8 = 2;
/// What is older makes no further difference: it has lapsed, or nobody has beaten for more than a lease.
const OLDEST: u8 = LEASE_TICKS + 1;
const LAPSED: f64 = (NOW - TICK) as f64;
const NAMES: [&str; 2] = ["a", "b"];

pub type Id = u8;

/// What there is to do, and how often something may befall those who do it.
pub struct Cluster {
    host: u32,
    code: Code,
    jobs: Vec<Job>,
    room: usize,
    start: Budget,
    sleeping: bool,
    /// How often each script answered what.
    pub answers: Arc<Mutex<BTreeMap<(Script, String), u64>>>,
}

/// The job of one item.
#[derive(Clone, Copy)]
pub struct Job {
    pub name: &'static str,
    pub concurrent: bool,
    /// Whether a build that ended with its controller runs again.
    pub rerun: bool,
    /// Whether another controller can go on with a build of it, as with a Pipeline.
    pub adoptable: bool,
}

/// How often a build runs again after deaths in a row.
pub const MOST_RERUNS: u32 = 1;

/// How often each may still happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Budget {
    /// A controller stops for ever; a call that came late is still on its way.
    pub deaths: u8,
    /// It comes back as a new process.
    pub restarts: u8,
    /// A controller stops for any time, maybe with a call on its way.
    pub stalls: u8,
    /// A call comes late, or its answer is lost, while its controller goes on.
    pub delays: u8,
    /// A user cancels an item.
    pub cancels: u8,
    /// A controller hands back what it claimed; to be claimed again at once or a tick later.
    pub releases: u8,
    /// Items that are not there from the beginning.
    pub triggers: u8,
    /// A controller gives what it runs to the other.
    pub hand_overs: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    pub redis: Keyspace,
    pub controllers: [Controller; 2],
    /// The shared jobs folder.
    pub records: BTreeMap<(String, u32), Record>,
    pub left: Budget,
    /// The highest number given to a build of a job.
    pub highest: BTreeMap<String, u32>,
    /// Of whom a user was told that they are cancelled.
    pub cancelled: BTreeSet<Id>,
    pub broken: Option<Broken>,
    /// Whether the versions of items make a difference: for calls that name one.
    versions: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Record {
    pub item: Id,
    pub result: Option<&'static str>,
}

/// The result of a build that was not begun after all.
pub const WITHDRAWN: &str = "NOT_BUILT";
/// The result of a build that ended with its controller.
pub const ABORTED: &str = "ABORTED";

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Life {
    Up,
    Paused,
    Dead,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Controller {
    pub life: Life,
    incarnation: u8,
    joins: u8,
    /// It was a member before; until then it may push out its own earlier self.
    known: bool,
    /// The membership it believes in.
    pub epoch: Option<i64>,
    /// Ticks since it sent the last heartbeat that was answered.
    age: u8,
    beaten: bool,
    claim: u32,
    repeated: bool,
    /// Its last claim found nothing; ticks until something is due.
    asleep: Option<Option<i64>>,
    held: BTreeMap<Id, u32>,
    pub workers: Vec<Worker>,
    late: Option<Late>,
}

/// What a controller does with one claim.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Worker {
    pub claim: Claim,
    pub phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Claim {
    pub id: Id,
    pub epoch: i64,
    pub attempt: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    Held,
    Returning,
    Cancelling,
    Numbered(u32),
    Running(u32),
    /// Its build was let go of, for the other to go on with.
    Giving(u32),
    /// The other is gone: it is to go on here.
    TakingBack(u32),
    Ending(u32),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Late {
    call: Call,
    /// Its sender still waits for the answer.
    awaited: bool,
    age: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Call {
    pub caller: Caller,
    pub script: Script,
    pub args: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Caller {
    User,
    Heart,
    Claimer,
    Worker(Claim),
    /// Decides on an orphan.
    Reaper(Id),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Trigger,
    Cancel(Id),
    /// A user wants a build ended that is under way; it is not to run again.
    Unwant(Id),
    Do(usize, Call),
    /// A worker sees that its item is not its own any more.
    LetGo(usize, Claim),
    Die(usize),
    Restart(usize),
    Pause(usize, Option<Call>),
    Resume(usize),
    /// A call comes late.
    Delay(usize, Call),
    Arrive(usize),
    GiveUp(usize),
    Tick,
}

/// The item that a user asked for, of which this one is a re-run, or itself.
pub fn origin(id: Id) -> Id {
    id % 10
}

macro_rules! args {
    ($($arg:expr),*) => { vec![$($arg.to_string()),*] };
}

impl Cluster {
    pub fn new(code: &Code, jobs: &[Job], room: usize, start: Budget) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let host = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            host,
            code: code.clone(),
            jobs: jobs.to_vec(),
            room,
            start,
            sleeping: false,
            answers: Arc::default(),
        }
    }

    /// Controllers whose claim found nothing wait to be woken, instead of knowing when to claim.
    pub fn sleeping(mut self) -> Self {
        self.sleeping = true;
        self
    }

    pub fn job(&self, id: Id) -> Job {
        self.jobs[usize::from(origin(id)) - 1]
    }

    fn trigger(&self, id: Id) -> Call {
        let job = self.job(id);
        let (job, concurrent) = (job.name, u8::from(job.concurrent).to_string());
        let given = [("job", job), ("concurrent", &concurrent), ("origin", "a")];
        let args = args![id, packed::accepted(&given), 0, "payload", "mac", -1];
        Call { caller: Caller::User, script: Script::Enqueue, args }
    }

    fn start(&self) -> State {
        let controller = Controller {
            life: Life::Up,
            incarnation: 1,
            joins: 0,
            known: false,
            epoch: None,
            age: 0,
            beaten: true,
            claim: 1,
            repeated: false,
            asleep: None,
            held: BTreeMap::new(),
            workers: Vec::new(),
            late: None,
        };
        let mut state = State {
            redis: Keyspace::default(),
            controllers: [controller.clone(), controller],
            records: BTreeMap::new(),
            left: self.start,
            highest: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            broken: None,
            versions: self.start.hand_overs > 0,
        };
        for who in 0..2 {
            let call = state.join(who);
            self.make(&mut state, who, call);
        }
        for id in 1..=self.jobs.len() - usize::from(self.start.triggers) {
            self.make(&mut state, 0, self.trigger(u8::try_from(id).unwrap()));
        }
        state
    }

    /// A controller sends a call, Redis runs it, and its answer comes.
    fn make(&self, state: &mut State, who: usize, call: Call) {
        state.send(who, &call);
        let answer = self.run(state, &call);
        state.receive(who, &call, &answer, 0, self);
        state.finish_step(self.sleeping);
    }

    /// Redis runs a call; empty when the script failed.
    fn run(&self, state: &mut State, call: &Call) -> Vec<String> {
        let before = state.redis.clone();
        let result = with_host(self.host, &self.code, |host| {
            host.run_once(call.script, &call.args, &mut state.redis, NOW)
        });
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                state.broken = Some(Broken::new("SCRIPT", error));
                return Vec::new();
            }
        };
        let word = answer.first().cloned().unwrap_or_default();
        *self.answers.lock().unwrap().entry((call.script, word)).or_default() += 1;
        let step = Step { call, before: &before, answer: &answer };
        if let Err(broken) = rules::judge(&step, state) {
            state.broken.get_or_insert(broken);
        }
        answer
    }

    /// The calls a controller may make next.
    fn calls(&self, state: &State, who: usize) -> Vec<Call> {
        let me = &state.controllers[who];
        let mut calls = Vec::new();
        if me.free(Caller::Heart) && (me.epoch.is_none() || !me.beaten) {
            calls.push(match me.epoch {
                Some(epoch) => {
                    let args = args![NAMES[who], epoch, i64::from(LEASE_TICKS) * TICK];
                    Call { caller: Caller::Heart, script: Script::Beat, args }
                }
                None => state.join(who),
            });
        }
        let Some(epoch) = me.epoch else { return calls };
        let leased = me.age < LEASE_TICKS;
        let room = self.room.saturating_sub(me.workers.len());
        if leased && room > 0 && me.free(Caller::Claimer) && self.looks(state, who) {
            let repeated = u8::from(me.repeated);
            let args = args![NAMES[who], epoch, room, me.claim, repeated, "", 0, "", "", room];
            calls.push(Call { caller: Caller::Claimer, script: Script::Claim, args });
        }
        for worker in me.workers.iter().filter(|worker| me.free(Caller::Worker(worker.claim))) {
            let id = worker.claim.id;
            let owned = |script: Script, more: &[&str]| {
                let mut args = args![NAMES[who], epoch, id, me.held.get(&id).unwrap_or(&0)];
                args.extend(more.iter().map(|arg| (*arg).to_owned()));
                Call { caller: Caller::Worker(worker.claim), script, args }
            };
            let job = self.job(id).name;
            match worker.phase {
                Phase::Held if worker.claim.epoch != epoch => {}
                Phase::Held => {
                    if leased {
                        let floor = state.records.keys().filter(|key| key.0 == job).map(|key| key.1).max();
                        calls.push(owned(Script::Number, &[job, &floor.unwrap_or(0).to_string()]));
                    }
                    if state.left.releases > 0 {
                        calls.push(owned(Script::Release, &["0", "no room", "0"]));
                        calls.push(owned(Script::Release, &[&TICK.to_string(), "no room", "0"]));
                    }
                    if !state.redis.part(id, "cancel").is_empty() {
                        calls.push(owned(Script::Cancelled, &["cancelled"]));
                    }
                }
                Phase::Returning => calls.push(owned(Script::Release, &["0", "no room", "0"])),
                Phase::Cancelling => calls.push(owned(Script::Cancelled, &["cancelled"])),
                Phase::Numbered(number) if leased => {
                    calls.push(owned(Script::Started, &[&number.to_string()]));
                }
                Phase::Running(number) if state.is_open(&self.job(id), number) => {
                    calls.push(owned(Script::Finished, &["SUCCESS"]));
                    if state.left.hand_overs > 0 && worker.claim.epoch == epoch && leased {
                        calls.push(state.hand_over(who, worker.claim, NAMES[1 - who]));
                    }
                    if worker.claim.epoch != epoch {
                        let args = args![NAMES[who], epoch, id, "0", number];
                        calls.push(Call { caller: Caller::Worker(worker.claim), script: Script::Keep, args });
                    }
                }
                Phase::Giving(_) => calls.push(state.hand_over(who, worker.claim, NAMES[1 - who])),
                Phase::TakingBack(_) => calls.push(state.hand_over(who, worker.claim, NAMES[who])),
                Phase::Ending(_) => calls.push(owned(Script::Finished, &["SUCCESS"])),
                Phase::Numbered(_) | Phase::Running(_) => {}
            }
        }
        // Whose adoption was answered too late hears of it by the event.
        for id in state.redis.ranked("live") {
            let part = |name| state.redis.part(&id, name);
            let own =
                part("state") == "R" && part("owner") == NAMES[who] && part("epoch") == epoch.to_string();
            let id: Id = id.parse().unwrap();
            let goes_on = me.workers.iter().any(|worker| worker.claim.id == id);
            if self.job(id).adoptable && own && !goes_on && me.free(Caller::Reaper(id)) {
                let args = args![NAMES[who], epoch, id];
                calls.push(Call { caller: Caller::Reaper(id), script: Script::Adopt, args });
            }
        }
        let reaper = format!("{}:{epoch}", NAMES[who]);
        for (id, by) in state.redis.fields("orphan").into_iter().flatten() {
            let id: Id = id.parse().unwrap();
            if *by != reaper || !me.free(Caller::Reaper(id)) || me.runs(id) {
                continue;
            }
            let number = state.redis.part(id, "number").parse().unwrap();
            let left = state.records.get(&(self.job(id).name.to_owned(), number));
            let mut args = args![NAMES[who], epoch, id];
            let held = me.held.get(&id).unwrap_or(&0).to_string();
            let script = match left.map(|record| record.result.unwrap_or(ABORTED)) {
                None | Some(WITHDRAWN) => {
                    args.extend(args![held, 0, "its controller died", 1]);
                    Script::Release
                }
                Some(ABORTED)
                    if self.job(id).adoptable && left.is_some_and(|record| record.result.is_none()) =>
                {
                    Script::Adopt
                }
                Some(ABORTED) if self.job(id).rerun => {
                    let deaths: Id = state.redis.part(id, "deaths").parse().unwrap_or(0);
                    // Each reaper has ids of its own.
                    let new = origin(id) + if who == 0 { 10 } else { 20 } + 20 * deaths;
                    args.extend(args![ABORTED, new, "payload", "mac", MOST_RERUNS]);
                    Script::Rerun
                }
                Some(result) => {
                    args.extend(args![held, result]);
                    Script::Finished
                }
            };
            calls.push(Call { caller: Caller::Reaper(id), script, args });
        }
        calls
    }

    /// Whether a controller's claimer has a reason to claim.
    fn looks(&self, state: &State, who: usize) -> bool {
        let me = &state.controllers[who];
        if self.sleeping {
            return me.repeated || me.asleep.is_none_or(|due| due.is_some_and(|ticks| ticks <= 0));
        }
        let due =
            state.redis.zset("delayed").is_some_and(|zset| zset.values().any(|due| due.0 <= NOW as f64));
        me.repeated || due || state.redis.zset("ready::").is_some()
    }

    fn looks_at_nothing(&self, state: &State) -> bool {
        let nothing_moves = |who: usize| {
            let me = &state.controllers[who];
            me.life != Life::Up || self.calls(state, who).is_empty() && state.strays(who).is_empty()
        };
        nothing_moves(0) && nothing_moves(1)
    }

    /// Nothing will happen any more, unless something befalls somebody or a user does something.
    pub fn is_over(&self, state: &State) -> bool {
        let waits = |me: &Controller| me.life == Life::Paused || me.late.is_some();
        !state.controllers.iter().any(waits)
            && state.left.triggers == 0
            && self.looks_at_nothing(state)
            && !state.ticks()
    }
}

impl State {
    /// An item is read just before it is given away.
    fn hand_over(&self, who: usize, claim: Claim, taker: &str) -> Call {
        let version = self.redis.part(claim.id, "version");
        let epoch = self.controllers[who].epoch.unwrap();
        let args = args![NAMES[who], epoch, claim.id, version, taker];
        Call { caller: Caller::Worker(claim), script: Script::HandOver, args }
    }

    fn join(&self, who: usize) -> Call {
        let me = &self.controllers[who];
        let (name, force) = (NAMES[who], u8::from(!me.known));
        let incarnation = format!("{name}{}", me.incarnation);
        let lease = i64::from(LEASE_TICKS) * TICK;
        let args = args![
            name,
            incarnation,
            name,
            "",
            1,
            lease,
            force,
            "check",
            "generation",
            me.joins + 1,
            "server",
            0
        ];
        Call { caller: Caller::Heart, script: Script::Join, args }
    }

    /// What changes with the sender before its call reaches Redis.
    fn send(&mut self, who: usize, call: &Call) {
        let me = &mut self.controllers[who];
        let close =
            |records: &mut BTreeMap<(String, u32), Record>, redis: &Keyspace, id: Id, number, result| {
                let job = redis.part(id, "job").to_owned();
                if let Some(record) = records.get_mut(&(job, number)) {
                    record.result.get_or_insert(result);
                }
            };
        match (call.caller, call.script) {
            (Caller::Heart, Script::Join) => me.joins += 1,
            (Caller::Worker(claim), script) => {
                let Some(worker) = me.workers.iter_mut().find(|worker| worker.claim == claim) else { return };
                match (script, worker.phase) {
                    (Script::Release, Phase::Held) => {
                        worker.phase = Phase::Returning;
                        self.left.releases -= 1;
                    }
                    (Script::Cancelled, Phase::Held) => worker.phase = Phase::Cancelling,
                    (Script::Finished, Phase::Running(number)) => {
                        worker.phase = Phase::Ending(number);
                        close(&mut self.records, &self.redis, claim.id, number, "SUCCESS");
                    }
                    (Script::HandOver, Phase::Running(number)) => {
                        worker.phase = Phase::Giving(number);
                        self.left.hand_overs -= 1;
                    }
                    _ => {}
                }
            }
            (Caller::Reaper(id), Script::Finished | Script::Rerun) => {
                let number = self.redis.part(id, "number").parse().unwrap();
                close(&mut self.records, &self.redis, id, number, ABORTED);
            }
            _ => {}
        }
    }

    /// What its sender makes of an answer to a call sent `age` ticks ago.
    fn receive(&mut self, who: usize, call: &Call, answer: &[String], age: u8, cluster: &Cluster) {
        let Some(word) = answer.first().map(String::as_str) else { return };
        let me = &mut self.controllers[who];
        match (call.caller, call.script) {
            (Caller::User, Script::Cancel) if word == "CANCELLED" => {
                self.cancelled.insert(call.args[0].parse().unwrap());
            }
            (Caller::Heart, Script::Beat) if word == "OK" => (me.age, me.beaten) = (age, age == 0),
            (Caller::Heart, Script::Beat) => me.epoch = None,
            (Caller::Heart, _) if word == "OK" => {
                let epoch = answer[1].parse().unwrap();
                me.epoch = Some(epoch);
                me.known = true;
                (me.age, me.beaten) = (age, age == 0);
                (me.claim, me.repeated, me.asleep) = (1, false, None);
                me.held.clear();
                // The claim that waits under the old membership is cut off.
                if let Some(late) = me.late.as_mut().filter(|late| late.call.caller == Caller::Claimer) {
                    late.awaited = false;
                }
                let late = me.late.as_ref().map(|late| late.call.caller);
                me.workers.retain(|worker| {
                    worker.phase != Phase::Held
                        || worker.claim.epoch == epoch
                        || late == Some(Caller::Worker(worker.claim))
                });
            }
            (Caller::Claimer, _) => {
                me.claim += 1;
                me.repeated = false;
                if word != "OK" {
                    return;
                }
                for packed in answer[3..].chunks_exact(3) {
                    let fields: Vec<&str> = packed[0].split('\n').collect();
                    let claim = Claim {
                        id: fields[0].parse().unwrap(),
                        epoch: fields[14].parse().unwrap(),
                        attempt: fields[15].parse().unwrap(),
                    };
                    me.held.insert(claim.id, claim.attempt);
                    if !me.workers.iter().any(|worker| worker.claim == claim) {
                        me.workers.push(Worker { claim, phase: Phase::Held });
                    }
                }
                if answer.len() <= 3 && cluster.sleeping {
                    let due: i64 = answer[2].parse().unwrap();
                    me.asleep = Some((due >= 0).then_some(due / TICK));
                }
            }
            (Caller::Worker(claim), script) => {
                let phase =
                    self.controllers[who].workers.iter().find(|worker| worker.claim == claim).unwrap().phase;
                let goes_on = self.goes_on(claim.id, phase);
                let me = &mut self.controllers[who];
                let job = cluster.job(claim.id).name.to_owned();
                let index = me.workers.iter().position(|worker| worker.claim == claim).unwrap();
                let worker = &mut me.workers[index];
                match (script, word) {
                    (Script::Number, "OK") => {
                        let number = answer[1].parse().unwrap();
                        worker.phase = Phase::Numbered(number);
                        let record = Record { item: claim.id, result: None };
                        if self.records.insert((job, number), record).is_some() {
                            let what = format!("{number} for item {} has a folder already", claim.id);
                            self.broken.get_or_insert(Broken::new("NUMBER", what));
                        }
                        return;
                    }
                    (Script::Started, "OK") => {
                        let Phase::Numbered(number) = worker.phase else { panic!("{worker:?}") };
                        worker.phase = Phase::Running(number);
                        return;
                    }
                    (Script::Keep, "OK") => {
                        worker.claim.epoch = call.args[1].parse().unwrap();
                        return;
                    }
                    (Script::HandOver, "CHANGED") => return,
                    (Script::HandOver, "ABSENT") => {
                        let Phase::Giving(number) = worker.phase else { panic!("{worker:?}") };
                        worker.phase = Phase::TakingBack(number);
                        return;
                    }
                    (Script::HandOver, "OK") if call.args[4] == NAMES[who] => {
                        let Phase::TakingBack(number) = worker.phase else { panic!("{worker:?}") };
                        // Given away by a call that came late, it is the other's.
                        if self.redis.part(claim.id, "state") == "R" {
                            worker.phase = Phase::Running(number);
                            return;
                        }
                    }
                    (Script::Keep | Script::Started, _) if cluster.job(claim.id).adoptable && goes_on => {}
                    (Script::Keep, _) => {
                        let Phase::Running(number) = worker.phase else { panic!("{worker:?}") };
                        self.records.get_mut(&(job, number)).unwrap().result.get_or_insert(ABORTED);
                    }
                    (Script::Started, _) => {
                        let Phase::Numbered(number) = worker.phase else { panic!("{worker:?}") };
                        self.records.get_mut(&(job, number)).unwrap().result.get_or_insert(WITHDRAWN);
                    }
                    _ => {}
                }
                me.workers.remove(index);
                let says_nothing = script == Script::Started && word == "STATE" || word == "NOTFOUND";
                if !says_nothing && script != Script::Keep {
                    me.held.remove(&claim.id);
                }
            }
            (Caller::Reaper(id), Script::Adopt) if word == "OK" => {
                let part = |name| self.redis.part(id, name).parse().unwrap();
                let epoch = call.args[1].parse().unwrap();
                let claim = Claim { id, epoch, attempt: part("attempts") };
                let number = part("number");
                me.held.remove(&id);
                if !me.workers.iter().any(|worker| worker.claim == claim) {
                    me.workers.push(Worker { claim, phase: Phase::Running(number) });
                }
            }
            (Caller::Reaper(id), _) => {
                me.held.remove(&id);
            }
            _ => {}
        }
    }

    /// Whether its build is, or will be, another controller's to go on with.
    fn goes_on(&self, id: Id, phase: Phase) -> bool {
        let (Phase::Numbered(number) | Phase::Running(number)) = phase else { return false };
        ["R", "O"].contains(&self.redis.part(id, "state").as_str())
            && self.redis.part(id, "number") == number.to_string()
    }

    /// Whether nobody has said yet how a build ended.
    fn is_open(&self, job: &Job, number: u32) -> bool {
        self.records[&(job.name.to_owned(), number)].result.is_none()
    }

    /// Claims that a controller's workers see to be gone.
    fn strays(&self, who: usize) -> Vec<Claim> {
        let me = &self.controllers[who];
        let stray = |worker: &&Worker| match worker.phase {
            Phase::Held => me.epoch.is_some_and(|epoch| worker.claim.epoch != epoch),
            Phase::Running(number) => {
                let job = self.redis.part(worker.claim.id, "job").to_owned();
                self.records[&(job, number)].result.is_some()
            }
            _ => false,
        };
        let free = |worker: &&Worker| me.free(Caller::Worker(worker.claim));
        me.workers.iter().filter(free).filter(stray).map(|worker| worker.claim).collect()
    }

    /// Whether time has to pass: somebody's lease runs out, or something becomes due.
    fn ticks(&self) -> bool {
        let healthy = |me: &Controller| me.life == Life::Up && me.free(Caller::Heart);
        let stands = |me: &Controller| !healthy(me) || me.epoch.is_some() && me.beaten;
        let runs_out = |(who, until): (&String, &Score)| {
            let (name, epoch) = who.split_once(':').unwrap();
            let me = &self.controllers[NAMES.iter().position(|known| *known == name).unwrap()];
            let renewed = healthy(me) && me.epoch.is_some_and(|known| known.to_string() == epoch);
            !renewed && until.0 > LAPSED
        };
        self.controllers.iter().all(stands)
            && (self.redis.zset("members").into_iter().flatten().any(runs_out)
                || self.redis.zset("delayed").into_iter().flatten().any(|(_, due)| due.0 > NOW as f64)
                || self.controllers.iter().any(|me| me.asleep.flatten().is_some_and(|ticks| ticks > 0)))
    }

    fn tick(&mut self) {
        for me in &mut self.controllers {
            if me.life != Life::Dead {
                me.age = (me.age + 1).min(LEASE_TICKS);
                me.beaten = false;
            }
            if let Some(late) = &mut me.late {
                late.age = (late.age + 1).min(LEASE_TICKS);
            }
            if let Some(Some(ticks)) = &mut me.asleep {
                *ticks = (*ticks - 1).max(0);
            }
        }
        for key in ["members", "delayed"] {
            self.redis.change(key, |value| {
                let Value::Zset(zset) = value else { panic!("{value:?}") };
                for score in zset.values_mut() {
                    score.0 = (score.0 - TICK as f64).max(LAPSED);
                }
            });
        }
        let last: i64 = self.redis.field("meta", "lastbeat").parse().unwrap();
        let last = (last - TICK).max(NOW - i64::from(OLDEST) * TICK);
        self.redis.change("meta", |value| {
            let Value::Hash(hash) = value else { panic!("{value:?}") };
            hash.insert("lastbeat".into(), last.to_string());
        });
    }

    /// Wakes who was to be woken, and forgets what no script looks at and no rule needs: states that differ only in
    /// that are one.
    fn finish_step(&mut self, sleeping: bool) {
        for (me, name) in self.controllers.iter_mut().zip(NAMES) {
            let wake = format!("wake:{name}");
            if !self.redis.stream(&wake).is_empty() {
                me.asleep = None;
            }
            self.redis.remove(&wake);
        }
        if let Err(broken) = rules::stands(self) {
            self.broken.get_or_insert(broken);
        }
        for key in ["events", "eventno"] {
            self.redis.remove(key);
        }
        if !sleeping {
            // All look all the time: who waits and who is roused makes no difference.
            let waits = |key: &&str| ["waiting", "idle:", "roused"].iter().any(|kind| key.starts_with(kind));
            let keys: Vec<String> =
                self.redis.entries().map(|(key, _)| key).filter(waits).map(str::to_owned).collect();
            keys.iter().for_each(|key| {
                self.redis.remove(key);
            });
        }
        let mut items = 0;
        let keys: Vec<String> = self.redis.entries().map(|(key, _)| key.to_owned()).collect();
        let hash = |redis: &mut Keyspace, key: &str, change: &dyn Fn(&mut BTreeMap<String, String>)| {
            redis.change(key, |value| match value {
                Value::Hash(hash) => change(hash),
                other => panic!("{key} is {other:?}"),
            });
        };
        let item = |redis: &mut Keyspace, id: &str, change: &dyn Fn(&mut Parts)| {
            hash(redis, &format!("item:{id}"), &|fields| {
                let mut parts = packed::parts(&fields["v"]);
                change(&mut parts);
                fields.insert("v".into(), packed::text(&parts));
            });
        };
        for key in &keys {
            if let Some(id) = key.strip_prefix("item:") {
                items += 1;
                if self.versions || self.redis.part(id, "version") == "0" {
                    continue;
                }
                item(&mut self.redis, id, &|parts| {
                    for name in ["version", "jobrev", "due"] {
                        parts.insert(name.to_owned(), "0".to_owned());
                    }
                    parts.remove("why");
                });
            } else if key.starts_with("member:") && !self.redis.field(key, "joined").is_empty() {
                hash(&mut self.redis, key, &|member| drop(member.remove("joined")));
            }
        }
        for key in keys.iter().filter(|key| key.starts_with("queued:") || *key == "live") {
            for (rank, id) in (1..).zip(self.redis.ranked(key)) {
                if self.redis.score(key, &id) == Some(f64::from(rank)) && key == "live" {
                    continue;
                }
                let revision = || rank.to_string();
                if key != "live" && self.redis.part(&id, "jobrev") != revision() {
                    item(&mut self.redis, &id, &|parts| drop(parts.insert("jobrev".into(), revision())));
                }
                self.redis.change(key, |value| match value {
                    Value::Zset(zset) => drop(zset.insert(id, Score(f64::from(rank)))),
                    other => panic!("{key} is {other:?}"),
                });
            }
        }
        // What has been handed back takes numbers that only order it behind all others.
        if self.redis.text("seq").is_some_and(|seq| seq != items.to_string()) {
            self.redis.change("seq", |value| *value = Value::Text(items.to_string()));
        }
        for who in 0..2 {
            self.forget_claims(who);
        }
    }

    /// Of the numbers of claims only counts which is the newest.
    fn forget_claims(&mut self, who: usize) {
        let me = &mut self.controllers[who];
        let Some(epoch) = me.epoch else { return };
        let Some(by) = me.claim.checked_sub(2).filter(|by| *by > 0) else { return };
        me.claim = 2;
        if let Some(late) = me.late.as_mut().filter(|late| late.call.caller == Caller::Claimer)
            && late.call.args[1] == epoch.to_string()
        {
            let number: u32 = late.call.args[3].parse().unwrap();
            late.call.args[3] = number.saturating_sub(by).max(1).to_string();
        }
        self.redis.change(&format!("claimed:{}:{epoch}", NAMES[who]), |value| {
            let Value::Text(note) = value else { panic!("{value:?}") };
            let (number, ids) = note.split_once(' ').unwrap_or((note, ""));
            let number = number.parse::<u32>().unwrap().saturating_sub(by).max(1);
            // Only the newest is ever answered again.
            *note = if number == 2 { format!("2 {ids}") } else { number.to_string() };
        });
    }
}

impl Controller {
    /// Whether this part of it does not wait for an answer.
    fn free(&self, caller: Caller) -> bool {
        !self.late.as_ref().is_some_and(|late| late.awaited && late.call.caller == caller)
    }

    /// Whether the item's build is on one of its executors.
    fn runs(&self, id: Id) -> bool {
        self.workers.iter().any(|worker| {
            worker.claim.id == id && matches!(worker.phase, Phase::Running(_) | Phase::Ending(_))
        })
    }
}

thread_local! {
    static HOSTS: RefCell<Option<(u32, Host)>> = const { RefCell::new(None) };
}

/// Each thread has a Lua of its own.
fn with_host<T>(number: u32, code: &Code, act: impl FnOnce(&Host) -> T) -> T {
    HOSTS.with_borrow_mut(|host| {
        if host.as_ref().is_none_or(|known| known.0 != number) {
            *host = Some((number, Host::new(code)));
        }
        act(&host.as_ref().unwrap().1)
    })
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.start()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        let left = &state.left;
        if left.triggers > 0 {
            actions.push(Action::Trigger);
        }
        if left.cancels > 0 {
            for id in state.redis.ranked("live") {
                let under_way = "SRO".contains(&state.redis.part(&id, "state"));
                let id = id.parse().unwrap();
                actions.push(if under_way { Action::Unwant(id) } else { Action::Cancel(id) });
            }
        }
        for who in 0..2 {
            let me = &state.controllers[who];
            if me.late.is_some() {
                actions.push(Action::Arrive(who));
            }
            match me.life {
                Life::Up => {}
                Life::Paused => {
                    actions.push(Action::Resume(who));
                    continue;
                }
                Life::Dead => {
                    if left.restarts > 0 {
                        actions.push(Action::Restart(who));
                    }
                    continue;
                }
            }
            if me.late.as_ref().is_some_and(|late| late.awaited) {
                actions.push(Action::GiveUp(who));
            }
            let calls = self.calls(state, who);
            let may_be_late: &[Call] = if me.late.is_none() { &calls } else { &[] };
            // The two are alike: it is the first that dies.
            if left.deaths > 0 && who == 0 {
                actions.push(Action::Die(who));
            }
            if left.stalls > 0 {
                actions.push(Action::Pause(who, None));
                actions.extend(may_be_late.iter().cloned().map(|call| Action::Pause(who, Some(call))));
            }
            if left.delays > 0 {
                actions.extend(may_be_late.iter().cloned().map(|call| Action::Delay(who, call)));
            }
            actions.extend(state.strays(who).into_iter().map(|claim| Action::LetGo(who, claim)));
            actions.extend(calls.into_iter().map(|call| Action::Do(who, call)));
        }
        if state.ticks() {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let delay = |state: &mut State, who: usize, call: Option<Call>| {
            if let Some(call) = call {
                state.send(who, &call);
                state.controllers[who].late = Some(Late { call, awaited: true, age: 0 });
            }
        };
        match action {
            Action::Trigger => {
                let id = self.jobs.len() + 1 - usize::from(state.left.triggers);
                state.left.triggers -= 1;
                self.make(&mut state, 0, self.trigger(u8::try_from(id).unwrap()));
            }
            Action::Cancel(id) => {
                state.left.cancels -= 1;
                let call = Call { caller: Caller::User, script: Script::Cancel, args: args![id, "eve"] };
                self.make(&mut state, 0, call);
            }
            Action::Unwant(id) => {
                state.left.cancels -= 1;
                let call = Call { caller: Caller::User, script: Script::Unwanted, args: args![id, "eve"] };
                self.make(&mut state, 0, call);
            }
            Action::Do(who, call) => self.make(&mut state, who, call),
            Action::LetGo(who, claim) => {
                state.controllers[who].workers.retain(|worker| worker.claim != claim)
            }
            Action::Die(who) => {
                state.left.deaths -= 1;
                let me = &mut state.controllers[who];
                let late = me.late.take().map(|late| Late { awaited: false, ..late });
                *me = Controller {
                    life: Life::Dead,
                    incarnation: me.incarnation,
                    joins: 0,
                    known: false,
                    epoch: None,
                    age: 0,
                    beaten: true,
                    claim: 1,
                    repeated: false,
                    asleep: None,
                    held: BTreeMap::new(),
                    workers: Vec::new(),
                    late,
                };
            }
            Action::Restart(who) => {
                state.left.restarts -= 1;
                state.controllers[who].life = Life::Up;
                state.controllers[who].incarnation += 1;
            }
            Action::Pause(who, call) => {
                state.left.stalls -= 1;
                delay(&mut state, who, call);
                state.controllers[who].life = Life::Paused;
            }
            Action::Resume(who) => state.controllers[who].life = Life::Up,
            Action::Delay(who, call) => {
                state.left.delays -= 1;
                delay(&mut state, who, Some(call));
            }
            Action::Arrive(who) => {
                let late = state.controllers[who].late.take()?;
                let answer = self.run(&mut state, &late.call);
                if late.awaited {
                    state.receive(who, &late.call, &answer, late.age, self);
                }
                state.finish_step(self.sleeping);
            }
            Action::GiveUp(who) => {
                let me = &mut state.controllers[who];
                let late = me.late.as_mut()?;
                late.awaited = false;
                me.repeated |= late.call.caller == Caller::Claimer;
            }
            Action::Tick => state.tick(),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        rules::properties()
    }
}
