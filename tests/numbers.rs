//! Build numbers and queue ids.

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ha_jenkins::{Controller, Error};
use support::{Redis, claim, item, join, put, settings, until};

#[test]
fn build_numbers_are_unique_and_above_the_floor_under_threads() {
    let redis = Redis::start();
    let controllers = [Arc::new(join(&redis, "a")), Arc::new(join(&redis, "b"))];
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let controller = Arc::clone(&controllers[n % 2]);
            thread::spawn(move || {
                (0..100).map(|_| controller.assign_number(0, "job", 1000).unwrap()).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut numbers: Vec<i32> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1001..=1800).collect::<Vec<_>>());
    assert_eq!(controllers[0].assign_number(0, "other", 0).unwrap(), 1);
}

#[test]
fn a_starting_item_keeps_its_number_until_that_turns_out_to_be_used() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    claim(&a, 1);
    assert_eq!(a.assign_number(1, "job", 0).unwrap(), 1);
    assert_eq!(a.assign_number(1, "job", 0).unwrap(), 1, "asked again, since the answer was lost");
    assert_eq!(a.assign_number(1, "job", 1).unwrap(), 2, "a folder with this number was found");
    a.started(1, 2).unwrap();
    assert!(matches!(a.assign_number(1, "job", 2), Err(Error::Fenced(_))), "it runs already");
    assert_eq!(a.assign_number(0, "job", 0).unwrap(), 3);
}

#[test]
fn a_job_made_anew_begins_with_its_first_build_unless_a_number_is_under_way() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for number in 1..=3 {
        assert_eq!(a.assign_number(0, "job", 0).unwrap(), number);
    }
    a.forget_numbers("job", 3).unwrap();
    a.forget_numbers("job", 3).unwrap();
    assert_eq!(b.assign_number(0, "job", 0).unwrap(), 1);
    assert_eq!(b.assign_number(0, "job", 0).unwrap(), 2);
    a.forget_numbers("job", 1).unwrap();
    assert_eq!(a.assign_number(0, "job", 0).unwrap(), 3, "whoever deleted it had not heard of #2");
}

#[test]
fn queue_ids_are_unique_across_controllers_and_threads() {
    let redis = Redis::start();
    let controllers: Vec<_> = ["a", "b", "c"].iter().map(|name| Arc::new(join(&redis, name))).collect();
    for controller in &controllers {
        until("a block", || controller.next_queue_id() < 1 << 52);
    }
    let threads: Vec<_> = (0..6)
        .map(|n| {
            let controller = Arc::clone(&controllers[n % 3]);
            thread::spawn(move || {
                (0..500)
                    .map(|n| {
                        if n % 20 == 0 {
                            thread::sleep(Duration::from_millis(2));
                        }
                        controller.next_queue_id()
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let ids: Vec<i64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3000);
    assert!(ids.iter().all(|id| *id > 0));
}

#[test]
fn queue_ids_stay_above_the_floor_everywhere() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    a.raise_queue_ids(5000);
    until("a block above the floor", || (5001..5600).contains(&a.next_queue_id()));
    let b = join(&redis, "b");
    until("another block", || (5001..6000).contains(&b.next_queue_id()));
}

#[test]
fn a_queue_id_never_waits_for_redis() {
    let a = Controller::open(settings("redis://127.0.0.1:1", "a")).unwrap();
    let began = Instant::now();
    let ids: HashSet<i64> = (0..1000).map(|_| a.next_queue_id()).collect();
    assert!(began.elapsed() < Duration::from_millis(100));
    assert_eq!(ids.len(), 1000);
    assert!(
        ids.iter().all(|id| (1 << 52..1 << 53).contains(id)),
        "exact in JavaScript, and apart from leased ones"
    );
}
