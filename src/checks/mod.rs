//! Findings: what a person must know before a step. Pure functions over one gathered [`Snapshot`].
//!
//! A finding has a stable code. What could not be found out is a finding of its own and never passes for fine.

pub mod access;
mod appservices;
mod authentication;
pub mod backup;
pub mod certificate;
mod compatibility;
mod component_secrets;
pub mod configured;
pub mod databases;
pub mod endpoints;
pub mod explain;
mod finding;
mod healing;
mod manifest;
pub mod oidc;
mod pause;
mod permissions;
pub mod rbac;
mod rehearsal;
mod secret;
mod settings;
mod snapshot;
mod state;
pub mod synapse;
pub mod tls;

pub use component_secrets::secrets_to_look_at;
pub use finding::{Finding, Severity, codes};
pub use rehearsal::{RehearsalStanding, Rehearsed, is_old, standing};
pub use snapshot::{Circumstances, Healing, Known, Snapshot, Step, default_secret_name};

/// All findings for a step, blockers first, otherwise in the order of the checks.
pub fn run(snapshot: &Snapshot, step: Step) -> Vec<Finding> {
    let mut findings = Vec::new();
    permissions::check(snapshot, step, &mut findings);
    compatibility::check(snapshot, step, &mut findings);
    state::check(snapshot, step, &mut findings);
    // Going back must not be held up by what stands in the way of going on.
    if step != Step::Abort {
        what_is_configured(snapshot, step, &mut findings);
        secret::check(snapshot, step, &mut findings);
        rehearsal::check(snapshot, step, &mut findings);
    }
    manifest::check(snapshot, step, &mut findings);
    findings.sort_by_key(|finding| finding.severity);
    #[cfg(test)]
    findings.iter().for_each(explain::assert_true);
    findings
}

/// What is configured: of no interest any more once the migration is done.
fn what_is_configured(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    if snapshot.deployment.mas_active() == Some(true) {
        return;
    }
    authentication::check(snapshot, step, findings);
    synapse::check(snapshot, findings);
    settings::check(snapshot, step, findings);
    component_secrets::check(snapshot, step, findings);
    appservices::check(snapshot, step, findings);
}

#[cfg(test)]
mod tests;
