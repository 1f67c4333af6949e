//! What can go wrong, by what the caller should do about it.

use thiserror::Error;

/// What a call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. The text is for an admin: what is wrong and what to do. It never holds a secret.
///
/// Decide on the variant, never on the text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// Redis, or the database, is away or did not answer in time. What was asked may or may not have happened: repeat it with the same id.
    #[error("{0}")]
    Unavailable(String),
    /// The item, or the membership, is no longer this controller's. Stop acting on it.
    #[error("{0}")]
    Fenced(String),
    /// Settings, password, Redis, the database or a schema are unfit; the text says how to mend it.
    #[error("{0}")]
    Refused(String),
    /// There is no such item or controller.
    #[error("{0}")]
    NotFound(String),
    /// It is in a state that does not allow this.
    #[error("{0}")]
    Conflict(String),
    /// An argument is out of range.
    #[error("{0}")]
    Invalid(String),
    /// The controller was closed.
    #[error("this controller has left the cluster: it is shutting down")]
    Closed,
    /// A defect of this library.
    #[error("{0} (a defect of ha-jenkins: please report this text)")]
    Bug(String),
}
