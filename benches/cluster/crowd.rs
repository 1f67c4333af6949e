//! What one build costs Redis while more and more controllers wait for work, and what they cost it while nothing happens.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::{head, row};
use crate::ours::Ours;
use crate::support::Redis;

const GAP: Duration = Duration::from_millis(5);

pub fn measure(quick: bool) {
    let (items, idle) = if quick { (400, Duration::from_secs(2)) } else { (2000, Duration::from_secs(10)) };
    head(&["controllers that wait", "Redis' CPU, us a build", ": with 2", "idle: commands/s a controller"]);
    let mut with_two = None;
    for count in [2, 4, 8, 16, 32] {
        let redis = Redis::start();
        let all: Vec<_> =
            (0..count).map(|n| Arc::new(Ours::join(&redis.port.to_string(), &format!("c{n}")))).collect();
        let takers: Vec<_> =
            all.iter().map(Arc::clone).map(|one| thread::spawn(move || one.serve())).collect();
        thread::sleep(Duration::from_millis(500));
        let (commands, began) = (info(&redis, "total_commands_processed:"), Instant::now());
        thread::sleep(idle);
        let commands = (info(&redis, "total_commands_processed:") - commands) / began.elapsed().as_secs_f64();
        let cpu = busy(&redis);
        let mut due = Instant::now();
        for _ in 0..items {
            all[0].put_one();
            due += GAP;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        thread::sleep(Duration::from_millis(200));
        let each = (busy(&redis) - cpu) * 1e6 / f64::from(items);
        let first = *with_two.get_or_insert(each);
        row(&[
            count.to_string(),
            format!("{each:.0}"),
            format!("{:.2}", each / first),
            format!("{:.1}", commands / f64::from(count)),
        ]);
        all.iter().for_each(|one| one.close());
        takers.into_iter().for_each(|taker| taker.join().unwrap());
    }
    println!("\n{items} builds, one every {} ms; every count on a Redis of its own.", GAP.as_millis());
}

/// Seconds of CPU that Redis has used.
fn busy(redis: &Redis) -> f64 {
    info(redis, "used_cpu_user:") + info(redis, "used_cpu_sys:")
}

fn info(redis: &Redis, name: &str) -> f64 {
    let text: String = redis::cmd("INFO").arg("everything").query(&mut redis.inside()).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
}
