//! The life of an item.

mod support;

use std::time::{Duration, Instant};

use ha_jenkins::{Cancel, Error, Event, ItemState, LaneOffer, NewItem};
use support::{
    Redis, await_event, await_snapshot, claim, claim_ids, invariants, item, join, offer, put, state, until,
};

#[test]
fn an_item_goes_from_queued_to_done_and_its_outcome_is_kept_for_a_day() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    assert!(a.enqueue(item(1, "job"), 0).unwrap().accepted);
    let queued = b.item(1).unwrap().unwrap();
    assert_eq!(
        (queued.state, queued.origin.as_str(), queued.payload.as_deref()),
        (ItemState::Queued, "a", Some(b"payload of 1".as_slice()))
    );
    let claimed = claim(&b, 5);
    assert_eq!(claimed.len(), 1);
    assert_eq!(
        (claimed[0].state, claimed[0].owner.as_str(), claimed[0].attempts),
        (ItemState::Claimed, "b", 1)
    );
    assert_eq!(claimed[0].payload.as_deref(), Some(b"payload of 1".as_slice()));
    assert!(claim(&a, 5).is_empty());
    assert_eq!(b.assign_number(1, "job", 41).unwrap(), 42);
    assert_eq!(b.assign_number(1, "job", 41).unwrap(), 42, "repeated, it is the same number");
    assert_eq!(state(&a, 1), ItemState::Starting);
    b.started(1, 42).unwrap();
    b.started(1, 42).unwrap();
    assert_eq!(state(&a, 1), ItemState::Running);
    assert!(matches!(a.finished(1, "SUCCESS"), Err(Error::Fenced(_))));
    b.finished(1, "SUCCESS").unwrap();
    b.finished(1, "SUCCESS").unwrap();
    let done = a.item(1).unwrap().unwrap();
    assert_eq!(
        (done.state, done.number, done.result.as_str(), done.payload),
        (ItemState::Done, 42, "SUCCESS", None)
    );
    let left: i64 = redis::cmd("TTL").arg("{haj:test}:item:1").query(&mut redis.inside()).unwrap();
    assert!((86_000..=86_400).contains(&left));
    assert!(a.items().unwrap().is_empty());
    invariants::check(&mut redis.inside());
}

#[test]
fn every_controller_hears_of_every_change_in_order() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.assign_number(1, "job", 0).unwrap();
    a.started(1, 1).unwrap();
    a.finished(1, "FAILURE").unwrap();
    let mut seen = Vec::new();
    await_event(&b, |event| {
        if let Event::Item(item) = event {
            if item.state == ItemState::Queued {
                assert!(item.payload.is_none() || item.payload.as_deref() == Some(b"payload of 1"));
            }
            seen.push((item.version, item.state));
        }
        (seen.len() == 5).then_some(())
    });
    use ItemState::{Claimed, Done, Queued, Running, Starting};
    assert_eq!(seen, [(1, Queued), (2, Claimed), (3, Starting), (4, Running), (5, Done)]);
}

#[test]
fn a_just_queued_items_event_carries_its_payload() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    put(&a, item(1, "job"));
    let payload = await_event(&b, |event| match event {
        Event::Item(item) => Some(item.payload),
        _ => None,
    });
    assert_eq!(payload.as_deref(), Some(b"payload of 1".as_slice()));
}

#[test]
fn order_is_priority_then_age_over_all_offered_lanes() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for (id, lane, priority) in
        [(1, "x", 1000), (2, "", 1000), (3, "x", 500), (4, "", 2047), (5, "y", 0), (6, "", 1000)]
    {
        put(&a, NewItem { lane: lane.into(), priority, ..item(id, "job") });
    }
    let offers = ["", "x"].map(|lane| LaneOffer { lane: lane.into(), room: 9 });
    let claimed = a.claim(&offers, 9, Duration::ZERO).unwrap();
    assert_eq!(claimed.iter().map(|item| item.id).collect::<Vec<_>>(), [3, 1, 2, 6, 4]);
    invariants::check(&mut redis.inside());
}

#[test]
fn claims_respect_room_and_maximum() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=10 {
        put(&a, NewItem { lane: if id <= 5 { "x".into() } else { "y".into() }, ..item(id, "job") });
    }
    let offers = [LaneOffer { lane: "x".into(), room: 2 }, LaneOffer { lane: "y".into(), room: 4 }];
    let ids = |most| -> Vec<i64> {
        a.claim(&offers, most, Duration::ZERO).unwrap().iter().map(|item| item.id).collect()
    };
    assert_eq!(ids(3), [1, 2, 6]);
    assert_eq!(ids(9), [3, 4, 7, 8, 9, 10]);
    assert!(a.claim(&[], 9, Duration::ZERO).unwrap().is_empty());
}

#[test]
fn pinned_items_go_to_their_controller_alone() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, NewItem { pinned: "b".into(), ..item(1, "job") });
    put(&a, item(2, "job"));
    assert_eq!(claim_ids(&a, 9), [2]);
    assert_eq!(claim_ids(&b, 9), [1]);
}

#[test]
fn enqueueing_the_same_id_twice_changes_nothing() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let first = a.enqueue(item(1, "job"), 0).unwrap();
    assert_eq!(a.enqueue(item(1, "job"), 0).unwrap(), first);
    assert!(
        matches!(b.enqueue(item(1, "job"), -1), Err(Error::Conflict(_))),
        "another controller's item is no repetition"
    );
    assert_eq!(claim_ids(&a, 9), [1]);
    assert_eq!(a.enqueue(item(1, "job"), 0).unwrap(), first);
    assert!(claim(&a, 9).is_empty());
}

#[test]
fn bad_items_are_invalid() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    let bad = [
        item(0, "job"),
        item(1, ""),
        item(1, "two\nlines"),
        NewItem { priority: 2048, ..item(1, "job") },
        NewItem { quiet_ms: -1, ..item(1, "job") },
        NewItem { lane: "a\nb".into(), ..item(1, "job") },
        NewItem { payload: vec![0; NewItem::MAX_PAYLOAD + 1], ..item(1, "job") },
    ];
    for item in bad {
        assert!(matches!(a.enqueue(item, -1), Err(Error::Invalid(_))));
    }
}

#[test]
fn any_bytes_and_any_name_come_back_as_they_were() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    let payload: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    let odd = NewItem {
        payload: payload.clone(),
        lane: "a && !b:c\t\"ü\"".into(),
        ..item(1, "Ordner/ä: {x} \u{1F600}")
    };
    put(&a, odd.clone());
    let got = a.claim(&offer(&odd.lane, 1), 1, Duration::ZERO).unwrap().remove(0);
    assert_eq!((got.payload, got.job, got.lane), (Some(payload), odd.job, odd.lane));
}

#[test]
fn a_newer_queued_item_stops_an_enqueue_that_has_not_seen_it() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let first = a.enqueue(item(1, "job"), 0).unwrap();
    let refused = b.enqueue(item(2, "job"), 0).unwrap();
    assert!(!refused.accepted);
    assert_eq!((refused.revision, refused.queued.len()), (first.revision, 1));
    assert_eq!(refused.queued[0].payload.as_deref(), Some(b"payload of 1".as_slice()));
    assert!(b.item(2).unwrap().is_none());
    assert!(b.enqueue(item(2, "job"), refused.revision).unwrap().accepted);
    assert!(a.enqueue(item(3, "other"), 0).unwrap().accepted, "other jobs do not matter");
}

#[test]
fn an_item_handed_back_counts_as_new_to_those_who_saw_it_leave() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let seen = a.enqueue(item(1, "job"), 0).unwrap().revision;
    claim(&a, 1);
    a.release(1, 0, "no agent").unwrap();
    assert!(!b.enqueue(item(2, "job"), seen).unwrap().accepted);
}

#[test]
fn folding_replaces_the_payload_of_a_queued_item_only() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let seen = a.enqueue(item(1, "job"), 0).unwrap().revision;
    let folded = b.fold(1, seen, b"both", -1).unwrap();
    assert!(folded.accepted && folded.revision > seen);
    assert_eq!(b.fold(1, seen, b"both", -1).unwrap(), folded, "a repetition changes nothing");
    let late = a.fold(1, seen, b"mine", -1).unwrap();
    assert!(!late.accepted);
    assert_eq!(late.queued[0].payload.as_deref(), Some(b"both".as_slice()));
    assert_eq!(claim(&a, 1)[0].payload.as_deref(), Some(b"both".as_slice()));
    assert!(!b.fold(1, folded.revision, b"late", -1).unwrap().accepted);
    assert!(matches!(b.fold(99, -1, b"", -1), Err(Error::NotFound(_))));
    invariants::check(&mut redis.inside());
}

#[test]
fn what_is_claimed_still_counts_as_waiting_until_it_begins() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    assert!(a.enqueue(item(1, "job"), 0).unwrap().accepted);
    claim(&a, 1);
    let refused = b.enqueue(item(2, "job"), 0).unwrap();
    assert!(!refused.accepted, "b has not compared with it");
    assert_eq!((refused.queued[0].id, refused.queued[0].state), (1, ItemState::Claimed));
    assert_eq!(refused.queued[0].payload.as_deref(), Some(item(1, "job").payload.as_slice()));
    a.assign_number(1, "job", 0).unwrap();
    assert!(b.enqueue(item(2, "job"), 0).unwrap().accepted, "nothing is folded into what has begun");
    invariants::check(&mut redis.inside());
}

#[test]
fn whoever_holds_a_claimed_item_folds_into_it_as_long_as_it_has_not_begun() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let stored = a.enqueue(item(1, "job"), 0).unwrap().revision;
    claim(&b, 1);
    let unaware = b.fold(1, stored, b"into what it takes for queued", -1).unwrap();
    assert!(!unaware.accepted, "what b builds is what its claim was answered");
    assert!(!a.fold_held(1, stored, b"not mine").unwrap().accepted);
    let folded = b.fold_held(1, stored, b"both").unwrap();
    assert!(folded.accepted && folded.revision > stored);
    assert_eq!(b.fold_held(1, stored, b"both").unwrap(), folded, "a repetition changes nothing");
    let late = b.fold_held(1, stored, b"of what it was before").unwrap();
    assert!(!late.accepted);
    assert_eq!(late.queued[0].payload.as_deref(), Some(b"both".as_slice()));
    assert!(!a.enqueue(item(2, "job"), stored).unwrap().accepted, "it counts as new to the others");
    invariants::check(&mut redis.inside());
    b.release(1, 0, "blocked").unwrap();
    let again = claim(&b, 1).remove(0);
    assert_eq!(again.payload.as_deref(), Some(b"both".as_slice()), "it is kept when it goes back");
    b.assign_number(1, "job", 0).unwrap();
    assert!(!b.fold_held(1, again.job_revision, b"too late").unwrap().accepted);
    invariants::check(&mut redis.inside());
}

#[test]
fn what_ends_claimed_counts_as_waiting_no_more() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for (id, end) in [(1, "cancelled"), (2, "parked"), (3, "cancelled by another")] {
        put(&a, item(id, "job"));
        claim(&a, 1);
        match end {
            "cancelled" => a.cancelled(id, "gone").unwrap(),
            "parked" => a.park(id, "cannot be read").unwrap(),
            _ => {
                a.cancel(id, "eve").unwrap();
                a.release(id, 0, "no room").unwrap();
            }
        }
        invariants::check(&mut redis.inside());
    }
    assert_eq!(a.item(3).unwrap().unwrap().owner, "", "nobody holds what was handed back");
}

#[test]
fn what_is_preferred_is_claimed_first() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=5 {
        put(&a, item(id, "job"));
    }
    a.prefer(&[99, 4, 2]);
    assert_eq!(claim_ids(&a, 1), [4]);
    a.release(4, 0, "no agent").unwrap();
    assert_eq!(claim_ids(&a, 3), [4, 2, 1], "also when it was handed back");
    a.prefer(&[]);
    assert_eq!(claim_ids(&a, 5), [3, 5]);
    invariants::check(&mut redis.inside());
}

#[test]
fn of_a_job_that_runs_one_at_a_time_the_preferred_one_has_the_turn() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=3 {
        put(&a, NewItem { concurrent: false, ..item(id, "serial") });
    }
    a.prefer(&[3, 2]);
    assert_eq!(claim_ids(&a, 3), [3], "one at a time");
    invariants::check(&mut redis.inside());
    assert!(claim(&a, 3).is_empty(), "a preferred one does not pass one that is held");
    a.assign_number(3, "serial", 0).unwrap();
    a.finished(3, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&a, 3), [2]);
    invariants::check(&mut redis.inside());
}

#[test]
fn folding_can_extend_or_end_the_quiet_period() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    a.fold(1, -1, b"x", 60_000).unwrap();
    assert!(claim(&a, 1).is_empty());
    invariants::check(&mut redis.inside());
    a.fold(1, -1, b"y", 0).unwrap();
    assert_eq!(claim_ids(&a, 1), [1]);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_quiet_item_is_handed_out_when_it_is_due_to_a_claim_that_waits() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let began = Instant::now();
    let waiting = std::thread::spawn(move || {
        let items = b.claim(&offer("", 1), 1, Duration::from_secs(20)).unwrap();
        (items[0].id, began.elapsed())
    });
    std::thread::sleep(Duration::from_millis(50));
    put(&a, NewItem { quiet_ms: 400, ..item(1, "job") });
    let (id, waited) = waiting.join().unwrap();
    assert_eq!(id, 1);
    assert!(waited >= Duration::from_millis(440) && waited < Duration::from_millis(900), "{waited:?}");
}

#[test]
fn an_item_that_became_due_while_all_were_full_is_found_by_the_next_claim() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, NewItem { quiet_ms: 50, ..item(1, "job") });
    assert!(a.claim(&[], 1, Duration::from_millis(200)).unwrap().is_empty());
    assert_eq!(claim_ids(&a, 1), [1]);
}

#[test]
fn released_and_requeued_items_keep_their_place() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    for id in 1..=3 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&a, 2), [1, 2]);
    a.release(2, 0, "no agent").unwrap();
    a.release(1, 0, "no agent").unwrap();
    a.release(1, 0, "no agent").unwrap();
    assert_eq!(a.item(1).unwrap().unwrap().why, "no agent");
    invariants::check(&mut redis.inside());
    let again = claim(&a, 9);
    assert_eq!(
        again.iter().map(|item| (item.id, item.attempts)).collect::<Vec<_>>(),
        [(1, 2), (2, 2), (3, 1)]
    );
    a.release(1, 100, "later").unwrap();
    a.release(2, 0, "now").unwrap();
    assert_eq!(claim_ids(&a, 9), [2]);
    let late = a.claim(&offer("", 9), 9, Duration::from_secs(5)).unwrap();
    assert_eq!(late[0].id, 1);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_job_without_concurrent_builds_runs_one_at_a_time_in_order() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=4 {
        put(&a, NewItem { concurrent: false, ..item(id, "job") });
    }
    invariants::check(&mut redis.inside());
    assert!(a.item(2).unwrap().unwrap().blocked);
    assert_eq!(claim_ids(&a, 9), [1]);
    assert!(claim(&b, 9).is_empty());
    a.assign_number(1, "job", 0).unwrap();
    a.started(1, 1).unwrap();
    a.finished(1, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&b, 9), [2]);
    b.cancelled(2, "not wanted").unwrap();
    assert_eq!(claim_ids(&b, 9), [3]);
    b.park(3, "unknown class").unwrap();
    assert_eq!(state(&a, 3), ItemState::Unreadable);
    assert_eq!(claim_ids(&b, 9), [4]);
    b.release(4, 60_000, "later").unwrap();
    invariants::check(&mut redis.inside());
}

#[test]
fn a_more_urgent_item_overtakes_one_that_only_waits_in_the_jobs_slot() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    let exclusive = |id, priority| NewItem { concurrent: false, priority, ..item(id, "job") };
    put(&a, exclusive(1, 1000));
    put(&a, exclusive(2, 10));
    assert!(a.item(1).unwrap().unwrap().blocked);
    invariants::check(&mut redis.inside());
    assert_eq!(claim_ids(&a, 9), [2]);
    put(&a, exclusive(3, 5));
    assert!(claim(&a, 9).is_empty(), "a claimed one is not overtaken");
    a.release(2, 0, "back").unwrap();
    invariants::check(&mut redis.inside());
    assert_eq!(claim_ids(&a, 9), [3], "but it does not come back before the more urgent one");
}

#[test]
fn cancel_removes_a_waiting_item_and_only_marks_a_claimed_one() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=4 {
        put(&a, item(id, "job"));
    }
    put(&a, NewItem { quiet_ms: 60_000, ..item(5, "job") });
    assert_eq!(b.cancel(5, "eve").unwrap(), Cancel::Cancelled);
    assert_eq!(b.cancel(1, "eve").unwrap(), Cancel::Cancelled);
    assert_eq!(b.cancel(1, "eve").unwrap(), Cancel::Cancelled);
    assert_eq!(a.item(1).unwrap().unwrap().why, "Cancelled by eve");
    assert_eq!(claim_ids(&a, 2), [2, 3]);
    assert_eq!(b.cancel(2, "eve").unwrap(), Cancel::Asked("a".into()));
    assert_eq!(b.cancel(3, "eve").unwrap(), Cancel::Asked("a".into()));
    assert!(matches!(a.assign_number(2, "job", 0), Err(Error::Conflict(_))), "a cancelled item never starts");
    assert_eq!(state(&a, 2), ItemState::Cancelled);
    a.release(3, 0, "back").unwrap();
    assert_eq!(state(&a, 3), ItemState::Cancelled, "nor does it come back");
    a.cancelled(2, "cancelled by eve").unwrap();
    claim(&a, 1);
    a.assign_number(4, "job", 0).unwrap();
    assert_eq!(b.cancel(4, "eve").unwrap(), Cancel::TooLate);
    assert_eq!(b.cancel(99, "eve").unwrap(), Cancel::Unknown);
    invariants::check(&mut redis.inside());
}

#[test]
fn an_unreadable_item_keeps_its_bytes_until_it_is_cancelled() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.park(1, "no such class: x.Y").unwrap();
    a.park(1, "no such class: x.Y").unwrap();
    let parked = a.item(1).unwrap().unwrap();
    assert_eq!((parked.state, parked.why.as_str()), (ItemState::Unreadable, "no such class: x.Y"));
    assert_eq!(parked.payload.as_deref(), Some(b"payload of 1".as_slice()));
    assert_eq!(a.items().unwrap().len(), 1);
    invariants::check(&mut redis.inside());
    assert_eq!(a.cancel(1, "admin").unwrap(), Cancel::Cancelled);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_forged_payload_is_set_aside_and_never_claimed() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    for id in 1..=2 {
        put(&a, NewItem { quiet_ms: if id == 1 { 0 } else { 300 }, ..item(id, "job") });
        let _: i32 = redis::cmd("HSET")
            .arg(format!("{{haj:test}}:item:{id}"))
            .arg("payload")
            .arg("evil")
            .query(&mut redis.inside())
            .unwrap();
    }
    let claimed = b.claim(&offer("", 5), 5, Duration::from_millis(600)).unwrap();
    assert!(claimed.is_empty(), "{claimed:?}");
    until("set aside", || {
        let _ = b.claim(&offer("", 5), 5, Duration::from_millis(300)).unwrap();
        state(&a, 1) == ItemState::Unreadable && state(&a, 2) == ItemState::Unreadable
    });
    let forged = a.item(1).unwrap().unwrap();
    assert_eq!(forged.payload, None, "forged bytes are not handed out");
    assert!(forged.why.contains("changed"), "{}", forged.why);
    invariants::check(&mut redis.inside());
}

#[test]
fn a_late_repetition_of_an_old_release_does_not_touch_a_new_claim() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, item(1, "job"));
    claim(&a, 1);
    a.release(1, 0, "x").unwrap();
    assert_eq!(claim_ids(&b, 1), [1]);
    a.release(1, 0, "x").unwrap();
    assert_eq!(state(&a, 1), ItemState::Claimed);
    assert!(matches!(a.assign_number(1, "job", 0), Err(Error::Fenced(_))));
    assert!(matches!(a.cancelled(1, "x"), Err(Error::Fenced(_))));
    assert!(matches!(a.park(1, "x"), Err(Error::Fenced(_))));
}

#[test]
fn unknown_items_are_not_found() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    assert!(a.item(9).unwrap().is_none());
    assert!(matches!(a.finished(9, "SUCCESS"), Err(Error::NotFound(_))));
    assert!(matches!(a.assign_number(9, "job", 0), Err(Error::NotFound(_))));
}

/// What stands for a build that `who` keeps for itself.
fn placeholder(id: i64, who: &str) -> NewItem {
    NewItem {
        concurrent: false,
        lane: "l:".into(),
        pinned: who.into(),
        payload: Vec::new(),
        ..item(id, "job")
    }
}

#[test]
fn a_build_that_stays_on_its_controller_takes_its_turn_in_the_job_by_a_placeholder() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    let ours = |controller: &ha_jenkins::Controller| -> Vec<i64> {
        let found = controller.claim(&offer("l:", 1), 1, Duration::ZERO).unwrap();
        found.iter().map(|item| item.id).collect()
    };
    put(&a, NewItem { concurrent: false, ..item(1, "job") });
    put(&a, placeholder(2, "a"));
    put(&b, NewItem { concurrent: false, ..item(3, "job") });
    invariants::check(&mut redis.inside());
    assert_eq!((ours(&a), claim_ids(&b, 9)), (vec![], vec![1]), "one holds the job's slot");
    b.assign_number(1, "job", 0).unwrap();
    b.started(1, 1).unwrap();
    b.finished(1, "SUCCESS").unwrap();
    assert_eq!((claim_ids(&b, 9), ours(&b)), (vec![], vec![]), "it is not theirs");
    assert_eq!(ours(&a), [2]);
    a.assign_number(2, "job", 0).unwrap();
    a.started(2, 2).unwrap();
    assert!(claim(&b, 9).is_empty());
    a.finished(2, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&b, 9), [3]);
    invariants::check(&mut redis.inside());
}

#[test]
fn placeholders_end_with_their_controller_and_hold_nobody_up() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, placeholder(1, "a"));
    put(&a, placeholder(2, "a"));
    put(&b, NewItem { concurrent: false, ..item(3, "job") });
    put(&a, NewItem { job: "other".into(), ..placeholder(4, "a") });
    put(&b, NewItem { job: "other".into(), concurrent: false, ..item(5, "other") });
    put(&a, NewItem { job: "third".into(), ..placeholder(6, "a") });
    put(&b, NewItem { job: "third".into(), concurrent: false, ..item(7, "third") });
    let claimed = a.claim(&offer("l:", 1), 1, Duration::ZERO).unwrap();
    assert_eq!(claimed[0].id, 1);
    a.close();
    invariants::check(&mut redis.inside());
    let states: Vec<ItemState> = [1, 2, 4, 6].map(|id| state(&b, id)).to_vec();
    assert_eq!(states, [ItemState::Cancelled; 4]);
    assert_eq!(claim_ids(&b, 9), [3, 5, 7]);
    let late = b.enqueue(placeholder(8, "a"), -1);
    assert!(matches!(late, Err(Error::Fenced(_))), "a late call: {late:?}");
}

#[test]
fn a_placeholders_build_that_has_begun_is_decided_on_as_any_other_before_the_next_begins() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    put(&a, placeholder(1, "a"));
    put(&b, NewItem { concurrent: false, ..item(2, "job") });
    a.claim(&offer("l:", 1), 1, Duration::ZERO).unwrap();
    a.assign_number(1, "job", 0).unwrap();
    a.started(1, 1).unwrap();
    a.close();
    until("b decides on it", || state(&b, 1) == ItemState::Orphaned);
    assert!(claim(&b, 9).is_empty(), "nobody has said yet that it has ended");
    until("it ends", || b.finished(1, "ABORTED").is_ok());
    assert_eq!(claim_ids(&b, 9), [2]);
}

#[test]
fn what_a_controller_cannot_start_goes_to_the_others_at_once_and_comes_back_after_a_pause() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=2 {
        put(&a, item(id, "job"));
    }
    assert_eq!(claim_ids(&a, 1), [1]);
    a.leave_to_others(1, 60_000, "vetoed here").unwrap();
    assert_eq!(claim_ids(&a, 1), [2], "what stands behind it is not held up");
    assert!(claim(&a, 9).is_empty());
    let handed = claim(&b, 9);
    assert_eq!((handed[0].id, handed[0].why.as_str()), (1, "vetoed here"));
    b.leave_to_others(1, 200, "vetoed there").unwrap();
    let since = Instant::now();
    let late = b.claim(&offer("", 9), 9, Duration::from_secs(5)).unwrap();
    assert_eq!(late[0].id, 1);
    assert!((150..3000).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    invariants::check(&mut redis.inside());
}

#[test]
fn what_is_held_up_of_a_serial_job_lets_the_others_of_its_job_go_first() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    for id in 1..=2 {
        put(&a, NewItem { concurrent: false, ..item(id, "job") });
    }
    assert_eq!(claim_ids(&a, 1), [1]);
    a.leave_to_others(1, 60_000, "blocked").unwrap();
    assert_eq!(claim_ids(&b, 9), [2]);
    invariants::check(&mut redis.inside());
}

#[test]
fn what_waits_goes_by_what_its_job_says_now() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));

    // another lane, also after a quiet period
    put(&a, NewItem { lane: "nowhere".into(), ..item(1, "moved") });
    put(&a, NewItem { lane: "nowhere".into(), quiet_ms: 300, ..item(2, "moved") });
    for id in 1..=2 {
        b.revise(id, "", true).unwrap();
        let version = a.item(id).unwrap().unwrap().version;
        b.revise(id, "", true).unwrap();
        assert_eq!(a.item(id).unwrap().unwrap().version, version, "again changes nothing");
    }
    invariants::check(&mut redis.inside());
    assert_eq!(claim_ids(&a, 5), [1], "the other one's quiet period is not over");
    until("the second is due", || !claim(&a, 5).is_empty());

    // one at a time from now on, in the same order; what is claimed first has its turn
    for id in 11..=14 {
        put(&a, item(id, "alone"));
    }
    assert_eq!(claim_ids(&a, 1), [11]);
    for id in [13, 12, 14, 11] {
        b.revise(id, "", false).unwrap();
        invariants::check(&mut redis.inside());
    }
    assert_eq!(claim_ids(&b, 5), [] as [i64; 0]);
    a.assign_number(11, "alone", 0).unwrap();
    a.started(11, 1).unwrap();
    a.finished(11, "SUCCESS").unwrap();
    assert_eq!(claim_ids(&b, 5), [12]);

    // any number again, though the first holds the turn; what has begun stays as it is
    b.assign_number(12, "alone", 0).unwrap();
    for id in 12..=14 {
        a.revise(id, "", true).unwrap();
    }
    invariants::check(&mut redis.inside());
    assert_eq!(claim_ids(&a, 5), [13, 14]);
    assert!(matches!(a.revise(77, "", true), Err(Error::NotFound(_))));
    assert!(matches!(a.revise(14, "\n", true), Err(Error::Invalid(_))));
}
