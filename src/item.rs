//! A queue item, as the callers see it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a queue item stands in the cluster.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ItemState {
    /// Waits: in its quiet period, for room, or behind another build of its job.
    #[default]
    Queued,
    /// Held by [`Item::owner`], not started.
    Claimed,
    /// Has its build number; the build is being made.
    Starting,
    /// The build runs on [`Item::owner`].
    Running,
    /// Its controller died while it was starting or running; a survivor decides what becomes of it.
    Orphaned,
    /// The build has ended; kept for 24 h.
    Done,
    /// Ended without a build; kept for 24 h.
    Cancelled,
    /// The payload cannot be read; the bytes are kept until an admin cancels the item.
    Unreadable,
}

impl ItemState {
    /// Whether no further change can come.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }

    /// The letter it is stored as.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Queued => "Q",
            Self::Claimed => "C",
            Self::Starting => "S",
            Self::Running => "R",
            Self::Orphaned => "O",
            Self::Done => "D",
            Self::Cancelled => "X",
            Self::Unreadable => "U",
        }
    }

    /// From the letter it is stored as.
    pub(crate) fn from_letter(letter: &[u8]) -> Option<Self> {
        Some(match letter {
            b"Q" => Self::Queued,
            b"C" => Self::Claimed,
            b"S" => Self::Starting,
            b"R" => Self::Running,
            b"O" => Self::Orphaned,
            b"D" => Self::Done,
            b"X" => Self::Cancelled,
            b"U" => Self::Unreadable,
            _ => return None,
        })
    }
}

/// A queue item of the cluster, as it stood when it was read.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The queue id, unique in the cluster, positive.
    pub id: i64,
    /// Full name of the job.
    pub job: String,
    /// Where it stands.
    pub state: ItemState,
    /// Grows by one with each change of this item; an older one is out of date.
    pub version: i64,
    /// Grows with each item added to or folded into the job's waiting ones; the value of this item's last such change.
    pub job_revision: i64,
    /// What a controller must be able to serve to claim it, "" for any.
    pub lane: String,
    /// 0 to 2047, smaller first.
    pub priority: i32,
    /// When it was accepted, ms since 1970 in this controller's clock, for display.
    pub enqueued_ms: i64,
    /// When its quiet period ends, ms since 1970 in this controller's clock, for display.
    pub due_ms: i64,
    /// Waits behind another build of its job.
    pub blocked: bool,
    /// The job allows concurrent builds.
    pub concurrent: bool,
    /// Id of the only controller that may claim it, or "".
    pub pinned: String,
    /// Id of the controller that accepted it.
    pub origin: String,
    /// Id of the controller that holds it, or "".
    pub owner: String,
    /// The owner's epoch (fencing token), 0 without owner.
    pub epoch: i64,
    /// How often it was claimed.
    pub attempts: i32,
    /// The build's number, 0 while there is none.
    pub number: i32,
    /// The build's result once done, else "".
    pub result: String,
    /// A sentence on how it came to its state, or "".
    pub why: String,
    /// How many controllers died in a row while they built it, over all its re-runs.
    pub deaths: i32,
    /// Id of the item that runs its build again, 0 for none.
    pub again: i64,
    /// What the enqueuer stored; none where only the state was sent, or where its format is not known here.
    #[serde(skip)]
    pub payload: Option<Vec<u8>>,
    /// Format of the payload, 1 or more (`src/formats.rs`).
    #[serde(skip)]
    pub format: u32,
}

impl Item {
    /// As it is accepted, before the cluster has it: what a new part begins with is said here.
    pub(crate) fn accepted(new: &NewItem, origin: &str, now_ms: i64) -> Self {
        Self {
            id: new.id,
            job: new.job.clone(),
            lane: new.lane.clone(),
            priority: new.priority,
            enqueued_ms: now_ms,
            due_ms: now_ms + new.quiet_ms,
            concurrent: new.concurrent,
            pinned: new.pinned.clone(),
            origin: origin.to_owned(),
            format: 1,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Item {
    /// Leaves the payload out: it may hold parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({} {} {:?} v{}", self.id, self.job, self.state, self.version)?;
        if self.number > 0 {
            write!(f, " #{}", self.number)?;
        }
        if !self.owner.is_empty() {
            write!(f, " on {}:{}", self.owner, self.epoch)?;
        }
        f.write_str(")")
    }
}

/// What is put into the cluster's queue. On a controller's own disk it is kept by these names (`src/accepted.rs`), so a part that is
/// added has a default there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    /// From [`crate::Controller::next_queue_id`]; enqueueing the same id twice changes nothing.
    pub id: i64,
    /// Full name of the job.
    pub job: String,
    /// What a controller must be able to serve to claim it, "" for any.
    pub lane: String,
    /// 0 to 2047, smaller first; [`NewItem::DEFAULT_PRIORITY`] where nobody says otherwise.
    pub priority: i32,
    /// How long it must wait before it may be claimed, ms, 0 or more.
    pub quiet_ms: i64,
    /// Whether builds of the job may run at the same time.
    pub concurrent: bool,
    /// Id of the only controller that may claim it, or "".
    pub pinned: String,
    /// Opaque bytes, at most [`NewItem::MAX_PAYLOAD`].
    #[serde(skip)]
    pub payload: Vec<u8>,
}

impl NewItem {
    /// The middle of the range.
    pub const DEFAULT_PRIORITY: i32 = 1000;
    /// Largest payload, bytes.
    pub const MAX_PAYLOAD: usize = 16 << 20;
}

impl fmt::Debug for NewItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewItem({} {})", self.id, self.job)
    }
}

/// What a controller can take just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneOffer {
    /// The lane it can serve.
    pub lane: String,
    /// How many items of that lane it can take, 1 or more.
    pub room: usize,
}

/// Answer to [`crate::Controller::enqueue`] and [`crate::Controller::fold`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// It was stored; false: the job's waiting items are no longer those the caller had seen, nothing was stored.
    pub accepted: bool,
    /// The job's revision now.
    pub revision: i64,
    /// When not accepted: those of the job's queued items that are newer, with payloads; else empty.
    pub queued: Vec<Item>,
}

/// What became of a wish to cancel an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancel {
    /// It is gone and will never run.
    Cancelled,
    /// The controller named here holds it unstarted: the wish is recorded, ask that controller.
    Asked(String),
    /// It has already started or ended.
    TooLate,
    /// No such item.
    Unknown,
}
