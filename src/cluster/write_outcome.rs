//! What became of a write: one type, from the request to the exit code.

use serde_json::Value;

use super::errors::ClusterError;

#[derive(Debug)]
pub struct Stored {
    /// The object as stored (for a dry run: as it would be). For a Secret this holds its values.
    pub object: Value,
    /// The texts of the server's `Warning` headers. Lost together with an answer.
    pub warnings: Vec<String>,
    /// True when the answer was lost and the change was found by reading back; the object may be newer than the write.
    pub read_back: bool,
}

/// What became of a write.
#[derive(Debug)]
pub enum WriteOutcome {
    Applied(Stored),
    /// Not applied: somebody else was faster. The object is no longer the one that the write was made for, or there already.
    Conflict {
        error: ClusterError,
        /// The object as it was read afterwards, where that was possible and it exists.
        now: Option<Value>,
    },
    /// It is not stored and will not be.
    NotApplied(ClusterError),
    /// It could not be found out. Running again is safe: the same write is refused once it is stored.
    /// The error is what happened to the write's answer.
    Unknown(ClusterError),
}

impl WriteOutcome {
    /// As `-o json` names it.
    pub const NOT_APPLIED: &'static str = "not-applied";

    /// As `-o json` names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Applied(_) => "applied",
            Self::Conflict { .. } | Self::NotApplied(_) => Self::NOT_APPLIED,
            Self::Unknown(_) => "unknown",
        }
    }

    pub(super) fn found(object: Value) -> Self {
        Self::Applied(Stored { object, warnings: Vec::new(), read_back: true })
    }
}
