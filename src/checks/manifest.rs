//! The owner of the manifest, and what it does to a change in the cluster. Sources: tests with Helm 3 and 4,
//! Argo CD and Flux; Kubernetes' documentation of `kubectl apply`.

use super::finding::{Finding, Severity};
use super::self_healing::SelfHealing;
use super::snapshot::{Purpose, Snapshot};
use crate::deployment::{Applied, HelmRelease, OwnedFields, Owner};

const SUBJECT: &str = "the ElementDeployment's manifest";
const SWITCH: &str = "components.matrixAuthenticationService.config.active";

/// The step of the migration that the manifest must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Adds MAS with `active: false`.
    DryRun,
    /// Sets `active: true`; also for `check`, because the activation is still to come.
    Activate,
    Abort,
    Done,
}

impl Moment {
    const fn switch(self) -> bool {
        matches!(self, Self::Activate | Self::Done)
    }

    /// The consequence if the owner writes its manifest again.
    const fn harm(self) -> &'static str {
        match self {
            Self::DryRun => "",
            Self::Activate => ". After the migration, that would switch MAS off",
            Self::Abort => ". If the manifest sets true, that would activate MAS again",
            Self::Done => ". That would switch MAS off, and users couldn't log in",
        }
    }

    const fn when(self) -> &'static str {
        if matches!(self, Self::Done) { "Now" } else { "Right after this step" }
    }

    /// What the manifest's source must contain.
    fn value(self) -> String {
        match self {
            Self::DryRun => format!("the MAS component with {SWITCH}: false"),
            _ => format!("{SWITCH}: {}", self.switch()),
        }
    }

    fn finding(self, name: &str, values: &[(&str, &str)]) -> Finding {
        let common = [("harm", self.harm()), ("when", self.when()), ("value", &self.value())];
        Finding::of(name, SUBJECT, &[values, &common].concat())
    }
}

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let moment = match (deployment.mas_active() == Some(true), purpose) {
        (true, Purpose::Check) => Moment::Done,
        // `prepare` never writes the ElementDeployment; after the migration, no command does.
        (true, _) | (_, Purpose::Prepare) => return,
        (_, Purpose::DryRun) => Moment::DryRun,
        (_, Purpose::Activate | Purpose::Check) => Moment::Activate,
        (_, Purpose::Abort) => Moment::Abort,
    };
    let owner = deployment.owner();
    if moment == Moment::Done
        && let Some(code) = code(&owner)
        && let Some(by) = deployment.switch_of_others().filter(|by| owner.may_write_as(by))
    {
        let text = format!("field manager {by}, the manifest's owner, has written {SWITCH}");
        return findings.push(Finding::new(code, Severity::Ok, SUBJECT, text));
    }
    match owner {
        Owner::Nobody => applied(snapshot, moment, findings),
        Owner::Helm(release) => findings.push(helm(snapshot, &release, moment)),
        Owner::Installer if moment == Moment::Done => findings.push(moment.finding("installer-after", &[])),
        Owner::Installer if moment == Moment::Abort => findings.push(moment.finding("installer-at-abort", &[])),
        Owner::Installer => findings.push(moment.finding("installer", &[])),
        Owner::ArgoCd(app) => {
            let app = app.map_or_else(String::new, |app| format!(" (application {app})"));
            findings.push(gitops(snapshot, &format!("Argo CD owns the manifest{app}"), "when it syncs", moment));
        }
        Owner::Flux(object) => {
            findings.push(gitops(snapshot, &format!("Flux owns the manifest ({object})"), "at every interval", moment));
        }
        Owner::Tool(tool, name, release) => {
            let name = name.map_or_else(String::new, |name| format!(" ({name})"));
            let release = release.map_or_else(String::new, |release| format!(" through Helm release {}", release.name));
            findings.push(gitops(snapshot, &format!("{tool} owns the manifest{name}{release}"), "at any time", moment));
        }
    }
}

fn code(owner: &Owner) -> Option<&'static str> {
    match owner {
        Owner::Nobody => None,
        Owner::Helm(_) => Some("manifest-owned-by-helm"),
        Owner::Installer => Some("manifest-owned-by-installer"),
        Owner::ArgoCd(_) | Owner::Flux(_) | Owner::Tool(..) => Some("manifest-owned-by-gitops"),
    }
}

/// Tested with Helm 3.22 and 4.3. The API server's field managers show the version.
fn helm(snapshot: &Snapshot, release: &HelmRelease, moment: Moment) -> Finding {
    let named = snapshot.deployment.reach_of("helm") >= OwnedFields::Mas;
    let (next, force) = match (release.major, named) {
        (Some(4), true) => {
            ("Every later `helm upgrade` fails with a conflict until its values match", " (--force-conflicts)")
        }
        (Some(4), false) => (
            "A later `helm upgrade` keeps the change while the values don't name MAS. With other values for MAS, it fails with a conflict",
            " (--force-conflicts)",
        ),
        (Some(3), _) => (
            "A later `helm upgrade` keeps the change, but the values differ from it until you update them",
            " (--force)",
        ),
        _ => ("Until the values match, a later `helm upgrade` fails (Helm 4) or keeps the change (Helm 3)", ""),
    };
    let version = release.major.map_or_else(String::new, |major| format!(" (Helm {major})"));
    let name = match moment {
        Moment::DryRun => "helm-at-dry-run",
        Moment::Activate => "helm",
        Moment::Abort => "helm-at-abort",
        Moment::Done => "helm-after",
    };
    moment.finding(name, &[("name", &release.name), ("version", &version), ("next", next), ("force", force)])
}

fn gitops(snapshot: &Snapshot, owner: &str, when: &str, moment: Moment) -> Finding {
    let healing = &snapshot.environment.self_healing;
    let how = match healing {
        Some(SelfHealing::Off(why)) => {
            format!("{owner}. Self-healing is off, because {why}. The next sync restores the owner's version")
        }
        Some(SelfHealing::On) => format!("{owner} and restores its version {when}"),
        None => format!("{owner} and may restore its version {when}; its configuration can't be read"),
    };
    let name = match moment {
        // A rollback must not be refused: users are locked out until it ends.
        Moment::Abort => "gitops-at-abort",
        Moment::Done => "gitops-after",
        _ if matches!(healing, Some(SelfHealing::Off(_))) => "gitops-without-healing",
        _ => "gitops",
    };
    moment.finding(name, &[("how", &how)])
}

/// No owner is known. A user may apply the same file again.
fn applied(snapshot: &Snapshot, moment: Moment, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let applied = deployment.applied();
    if applied.is_empty() {
        let by = deployment.spec_written_by().map(|by| format!(" (last written by field manager {by})"));
        findings.push(moment.finding("no-owner", &[("by", &by.unwrap_or_default())]));
    }
    for one in &applied {
        findings.push(match one {
            Applied::Client { reach, active } => client(*reach, *active, moment),
            Applied::Server { manager, reach } => {
                let otherwise = says_otherwise(snapshot, *reach, moment);
                let name = if otherwise { "applied-by-server-otherwise" } else { "applied-by-server" };
                moment.finding(name, &[("manager", manager)])
            }
        });
    }
}

/// Client-side apply sets the file's values, and keeps fields that the file doesn't name and didn't name before.
fn client(reach: OwnedFields, active: Option<bool>, moment: Moment) -> Finding {
    let Some(says) = active else {
        let name = if reach == OwnedFields::Nothing { "applied-without-mas" } else { "applied-without-active" };
        return moment.finding(name, &[]);
    };
    let name = if says == moment.switch() { "applied" } else { "applied-otherwise" };
    let harm = if says { ". That would start the migration" } else { moment.harm() };
    let values = [("says", &*says.to_string()), ("harm", harm), ("switch", &moment.switch().to_string())];
    moment.finding(name, &values)
}

/// Server-side apply of a field that another manager changed fails with a conflict, or restores the value if forced.
/// Whether a manifest of server-side apply may differ from the step's result. A manager that owns the switch has the cluster's
/// value: another writer of a different value would own it.
fn says_otherwise(snapshot: &Snapshot, reach: OwnedFields, moment: Moment) -> bool {
    let deployment = &snapshot.deployment;
    match reach {
        OwnedFields::Nothing => false,
        _ if moment == Moment::DryRun => true,
        OwnedFields::Active => deployment.active() != Some(moment.switch()),
        // This program may have taken the field over.
        OwnedFields::Mas => moment == Moment::Done && deployment.switch_of_others().is_none(),
    }
}

#[cfg(test)]
mod tests;
