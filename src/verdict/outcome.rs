//! The verdict on one write, and what it still depends on.

use super::observation::Observation;
use crate::deployment::FailureReport;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaiting {
    /// The operator has not reported anything since the write.
    Start,
    /// A reconcile is running whose start was not seen with this change; it must end and another one start.
    EarlierRun,
    /// A reconcile that works on this change is running.
    End,
    /// The operator reported an internal error; the next reconcile counts.
    NextRun(FailureReport),
    /// A reconcile on the change ended without success while an earlier failure is still reported. Older operators keep
    /// the first failure of a streak in the status, also after internal errors, so the cause of this end is unknown.
    Untold(FailureReport),
    /// The reconcile ended without an error, but `Available` is not true.
    Available,
    /// The reconcile ended without an error, but `mas_active` is not true.
    MasActive,
    /// The reconcile ended, but its conditions don't report success yet.
    Successful,
}

/// The operator's answer to one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pending(Awaiting),
    /// A reconcile that works on this change succeeded, and everything that success requires was observed.
    Succeeded(Box<Observation>),
    /// A reconcile that works on this change failed. The operator retries by itself.
    Failed(FailureReport),
    /// Somebody reverted the change before a reconcile with it was observed to end.
    Overtaken(Box<Observation>),
    /// The object was deleted, or replaced by another one of the same name.
    Gone,
}

impl Verdict {
    /// Whether no later event can change the verdict.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending(_))
    }
}
