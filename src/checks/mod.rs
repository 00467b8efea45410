//! Findings: what a user must know before a step. Pure functions over one [`Snapshot`].
//!
//! A check chooses a row of a table such as `findings.yaml`, which has the code, the severity and the texts. What can't be
//! determined is a finding with severity unknown, never ok.

pub mod access;
mod appservices;
mod authentication;
pub mod backup;
pub mod certificate;
mod compatibility;
mod component_secrets;
pub mod databases;
mod dry_run;
pub mod endpoints;
pub mod explain;
mod finding;
mod manifest;
pub mod permissions;
mod secret;
mod self_healing;
mod settings;
mod snapshot;
mod state;
pub mod synapse;
pub mod tls;

pub use crate::answers::Known;
pub use component_secrets::secrets_to_look_at;
pub use dry_run::{DryRunPassed, DryRunStanding, contradict, dry_run_record, is_old, last_failure, standing};
pub use finding::{Code, Finding, Severity};
pub use secret::{earlier_encryption_secret, encryption_secret_lost, secret_managed};
pub use self_healing::SelfHealing;
pub use snapshot::{
    ComponentSecret, Components, Environment, OtherHost, Purpose, Resolution, Snapshot, default_secret_name,
};

/// The codes that other rooms compare with.
pub mod codes {
    use super::Code;

    pub const CERTIFICATE_MISSING: Code = "certificate-missing";
    pub const CLUSTER_ISSUER: Code = "cluster-issuer";
    pub const SECRET: Code = "mas-secret";
    pub const DATABASE_HOST: Code = "mas-database-host";
    pub const DATABASE_ROLE: Code = "mas-database-role";
    pub const DATABASE_SHARED: Code = "mas-database-is-synapses";
    pub const HOST_TAKEN: Code = "mas-host-taken";
    pub const SETTINGS: Code = "mas-settings";
    pub const ALREADY_MIGRATED: Code = "already-migrated";
    pub const AVAILABLE: Code = "available";
    pub const MIGRATION_UNDER_WAY: Code = "migration-under-way";
    pub const RUN_UNDER_WAY: Code = "run-under-way";
    pub const SUCCESSFUL: Code = "successful";
    pub const DRY_RUN: Code = "rehearsal";
    pub const PERMISSIONS: Code = "permissions";
    pub const PERMISSION_TO_FOLLOW: Code = "permission-to-follow";
    pub const MAS_ISSUER: Code = "mas-issuer";
    pub const MAS_SIGNING_KEY: Code = "mas-signing-key";
    pub const OWNED_BY_HELM: Code = "manifest-owned-by-helm";
    pub const OWNERS: [Code; 4] =
        [OWNED_BY_HELM, "manifest-owned-by-installer", "manifest-owned-by-gitops", "manifest-applied"];
}

/// All findings for a purpose, blockers first, otherwise in the order of the checks.
pub fn run(snapshot: &Snapshot, purpose: Purpose) -> Vec<Finding> {
    let mut findings = Vec::new();
    permissions::check(snapshot, purpose, &mut findings);
    compatibility::check(snapshot, purpose, &mut findings);
    state::check(snapshot, purpose, &mut findings);
    // Problems of the migration must not block a rollback.
    if purpose != Purpose::Abort {
        configuration(snapshot, purpose, &mut findings);
        secret::check(snapshot, purpose, &mut findings);
        dry_run::check(snapshot, purpose, &mut findings);
    }
    manifest::check(snapshot, purpose, &mut findings);
    findings.sort_by_key(|finding| finding.severity);
    #[cfg(test)]
    findings.iter().for_each(tests::assert_explained);
    findings
}

/// The checks of the configuration, which matter only before the migration.
fn configuration(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    if snapshot.deployment.mas_active() == Some(true) {
        return;
    }
    authentication::check(snapshot, purpose, findings);
    synapse::check(snapshot, findings);
    settings::check(snapshot, purpose, findings);
    component_secrets::check(snapshot, purpose, findings);
    appservices::check(snapshot, purpose, findings);
}

#[cfg(test)]
mod tests;
