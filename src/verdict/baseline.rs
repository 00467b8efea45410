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
    Removed,
}

impl Carried {
    /// Whether an observed object still carries it.
    pub fn is_in(&self, seen: &Observation) -> bool {
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
    pub success: Option<String>,
    pub failure: Option<String>,
    /// `Successful`'s `lastTransitionTime`.
    pub successful_since: Option<String>,
    /// `status.mas_active`.
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

/// The state at the write. It can be kept in the record, so that a later call follows the same write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The object that was written to.
    pub uid: String,
    pub carried: Carried,
    /// `metadata.generation` once the write was applied.
    pub generation: i64,
    /// `metadata.resourceVersion` of the write's own event; of the object that the write was compared with if the
    /// answer was lost. Whatever is not newer was over before the write was done.
    pub resource_version: Option<String>,
    /// Whether `mas_active` turning true tells of this change even where no start was seen: true only if no run that
    /// was under way at the write can have worked on an `active: true` of before.
    #[serde(default)]
    pub mas_active_tells: bool,
    /// The status that stood at the write. The write compared the resourceVersion, so this is exact.
    pub at_write: Marks,
}

impl Baseline {
    /// The baseline of a write that was compared with `before`.
    ///
    /// `generation` is the one that the write itself made: one more than before if the spec changed, the same if only
    /// an annotation did. Where the answer was lost it follows from that; an object read later may have had other
    /// changes since.
    pub fn of_write(before: &Observation, carried: Carried, generation: i64, resource_version: Option<String>) -> Self {
        // The write compared the resourceVersion, so nothing lies between `before` and the write's own event: what a
        // lagging server shows up to there must not pass for what came after.
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

    /// Whether nothing of the operator has been seen since the change, which is there.
    pub fn is_unanswered(&self, seen: &Observation) -> bool {
        self.carried.is_in(seen) && !self.at_write.running && self.at_write == Marks::of(seen)
    }

    /// The caller knows that no run under way at the write works on `active: true`: say, because the spec has been
    /// the rehearsed one, at one generation, since the rehearsal was written.
    #[must_use]
    pub fn inactive_until_write(mut self) -> Self {
        self.mas_active_tells = true;
        self
    }

    /// A baseline for a change that somebody else made, or whose own baseline is lost: what stands now. A run that is
    /// under way now is one whose start was not seen. Any run on `active: true` that turns `mas_active` true counts.
    pub fn of_present(now: &Observation, carried: Carried) -> Self {
        let baseline = Self::of_write(now, carried, now.generation, Some(now.resource_version.clone()));
        Self { mas_active_tells: true, ..baseline }
    }
}
