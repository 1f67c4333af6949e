//! What a process that produces or takes is told to do, line by line, and what it answers.
//!
//! | told | answers |
//! | --- | --- |
//! | `pace <n> <gap us>` | stores n items one by one, a pause after each: `paced` |
//! | `fill <n> <at a time>` | stores n items as fast as it can: `filled <began> <ended>` |
//! | `listen <n>` | `ready`; takes and ends n items: `latencies <ns>...`, from before the storing until here |
//! | `drain <at a time>` | `ready`; takes and ends items until none has come for a while: `drained <how many> <first came> <last ended>` |
//!
//! Times are ns since 1970. Each item's payload begins with the time at which it was produced.

use std::io::BufRead;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// After this long without an item a queue is taken for empty.
pub const IDLE: Duration = Duration::from_millis(600);
/// Beside the time of production; what a build's causes and parameters come to.
const PADDING: &str = " ................................................................................................\
                       ................................................................................................";

/// What a queue can do for a measurement.
pub trait Queue {
    /// Stores one item, returns once it is stored.
    fn produce(&mut self, payload: String);
    /// Stores `count` items, at most `at_a_time` at once.
    fn fill(&mut self, count: usize, at_a_time: usize, payload: fn() -> String);
    /// Takes items and ends each, until `taken`, told their payloads, says that it is enough.
    fn listen(&mut self, taken: &mut dyn FnMut(&str) -> bool);
    /// Takes and ends items until the queue stays empty, at most `at_a_time` at once.
    fn drain(&mut self, at_a_time: usize) -> Drained;
}

/// What came of a drain.
pub struct Drained {
    pub count: usize,
    pub first: u128,
    pub last: u128,
}

pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

fn payload() -> String {
    now().to_string() + PADDING
}

pub fn play(role: &str, queue: &mut dyn Queue) {
    println!("{role}");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        match words[0] {
            "pace" => {
                for _ in 0..number(1) {
                    queue.produce(payload());
                    std::thread::sleep(Duration::from_micros(number(2) as u64));
                }
                println!("paced");
            }
            "fill" => {
                let began = now();
                queue.fill(number(1), number(2), payload);
                println!("filled {began} {}", now());
            }
            "listen" => {
                let mut latencies = Vec::with_capacity(number(1));
                println!("ready");
                queue.listen(&mut |payload| {
                    let sent: u128 = payload.split(' ').next().unwrap().parse().unwrap();
                    latencies.push(now().saturating_sub(sent).to_string());
                    latencies.len() == number(1)
                });
                println!("latencies {}", latencies.join(" "));
            }
            "drain" => {
                println!("ready");
                let Drained { count, first, last } = queue.drain(number(1));
                println!("drained {count} {first} {last}");
            }
            other => panic!("what is {other}?"),
        }
    }
}
