//! Handles: how Java names an open [`Controller`] or [`Records`].
//!
//! A handle is a place in a table and the generation of that place, never a pointer: a call that comes too late finds
//! that it is closed instead of bringing Jenkins down.

use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jni_sys::jlong;

use super::errors::Failure;
use super::panics;
use crate::{Controller, Error, Records};

pub(super) static CONTROLLERS: Handles<Controller> = Handles::new();
pub(super) static RECORDS: Handles<Records> = Handles::new();

/// All that is open of one kind.
pub(super) struct Handles<T>(RwLock<Table<Entry<T>>>);

/// What is open, and the defect that closed it, if one did.
#[derive(Debug)]
struct Entry<T> {
    value: T,
    defect: OnceLock<String>,
}

/// Something open in use by a call. A panic during the call poisons the handle: the state behind it cannot be trusted
/// any more, so all that can still be done is to close it.
#[derive(Debug)]
pub struct Held<T>(Arc<Entry<T>>);

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The first defect is the one to report.
            let _ = self.0.defect.set(panics::last());
        }
    }
}

impl<T> Handles<T> {
    const fn new() -> Self {
        Self(RwLock::new(Table::new()))
    }

    /// Takes something in.
    pub fn keep(&self, value: T) -> jlong {
        let entry = Entry { value, defect: OnceLock::new() };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(entry)
    }

    /// What is behind a handle, for one call.
    pub fn held(&self, handle: jlong) -> Result<Held<T>, Failure> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = table.get(handle).ok_or(Error::Closed)?;
        match entry.defect.get() {
            Some(defect) => Err(Failure::Poisoned(defect.clone())),
            None => Ok(Held(entry)),
        }
    }

    /// Takes something out, for closing, poisoned or not; none if that was done before.
    pub fn take(&self, handle: jlong) -> Option<Held<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(handle).map(Held)
    }
}

/// The controller behind a handle, for one call.
pub fn held(handle: jlong) -> Result<Held<Controller>, Failure> {
    CONTROLLERS.held(handle)
}

/// A table whose places are used again under another generation.
struct Table<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

struct Place<T> {
    generation: u32,
    value: Option<Arc<T>>,
}

impl<T> Table<T> {
    const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    fn insert(&mut self, value: T) -> jlong {
        let value = Some(Arc::new(value));
        let index = match self.free.pop() {
            Some(index) => {
                self.places[index as usize].value = value;
                index
            }
            None => {
                self.places.push(Place { generation: 1, value });
                (self.places.len() - 1) as u32
            }
        };
        jlong::from(self.places[index as usize].generation) << 32 | jlong::from(index)
    }

    fn get(&self, handle: jlong) -> Option<Arc<T>> {
        let place = self.places.get(handle as u32 as usize)?;
        if jlong::from(place.generation) == handle >> 32 { place.value.clone() } else { None }
    }

    fn remove(&mut self, handle: jlong) -> Option<Arc<T>> {
        let index = handle as u32;
        let place = self.places.get_mut(index as usize)?;
        if jlong::from(place.generation) != handle >> 32 {
            return None;
        }
        let value = place.value.take()?;
        // The last generation that is still positive as the upper half of a handle is not used again.
        if place.generation < i32::MAX as u32 {
            place.generation += 1;
            self.free.push(index);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_handle_is_never_valid_again() {
        let mut table = Table::new();
        let old = table.insert("old");
        assert_eq!(table.remove(old).as_deref(), Some(&"old"));
        let new = table.insert("new");
        assert_eq!(old as u32, new as u32, "the place is used again");
        assert!(table.get(old).is_none());
        assert!(table.remove(old).is_none());
        assert_eq!(table.get(new).as_deref(), Some(&"new"));
    }

    #[test]
    fn made_up_handles_are_unknown() {
        let mut table = Table::new();
        table.insert(());
        for handle in [0, 1, -1, jlong::MAX, jlong::MIN, 1 << 32 | 1, 2 << 32] {
            assert!(table.get(handle).is_none(), "{handle}");
            assert!(table.remove(handle).is_none(), "{handle}");
        }
    }
}
