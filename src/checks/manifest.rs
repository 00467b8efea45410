//! Who owns the manifest, and what becomes of a change made in place. What Helm does was tried with both releases.

use super::finding::{Finding, codes};
use super::snapshot::{Snapshot, Step};
use crate::deployment::{HelmRelease, Owner};

const SUBJECT: &str = "the ElementDeployment's manifest";

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    // `prepare` never touches the ElementDeployment; after the migration nothing is written either.
    if step == Step::Prepare || (snapshot.deployment.mas_active() == Some(true) && step != Step::Look) {
        return;
    }
    match snapshot.deployment.owner() {
        Owner::Nobody => {}
        Owner::Helm(release) => findings.push(helm(&release, step)),
        Owner::Installer => findings.push(
            Finding::warning(
                codes::OWNED_BY_INSTALLER,
                SUBJECT,
                "the installer wrote it (ui.element.io annotations), and its next run writes its own version over this change; \
                 after the activation that would switch MAS off",
            )
            .remedy("Use the installer's own migration tool (25.10.01 LTS or later), or do not run the installer again until its configuration says the same.")
            .guide(),
        ),
        Owner::ArgoCd(app) => {
            let app = app.map_or_else(String::new, |app| format!(" (application {app})"));
            findings.push(gitops(&format!("Argo CD owns it{app} and puts its own version back when it syncs"), step));
        }
        Owner::Flux(object) => {
            findings.push(gitops(&format!("Flux owns it ({object}) and puts its own version back at every interval"), step));
        }
    }
}

fn helm(release: &HelmRelease, step: Step) -> Finding {
    let next = match release.major {
        Some(4) => "every later `helm upgrade` fails with a conflict until its values say the same",
        Some(3) => "later `helm upgrade`s leave the change alone, but the values are silently wrong",
        _ => "later `helm upgrade`s fail (Helm 4) or leave the values silently wrong (Helm 3)",
    };
    let forced = match step {
        Step::DryRun => "a forced one takes the change back",
        _ => "a forced one would switch MAS off after the migration",
    };
    let version = release.major.map_or_else(String::new, |major| format!(" (Helm {major})"));
    let value = match step {
        Step::DryRun => "put components.matrixAuthenticationService with config.active: false into the values",
        Step::Abort => "set components.matrixAuthenticationService.config.active: false in the values",
        _ => "set components.matrixAuthenticationService.config.active: true in the values",
    };
    Finding::warning(
        codes::OWNED_BY_HELM,
        SUBJECT,
        format!("release {}{version} owns it: {next}; {forced}", release.name),
    )
    .remedy(format!("Right after this step, {value}."))
}

fn gitops(message: &str, step: Step) -> Finding {
    if step == Step::Abort {
        // Going back must not be refused: people are locked out until it is done.
        return Finding::warning(
            codes::OWNED_BY_GITOPS,
            SUBJECT,
            format!("{message}, which would turn the switch on again"),
        )
        .remedy(
            "Set active: false where the manifest comes from as well, and look again with `status` in a few minutes.",
        );
    }
    Finding::blocker(
        codes::OWNED_BY_GITOPS,
        SUBJECT,
        format!("{message}; after the activation that would switch MAS off"),
    )
    .remedy("Let the change come from there: with --via-owner it is shown for the manifest, waited for and followed.")
}
