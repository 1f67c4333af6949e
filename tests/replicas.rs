//! Redis with replicas, and Sentinels that promote one of them.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ha_jenkins::{Controller, Error, Phase};
use support::{Redis, free_port, invariants, item, join, join_url, offer, put, settings, until};

fn replica_of(primary: &Redis) -> Redis {
    let replica = Redis::with(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    until("replicates", || {
        redis::cmd("WAIT").arg(1).arg(100).query::<i64>(&mut primary.inside()).unwrap() == 1
    });
    replica
}

fn has(redis: &Redis, id: i64) -> bool {
    redis::cmd("EXISTS").arg(format!("{{haj:test}}:item:{id}")).query(&mut redis.inside()).unwrap()
}

/// A replica on a busy machine may take longer than it is waited for, which is told then.
#[test]
fn what_is_accepted_is_on_a_replica_before_the_caller_hears_of_it_or_it_is_told_that_it_is_not() {
    let primary = Redis::start();
    let replica = replica_of(&primary);
    let a = join(&primary, "a");
    for id in 1..=50 {
        put(&a, item(id, "job"));
        let there = has(&replica, id);
        assert!(there || a.link().notice.contains("do not confirm"), "{id}");
    }
    assert_eq!(a.assign_number(0, "job", 7).unwrap(), 8);
    let number: Option<i32> =
        redis::cmd("GET").arg("{haj:test}:number:job").query(&mut replica.inside()).unwrap();
    assert!(number == Some(8) || a.link().notice.contains("do not confirm"), "{number:?}");
}

#[test]
fn a_replica_that_does_not_confirm_costs_a_moment_and_is_told() {
    let primary = Redis::with(&[]);
    let replica = replica_of(&primary);
    let a = join(&primary, "a");
    replica.signal("-STOP");
    let began = Instant::now();
    put(&a, item(1, "job"));
    let took = began.elapsed();
    assert!(took > Duration::from_millis(90) && took < Duration::from_secs(1), "{took:?}");
    assert!(a.link().notice.contains("do not confirm"), "{}", a.link().notice);
    assert_eq!(a.link().phase, Phase::Joined);
    replica.signal("-CONT");
    until("is there", || has(&replica, 1));
}

/// A Sentinel that decides alone, after half a second.
struct Sentinel {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Sentinel {
    fn of(primary: &Redis) -> Self {
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("ha-jenkins-sentinel-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let conf = folder.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor jenkins 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds jenkins 500\nsentinel failover-timeout jenkins 3000\n",
            primary.port
        );
        fs::write(&conf, text).unwrap();
        let child = Command::new("redis-server")
            .arg(&conf)
            .args(["--sentinel", "--dir"])
            .arg(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sentinel = Self { child, folder, port };
        until("the Sentinel knows the replica", || {
            let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
            let Ok(mut inside) = client.get_connection() else { return false };
            redis::cmd("SENTINEL")
                .arg("replicas")
                .arg("jenkins")
                .query::<Vec<redis::Value>>(&mut inside)
                .is_ok_and(|replicas| replicas.len() == 1)
        });
        sentinel
    }

    fn url(&self) -> String {
        // The first of them is away.
        format!("redis+sentinel://127.0.0.1:{},127.0.0.1:{}/?master=jenkins", free_port(), self.port)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Claims and builds until told to stop; which items it ran.
fn work(controller: &Controller, stop: &AtomicBool, ran: &Mutex<Vec<i64>>) {
    while !stop.load(Ordering::SeqCst) {
        let claimed = controller.claim(&offer("", 3), 3, Duration::from_millis(300));
        for item in claimed.into_iter().flatten() {
            let Ok(number) = controller.assign_number(item.id, "job", 0) else {
                // As Jenkins does: it goes back once that can be told.
                while matches!(controller.release(item.id, 0, "no number"), Err(Error::Unavailable(_))) {
                    thread::sleep(Duration::from_millis(50));
                }
                continue;
            };
            ran.lock().unwrap().push(item.id);
            let told = |call: &dyn Fn() -> Result<(), Error>| {
                while matches!(call(), Err(Error::Unavailable(_))) {
                    thread::sleep(Duration::from_millis(50));
                }
            };
            told(&|| controller.started(item.id, number));
            told(&|| controller.finished(item.id, "SUCCESS"));
        }
    }
}

/// A failover takes its time on a busy machine.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_cluster_goes_on_with_the_replica_that_the_sentinels_promote() {
    let mut primary = Redis::with(&[]);
    let replica = replica_of(&primary);
    let sentinel = Sentinel::of(&primary);
    let (a, b) = (join_url(&sentinel.url(), "a"), join_url(&sentinel.url(), "b"));
    let (stop, ran, accepted) = (AtomicBool::new(false), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let mut back = Duration::ZERO;
    thread::scope(|scope| {
        scope.spawn(|| work(&a, &stop, &ran));
        scope.spawn(|| work(&b, &stop, &ran));
        let mut killed = None;
        for id in 1..=400 {
            if id == 150 {
                primary.kill();
                killed = Some(Instant::now());
            }
            let from = if id % 2 == 0 { &a } else { &b };
            // As the shim's journal does.
            eventually("accepted in the end", || from.enqueue(item(id, "job"), -1).is_ok());
            if let Some(at) = killed.take() {
                back = at.elapsed();
            }
            accepted.lock().unwrap().insert(id);
        }
        eventually("all are built", || {
            let ran: BTreeSet<i64> = ran.lock().unwrap().iter().copied().collect();
            ran.is_superset(&accepted.lock().unwrap())
        });
        stop.store(true, Ordering::SeqCst);
    });
    println!("accepted again {} ms after the primary was killed", back.as_millis());
    let ran = ran.into_inner().unwrap();
    assert_eq!(ran.len(), 400, "each ran once");
    eventually("all ended", || a.items().is_ok_and(|items| items.is_empty()));
    let last: i32 = redis::cmd("GET").arg("{haj:test}:number:job").query(&mut replica.inside()).unwrap();
    assert!(last >= 400);
    invariants::check(&mut replica.inside());
}

#[test]
fn what_is_wrong_with_sentinels_is_told() {
    let primary = Redis::with(&[]);
    let _replica = replica_of(&primary);
    let sentinel = Sentinel::of(&primary);
    let told = |url: &str, what: &str| {
        let error = Controller::test(settings(url, "a"), Duration::from_secs(2)).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    told(
        &format!("redis+sentinel://127.0.0.1:{}/?master=other", sentinel.port),
        "knows no primary \"other\"",
    );
    told(&format!("redis+sentinel://127.0.0.1:{}/?master=jenkins", free_port()), "no Sentinel says");
    assert!(Controller::test(settings(&sentinel.url(), "a"), Duration::from_secs(2)).is_ok());
}
