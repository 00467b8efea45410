//! Who owns the manifest, and what becomes of a change made in place. What Helm does was tried with both releases; what
//! `kubectl apply` does is Kubernetes' documentation; Argo CD and Flux were not tried.

use super::finding::{Code, Finding};
use super::self_healing::SelfHealing;
use super::snapshot::{Purpose, Snapshot};
use crate::deployment::{Applied, HelmRelease, Owner, Reach};

pub const OWNED_BY_HELM: Code = "manifest-owned-by-helm";
const OWNED_BY_INSTALLER: Code = "manifest-owned-by-installer";
const OWNED_BY_GITOPS: Code = "manifest-owned-by-gitops";
const APPLIED: Code = "manifest-applied";
pub const OWNERS: [Code; 4] = [OWNED_BY_HELM, OWNED_BY_INSTALLER, OWNED_BY_GITOPS, APPLIED];

const SUBJECT: &str = "the ElementDeployment's manifest";
const SWITCH: &str = "components.matrixAuthenticationService.config.active";

/// Where the migration stands, as far as it matters to the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// MAS comes with `active: false`.
    DryRun,
    /// The switch is about to be turned on; also when somebody only looks, because that is what lies ahead.
    Activate,
    Abort,
    Done,
}

impl Moment {
    const fn switch(self) -> bool {
        matches!(self, Self::Activate | Self::Done)
    }

    /// What a manifest that is written again would do.
    const fn harm(self) -> &'static str {
        match self {
            Self::DryRun => "",
            Self::Activate => "; after the migration that would switch MAS off",
            Self::Abort => "; if it says true, the switch would be on again",
            Self::Done => "; that would switch MAS off, and people could not log in",
        }
    }

    const fn when(self) -> &'static str {
        if matches!(self, Self::Done) { "Now" } else { "Right after this step" }
    }

    /// What the manifest's source has to say.
    fn value(self) -> String {
        match self {
            Self::DryRun => format!("the MAS component with {SWITCH}: false"),
            _ => format!("{SWITCH}: {}", self.switch()),
        }
    }
}

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let moment = match (deployment.mas_active() == Some(true), purpose) {
        (true, Purpose::Look) => Moment::Done,
        // `prepare` never touches the ElementDeployment; after the migration nothing is written either.
        (true, _) | (_, Purpose::Prepare) => return,
        (_, Purpose::DryRun) => Moment::DryRun,
        (_, Purpose::Activate | Purpose::Look) => Moment::Activate,
        (_, Purpose::Abort) => Moment::Abort,
    };
    let owner = deployment.owner();
    if moment == Moment::Done
        && let Some(code) = code(&owner)
        && let Some(by) = deployment.switch_of_others().filter(|by| owner.may_write_as(by))
    {
        let text = format!("the switch was last written by field manager {by}, not by this program");
        findings.push(Finding::ok(code, SUBJECT, text));
        return;
    }
    match owner {
        Owner::Nobody => applied(snapshot, moment, findings),
        Owner::Helm(release) => findings.push(helm(snapshot, &release, moment)),
        Owner::Installer => findings.push(installer(moment)),
        Owner::ArgoCd(app) => {
            let app = app.map_or_else(String::new, |app| format!(" (application {app})"));
            findings.push(gitops(snapshot, &format!("Argo CD owns it{app}"), "when it syncs", moment));
        }
        Owner::Flux(object) => {
            findings.push(gitops(snapshot, &format!("Flux owns it ({object})"), "at every interval", moment));
        }
        Owner::Tool(tool, name, release) => {
            let name = name.map_or_else(String::new, |name| format!(" ({name})"));
            let release = release.map_or_else(String::new, |release| format!(" through Helm release {}", release.name));
            findings.push(gitops(snapshot, &format!("{tool} owns it{name}{release}"), "at any time", moment));
        }
    }
}

fn code(owner: &Owner) -> Option<&'static str> {
    match owner {
        Owner::Nobody => None,
        Owner::Helm(_) => Some(OWNED_BY_HELM),
        Owner::Installer => Some(OWNED_BY_INSTALLER),
        Owner::ArgoCd(_) | Owner::Flux(_) | Owner::Tool(..) => Some(OWNED_BY_GITOPS),
    }
}

fn installer(moment: Moment) -> Finding {
    let harm = moment.harm();
    let text = format!(
        "the installer wrote it (ui.element.io annotations), and its next run writes its own version over this change{harm}"
    );
    let same = format!("do not run the installer again until its configuration says {}", moment.value());
    let remedy = match moment {
        Moment::Done => format!("First of all, {same}."),
        Moment::Abort => format!("Afterwards, {same}."),
        _ => format!("Use the installer's own migration tool (25.10.01 LTS or later); or, after this step, {same}."),
    };
    Finding::warning(OWNED_BY_INSTALLER, SUBJECT, text).remedy(remedy).guide()
}

/// As it was tried with Helm 3.22 and 4.3, for the version that the API server's field managers show.
fn helm(snapshot: &Snapshot, release: &HelmRelease, moment: Moment) -> Finding {
    let named = snapshot.deployment.reach_of("helm") >= Reach::Mas;
    let next = match (release.major, named) {
        (Some(4), true) => {
            "every later `helm upgrade` fails with a conflict until its values say the same, and a forced one (--force-conflicts) puts back what they say"
        }
        (Some(4), false) => {
            "later `helm upgrade`s leave the change alone as long as the values do not name MAS; once they say something else, every upgrade fails with a conflict, and a forced one (--force-conflicts) puts back what they say"
        }
        (Some(3), _) => {
            "later `helm upgrade`s leave the change alone, but the values are silently wrong until they say the same, and a forced one (--force) puts back what they say"
        }
        _ => {
            "later `helm upgrade`s fail (Helm 4) or leave the values silently wrong (Helm 3) until they say the same, and a forced one puts back what they say"
        }
    };
    let name = &release.name;
    let version = release.major.map_or_else(String::new, |major| format!(" (Helm {major})"));
    let text = format!("release {name}{version} owns it: {next}{}", moment.harm());
    let set = match moment {
        Moment::DryRun => {
            let component = "components.matrixAuthenticationService with config.active: false";
            format!("put {component} into the values of release {name}")
        }
        _ => format!("set {} in the values of release {name}", moment.value()),
    };
    let by_helm = |command: &str| {
        format!("Right after this step, {set}; or let Helm make the change: `kubectl ess-mas {command} --via-owner`.")
    };
    Finding::warning(OWNED_BY_HELM, SUBJECT, text).remedy(match moment {
        Moment::Done => format!("Now {set}, and upgrade."),
        Moment::Abort => format!("Right after this step, {set}."),
        Moment::DryRun => by_helm("dry-run"),
        Moment::Activate => by_helm("activate"),
    })
}

fn gitops(snapshot: &Snapshot, owner: &str, when: &str, moment: Moment) -> Finding {
    let by_itself = match &snapshot.environment.self_healing {
        Some(SelfHealing::Off(why)) => {
            format!("{owner}. It does not put its own version back by itself, because {why}; its next sync does")
        }
        Some(SelfHealing::On) => format!("{owner} and puts its own version back {when}"),
        None => format!("{owner} and may put its own version back {when}; how it is set up could not be read"),
    };
    let text = format!("{by_itself}{}", moment.harm());
    let value = moment.value();
    let remedy = match moment {
        // Going back must not be refused: people are locked out until it is done.
        Moment::Abort => format!(
            "Set {value} where the manifest comes from as well, and look again with `kubectl ess-mas status` in a few minutes."
        ),
        Moment::Done => format!("Set {value} where the manifest comes from, now."),
        _ if matches!(snapshot.environment.self_healing, Some(SelfHealing::Off(_))) => format!(
            "Let the change come from there (--via-owner shows it, waits for it and follows it), or write {value} there right after this step."
        ),
        _ => {
            let remedy = "Let the change come from there: with --via-owner it is shown for the manifest, waited for and followed.";
            return Finding::blocker(OWNED_BY_GITOPS, SUBJECT, text).remedy(remedy);
        }
    };
    Finding::warning(OWNED_BY_GITOPS, SUBJECT, text).remedy(remedy)
}

/// Nobody's tool is seen. What was applied from a file may be applied from it again.
fn applied(snapshot: &Snapshot, moment: Moment, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let applied = deployment.applied();
    if applied.is_empty() {
        let by = deployment
            .spec_written_by()
            .map_or_else(String::new, |by| format!(" (last written by field manager {by})"));
        findings.push(Finding::ok(APPLIED, SUBJECT, format!("no tool is seen that would write it again{by}")));
    }
    for one in &applied {
        findings.push(match one {
            Applied::Client { reach, active } => client(*reach, *active, moment),
            Applied::Server { manager, reach } => server(manager, says_otherwise(snapshot, *reach, moment), moment),
        });
    }
}

/// Client-side apply sets what the file says wherever the cluster says something else, and leaves alone what the file does
/// not name and did not name before.
fn client(reach: Reach, active: Option<bool>, moment: Moment) -> Finding {
    let applied = "it was applied with `kubectl apply` from a file that";
    let text = match active {
        Some(says) if says != moment.switch() => {
            let harm = if says { "; that would start the migration" } else { moment.harm() };
            let text = format!("{applied} says {SWITCH}: {says}; applying that file again puts it back{harm}");
            let remedy = format!("{}, set {SWITCH}: {} in that file.", moment.when(), moment.switch());
            return Finding::warning(APPLIED, SUBJECT, text).remedy(remedy);
        }
        Some(says) => format!("{applied} says {SWITCH}: {says} as well"),
        None if reach == Reach::Nothing => format!(
            "{applied} does not name MAS; applying it again leaves the change alone. Add MAS to the file too, so that it tells what runs"
        ),
        None => format!(
            "{applied} does not name the switch; applying it again leaves the switch alone. Add {SWITCH} to the file too"
        ),
    };
    Finding::ok(APPLIED, SUBJECT, text)
}

/// Whether a manifest of server-side apply may say something else than what the step leaves behind. A manager that owns the
/// switch says what the cluster says: it would have lost it to whoever wrote another value.
fn says_otherwise(snapshot: &Snapshot, reach: Reach, moment: Moment) -> bool {
    let deployment = &snapshot.deployment;
    match reach {
        Reach::Nothing => false,
        _ if moment == Moment::DryRun => true,
        Reach::Active => deployment.active() != Some(moment.switch()),
        // It may have lost it to this program.
        Reach::Mas => moment == Moment::Done && deployment.switch_of_others().is_none(),
    }
}

/// Server-side apply of a field that somebody else changed ends in a conflict, or, forced, puts it back.
fn server(manager: &str, otherwise: bool, moment: Moment) -> Finding {
    let who = format!("field manager {manager} applies it (server-side apply)");
    if !otherwise {
        return Finding::ok(APPLIED, SUBJECT, format!("{who} and says nothing else of the switch"));
    }
    let text = format!(
        "{who}: its next application fails with a conflict until its manifest says the same, or, if it forces conflicts, puts its own version back{}",
        moment.harm()
    );
    let (when, value) = (moment.when(), moment.value());
    Finding::warning(APPLIED, SUBJECT, text)
        .remedy(format!("{when}, write {value} into its manifest; or let it make the change: --via-owner."))
}

#[cfg(test)]
mod tests;
