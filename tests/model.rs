//! Random histories of three controllers, held against a model of the queue that fits in one's head.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use ha_jenkins::{Cancel, Controller, Error, Item, ItemState, NewItem};
use proptest::prelude::*;
use support::{Redis, claim, invariants, join_lasting};

#[derive(Debug, Clone)]
enum Step {
    /// Job, priority, whether it is due.
    Enqueue(u8, i32, bool),
    Fold(usize, bool),
    Claim(usize, usize),
    Number(usize),
    Started(usize),
    Finished(usize),
    Cancelled(usize),
    Release(usize, bool),
    Park(usize),
    Cancel(usize),
    /// A controller leaves and comes back.
    Restart(usize),
    /// An orphan goes back to the queue, ends, or runs again.
    Decide(usize, Decision),
    /// Somebody wants a build ended.
    Unwanted(usize),
    /// A controller that came back takes a build of its own back.
    Keep(usize),
    /// Somebody who does not hold the item tries to use it.
    Intrude(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Decision {
    Back,
    End,
    Again,
}

/// How often controllers may die in a row with a build, at most.
const DEATHS: i32 = 2;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..4u8, prop_oneof![Just(5), Just(1000)], prop::bool::weighted(0.85)).prop_map(|(j, p, d)| Step::Enqueue(j, p, d)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(i, due)| Step::Fold(i, due)),
        6 => (0..3usize, 1..4usize).prop_map(|(c, most)| Step::Claim(c, most)),
        5 => any::<usize>().prop_map(Step::Number),
        4 => any::<usize>().prop_map(Step::Started),
        4 => any::<usize>().prop_map(Step::Finished),
        1 => any::<usize>().prop_map(Step::Cancelled),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(i, now)| Step::Release(i, now)),
        1 => any::<usize>().prop_map(Step::Park),
        3 => any::<usize>().prop_map(Step::Cancel),
        1 => (0..3usize).prop_map(Step::Restart),
        3 => (any::<usize>(), prop_oneof![Just(Decision::Back), Just(Decision::End), Just(Decision::Again)])
            .prop_map(|(i, decision)| Step::Decide(i, decision)),
        1 => any::<usize>().prop_map(Step::Unwanted),
        1 => any::<usize>().prop_map(Step::Keep),
        2 => any::<usize>().prop_map(Step::Intrude),
    ]
}

#[derive(Debug, Clone)]
struct Expected {
    state: ItemState,
    job: String,
    priority: i32,
    due: bool,
    owner: Option<usize>,
    number: i32,
    cancel: bool,
    /// The item in whose place it is, and how many controllers died with it.
    place: i64,
    deaths: i32,
}

struct World {
    redis: Redis,
    controllers: Vec<Controller>,
    items: BTreeMap<i64, Expected>,
    numbers: BTreeMap<String, i32>,
}

/// Jobs 0 and 1 run one build at a time.
fn concurrent(job: &str) -> bool {
    job > "job1"
}

impl World {
    fn new() -> Self {
        let redis = Redis::with(&[]);
        let controllers = (0..3).map(|n| join_lasting(&redis, &format!("c{n}"))).collect();
        Self { redis, controllers, items: BTreeMap::new(), numbers: BTreeMap::new() }
    }

    /// One of the items in one of `states`.
    fn pick(&self, states: &[ItemState], index: usize) -> Option<(i64, Expected)> {
        let fitting: Vec<_> = self.items.iter().filter(|(_, item)| states.contains(&item.state)).collect();
        let (id, item) = fitting.get(index.checked_rem(fitting.len())?)?;
        Some((**id, (*item).clone()))
    }

    /// What a claim must answer: priority, then age; of a non-concurrent job only the first, if none is under way.
    fn claimable(&self) -> Vec<i64> {
        use ItemState::{Claimed, Orphaned, Queued, Running, Starting};
        let mut order: Vec<_> =
            self.items.iter().filter(|(_, item)| item.state == Queued && item.due).collect();
        order.sort_by_key(|(_, item)| (item.priority, item.place));
        let mut busy: BTreeSet<&str> = self
            .items
            .values()
            .filter(|item| matches!(item.state, Claimed | Starting | Running | Orphaned))
            .map(|item| item.job.as_str())
            .collect();
        order.retain(|(_, item)| concurrent(&item.job) || busy.insert(&item.job));
        order.into_iter().map(|(id, _)| *id).collect()
    }

    fn change(&mut self, id: i64, state: ItemState) {
        let item = self.items.get_mut(&id).unwrap();
        item.state = state;
        if matches!(state, ItemState::Queued | ItemState::Unreadable) {
            (item.owner, item.number) = (None, 0);
        }
    }

    fn back(&mut self, id: i64) {
        let cancel = self.items[&id].cancel;
        self.change(id, if cancel { ItemState::Cancelled } else { ItemState::Queued });
    }

    fn step(&mut self, step: Step) {
        use ItemState::{Cancelled, Claimed, Done, Orphaned, Queued, Running, Starting, Unreadable};
        match step {
            Step::Enqueue(job, priority, due) => {
                let id = i64::try_from(self.items.len()).unwrap() + 1;
                let job = format!("job{job}");
                let item = NewItem {
                    priority,
                    concurrent: concurrent(&job),
                    quiet_ms: if due { 0 } else { 3_600_000 },
                    ..support::item(id, &job)
                };
                let by = usize::try_from(id).unwrap() % 3;
                assert!(self.controllers[by].enqueue(item, -1).unwrap().accepted);
                let item = Expected {
                    state: Queued,
                    job,
                    priority,
                    due,
                    owner: None,
                    number: 0,
                    cancel: false,
                    place: id,
                    deaths: 0,
                };
                self.items.insert(id, item);
            }
            Step::Fold(index, due) => {
                let Some((id, _)) = self.pick(&[Queued], index) else { return };
                let payload = format!("folded {id} {index}");
                let due_in = if due { 0 } else { 3_600_000 };
                assert!(self.controllers[0].fold(id, -1, payload.as_bytes(), due_in).unwrap().accepted);
                self.items.get_mut(&id).unwrap().due = due;
            }
            Step::Claim(by, most) => {
                let expected: Vec<i64> = self.claimable().into_iter().take(most).collect();
                let got: Vec<i64> = claim(&self.controllers[by], most).iter().map(|item| item.id).collect();
                assert_eq!(got, expected);
                for id in got {
                    self.change(id, Claimed);
                    self.items.get_mut(&id).unwrap().owner = Some(by);
                }
            }
            Step::Number(index) => {
                let Some((id, item)) = self.pick(&[Claimed, Starting], index) else { return };
                let result = self.controllers[item.owner.unwrap()].assign_number(id, &item.job, 3);
                if item.state == Starting {
                    assert_eq!(result, Ok(item.number));
                } else if item.cancel {
                    assert!(matches!(result, Err(Error::Conflict(_))));
                    self.change(id, Cancelled);
                } else {
                    let last = self.numbers.entry(item.job).or_insert(3);
                    *last += 1;
                    assert_eq!(result, Ok(*last));
                    let number = *last;
                    self.change(id, Starting);
                    self.items.get_mut(&id).unwrap().number = number;
                }
            }
            Step::Started(index) => {
                let Some((id, item)) = self.pick(&[Starting], index) else { return };
                self.controllers[item.owner.unwrap()].started(id, item.number).unwrap();
                self.change(id, Running);
            }
            Step::Finished(index) => {
                let Some((id, item)) = self.pick(&[Starting, Running], index) else { return };
                self.controllers[item.owner.unwrap()].finished(id, "SUCCESS").unwrap();
                self.change(id, Done);
            }
            Step::Cancelled(index) => {
                let Some((id, item)) = self.pick(&[Claimed, Starting], index) else { return };
                self.controllers[item.owner.unwrap()].cancelled(id, "gone").unwrap();
                self.change(id, Cancelled);
            }
            Step::Release(index, now) => {
                let Some((id, item)) = self.pick(&[Claimed, Starting], index) else { return };
                let delay = if now { 0 } else { 3_600_000 };
                self.controllers[item.owner.unwrap()].release(id, delay, "no room").unwrap();
                self.back(id);
                self.items.get_mut(&id).unwrap().due = now;
            }
            Step::Park(index) => {
                let Some((id, item)) = self.pick(&[Claimed, Starting], index) else { return };
                self.controllers[item.owner.unwrap()].park(id, "cannot read").unwrap();
                self.change(id, Unreadable);
            }
            Step::Cancel(index) => {
                let all = [Queued, Claimed, Starting, Running, Orphaned, Done, Cancelled, Unreadable];
                let Some((id, item)) = self.pick(&all, index) else { return };
                let result = self.controllers[index % 3].cancel(id, "eve").unwrap();
                match item.state {
                    Queued | Unreadable | Cancelled => {
                        assert_eq!(result, Cancel::Cancelled);
                        self.change(id, Cancelled);
                    }
                    Claimed => {
                        assert_eq!(result, Cancel::Asked(format!("c{}", item.owner.unwrap())));
                        self.items.get_mut(&id).unwrap().cancel = true;
                    }
                    _ => assert_eq!(result, Cancel::TooLate),
                }
            }
            Step::Restart(who) => {
                self.controllers[who].close();
                self.controllers[who] = join_lasting(&self.redis, &format!("c{who}"));
                let held: Vec<(i64, ItemState)> = self
                    .items
                    .iter()
                    .filter(|(_, item)| {
                        item.owner == Some(who) && matches!(item.state, Claimed | Starting | Running)
                    })
                    .map(|(id, item)| (*id, item.state))
                    .collect();
                for (id, state) in held {
                    match state {
                        Claimed => self.back(id),
                        _ => self.change(id, Orphaned),
                    }
                }
            }
            Step::Decide(index, decision) => {
                let Some((id, item)) = self.pick(&[Orphaned], index) else { return };
                let new = i64::try_from(self.items.len()).unwrap() + 1;
                let decide = |controller: &Controller| match decision {
                    Decision::Back => controller.requeue(id, "its controller left").map(|()| None),
                    Decision::End => controller.finished(id, "ABORTED").map(|()| None),
                    Decision::Again => controller.rerun(id, "ABORTED", new, b"again", Some(DEATHS as u32)),
                };
                let mut results: Vec<_> = self.controllers.iter().map(decide).collect();
                results.retain(|result| !matches!(result, Err(Error::Fenced(_))));
                // Once requeued it is no orphan to the others any more.
                results.retain(|result| !matches!(result, Err(Error::Conflict(_))));
                let again = decision == Decision::Again && !item.cancel && item.deaths < DEATHS;
                assert_eq!(results, [Ok(again.then_some(new))], "one of them is the reaper");
                match decision {
                    Decision::Back => {
                        self.back(id);
                        self.items.get_mut(&id).unwrap().deaths += 1;
                        assert!(item.deaths < 10, "a history is too short for that");
                    }
                    _ => self.change(id, Done),
                }
                self.items.get_mut(&id).unwrap().due = true;
                if again {
                    let deaths = item.deaths + 1;
                    let fresh = Expected { state: Queued, due: true, owner: None, number: 0, deaths, ..item };
                    self.items.insert(new, fresh);
                }
            }
            Step::Unwanted(index) => {
                let all = [Queued, Claimed, Starting, Running, Orphaned, Done, Cancelled, Unreadable];
                let Some((id, item)) = self.pick(&all, index) else { return };
                let result = self.controllers[index % 3].unwanted(id, "eve");
                if matches!(item.state, Starting | Running | Orphaned) {
                    assert_eq!(result, Ok(()));
                    self.items.get_mut(&id).unwrap().cancel = true;
                } else {
                    assert!(matches!(result, Err(Error::Conflict(_))), "{result:?}");
                }
            }
            Step::Keep(index) => {
                let Some((id, item)) = self.pick(&[Claimed, Starting, Running, Orphaned, Done], index) else {
                    return;
                };
                let owner = item.owner.unwrap();
                for (who, controller) in self.controllers.iter().enumerate() {
                    match controller.keep(id) {
                        Ok(()) => {
                            assert_eq!(who, owner);
                            assert!(matches!(item.state, Starting | Running | Orphaned), "{item:?}");
                            if item.state == Orphaned {
                                self.items.get_mut(&id).unwrap().state = Running;
                            }
                        }
                        Err(Error::Fenced(_)) => {
                            assert!(who != owner || !matches!(item.state, Starting | Running), "{item:?}")
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            Step::Intrude(index) => {
                let Some((id, item)) = self.pick(&[Queued, Claimed, Starting, Running, Orphaned], index)
                else {
                    return;
                };
                let intruder = &self.controllers[item.owner.map_or(index, |owner| owner + 1) % 3];
                let fenced = |result: Result<(), Error>| {
                    assert!(matches!(result, Err(Error::Fenced(_))), "{result:?}")
                };
                fenced(intruder.assign_number(id, &item.job, 0).map(|_| ()));
                fenced(intruder.started(id, item.number));
                fenced(intruder.cancelled(id, "not mine"));
                fenced(intruder.park(id, "not mine"));
                if item.state != Orphaned {
                    fenced(intruder.finished(id, "SUCCESS"));
                    let again = intruder.rerun(id, "ABORTED", 1 << 40, b"again", Some(DEATHS as u32));
                    assert!(matches!(again, Err(Error::Conflict(_))), "nobody's to run again: {again:?}");
                }
            }
        }
    }

    fn check(&self) {
        invariants::check(&mut self.redis.inside());
        let live: BTreeMap<i64, Item> =
            self.controllers[0].items().unwrap().into_iter().map(|item| (item.id, item)).collect();
        let claimable = self.claimable();
        for (id, expected) in &self.items {
            if expected.state.ended() {
                assert!(!live.contains_key(id), "{id} has ended");
                continue;
            }
            let item = &live[id];
            assert_eq!((item.state, item.number), (expected.state, expected.number), "{item:?}");
            let blocked = expected.state == ItemState::Queued && expected.due && !claimable.contains(id);
            assert_eq!(item.blocked, blocked, "{item:?}");
        }
        assert!(live.len() <= self.items.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_one_of_the_model(steps in prop::collection::vec(step(), 1..70)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.check();
        }
    }
}
