//! The history of configurations in the database: what is written of each change, and how it is read.
//!
//! Several controllers may tell of the same form: the one that made it, and those that only find it. It is stored once, under
//! who made it, in whatever order they come.

use super::changes::Outcome;
use super::form::{ConfigForm, FormKind};
use super::packed::Packed;
use super::store::{Fault, Fields, Session, Statement, Value};
use crate::node::clock_ms;

const COLUMNS: &str = "f.id, b.name, f.kind, f.made, f.author, f.controller_id, f.controller_name, f.note, f.base, f.digest, f.seal";
const COLUMN_COUNT: usize = 11;
/// What one saves of a thing while he makes it belongs to its making, for so long, ms.
const MAKING_MS: i64 = 60_000;
/// So many old forms are forgotten in one transaction.
const CHUNK: i64 = 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Stores an entry. `noted` is when it was noted, by this machine's clock: only how long ago that is counts. Of one
/// configuration the newest `most` entries stay, and the one in force.
pub(super) fn record(
    session: &mut dyn Session,
    cluster: i64,
    form: &ConfigForm,
    text: Option<&Packed>,
    noted: i64,
    most: u32,
) -> Result<Outcome, Fault> {
    let made = now(session)? - (clock_ms() - noted).max(0);
    let digest = text.map(|text| hex(&text.sha256)).unwrap_or_default();
    if form.kind == FormKind::Moved {
        rename(session, cluster, &form.note, &form.subject)?;
    }
    let Some(id) = subject(session, cluster, form)? else { return Ok(Outcome::Nothing) };
    let entries = Entries::read(session, id)?;
    let (looked, made) = (made, made.max(entries.not_before(form)));
    let entry = Entry { form, text, made, digest: &digest };
    match form.kind {
        FormKind::Found if entries.has(&form.base, &digest, looked) => return Ok(Outcome::Nothing),
        FormKind::Refused if entries.last_refused(&digest) => return Ok(Outcome::Nothing),
        FormKind::Changed | FormKind::Created => {
            if let Some(found) = entries.found_before(&form.base, &digest, looked) {
                entry.explain(session, found)?;
                return Ok(Outcome::Stored);
            }
            if entries.newest().is_some_and(|newest| newest.digest == digest && form.kind == newest.kind) {
                return Ok(Outcome::Nothing);
            }
            if form.kind == FormKind::Created {
                forget_making(session, id, form, made)?;
            }
        }
        FormKind::Deleted => return delete(session, cluster, id, &entries, &entry),
        FormKind::Found | FormKind::Moved | FormKind::Refused => {}
    }
    entry.insert(session, id)?;
    bound(session, id, most)?;
    Ok(Outcome::Stored)
}

/// The history of one configuration without bytes, newest first.
pub(super) fn history(
    session: &mut dyn Session,
    cluster: i64,
    subject: &str,
    limit: usize,
) -> Result<Vec<ConfigForm>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ha_form f JOIN ha_configured b ON b.id = f.configured_id \
         WHERE b.cluster_id = ?1 AND b.name = ?2 AND b.gone = 0 ORDER BY f.made DESC, f.id DESC LIMIT {limit}"
    );
    Ok(session.rows(&sql, &[cluster.into(), subject.into()])?.iter().map(form_of).collect())
}

/// One entry with its bytes, of whatever is there or was deleted.
pub(super) fn find(session: &mut dyn Session, cluster: i64, id: i64) -> Result<Option<ConfigForm>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS}, f.content, f.size FROM ha_form f JOIN ha_configured b ON b.id = f.configured_id \
         WHERE b.cluster_id = ?1 AND f.id = ?2"
    );
    let rows = session.rows(&sql, &[cluster.into(), id.into()])?;
    let Some(fields) = rows.first() else { return Ok(None) };
    let mut form = form_of(fields);
    if let Some(content) = fields.bytes(COLUMN_COUNT).filter(|content| !content.is_empty()) {
        let size = usize::try_from(fields.int(COLUMN_COUNT + 1)).unwrap_or(usize::MAX);
        match Packed::unpack(content, size, &unhex(&form.digest)) {
            Ok(text) => form.text = Some(text),
            Err(reason) => {
                return Err(Fault::Invalid(crate::Error::Unavailable(format!(
                    "form {id} of {} is damaged in the database: {reason}",
                    form.subject
                ))));
            }
        }
    }
    Ok(Some(form))
}

/// What was deleted, newest first: the entries that say so, without bytes.
pub(super) fn deleted(
    session: &mut dyn Session,
    cluster: i64,
    limit: usize,
) -> Result<Vec<ConfigForm>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ha_configured b JOIN ha_form f ON f.configured_id = b.id \
         WHERE b.cluster_id = ?1 AND b.gone > 0 AND f.kind = {} ORDER BY b.gone DESC, f.id DESC LIMIT {limit}",
        FormKind::Deleted.code()
    );
    Ok(session.rows(&sql, &[cluster.into()])?.iter().map(form_of).collect())
}

/// Of everything that is there, its name and the digest of the newest form that was in force.
pub(super) fn newest(session: &mut dyn Session, cluster: i64) -> Result<Vec<(String, String)>, Fault> {
    let sql = format!(
        "SELECT b.name, (SELECT f.digest FROM ha_form f WHERE f.configured_id = b.id AND f.kind <> {} AND f.digest <> '' \
         ORDER BY f.made DESC, f.id DESC LIMIT 1) FROM ha_configured b WHERE b.cluster_id = ?1 AND b.gone = 0",
        FormKind::Refused.code()
    );
    let rows = session.rows(&sql, &[cluster.into()])?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

/// Forgets some entries that are older than so many days: all of what was deleted longer ago, and of the rest those that were
/// followed by another.
pub(super) fn forget(session: &mut dyn Session, cluster: i64, days: u32) -> Result<Outcome, Fault> {
    let before = now(session)? - i64::from(days) * DAY_MS;
    let values = || vec![Value::Int(cluster), before.into()];
    let refused = FormKind::Refused.code();
    session.run(vec![
        Statement::new(
            format!(
                "DELETE FROM ha_form WHERE id IN (SELECT f.id FROM ha_form f JOIN ha_configured b ON b.id = f.configured_id \
                 WHERE b.cluster_id = ?1 AND f.made < ?2 AND ((b.gone > 0 AND b.gone < ?2) OR EXISTS (SELECT 1 FROM ha_form n \
                 WHERE n.configured_id = f.configured_id AND n.kind <> {refused} AND n.digest <> '' \
                 AND (n.made > f.made OR (n.made = f.made AND n.id > f.id)))) LIMIT {CHUNK})"
            ),
            values(),
        ),
        Statement::new(
            "DELETE FROM ha_configured WHERE cluster_id = ?1 AND gone > 0 AND gone < ?2 \
             AND NOT EXISTS (SELECT 1 FROM ha_form f WHERE f.configured_id = ha_configured.id)",
            values(),
        ),
    ])?;
    Ok(Outcome::Stored)
}

/// An entry on its way in.
struct Entry<'a> {
    form: &'a ConfigForm,
    text: Option<&'a Packed>,
    made: i64,
    digest: &'a str,
}

impl Entry<'_> {
    fn insert(&self, session: &mut dyn Session, id: i64) -> Result<(), Fault> {
        let form = self.form;
        session.run(vec![Statement::new(
            "INSERT INTO ha_form (configured_id, made, kind, author, controller_id, controller_name, note, base, digest, \
             content, size, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            vec![
                id.into(),
                self.made.into(),
                form.kind.code().into(),
                (&form.author).into(),
                (&form.controller_id).into(),
                (&form.controller_name).into(),
                (&form.note).into(),
                (&form.base).into(),
                self.digest.into(),
                Value::Bytes(self.text.map(|text| text.content.clone()).unwrap_or_default()),
                self.text.map_or(0, |text| i64::try_from(text.size).unwrap_or(i64::MAX)).into(),
                (&form.seal).into(),
            ],
        )])
    }

    /// Another controller found this form before its author could say that it is his.
    fn explain(&self, session: &mut dyn Session, found: i64) -> Result<(), Fault> {
        let form = self.form;
        session.run(vec![Statement::new(
            "UPDATE ha_form SET made = ?2, kind = ?3, author = ?4, controller_id = ?5, controller_name = ?6, note = ?7, \
             base = ?8 WHERE id = ?1",
            vec![
                found.into(),
                self.made.into(),
                form.kind.code().into(),
                (&form.author).into(),
                (&form.controller_id).into(),
                (&form.controller_name).into(),
                (&form.note).into(),
                (&form.base).into(),
            ],
        )])
    }
}

/// What is known of an entry that is stored.
struct Stored {
    id: i64,
    controller_id: String,
    kind: FormKind,
    digest: String,
    made: i64,
}

/// The stored entries of one configuration, oldest first.
struct Entries(Vec<Stored>);

impl Entries {
    fn read(session: &mut dyn Session, id: i64) -> Result<Self, Fault> {
        let rows = session.rows(
            "SELECT id, kind, digest, made, controller_id FROM ha_form WHERE configured_id = ?1 ORDER BY made, id",
            &[id.into()],
        )?;
        Ok(Self(
            rows.iter()
                .map(|row| Stored {
                    id: row.int(0),
                    kind: FormKind::of_code(row.int(1)).unwrap_or_default(),
                    digest: row.text(2).to_owned(),
                    made: row.int(3),
                    controller_id: row.text(4).to_owned(),
                })
                .collect(),
        ))
    }

    /// The earliest that an entry can be of: what one controller tells is in its order, and comes after what it was made from.
    /// How long ago something was noted is known to some ms only.
    fn not_before(&self, form: &ConfigForm) -> i64 {
        let before = |stored: &&Stored| {
            stored.controller_id == form.controller_id
                || stored.kind != FormKind::Refused && !form.base.is_empty() && stored.digest == form.base
        };
        self.0.iter().filter(before).map(|stored| stored.made).max().unwrap_or(0)
    }

    /// Those that were in force, with bytes.
    fn in_force(&self) -> impl DoubleEndedIterator<Item = &Stored> {
        self.0.iter().filter(|stored| stored.kind != FormKind::Refused && !stored.digest.is_empty())
    }

    fn newest(&self) -> Option<&Stored> {
        self.in_force().next_back()
    }

    /// Those that came after the last one with this digest that was there when somebody looked; all if there is none.
    fn after(&self, base: &str, looked: i64) -> impl Iterator<Item = &Stored> {
        let forms: Vec<&Stored> = self.in_force().collect();
        let from =
            forms.iter().rposition(|stored| stored.digest == base && stored.made <= looked).unwrap_or(0);
        forms.into_iter().skip(from)
    }

    /// Whether it is known that `base` was followed by this one.
    fn has(&self, base: &str, digest: &str, looked: i64) -> bool {
        self.after(base, looked).any(|stored| stored.digest == digest)
    }

    /// The entry of somebody who found this form after `base` and did not know whose it is.
    fn found_before(&self, base: &str, digest: &str, looked: i64) -> Option<i64> {
        self.after(base, looked)
            .find(|stored| stored.kind == FormKind::Found && stored.digest == digest && digest != base)
            .map(|stored| stored.id)
    }

    /// Whether the last thing that happened is that just this was refused.
    fn last_refused(&self, digest: &str) -> bool {
        self.0.last().is_some_and(|last| last.kind == FormKind::Refused && last.digest == digest)
    }
}

/// The row of what an entry is about, held until the end of the transaction, and made if need be. None where a deletion was
/// only found, and there is nothing that it could be about.
fn subject(session: &mut dyn Session, cluster: i64, form: &ConfigForm) -> Result<Option<i64>, Fault> {
    if let Some(id) = live(session, cluster, &form.subject)? {
        return Ok(Some(id));
    }
    if form.kind == FormKind::Deleted && form.author.is_empty() {
        return Ok(None);
    }
    session.run(vec![Statement::new(
        "INSERT INTO ha_configured (cluster_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        vec![cluster.into(), (&form.subject).into()],
    )])?;
    match live(session, cluster, &form.subject)? {
        Some(id) => Ok(Some(id)),
        None => Err(Fault::Clash(format!("{} was moved at the same time", form.subject))),
    }
}

fn live(session: &mut dyn Session, cluster: i64, name: &str) -> Result<Option<i64>, Fault> {
    let sql = format!(
        "SELECT b.id FROM ha_configured b WHERE b.cluster_id = ?1 AND b.name = ?2 AND b.gone = 0{}",
        session.dialect().for_update()
    );
    Ok(session.rows(&sql, &[cluster.into(), name.into()])?.first().map(|row| row.int(0)))
}

/// It has another name, and so has what is below it. What the new name has already, told by somebody quicker, joins.
fn rename(session: &mut dyn Session, cluster: i64, from: &str, to: &str) -> Result<(), Fault> {
    if from == to {
        return Ok(());
    }
    let target = "?3 || SUBSTR(o.name, CAST(?4 AS INTEGER))";
    let below = "(o.name = ?2 OR SUBSTR(o.name, 1, CAST(?4 AS INTEGER)) = ?5)";
    let length = from.chars().count() as i64 + 1;
    let values = || -> Vec<Value> {
        vec![cluster.into(), from.into(), to.into(), length.into(), format!("{from}/").into()]
    };
    let both = session.rows(
        &format!(
            "SELECT o.id, n.id FROM ha_configured o JOIN ha_configured n ON n.cluster_id = o.cluster_id AND n.gone = 0 \
             AND n.name = {target} WHERE o.cluster_id = ?1 AND o.gone = 0 AND {below} ORDER BY o.id"
        ),
        &values(),
    )?;
    for row in both {
        let values = || vec![Value::Int(row.int(0)), row.int(1).into()];
        session.run(vec![
            Statement::new("UPDATE ha_form SET configured_id = ?1 WHERE configured_id = ?2", values()),
            Statement::new("DELETE FROM ha_configured WHERE id = ?2 AND id <> ?1", values()),
        ])?;
    }
    let of_all = below.replace("o.", "");
    session.run(vec![Statement::new(
        format!(
            "UPDATE ha_configured SET name = {} WHERE cluster_id = ?1 AND gone = 0 AND {of_all}",
            target.replace("o.", "")
        ),
        values(),
    )])
}

/// It is gone. If it was made anew since, only what was before that belongs to what is gone.
fn delete(
    session: &mut dyn Session,
    cluster: i64,
    id: i64,
    entries: &Entries,
    entry: &Entry<'_>,
) -> Result<Outcome, Fault> {
    if entry.form.author.is_empty() && entries.newest().is_some_and(|newest| newest.digest != entry.form.base)
    {
        return Ok(Outcome::Nothing); // another one by now
    }
    let anew = entries.0.iter().find(|stored| stored.kind == FormKind::Created && stored.made > entry.made);
    let Some(anew) = anew else {
        session.run(vec![Statement::new(
            "UPDATE ha_configured SET gone = ?2 WHERE id = ?1",
            vec![id.into(), entry.made.into()],
        )])?;
        entry.insert(session, id)?;
        return Ok(Outcome::Stored);
    };
    session.run(vec![Statement::new(
        "INSERT INTO ha_configured (cluster_id, name, gone) VALUES (?1, ?2, ?3)",
        vec![cluster.into(), (&entry.form.subject).into(), entry.made.into()],
    )])?;
    let rows = session.rows(
        "SELECT MAX(id) FROM ha_configured WHERE cluster_id = ?1 AND name = ?2 AND gone = ?3",
        &[cluster.into(), (&entry.form.subject).into(), entry.made.into()],
    )?;
    let gone = rows.first().map_or(0, |row| row.int(0));
    session.run(vec![Statement::new(
        "UPDATE ha_form SET configured_id = ?2 WHERE configured_id = ?1 AND made < ?3",
        vec![id.into(), gone.into(), anew.made.into()],
    )])?;
    entry.insert(session, gone)?;
    Ok(Outcome::Stored)
}

/// What the maker saved of it on the way.
fn forget_making(session: &mut dyn Session, id: i64, form: &ConfigForm, made: i64) -> Result<(), Fault> {
    session.run(vec![Statement::new(
        format!(
            "DELETE FROM ha_form WHERE configured_id = ?1 AND controller_id = ?2 AND made > ?3 AND kind = {}",
            FormKind::Changed.code()
        ),
        vec![id.into(), (&form.controller_id).into(), (made - MAKING_MS).into()],
    )])
}

fn bound(session: &mut dyn Session, id: i64, most: u32) -> Result<(), Fault> {
    session.run(vec![Statement::new(
        format!(
            "DELETE FROM ha_form WHERE configured_id = ?1 AND id NOT IN (SELECT id FROM ha_form WHERE configured_id = ?1 \
             ORDER BY made DESC, id DESC LIMIT {most}) AND id NOT IN (SELECT id FROM ha_form WHERE configured_id = ?1 \
             AND kind <> {} AND digest <> '' ORDER BY made DESC, id DESC LIMIT 1)",
            FormKind::Refused.code()
        ),
        vec![id.into()],
    )])
}

fn now(session: &mut dyn Session) -> Result<i64, Fault> {
    let sql = format!("SELECT {}", session.dialect().now_ms());
    Ok(session.rows(&sql, &[])?.first().map_or_else(clock_ms, |row| row.int(0)))
}

fn form_of(fields: &Fields) -> ConfigForm {
    let text = |at: usize| fields.text(at).to_owned();
    ConfigForm {
        id: fields.int(0),
        subject: text(1),
        kind: FormKind::of_code(fields.int(2)).unwrap_or_default(),
        made_ms: fields.int(3),
        author: text(4),
        controller_id: text(5),
        controller_name: text(6),
        note: text(7),
        base: text(8),
        digest: text(9),
        seal: text(10),
        text: None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .filter_map(|at| text.get(2 * at..2 * at + 2))
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}
