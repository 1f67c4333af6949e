//! All interleavings of two controllers on the scripts that ship, with what may befall them.
//!
//! The scripts run in Lua 5.1 on a Redis that is a value, so that every state can be gone back to. What a controller does
//! with them is in `interleavings/cluster.rs`, what must hold in `interleavings/rules.rs`. `cargo test --release --test
//! interleavings -- --ignored --nocapture` explores more.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "interleavings/cluster.rs"]
mod cluster;
#[path = "interleavings/keyspace.rs"]
mod keyspace;
#[path = "interleavings/likeness.rs"]
mod likeness;
#[path = "interleavings/rules.rs"]
mod rules;
#[path = "interleavings/scripts.rs"]
mod scripts;
mod support;

use std::time::Instant;

use cluster::{Action, Budget, Cluster, Job};
use scripts::{Code, Script};
use stateright::{Checker, HasDiscoveries, Model};

/// One at a time; a build that ended with its controller runs again.
const SERIAL: Job = Job { name: "serial", concurrent: false, rerun: true, adoptable: false };
/// At the same time; such a build does not.
const PARALLEL: Job = Job { name: "parallel", concurrent: true, rerun: false, adoptable: false };
/// A Pipeline: another controller goes on with it.
const PIPELINE: Job = Job { name: "pipeline", concurrent: false, rerun: true, adoptable: true };

/// Explores all there is; answers the rule that is broken and a shortest way there.
fn explore(name: &str, cluster: Cluster) -> Option<(&'static str, String)> {
    let start = Instant::now();
    let answers = cluster.answers.clone();
    let checker = cluster.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!(
        "{name}: {states} states, {steps} steps, at most {depth} deep, {:.1} s",
        start.elapsed().as_secs_f32()
    );
    for ((script, word), count) in answers.lock().unwrap().iter() {
        println!("    {script:?} {word}: {count}");
    }
    let (rule, path) = checker.discoveries().into_iter().next()?;
    Some((rule, rules::story(checker.model(), &path.into_actions())))
}

/// All rules hold, and what makes it worth while has come about.
fn holds(name: &str, cluster: Cluster, come_about: &[(Script, &str)]) {
    let answers = cluster.answers.clone();
    if let Some((rule, story)) = explore(name, cluster) {
        panic!("{rule} is broken by\n{story}");
    }
    let answers = answers.lock().unwrap();
    for (script, word) in come_about {
        assert!(answers.contains_key(&(*script, (*word).to_owned())), "never came about: {script:?} {word}");
    }
}

fn shipped(jobs: &[Job], room: usize, budget: Budget) -> Cluster {
    Cluster::new(&Code::shipped(), jobs, room, budget)
}

const DEATH_AND_STALL: Budget = Budget { deaths: 1, stalls: 1, ..NOTHING };
const NOTHING: Budget = Budget {
    deaths: 0,
    restarts: 0,
    stalls: 0,
    delays: 0,
    cancels: 0,
    releases: 0,
    triggers: 0,
    hand_overs: 0,
};

const LATE_AND_REFUSED: [(Script, &str); 6] = [
    (Script::Beat, "FENCED"),
    (Script::Claim, "FENCED"),
    (Script::Number, "FENCED"),
    (Script::Started, "FENCED"),
    (Script::Finished, "FENCED"),
    (Script::Keep, "FENCED"),
];

#[test]
fn a_death_and_a_stall_while_a_job_is_built_one_at_a_time() {
    let cluster = shipped(&[SERIAL, SERIAL], 1, DEATH_AND_STALL);
    holds(
        "death and stall",
        cluster,
        &[&LATE_AND_REFUSED[..], &[(Script::Rerun, "OK"), (Script::Keep, "OK")]].concat(),
    );
}

#[test]
fn a_death_and_a_stall_while_somebody_cancels() {
    let cluster = shipped(&[SERIAL], 1, Budget { cancels: 1, ..DEATH_AND_STALL });
    let cancels = [(Script::Cancel, "CANCELLED"), (Script::Cancel, "ASKED"), (Script::Unwanted, "OK")];
    holds("death, stall and cancel", cluster, &[&cancels[..], &[(Script::Number, "CANCELLED")]].concat());
}

#[test]
fn a_death_and_a_stall_of_builds_that_do_not_run_again() {
    holds("death and stall, no re-run", shipped(&[PARALLEL], 1, DEATH_AND_STALL), &LATE_AND_REFUSED);
}

#[test]
fn a_late_call_a_death_and_the_return_of_the_dead() {
    let budget = Budget { delays: 1, deaths: 1, restarts: 1, ..NOTHING };
    holds("late call, death and restart", shipped(&[SERIAL], 1, budget), &[(Script::Join, "LATE")]);
}

#[test]
fn what_is_handed_over_is_one_controllers_whoever_dies_and_whatever_comes_late() {
    let budget = Budget { hand_overs: 2, delays: 1, ..NOTHING };
    let late = [(Script::HandOver, "CHANGED"), (Script::HandOver, "FENCED"), (Script::Adopt, "OK")];
    holds("hand-over, late call", shipped(&[PIPELINE], 1, budget), &late);
    let budget = Budget { hand_overs: 1, deaths: 1, restarts: 1, ..NOTHING };
    holds("hand-over, death and restart", shipped(&[PIPELINE], 1, budget), &[(Script::Adopt, "OK")]);
    let budget = Budget { hand_overs: 1, delays: 1, deaths: 1, ..NOTHING };
    let gone = [(Script::HandOver, "ABSENT"), (Script::Adopt, "OK")];
    holds("hand-over, late call and death", shipped(&[PIPELINE], 1, budget), &gone);
}

#[test]
fn whoever_sleeps_is_woken_when_there_is_something_to_claim() {
    let budget = Budget { triggers: 1, releases: 1, deaths: 1, ..NOTHING };
    holds("sleepers", shipped(&[SERIAL, SERIAL], 1, budget).sleeping(), &[(Script::Release, "OK")]);
}

#[test]
#[ignore = "minutes: for a changed script"]
fn more_of_everything() {
    let all = [SERIAL, SERIAL, PARALLEL];
    let cancel = Budget { cancels: 1, ..DEATH_AND_STALL };
    holds("two jobs", shipped(&[SERIAL, PARALLEL], 2, DEATH_AND_STALL), &[]);
    holds("cancel one of two", shipped(&[SERIAL, SERIAL], 1, cancel), &[]);
    holds("three items, a stall", shipped(&all, 2, Budget { stalls: 1, ..NOTHING }), &[]);
    holds(
        "late call",
        shipped(&[SERIAL, SERIAL], 1, Budget { delays: 1, deaths: 1, restarts: 1, ..NOTHING }),
        &[],
    );
    let release = Budget { delays: 1, deaths: 1, releases: 1, cancels: 1, ..NOTHING };
    holds("late call and release", shipped(&[SERIAL], 1, release), &[]);
}

/// A defect, and what it takes to see it.
struct Defect {
    name: &'static str,
    text: &'static [(&'static str, &'static str)],
    jobs: &'static [Job],
    budget: Budget,
    sleeping: bool,
    broken: &'static [&'static str],
}

const DEFECTS: &[Defect] = &[
    Defect {
        name: "membership is not looked at",
        text: &[("return redis.call('ZSCORE', P .. 'members', controller .. ':' .. epoch)", "return '1'")],
        jobs: &[SERIAL],
        budget: Budget { stalls: 1, ..NOTHING },
        sleeping: false,
        broken: &["STALE", "INDEX"],
    },
    Defect {
        name: "the holder of an item is not looked at",
        text: &[(
            "return v[OWNER] == controller and v[EPOCH] == epoch and (attempt",
            "return true or (attempt",
        )],
        jobs: &[SERIAL],
        budget: Budget { stalls: 1, releases: 1, ..NOTHING },
        sleeping: false,
        broken: &["STALE", "DOUBLED"],
    },
    Defect {
        name: "any claim of the item will do",
        text: &[("(attempt == '0' or v[ATTEMPTS] == attempt)", "true")],
        jobs: &[SERIAL],
        budget: Budget { delays: 1, releases: 1, ..NOTHING },
        sleeping: false,
        broken: &["STALE"],
    },
    Defect {
        name: "a claim leaves the item ready",
        text: &[
            ("redis.call('ZREM', head[3], id)\n", "\n"),
            ("if not v or v[STATE] ~= 'Q' then return end\n  most", "if not v then return end\n  most"),
        ],
        jobs: &[PARALLEL],
        budget: NOTHING,
        sleeping: false,
        broken: &["INDEX"],
    },
    Defect {
        name: "a death drops what was claimed",
        text: &[("back(id, v, 0, why, who)\n", "\n")],
        jobs: &[SERIAL],
        budget: Budget { deaths: 1, ..NOTHING },
        sleeping: false,
        broken: &["INDEX"],
    },
    Defect {
        name: "a death runs at once again what ran",
        text: &[("if v[STATE] == 'C' then\n        back", "if true then\n        back")],
        jobs: &[SERIAL],
        budget: Budget { stalls: 1, ..NOTHING },
        sleeping: false,
        broken: &["RECORD", "DRAINED"],
    },
    Defect {
        name: "orphans of a dead reaper are left alone",
        text: &[("if not mends then adopt(me) end", ""), ("if not mending() then adopt(me) end", "")],
        jobs: &[SERIAL],
        budget: DEATH_AND_STALL,
        sleeping: false,
        broken: &["DRAINED"],
    },
    Defect {
        name: "a build that nobody wants runs again",
        text: &[("if v[CANCEL] ~= '' then\n  why = v[CANCEL] ..", "if false then\n  why = v[CANCEL] ..")],
        jobs: &[SERIAL],
        budget: Budget { deaths: 1, cancels: 1, ..NOTHING },
        sleeping: false,
        broken: &["RERUN"],
    },
    Defect {
        name: "the wish to cancel a claimed item is forgotten when it goes back",
        text: &[("if v[CANCEL] ~= '' then\n    finish(id, v, 'X'", "if false then\n    finish(id, v, 'X'")],
        jobs: &[SERIAL],
        budget: Budget { deaths: 1, cancels: 1, ..NOTHING },
        sleeping: false,
        broken: &["CANCELLED"],
    },
    Defect {
        name: "a claim whose answer was lost is not answered again",
        text: &[("if repeated and last == claim then", "if false then")],
        jobs: &[SERIAL],
        budget: Budget { delays: 1, ..NOTHING },
        sleeping: false,
        broken: &["DRAINED"],
    },
    Defect {
        name: "a claim that comes after its repetition claims",
        text: &[(
            "if tonumber(last) >= tonumber(claim) then",
            "if repeated and tonumber(last) >= tonumber(claim) then",
        )],
        jobs: &[PARALLEL, PARALLEL],
        budget: Budget { delays: 1, ..NOTHING },
        sleeping: false,
        broken: &["DRAINED"],
    },
    Defect {
        name: "what becomes claimable wakes nobody",
        text: &[(
            "redis.call('ZADD', ready_key(v), v[SCORE], id)\n  becomes_claimable(v[LANE], v[PINNED])\n",
            "redis.call('ZADD', ready_key(v), v[SCORE], id)\n",
        )],
        jobs: &[SERIAL],
        budget: Budget { triggers: 1, ..NOTHING },
        sleeping: true,
        broken: &["ROUSED"],
    },
    Defect {
        name: "nobody is roused in the place of one that died",
        text: &[("if roused then pass_on(roused) end", "")],
        jobs: &[SERIAL],
        budget: Budget { triggers: 1, deaths: 1, ..NOTHING },
        sleeping: true,
        broken: &["ROUSED", "DRAINED"],
    },
    Defect {
        name: "what is handed over is given away again by a call that comes late",
        text: &[("if v[VERSION] ~= ARGV[4] then return {'CHANGED'} end\n", "\n")],
        jobs: &[PIPELINE],
        budget: Budget { hand_overs: 2, delays: 1, ..NOTHING },
        sleeping: false,
        broken: &["DOUBLED"],
    },
    Defect {
        name: "what is handed over stays its giver's as well",
        text: &[(
            "local reaper = taker .. ':' .. theirs\ndisown(id, v)\n",
            "local reaper = taker .. ':' .. theirs\n",
        )],
        jobs: &[PIPELINE],
        budget: Budget { hand_overs: 1, ..NOTHING },
        sleeping: false,
        broken: &["INDEX"],
    },
    Defect {
        name: "the last that is blocked goes first",
        text: &[(
            "local first = redis.call('ZRANGE', parked, 0, 0)[1]\n",
            "local first = redis.call('ZRANGE', parked, -1, -1)[1]\n",
        )],
        jobs: &[SERIAL, SERIAL, SERIAL],
        budget: NOTHING,
        sleeping: false,
        broken: &["ORDER"],
    },
];

#[test]
fn defects_sown_into_the_scripts_are_found() {
    let mut missed = Vec::new();
    for defect in DEFECTS {
        let code = Code::shipped().with_defect(defect.text);
        let mut cluster = Cluster::new(&code, defect.jobs, 1, defect.budget);
        if defect.sleeping {
            cluster = cluster.sleeping();
        }
        match explore(defect.name, cluster) {
            Some((rule, _)) if defect.broken.contains(&rule) => println!("    found by {rule}"),
            found => missed.push((defect.name, found)),
        }
    }
    let missed: Vec<String> = missed.into_iter().map(|(name, found)| format!("{name}: {found:#?}")).collect();
    assert!(missed.is_empty(), "not found as they should be:\n{}", missed.join("\n"));
}

#[test]
fn without_faults_and_users_there_is_nothing_to_do_but_to_build() {
    let cluster = shipped(&[PARALLEL], 1, NOTHING);
    let state = cluster.init_states().remove(0);
    let mut actions = Vec::new();
    cluster.actions(&state, &mut actions);
    assert!(
        actions.iter().all(|action| matches!(action, Action::Do(_, call) if call.script == Script::Claim))
    );
    assert_eq!(actions.len(), 2, "either may claim: {actions:?}");
}
