//! Who may make which change of a build's record.

use super::changes::Writer;
use super::row::{BuildRow, BuildState};

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The build belongs to somebody else.
    Foreign,
    /// It has ended and does not run again.
    Ended,
    /// It was deleted.
    Deleted,
    /// It runs; only its owner may change it.
    Running,
    /// The queue has since given its item another number.
    Superseded,
    /// Another build came from the same queue item.
    Doubled,
}

impl Refusal {
    /// For the log.
    pub fn why(self) -> &'static str {
        match self {
            Self::Foreign => "the build belongs to another controller, or to another start of this one",
            Self::Ended => "the build has ended",
            Self::Deleted => "the build was deleted",
            Self::Running => "the build still runs on its controller",
            Self::Superseded => {
                "its queue item was given to another controller, as a build with a higher number"
            }
            Self::Doubled => "another build came from the same queue item: the item was built twice",
        }
    }
}

/// Decides on a save. Answers the row to be stored.
pub(super) fn judge(
    stored: Option<&BuildRow>,
    new: &BuildRow,
    edit: bool,
    by: &Writer,
) -> Result<BuildRow, Refusal> {
    use BuildState::{Deleted, Ended, Running};
    let mut row = new.clone();
    row.version = stored.map_or(0, |stored| stored.version) + 1;
    let Some(stored) = stored else {
        return Ok(row);
    };
    // Whoever has adopted a build writes it, though the build itself may still name the one that started it.
    let adopter = stored.controller_id == by.controller_id && stored.incarnation == by.incarnation;
    let own = stored.controller_id == new.controller_id && stored.incarnation == new.incarnation;
    // Without a membership (0) a build is still that of the process that started it.
    let owner = (own || adopter) && (new.epoch == 0 || new.epoch >= stored.epoch);
    row.epoch = row.epoch.max(stored.epoch);
    if adopter && !own {
        row.controller_id.clone_from(&stored.controller_id);
        row.controller_name.clone_from(&stored.controller_name);
        row.incarnation.clone_from(&stored.incarnation);
    }
    match (stored.state, new.state) {
        (Deleted, _) => Err(Refusal::Deleted),
        (Ended, Running) => Err(Refusal::Ended),
        (Ended, _) if edit => {
            // Whoever edits does not become the owner.
            row.controller_id.clone_from(&stored.controller_id);
            row.controller_name.clone_from(&stored.controller_name);
            row.incarnation.clone_from(&stored.incarnation);
            row.epoch = stored.epoch;
            row.queue_id = stored.queue_id;
            Ok(row)
        }
        // An earlier start of the same controller is over: what it left may be ended.
        (Running, Ended)
            if stored.controller_id == by.controller_id && stored.incarnation != by.incarnation && edit =>
        {
            row.controller_id.clone_from(&stored.controller_id);
            row.controller_name.clone_from(&stored.controller_name);
            row.queue_id = stored.queue_id;
            Ok(row)
        }
        (Running, _) if edit && !adopter => Err(Refusal::Running),
        _ if !owner => Err(Refusal::Foreign),
        _ => {
            if row.queue_id == 0 {
                row.queue_id = stored.queue_id;
            }
            Ok(row)
        }
    }
}

/// Decides on a deletion. Answers the tombstone, none if there is one already.
pub(super) fn delete(
    stored: Option<&BuildRow>,
    job: &str,
    number: i32,
    by: &Writer,
) -> Result<Option<BuildRow>, Refusal> {
    match stored {
        None => Ok(Some(BuildRow {
            job: job.to_owned(),
            number,
            state: BuildState::Deleted,
            version: 1,
            ..BuildRow::default()
        })),
        Some(stored) if stored.state == BuildState::Deleted => Ok(None),
        Some(stored) if stored.state == BuildState::Running && stored.controller_id != by.controller_id => {
            Err(Refusal::Running)
        }
        Some(stored) => {
            Ok(Some(BuildRow { state: BuildState::Deleted, version: stored.version + 1, ..stored.clone() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(state: BuildState, controller: &str, incarnation: &str, epoch: i64) -> BuildRow {
        BuildRow {
            job: "job".into(),
            number: 1,
            state,
            version: 4,
            queue_id: 9,
            controller_id: controller.into(),
            incarnation: incarnation.into(),
            epoch,
            ..BuildRow::default()
        }
    }

    fn by(controller: &str, incarnation: &str) -> Writer {
        Writer { controller_id: controller.into(), incarnation: incarnation.into() }
    }

    #[test]
    fn only_the_owner_writes_a_running_build() {
        use BuildState::{Ended, Running};
        let stored = owned(Running, "a", "a1", 5);
        for (new, expected) in [
            (owned(Running, "a", "a1", 5), None),
            (owned(Ended, "a", "a1", 5), None),
            (owned(Ended, "a", "a1", 6), None),
            (owned(Ended, "a", "a1", 0), None),
            (owned(Ended, "a", "a1", 4), Some(Refusal::Foreign)),
            (owned(Ended, "a", "a2", 9), Some(Refusal::Foreign)),
            (owned(Running, "b", "b1", 9), Some(Refusal::Foreign)),
            (owned(Ended, "b", "b1", 9), Some(Refusal::Foreign)),
        ] {
            let writer = by(&new.controller_id, &new.incarnation);
            assert_eq!(judge(Some(&stored), &new, false, &writer).err(), expected, "{new:?} {}", new.epoch);
        }
    }

    #[test]
    fn an_edit_changes_an_ended_build_but_not_its_owner() {
        use BuildState::{Ended, Running};
        let stored = owned(Ended, "a", "a1", 5);
        let mut edit = owned(Ended, "b", "b1", 9);
        edit.description = "edited".into();
        let row = judge(Some(&stored), &edit, true, &by("b", "b1")).unwrap();
        assert_eq!((row.controller_id.as_str(), row.epoch, row.version), ("a", 5, 5));
        assert_eq!(row.description, "edited");
        assert_eq!(judge(Some(&stored), &edit, false, &by("b", "b1")), Err(Refusal::Foreign));
        let running = owned(Running, "a", "a1", 5);
        assert_eq!(judge(Some(&running), &edit, true, &by("b", "b1")), Err(Refusal::Running));
    }

    #[test]
    fn a_later_start_of_a_controller_ends_what_the_earlier_one_left() {
        use BuildState::{Ended, Running};
        let stored = owned(Running, "a", "a1", 5);
        let end = owned(Ended, "a", "a1", 8);
        assert!(judge(Some(&stored), &end, true, &by("a", "a2")).is_ok());
        assert_eq!(judge(Some(&stored), &end, true, &by("b", "b1")), Err(Refusal::Running));
    }

    #[test]
    fn whoever_adopted_a_build_writes_it_though_the_build_names_another() {
        use BuildState::{Ended, Running};
        let stored = owned(Running, "b", "b1", 9);
        for edit in [false, true] {
            for state in [Running, Ended] {
                let row = judge(Some(&stored), &owned(state, "a", "b1", 9), edit, &by("b", "b1")).unwrap();
                assert_eq!((row.controller_id.as_str(), row.incarnation.as_str()), ("b", "b1"));
            }
        }
        assert_eq!(
            judge(Some(&stored), &owned(Ended, "a", "a1", 5), false, &by("a", "a1")),
            Err(Refusal::Foreign)
        );
        assert_eq!(
            judge(Some(&stored), &owned(Ended, "a", "b1", 8), false, &by("b", "b1")),
            Err(Refusal::Foreign)
        );
    }

    #[test]
    fn ended_builds_do_not_run_again_and_deleted_ones_stay_deleted() {
        use BuildState::{Deleted, Ended, Running};
        let again = owned(Running, "a", "a1", 9);
        for edit in [false, true] {
            let stored = owned(Ended, "a", "a1", 5);
            assert_eq!(judge(Some(&stored), &again, edit, &by("a", "a1")), Err(Refusal::Ended));
            for late in [Running, Ended] {
                let late = owned(late, "a", "a1", 9);
                let stored = owned(Deleted, "a", "a1", 5);
                assert_eq!(judge(Some(&stored), &late, edit, &by("a", "a1")), Err(Refusal::Deleted));
            }
        }
    }
}
