//! Whether the release of ESS Classic supports the migration.

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
    if let Some(finding) = installed_with_mas(snapshot, purpose) {
        findings.push(finding);
        return;
    }
    findings.push(match &snapshot.features {
        Known::Known(features) if features.active => {
            Finding::ok(MAS_SUPPORTED, SUBJECT, "this release's ElementDeployment has the field config.active")
        }
        Known::Known(features) => {
            let missing =
                if features.mas { "no field config.active" } else { "no component matrixAuthenticationService" };
            let text =
                format!("this release's ElementDeployment has {missing}, so the API server would discard the change");
            let remedy =
                "Upgrade to ESS Classic 25.09.01 (chart 2.28.1) or later; LDAP requires 25.10.1 (chart 2.29.0).";
            Finding::blocker(MAS_SUPPORTED, SUBJECT, text).remedy(remedy).guide()
        }
        Known::Unreadable(_) if snapshot.deployment.active().is_some() => {
            Finding::ok(MAS_SUPPORTED, SUBJECT, "the ElementDeployment has the field config.active")
        }
        Known::Unreadable(why) => {
            let text = format!("couldn't determine whether this release has the field config.active: {why}");
            let remedy = "The API server rejects unknown fields, so the change can't be lost if you continue.";
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
        "v1alpha2" => "the API server serves v1alpha2".to_owned(),
        other => format!("the API server serves only {other}, as in older releases"),
    };
    Some(Finding::ok(API_VERSION, "elementdeployments.matrix.element.io", text))
}

/// Older releases can be installed with MAS: without the field `active`, and with nothing to migrate.
fn installed_with_mas(snapshot: &Snapshot, purpose: Purpose) -> Option<Finding> {
    let without_switch = snapshot.features.known().is_some_and(|features| features.mas && !features.active);
    if !without_switch || snapshot.deployment.mas().is_none() {
        return None;
    }
    let subject = "spec.components.matrixAuthenticationService";
    let text = "the deployment was installed with MAS: it has the component, but its release has no field config.active, so there is nothing to migrate";
    Some(match purpose {
        Purpose::Look => Finding::ok(ALREADY_MIGRATED, subject, text),
        _ => Finding::blocker(ALREADY_MIGRATED, subject, text)
            .remedy("If users still log in at Synapse, ask Element Support."),
    })
}

/// Checks the installed release: the schema shows only what can be written, not what the operator supports.
fn release(release: &ChartRelease) -> Option<Finding> {
    let subject = release.to_string();
    let ess = release.ess().map_or_else(String::new, |ess| format!(", ESS {ess},"));
    if release.is_at_least(ChartRelease::FIRST_WITH_MIGRATION)? {
        return Some(Finding::ok(RELEASE_TOO_OLD, subject, format!("this release{ess} supports the migration")));
    }
    let text = "the migration requires chart 2.28.1 (ESS 25.09.01) or later";
    // Mirrors can use other tags.
    let make = if release.source() == VersionSource::Image { Finding::warning } else { Finding::blocker };
    Some(make(RELEASE_TOO_OLD, subject, text).remedy("First upgrade ESS Classic, and wait for the reconcile.").guide())
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
    fn served_version_is_reported() {
        let served = |version: &str| tests::snapshot(|object| object["apiVersion"] = json!(version));
        for version in ["matrix.element.io/v1alpha2", "matrix.element.io/v1alpha1"] {
            let found = run(&served(version), Purpose::Look).into_iter().find(|one| one.code == "api-version").unwrap();
            assert!(found.message.contains(version.rsplit('/').next().unwrap()), "{}", found.message);
        }
        assert_eq!(found(&served(""), Purpose::Look, "api-version"), None);
    }

    #[test]
    fn release_of_a_chart_counts_more_than_an_image_tag() {
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
        assert_eq!(with(image("2.27.0")), Some(Severity::Warning), "mirrors can use other tags");
        assert_eq!(with(image("2.29.0")), Some(Severity::Ok));
        for unknown in [chart("^2.0.0"), chart("main"), None] {
            assert_eq!(with(unknown), None);
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
