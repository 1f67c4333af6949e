//! The history of configurations: each form once, whoever tells of it, and no more of them than are wanted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use ha_jenkins::{ConfigForm, FormKind, Records};
use support::records::*;
use support::until;

on_both! {
    a_form_comes_back_as_it_was_with_who_made_it_when_and_where
    of_many_forms_the_newest_are_kept_and_the_one_in_force
    a_new_name_takes_the_history_along_and_that_of_what_is_below
    what_is_deleted_is_still_known_and_what_is_made_anew_has_a_history_of_its_own
    a_late_deletion_takes_only_what_was_before_the_new_one
    a_form_that_many_find_is_stored_once
    a_form_that_was_found_gets_its_author_when_he_speaks
    an_older_form_that_comes_back_by_hand_is_a_form_of_its_own
    what_somebody_saw_before_it_was_changed_again_is_not_taken_for_the_newest
    what_is_saved_while_a_thing_is_made_belongs_to_its_making
    a_refused_form_is_kept_and_never_taken_for_the_one_in_force
    old_forms_are_forgotten_but_not_the_one_in_force
    what_is_told_while_the_database_is_away_is_stored_once_with_the_time_it_was_told
}

const MOST: u32 = 50;

fn form(controller: &str, subject: &str, kind: FormKind, base: &str, text: &str) -> ConfigForm {
    ConfigForm {
        subject: subject.into(),
        kind,
        author: if kind == FormKind::Found { String::new() } else { format!("user of {controller}") },
        controller_id: controller.into(),
        controller_name: controller.to_uppercase(),
        base: if base.is_empty() { String::new() } else { digest(base) },
        text: if text.is_empty() { None } else { Some(text.as_bytes().to_vec()) },
        ..ConfigForm::default()
    }
}

/// By this machine's clock.
fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn told(records: &Records, form: ConfigForm) {
    told_of(records, form, MOST);
}

/// Stores it, and what was told before it.
fn told_of(records: &Records, form: ConfigForm, most: u32) {
    records.record_form(form, most).unwrap();
    settled(records);
}

/// Waits until all that was told is stored.
fn settled(records: &Records) {
    use std::sync::atomic::{AtomicI32, Ordering};
    static NUMBER: AtomicI32 = AtomicI32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    store(records, ended("probe", &format!("probe-{number}"), number, "SUCCESS"));
}

fn moved(controller: &str, from: &str, to: &str) -> ConfigForm {
    ConfigForm { note: from.into(), ..form(controller, to, FormKind::Moved, "", "") }
}

fn shown(records: &Records, subject: &str) -> Vec<String> {
    records
        .forms(subject, 100)
        .unwrap()
        .into_iter()
        .map(|form| {
            let text = records.form(form.id).unwrap().unwrap().text.unwrap_or_default();
            format!("{:?} {} {}", form.kind, form.controller_id, String::from_utf8(text).unwrap())
        })
        .collect()
}

fn a_form_comes_back_as_it_was_with_who_made_it_when_and_where(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    let before = now_ms();
    let text = "<project>ä \u{1f600}</project>\n".repeat(2000);
    told(&a, form("a", "team/service ä", FormKind::Created, "", "<project/>"));
    told(
        &a,
        ConfigForm {
            note: "more".into(),
            ..form("a", "team/service ä", FormKind::Changed, "<project/>", &text)
        },
    );
    let found = b.forms("team/service ä", 100).unwrap();
    assert_eq!(found.len(), 2);
    let newest = &found[0];
    assert_eq!(
        (newest.kind, newest.author.as_str(), newest.controller_name.as_str()),
        (FormKind::Changed, "user of a", "A")
    );
    assert_eq!(
        (newest.note.as_str(), &newest.base, &newest.digest),
        ("more", &digest("<project/>"), &digest(&text))
    );
    assert!((newest.made_ms - before).abs() < 60_000, "{} {before}", newest.made_ms);
    assert_eq!(newest.text, None);
    assert_eq!(b.form(newest.id).unwrap().unwrap().text.unwrap(), text.as_bytes());
    assert_eq!(b.forms("team", 100).unwrap(), []);
    assert_eq!(b.forms("team/service ä", 1).unwrap().len(), 1);
    assert_eq!(b.newest_forms().unwrap(), [("team/service ä".to_owned(), digest(&text))]);
    assert_eq!(b.form(newest.id + 1000).unwrap(), None);
}

fn of_many_forms_the_newest_are_kept_and_the_one_in_force(place: &Place) {
    let a = place.open("a");
    for number in 1..=9 {
        told_of(
            &a,
            form("a", "job", FormKind::Changed, &format!("f{}", number - 1), &format!("f{number}")),
            3,
        );
    }
    assert_eq!(shown(&a, "job"), ["Changed a f9", "Changed a f8", "Changed a f7"]);
    for number in 1..=5 {
        told_of(&a, form("a", "job", FormKind::Refused, "f9", &format!("r{number}")), 3);
    }
    assert_eq!(shown(&a, "job"), ["Refused a r5", "Refused a r4", "Refused a r3", "Changed a f9"]);
}

fn a_new_name_takes_the_history_along_and_that_of_what_is_below(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "old", FormKind::Created, "", "folder"));
    told(&a, form("a", "old/job", FormKind::Created, "", "job"));
    told(&a, form("a", "older", FormKind::Created, "", "another"));
    // Somebody quicker has used the new name already.
    told(&b, form("b", "new/job", FormKind::Changed, "job", "job 2"));
    told(&a, moved("a", "old", "new"));
    assert_eq!(shown(&a, "new"), ["Moved a ", "Created a folder"]);
    assert_eq!(shown(&a, "new/job"), ["Changed b job 2", "Created a job"]);
    assert_eq!(shown(&a, "older"), ["Created a another"]);
    assert!(a.forms("old", 10).unwrap().is_empty() && a.forms("old/job", 10).unwrap().is_empty());
    assert_eq!(a.forms("new", 10).unwrap()[0].note, "old");
}

fn what_is_deleted_is_still_known_and_what_is_made_anew_has_a_history_of_its_own(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&a, form("a", "job", FormKind::Deleted, "one", "one"));
    assert!(a.forms("job", 10).unwrap().is_empty());
    told(&b, form("b", "job", FormKind::Created, "", "two"));
    assert_eq!(shown(&a, "job"), ["Created b two"]);
    let gone = b.deleted_forms(10).unwrap();
    assert_eq!(
        gone.iter().map(|form| (form.subject.as_str(), form.author.as_str())).collect::<Vec<_>>(),
        [("job", "user of a")]
    );
    assert_eq!(b.form(gone[0].id).unwrap().unwrap().text.unwrap(), b"one");
    // Whoever only finds that it is gone says nothing new, nor anything of the new one.
    told(&b, ConfigForm { author: String::new(), ..form("b", "job", FormKind::Deleted, "one", "one") });
    told(&b, ConfigForm { author: String::new(), ..form("b", "never", FormKind::Deleted, "one", "one") });
    assert_eq!(shown(&a, "job"), ["Created b two"]);
    assert_eq!(b.deleted_forms(10).unwrap().len(), 1);
    told(&b, ConfigForm { author: String::new(), ..form("b", "job", FormKind::Deleted, "two", "two") });
    assert_eq!(b.deleted_forms(10).unwrap().len(), 2);
}

fn a_late_deletion_takes_only_what_was_before_the_new_one(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&b, form("b", "job", FormKind::Created, "", "two"));
    place.sql("UPDATE ha_form SET made = made + 5000 WHERE controller_id = 'b'");
    told(&a, form("a", "job", FormKind::Deleted, "one", "one"));
    assert_eq!(shown(&a, "job"), ["Created b two"]);
    assert_eq!(a.deleted_forms(10).unwrap().len(), 1);
    assert_eq!(place.number("SELECT COUNT(*) FROM ha_form"), 3);
}

fn a_form_that_many_find_is_stored_once(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&a, form("a", "job", FormKind::Changed, "one", "two"));
    // One is late: what he finds is what a wrote.
    told(&b, form("b", "job", FormKind::Found, "one", "two"));
    assert_eq!(shown(&a, "job"), ["Changed a two", "Created a one"]);
    told(&a, form("a", "job", FormKind::Found, "two", "by hand"));
    told(&b, form("b", "job", FormKind::Found, "two", "by hand"));
    told(&b, form("b", "job", FormKind::Found, "unknown", "by hand"));
    assert_eq!(shown(&a, "job"), ["Found a by hand", "Changed a two", "Created a one"]);
}

fn a_form_that_was_found_gets_its_author_when_he_speaks(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&b, form("b", "job", FormKind::Found, "one", "two"));
    told(&b, form("b", "job", FormKind::Changed, "two", "three"));
    told(&a, form("a", "job", FormKind::Changed, "one", "two"));
    assert_eq!(place.number("SELECT COUNT(*) FROM ha_form"), 3);
    let forms = a.forms("job", 10).unwrap();
    assert!(forms.iter().all(|form| form.kind != FormKind::Found), "{forms:?}");
    let two = forms.iter().find(|form| form.digest == digest("two")).unwrap();
    assert_eq!((two.controller_id.as_str(), two.author.as_str()), ("a", "user of a"));
}

fn an_older_form_that_comes_back_by_hand_is_a_form_of_its_own(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&a, form("a", "job", FormKind::Changed, "one", "two"));
    told(&b, form("b", "job", FormKind::Found, "two", "one"));
    told(&a, form("a", "job", FormKind::Found, "two", "one"));
    assert_eq!(shown(&a, "job"), ["Found b one", "Changed a two", "Created a one"]);
    told(&a, form("a", "job", FormKind::Changed, "one", "two"));
    assert_eq!(shown(&a, "job")[0], "Changed a two");
    assert_eq!(shown(&a, "job").len(), 4);
}

fn what_somebody_saw_before_it_was_changed_again_is_not_taken_for_the_newest(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&a, form("a", "job", FormKind::Changed, "one", "two"));
    told(&a, form("a", "job", FormKind::Changed, "two", "one"));
    // B looked while it was "two", and says so late.
    place.sql("UPDATE ha_form SET made = made + 60000 WHERE id = (SELECT MAX(id) FROM ha_form)");
    told(&b, form("b", "job", FormKind::Found, "one", "two"));
    assert_eq!(shown(&a, "job"), ["Changed a one", "Changed a two", "Created a one"]);
}

fn what_is_saved_while_a_thing_is_made_belongs_to_its_making(place: &Place) {
    let a = place.open("a");
    told(&a, form("a", "job", FormKind::Changed, "", "blank"));
    told(&a, form("a", "job", FormKind::Created, "blank", "whole"));
    told(&a, form("a", "job", FormKind::Created, "", "whole"));
    told(&a, form("a", "job", FormKind::Changed, "whole", "more"));
    assert_eq!(shown(&a, "job"), ["Changed a more", "Created a whole"]);
}

fn a_refused_form_is_kept_and_never_taken_for_the_one_in_force(place: &Place) {
    let (a, b) = (place.open("a"), place.open("b"));
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&b, form("b", "job", FormKind::Refused, "one", "mine"));
    told(&b, form("b", "job", FormKind::Refused, "one", "mine"));
    assert_eq!(shown(&a, "job"), ["Refused b mine", "Created a one"]);
    assert_eq!(a.newest_forms().unwrap(), [("job".to_owned(), digest("one"))]);
    // Made again, it is taken.
    told(&b, form("b", "job", FormKind::Changed, "one", "mine"));
    assert_eq!(shown(&a, "job"), ["Changed b mine", "Refused b mine", "Created a one"]);
}

fn old_forms_are_forgotten_but_not_the_one_in_force(place: &Place) {
    let a = place.open("a");
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    told(&a, form("a", "job", FormKind::Changed, "one", "two"));
    told(&a, form("a", "gone", FormKind::Created, "", "one"));
    told(&a, form("a", "gone", FormKind::Deleted, "one", "one"));
    place.sql("UPDATE ha_form SET made = made - 864000000; UPDATE ha_configured SET gone = gone - 864000000 WHERE gone > 0");
    told(&a, form("a", "new", FormKind::Created, "", "one"));
    a.forget_forms(11).unwrap();
    settled(&a);
    assert_eq!(place.number("SELECT COUNT(*) FROM ha_form"), 5);
    a.forget_forms(9).unwrap();
    settled(&a);
    assert_eq!(shown(&a, "job"), ["Changed a two"]);
    assert_eq!(shown(&a, "new"), ["Created a one"]);
    assert!(a.deleted_forms(10).unwrap().is_empty());
    assert_eq!(place.number("SELECT COUNT(*) FROM ha_configured"), 2);
}

fn what_is_told_while_the_database_is_away_is_stored_once_with_the_time_it_was_told(place: &Place) {
    let a = place.open("a");
    told(&a, form("a", "job", FormKind::Created, "", "one"));
    place.sql("INSERT INTO ha_schema (version, applied) VALUES (99, 1)");
    a.close();
    // A schema of the future: it is refused, and what is told waits.
    let a = Records::open(place.settings_of("a", "a2")).unwrap();
    until("it is refused", || a.state().phase == ha_jenkins::RecordsPhase::Refused);
    a.record_form(form("a", "job", FormKind::Changed, "one", "two"), MOST).unwrap();
    a.record_form(form("a", "job", FormKind::Changed, "two", "three"), MOST).unwrap();
    until("it waits on the disk", || a.state().waiting == 2);
    assert!(matches!(a.forms("job", 10), Err(ha_jenkins::Error::Refused(_))));
    let between = now_ms();
    a.close();
    until("a second is over", || now_ms() > between + 1000);
    place.sql("DELETE FROM ha_schema WHERE version = 99");
    let a = ready(place.settings_of("a", "a3"));
    until("both are stored", || a.forms("job", 10).unwrap().len() == 3);
    assert_eq!(shown(&a, "job"), ["Changed a three", "Changed a two", "Created a one"]);
    assert!(a.forms("job", 10).unwrap()[0].made_ms < between + 900);
}
