//! What was accepted while Redis was away is on this controller's disk until the cluster has it.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use ha_jenkins::{Controller, Error, ItemState, NewItem};
use support::{Redis, claim_ids, item, join, put, records::folder, settings, state, until};

fn keeping(url: &str, journal: &Path) -> Controller {
    let mut settings = settings(url, "a");
    settings.home.journal = Some(journal.to_owned());
    Controller::open(settings).unwrap()
}

fn journals(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".journal")).count()
}

#[test]
fn what_is_accepted_without_redis_is_in_the_queue_once_it_is_back_in_its_order_and_after_a_restart() {
    let mut redis = Redis::start();
    let folder = folder();
    let first = keeping(&redis.url(), &folder);
    until("it joined", || first.await_joined(std::time::Duration::from_millis(100)));
    redis.kill();
    for id in [7, 5, 6] {
        first.keep_accepted(&item(id, "job")).unwrap();
    }
    assert!(matches!(first.store_accepted(), Err(Error::Unavailable(_))));
    let kept: Vec<i64> = first.kept_accepted().unwrap().iter().map(|item| item.id).collect();
    assert_eq!(kept, [7, 5, 6]);
    first.close();
    drop(first);
    redis.restart();
    let second = keeping(&redis.url(), &folder);
    until("it joined", || second.await_joined(std::time::Duration::from_millis(100)));
    until("all is stored", || second.store_accepted().is_ok_and(|taken| taken.is_none()));
    assert_eq!(second.kept_accepted().unwrap(), []);
    assert_eq!(claim_ids(&second, 9), [7, 5, 6]);
    assert_eq!(journals(&folder), 0);
}

#[test]
fn an_id_that_is_another_items_is_told_and_can_be_changed_and_nothing_behind_it_is_lost() {
    let redis = Redis::start();
    let folder = folder();
    let (a, b) = (keeping(&redis.url(), &folder), join(&redis, "b"));
    until("it joined", || a.await_joined(std::time::Duration::from_millis(100)));
    put(&b, item(1, "other"));
    let mine = NewItem { payload: b"mine".to_vec(), ..item(1, "job") };
    a.keep_accepted(&mine).unwrap();
    a.keep_accepted(&item(2, "job")).unwrap();
    for _ in 0..2 {
        let taken = a.store_accepted().unwrap().unwrap();
        assert_eq!((taken.id, taken.job.as_str(), taken.payload.as_deref()), (1, "job", Some(&b"mine"[..])));
    }
    assert!(matches!(a.rename_accepted(2, 9, Vec::new()), Err(Error::NotFound(_))));
    a.rename_accepted(1, 3, b"named".to_vec()).unwrap();
    assert_eq!(a.store_accepted().unwrap(), None);
    assert_eq!(a.item(3).unwrap().unwrap().job, "job");
    assert_eq!(state(&a, 2), ItemState::Queued);
    assert_eq!(state(&a, 1), ItemState::Queued);
    assert_eq!(journals(&folder), 0);
}

#[test]
fn what_the_cluster_never_takes_is_put_aside_and_holds_up_nothing() {
    let redis = Redis::start();
    let folder = folder();
    let a = keeping(&redis.url(), &folder);
    until("it joined", || a.await_joined(std::time::Duration::from_millis(100)));
    a.keep_accepted(&NewItem { priority: 9999, ..item(1, "job") }).unwrap();
    a.keep_accepted(&item(2, "job")).unwrap();
    assert_eq!(a.store_accepted().unwrap(), None);
    assert_eq!(claim_ids(&a, 9), [2]);
    assert!(fs::metadata(folder.join("rejected.journal")).unwrap().len() > 0);
}

#[test]
fn a_folder_that_cannot_be_used_is_told_with_its_name() {
    let redis = Redis::start();
    let folder = folder().join("a-file");
    fs::write(&folder, "").unwrap();
    let a = keeping(&redis.url(), &folder);
    let error = a.keep_accepted(&item(1, "job")).unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable(text) if text.contains(&*folder.to_string_lossy())),
        "{error}"
    );
    assert!(matches!(join(&redis, "b").keep_accepted(&item(1, "job")), Err(Error::Unavailable(_))));
}

#[test]
fn an_item_that_was_given_another_id_is_stored_once_also_when_the_controller_is_killed_before_the_rest() {
    let redis = Redis::start();
    let folder = folder();
    let b = join(&redis, "b");
    put(&b, item(1, "other"));
    {
        let a = keeping(&redis.url(), &folder);
        until("it joined", || a.await_joined(std::time::Duration::from_millis(100)));
        for id in [1, 2] {
            a.keep_accepted(&item(id, "job")).unwrap();
        }
        assert_eq!(a.store_accepted().unwrap().unwrap().id, 1);
        a.rename_accepted(1, 3, b"named".to_vec()).unwrap();
    }
    let a = keeping(&redis.url(), &folder);
    until("it joined", || a.await_joined(std::time::Duration::from_millis(100)));
    assert_eq!(a.store_accepted().unwrap(), None);
    let mut jobs: Vec<_> = a.items().unwrap().into_iter().map(|item| (item.id, item.job)).collect();
    jobs.sort();
    assert_eq!(jobs, [(1, "other".to_owned()), (2, "job".to_owned()), (3, "job".to_owned())]);
}
