//! What one event shows of an ElementDeployment.

use crate::deployment::{Deployment, FailureReport, Run};

/// Whether events may have been missed between the one before and this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// Every event in between was seen: the watch resumed from the last resourceVersion.
    Continuous,
    /// The object was read again; anything may have happened in between.
    Gap,
}

/// One event of the watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The object after a change, or as it was read again.
    Seen(Box<Observation>, Continuity),
    /// The object was deleted: the uid that a `DELETED` event names, or `None` if a read found no object.
    ///
    /// A watch that starts late may report an earlier object of the same name, so the uid decides. "Not found" must
    /// come from a read that bypasses caches.
    Deleted(Option<String>),
}

/// The part of an ElementDeployment that a verdict depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub uid: String,
    pub resource_version: String,
    pub generation: i64,
    pub active: Option<bool>,
    pub has_mas: bool,
    /// Digest of the spec without `active`.
    pub spec_digest: String,
    pub run: Run,
    /// Completion of the last successful reconcile, if it is the last one that ended and none is running.
    pub success_completion: Option<String>,
    pub failure: Option<FailureReport>,
    /// `lastTransitionTime` of condition `Successful`: changes only when a reconcile succeeds.
    pub successful_since: Option<String>,
    pub available: Option<bool>,
    pub successful: Option<bool>,
    pub mas_active: Option<bool>,
}

impl Observation {
    pub fn of(deployment: &Deployment) -> Self {
        let conditions = deployment.conditions();
        Self {
            uid: deployment.uid().to_owned(),
            resource_version: deployment.resource_version().to_owned(),
            generation: deployment.generation(),
            active: deployment.active(),
            has_mas: deployment.mas().is_some(),
            spec_digest: deployment.dry_run_digest(),
            run: conditions.run(),
            success_completion: conditions.success_completion().map(str::to_owned),
            failure: conditions.failure(),
            successful_since: conditions.successful_since().map(str::to_owned),
            available: conditions.available(),
            successful: conditions.successful(),
            mas_active: deployment.mas_active(),
        }
    }

    /// Completion of the reported failure; `None` also for an internal error of the operator.
    pub(super) fn failure_completion(&self) -> Option<&str> {
        self.failure.as_ref()?.completion.as_deref()
    }

    /// Whether the status, taken by itself, is that of a successful reconcile.
    pub(super) fn is_successful(&self) -> bool {
        self.run == Run::Succeeded
            && self.successful == Some(true)
            && self.failure.is_none()
            && self.available != Some(false)
    }
}
