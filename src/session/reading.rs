//! How much a command reads of a deployment, and which reads were refused.

use crate::checks::access::Right;
use crate::checks::{Known, Snapshot};
use crate::cluster::{ClusterError, ErrorKind};

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For `status`: the record, and the MAS Secret if a dry run depends on it.
    Status,
    /// For `abort`: also the schema and the caller's permissions.
    Abort,
    /// For `check`: also the environment, within its limit of requests.
    Check,
    /// For a step: everything, however many Secrets the components have.
    Step,
}

pub fn unreadable<T>(error: &ClusterError) -> Known<T> {
    Known::Unreadable(error.to_string())
}

/// Whether a read was refused for lack of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not refused, or failed for another reason.
    No,
    Missing(Right),
    /// The API server no longer accepts the credentials.
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

/// Notes a refused read for the finding about permissions.
pub fn note_refused(snapshot: &mut Snapshot, refusal: Refusal) {
    let access = &mut snapshot.environment.access;
    match (refusal, access) {
        (Refusal::Missing(right), Some(access)) => access.refused.push(right),
        (Refusal::LoggedOut, Some(access)) => access.logged_out = true,
        _ => {}
    }
}
