//! The differences between `dry-run`, `activate` and `abort`, as data for the common flow.

use std::borrow::Cow;
use std::time::Duration;

use super::resume;
use crate::checks::{self, DryRunStanding, Finding, Snapshot, is_old, standing};
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::plan::{MasSettings, Plan};
use crate::record::OwnersChange;
pub use crate::record::Step;
use crate::verdict::Awaiting;

impl Step {
    /// The progress text during a reconcile of the change.
    pub const fn doing(self) -> &'static str {
        match self {
            Self::DryRun => "running the dry run",
            Self::Activate => "migrating; users are locked out",
            Self::Abort | Self::Remove => "rolling back",
        }
    }

    /// What the cluster continues to do without this command, as the end of a sentence.
    pub const fn goes_on(self) -> &'static str {
        match self {
            Self::DryRun => "the operator continues the dry run; users don't notice it",
            Self::Activate => {
                "the operator continues the migration. Users are locked out until it ends; existing logins stay valid"
            }
            Self::Abort | Self::Remove => "the operator continues the rollback",
        }
    }

    /// Like [`Self::goes_on`], for an operator that has not reacted yet or an API server that doesn't respond (`silent`).
    pub fn goes_on_as_seen(self, awaiting: &Awaiting, changed: &str, silent: bool) -> String {
        let what = match (awaiting, self) {
            (Awaiting::Start, Self::Activate) => format!(
                "the operator has not reacted to the change made at {changed}. Once it does, users are locked out until the migration ends"
            ),
            (Awaiting::Start, _) => format!("the operator has not reacted to the change made at {changed}"),
            _ => self.goes_on().to_owned(),
        };
        if silent { format!("{what}. This is the last known state: the API server doesn't respond") } else { what }
    }

    pub const fn history(self) -> &'static str {
        match self {
            Self::DryRun => "dry-run: wrote the MAS component with active: false",
            Self::Activate => "activate: set active to true",
            Self::Abort => "abort: set active to false",
            Self::Remove => "abort: removed the MAS component",
        }
    }

    pub const fn timeout(self) -> Duration {
        Duration::from_mins(if matches!(self, Self::Activate) { 90 } else { 30 })
    }

    pub const fn checks(self) -> checks::Purpose {
        match self {
            Self::DryRun => checks::Purpose::DryRun,
            Self::Activate => checks::Purpose::Activate,
            Self::Abort | Self::Remove => checks::Purpose::Abort,
        }
    }

    pub const fn goes_back(self) -> bool {
        matches!(self, Self::Abort | Self::Remove)
    }

    /// Why there is nothing to do, for display.
    pub fn reached(self, seen: &Snapshot) -> Option<&'static str> {
        let deployment = &seen.deployment;
        match self {
            Self::DryRun if deployment.mas_active() == Some(true) => {
                Some("The migration is already done; a dry run is not needed.")
            }
            Self::DryRun => {
                // A recorded dry run counts if its spec and Secret are unchanged and the last reconcile succeeded.
                let succeeded = deployment.active() == Some(false) && deployment.conditions().run() == Run::Succeeded;
                let passed = standing(seen) == DryRunStanding::Passed && !is_old(seen);
                (succeeded && passed && settings_are_in_spec(seen))
                    .then_some("The dry run has already passed for this spec and Secret.")
            }
            Self::Activate => migrated(deployment),
            Self::Abort | Self::Remove => {
                if deployment.mas_active() == Some(true) || resume::recorded(seen, self).is_some() {
                    return None;
                }
                match (deployment.mas(), deployment.active()) {
                    (None, _) => Some("The ElementDeployment has no MAS component; there is nothing to roll back."),
                    (Some(_), Some(false)) if self == Self::Abort => {
                        Some("The migration is not active (active: false); there is nothing to roll back.")
                    }
                    _ => None,
                }
            }
        }
    }

    /// The MAS settings whose certificate is checked before the step; `None` for a rollback.
    pub fn settings(self, seen: &Snapshot) -> Option<Cow<'_, MasSettings>> {
        match self {
            Self::DryRun => wanted(seen),
            Self::Activate => seen.settings.as_ref().map(Cow::Borrowed),
            Self::Abort | Self::Remove => None,
        }
    }

    /// Whether to wait for a running reconcile before the write.
    pub fn waits(self, seen: &Snapshot) -> bool {
        match self {
            // While the operator retries a failed dry run it is rarely idle; the write starts another reconcile anyway.
            Self::DryRun => !(seen.deployment.mas().is_some() && seen.deployment.conditions().failure().is_some()),
            Self::Activate => true,
            // A rollback ends a reconcile that fails repeatedly.
            Self::Abort | Self::Remove => false,
        }
    }

    /// The change. `stamp` is the value of the annotation that requests a reconcile.
    fn plan(self, seen: &Snapshot, stamp: &str, written: bool) -> Result<Plan, Failure> {
        let deployment = &seen.deployment;
        let stamp = resume::fresh(stamp, deployment);
        match self {
            Self::DryRun => match wanted(seen) {
                Some(settings) => Ok(Plan::dry_run(deployment, &settings, &seen.secret_keys(), &stamp)),
                // The manifest already contains the component; its dry run uses it as is.
                None if deployment.active() == Some(false) => Ok(Plan::request_dry_run(deployment, &stamp)),
                None => Err(Failure::new(Exit::Blocked, "MAS is not configured yet; nothing was changed")
                    .advise("Configure its host, database and secrets with `prepare` first.")),
            },
            Self::Activate => Ok(Plan::activate(deployment)),
            Self::Abort | Self::Remove if written || resume::needs_another_reconcile(seen, self) => {
                Ok(Plan::reconcile(deployment, &stamp))
            }
            Self::Abort => Ok(Plan::deactivate(deployment)),
            Self::Remove => Ok(Plan::remove(deployment)),
        }
    }
}

/// A step with the flags of its command.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Request {
    pub step: Step,
    /// Whether nobody can answer questions, or a flag answers the confirmation.
    pub is_script: bool,
    pub preview: bool,
    pub accept: Vec<String>,
    pub wait: bool,
    /// `None` is the step's default.
    pub timeout: Option<Duration>,
    pub via_owner: bool,
    pub yes: bool,
    pub confirm: Option<String>,
    pub backup: Option<String>,
    pub findings: Vec<Finding>,
}

impl Request {
    /// The change; `written`: this command made it already. With `--via-owner` the owner changes the spec.
    pub fn plan(&self, seen: &Snapshot, stamp: &str, written: bool) -> Result<Plan, Failure> {
        let plan = self.step.plan(seen, stamp, written)?;
        if !self.via_owner || plan.changes_spec() {
            return Ok(plan);
        }
        let text = match resume::recorded(seen, Step::DryRun).and_then(|pending| pending.owner) {
            Some(OwnersChange::Awaited) => {
                "the manifest owner's change arrived while no command watched it, so the result of its dry run is unknown"
            }
            _ => "the spec already contains this change; there is nothing for the manifest owner to change",
        };
        Err(Failure::failed(text).suggest("To request another dry run:", "dry-run"))
    }
}

/// Whether the migration is done. `mas_active` becomes true before the reconcile ends, and the reconcile may still fail.
pub fn migrated(deployment: &Deployment) -> Option<&'static str> {
    let conditions = deployment.conditions();
    (deployment.mas_active() == Some(true)
        && deployment.active() == Some(true)
        && conditions.successful() == Some(true)
        && conditions.failure().is_none()
        && conditions.available() != Some(false))
    .then_some("The migration is already done: mas_active is true.")
}

/// The settings that `prepare` recorded, else those in the spec.
fn wanted(seen: &Snapshot) -> Option<Cow<'_, MasSettings>> {
    seen.settled().or_else(|| seen.settings.as_ref().map(Cow::Borrowed))
}

fn settings_are_in_spec(seen: &Snapshot) -> bool {
    wanted(seen)
        .is_none_or(|settings| !Plan::dry_run(&seen.deployment, &settings, &seen.secret_keys(), "").changes_spec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuing_work_is_reported_only_as_observed() {
        let shown = |step: Step, awaiting, silent| step.goes_on_as_seen(&awaiting, "10:02", silent);
        for step in [Step::DryRun, Step::Activate, Step::Abort, Step::Remove] {
            let idle = shown(step, Awaiting::Start, false);
            assert!(idle.starts_with("the operator has not reacted to the change made at 10:02"), "{idle}");
            assert_eq!(shown(step, Awaiting::End, false), step.goes_on());
            let silent = shown(step, Awaiting::End, true);
            assert!(silent.contains(step.goes_on()) && silent.ends_with("the API server doesn't respond"), "{silent}");
        }
    }
}
