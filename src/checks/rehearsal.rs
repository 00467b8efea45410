//! The gate of the activation: a rehearsal that passed for this very spec and these very secret contents.
//!
//! The guide: "The dry-run migration must have succeeded before the actual migration can be attempted", and "All other
//! settings should remain the same".

use super::finding::{Finding, codes};
use super::snapshot::{Known, Snapshot, Step};
use crate::plan::{Plan, SecretKeys};
use crate::record::{Rehearsal, RehearsalState};

/// Where the rehearsal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RehearsalStanding {
    /// None is on record.
    None,
    /// It passed, for what is there now.
    Passed,
    /// The last one failed, with this message.
    Failed(String),
    /// It was for something else; each entry says what changed since.
    Outdated(Vec<String>),
    /// It passed, but whether the Secret is still the same cannot be told.
    Unknown(String),
}

/// Proof that the rehearsal check was made and passed. Only [`Rehearsed::check`] makes one, and the activation takes one.
#[derive(Debug, Clone, Copy)]
pub struct Rehearsed(());

impl Rehearsed {
    /// Makes the proof, if the rehearsal stands.
    pub fn check(snapshot: &Snapshot) -> Option<Self> {
        (standing(snapshot) == RehearsalStanding::Passed).then_some(Self(()))
    }
}

/// Compares the rehearsal on record with what is there now.
pub fn standing(snapshot: &Snapshot) -> RehearsalStanding {
    let Some(rehearsal) = snapshot.recorded().and_then(|record| record.rehearsal.as_ref()) else {
        return RehearsalStanding::None;
    };
    if rehearsal.state == RehearsalState::Failed {
        return RehearsalStanding::Failed(rehearsal.message.clone().unwrap_or_default());
    }
    let mut changed = Vec::new();
    if let Some(message) = &rehearsal.failed_since {
        let first = message.lines().next().unwrap_or_default();
        changed.push(format!("a run of the operator has failed ({first})"));
    }
    if snapshot.deployment.rehearsed_digest() != rehearsal.spec_digest {
        changed.push("the ElementDeployment's spec has changed".to_owned());
    }
    let keys = snapshot.secret_keys();
    if prepared_since(snapshot, &keys) {
        changed.push(
            "MAS's settings were changed by `prepare`; they come into the deployment with the next dry run".to_owned(),
        );
    }
    match &snapshot.secret {
        Known::Unreadable(why) if changed.is_empty() => return RehearsalStanding::Unknown(why.clone()),
        Known::Unreadable(_) => {}
        Known::Known(None) => changed.push("the MAS Secret is gone".to_owned()),
        Known::Known(Some(secret)) => {
            let digest = secret.digest(&keys).map(|digest| format!("{digest:#}"));
            if digest.as_deref() != Some(&rehearsal.secret_digest) {
                changed.push(changed_keys(rehearsal, &secret.fingerprints(&keys)));
            }
        }
    }
    if changed.is_empty() { RehearsalStanding::Passed } else { RehearsalStanding::Outdated(changed) }
}

/// Whether `prepare` has settled something that is not in the spec. The activation would leave it out, and whoever
/// settled it would find MAS migrated without it.
fn prepared_since(snapshot: &Snapshot, keys: &SecretKeys) -> bool {
    let deployment = &snapshot.deployment;
    let settings = snapshot.recorded().and_then(|record| record.settings.as_ref());
    // Once the switch is on, it is too late for that question; the plan to compare with has it off.
    deployment.active() == Some(false)
        && settings.is_some_and(|settings| Plan::rehearse(deployment, settings, keys, "").changes_spec())
}

fn changed_keys(rehearsal: &Rehearsal, now: &std::collections::BTreeMap<String, String>) -> String {
    let before = &rehearsal.secret_fingerprints;
    let all = before.keys().chain(now.keys().filter(|key| !before.contains_key(*key)));
    let changed: Vec<&str> = all.filter(|key| before.get(*key) != now.get(*key)).map(String::as_str).collect();
    if changed.is_empty() {
        "the MAS Secret has changed".to_owned()
    } else {
        format!("the MAS Secret has changed ({})", changed.join(", "))
    }
}

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    if snapshot.deployment.mas_active() == Some(true) {
        return;
    }
    if let Known::Unreadable(why) = &snapshot.record {
        let finding = Finding::unknown(codes::RECORD, "the record of the rehearsal", why)
            .remedy("Give yourself the permission to read it, or let `dry-run` write it anew.");
        findings.push(finding);
    }
    if !matches!(step, Step::Activate | Step::Look) {
        return;
    }
    let again = "Run `kubectl ess-mas dry-run` and let it pass.";
    let severity = |message: String| match step {
        // Only the activation needs it; for a look at things it is where the migration stands, not a fault.
        Step::Activate => Finding::blocker(codes::REHEARSAL, "the dry run", message).remedy(again).guide(),
        _ => Finding::ok(codes::REHEARSAL, "the dry run", message),
    };
    findings.push(match standing(snapshot) {
        RehearsalStanding::Passed => {
            Finding::ok(codes::REHEARSAL, "the dry run", "it passed for this very spec and these very secrets")
        }
        RehearsalStanding::None => severity("none has passed yet".to_owned()),
        RehearsalStanding::Failed(message) => severity(format!("the last one failed: {message}")),
        RehearsalStanding::Outdated(changed) => severity(format!("it passed, but since then: {}", changed.join("; "))),
        RehearsalStanding::Unknown(why) => {
            severity(format!("it passed, but whether the MAS Secret is still the same could not be found out: {why}"))
        }
    });
}
