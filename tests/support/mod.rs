//! What the integration tests share: a Redis server of their own, controllers on it, and the queue's invariants.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod invariants;
pub mod many_builds;
pub mod packed;
pub mod postgres;
pub mod proxy;
pub mod records;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ha_jenkins::{Controller, Event, Item, LaneOffer, NewItem, SealKey, Secret, Settings};

/// A redis-server on a free port, in a folder of its own; gone with its folder when dropped.
pub struct Redis {
    child: Child,
    folder: PathBuf,
    options: Vec<String>,
    pub port: u16,
}

impl Redis {
    pub fn start() -> Self {
        Self::with(&["--appendonly", "yes"])
    }

    pub fn with(options: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("ha-jenkins-test-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        for _ in 0..20 {
            let port = free_port();
            let child = spawn(port, &folder, &options);
            let mut redis = Self { child, folder: folder.clone(), options: options.clone(), port };
            if redis.answers() {
                return redis;
            }
        }
        panic!("redis-server did not start");
    }

    /// Moves it to another port.
    pub fn move_to(&mut self, port: u16) {
        self.kill();
        self.port = port;
        self.restart();
    }

    fn answers(&mut self) -> bool {
        for _ in 0..200 {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if self.listens() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn listens(&self) -> bool {
        let Ok(client) = redis::Client::open(self.url()) else { return false };
        let Ok(mut connection) = client.get_connection() else { return false };
        let pong = redis::cmd("PING").query::<String>(&mut connection);
        pong.is_ok() || pong.is_err_and(|error| error.code() == Some("NOAUTH"))
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection to look inside.
    pub fn inside(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    pub fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the same port with the data it kept.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.folder, &self.options);
        assert!(self.answers(), "redis-server did not start again");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(port: u16, folder: &PathBuf, options: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder)
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server must be installed")
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Settings with a short lease: a dead controller is noticed after 1.5 s.
pub fn settings(url: &str, name: &str) -> Settings {
    Settings {
        cluster: "test".into(),
        redis_url: Secret::new(url),
        username: None,
        password: None,
        controller_id: name.into(),
        name: name.to_uppercase(),
        url: format!("http://{name}/"),
        version: "1".into(),
        heartbeat: Duration::from_millis(200),
        lease: Duration::from_millis(1500),
        key: SealKey::new([7; 32]),
        home: Default::default(),
        origins: Default::default(),
        ahead: 0,
    }
}

pub fn join(redis: &Redis, name: &str) -> Controller {
    join_url(&redis.url(), name)
}

/// With a lease that outlasts any hiccup of a busy machine.
pub fn join_lasting(redis: &Redis, name: &str) -> Controller {
    join_url_lasting(&redis.url(), name)
}

/// As [`join_lasting`], by its URL.
pub fn join_url_lasting(url: &str, name: &str) -> Controller {
    let mut settings = settings(url, name);
    settings.lease = Duration::from_secs(20);
    let controller = Controller::open(settings).unwrap();
    assert!(controller.await_joined(Duration::from_secs(5)), "{:?}", controller.link());
    controller
}

pub fn join_url(url: &str, name: &str) -> Controller {
    let controller = Controller::open(settings(url, name)).unwrap();
    assert!(controller.await_joined(Duration::from_secs(5)), "{:?}", controller.link());
    controller
}

/// An item in the lane "", due at once, of a job that may run concurrently.
pub fn item(id: i64, job: &str) -> NewItem {
    NewItem {
        id,
        job: job.into(),
        lane: String::new(),
        priority: NewItem::DEFAULT_PRIORITY,
        quiet_ms: 0,
        concurrent: true,
        pinned: String::new(),
        payload: format!("payload of {id}").into_bytes(),
    }
}

pub fn put(controller: &Controller, item: NewItem) {
    assert!(controller.enqueue(item, -1).unwrap().accepted);
}

pub fn offer(lane: &str, room: usize) -> Vec<LaneOffer> {
    vec![LaneOffer { lane: lane.into(), room }]
}

/// Claims from the lane "" what there is at once.
pub fn claim(controller: &Controller, most: usize) -> Vec<Item> {
    controller.claim(&offer("", most), most, Duration::ZERO).unwrap()
}

pub fn claim_ids(controller: &Controller, most: usize) -> Vec<i64> {
    claim(controller, most).iter().map(|item| item.id).collect()
}

pub fn state(controller: &Controller, id: i64) -> ha_jenkins::ItemState {
    controller.item(id).unwrap().unwrap().state
}

/// The first event for which `wanted` answers something; panics after 10 s.
pub fn await_event<T>(controller: &Controller, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Some(event) = controller.next_event(Duration::from_millis(500)).unwrap()
            && let Some(found) = wanted(event)
        {
            return found;
        }
    }
    panic!("no such event");
}

pub fn await_snapshot(controller: &Controller) -> Vec<Item> {
    await_event(controller, |event| match event {
        Event::Snapshot(items) => Some(items),
        _ => None,
    })
}

/// Waits until `holds`; panics after 10 s.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
