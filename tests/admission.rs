//! Who may join: what would harm the others is refused, in words that say what to do.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ha_jenkins::{Controller, Error, Phase, SealKey, Settings};
use support::proxy::Proxy;
use support::*;

const SOON: Duration = Duration::from_secs(10);

struct Folders(PathBuf);

impl Folders {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("ha-admission-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("jobs")).unwrap();
        Self(root)
    }

    fn jobs(&self) -> PathBuf {
        self.0.join("jobs")
    }

    fn mark(&self) -> PathBuf {
        self.jobs().join(".ha-jenkins/cluster")
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(redis: &Redis, name: &str, jobs: &Path) -> Settings {
    let mut settings = settings(&redis.url(), name);
    settings.home.host = format!("host-{name}:/home/{name}");
    settings.home.place = format!("place of {name}");
    settings.home.id_file = format!("/home/{name}/controller-id");
    settings.home.shared = Some(jobs.to_owned());
    settings.home.likeness = "Jenkins 2".into();
    settings.origins.cluster = "the environment variable HA_CLUSTER".into();
    settings
}

fn joined(settings: Settings) -> Controller {
    let controller = Controller::open(settings).unwrap();
    assert!(controller.await_joined(SOON), "{:?}", controller.link());
    controller
}

/// The sentence with which it is refused.
fn refused(settings: Settings) -> String {
    let controller = Controller::open(settings).unwrap();
    until("it is refused", || controller.link().phase == Phase::TurnedAway);
    controller.link().text
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn controllers_of_one_folder_join_and_leave_nothing_behind_but_the_mark() {
    let (redis, folders) = (Redis::start(), Folders::new("right"));
    let first = joined(at(&redis, "a", &folders.jobs()));
    let others: Vec<_> = ["b", "c"].map(|name| joined(at(&redis, name, &folders.jobs()))).into();
    assert_eq!(first.members().unwrap().len(), 3);
    let mark = fs::read_to_string(folders.mark()).unwrap();
    says(&mark, &["cluster=test\n", "id="]);
    let left: Vec<_> = fs::read_dir(folders.jobs().join(".ha-jenkins")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    drop(others);
    // All gone, and Redis emptied: the folder is still this cluster's.
    drop(first);
    redis::cmd("FLUSHALL").query::<()>(&mut redis.inside()).unwrap();
    joined(at(&redis, "a", &folders.jobs()));
    assert_eq!(fs::read_to_string(folders.mark()).unwrap(), mark);
}

#[test]
fn controllers_that_start_at_once_agree_on_one_mark() {
    let (redis, folders) = (Redis::start(), Folders::new("at-once"));
    let all: Vec<_> =
        ["a", "b", "c", "d"].map(|name| Controller::open(at(&redis, name, &folders.jobs())).unwrap()).into();
    for controller in &all {
        assert!(controller.await_joined(SOON), "{:?}", controller.link());
    }
}

#[test]
fn a_mark_that_another_has_just_made_is_waited_for() {
    let (redis, folders) = (Redis::start(), Folders::new("late"));
    redis::cmd("HSET").arg(&["{haj:test}:meta", "folder", "abc"]).query::<()>(&mut redis.inside()).unwrap();
    let late = Controller::open(at(&redis, "a", &folders.jobs())).unwrap();
    std::thread::sleep(Duration::from_millis(1000));
    fs::create_dir_all(folders.mark().parent().unwrap()).unwrap();
    fs::write(folders.jobs().join("draft"), "cluster=test\nid=abc\n").unwrap();
    fs::rename(folders.jobs().join("draft"), folders.mark()).unwrap();
    assert!(late.await_joined(SOON), "{:?}", late.link());
}

#[test]
fn another_clusters_folder_is_refused_with_both_names() {
    let (redis, folders) = (Redis::start(), Folders::new("two-clusters"));
    let _a = joined(at(&redis, "a", &folders.jobs()));
    let mut other = at(&redis, "b", &folders.jobs());
    other.cluster = "tset".into();
    let (sentence, tested) = (refused(other.clone()), Controller::test(other, SOON).unwrap_err());
    let mark = folders.mark();
    let parts = ["'test'", "'tset'", "the environment variable HA_CLUSTER", mark.to_str().unwrap()];
    says(&sentence, &parts);
    says(&tested.to_string(), &parts);
    assert!(matches!(tested, Error::Refused(_)));
}

#[test]
fn a_folder_that_is_not_the_clusters_is_refused_and_left_as_it_is() {
    let (redis, folders, local) = (Redis::start(), Folders::new("shared"), Folders::new("local"));
    let _a = joined(at(&redis, "a", &folders.jobs()));
    let sentence = refused(at(&redis, "b", &local.jobs()));
    says(
        &sentence,
        &[local.jobs().to_str().unwrap(), "is not the one of the cluster 'test'", "has no mark", "Mount"],
    );
    assert!(!local.mark().exists());
    // Also while no other controller lives.
    drop(_a);
    says(&refused(at(&redis, "b", &local.jobs())), &["has no mark"]);
    joined(at(&redis, "b", &folders.jobs()));
}

#[test]
fn a_copy_of_the_clusters_folder_is_refused_while_another_controller_lives() {
    let (redis, folders, copy) = (Redis::start(), Folders::new("original"), Folders::new("copy"));
    let a = joined(at(&redis, "a", &folders.jobs()));
    fs::create_dir_all(copy.mark().parent().unwrap()).unwrap();
    fs::copy(folders.mark(), copy.mark()).unwrap();
    let b = Controller::open(at(&redis, "b", &copy.jobs())).unwrap();
    until("it is refused", || b.link().phase == Phase::TurnedAway);
    says(&b.link().text, &["A on host-a:/home/a does not find there", copy.jobs().to_str().unwrap()]);
    assert_eq!(a.members().unwrap().len(), 1);
    // Its jobs were loaded from the copy: also mended, it joins after a restart only.
    std::thread::sleep(Duration::from_secs(8));
    fs::remove_dir_all(copy.jobs()).unwrap();
    std::os::unix::fs::symlink(folders.jobs(), copy.jobs()).unwrap();
    assert!(!b.await_joined(Duration::from_secs(6)));
    says(&b.link().text, &["restart this controller"]);
    drop(b);
    joined(at(&redis, "b", &copy.jobs()));
}

#[test]
fn a_copied_id_is_refused_while_the_holder_lives_and_the_holder_goes_on() {
    let (redis, folders) = (Redis::start(), Folders::new("twin"));
    let a = joined(at(&redis, "a", &folders.jobs()));
    let epoch = a.link().epoch;
    let mut copied = at(&redis, "b", &folders.jobs());
    copied.controller_id = "a".into();
    let copy = Controller::open(copied).unwrap();
    until("it is refused", || copy.link().phase == Phase::TurnedAway);
    says(&copy.link().text, &["A on host-a:/home/a", "host-b:/home/b", "/home/b/controller-id"]);
    assert_eq!((a.link().phase, a.link().epoch), (Phase::Joined, epoch));
    // Started again in its own place it takes over from its earlier self at once, whose lease still lasts.
    let again = joined(at(&redis, "a", &folders.jobs()));
    assert!(again.link().epoch > epoch);
}

#[test]
fn who_comes_back_from_another_host_waits_for_its_own_lease_only() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let mut first = settings(&proxy.url(), "a");
    first.home.place = "one".into();
    let _first = joined(first);
    proxy.refuse(true);
    proxy.cut();
    let mut second = settings(&redis.url(), "a");
    second.home.place = "two".into();
    let second = Controller::open(second).unwrap();
    until("it joins", || {
        assert_ne!(second.link().phase, Phase::TurnedAway, "{}", second.link().text);
        second.link().phase == Phase::Joined
    });
}

#[test]
fn a_controller_of_another_kind_is_refused() {
    let redis = Redis::start();
    let mut a = settings(&redis.url(), "a");
    a.home.likeness = "Jenkins 2".into();
    let a = joined(a);
    let mut b = settings(&redis.url(), "b");
    b.home.likeness = "Jenkins 3".into();
    says(&refused(b.clone()), &["HA protocol 1, Jenkins 3", "but A of HA protocol 1, Jenkins 2"]);
    drop(a);
    joined(b);
}

#[test]
fn other_secrets_are_told_to_members_and_to_strangers() {
    let redis = Redis::start();
    let mut a = settings(&redis.url(), "a");
    a.home.host = "host-a:/home/a".into();
    let _a = joined(a);
    let mut stranger = settings(&redis.url(), "b");
    stranger.key = SealKey::new([9; 32]);
    stranger.origins.cluster = "the environment variable HA_CLUSTER".into();
    let parts = [
        "whose controllers are A",
        "If it belongs to that cluster",
        "If it does not, copy nothing",
        "another name in the environment variable HA_CLUSTER",
    ];
    says(&refused(stranger.clone()), &parts);
    says(&refused(stranger.clone()), &["A on host-a:/home/a"]);
    says(&Controller::test(stranger, SOON).unwrap_err().to_string(), &parts);
}

#[test]
fn a_dead_controller_is_remembered_until_it_is_back_or_forgotten() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port);
    let mut a = settings(&proxy.url(), "a");
    a.home.facts = "what a is".into();
    let a = joined(a);
    let b = join(&redis, "b");
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.assign_number(1, "job", 0).unwrap();
    a.started(1, 1).unwrap();
    a.describe("what a is now").unwrap();
    assert!(b.homes().unwrap().iter().all(|known| known.gone.is_none()));
    assert!(matches!(b.forget("a"), Err(Error::Conflict(_))));
    proxy.refuse(true);
    proxy.cut();
    let id = await_event(&b, |event| match event {
        ha_jenkins::Event::Orphaned(item) => Some(item.id),
        _ => None,
    });
    for _ in 0..2 {
        b.rerun(id, "ABORTED", 7, b"again", Some(3)).unwrap();
    }
    let gone = || b.homes().unwrap().into_iter().find(|known| known.gone.is_some());
    until("a is known to be gone", || gone().is_some());
    let a_was = gone().unwrap();
    assert_eq!((a_was.name.as_str(), a_was.facts.as_str(), a_was.reran), ("A", "what a is now", 1));
    // Back, it is no longer gone; dead again, it can be forgotten.
    proxy.refuse(false);
    until("a is back", || a.link().phase == Phase::Joined);
    assert!(gone().is_none());
    proxy.refuse(true);
    proxy.cut();
    until("a is gone again", || gone().is_some());
    b.forget("a").unwrap();
    assert!(gone().is_none());
    assert!(matches!(b.forget("a"), Err(Error::NotFound(_))));
    // Who leaves by itself leaves no trace.
    let c = join(&redis, "c");
    c.close();
    std::thread::sleep(Duration::from_millis(1800));
    assert_eq!(b.homes().unwrap().len(), 1);
}

#[test]
fn settings_of_redis_that_lose_items_are_told_also_when_they_change_later() {
    let redis = Redis::start();
    let mut inside = redis.inside();
    let mut set = |name: &str, value: &str| {
        redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query::<()>(&mut inside).unwrap();
    };
    set("appendonly", "yes");
    let a = join(&redis, "a");
    assert_eq!(a.link().notice, "");
    set("maxmemory-policy", "allkeys-lru");
    set("maxmemory", "1gb");
    let told = |what: &str| {
        let begun = std::time::Instant::now();
        while !a.link().notice.contains(what) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", a.link().notice);
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    told("maxmemory-policy allkeys-lru");
    assert_eq!(a.link().phase, Phase::Joined);
    set("maxmemory-policy", "noeviction");
    set("appendonly", "no");
    told("append-only");
    let (_, warning) = Controller::test(settings(&redis.url(), "b"), SOON).unwrap();
    says(&warning, &["CONFIG SET appendonly yes"]);
}
