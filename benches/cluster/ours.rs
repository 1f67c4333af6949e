//! This library: each item is stored, claimed under a lease, numbered, started and finished, each an atomic change that is told
//! to all.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ha_jenkins::{Controller, Item, LaneOffer, NewItem};
use parking_lot::Mutex;

use crate::role::{Drained, IDLE, Queue, now};
use crate::support;

const LANE: &str = "x:";
const JOB: &str = "folder/job";

pub struct Ours {
    controller: Controller,
}

impl Ours {
    /// Joins with the lease and the heartbeat that controllers have.
    pub fn join(port: &str, name: &str) -> Self {
        let mut settings = support::settings(&format!("redis://127.0.0.1:{port}"), name);
        settings.heartbeat = Duration::from_secs(1);
        settings.lease = Duration::from_secs(5);
        let controller = Controller::open(settings).unwrap();
        assert!(controller.await_joined(Duration::from_secs(10)), "{:?}", controller.link());
        Self { controller }
    }

    fn put(&self, payload: String) {
        let item = NewItem {
            id: self.controller.next_queue_id(),
            job: JOB.into(),
            lane: LANE.into(),
            priority: NewItem::DEFAULT_PRIORITY,
            quiet_ms: 0,
            concurrent: true,
            pinned: String::new(),
            payload: payload.into_bytes(),
        };
        assert!(self.controller.enqueue(item, -1).unwrap().accepted);
    }

    fn claim(&self, most: usize, timeout: Duration) -> Vec<Item> {
        self.controller.claim(&[LaneOffer { lane: LANE.into(), room: most }], most, timeout).unwrap()
    }

    fn build(&self, item: &Item) {
        let number = self.controller.assign_number(item.id, &item.job, 0).unwrap();
        self.controller.started(item.id, number).unwrap();
        self.controller.finished(item.id, "SUCCESS").unwrap();
    }
}

impl Ours {
    /// Stores one item.
    pub fn put_one(&self) {
        self.put("x".repeat(200));
    }

    /// Takes and ends one item after the other until it is closed.
    pub fn serve(&self) {
        let offers = [LaneOffer { lane: LANE.into(), room: 2 }];
        while let Ok(items) = self.controller.claim(&offers, 1, Duration::from_secs(30)) {
            items.iter().for_each(|item| self.build(item));
        }
    }

    /// Leaves the cluster.
    pub fn close(&self) {
        self.controller.close();
    }
}

impl Queue for Ours {
    fn produce(&mut self, payload: String) {
        self.put(payload);
    }

    fn fill(&mut self, count: usize, at_a_time: usize, payload: fn() -> String) {
        thread::scope(|scope| {
            for _ in 0..at_a_time {
                scope.spawn(|| (0..count / at_a_time).for_each(|_| self.put(payload())));
            }
        });
    }

    fn listen(&mut self, taken: &mut dyn FnMut(&str) -> bool) {
        loop {
            for item in self.claim(1, Duration::from_secs(60)) {
                let payload = item.payload.as_deref().unwrap_or_default();
                let enough = taken(std::str::from_utf8(payload).unwrap());
                self.build(&item);
                if enough {
                    return;
                }
            }
        }
    }

    fn drain(&mut self, at_a_time: usize) -> Drained {
        if at_a_time == 1 { self.drain_one_by_one() } else { self.drain_side_by_side(at_a_time) }
    }
}

impl Ours {
    fn drain_one_by_one(&self) -> Drained {
        let mut drained = Drained { count: 0, first: 0, last: 0 };
        loop {
            let items = self.claim(1, IDLE);
            if items.is_empty() {
                return drained;
            }
            if drained.count == 0 {
                drained.first = now();
            }
            items.iter().for_each(|item| self.build(item));
            drained.count += items.len();
            drained.last = now();
        }
    }

    /// As a controller with that many executors: one thread claims as many as there is room for, each executor ends its own.
    fn drain_side_by_side(&self, executors: usize) -> Drained {
        let (to_build, building) = mpsc::channel::<Item>();
        let building = Mutex::new(building);
        let (to_free, freed) = mpsc::channel::<()>();
        let (count, first, last) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..executors {
                let to_free = to_free.clone();
                scope.spawn(|| {
                    let to_free = to_free;
                    loop {
                        let Ok(item) = building.lock().recv() else { return };
                        self.build(&item);
                        count.fetch_add(1, Ordering::Relaxed);
                        last.fetch_max(now() as u64, Ordering::Relaxed);
                        let _ = to_free.send(());
                    }
                });
            }
            let mut room = executors;
            loop {
                if room == 0 {
                    freed.recv().unwrap();
                    room += 1;
                }
                room += freed.try_iter().count();
                let items = self.claim(room, IDLE);
                if items.is_empty() && room == executors {
                    break;
                }
                let _ = first.compare_exchange(0, now() as u64, Ordering::Relaxed, Ordering::Relaxed);
                room -= items.len();
                items.into_iter().for_each(|item| to_build.send(item).unwrap());
            }
            drop(to_build);
        });
        Drained {
            count: count.into_inner(),
            first: first.into_inner().into(),
            last: last.into_inner().into(),
        }
    }
}
