//! A write without a verdict, and whether the deployment contains it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::deployment::Deployment;
use crate::plan::DRY_RUN_ANNOTATION;
use crate::verdict::{Baseline, Carried, Observation};

/// The state of a change that was handed to the manifest owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnersChange {
    /// Not observed; the baseline is the state at the start of the wait.
    Awaited,
    /// Observed; the baseline is the state before the change.
    Arrived,
}

/// A change of `…matrixAuthenticationService.config.active` or of the whole component; in JSON its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// `dry-run`: MAS with `active: false`.
    DryRun,
    /// `activate`: the migration; only a backup undoes it.
    Activate,
    /// `abort`: `active: false` again.
    Abort,
    /// `abort --remove`: without the component.
    #[serde(rename = "abort --remove")]
    Remove,
}

impl Step {
    pub const fn command(self) -> &'static str {
        match self {
            Self::DryRun => "dry-run",
            Self::Activate => "activate",
            Self::Abort => "abort",
            Self::Remove => "abort --remove",
        }
    }
}

/// A write without a verdict. Recorded before the write is sent, so that a killed command can be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    #[serde(rename = "command")]
    pub step: Step,
    pub at: jiff::Timestamp,
    pub by: Option<String>,
    pub baseline: Baseline,
    /// The state of the change, if the manifest owner makes it.
    pub owner: Option<OwnersChange>,
    /// The value of the annotation that requests a reconcile; it identifies the write.
    pub request: Option<String>,
    /// Keyed digest of the Secret's contents before the write.
    pub secret_digest: Option<String>,
    #[serde(default)]
    pub secret_fingerprints: BTreeMap<String, String>,
}

impl Pending {
    /// Whether the deployment contains the write.
    pub fn is_in(&self, deployment: &Deployment) -> bool {
        let seen = Observation::of(deployment);
        let made = match (&self.request, &self.baseline.carried) {
            (Some(request), _) => deployment.annotation(DRY_RUN_ANNOTATION) == Some(request),
            // Another client may have made the same change while this write was lost.
            (None, Carried::Active(_)) if self.owner.is_none() && seen.has_mas => deployment.active_is_ours(),
            (None, _) => true,
        };
        made && self.baseline.uid == seen.uid && self.baseline.carried.is_in(&seen)
    }

    /// Whether it is certainly this write, so that its baseline is valid. A removed component doesn't show who removed it.
    pub fn is_proven_in(&self, deployment: &Deployment) -> bool {
        let shown = match self.owner {
            Some(owner) => owner == OwnersChange::Arrived,
            None => self.request.is_some() || deployment.mas().is_some(),
        };
        shown && self.is_in(deployment)
    }

    /// Whether it is the followed write of a step. It may be an earlier one that was lost, with another Secret.
    pub fn is_of(&self, step: Step, deployment: &Deployment) -> bool {
        self.step == step && self.is_in(deployment)
    }
}
