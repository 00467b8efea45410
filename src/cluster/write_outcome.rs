//! The outcome of a write.

use serde_json::Value;

use super::errors::ClusterError;

#[derive(Debug)]
pub struct Stored {
    /// The object as stored, or as a server-side dry run would store it. A Secret's values are included.
    pub object: Value,
    /// The server's `Warning` headers; empty after a lost response.
    pub warnings: Vec<String>,
    /// Whether the response was lost and the change was found by reading the object, which may be newer than the write.
    pub read_back: bool,
}

#[derive(Debug)]
pub enum WriteOutcome {
    Applied(Stored),
    /// Not applied, because another client changed or created the object.
    Conflict {
        error: ClusterError,
        /// The object as read afterwards, if it exists and can be read.
        now: Option<Value>,
    },
    /// Not stored, and will not be.
    NotApplied(ClusterError),
    /// Could not be determined; the error is that of the write's response. A retry is safe: the server refuses the same write
    /// once it is stored.
    Unknown(ClusterError),
}

impl WriteOutcome {
    pub const NOT_APPLIED: &'static str = "not-applied";

    /// The value in `-o json`.
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
