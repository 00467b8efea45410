//! Findings: what a person must know before a step. Pure functions over one gathered [`Snapshot`].
//!
//! A finding has a stable code. What could not be found out is a finding of its own and never passes for fine.

mod authentication;
pub mod certificate;
pub mod explain;
mod finding;
mod manifest;
pub mod outside;
mod product;
mod rehearsal;
mod secret;
mod settings;
mod snapshot;
mod state;
pub mod tls;

pub use finding::{Finding, Severity, codes};
pub use rehearsal::{RehearsalStanding, Rehearsed, standing};
pub use snapshot::{Known, Snapshot, Step};

/// All findings for a step, blockers first, otherwise in the order of the checks.
pub fn run(snapshot: &Snapshot, step: Step) -> Vec<Finding> {
    let mut findings = Vec::new();
    product::check(snapshot, step, &mut findings);
    state::check(snapshot, step, &mut findings);
    // Going back must not be held up by what stands in the way of going on.
    if step != Step::Abort {
        authentication::check(snapshot, &mut findings);
        settings::check(snapshot, &mut findings);
        secret::check(snapshot, step, &mut findings);
        rehearsal::check(snapshot, step, &mut findings);
    }
    manifest::check(snapshot, step, &mut findings);
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod tests;
