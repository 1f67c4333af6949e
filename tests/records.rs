//! Build records: the same promises on PostgreSQL and on SQLite.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ha_jenkins::{BuildQuery, BuildRow, BuildState, Error, Records, RecordsPhase, RecordsSettings, Secret};
use support::postgres::{PASSWORD, PostgresServer};
use support::records::*;
use support::until;

on_both! {
    a_row_comes_back_as_it_was_saved
    what_one_controller_saves_another_sees
    running_builds_are_coalesced_and_the_end_is_stored_at_once
    only_the_owner_writes_a_running_build
    a_refused_write_is_counted_and_changes_nothing
    an_ended_build_is_edited_by_anybody_and_keeps_its_owner
    a_deleted_build_stays_deleted_and_its_number_used
    a_running_build_is_not_deleted_by_another_controller
    one_queue_item_makes_one_build
    the_later_number_of_an_item_is_its_build
    a_dead_owners_build_is_adopted_by_one
    a_build_that_came_to_its_own_end_is_not_adopted
    history_is_paged_by_number_and_without_gaps_when_builds_come_and_go
    all_builds_are_paged_by_time_over_jobs
    builds_are_found_by_what_is_known_of_them
    the_newest_build_with_a_result_is_found_below_a_number
    a_caller_who_may_see_no_job_finds_nothing
    a_key_of_another_search_is_refused
    a_job_is_renamed_with_those_below_it
    a_job_takes_the_name_of_a_deleted_one
    a_late_write_under_the_old_name_follows_the_renaming
    clusters_do_not_see_each_other
    two_controllers_may_set_up_the_tables_at_once
    a_newer_schema_is_refused
    what_a_newer_version_only_adds_to_is_read_and_written
    a_damaged_xml_is_told_and_hides_nothing_else
    a_damaged_row_is_told_and_hides_nothing_else
    texts_that_a_database_cannot_hold_are_stored_nevertheless
    many_builds_of_many_threads_are_all_stored
    what_an_earlier_start_left_in_the_outbox_is_stored_once_and_in_order
    after_close_every_call_says_closed
    the_settings_can_be_tried
}

fn a_row_comes_back_as_it_was_saved(place: &Place) {
    let records = place.open("a");
    let row = BuildRow {
        display_name: "ä 𝄞 'quoted' \"twice\"".into(),
        description: "line\nline; DROP TABLE ha_build".into(),
        keep: true,
        agent: "agent 1".into(),
        causes: vec!["Started by user Ada".into(), "Started by timer".into()],
        users: vec!["ada".into()],
        parameters: vec![
            ("B".into(), "x=y".into()),
            ("A".into(), String::new()),
            ("SECRET".into(), "****".into()),
        ],
        commits: vec!["0123456789abcdef0123456789abcdef01234567".into()],
        xml: Some((0..=255u8).cycle().take(100_000).collect()),
        ..ended("a", "folder/job ä", 3, "UNSTABLE")
    };
    store(&records, row.clone());
    let found = records.find("folder/job ä", 3).unwrap().unwrap();
    assert_eq!(found, BuildRow { version: 1, ..row.clone() });
    let page = records.query(&BuildQuery::of_job("folder/job ä", 10)).unwrap();
    assert_eq!(page.builds, [BuildRow { version: 1, xml: None, ..row.clone() }]);
    // Without XML the stored XML stays.
    store(&records, BuildRow { xml: None, description: "new".into(), ..row.clone() });
    let found = records.find("folder/job ä", 3).unwrap().unwrap();
    assert_eq!((found.xml, found.description.as_str(), found.version), (row.xml, "new", 2));
    assert_eq!(records.find("folder/job ä", 4).unwrap(), None);
    assert_eq!(records.find("other", 3).unwrap(), None);
}

fn what_one_controller_saves_another_sees(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, running("a", "job", 1));
    let seen = b.find("job", 1).unwrap().unwrap();
    assert_eq!((seen.state, seen.controller_id.as_str()), (BuildState::Running, "a"));
    assert_eq!(b.running("").unwrap().len(), 1);
    assert_eq!(b.running("a").unwrap().len(), 1);
    assert_eq!(b.running("b").unwrap().len(), 0);
    let saved = Instant::now();
    a.save(ended("a", "job", 1, "SUCCESS"), false).unwrap();
    until("the end is seen", || b.find("job", 1).unwrap().unwrap().result == "SUCCESS");
    assert!(saved.elapsed() < SECOND, "{:?}", saved.elapsed());
    assert!(b.running("").unwrap().is_empty());
}

fn running_builds_are_coalesced_and_the_end_is_stored_at_once(place: &Place) {
    let records = place.open("a");
    for step in 0..200 {
        records.save(BuildRow { description: step.to_string(), ..running("a", "job", 1) }, false).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    until("the latest state is stored", || {
        records.find("job", 1).unwrap().is_some_and(|row| row.description == "199")
    });
    let stored = count(&records, "stored");
    assert!(stored <= 5, "{stored} writes for 200 saves");
    assert_eq!(stored + count(&records, "coalesced"), 200);
    let began = Instant::now();
    store(&records, ended("a", "job", 1, "SUCCESS"));
    assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
}

fn only_the_owner_writes_a_running_build(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, running("a", "job", 1));
    for (number, stranger) in [
        running("b", "job", 1),
        ended("b", "job", 1, "FAILURE"),
        BuildRow { epoch: 99, ..ended("b", "job", 1, "FAILURE") },
        BuildRow { epoch: 6, ..ended("a", "job", 1, "FAILURE") },
        BuildRow { incarnation: "a2".into(), epoch: 8, ..ended("a", "job", 1, "FAILURE") },
    ]
    .into_iter()
    .enumerate()
    {
        store(&b, stranger);
        assert_eq!(b.find("job", 1).unwrap().unwrap().state, BuildState::Running, "case {number}");
    }
    assert_eq!(count(&b, "refused"), 5);
    save(&b, ended("b", "job", 1, "FAILURE"), true);
    assert_eq!(b.find("job", 1).unwrap().unwrap().state, BuildState::Running, "it cannot be edited yet");
    // The same process after it has joined again, and while it has no membership.
    store(&a, BuildRow { epoch: 9, description: "rejoined".into(), ..running("a", "job", 1) });
    store(&a, BuildRow { epoch: 0, ..ended("a", "job", 1, "SUCCESS") });
    let row = a.find("job", 1).unwrap().unwrap();
    assert_eq!((row.state, row.epoch, row.result.as_str()), (BuildState::Ended, 9, "SUCCESS"));
    store(&a, running("a", "job", 1));
    assert_eq!(a.find("job", 1).unwrap().unwrap().state, BuildState::Ended, "it does not run again");
    assert_eq!(count(&a, "late"), 1);
}

fn a_refused_write_is_counted_and_changes_nothing(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, BuildRow { parameters: vec![("K".into(), "v".into())], ..running("a", "job", 1) });
    let before = a.find("job", 1).unwrap();
    store(&b, BuildRow { parameters: vec![("K".into(), "w".into())], ..ended("b", "job", 1, "FAILURE") });
    assert_eq!(a.find("job", 1).unwrap(), before);
    let query = BuildQuery {
        parameter_name: "K".into(),
        parameter_value: "w".into(),
        limit: 9,
        ..BuildQuery::default()
    };
    assert!(numbers(&a, &query).is_empty());
    assert_eq!((count(&b, "refused"), count(&b, "stored")), (1, 0));
}

fn an_ended_build_is_edited_by_anybody_and_keeps_its_owner(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, ended("a", "job", 1, "SUCCESS"));
    save(&b, BuildRow { description: "by b".into(), keep: true, ..ended("b", "job", 1, "SUCCESS") }, true);
    let row = a.find("job", 1).unwrap().unwrap();
    assert_eq!((row.description.as_str(), row.keep, row.controller_id.as_str()), ("by b", true, "a"));
    assert_eq!((row.incarnation.as_str(), row.epoch, row.version), ("a1", 7, 2));
    store(&b, ended("b", "job", 1, "FAILURE"));
    assert_eq!(a.find("job", 1).unwrap().unwrap().result, "SUCCESS", "without the mark it is refused");
    // What an earlier start of the same controller left running is ended by the next one.
    store(&a, running("a", "job", 2));
    a.close();
    let again = ready(place.settings_of("a", "a2"));
    save(&again, BuildRow { incarnation: "a2".into(), ..ended("a", "job", 2, "ABORTED") }, true);
    assert_eq!(b.find("job", 2).unwrap().unwrap().result, "ABORTED");
}

fn a_deleted_build_stays_deleted_and_its_number_used(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, ended("a", "job", 1, "SUCCESS"));
    store(&a, BuildRow { users: vec!["ada".into()], ..ended("a", "job", 2, "SUCCESS") });
    b.delete("job", 2).unwrap();
    b.delete("job", 2).unwrap();
    assert!(b.flush("job", 2, LONG).unwrap());
    assert_eq!(numbers_of(&a, &BuildQuery::of_job("job", 10)), [1]);
    let by_user = BuildQuery { user: "ada".into(), limit: 10, ..BuildQuery::default() };
    assert!(numbers(&a, &by_user).is_empty());
    let tombstone = a.find("job", 2).unwrap().unwrap();
    assert_eq!((tombstone.state, tombstone.xml), (BuildState::Deleted, None));
    assert_eq!(a.highest("job").unwrap(), 2);
    assert_eq!(a.numbers("job").unwrap(), [(1, 1)]);
    for edit in [false, true] {
        save(&a, ended("a", "job", 2, "SUCCESS"), edit);
    }
    assert_eq!(
        a.find("job", 2).unwrap().unwrap().state,
        BuildState::Deleted,
        "a late save does not bring it back"
    );
    assert_eq!(count(&a, "late"), 2);
    a.delete("job", 9).unwrap();
    assert!(a.flush("job", 9, LONG).unwrap());
    store(&a, ended("a", "job", 9, "SUCCESS"));
    assert_eq!(a.find("job", 9).unwrap().unwrap().state, BuildState::Deleted, "nor one that was never seen");
    assert_eq!(a.newest("job", &[], 0).unwrap().unwrap().number, 1);
}

fn a_running_build_is_not_deleted_by_another_controller(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, running("a", "job", 1));
    b.delete("job", 1).unwrap();
    assert!(b.flush("job", 1, LONG).unwrap());
    assert_eq!(a.find("job", 1).unwrap().unwrap().state, BuildState::Running);
    assert_eq!(count(&b, "refused"), 1);
    a.delete("job", 1).unwrap();
    assert!(a.flush("job", 1, LONG).unwrap());
    assert_eq!(a.find("job", 1).unwrap().unwrap().state, BuildState::Deleted);
}

fn one_queue_item_makes_one_build(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, BuildRow { queue_id: 5, ..running("a", "job", 1) });
    store(&a, BuildRow { queue_id: 5, ..ended("a", "job", 1, "SUCCESS") });
    store(&b, BuildRow { queue_id: 5, ..running("b", "job", 2) });
    assert_eq!(b.find("job", 2).unwrap(), None);
    assert_eq!(count(&b, "doubled"), 1);
    for number in 3..6 {
        a.save(BuildRow { queue_id: 77, ..ended("a", "job", number, "SUCCESS") }, false).unwrap();
    }
    assert!(a.flush("job", 5, LONG).unwrap());
    assert_eq!(numbers_of(&a, &BuildQuery::of_job("job", 10)), [3, 1], "not within one batch either");
    a.delete("job", 3).unwrap();
    store(&a, BuildRow { queue_id: 77, ..ended("a", "job", 6, "SUCCESS") });
    assert_eq!(a.find("job", 6).unwrap().unwrap().queue_id, 77, "a deleted build has no item");
    // Builds of the time before the cluster are taken over whatever they say.
    save(&a, BuildRow { queue_id: 77, ..ended("", "old", 1, "SUCCESS") }, true);
    assert_eq!(a.find("old", 1).unwrap().unwrap().queue_id, 0);
    for number in 1..3 {
        store(&a, BuildRow { queue_id: 0, ..ended("a", "unknown", number, "SUCCESS") });
    }
    assert_eq!(numbers_of(&a, &BuildQuery::of_job("unknown", 10)), [2, 1]);
}

/// An item gets another number only once the controller that had the first is dead; what that one wrote of it may still
/// stand, or be on its way.
fn the_later_number_of_an_item_is_its_build(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, BuildRow { queue_id: 5, ..running("a", "job", 1) });
    store(&b, BuildRow { queue_id: 5, ..running("b", "job", 2) });
    assert_eq!(b.find("job", 2).unwrap().unwrap().queue_id, 5);
    assert_eq!(b.find("job", 1).unwrap().unwrap().queue_id, 0);
    store(&a, BuildRow { queue_id: 5, ..ended("a", "job", 1, "ABORTED") });
    assert_eq!(b.find("job", 1).unwrap().unwrap().result, "ABORTED", "it may still end");
    assert_eq!(b.find("job", 1).unwrap().unwrap().queue_id, 0);
    store(&b, BuildRow { queue_id: 5, ..ended("b", "job", 2, "SUCCESS") });
    // The other way round.
    store(&b, BuildRow { queue_id: 6, ..running("b", "job", 4) });
    store(&a, BuildRow { queue_id: 6, ..running("a", "job", 3) });
    assert_eq!(b.find("job", 3).unwrap(), None);
    assert_eq!(b.find("job", 4).unwrap().unwrap().queue_id, 6);
    // Within one batch.
    for number in 5..8 {
        a.save(BuildRow { queue_id: 7, ..running("a", "job", number) }, false).unwrap();
    }
    assert!(a.flush("job", 7, LONG).unwrap());
    assert_eq!(a.find("job", 6).unwrap().unwrap().queue_id, 0);
    assert_eq!(a.find("job", 7).unwrap().unwrap().queue_id, 7);
    assert_eq!(
        (count(&a, "doubled"), count(&b, "doubled")),
        (0, 0),
        "nobody is told that an item was built twice"
    );
    assert_eq!(count(&a, "late"), 1);
}

fn a_dead_owners_build_is_adopted_by_one(place: &Place) {
    let (a, b, c) = (place.open("a"), place.open("b"), place.open("c"));
    store(&a, running("a", "job", 1));
    // Whoever survives may have joined before the dead one did.
    assert!(b.adopt("job", 1, "b", "b1", 2).unwrap());
    assert!(!c.adopt("job", 1, "c", "c1", 9).unwrap(), "b was first");
    assert!(b.adopt("job", 1, "b", "b1", 2).unwrap(), "asked twice");
    store(&a, ended("a", "job", 1, "SUCCESS"));
    assert_eq!(b.find("job", 1).unwrap().unwrap().state, BuildState::Running, "the old owner is fenced");
    assert_eq!(
        numbers_of(&b, &BuildQuery { controller: "b".into(), limit: 5, ..BuildQuery::default() }),
        [1]
    );
    store(&b, BuildRow { epoch: 2, ..ended("b", "job", 1, "ABORTED") });
    let row = b.find("job", 1).unwrap().unwrap();
    assert_eq!((row.result.as_str(), row.controller_id.as_str()), ("ABORTED", "b"));
    assert!(!c.adopt("job", 2, "c", "c1", 9).unwrap(), "there is no such build");
}

fn a_build_that_came_to_its_own_end_is_not_adopted(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, ended("a", "job", 1, "SUCCESS"));
    assert!(!b.adopt("job", 1, "b", "b1", 9).unwrap());
    // One that was given up for dead may be taken up again.
    store(&a, ended("a", "job", 2, "ABORTED"));
    assert!(b.adopt("job", 2, "b", "b1", 9).unwrap());
    let row = b.find("job", 2).unwrap().unwrap();
    assert_eq!((row.state, row.result.as_str()), (BuildState::Running, ""));
    a.delete("job", 1).unwrap();
    assert!(a.flush("job", 1, LONG).unwrap());
    assert!(!b.adopt("job", 1, "b", "b1", 9).unwrap());
}

fn history_is_paged_by_number_and_without_gaps_when_builds_come_and_go(place: &Place) {
    let records = place.open("a");
    for number in 1..=25 {
        records.save(ended("a", "job", number, "SUCCESS"), false).unwrap();
    }
    assert!(records.flush("job", 25, LONG).unwrap());
    let first = records.query(&BuildQuery::of_job("job", 10)).unwrap();
    assert_eq!(
        first.builds.iter().map(|row| row.number).collect::<Vec<_>>(),
        (16..=25).rev().collect::<Vec<_>>()
    );
    // One comes, one goes, before the second page is asked for.
    store(&records, ended("a", "job", 26, "SUCCESS"));
    records.delete("job", 14).unwrap();
    assert!(records.flush("job", 14, LONG).unwrap());
    let second = BuildQuery { after: first.next, ..BuildQuery::of_job("job", 10) };
    let second = records.query(&second).unwrap();
    assert_eq!(
        second.builds.iter().map(|row| row.number).collect::<Vec<_>>(),
        [15, 13, 12, 11, 10, 9, 8, 7, 6, 5]
    );
    let third = BuildQuery { after: second.next, ..BuildQuery::of_job("job", 4) };
    let third = records.query(&third).unwrap();
    assert_eq!((third.builds.len(), third.next.as_str()), (4, ""), "exactly the last ones");
}

fn all_builds_are_paged_by_time_over_jobs(place: &Place) {
    let records = place.open("a");
    let mut expected = Vec::new();
    for number in 1..=12 {
        for job in ["x", "y", "z"] {
            // Many at the same moment.
            let started_ms = 1_700_000_000_000 + i64::from(number / 4);
            records.save(BuildRow { started_ms, ..ended("a", job, number, "SUCCESS") }, false).unwrap();
            expected.push((job.to_owned(), number));
        }
    }
    assert!(records.flush("z", 12, LONG).unwrap());
    for limit in [1, 5, 36, 100] {
        let all = BuildQuery { limit, ..BuildQuery::default() };
        let found = pages(&records, all);
        assert_eq!(found.len(), 36, "limit {limit}");
        assert_eq!(found.iter().collect::<HashSet<_>>(), expected.iter().collect::<HashSet<_>>());
        assert!(found.windows(2).all(|two| two[0].1 / 4 >= two[1].1 / 4), "newest first");
        for jobs in [vec!["x", "z"], vec!["y"], vec!["x", "y", "z", "unknown"]] {
            let of_jobs: HashSet<_> =
                expected.iter().filter(|(job, _)| jobs.contains(&job.as_str())).cloned().collect();
            let query = BuildQuery {
                jobs: Some(jobs.iter().map(|job| (*job).to_owned()).collect()),
                from_ms: 1,
                limit,
                ..BuildQuery::default()
            };
            let found = pages(&records, query);
            assert_eq!(found.len(), of_jobs.len());
            assert_eq!(found.into_iter().collect::<HashSet<_>>(), of_jobs);
        }
    }
    // More jobs than are read one by one.
    let many = (0..40).map(|number| format!("other {number}")).chain(["x".to_owned()]).collect();
    for number in 0..40 {
        records.save(ended("a", &format!("other {number}"), 1, "SUCCESS"), false).unwrap();
    }
    assert!(records.flush("other 39", 1, LONG).unwrap());
    assert_eq!(pages(&records, BuildQuery { jobs: Some(many), limit: 7, ..BuildQuery::default() }).len(), 52);
}

fn builds_are_found_by_what_is_known_of_them(place: &Place) {
    let records = place.open("a");
    let long = "v".repeat(5000);
    for row in [
        BuildRow {
            users: vec!["ada".into()],
            causes: vec!["Started by user Ada Ärger".into()],
            ..ended("a", "x", 1, "SUCCESS")
        },
        BuildRow {
            users: vec!["ada".into(), "bob".into()],
            agent: "linux-1".into(),
            ..ended("a", "x", 2, "FAILURE")
        },
        BuildRow {
            parameters: vec![("BRANCH".into(), "main".into()), ("LONG".into(), long.clone())],
            commits: vec!["ABCDEF0123456789".into(), "77".into()],
            ..ended("a", "y", 3, "SUCCESS")
        },
        BuildRow {
            parameters: vec![("BRANCH".into(), "dev".into())],
            commits: vec!["abcdef0999".into()],
            ..ended("b", "y", 4, "FAILURE")
        },
        BuildRow { agent: "linux-1".into(), users: vec!["ada".into()], ..running("b", "y", 5) },
    ] {
        // As if each controller had saved its own.
        records.save(row, false).unwrap();
    }
    assert!(records.flush("y", 5, LONG).unwrap());
    let any = BuildQuery { limit: 10, ..BuildQuery::default() };
    let found = |query: BuildQuery| numbers_of(&records, &query);
    let q = |change: &dyn Fn(&mut BuildQuery)| {
        let mut query = any.clone();
        change(&mut query);
        query
    };
    assert_eq!(found(any.clone()), [5, 4, 3, 2, 1]);
    assert_eq!(found(q(&|q| q.user = "ada".into())), [5, 2, 1]);
    assert_eq!(found(q(&|q| q.user = "ad".into())), [] as [i32; 0]);
    assert_eq!(found(q(&|q| q.cause = "ada ÄRGER".into())), [1]);
    assert_eq!(found(q(&|q| q.cause = "%".into())), [] as [i32; 0]);
    assert_eq!(found(q(&|q| q.parameter_name = "BRANCH".into())), [4, 3]);
    assert_eq!(found(q(&|q| (q.parameter_name, q.parameter_value) = ("BRANCH".into(), "main".into()))), [3]);
    assert_eq!(found(q(&|q| (q.parameter_name, q.parameter_value) = ("LONG".into(), long.clone()))), [3]);
    assert_eq!(
        found(q(&|q| (q.parameter_name, q.parameter_value) = ("LONG".into(), long[1..].into()))),
        [] as [i32; 0]
    );
    assert_eq!(found(q(&|q| q.commit = "abcdef0".into())), [4, 3]);
    assert_eq!(found(q(&|q| q.commit = "abcdef01".into())), [3]);
    assert_eq!(found(q(&|q| q.commit = "abcdef0123456789".into())), [3]);
    assert_eq!(found(q(&|q| q.commit = "77".into())), [3]);
    assert_eq!(found(q(&|q| q.commit = "7".into())), [] as [i32; 0]);
    assert_eq!(found(q(&|q| q.result = "FAILURE".into())), [4, 2]);
    assert_eq!(found(q(&|q| q.result = "RUNNING".into())), [5]);
    assert_eq!(found(q(&|q| q.controller = "b".into())), [5, 4]);
    assert_eq!(found(q(&|q| q.controller = "B".into())), [5, 4], "by name");
    assert_eq!(found(q(&|q| q.agent = "linux-1".into())), [5, 2]);
    assert_eq!(found(q(&|q| (q.agent, q.user) = ("linux-1".into(), "bob".into()))), [2]);
    assert_eq!(found(q(&|q| (q.user, q.result) = ("ada".into(), "SUCCESS".into()))), [1]);
    assert_eq!(found(q(&|q| (q.user, q.jobs) = ("ada".into(), Some(vec!["y".into()])))), [5]);
    let start = |number: i64| 1_700_000_000_000 + number * 1000;
    assert_eq!(found(q(&|q| (q.from_ms, q.to_ms) = (start(2), start(4)))), [3, 2]);
    assert_eq!(found(q(&|q| (q.from_ms, q.user) = (start(2), "ada".into()))), [5, 2]);
    let by_user = BuildQuery { user: "ada".into(), limit: 1, ..BuildQuery::default() };
    assert_eq!(pages(&records, by_user).len(), 3);
    // An edit moves a build in all searches.
    save(&records, BuildRow { users: vec!["eve".into()], ..ended("a", "x", 1, "UNSTABLE") }, true);
    assert_eq!(found(q(&|q| q.user = "ada".into())), [5, 2]);
    assert_eq!(found(q(&|q| q.user = "eve".into())), [1]);
    assert_eq!(found(q(&|q| q.result = "UNSTABLE".into())), [1]);
    for bad in
        [q(&|q| q.limit = 0), q(&|q| q.limit = 1001), q(&|q| q.parameter_value = "value without name".into())]
    {
        assert!(matches!(records.query(&bad), Err(Error::Invalid(_))));
    }
}

fn the_newest_build_with_a_result_is_found_below_a_number(place: &Place) {
    let records = place.open("a");
    for (number, result) in [(1, "SUCCESS"), (2, "FAILURE"), (3, "SUCCESS"), (4, "UNSTABLE"), (5, "ABORTED")]
    {
        records.save(ended("a", "job", number, result), false).unwrap();
    }
    store(&records, running("a", "job", 6));
    let newest = |results: &[&str], below: i32| {
        let results: Vec<String> = results.iter().map(|result| (*result).to_owned()).collect();
        records.newest("job", &results, below).unwrap().map(|row| row.number)
    };
    assert_eq!(newest(&[], 0), Some(5), "what runs has not ended");
    assert_eq!(newest(&["SUCCESS"], 0), Some(3));
    assert_eq!(newest(&["SUCCESS"], 3), Some(1));
    assert_eq!(newest(&["SUCCESS", "UNSTABLE"], 0), Some(4));
    assert_eq!(newest(&["FAILURE", "SUCCESS"], 3), Some(2));
    assert_eq!(newest(&["NOT_BUILT"], 0), None);
    assert_eq!(newest(&[], 1), None);
    assert_eq!(records.newest("unknown", &[], 0).unwrap(), None);
}

fn a_caller_who_may_see_no_job_finds_nothing(place: &Place) {
    let records = place.open("a");
    store(&records, ended("a", "job", 1, "SUCCESS"));
    for jobs in [vec![], vec!["unknown".to_owned()], vec!["' OR 1=1 --".to_owned()]] {
        let query = BuildQuery { jobs: Some(jobs), limit: 10, ..BuildQuery::default() };
        assert_eq!(records.query(&query).unwrap(), ha_jenkins::BuildPage::default());
    }
}

fn a_key_of_another_search_is_refused(place: &Place) {
    let records = place.open("a");
    for number in 1..4 {
        store(&records, ended("a", "job", number, "SUCCESS"));
    }
    let by_number = records.query(&BuildQuery::of_job("job", 1)).unwrap().next;
    let by_time = records.query(&BuildQuery { limit: 1, ..BuildQuery::default() }).unwrap().next;
    for (query, after) in [
        (BuildQuery::of_job("job", 1), by_time.as_str()),
        (BuildQuery { limit: 1, ..BuildQuery::default() }, by_number.as_str()),
        (BuildQuery::of_job("job", 1), "nonsense"),
    ] {
        let query = BuildQuery { after: after.into(), ..query };
        assert!(matches!(records.query(&query), Err(Error::Invalid(_))), "{after}");
    }
}

fn a_job_is_renamed_with_those_below_it(place: &Place) {
    let records = place.open("a");
    for job in ["dir", "dir/ä", "dir/ä/deep", "dirty", "other/dir"] {
        store(&records, ended("a", job, 1, "SUCCESS"));
    }
    records.rename("dir", "moved/to").unwrap();
    // Its own controller and others may say so again.
    records.rename("dir", "moved/to").unwrap();
    store(&records, ended("a", "moved/to", 2, "SUCCESS"));
    let mut all = pages(&records, BuildQuery { limit: 10, ..BuildQuery::default() });
    all.sort();
    let all: Vec<String> = all.iter().map(|(job, number)| format!("{job}#{number}")).collect();
    assert_eq!(
        all,
        ["dirty#1", "moved/to#1", "moved/to#2", "moved/to/ä#1", "moved/to/ä/deep#1", "other/dir#1"]
    );
    assert_eq!(records.find("moved/to/ä", 1).unwrap().unwrap().xml, running("a", "x", 1).xml);
    assert_eq!(records.find("dir", 1).unwrap(), None);
}

fn a_job_takes_the_name_of_a_deleted_one(place: &Place) {
    let records = place.open("a");
    for number in 1..4 {
        store(&records, ended("a", "old", number, "SUCCESS"));
    }
    records.delete_job("old", "").unwrap();
    store(&records, ended("a", "new", 1, "FAILURE"));
    records.rename("new", "old").unwrap();
    store(&records, BuildRow { queue_id: 77, ..ended("a", "old", 2, "UNSTABLE") });
    assert_eq!(numbers_of(&records, &BuildQuery::of_job("old", 10)), [2, 1]);
    assert_eq!(records.find("old", 1).unwrap().unwrap().result, "FAILURE");
}

fn a_late_write_under_the_old_name_follows_the_renaming(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, ended("a", "from", 1, "SUCCESS"));
    a.rename("from", "to").unwrap();
    store(&a, ended("a", "to", 2, "SUCCESS"));
    store(&b, BuildRow { users: vec!["ada".into()], ..ended("b", "from", 3, "SUCCESS") });
    store(&b, ended("b", "from", 2, "FAILURE"));
    b.rename("from", "to").unwrap();
    store(&b, ended("b", "to", 4, "SUCCESS"));
    assert_eq!(numbers_of(&a, &BuildQuery::of_job("to", 10)), [4, 3, 2, 1]);
    assert_eq!(a.find("to", 2).unwrap().unwrap().result, "SUCCESS", "what was there stays");
    assert_eq!(a.find("to", 3).unwrap().unwrap().xml, running("b", "from", 3).xml);
    assert_eq!(
        numbers(&a, &BuildQuery { user: "ada".into(), limit: 3, ..BuildQuery::default() }),
        [("to".into(), 3)]
    );
    assert!(numbers(&a, &BuildQuery::of_job("from", 10)).is_empty());
}

fn clusters_do_not_see_each_other(place: &Place) {
    let one = place.open("a");
    let two = ready(RecordsSettings { cluster: "other".into(), ..place.settings("b") });
    store(&one, BuildRow { queue_id: 5, ..ended("a", "job", 1, "SUCCESS") });
    store(&two, BuildRow { queue_id: 5, ..ended("b", "job", 2, "SUCCESS") });
    let all = BuildQuery { limit: 10, ..BuildQuery::default() };
    assert_eq!((numbers_of(&one, &all), numbers_of(&two, &all)), (vec![1], vec![2]));
    assert_eq!(one.find("job", 2).unwrap(), None);
    assert_eq!(two.highest("job").unwrap(), 2);
    assert_eq!(count(&two, "doubled"), 0);
}

fn two_controllers_may_set_up_the_tables_at_once(place: &Place) {
    let all: Vec<Records> =
        (0..6).map(|number| Records::open(place.settings(&format!("c{number}"))).unwrap()).collect();
    for records in &all {
        assert!(records.await_ready(LONG), "{:?}", records.state());
    }
    for (number, records) in (1..).zip(&all) {
        store(records, ended("a", "job", number, "SUCCESS"));
    }
    assert_eq!(numbers_of(&all[0], &BuildQuery::of_job("job", 10)), [6, 5, 4, 3, 2, 1]);
}

fn a_newer_schema_is_refused(place: &Place) {
    place.open("a").close();
    place.sql("INSERT INTO ha_schema (version, applied) VALUES (99, 0)");
    let records = Records::open(place.settings("a")).unwrap();
    until("it is refused", || records.state().phase == RecordsPhase::Refused);
    let text = records.state().text;
    assert!(text.contains("newer ha-jenkins") && text.contains("schema 99"), "{text}");
    assert!(matches!(records.find("job", 1), Err(Error::Refused(_))));
    assert!(matches!(Records::test(place.settings("b"), SECOND), Err(Error::Refused(_))));
    // What is saved meanwhile is kept.
    store(&records, ended("a", "job", 1, "SUCCESS"));
    assert_eq!(records.state().waiting, 1);
    place.sql("DELETE FROM ha_schema WHERE version = 99");
    assert!(records.await_ready(LONG), "{:?}", records.state());
    until("it is stored", || records.find("job", 1).unwrap().is_some());
}

/// As a later version would make it: with columns and a table that this one does not know.
fn what_a_newer_version_only_adds_to_is_read_and_written(place: &Place) {
    let records = place.open("a");
    store(&records, ended("a", "job", 1, "SUCCESS"));
    place.sql(
        "ALTER TABLE ha_schema ADD COLUMN readable_from BIGINT; ALTER TABLE ha_build ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; \
         CREATE TABLE ha_later (id BIGINT); INSERT INTO ha_schema (version, applied, readable_from) VALUES (99, 0, 3)",
    );
    // Who was connected already goes on, and so does who comes now.
    store(&records, ended("a", "job", 2, "SUCCESS"));
    let other = place.open("b");
    store(&other, ended("b", "job", 3, "SUCCESS"));
    for number in 1..=3 {
        until("it is stored", || records.find("job", number).unwrap().is_some());
        assert_eq!(other.find("job", number).unwrap().unwrap().result, "SUCCESS");
    }
    assert_eq!(place.number("SELECT COUNT(*) FROM ha_build WHERE later = 'x'"), 3);
    other.close();
    place.sql("UPDATE ha_schema SET readable_from = 98 WHERE version = 99");
    let refused = Records::open(place.settings("b")).unwrap();
    until("it is refused", || refused.state().phase == RecordsPhase::Refused);
    refused.close();
    place.sql(
        "DELETE FROM ha_schema WHERE version = 99; ALTER TABLE ha_schema DROP COLUMN readable_from; \
         ALTER TABLE ha_build DROP COLUMN later; DROP TABLE ha_later",
    );
}

fn a_damaged_xml_is_told_and_hides_nothing_else(place: &Place) {
    let records = place.open("a");
    for number in 1..4 {
        store(&records, ended("a", "job", number, "SUCCESS"));
    }
    place.sql("UPDATE ha_build_xml SET sha256 = (SELECT sha256 FROM ha_build_xml WHERE number = 1) WHERE number = 2");
    let damaged = records.find("job", 2).unwrap().unwrap();
    assert_eq!((damaged.xml, damaged.result.as_str()), (None, "SUCCESS"));
    assert!(damaged.damage.contains("build.xml"), "{}", damaged.damage);
    assert_eq!(numbers_of(&records, &BuildQuery::of_job("job", 10)), [3, 2, 1]);
    assert!(records.find("job", 1).unwrap().unwrap().damage.is_empty());
    // Its bytes are kept until they are replaced.
    store(&records, ended("a", "job", 2, "SUCCESS"));
    assert_eq!(records.find("job", 2).unwrap().unwrap().xml, running("a", "job", 2).xml);
}

fn a_damaged_row_is_told_and_hides_nothing_else(place: &Place) {
    let records = place.open("a");
    for number in 1..4 {
        store(&records, ended("a", "job", number, "SUCCESS"));
    }
    place.sql("UPDATE ha_build SET causes = '[\"torn', parameters = 'nonsense', state = 42 WHERE number = 2");
    let page = records.query(&BuildQuery::of_job("job", 10)).unwrap();
    let damages: Vec<bool> = page.builds.iter().map(|row| row.damage.is_empty()).collect();
    assert_eq!(damages, [true, false, true]);
}

fn texts_that_a_database_cannot_hold_are_stored_nevertheless(place: &Place) {
    let records = place.open("a");
    let row = BuildRow {
        description: "nul \0 nul".into(),
        users: vec!["u\0".into()],
        parameters: vec![("p\0".into(), "v\0".into())],
        causes: vec!["c\0\u{10ffff}".into()],
        commits: vec!["\0".into()],
        ..ended("a", "job", 1, "SUCCESS")
    };
    store(&records, row);
    let found = records.find("job", 1).unwrap().unwrap();
    assert_eq!(found.description, "nul \u{fffd} nul");
    assert_eq!(
        numbers_of(&records, &BuildQuery { user: "u\0".into(), limit: 2, ..BuildQuery::default() }),
        [1]
    );
    assert_eq!(count(&records, "rejected"), 0);
    assert!(matches!(records.save(ended("a", "", 1, "SUCCESS"), false), Err(Error::Invalid(_))));
    assert!(matches!(records.save(ended("a", "job", 0, "SUCCESS"), false), Err(Error::Invalid(_))));
}

fn many_builds_of_many_threads_are_all_stored(place: &Place) {
    let all = [place.open("a"), place.open("b")];
    std::thread::scope(|scope| {
        for (at, records) in all.iter().enumerate() {
            for thread in 0..4 {
                scope.spawn(move || {
                    let controller = ["a", "b"][at];
                    for round in 0..25 {
                        let number = 1 + round * 8 + thread * 2 + i32::try_from(at).unwrap();
                        records.save(running(controller, "job", number), false).unwrap();
                        records.save(ended(controller, "job", number, "SUCCESS"), false).unwrap();
                    }
                });
            }
        }
    });
    for records in &all {
        for number in 1..=200 {
            assert!(records.flush("job", number, LONG).unwrap());
        }
    }
    let found = pages(&all[0], BuildQuery { result: "SUCCESS".into(), ..BuildQuery::of_job("job", 30) });
    assert_eq!(found.len(), 200);
    assert_eq!(count(&all[0], "refused") + count(&all[1], "refused"), 0);
}

fn what_an_earlier_start_left_in_the_outbox_is_stored_once_and_in_order(place: &Place) {
    place.open("a").close();
    // A time in which nothing can be stored.
    place.sql("INSERT INTO ha_schema (version, applied) VALUES (99, 0)");
    let records = Records::open(place.settings("a")).unwrap();
    for number in 1..=30 {
        records.save(running("a", "job", number), false).unwrap();
        records.save(ended("a", "job", number, "SUCCESS"), false).unwrap();
    }
    records.rename("job", "renamed").unwrap();
    for number in 31..=40 {
        records.save(ended("a", "renamed", number, "FAILURE"), false).unwrap();
    }
    records.delete("renamed", 5).unwrap();
    records.close();
    let outbox = place.folder.join("outbox-a");
    let copy: Vec<(PathBuf, Vec<u8>)> =
        journals(&outbox).map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    assert!(!copy.is_empty());
    place.sql("DELETE FROM ha_schema WHERE version = 99");
    let check = |records: &Records| {
        until("all is stored", || records.state().waiting == 0);
        let mut expected: Vec<i32> = (1..=40).filter(|number| *number != 5).rev().collect();
        assert_eq!(numbers_of(records, &BuildQuery::of_job("renamed", 100)), expected);
        expected.retain(|number| *number <= 30);
        let success = BuildQuery { result: "SUCCESS".into(), ..BuildQuery::of_job("renamed", 100) };
        assert_eq!(numbers_of(records, &success), expected);
        assert!(numbers(records, &BuildQuery::of_job("job", 100)).is_empty());
    };
    let records = ready(place.settings_of("a", "a2"));
    check(&records);
    let version = records.find("renamed", 1).unwrap().unwrap().version;
    assert_eq!(journals(&outbox).count(), 0);
    drop(records);
    // As if it had been killed before it could remove what it had stored; a new job has the old name meanwhile.
    for (path, bytes) in &copy {
        fs::write(path, bytes).unwrap();
    }
    place.sql("DELETE FROM ha_outbox WHERE position < 0");
    let records = ready(place.settings_of("a", "a3"));
    check(&records);
    assert_eq!(records.find("renamed", 1).unwrap().unwrap().version, version, "nothing was written again");
}

fn journals(outbox: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(outbox).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "journal"))
}

fn after_close_every_call_says_closed(place: &Place) {
    let records = place.open("a");
    records.save(ended("a", "job", 1, "SUCCESS"), false).unwrap();
    records.close();
    records.close();
    assert_eq!(records.state().phase, RecordsPhase::Closed);
    assert_eq!(records.save(ended("a", "job", 2, "SUCCESS"), false), Err(Error::Closed));
    assert_eq!(records.delete("job", 2), Err(Error::Closed));
    assert_eq!(records.rename("job", "jobs"), Err(Error::Closed));
    assert_eq!(records.delete_job("job", ""), Err(Error::Closed));
    assert_eq!(records.find("job", 1), Err(Error::Closed));
    assert_eq!(records.query(&BuildQuery::of_job("job", 1)), Err(Error::Closed));
    assert_eq!(records.adopt("job", 1, "a", "a1", 1), Err(Error::Closed));
    let again = place.open("b");
    assert!(again.find("job", 1).unwrap().is_some(), "what waited was stored");
}

fn the_settings_can_be_tried(place: &Place) {
    let found = Records::test(place.settings("a"), LONG).unwrap();
    assert!(found.starts_with("PostgreSQL 1") || found.starts_with("SQLite 3"), "{found}");
    assert!(!found.contains(PASSWORD));
    place.open("a").close();
    Records::test(place.settings("a"), LONG).unwrap();
}

// What only one of them can do.

#[test]
fn a_wrong_password_is_told_without_it() {
    let place = Place::postgres();
    let settings =
        |password: &str| RecordsSettings { password: Some(Secret::new(password)), ..place.settings("a") };
    for password in ["hunter2", ""] {
        let records = Records::open(settings(password)).unwrap();
        until("it is refused", || records.state().phase == RecordsPhase::Refused);
        let text = records.state().text;
        assert!(text.contains("password: set it in Manage Jenkins > System > HA"), "{text}");
        assert!(text.contains("postgresql://127.0.0.1:") && !text.contains("hunter2"), "{text}");
        assert_eq!(Records::test(settings(password), LONG), Err(Error::Refused(text)));
    }
    let none = RecordsSettings { url: Secret::new(place.url.clone() + "_not_there"), ..place.settings("a") };
    let Err(Error::Refused(text)) = Records::test(none, LONG) else { panic!("there is no such database") };
    assert!(text.contains("createdb"), "{text}");
    let strict =
        RecordsSettings { url: Secret::new(place.url.clone() + "?sslmode=require"), ..place.settings("a") };
    let Err(Error::Refused(text)) = Records::test(strict, LONG) else { panic!("it has no TLS") };
    assert!(text.contains("TLS"), "{text}");
}

#[test]
fn tls_is_used_and_the_server_verified_as_the_url_says() {
    let mut server = PostgresServer::start();
    let certificate = server.offer_tls();
    server.restart();
    let folder = folder();
    let url = server.database("ha");
    let settings = |options: &str| RecordsSettings {
        url: Secret::new(format!("{url}?{options}")),
        password: Some(Secret::new(PASSWORD)),
        cluster: "tests".into(),
        controller_id: "a".into(),
        incarnation: "a1".into(),
        outbox: folder.join("outbox"),
    };
    let encrypted = || server.psql("ha").run("SELECT COUNT(*) FROM pg_stat_ssl WHERE ssl")[0] != "0";
    for (options, tls) in [("sslmode=disable", false), ("sslmode=prefer", true), ("sslmode=require", true)] {
        let records = ready(settings(options));
        assert_eq!(encrypted(), tls, "{options}");
        drop(records);
        until("it has left", || !encrypted());
    }
    let Err(Error::Refused(text)) = Records::test(settings("sslmode=verify-full"), LONG) else {
        panic!("nobody knows this certificate")
    };
    assert!(text.contains("sslrootcert"), "{text}");
    let trusted = format!("sslmode=verify-full&sslrootcert={}", certificate.display());
    drop(ready(settings(&trusted)));
    let url = url.replace("127.0.0.1", "localhost");
    let other = RecordsSettings { url: Secret::new(format!("{url}?{trusted}")), ..settings("") };
    assert!(
        matches!(Records::test(other, LONG), Err(Error::Refused(_))),
        "the certificate is for another host"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_database_that_is_not_there_is_waited_for() {
    let folder = folder();
    let settings = RecordsSettings {
        url: Secret::new(format!("postgresql://jenkins@127.0.0.1:{}/ha", support::free_port())),
        password: None,
        cluster: "tests".into(),
        controller_id: "a".into(),
        incarnation: "a1".into(),
        outbox: folder.join("outbox"),
    };
    assert!(matches!(Records::test(settings.clone(), SECOND), Err(Error::Unavailable(_))));
    let records = Records::open(settings).unwrap();
    let began = Instant::now();
    store(&records, ended("a", "job", 1, "SUCCESS"));
    assert!(began.elapsed() < SECOND * 2, "{:?}", began.elapsed());
    until("it is away", || records.state().phase == RecordsPhase::Away);
    assert!(matches!(records.find("job", 1), Err(Error::Unavailable(_))));
    assert_eq!(records.state().waiting, 1);
    drop(records);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn killing_the_database_loses_nothing_and_keeps_the_order() {
    let mut server = PostgresServer::start();
    let folder = folder();
    let url = server.database("ha");
    let settings = RecordsSettings {
        url: Secret::new(&url),
        password: Some(Secret::new(PASSWORD)),
        cluster: "tests".into(),
        controller_id: "a".into(),
        incarnation: "a1".into(),
        outbox: folder.join("outbox"),
    };
    let records = ready(settings);
    let mut away = false;
    for number in 1..=300 {
        records.save(running("a", "job", number), false).unwrap();
        records.save(ended("a", "job", number, "SUCCESS"), false).unwrap();
        records
            .save(
                BuildRow { description: format!("edit {number}"), ..ended("a", "job", number, "SUCCESS") },
                true,
            )
            .unwrap();
        if number % 10 == 0 {
            assert!(records.flush("job", number, LONG).unwrap());
        }
        match number {
            100 => server.kill(),
            150 => {
                until("it is away", || records.state().phase == RecordsPhase::Away);
                away = records.state().waiting > 0;
            }
            200 => server.restart(),
            _ => std::thread::sleep(Duration::from_millis(3)),
        }
    }
    assert!(away);
    assert!(records.await_ready(LONG), "{:?}", records.state());
    until("all is stored", || records.state().waiting == 0);
    assert!(records.flush("job", 300, LONG).unwrap());
    let mut all = 0;
    let mut query = BuildQuery { result: "SUCCESS".into(), ..BuildQuery::of_job("job", 100) };
    loop {
        let page = records.query(&query).unwrap();
        for row in &page.builds {
            assert_eq!(row.description, format!("edit {}", row.number), "the latest state counts");
            all += 1;
        }
        if page.next.is_empty() {
            break;
        }
        query.after = page.next;
    }
    assert_eq!(all, 300);
    for name in ["refused", "late", "doubled", "rejected"] {
        assert_eq!(count(&records, name), 0, "{name}");
    }
    drop(records);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_database_that_hangs_holds_up_neither_builds_nor_reads_for_long() {
    let server = PostgresServer::start();
    let folder = folder();
    let settings = RecordsSettings {
        url: Secret::new(server.database("ha")),
        password: Some(Secret::new(PASSWORD)),
        cluster: "tests".into(),
        controller_id: "a".into(),
        incarnation: "a1".into(),
        outbox: folder.join("outbox"),
    };
    let records = ready(settings);
    store(&records, running("a", "job", 1));
    server.freeze(true);
    let began = Instant::now();
    store(&records, ended("a", "job", 1, "SUCCESS"));
    let kept = began.elapsed();
    assert!(kept < SECOND, "in the outbox after {kept:?}");
    let began = Instant::now();
    assert!(matches!(records.find("job", 1), Err(Error::Unavailable(_))));
    assert!(began.elapsed() < SECOND * 3, "{:?}", began.elapsed());
    server.freeze(false);
    assert!(records.await_ready(LONG));
    until("it is stored", || records.find("job", 1).is_ok_and(|row| row.unwrap().result == "SUCCESS"));
    until("the outbox is empty", || records.state().waiting == 0);
    assert_eq!(count(&records, "late") + count(&records, "refused"), 0);
    drop(records);
    fs::remove_dir_all(folder).unwrap();
}

/// The child of the test below; nothing on its own.
#[test]
fn child_that_saves_until_it_is_killed() {
    let Ok(folder) = std::env::var("HA_JENKINS_TEST_CHILD") else { return };
    let folder = PathBuf::from(folder);
    let settings = RecordsSettings {
        url: Secret::new(format!("postgresql://jenkins@127.0.0.1:{}/ha", support::free_port())),
        password: None,
        cluster: "tests".into(),
        controller_id: "a".into(),
        incarnation: "a1".into(),
        outbox: folder.join("outbox-a"),
    };
    let records = Records::open(settings).unwrap();
    for number in 1.. {
        records.save(ended("a", "job", number, "SUCCESS"), false).unwrap();
        if records.flush("job", number, LONG).unwrap() {
            fs::write(folder.join("flushed"), number.to_string()).unwrap();
            fs::rename(folder.join("flushed"), folder.join("promised")).unwrap();
        }
    }
}

#[test]
fn what_was_flushed_survives_a_kill_of_the_process() {
    let place = Place::sqlite();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_that_saves_until_it_is_killed", "--exact"])
        .env("HA_JENKINS_TEST_CHILD", &place.folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let promised = || -> i32 {
        let text = fs::read_to_string(place.folder.join("promised")).unwrap_or_default();
        text.parse().unwrap_or_default()
    };
    until("the child keeps builds", || promised() >= 100);
    child.kill().unwrap();
    child.wait().unwrap();
    let promised = promised();
    let records = ready(place.settings_of("a", "a2"));
    until("the outbox is empty", || records.state().waiting == 0);
    let found = pages(&records, BuildQuery::of_job("job", 1000));
    assert!(found.len() >= usize::try_from(promised).unwrap(), "{} of {promised}", found.len());
    let highest = records.highest("job").unwrap();
    assert_eq!(found.len(), usize::try_from(highest).unwrap(), "none is missing, none is doubled");
    println!("figure: {promised} builds kept by a process that was killed, {} found", found.len());
}

#[test]
fn a_sqlite_file_that_is_moved_away_is_made_anew() {
    let place = Place::sqlite();
    let records = place.open("a");
    store(&records, ended("a", "job", 1, "SUCCESS"));
    for name in ["builds.db", "builds.db-wal", "builds.db-shm"] {
        let _ = fs::rename(place.folder.join(name), place.folder.join(format!("old-{name}")));
    }
    until("it is made anew", || {
        place.folder.join("builds.db").exists() && records.find("job", 1).is_ok_and(|row| row.is_none())
    });
    store(&records, ended("a", "job", 2, "SUCCESS"));
    assert_eq!(numbers_of(&records, &BuildQuery::of_job("job", 10)), [2]);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_with_a_sentence() {
    let place = Place::sqlite();
    fs::write(place.folder.join("file"), "").unwrap();
    let settings = RecordsSettings { outbox: place.folder.join("file"), ..place.settings("a") };
    assert!(matches!(Records::open(settings), Err(Error::Refused(_))));
    let first = place.open("a");
    let Err(Error::Refused(text)) = Records::open(place.settings("a")) else { panic!("it is in use") };
    assert!(text.contains("another process"), "{text}");
    drop(first);
    let url = format!("sqlite:{}/file/builds.db", place.folder.display());
    let records = Records::open(RecordsSettings { url: Secret::new(url), ..place.settings("a") }).unwrap();
    until("it is refused", || records.state().phase == RecordsPhase::Refused);
    assert!(records.state().text.contains("cannot be kept"), "{}", records.state().text);
}
