//! The state of the deployment at the time of a write.

use serde::{Deserialize, Serialize};

use super::observation::Observation;
use crate::deployment::Run;

/// The written change, as an observed object shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// A dry run: `active: false` and a spec with this digest. A dry run of any other spec proves nothing, because the
    /// migration guide requires all other settings to stay the same until the activation.
    #[serde(rename = "rehearsal")]
    DryRun(String),
    /// `active` has this value. Other changes to the spec don't revert it.
    Active(bool),
    Removed,
}

impl Carried {
    /// Whether an observed object still carries the change.
    pub fn is_in(&self, seen: &Observation) -> bool {
        match self {
            Self::DryRun(digest) => seen.active == Some(false) && seen.spec_digest == *digest,
            Self::Active(true) => seen.active == Some(true),
            // Without the component nothing is active either: both revert an activation.
            Self::Active(false) => seen.active == Some(false) || !seen.has_mas,
            Self::Removed => !seen.has_mas,
        }
    }
}

/// The status values that change when a reconcile ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marks {
    pub running: bool,
    /// Completion of the last successful reconcile.
    pub success: Option<String>,
    pub failure: Option<String>,
    /// `lastTransitionTime` of condition `Successful`.
    pub successful_since: Option<String>,
    pub mas_active: Option<bool>,
}

impl Marks {
    pub fn of(seen: &Observation) -> Self {
        Self {
            running: seen.run == Run::Running,
            success: seen.success_completion.clone(),
            failure: seen.failure_completion().map(str::to_owned),
            successful_since: seen.successful_since.clone(),
            mas_active: seen.mas_active,
        }
    }
}

/// The state at the write. The record keeps it, so that a later command can follow the same write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// `metadata.uid` of the object that was written.
    pub uid: String,
    pub carried: Carried,
    /// `metadata.generation` once the write was applied.
    pub generation: i64,
    /// `metadata.resourceVersion` that the write returned, or that the write was conditional on if the response was lost.
    /// Events that are not newer happened before the write.
    pub resource_version: Option<String>,
    /// Whether `mas_active` turning true proves this change even if no start was seen: true only if no reconcile that
    /// was running at the write can have worked on an earlier `active: true`.
    #[serde(default)]
    pub mas_active_tells: bool,
    /// The status at the write. The write was conditional on the resourceVersion, so this is exact.
    pub at_write: Marks,
}

impl Baseline {
    /// The baseline of a write that was conditional on `before`.
    ///
    /// `generation` is the one that the write produced: one more than before if the spec changed, the same if only an
    /// annotation did. If the response was lost, pass the value that follows from this rule, not that of an object read
    /// later, which may have been changed since.
    pub fn of_write(before: &Observation, carried: Carried, generation: i64, resource_version: Option<String>) -> Self {
        // No event lies between `before` and the write. What a lagging server reports up to there must not count as
        // observed after the write.
        let resource_version = resource_version.or_else(|| Some(before.resource_version.clone()));
        Self {
            uid: before.uid.clone(),
            carried,
            generation,
            resource_version,
            mas_active_tells: false,
            at_write: Marks::of(before),
        }
    }

    /// Whether the object carries the change and the operator has reported nothing since.
    pub fn is_unanswered(&self, seen: &Observation) -> bool {
        self.carried.is_in(seen) && !self.at_write.running && self.at_write == Marks::of(seen)
    }

    /// The baseline for a change that somebody else made, or whose own baseline is lost: the present state. The start of
    /// a reconcile that is running now counts as unseen. Any reconcile on `active: true` that sets `mas_active` counts.
    pub fn of_present(now: &Observation, carried: Carried) -> Self {
        let baseline = Self::of_write(now, carried, now.generation, Some(now.resource_version.clone()));
        Self { mas_active_tells: true, ..baseline }
    }
}
