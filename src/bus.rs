//! What controllers tell each other.

use crate::{Item, LinkState};

/// Something that happened in the cluster, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// All live items; replaces everything known. Comes after joining and after any gap in what was received.
    Snapshot(Vec<Item>),
    /// An item changed; the payload is there when it was just queued or folded into. Skip it when a newer version is known.
    Item(Item),
    /// Another controller told all.
    Announcement {
        /// Id of the controller that told.
        from: String,
        /// What it is about.
        topic: String,
        /// Whom it is about: a job's full name, or "".
        subject: String,
        /// A build number, or 0.
        number: i64,
        /// The rest, as the topic has it.
        body: Vec<u8>,
    },
    /// Another controller asks this one; answer with [`crate::Controller::answer`]. Delivered at least once, answered once.
    Command {
        /// Id of the controller that asks.
        from: String,
        /// What it asks for.
        topic: String,
        /// The rest, as the topic has it.
        body: Vec<u8>,
        /// What to answer to.
        request_id: String,
    },
    /// This controller's own standing changed.
    Link(LinkState),
    /// The item's controller died while it was starting or running, and it falls to this controller to decide.
    Orphaned(Item),
    /// A controller joined, left or died.
    Members,
}
