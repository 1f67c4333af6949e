//! High availability for Jenkins: several real controllers work off one queue, kept in Redis, and keep their builds' records
//! in one database.
//!
//! [`Controller`] and [`Records`] are the ways in; the rest of the library knows nothing of Jenkins or of Java but `bridge`.
#![warn(missing_docs)]
#![deny(unsafe_code)]

mod accepted;
mod admission;
mod agents;
mod answers;
#[doc(hidden)]
pub mod bridge;
mod bus;
mod claimer;
mod clouds;
mod computers;
mod controller;
mod error;
#[cfg(test)]
mod foreign_input;
mod formats;
mod heartbeat;
mod homes;
#[cfg(test)]
#[path = "../tests/support/hostile.rs"]
mod hostile;
mod item;
mod journal;
mod kept_settings;
mod lives;
mod members;
mod memory;
mod mending;
mod milestones;
mod moments;
mod node;
mod numbers;
mod packed;
mod queue;
mod reader;
mod records;
mod redis;
mod seal;
mod settings;
mod shared_folder;
mod stamp;
mod states;
mod trace;
mod turns;

pub use agents::AgentOwner;
pub use bus::Event;
pub use clouds::{CloudAgent, CloudSlot};
pub use computers::ToldComputers;
pub use controller::Controller;
pub use error::{Error, Result};
pub use homes::KnownController;
pub use item::{Cancel, Enqueued, Item, ItemState, LaneOffer, NewItem};
pub use kept_settings::KeptSetting;
pub use lives::ThreadLife;
pub use members::{LinkState, Member, Phase};
pub use milestones::{Milestone, Milestones};
pub use moments::Moment;
pub use records::{
    BuildPage, BuildQuery, BuildRow, BuildState, ConfigForm, FormKind, Records, RecordsPhase,
    RecordsSettings, RecordsState,
};
pub use settings::{Home, Origins, SealKey, Secret, Settings};
pub use states::{Pen, SharedState};
pub use trace::{Happened, Step, Trace};
pub use turns::Turn;

/// Version and commit of this library, `0.1.0+<commit>`: the Java side refuses a library that is not its own.
pub const BUILD: &str = env!("HA_JENKINS_BUILD");
