//! Decides whether the operator has answered a write. Pure: takes a baseline and events, returns a verdict, without a
//! clock or I/O.
//!
//! The operator doesn't report `observedGeneration`. Right after a write, its status still describes the previous
//! reconcile. These rules, recorded from the real operator, decide whether a reconcile counts for a write:
//!
//! 1. Only what is observed after the write counts. Server values are compared with server values.
//! 2. The event in which a reconcile starts carries the spec that the reconcile works on. A reconcile counts if its start
//!    was seen after the write and that event carries the written change. It stops counting once the change is reverted,
//!    even briefly: while the status says `Running`, another reconcile can start without an event (a poll, a restarted
//!    operator) and would work on the reverted spec.
//! 3. The end of a reconcile that was running at the write proves nothing; the next start does.
//! 4. A failure is a verdict only with a completion that is new since the write. A failure without one is an error inside
//!    the operator, which continues.
//! 5. A failure with a new completion is a verdict at once, although the operator retries.
//! 6. `Available` alone never proves success; if the condition exists, it must be true.
//! 7. If a start may have been missed, a completion that differs from the one at the write shows that a reconcile ended
//!    since. If a reconcile was running at the write, two must have ended, or `mas_active` decides (if no reconcile can
//!    have worked on an earlier `active: true`).
//! 8. The order of conditions has no meaning, and unknown conditions are ignored.
//!
//! The rules assume that only one operator at a time ends reconciles of an object. Two operators (a frozen leader that
//! hasn't noticed the loss of its lease) write the same conditions, and nothing in them identifies the reconcile: the end
//! of the old leader's reconcile looks like the end of the new one's. A leader that exits leaves at most a playbook
//! running, whose reports still arrive; the tracker tolerates them.
//!
//! `tests/offline/schedules` tests these rules on generated histories.

mod baseline;
mod observation;
mod tracker;

#[cfg(test)]
mod tests;

pub use baseline::{Baseline, Carried, Marks};
pub use observation::{Continuity, Event, Observation};
pub use tracker::{Awaiting, Tracker, Verdict};
