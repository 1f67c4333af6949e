//! Redis with replicas, of which Sentinels or the nodes of a Redis Cluster promote one.

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
use support::{
    Redis, free_port, invariants, item, join, join_url, join_url_lasting, offer, put, settings, until,
};

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
    builds_each_once_while(&a, &b, || primary.kill());
    let last: i32 = redis::cmd("GET").arg("{haj:test}:number:job").query(&mut replica.inside()).unwrap();
    assert!(last >= 400);
    invariants::check(&mut replica.inside());
}

/// 400 items by way of both; `lose` takes away the primary at the 150th.
fn builds_each_once_while(a: &Controller, b: &Controller, lose: impl FnOnce()) {
    let (stop, ran, accepted) = (AtomicBool::new(false), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let (mut back, mut lose) = (Duration::ZERO, Some(lose));
    thread::scope(|scope| {
        scope.spawn(|| work(a, &stop, &ran));
        scope.spawn(|| work(b, &stop, &ran));
        let mut lost = None;
        for id in 1..=400 {
            if id == 150
                && let Some(lose) = lose.take()
            {
                lose();
                lost = Some(Instant::now());
            }
            let from = if id % 2 == 0 { a } else { b };
            // As the journal does.
            eventually("accepted in the end", || from.enqueue(item(id, "job"), -1).is_ok());
            if let Some(at) = lost.take() {
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
    println!("accepted again {} ms after the primary was lost", back.as_millis());
    assert_eq!(ran.into_inner().unwrap().len(), 400, "each ran once");
    eventually("all ended", || a.items().is_ok_and(|items| items.is_empty()));
}

/// A Redis Cluster of three primaries with a replica each.
struct Nodes(Vec<Redis>);

impl Nodes {
    fn start() -> Self {
        let nodes: Vec<Redis> = (0..6)
            .map(|_| {
                let bus = free_port().to_string();
                Redis::with(&[
                    "--cluster-enabled",
                    "yes",
                    "--cluster-port",
                    &bus,
                    "--cluster-node-timeout",
                    "1000",
                ])
            })
            .collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create", "--cluster-replicas", "1", "--cluster-yes"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        assert!(create.stdout(Stdio::null()).status().unwrap().success());
        let nodes = Self(nodes);
        eventually("all replicate", || {
            nodes.0.iter().all(|node| nodes.info(node).contains("cluster_state:ok"))
        });
        nodes
    }

    fn info(&self, node: &Redis) -> String {
        redis::cmd("CLUSTER").arg("INFO").query(&mut node.inside()).unwrap_or_default()
    }

    /// Nobody listens at the first, and the second has not the keys, or only a copy of them.
    fn url(&self) -> String {
        let keys = self.primary();
        let other = self.0.iter().position(|node| node.port != self.0[keys].port).unwrap();
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", free_port(), self.0[other].port)
    }

    /// The one that has the keys of the cluster `test`.
    fn primary(&self) -> usize {
        let has = |node: &Redis| {
            let mut inside = redis::Client::open(node.url()).ok()?.get_connection().ok()?;
            redis::cmd("EXISTS").arg("{haj:test}:meta").query::<i64>(&mut inside).ok()
        };
        let mut found = None;
        eventually("one has the keys", || {
            found = self.0.iter().position(|node| has(node).is_some());
            found.is_some()
        });
        found.unwrap()
    }

    /// The replica of that one.
    fn replica(&self) -> usize {
        let id: String =
            redis::cmd("CLUSTER").arg("MYID").query(&mut self.0[self.primary()].inside()).unwrap();
        let of = |node: &Redis| {
            let nodes: String = redis::cmd("CLUSTER").arg("NODES").query(&mut node.inside()).unwrap();
            let me = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default().to_owned();
            me.split(' ').nth(3) == Some(&id)
        };
        let mut found = None;
        eventually("it has a replica", || {
            found = self.0.iter().position(of);
            found.is_some()
        });
        found.unwrap()
    }
}

#[test]
fn in_a_redis_cluster_the_keys_are_found_and_followed_to_the_node_that_is_promoted() {
    let mut nodes = Nodes::start();
    let url = nodes.url();
    let (a, b) = (join_url_lasting(&url, "a"), join_url_lasting(&url, "b"));
    let (primary, replica) = (nodes.primary(), nodes.replica());
    builds_each_once_while(&a, &b, || nodes.0[primary].kill());
    assert_eq!(nodes.primary(), replica);
    invariants::check(&mut nodes.0[replica].inside());
}

#[test]
fn in_a_redis_cluster_they_are_followed_when_an_admin_moves_them_to_another_node() {
    let nodes = Nodes::start();
    let url = nodes.url();
    let (a, b) = (join_url_lasting(&url, "a"), join_url_lasting(&url, "b"));
    let (primary, replica) = (nodes.primary(), nodes.replica());
    builds_each_once_while(&a, &b, || {
        let _: String = redis::cmd("CLUSTER").arg("FAILOVER").query(&mut nodes.0[replica].inside()).unwrap();
        eventually("the other has the keys", || nodes.primary() != primary);
    });
    invariants::check(&mut nodes.0[replica].inside());
}

#[test]
fn what_is_wrong_with_a_redis_cluster_is_told() {
    let nodes = Nodes::start();
    let told = |url: &str, what: &str| {
        let error = Controller::test(settings(url, "a"), Duration::from_secs(2)).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    told(&nodes.0[0].url(), "begin its URL with redis+cluster://");
    told(&format!("redis+cluster://127.0.0.1:{}", free_port()), "no node leads to the cluster's keys");
    told(&nodes.url().replace("://", "://:wrong@"), "refused the password");
    assert!(Controller::test(settings(&nodes.url(), "a"), Duration::from_secs(2)).is_ok());
}
