//! How fast it is: run with `cargo test --release --test pace -- --ignored --nocapture`.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::{Redis, item, join, offer, put};

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

/// The physical limit: RPUSH here, BRPOP there.
fn bare(redis: &Redis, rounds: usize) -> Vec<Duration> {
    let (mut push, mut pop) = (redis.inside(), redis.inside());
    let (sender, times) = std::sync::mpsc::channel();
    let popper = thread::spawn(move || {
        for _ in 0..rounds {
            let _: (String, i64) = redis::cmd("BRPOP").arg("bare").arg(10).query(&mut pop).unwrap();
            sender.send(Instant::now()).unwrap();
        }
    });
    let times = (0..rounds)
        .map(|n| {
            thread::sleep(Duration::from_millis(2));
            let sent = Instant::now();
            let _: i64 = redis::cmd("RPUSH").arg("bare").arg(n).query(&mut push).unwrap();
            times.recv().unwrap() - sent
        })
        .collect();
    popper.join().unwrap();
    times
}

/// Redis' own time for scripts since the last look.
fn script_cost(redis: &Redis) -> String {
    let mut inside = redis.inside();
    let info: String = redis::cmd("INFO").arg("commandstats").query(&mut inside).unwrap();
    let _: String = redis::cmd("CONFIG").arg("RESETSTAT").query(&mut inside).unwrap();
    info.lines()
        .filter(|line| line.contains("evalsha") || line.contains("hmget:"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
#[ignore = "a measurement"]
fn pace() {
    let redis = Redis::start();
    let rounds = 2000;
    let mut limit = bare(&redis, rounds);
    let (a, b) = (Arc::new(join(&redis, "a")), Arc::new(join(&redis, "b")));
    let (sender, times) = std::sync::mpsc::channel();
    let taker = Arc::clone(&b);
    let taking = thread::spawn(move || {
        let mut left = rounds;
        while left > 0 {
            for item in taker.claim(&offer("", 1), 1, Duration::from_secs(10)).unwrap() {
                sender.send(Instant::now()).unwrap();
                let number = taker.assign_number(item.id, "job", 0).unwrap();
                taker.started(item.id, number).unwrap();
                taker.finished(item.id, "SUCCESS").unwrap();
                left -= 1;
            }
        }
    });
    let mut dispatch: Vec<Duration> = (1..=rounds)
        .map(|id| {
            thread::sleep(Duration::from_millis(2));
            let sent = Instant::now();
            put(&a, item(id as i64, "job"));
            times.recv().unwrap() - sent
        })
        .collect();
    taking.join().unwrap();
    println!("bare BRPOP p50 {:?} p99 {:?}", percentile(&mut limit, 50), percentile(&mut limit, 99));
    println!("dispatch   p50 {:?} p99 {:?}", percentile(&mut dispatch, 50), percentile(&mut dispatch, 99));

    println!("  {}", script_cost(&redis));
    let count = 20_000;
    let began = Instant::now();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let a = Arc::clone(&a);
            thread::spawn(move || (0..count / 4).for_each(|i| put(&a, item(10_000 + n * count + i, "job"))))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    println!("enqueue, 4 threads: {:.0}/s", count as f64 / began.elapsed().as_secs_f64());
    println!("  {}", script_cost(&redis));

    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let takers: Vec<_> = [a, b]
        .into_iter()
        .map(|controller| {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                while done.load(Ordering::SeqCst) < count as usize {
                    let items = controller.claim(&offer("", 64), 64, Duration::from_millis(200)).unwrap();
                    let chunks: Vec<Vec<i64>> =
                        items.chunks(16).map(|c| c.iter().map(|item| item.id).collect()).collect();
                    thread::scope(|scope| {
                        for chunk in chunks {
                            let (controller, done) = (&controller, &done);
                            scope.spawn(move || {
                                for id in chunk {
                                    controller.cancelled(id, "drained").unwrap();
                                    done.fetch_add(1, Ordering::SeqCst);
                                }
                            });
                        }
                    });
                }
            })
        })
        .collect();
    takers.into_iter().for_each(|taker| taker.join().unwrap());
    println!(
        "drain, 2 controllers (claim by 64, end one by one): {:.0}/s",
        count as f64 / began.elapsed().as_secs_f64()
    );
    println!("  {}", script_cost(&redis));
}
