//! The phases of the migration, with the names of the installer's wizard.

use serde::Serialize;

use super::conditions::Run;
use super::view::Deployment;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Phase {
    Configuration,
    /// MAS is in the spec, not active, and no dry run has passed yet.
    DryRun,
    DryRunFailed,
    ReadyToMigrate,
    /// `active` is true, and the operator has not reported a result yet.
    Migrating,
    MigrationFailed,
    Complete,
}

/// The state that is in the record, not in the object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remembered {
    pub dry_run_passed: bool,
    pub dry_run_failed: bool,
    /// An activation was written, and its verdict has not been seen.
    pub activation_pending: bool,
}

impl Phase {
    pub fn of(deployment: &Deployment, remembered: Remembered) -> Self {
        let Remembered { dry_run_passed, dry_run_failed, activation_pending } = remembered;
        let conditions = deployment.conditions();
        // Without a completion it is a failure of the operator itself, not of a reconcile.
        let failing = conditions.failure().is_some_and(|failure| failure.completion.is_some());
        match (deployment.mas_active(), deployment.active()) {
            // `mas_active` turns true shortly before the end of the reconcile, which may still fail.
            (Some(true), _) if activation_pending && failing => Self::MigrationFailed,
            (Some(true), _) if activation_pending && conditions.run() == Run::Running => Self::Migrating,
            (Some(true), _) => Self::Complete,
            (_, Some(true)) if failing => Self::MigrationFailed,
            (_, Some(true)) => Self::Migrating,
            _ if deployment.mas().is_none() => Self::Configuration,
            _ if failing || dry_run_failed => Self::DryRunFailed,
            _ if dry_run_passed => Self::ReadyToMigrate,
            _ => Self::DryRun,
        }
    }

    pub const STEPS: [&str; 5] = ["Configuration", "Setup and dry-run", "Ready to migrate", "Migration", "Complete"];

    /// The index in [`Self::STEPS`].
    pub const fn step(self) -> usize {
        match self {
            Self::Configuration => 0,
            Self::DryRun | Self::DryRunFailed => 1,
            Self::ReadyToMigrate => 2,
            Self::Migrating | Self::MigrationFailed => 3,
            Self::Complete => 4,
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Configuration => "legacy authentication, MAS not set up",
            Self::DryRun => "dry run not passed yet",
            Self::DryRunFailed => "dry run failed",
            Self::ReadyToMigrate => "ready to migrate",
            Self::Migrating => "migrating",
            Self::MigrationFailed => "migration failed",
            Self::Complete => "migrated: MAS is active",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn phase(active: Value, status: Value, dry_run_passed: bool) -> Phase {
        let mas = if active.is_null() {
            json!({})
        } else {
            json!({"matrixAuthenticationService": {"config": {"active": active}}})
        };
        let object = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}, "spec": {"components": mas}, "status": status});
        Phase::of(&Deployment::from_value(object).unwrap(), Remembered { dry_run_passed, ..Remembered::default() })
    }

    #[test]
    fn every_phase_follows_from_the_object() {
        let fails =
            json!({"conditions": [{"type": "Failure", "status": "True", "ansibleResult": {"completion": "c"}}]});
        let hiccup = json!({"conditions": [{"type": "Failure", "status": "True"}]});
        assert_eq!(phase(Value::Null, json!({}), false), Phase::Configuration);
        assert_eq!(phase(json!(false), json!({}), false), Phase::DryRun);
        assert_eq!(phase(json!(false), fails.clone(), true), Phase::DryRunFailed);
        assert_eq!(phase(json!(false), json!({}), true), Phase::ReadyToMigrate);
        assert_eq!(phase(json!(true), json!({"mas_active": false}), true), Phase::Migrating);
        assert_eq!(phase(json!(true), hiccup, true), Phase::Migrating);
        assert_eq!(phase(json!(true), fails, true), Phase::MigrationFailed);
        assert_eq!(phase(json!(true), json!({"mas_active": "true"}), true), Phase::Complete);
    }

    #[test]
    fn a_reconcile_that_fails_after_mas_active_turned_true_is_not_complete() {
        let object = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"},
            "spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}},
            "status": {"mas_active": true, "conditions": [
                {"type": "Failure", "status": "True", "ansibleResult": {"completion": "c"}}]}});
        let deployment = Deployment::from_value(object).unwrap();
        let pending = Remembered { activation_pending: true, ..Remembered::default() };
        assert_eq!(Phase::of(&deployment, pending), Phase::MigrationFailed);
        // Long after the migration, a failed reconcile is unrelated to it.
        assert_eq!(Phase::of(&deployment, Remembered::default()), Phase::Complete);
    }
}
