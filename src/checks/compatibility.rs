//! Is this ESS Classic, and new enough?

use super::finding::{Code, Finding};
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use crate::checks::state::ALREADY_MIGRATED;
use crate::deployment::{ChartRelease, VersionSource};

const MAS_SUPPORTED: Code = "mas-supported";
const API_VERSION: Code = "api-version";
const RELEASE_TOO_OLD: Code = "release-too-old";

const SUBJECT: &str = "spec.components.matrixAuthenticationService.config.active";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    findings.extend(served(snapshot));
    if let Some(finding) = on_mas_already(snapshot, purpose) {
        findings.push(finding);
        return;
    }
    findings.push(match &snapshot.features {
        Known::Known(features) if features.active => {
            Finding::ok(MAS_SUPPORTED, SUBJECT, "this release's ElementDeployment has the switch")
        }
        Known::Known(features) => {
            let missing =
                if features.mas { "no switch config.active" } else { "no component matrixAuthenticationService" };
            let text =
                format!("this release's ElementDeployment has {missing}, so the API server would drop the change");
            let remedy =
                "Upgrade to ESS Classic 25.09.01 (chart 2.28.1) or later, with LDAP to 25.10.1 (chart 2.29.0).";
            Finding::blocker(MAS_SUPPORTED, SUBJECT, text).remedy(remedy).guide()
        }
        Known::Unreadable(_) if snapshot.deployment.active().is_some() => {
            Finding::ok(MAS_SUPPORTED, SUBJECT, "the switch is in the object")
        }
        Known::Unreadable(why) => {
            let text = format!("whether this release's ElementDeployment has the switch could not be found out: {why}");
            let remedy = "The API server refuses fields that it does not know, so going on cannot lose the change.";
            Finding::unknown(MAS_SUPPORTED, SUBJECT, text).remedy(remedy)
        }
    });
    if purpose != Purpose::Abort {
        findings.extend(snapshot.chart.as_ref().and_then(release));
    }
}

fn served(snapshot: &Snapshot) -> Option<Finding> {
    let version = snapshot.deployment.api_version();
    let version = version.rsplit('/').next().unwrap_or_default();
    let text = match version {
        "" => return None,
        "v1alpha2" => "it is served as v1alpha2".to_owned(),
        other => format!("it is served as {other} only, which older releases do"),
    };
    Some(Finding::ok(API_VERSION, "elementdeployments.matrix.element.io", text))
}

/// Releases before the migration have MAS too, for those who were installed with it: without a switch, and with nothing to
/// migrate.
fn on_mas_already(snapshot: &Snapshot, purpose: Purpose) -> Option<Finding> {
    let without_switch = snapshot.features.known().is_some_and(|features| features.mas && !features.active);
    if !without_switch || snapshot.deployment.mas().is_none() {
        return None;
    }
    let subject = "spec.components.matrixAuthenticationService";
    let text = "MAS is part of this deployment, in a release that has no switch for it: it was installed with MAS, and there is nothing to migrate";
    Some(match purpose {
        Purpose::Look => Finding::ok(ALREADY_MIGRATED, subject, text),
        _ => Finding::blocker(ALREADY_MIGRATED, subject, text)
            .remedy("If people still log in at Synapse, ask Element Support what this deployment is."),
    })
}

/// The schema decides what can be written; the release says what the operator makes of it.
fn release(release: &ChartRelease) -> Option<Finding> {
    let subject = release.to_string();
    let ess = release.ess().map_or_else(String::new, |ess| format!(" (ESS {ess})"));
    if release.is_at_least(ChartRelease::FIRST_WITH_MIGRATION)? {
        return Some(Finding::ok(RELEASE_TOO_OLD, subject, format!("it{ess} can migrate")));
    }
    let text = "the migration needs chart 2.28.1 (ESS 25.09.01) or later";
    // Whoever keeps copies of images may tag them as they like.
    let make = if release.source() == VersionSource::Image { Finding::warning } else { Finding::blocker };
    Some(make(RELEASE_TOO_OLD, subject, text).remedy("Upgrade ESS Classic first, and let it reconcile.").guide())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Severity, run, tests};
    use super::*;
    use crate::deployment::Features;

    fn found(snapshot: &Snapshot, purpose: Purpose, code: &str) -> Option<Severity> {
        run(snapshot, purpose).into_iter().find(|one| one.code == code).map(|one| one.severity)
    }

    #[test]
    fn the_served_version_is_said() {
        let served = |version: &str| tests::snapshot(|object| object["apiVersion"] = json!(version));
        for version in ["matrix.element.io/v1alpha2", "matrix.element.io/v1alpha1"] {
            let told = run(&served(version), Purpose::Look).into_iter().find(|one| one.code == "api-version").unwrap();
            assert!(told.message.contains(version.rsplit('/').next().unwrap()), "{}", told.message);
        }
        assert_eq!(found(&served(""), Purpose::Look, "api-version"), None);
    }

    #[test]
    fn a_release_is_judged_by_what_names_it() {
        let with = |release: Option<ChartRelease>| {
            let mut snapshot = tests::snapshot(|_| {});
            snapshot.chart = release;
            found(&snapshot, Purpose::DryRun, "release-too-old")
        };
        let chart = |version: &str| Some(ChartRelease { chart: "ess-stack".into(), version: version.into() });
        let image = |tag: &str| ChartRelease::of_image(&format!("mirror/updater:{tag}"));
        assert_eq!(with(chart("2.28.0")), Some(Severity::Blocker));
        assert_eq!(with(chart("25.08.2")), Some(Severity::Blocker));
        assert_eq!(with(chart("2.28.1")), Some(Severity::Ok));
        assert_eq!(with(chart("25.09.01")), Some(Severity::Ok));
        assert_eq!(with(image("2.27.0")), Some(Severity::Warning), "tags of copies are anybody's");
        assert_eq!(with(image("2.29.0")), Some(Severity::Ok));
        for untold in [chart("^2.0.0"), chart("main"), None] {
            assert_eq!(with(untold), None);
        }
    }

    #[test]
    fn a_deployment_that_was_installed_with_mas_has_nothing_to_migrate() {
        let before = |mas: bool| {
            let mut snapshot = tests::snapshot(|object| {
                if mas {
                    object["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {}});
                }
            });
            snapshot.features = Known::Known(Features { mas: true, active: false, ..Features::default() });
            snapshot
        };
        assert_eq!(found(&before(true), Purpose::Look, "already-migrated"), Some(Severity::Ok));
        for purpose in [Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            assert_eq!(found(&before(true), purpose, "already-migrated"), Some(Severity::Blocker), "{purpose:?}");
        }
        assert_eq!(found(&before(false), Purpose::DryRun, "already-migrated"), None);
        assert_eq!(found(&before(false), Purpose::DryRun, "mas-supported"), Some(Severity::Blocker));
    }
}
