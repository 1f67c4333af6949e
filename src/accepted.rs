//! What was accepted while Redis was away: kept on this controller's own disk until the cluster has it.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::item::{Item, NewItem};
use crate::journal::{Front, Journal, REJECTED, Record, joined, parted};
use crate::node::{Node, clock_ms};
use crate::{Error, Result};

impl Record for NewItem {
    fn encode(&self) -> io::Result<Vec<u8>> {
        joined(self, &self.payload)
    }

    fn decode(bytes: &[u8]) -> io::Result<Self> {
        let (item, payload): (Self, _) = parted(bytes)?;
        Ok(Self { payload: payload.to_vec(), ..item })
    }
}

/// The journal of accepted items; opened when it is first needed.
#[derive(Default)]
pub(crate) struct Accepted {
    journal: Mutex<Opened>,
    /// Held by whoever stores what waits, so that each item is stored by one.
    storing: Mutex<()>,
}

#[derive(Default)]
enum Opened {
    #[default]
    NotYet,
    Here(Arc<Mutex<Journal<NewItem>>>),
    Closed,
}

impl Accepted {
    /// Another process may have it.
    pub fn close(&self) {
        if let Opened::Here(journal) = std::mem::replace(&mut *self.journal.lock(), Opened::Closed) {
            journal.lock().release();
        }
    }
}

impl Node {
    /// See [`crate::Controller::keep_accepted`].
    pub fn keep_accepted(&self, item: &NewItem) -> Result<()> {
        let journal = self.accepted_journal()?;
        let kept = journal.lock().append(std::slice::from_ref(item));
        kept.map_err(|error| self.no_journal(&error))
    }

    /// See [`crate::Controller::kept_accepted`].
    pub fn kept_accepted(&self) -> Result<Vec<Item>> {
        let journal = self.accepted_journal()?;
        let front = journal.lock().front(usize::MAX, usize::MAX).map_err(|error| self.no_journal(&error))?;
        let kept = front.map(|front| front.records).unwrap_or_default();
        Ok(kept.iter().map(|item| as_it_waits(item, self.me())).collect())
    }

    /// See [`crate::Controller::store_accepted`].
    pub fn store_accepted(&self) -> Result<Option<Item>> {
        let _alone = self.accepted.storing.lock();
        let journal = self.accepted_journal()?;
        while let Some(front) = self.first_accepted(&journal)? {
            if let Some(item) = front.records.first() {
                match self.enqueue(item.clone(), -1, "It was kept while Redis was away") {
                    Ok(_) => {}
                    Err(Error::Conflict(_)) => return Ok(Some(as_it_waits(item, self.me()))),
                    Err(Error::Invalid(why)) => {
                        log::error!(
                            "Queue item {} of {} was accepted while Redis was away, but the cluster does not take it: \
                             {why}. Trigger it again. What it was is kept in {REJECTED} of {}",
                            item.id,
                            item.job,
                            self.journal_folder()
                        );
                        journal.lock().reject(item).map_err(|error| self.no_journal(&error))?;
                    }
                    Err(error) => return Err(error),
                }
            }
            journal.lock().stored(&front).map_err(|error| self.no_journal(&error))?;
        }
        Ok(None)
    }

    /// See [`crate::Controller::rename_accepted`].
    pub fn rename_accepted(&self, id: i64, new_id: i64, payload: Vec<u8>) -> Result<()> {
        let _alone = self.accepted.storing.lock();
        let journal = self.accepted_journal()?;
        let front = self.first_accepted(&journal)?;
        let Some(front) = front.filter(|front| front.records.first().is_some_and(|item| item.id == id))
        else {
            return Err(Error::NotFound(format!("item {id} does not wait for Redis any more")));
        };
        let mut renamed = front.records[0].clone();
        renamed.id = new_id;
        renamed.payload = payload;
        let mut journal = journal.lock();
        // Under its new id before the old one goes, so that no power cut loses it.
        journal
            .append(&[renamed])
            .and_then(|()| journal.stored(&front))
            .map_err(|error| self.no_journal(&error))
    }

    fn first_accepted(&self, journal: &Mutex<Journal<NewItem>>) -> Result<Option<Front<NewItem>>> {
        journal.lock().front(1, usize::MAX).map_err(|error| self.no_journal(&error))
    }

    fn accepted_journal(&self) -> Result<Arc<Mutex<Journal<NewItem>>>> {
        let mut opened = self.accepted.journal.lock();
        match &*opened {
            Opened::Here(journal) => Ok(Arc::clone(journal)),
            Opened::Closed => Err(Error::Closed),
            Opened::NotYet => {
                let Some(folder) = &self.settings.home.journal else {
                    return Err(Error::Unavailable("this controller has no folder for a journal".to_owned()));
                };
                let journal = Journal::open(folder).map_err(|error| self.no_journal(&error))?;
                let journal = Arc::new(Mutex::new(journal));
                *opened = Opened::Here(Arc::clone(&journal));
                Ok(journal)
            }
        }
    }

    fn no_journal(&self, error: &io::Error) -> Error {
        Error::Unavailable(format!(
            "{} cannot be used, where what is accepted waits for Redis: {error}. See that it can be written and has space",
            self.journal_folder()
        ))
    }

    fn journal_folder(&self) -> std::path::Display<'_> {
        self.settings.home.journal.as_deref().unwrap_or(std::path::Path::new("")).display()
    }
}

/// As it was accepted; where it stands is not known.
fn as_it_waits(item: &NewItem, me: &str) -> Item {
    Item { payload: Some(item.payload.clone()), ..Item::accepted(item, me, clock_ms()) }
}
