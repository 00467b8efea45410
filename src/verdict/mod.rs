//! "Has the operator answered my write?" Pure: a baseline and events in, a verdict out. No clock, no I/O.
//!
//! The operator echoes no generation, so right after a write its status still tells of the run before. Whether a run
//! counts for a write is decided by these rules, recorded from the real operator:
//!
//! 1. Only what is observed after the write counts; server values are compared with server values.
//! 2. The event in which a run starts carries the spec that the run works on. A run counts if its start was seen
//!    after the write and that event carries what was written. It counts no longer once the write was taken back, even
//!    for a moment: under a status that says `Running` another run can start without an event (a poll, an operator
//!    that died and came back), and it would work on what stood then.
//! 3. The end of a run that was under way at the write proves nothing; the next start does.
//! 4. A failure is a verdict only with a completion that is new since the write. Without one it is trouble inside
//!    the operator, and it goes on.
//! 5. Such a failure is a verdict at once, although the operator goes on trying.
//! 6. `Available` is never enough, and if it is there it must be true.
//! 7. If a start may have been missed, a completion other than at the write tells that a run ended since; if a run
//!    was under way at the write, two must have ended, or `mas_active` tells (if no run can have been at work on an
//!    earlier `active: true`).
//! 8. The order of conditions, and unknown ones, mean nothing.
//!
//! All of it takes for granted that one operator at a time ends runs of an object. Two that both do (a leader that was frozen,
//! and does not know yet that it lost its lease) write the same conditions, and nothing in them names the run: the end of
//! the old leader's would pass for that of the new one's. A leader that ends leaves at most a playbook behind, whose own
//! reports still come, and that is borne.
//!
//! `tests/offline/schedules` tests all of it on generated histories, and says there what is true and when a verdict is due.

mod baseline;
mod observation;
mod outcome;
mod tracker;

#[cfg(test)]
mod tests;

pub use baseline::{Baseline, Carried, Marks};
pub use observation::{Continuity, Event, Observation};
pub use outcome::{Awaiting, Verdict};
pub use tracker::Tracker;
