//! How much is read of a deployment, and what became of what could not be read.

use crate::checks::access::Right;
use crate::checks::{Known, Snapshot};
use crate::cluster::{ClusterError, ErrorKind};

/// How much to read. Nothing is read that is not shown or judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For `status`: the record, and the Secret where a rehearsal hangs on it.
    Status,
    /// For going back: the schema and what the caller may do as well.
    Abort,
    /// To look: also what lies around, within the number of requests of a `check`.
    Check,
    /// For a step that the operator takes up: all of it, however many Secrets the components have.
    Step,
}

pub fn unreadable<T>(error: &ClusterError) -> Known<T> {
    Known::Unreadable(error.to_string())
}

/// Whether a read was refused for want of a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It was not, or for another reason.
    No,
    Missing(Right),
    /// The credentials are not accepted any more.
    LoggedOut,
}

impl Refusal {
    pub fn of(error: &ClusterError, right: impl FnOnce() -> Right) -> Self {
        match error.kind() {
            ErrorKind::Forbidden { .. } => Self::Missing(right()),
            ErrorKind::Unauthorized => Self::LoggedOut,
            _ => Self::No,
        }
    }
}

/// Keeps what was refused for the finding about permissions.
pub fn note_refused(snapshot: &mut Snapshot, refusal: Refusal) {
    let access = &mut snapshot.environment.access;
    match (refusal, access) {
        (Refusal::Missing(right), Some(access)) => access.refused.push(right),
        (Refusal::LoggedOut, Some(access)) => access.logged_out = true,
        _ => {}
    }
}
