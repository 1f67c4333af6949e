//! Jobs in the build records: deleted, made anew, renamed, however many builds they have.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use ha_jenkins::{BuildQuery, BuildRow, BuildState};
use support::records::*;
use support::until;

on_both! {
    a_deleted_job_is_gone_with_those_below_it_and_no_other
    a_job_made_anew_under_an_old_name_has_records_from_its_first_build_on
    a_late_write_of_a_build_that_went_with_its_job_is_not_about_the_new_job
    builds_of_a_restored_job_are_taken_over_again
    a_deletion_that_many_bring_is_made_once_and_meets_no_later_job
    a_job_of_many_builds_is_deleted_at_once_and_buried_in_parts
    a_few_late_builds_do_not_move_the_many_of_a_renamed_job
    a_change_that_is_never_taken_is_set_aside_and_told
    what_cannot_be_read_is_told_in_a_field_of_its_own
    what_an_older_version_wrote_is_kept_as_it_was_meant
}

fn all() -> BuildQuery {
    BuildQuery { limit: 1000, ..BuildQuery::default() }
}

fn a_deleted_job_is_gone_with_those_below_it_and_no_other(place: &Place) {
    let records = place.open("a");
    for job in ["dir/one", "dir/two", "dirty"] {
        store(&records, BuildRow { users: vec!["ada".into()], ..ended("a", job, 5, "SUCCESS") });
    }
    records.delete_job("dir", "").unwrap();
    store(&records, ended("a", "dirty", 6, "SUCCESS"));
    assert_eq!(numbers(&records, &all()), [("dirty".to_owned(), 6), ("dirty".to_owned(), 5)]);
    assert_eq!(records.highest("dir/one").unwrap(), 0);
    assert_eq!(records.find("dir/two", 5).unwrap(), None);
    until("they are marked", || live_rows(place) == 2);
}

fn a_job_made_anew_under_an_old_name_has_records_from_its_first_build_on(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    for number in 1..=3 {
        store(&a, ended("a", "job", number, "SUCCESS"));
    }
    a.delete("job", 3).unwrap();
    a.delete_job("job", "first").unwrap();
    for (number, result) in [(1, "FAILURE"), (2, "UNSTABLE"), (3, "ABORTED")] {
        let mut row = ended("b", "job", number, result);
        row.queue_id += 7;
        until("the deletion was made", || a.highest("job").unwrap() < 3);
        store(&b, BuildRow { state: BuildState::Running, result: String::new(), ..row.clone() });
        store(&b, row);
        assert_eq!(a.find("job", number).unwrap().unwrap().result, result);
    }
    assert_eq!(numbers_of(&a, &BuildQuery::of_job("job", 10)), [3, 2, 1]);
    assert_eq!((count(&b, "late"), count(&b, "refused")), (0, 0));
    // And so again.
    a.delete_job("job", "second").unwrap();
    let mut row = ended("a", "job", 1, "SUCCESS");
    row.queue_id += 14;
    store(&a, row);
    assert_eq!(numbers(&a, &all()), [("job".to_owned(), 1)]);
}

fn a_late_write_of_a_build_that_went_with_its_job_is_not_about_the_new_job(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&b, running("b", "job", 4));
    a.delete_job("job", "id").unwrap();
    until("it is deleted", || a.find("job", 4).unwrap().is_none());
    store(&b, ended("b", "job", 4, "SUCCESS"));
    assert_eq!(a.find("job", 4).unwrap(), None);
    assert_eq!(count(&b, "late"), 1);
    let mut new = running("a", "job", 4);
    new.queue_id += 1;
    store(&a, new);
    assert_eq!(a.find("job", 4).unwrap().unwrap().controller_id, "a");
}

fn builds_of_a_restored_job_are_taken_over_again(place: &Place) {
    let records = place.open("a");
    store(&records, ended("a", "job", 1, "SUCCESS"));
    records.delete_job("job", "id").unwrap();
    save(&records, BuildRow { queue_id: 0, ..ended("a", "job", 1, "SUCCESS") }, true);
    assert_eq!(records.find("job", 1).unwrap().unwrap().state, BuildState::Ended);
}

fn a_deletion_that_many_bring_is_made_once_and_meets_no_later_job(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    store(&a, ended("a", "job", 1, "SUCCESS"));
    b.delete_job("job", "id").unwrap();
    let new =
        |number: i32| BuildRow { queue_id: 1000 + i64::from(number), ..ended("b", "job", number, "FAILURE") };
    store(&b, new(1));
    // Who deleted it could not say so until now.
    a.delete_job("job", "id").unwrap();
    b.delete_job("job", "id").unwrap();
    store(&a, ended("a", "other", 1, "SUCCESS"));
    store(&b, new(2));
    assert_eq!(numbers_of(&a, &BuildQuery::of_job("job", 10)), [2, 1]);
    assert_eq!(a.find("job", 1).unwrap().unwrap().result, "FAILURE");
}

fn live_rows(place: &Place) -> i64 {
    place.number("SELECT COUNT(*) FROM ha_build WHERE state <> 2")
}

/// Rows that nobody saved one by one.
fn fill(place: &Place, job: &str, builds: i32) {
    let numbers = match place.server {
        Some(_) => format!("SELECT n FROM generate_series(2, {builds}) AS n"),
        None => format!(
            "SELECT n FROM (WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < {builds}) SELECT n FROM c)"
        ),
    };
    place.sql(&format!(
        "INSERT INTO ha_build (job_id, number, cluster_id, state, version, queue_id, controller_id, controller_name, \
         incarnation, epoch, result, started, duration, display_name, description, keep, agent, causes, cause_search, users, \
         parameters, commits) \
         SELECT b.job_id, m.n, b.cluster_id, 1, 1, 0, '', '', '', 0, 'SUCCESS', b.started + m.n, 1, '', '', 0, '', '[]', '', \
         '[]', '[]', '[]' FROM ha_build b JOIN ha_job j ON j.id = b.job_id, ({numbers}) AS m \
         WHERE j.full_name = '{job}' AND b.number = 1;"
    ));
    place.sql("ANALYZE");
}

fn a_job_of_many_builds_is_deleted_at_once_and_buried_in_parts(place: &Place) {
    let records = place.open("a");
    store(&records, ended("a", "huge", 1, "SUCCESS"));
    fill(place, "huge", 3500);
    records.delete_job("huge", "id").unwrap();
    store(&records, BuildRow { queue_id: 5, ..ended("a", "huge", 1, "FAILURE") });
    // Whether they are marked or not yet, nobody sees them.
    assert_eq!(numbers(&records, &all()), [("huge".to_owned(), 1)]);
    assert_eq!(records.highest("huge").unwrap(), 1);
    until("all are marked", || live_rows(place) == 1);
}

fn a_few_late_builds_do_not_move_the_many_of_a_renamed_job(place: &Place) {
    let records = place.open("a");
    store(&records, ended("a", "huge", 1, "SUCCESS"));
    fill(place, "huge", 2500);
    let before = place.number("SELECT id FROM ha_job WHERE full_name = 'huge'");
    store(&records, ended("a", "named", 2501, "FAILURE"));
    store(&records, ended("a", "named", 7, "UNSTABLE"));
    records.rename("huge", "named").unwrap();
    store(&records, ended("a", "named", 2502, "SUCCESS"));
    assert_eq!(records.numbers("named").unwrap().len(), 2502);
    assert_eq!(records.find("named", 7).unwrap().unwrap().result, "UNSTABLE", "what the new name had counts");
    assert_eq!(place.number("SELECT id FROM ha_job WHERE full_name = 'named'"), before);
}

fn a_change_that_is_never_taken_is_set_aside_and_told(place: &Place) {
    let records = place.open("a");
    store(&records, ended("a", "job", 1, "SUCCESS"));
    place.sql(match place.server {
        Some(_) => {
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$; \
             CREATE TRIGGER no BEFORE INSERT ON ha_build FOR EACH ROW WHEN (NEW.number = 13) EXECUTE FUNCTION no()"
        }
        None => {
            "CREATE TRIGGER no BEFORE INSERT ON ha_build WHEN NEW.number = 13 BEGIN SELECT json('never'); END"
        }
    });
    for number in [12, 13, 14] {
        records.save(ended("a", "job", number, "SUCCESS"), false).unwrap();
    }
    until("what is behind it is stored", || records.find("job", 14).is_ok_and(|row| row.is_some()));
    assert_eq!(numbers_of(&records, &BuildQuery::of_job("job", 10)), [14, 12, 1]);
    assert_eq!(count(&records, "rejected"), 1);
    let warning = records.state().warning;
    assert!(warning.contains("does not take 1 ") && warning.contains("rejected.journal"), "{warning}");
}

fn what_cannot_be_read_is_told_in_a_field_of_its_own(place: &Place) {
    let records = place.open("a");
    let own = "[unreadable] is what I call this one\nUnreadable: yes";
    let row = |damage: &str| BuildRow {
        damage: damage.into(),
        description: own.into(),
        ..ended("a", "job", 1, "SUCCESS")
    };
    store(&records, row("its file is no XML"));
    let found = records.find("job", 1).unwrap().unwrap();
    assert_eq!((found.damage.as_str(), found.description.as_str()), ("its file is no XML", own));
    save(&records, row(""), true);
    let found = records.find("job", 1).unwrap().unwrap();
    assert_eq!((found.damage.as_str(), found.description.as_str()), ("", own));
}

fn what_an_older_version_wrote_is_kept_as_it_was_meant(place: &Place) {
    let records = place.open("a");
    for (job, number) in [("gone", 1), ("there", 1), ("there", 2), ("there", 3)] {
        store(&records, BuildRow { queue_id: 0, ..ended("a", job, number, "SUCCESS") });
    }
    records.delete("gone", 1).unwrap();
    records.delete("there", 3).unwrap();
    records.close();
    place.sql(
        "DELETE FROM ha_schema WHERE version >= 2; DROP TABLE ha_form; DROP TABLE ha_configured; DROP INDEX ha_build_deleted; DROP TABLE ha_deletion; DROP TABLE ha_grave; \
         ALTER TABLE ha_build DROP COLUMN damage; \
         UPDATE ha_build SET description = 'Unreadable: no XML', controller_id = '', started = 0 WHERE number = 1; \
         UPDATE ha_build SET description = 'Unreadable: to whom?' WHERE number = 2",
    );
    let records = place.open("a");
    let told = |number: i32| {
        let row = records.find("there", number).unwrap().unwrap();
        (row.damage, row.description)
    };
    assert_eq!(told(1), ("no XML".into(), String::new()));
    assert_eq!(told(2), (String::new(), "Unreadable: to whom?".into()));
    assert_eq!(records.find("there", 3).unwrap().unwrap().state, BuildState::Deleted);
    // Nothing stands in the way of a job with the name of the one that is gone.
    save(&records, BuildRow { queue_id: 0, ..ended("a", "gone", 1, "FAILURE") }, true);
    assert_eq!(records.find("gone", 1).unwrap().unwrap().result, "FAILURE");
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let place = Place::postgres();
    let (server, _) = place.server.as_ref().unwrap();
    server.psql("postgres").run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    let mut settings = place.settings("a");
    settings.url = ha_jenkins::Secret::new(server.url("latin"));
    let Err(ha_jenkins::Error::Refused(text)) = ha_jenkins::Records::test(settings.clone(), LONG) else {
        panic!("it is not UTF-8")
    };
    assert!(text.contains("LATIN1") && text.contains("createdb --encoding UTF8"), "{text}");
    let records = ha_jenkins::Records::open(settings).unwrap();
    until("it is refused", || records.state().phase == ha_jenkins::RecordsPhase::Refused);
    assert_eq!(records.state().text, text);
    records.close();
    server.psql("postgres").run("DROP DATABASE latin");
}

#[test]
fn a_remote_database_without_tls_is_warned_of_and_one_beside_is_not() {
    let place = Place::postgres();
    let with = |url: &str| {
        let mut settings = place.settings("a");
        settings.url = ha_jenkins::Secret::new(url);
        settings
    };
    let found = ha_jenkins::Records::test(with(&place.url), LONG).unwrap();
    assert!(!found.contains("sslmode"), "{found}");
    for (url, warned) in [
        ("postgresql://me@db.example/ha", true),
        ("postgresql://me@db.example/ha?sslmode=prefer", true),
        ("postgresql://me@db.example/ha?sslmode=verify-full", false),
        ("postgresql://me@[::1]/ha", false),
        ("postgresql://me@localhost/ha", false),
        ("postgresql://me@localhost,10.0.0.7/ha", true),
    ] {
        let records = ha_jenkins::Records::open(with(url)).unwrap();
        assert_eq!(records.state().warning.contains("sslmode=verify-full"), warned, "{url}");
        records.close();
    }
}
