//! What stood when the write was made.

use serde::{Deserialize, Serialize};

use super::observation::Observation;
use crate::deployment::Run;

/// How to see that an object still carries what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// A rehearsal: `active: false` and a spec with this digest. A rehearsal of any other spec says nothing, because
    /// the guide wants all other settings to stay the same until the activation.
    Rehearsal(String),
    /// `active` has this value. What else somebody changes does not take the switch back.
    Active(bool),
    /// The MAS component is gone.
    Removed,
}

impl Carried {
    pub(super) fn is_in(&self, seen: &Observation) -> bool {
        match self {
            Self::Rehearsal(digest) => seen.active == Some(false) && seen.spec_digest == *digest,
            Self::Active(true) => seen.active == Some(true),
            // Without the component nothing is active either: both take a migration back.
            Self::Active(false) => seen.active == Some(false) || !seen.has_mas,
            Self::Removed => !seen.has_mas,
        }
    }

    /// Whether success needs `mas_active` to be true.
    pub(super) fn wants_mas_active(&self) -> bool {
        matches!(self, Self::Active(true))
    }
}

/// The values of a status that move when a run ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marks {
    /// Whether a run was under way.
    pub running: bool,
    /// Completion of the last good run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
    /// Completion of the standing failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// `Successful`'s `lastTransitionTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successful_since: Option<String>,
    /// `status.mas_active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mas_active: Option<bool>,
}

impl Marks {
    /// The marks of one observation.
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

/// The state at the write. It can be kept in the record, so that a later call follows the same write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The object that was written to.
    pub uid: String,
    /// What was written.
    pub carried: Carried,
    /// `metadata.generation` once the write was applied.
    pub generation: i64,
    /// `metadata.resourceVersion` of the write's own event, where the answer told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// The status that stood at the write. The write compared the resourceVersion, so this is exact.
    pub at_write: Marks,
}

impl Baseline {
    /// The baseline of a write that was compared with `before`.
    ///
    /// `generation` is the object's afterwards: one more than before if the spec changed, the same if only an
    /// annotation did.
    pub fn of_write(before: &Observation, carried: Carried, generation: i64, resource_version: Option<String>) -> Self {
        Self { uid: before.uid.clone(), carried, generation, resource_version, at_write: Marks::of(before) }
    }

    /// X
    #[must_use]
    pub fn inactive_until_write(self) -> Self {
        self
    }

    /// A baseline for a change that somebody else made, or whose own baseline is lost: what stands now. A run that is
    /// under way now is one whose start was not seen.
    pub fn of_present(now: &Observation, carried: Carried) -> Self {
        Self::of_write(now, carried, now.generation, Some(now.resource_version.clone()))
    }
}
