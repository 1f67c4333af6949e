//! A controller of the next version and one of this in one cluster: what the older does not know it leaves alone or refuses in words,
//! and nothing is lost. The next version is this library with newer formats, and writes to Redis what it does not have yet.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ha_jenkins::{Controller, Error, Event, ItemState, NewItem, Pen, SharedState};
use support::{
    Redis, await_event, await_snapshot, claim, claim_ids, invariants, item, join, join_lasting, offer, put,
    settings, state, until,
};

const TIMEOUT: Duration = Duration::from_secs(5);

/// A controller whose formats are newer than this library's.
fn join_next(redis: &Redis, name: &str) -> Controller {
    let mut settings = settings(&redis.url(), name);
    settings.ahead = 1;
    let controller = Controller::open(settings).unwrap();
    assert!(controller.await_joined(TIMEOUT), "{:?}", controller.link());
    controller
}

fn key(name: impl std::fmt::Display) -> String {
    format!("{{haj:test}}:{name}")
}

/// Adds two lines of a later version to an item's text.
fn add_lines(redis: &Redis, id: i64) {
    let mut inside = redis.inside();
    let v: String = redis::cmd("HGET").arg(key(format!("item:{id}"))).arg("v").query(&mut inside).unwrap();
    let () =
        redis::cmd("HSET").arg(key(format!("item:{id}"))).arg("v").arg(v + LATER).query(&mut inside).unwrap();
}

const LATER: &str = "\n\nof a later version\nand more";

fn has_later_lines(redis: &Redis, id: i64) -> bool {
    let v: String =
        redis::cmd("HGET").arg(key(format!("item:{id}"))).arg("v").query(&mut redis.inside()).unwrap();
    v.ends_with(LATER)
}

/// Told in words, once.
fn is_told(controller: &Controller, what: &str) {
    let notice = controller.link().notice;
    assert!(notice.contains("newer version of HA Jenkins") && notice.contains(what), "{notice}");
}

#[test]
fn an_item_of_a_newer_format_waits_for_one_who_knows_it() {
    let redis = Redis::start();
    let (next, old) = (join_next(&redis, "next"), join(&redis, "old"));
    await_snapshot(&old);
    put(&next, item(1, "job"));
    put(&old, item(2, "job"));
    // The older takes its own, gives the other back, and does not ask for it all the time.
    let got = old.claim(&offer("", 2), 2, TIMEOUT).unwrap();
    assert_eq!(got.iter().map(|item| item.id).collect::<Vec<_>>(), [2]);
    assert_eq!(state(&old, 1), ItemState::Queued);
    assert_eq!(claim_ids(&old, 2), [] as [i64; 0]);
    let shown = old.item(1).unwrap().unwrap();
    assert_eq!((shown.payload, shown.attempts), (None, 1));
    assert!(shown.why.contains("does not know the format"), "{}", shown.why);
    is_told(&old, "queue items");
    invariants::check(&mut redis.inside());

    // It does not put its own payload in the place of that one, and may cancel what it cannot read.
    let folded = old.fold(1, -1, b"another", -1);
    assert!(matches!(&folded, Err(Error::Conflict(text)) if text.contains("newer version")), "{folded:?}");
    put(&next, item(3, "job"));
    assert_eq!(old.cancel(3, "me"), Ok(ha_jenkins::Cancel::Cancelled));

    // Who knows it builds it, as it was stored, and what the older stored as well.
    old.release(2, 0, "").unwrap();
    let got = next.claim(&offer("", 2), 2, TIMEOUT).unwrap();
    let got: Vec<_> = got.into_iter().map(|item| (item.id, item.payload.unwrap())).collect();
    assert_eq!(got, [(1, b"payload of 1".to_vec()), (2, b"payload of 2".to_vec())]);
    for (id, number) in [(1, 1), (2, 2)] {
        assert_eq!(next.assign_number(id, "job", 0), Ok(number));
        next.started(id, number).unwrap();
        next.finished(id, "SUCCESS").unwrap();
    }
    assert_eq!(next.link().notice, "");
    invariants::check(&mut redis.inside());
}

#[test]
fn an_older_who_holds_a_newer_item_back_keeps_nobody_of_the_others_waiting() {
    let redis = Redis::start();
    let (next, old) = (join_next(&redis, "next"), join(&redis, "old"));
    for id in 1..=30 {
        put(&next, NewItem { concurrent: id % 2 == 0, ..item(id, "job") });
    }
    put(&old, item(99, "other"));
    // Thirty of the newer ones are before it.
    until("it is claimed", || claim_ids(&old, 1).contains(&99));
    let mut built = Vec::new();
    until("the next version builds all the others", || {
        for item in claim(&next, 40) {
            assert!(item.payload.is_some());
            let number = next.assign_number(item.id, &item.job, 0).unwrap();
            next.started(item.id, number).unwrap();
            next.finished(item.id, "SUCCESS").unwrap();
            built.push(item.id);
        }
        built.len() == 30
    });
    built.sort_unstable();
    assert_eq!(built, (1..=30).collect::<Vec<_>>());
    invariants::check(&mut redis.inside());
}

#[test]
fn a_build_of_a_newer_format_whose_controller_died_is_decided_on_by_one_who_knows_it() {
    let redis = Redis::start();
    let (next, old) = (join_next(&redis, "next"), join(&redis, "old"));
    await_snapshot(&old);
    put(&next, item(1, "job"));
    assert_eq!(claim_ids(&next, 1), [1]);
    next.assign_number(1, "job", 0).unwrap();
    next.started(1, 1).unwrap();
    next.close();
    until("it is an orphan", || state(&old, 1) == ItemState::Orphaned);
    // It falls to the older, which is alone, and keeps it for the next one.
    let decided = old.rerun(1, "ABORTED", 10, b"mine", Some(3));
    assert!(matches!(decided, Err(Error::Conflict(_))), "{decided:?}");
    put(&old, item(2, "job"));
    loop {
        match old.next_event(TIMEOUT).unwrap() {
            Some(Event::Orphaned(_)) => panic!("the older is asked to decide"),
            Some(Event::Item(item)) if item.id == 2 => break,
            _ => {}
        }
    }
    let newer = join_next(&redis, "newer");
    let orphan = await_event(&newer, |event| match event {
        Event::Orphaned(item) => Some(item),
        _ => None,
    });
    assert_eq!(orphan.id, 1);
    assert_eq!(newer.rerun(1, "ABORTED", 10, b"again", Some(3)), Ok(Some(10)));
    assert_eq!(
        newer.claim(&offer("", 1), 1, TIMEOUT).unwrap()[0].payload.as_deref(),
        Some(b"again".as_slice())
    );
    assert_eq!(state(&old, 1), ItemState::Done);
    invariants::check(&mut redis.inside());
}

#[test]
fn what_a_later_version_adds_to_an_item_stays_whatever_this_one_does_with_it() {
    let redis = Redis::start();
    let (a, b) = (join_lasting(&redis, "a"), join(&redis, "b"));
    await_snapshot(&a);
    for id in 1..=3 {
        put(&a, NewItem { concurrent: false, ..item(id, "job") });
        add_lines(&redis, id);
    }
    assert_eq!(claim_ids(&b, 3), [1]);
    assert!(has_later_lines(&redis, 1));
    b.release(1, 0, "why").unwrap();
    assert!(a.fold(2, -1, b"folded", -1).unwrap().accepted);
    assert!(a.fold(2, -1, b"and again", 0).unwrap().accepted);
    a.jobs_moved(&[("job".into(), "new".into())], &[(3, 0, b"moved".to_vec())]).unwrap();
    for id in 1..=3 {
        assert!(has_later_lines(&redis, id), "{id}");
    }
    assert_eq!(claim_ids(&b, 1), [1]);
    b.assign_number(1, "job", 0).unwrap();
    b.started(1, 1).unwrap();
    b.close();
    let orphan = await_event(&a, |event| match event {
        Event::Orphaned(item) => Some(item),
        _ => None,
    });
    assert_eq!(orphan.id, 1);
    assert_eq!(a.rerun(1, "ABORTED", 10, b"again", Some(3)), Ok(Some(10)));
    for id in [1, 10, 2, 3] {
        assert!(has_later_lines(&redis, id), "{id}");
    }
    invariants::check(&mut redis.inside());
}

#[test]
fn what_redis_loses_of_a_newer_item_an_older_controller_brings_back_whole() {
    let redis = Redis::start();
    let (next, old) = (join_next(&redis, "next"), join(&redis, "old"));
    await_snapshot(&old);
    put(&next, item(1, "job"));
    add_lines_behind_format(&redis, 1);
    // The older hears of the lines with the item's next change.
    next.claim(&offer("", 1), 1, TIMEOUT).unwrap();
    next.release(1, 0, "x").unwrap();
    await_event(&old, |event| match event {
        Event::Item(item) if item.id == 1 && item.why == "x" => Some(()),
        _ => None,
    });
    next.close();
    let () = redis::cmd("FLUSHALL").query(&mut redis.inside()).unwrap();
    until("it is back", || old.item(1).is_ok_and(|item| item.is_some()));
    let v: String = redis::cmd("HGET").arg(key("item:1")).arg("v").query(&mut redis.inside()).unwrap();
    assert!(v.ends_with("\n2\nof a later version\nand more"), "{v:?}");
    let newer = join_next(&redis, "newer");
    let mut got = Vec::new();
    until("it is claimed", || {
        got = claim(&newer, 1);
        !got.is_empty()
    });
    assert_eq!(got[0].payload.as_deref(), Some(b"payload of 1".as_slice()));
}

fn add_lines_behind_format(redis: &Redis, id: i64) {
    let mut inside = redis.inside();
    let v: String = redis::cmd("HGET").arg(key(format!("item:{id}"))).arg("v").query(&mut inside).unwrap();
    assert!(v.ends_with("\n2"), "{v:?}");
    let v = v + "\nof a later version\nand more";
    let () = redis::cmd("HSET").arg(key(format!("item:{id}"))).arg("v").arg(v).query(&mut inside).unwrap();
}

#[test]
fn a_command_of_a_newer_format_is_refused_in_words_and_one_of_an_older_is_answered_in_its_own() {
    let redis = Redis::start();
    let (next, old) = (Arc::new(join_next(&redis, "next")), join(&redis, "old"));
    let begun = std::time::Instant::now();
    let answer = next.ask("old", "move", b"in a new way", "r1", Duration::from_secs(60));
    assert!(begun.elapsed() < TIMEOUT, "nobody waits for its time to be over");
    let Err(Error::Refused(text)) = answer else { panic!("{answer:?}") };
    assert!(text.contains("OLD has an older version") && text.contains("\"move\""), "{text}");
    is_told(&old, "commands (move)");

    let answering = {
        let next = Arc::clone(&next);
        thread::spawn(move || {
            let id = await_event(&next, |event| match event {
                Event::Command { request_id, topic, .. } if topic == "status" => Some(request_id),
                _ => None,
            });
            next.answer(&id, b"as you know it").unwrap();
        })
    };
    assert_eq!(old.ask("next", "status", b"", "r2", TIMEOUT), Ok(b"as you know it".to_vec()));
    answering.join().unwrap();
}

#[test]
fn announcements_of_a_newer_format_are_left_alone_and_unknown_fields_and_kinds_ignored() {
    let redis = Redis::start();
    let (next, old) = (join_next(&redis, "next"), join(&redis, "old"));
    let same = join(&redis, "same");
    await_snapshot(&old);
    next.announce("build", "job", 1, b"in a new way").unwrap();
    let mut inside = redis.inside();
    let number: i64 = redis::cmd("INCR").arg(key("eventno")).query(&mut inside).unwrap();
    // An event of a kind that is not known here.
    let () = redis::cmd("XADD")
        .arg(&[key("events").as_str(), "*", "n", &number.to_string(), "k", "later", "z", "1"])
        .query(&mut inside)
        .unwrap();
    same.announce("a-topic-of-a-later-version", "job", 2, b"").unwrap();
    let heard = await_event(&old, |event| match event {
        Event::Announcement { topic, number, .. } => Some((topic, number)),
        _ => None,
    });
    assert_eq!(heard, ("a-topic-of-a-later-version".to_owned(), 2), "in order, none was missed");
    is_told(&old, "announcements (build)");
    assert_eq!(next.link().notice, "");
}

#[test]
fn texts_of_newer_formats_are_left_alone_and_not_overwritten() {
    let redis = Redis::start();
    let (next, old) = (join_next(&redis, "next"), join(&redis, "old"));
    let body = |text: &str| Some(text.as_bytes().to_vec());

    assert_eq!(next.take_state("locks", -1), Ok(Pen::Taken(SharedState { version: 0, body: body("") })));
    assert_eq!(next.store_state("locks", 0, 1, Some(b"of a later version"), true), Ok(true));
    for _ in 0..2 {
        let taken = old.take_state("locks", 0);
        assert!(matches!(&taken, Err(Error::Refused(text)) if text.contains("newer version")), "{taken:?}");
    }
    assert!(matches!(old.state("locks", 0), Err(Error::Refused(_))));
    assert_eq!(old.store_state("locks", 1, 2, Some(b"of mine"), true), Ok(false), "it has no pen");
    // The older has not kept the pen.
    assert_eq!(
        next.take_state("locks", 0),
        Ok(Pen::Taken(SharedState { version: 1, body: body("of a later version") }))
    );
    is_told(&old, "shared states (locks)");

    assert_eq!(next.store_setting("config.xml", 0, 1, "d", "me", Some(b"<later/>")), Ok(1));
    let setting = old.setting("config.xml");
    assert!(matches!(&setting, Err(Error::Conflict(text)) if text.contains("newer version")), "{setting:?}");
    assert_eq!(old.settings().unwrap()[0].version, 1, "that there is one is known");
    assert_eq!(old.store_setting("config.xml", 0, 1, "e", "me", Some(b"<old/>")), Ok(-1), "not in its place");
    assert_eq!(next.setting("config.xml").unwrap().unwrap().1, b"<later/>");
    assert_eq!(old.store_setting("users.xml", 0, 1, "d", "me", Some(b"<old/>")), Ok(1));
    assert_eq!(next.setting("users.xml").unwrap().unwrap().1, b"<old/>", "the newer reads the older's");

    next.tell_computers("of a later version").unwrap();
    old.tell_computers("mine").unwrap();
    let told = |on: &Controller| on.computers().unwrap().into_iter().map(|one| one.text).collect::<Vec<_>>();
    assert_eq!(told(&old), ["mine"]);
    assert_eq!(told(&next).len(), 2);

    next.keep_cloud_agent("1", "cloud", "agent", b"<later/>").unwrap();
    assert!(matches!(old.cloud_agent_text("1"), Err(Error::Conflict(_))));
    assert_eq!(old.take_cloud_slot("2", "cloud", 1), Ok(Some(1)), "it counts");
    for what in ["settings (config.xml)", "executors", "agents of clouds"] {
        is_told(&old, what);
    }
}

#[test]
fn what_this_version_writes_is_as_version_0_1_0_wrote_it() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    let mut inside = redis.inside();
    let v: String = redis::cmd("HGET").arg(key("item:1")).arg("v").query(&mut inside).unwrap();
    assert_eq!(v.split('\n').count(), 24, "as 0.1.0 wants it: {v:?}");
    assert_eq!(a.store_setting("a.xml", 0, 1, "d", "me", Some(b"<a/>")), Ok(1));
    let sealed: Vec<u8> =
        redis::cmd("HGET").arg(key("settings-text")).arg("a.xml").query(&mut inside).unwrap();
    assert_eq!(sealed.len(), 32 + 4, "a seal and the text");
}
