//! Items per second through the whole life of an item, with one process that produces and two that take.

use crate::figures::{head, median, range, row, thousands};
use crate::player::{Player, System};
use crate::support::Redis;

const ITEMS: usize = 10_000;

struct Measured {
    system: System,
    at_a_time: usize,
    stored: Vec<f64>,
    drained: Vec<f64>,
    both: Vec<f64>,
}

struct Playing {
    _redis: Redis,
    producer: Player,
    takers: [Player; 2],
}

pub fn measure(systems: &[System], quick: bool) {
    let (rounds, items) = if quick { (1, 2000) } else { (3, ITEMS) };
    let mut all: Vec<Measured> = Vec::new();
    for at_a_time in [1, 50] {
        for system in systems {
            if at_a_time == 1 || [System::OURS, System::BULLMQ].contains(&system.name) {
                let system = system.clone();
                all.push(Measured { system, at_a_time, stored: vec![], drained: vec![], both: vec![] });
            }
        }
    }
    for round in 0..=rounds {
        for measured in &mut all {
            let mut playing = start(&measured.system);
            let at_a_time = measured.at_a_time;
            if round == 0 {
                // What is compiled while it runs is compiled by then; the machine's caches are warm.
                run_both(&mut playing, 1000, at_a_time);
                continue;
            }
            run_both(&mut playing, 1000, at_a_time);
            let (stored, drained) = run_apart(&mut playing, items, at_a_time);
            measured.stored.push(stored);
            measured.drained.push(drained);
            measured.both.push(run_both(&mut playing, items, at_a_time));
        }
    }
    report(&all, rounds, items);
}

fn start(system: &System) -> Playing {
    let redis = Redis::start();
    let producer = system.start("produce", &redis, "p");
    let takers = [system.start("take", &redis, "a"), system.start("take", &redis, "b")];
    Playing { _redis: redis, producer, takers }
}

/// Stores all, then has all taken and ended; items per second of each.
fn run_apart(playing: &mut Playing, items: usize, at_a_time: usize) -> (f64, f64) {
    playing.producer.tell(&format!("fill {items} {at_a_time}"));
    let filled = playing.producer.numbers("filled");
    listen(playing, at_a_time);
    let (first, last) = drained(playing, items);
    (rate(items, filled[0], filled[1]), rate(items, first, last))
}

/// Stores while it is taken: items per second from the first stored to the last ended.
fn run_both(playing: &mut Playing, items: usize, at_a_time: usize) -> f64 {
    listen(playing, at_a_time);
    playing.producer.tell(&format!("fill {items} {at_a_time}"));
    let filled = playing.producer.numbers("filled");
    let (_, last) = drained(playing, items);
    rate(items, filled[0], last)
}

fn listen(playing: &mut Playing, at_a_time: usize) {
    for taker in &mut playing.takers {
        taker.tell(&format!("drain {at_a_time}"));
    }
    for taker in &mut playing.takers {
        assert_eq!(taker.answer(), ["ready"]);
    }
}

/// When the first item was taken and the last one ended.
fn drained(playing: &mut Playing, items: usize) -> (u128, u128) {
    let each: Vec<_> = playing.takers.iter_mut().map(|taker| taker.numbers("drained")).collect();
    let count: u128 = each.iter().map(|numbers| numbers[0]).sum();
    assert_eq!(count, items as u128, "each item is ended once");
    let took: Vec<_> = each.iter().filter(|numbers| numbers[0] > 0).collect();
    (
        took.iter().map(|numbers| numbers[1]).min().unwrap_or(0),
        took.iter().map(|numbers| numbers[2]).max().unwrap_or(0),
    )
}

fn rate(items: usize, began: u128, ended: u128) -> f64 {
    items as f64 / ((ended - began) as f64 / 1e9)
}

fn report(all: &[Measured], rounds: usize, items: usize) {
    head(&[
        "system",
        "at a time",
        "stored/s",
        "taken and ended/s",
        "both at once/s (runs)",
        "ours : it, taken and ended",
        "ours : it, both",
    ]);
    for measured in all {
        let ours = all
            .iter()
            .find(|other| other.system.name == System::OURS && other.at_a_time == measured.at_a_time)
            .unwrap();
        let ratio = |of: fn(&Measured) -> &Vec<f64>| {
            format!("{:.1}", median(of(ours).clone()) / median(of(measured).clone()))
        };
        let (low, high) = range(&measured.both);
        row(&[
            measured.system.name.into(),
            measured.at_a_time.to_string(),
            thousands(median(measured.stored.clone())),
            thousands(median(measured.drained.clone())),
            format!("{} ({}-{})", thousands(median(measured.both.clone())), thousands(low), thousands(high)),
            ratio(|measured| &measured.drained),
            ratio(|measured| &measured.both),
        ]);
    }
    println!("\nMedians of {rounds} runs of {items} items each; every run on a Redis of its own.");
}
