//! What the tracker says.

use super::observation::Observation;
use crate::deployment::FailureReport;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaiting {
    /// The operator has given no sign since the write.
    Start,
    /// A run is under way whose start was not seen with this change in it; it must end and another one start.
    EarlierRun,
    /// A run that works on this change is under way.
    End,
    /// The operator had trouble of its own; the next run counts.
    NextRun(FailureReport),
    /// A run on the change ended without success, beside a failure that stood there before. Older releases of the operator
    /// leave the first failure of a streak standing, also over trouble of their own, so nothing tells how this run ended.
    Untold(FailureReport),
    /// The run ended without an error, but `Available` is not true.
    Available,
    /// The run ended without an error, but `mas_active` is not true.
    MasActive,
    /// The run ended, but its conditions do not say yet that it ended well.
    Successful,
}

/// The operator's answer to one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pending(Awaiting),
    /// A run that works on this change ended well, and everything that belongs to success was seen.
    Succeeded(Box<Observation>),
    /// A run that works on this change failed. The operator tries again by itself.
    Failed(FailureReport),
    /// Somebody took the change back before a run was seen to be done with it.
    Overtaken(Box<Observation>),
    /// The object was deleted, or is another one under the same name.
    Gone,
}

impl Verdict {
    /// Whether nothing that follows can change it.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending(_))
    }
}
