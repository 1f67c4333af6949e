//! From before an item is stored until another process has it.

use std::thread::sleep;
use std::time::Duration;

use crate::figures::{head, median, percentile, range, row};
use crate::player::System;
use crate::support::Redis;

const WARM_UP: usize = 500;
const ITEMS: usize = 1000;
const GAP_US: usize = 2000;

struct Measured {
    name: &'static str,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

pub fn measure(systems: &[System], quick: bool) {
    let (rounds, items) = if quick { (2, 200) } else { (5, ITEMS) };
    let mut playing: Vec<_> = systems
        .iter()
        .map(|system| {
            let redis = Redis::start();
            let (taker, producer) = (system.start("take", &redis, "a"), system.start("produce", &redis, "b"));
            (Measured { name: system.name, p50: Vec::new(), p99: Vec::new() }, redis, taker, producer)
        })
        .collect();
    for round in 0..=rounds {
        for (measured, _, taker, producer) in &mut playing {
            let count = if round == 0 { WARM_UP } else { items };
            taker.tell(&format!("listen {count}"));
            assert_eq!(taker.answer(), ["ready"]);
            sleep(Duration::from_millis(200));
            producer.tell(&format!("pace {count} {GAP_US}"));
            let mut latencies = taker.numbers("latencies");
            assert_eq!(producer.answer(), ["paced"]);
            if round > 0 {
                measured.p50.push(percentile(&mut latencies, 50) / 1e6);
                measured.p99.push(percentile(&mut latencies, 99) / 1e6);
            }
        }
    }
    let bare = playing.iter().find(|(measured, ..)| measured.name == System::BARE).unwrap();
    let limit = (median(bare.0.p50.clone()), median(bare.0.p99.clone()));
    head(&["system", "p50, ms (runs)", "p99, ms (runs)", "p50 : bare", "p99 : bare"]);
    for (measured, ..) in &playing {
        let (p50, p99) = (median(measured.p50.clone()), median(measured.p99.clone()));
        let cell = |middle: f64, all: &[f64]| {
            let (low, high) = range(all);
            format!("{middle:.2} ({low:.2}-{high:.2})")
        };
        row(&[
            measured.name.into(),
            cell(p50, &measured.p50),
            cell(p99, &measured.p99),
            format!("{:.2}", p50 / limit.0),
            format!("{:.2}", p99 / limit.1),
        ]);
    }
    println!(
        "\nMedians of {rounds} runs of {items} items each, one item every {} ms; in brackets lowest and highest run.",
        GAP_US / 1000
    );
}
